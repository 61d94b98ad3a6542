"""`PeakOptions`: the `test_cfg` of `LesionCenterNetHead`, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from mmdet_liver.errors import input_error


@dataclass(frozen=True)
class PeakOptions:
    """What becomes of the maps' peaks; names are MMDetection's where it has them.

    Args:
        topk: highest peaks of an image that are looked at.
        local_maximum_kernel: side of the window, in cells, in which a peak must be the
            highest of its class; odd.
        max_per_img: boxes an image may have, with NMS or without; 0 or less: no limit.
        score_thr: only scores above it are kept, 0 to 1.
        nms: e.g. `dict(type='nms', iou_threshold=0.5)`; `class_agnostic=True` in it makes
            classes compete; None: no NMS.
        cross_class_suppression: a place has one class: a peak is dropped where another class
            is likelier within a window of this side, in cells (odd); True: the window of
            `local_maximum_kernel`. Boxes then carry `class_scores`.
    """

    topk: int = 100
    local_maximum_kernel: int = 3
    max_per_img: int = -1
    score_thr: float = 0.0
    nms: dict | None = None
    cross_class_suppression: bool | int = False

    @classmethod
    def read(cls, test_cfg: Mapping | None) -> 'PeakOptions':
        """Check `test_cfg` (None: the defaults) and return it.

        Raises:
            InputError: for an unknown key or an impossible value.
        """
        given = dict(test_cfg or {})
        if 'topK' in given:  # the old spelling, still in MMDetection's own tests
            given.setdefault('topk', given.pop('topK'))
        known = [field.name for field in fields(cls)]
        unknown = [key for key in given if key not in known]
        if unknown:
            raise _error(f'the unknown key {", ".join(map(repr, unknown))}', ', '.join(known))
        options = cls(**given)
        options._check()
        return options

    @property
    def cross_class_kernel(self) -> int | None:
        """Side of the suppression's window in cells; None without suppression."""
        if self.cross_class_suppression is True:
            return self.local_maximum_kernel
        return self.cross_class_suppression or None

    @property
    def limit(self) -> int | None:
        """Most boxes of an image, None for any number."""
        return self.max_per_img if self.max_per_img > 0 else None

    def _check(self) -> None:
        if self.topk < 1:
            raise _error(f'topk={self.topk}', '1 or more')
        if not 0 <= self.score_thr <= 1:
            raise _error(f'score_thr={self.score_thr}', '0 to 1')
        if not _is_odd(self.local_maximum_kernel):
            raise _error(f'local_maximum_kernel={self.local_maximum_kernel}', 'an odd number')
        if not _is_odd(self.cross_class_kernel or 1):
            raise _error(
                f'cross_class_suppression={self.cross_class_suppression}',
                'True, False or an odd number',
            )


def _is_odd(kernel: int) -> bool:
    return kernel > 0 and kernel % 2 == 1


def _error(found: str, expected: str) -> Exception:
    return input_error('test_cfg of LesionCenterNetHead', found, expected, 'correct the config')
