"""Pages of removed marks: before, mask and after, for each kind of mark."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from mmdet_liver.preparation.cleansing.review.captions import (
    diagnosis_line,
    name_line,
    origin_line,
)
from mmdet_liver.preparation.cleansing.review.facts import ReviewImage
from mmdet_liver.preparation.cleansing.review.pages import Layout, Picture, PictureGroup
from mmdet_liver.preparation.cleansing.review.sections import (
    Section,
    chunks,
    folder_name,
    lay_out,
    spread,
)
from mmdet_liver.preparation.decisions import Decision

_LAYOUT = Layout(columns=6, rows=5, tile_px=(300, 240))
_PER_PAGE = _LAYOUT.rows * _LAYOUT.columns // 3
_NO_KIND = 'of unknown kind'
_NOTE = (
    'Before, what was taken for a mark (magenta), and after. Look for tissue under the mask, '
    'and for marks that are left. The largest shares of the image come first'
)
_SAMPLED = ', then an even spread over the rest'


def mark_sections(
    out: Path, images: Mapping[str, ReviewImage], decisions: Sequence[Decision], max_pages: int
) -> list[Section]:
    """One section a kind of mark; masks are named relative to `out`."""
    by_kind: dict[str, list[tuple[float, Decision]]] = {}
    for decision in filter(is_removal, decisions):
        for kind, share in _shares(decision, images):
            by_kind.setdefault(kind, []).append((share, decision))
    return [_section(out, kind, by_kind[kind], images, max_pages) for kind in sorted(by_kind)]


def is_removal(decision: Decision) -> bool:
    """Whether marks were removed, so that there is a mask to show."""
    return decision.step == 'marks' and decision.action == 'cleaned' and bool(decision.mask_path)


def _shares(decision: Decision, images: Mapping[str, ReviewImage]) -> Sequence[tuple[str, float]]:
    return images[decision.image_path].mark_shares or ((_NO_KIND, decision.value or 0.0),)


def _section(
    out: Path,
    kind: str,
    found: Sequence[tuple[float, Decision]],
    images: Mapping[str, ReviewImage],
    max_pages: int,
) -> Section:
    folder, title = f'marks/{folder_name(kind)}', f'marks: {kind}'
    ordered = sorted(found, key=lambda pair: (-pair[0], pair[1].image_path))
    room = max_pages * _PER_PAGE
    largest = len(found) if len(found) <= room else room // 2
    chosen = ordered[:largest] + spread(ordered[largest:], room - largest)
    to_group = partial(_group, out, images, kind)
    pages = [[to_group(decision) for _, decision in page] for page in chunks(chosen, _PER_PAGE)]
    return Section(
        folder=folder,
        title=title,
        note=_NOTE + (_SAMPLED if len(chosen) < len(found) else '') + '.',
        unit='image',
        total=len(found),
        shown=len(chosen),
        pages=lay_out(folder, title, pages, -(-len(found) // _PER_PAGE), _LAYOUT),
    )


def _group(
    out: Path, images: Mapping[str, ReviewImage], kind: str, decision: Decision
) -> PictureGroup:
    image = images[decision.image_path]
    shares = sorted(_shares(decision, images), key=lambda pair: pair[0] != kind)
    heading = ', '.join(f'{name} {100 * share:.2g}%' for name, share in shares)
    before = ('before', f'{diagnosis_line(image)} · {origin_line(image)}')
    return PictureGroup(
        (
            Picture(image.file, before),
            Picture(image.file, ('mask',), mask=out / decision.mask_path),
            Picture(image.placed, ('after',), instead='not in the data set'),
        ),
        heading=f'{heading} · {name_line(decision.image_path)}',
    )
