"""When and where background may be a lesion that nobody labelled: rules of loss and teacher.

Both leave alone what the network is sure of, and both need to know the same three things:
whether the warm-up is over, which images may lack labels, and what the labels explain.
"""

import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache

from mmengine.logging import MessageHub, print_log
from torch import Tensor

from mmdet_liver.errors import input_error

MARK = 'fully_annotated'


def past_warmup(done: int, total: int, warmup: float) -> bool:
    """Whether the share `warmup` of a run of `total` iterations lies behind."""
    return done >= warmup * total


def run_past_warmup(warmup: float) -> bool:
    """`past_warmup` of the run under way; True outside of any.

    The iteration is the one that MMEngine's RuntimeInfoHook notes before each step, so a
    resumed run agrees with an uninterrupted one.
    """
    hub = MessageHub.get_current_instance()
    done, total = hub.get_info('iter'), hub.get_info('max_iters')
    return done is None or total is None or past_warmup(done, total, warmup)


def may_lack_labels(img_metas: Sequence[Mapping]) -> list[bool]:
    """For each image whether lesions may be unlabelled: unless it is `fully_annotated`."""
    if not any(MARK in meta for meta in img_metas):
        _warn_of_no_marks()
    return [not meta.get(MARK) for meta in img_metas]


@lru_cache(maxsize=1)  # once a process
def _warn_of_no_marks() -> None:
    print_log(
        f'no image says whether it is {MARK}: every one is taken as perhaps lacking labels, '
        f"lesion-free ones included; add '{MARK}' to meta_keys of the train pipeline's "
        'PackDetInputs, if the data set knows it',
        logger='current',
        level=logging.WARNING,
    )


def confident_background(prob: Tensor, target: Tensor, thr: float, max_target: float) -> Tensor:
    """Cells that are likely a lesion, though far from every label: (B, C, H, W) bool.

    Far from labels of all classes: a wrong class at a labelled lesion is a mistake to learn
    from, not a missing label. Without gradient.

    Args:
        prob: (B, C, H, W) probabilities in [0, 1].
        target: the same shape, Gaussians around labelled centres.
        thr: of `prob`, exclusive.
        max_target: of `target`, exclusive.
    """
    far = target.amax(dim=1, keepdim=True) < max_target
    return far & (prob.detach() > thr)


def check_share(where: str, name: str, value: float) -> None:
    """Refuse an option that is not in [0, 1].

    Raises:
        InputError: naming it.
    """
    if not 0 <= value <= 1:
        raise input_error(where, f'{name}={value}', '0 to 1', 'correct the config')
