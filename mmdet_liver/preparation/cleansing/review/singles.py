"""Pages of every other decision, one picture each: left out, flagged, converted and so on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from mmdet_liver.preparation.cleansing.review import clusters
from mmdet_liver.preparation.cleansing.review.captions import picture_of
from mmdet_liver.preparation.cleansing.review.facts import ReviewImage
from mmdet_liver.preparation.cleansing.review.marks import is_removal
from mmdet_liver.preparation.cleansing.review.pages import Layout, Picture, PictureGroup
from mmdet_liver.preparation.cleansing.review.sections import (
    Section,
    chunks,
    folder_name,
    lay_out,
    spread,
)
from mmdet_liver.preparation.decisions import ACTIONS, STEPS, Decision
from mmdet_liver.sheet_text import wrap_text

_LAYOUT = Layout(columns=6, rows=5, tile_px=(240, 200))
_PER_PAGE = _LAYOUT.columns * _LAYOUT.rows
_REASON_LINES = 3
_NOTES = {
    'left out': 'Not in the data set.',
    'train only': 'In the data set, but neither in val nor in test.',
    'kept': 'Kept.',
    'cleaned': 'Marks were removed before the cleansing; magenta shows where.',
    'converted': 'Written anew, as 8-bit PNG; the picture is the new file.',
    'flagged': 'Unchanged; for a person to look at.',
}
_SAMPLED = ' An even spread over all of them.'


def single_sections(
    out: Path,
    images: Mapping[str, ReviewImage],
    decisions: Sequence[Decision],
    earlier: Sequence[Decision],
    max_pages: int,
) -> list[Section]:
    """A section for each action and step, but for what clusters and marks show better.

    Args:
        out: masks are named relative to it.
        earlier: of the import, whose pictures from before it are not to be had.
    """
    shown_here = [d for d in decisions if not clusters.is_on_cluster(d) and not is_removal(d)]
    found: dict[tuple[str, str], list[Decision]] = {}
    for decision in (*earlier, *shown_here):
        found.setdefault((decision.action, decision.step), []).append(decision)
    return [
        _section(action, step, found[action, step], partial(_picture, out, images), max_pages)
        for action in ACTIONS
        for step in STEPS
        if (action, step) in found
    ]


def _section(
    action: str,
    step: str,
    found: Sequence[Decision],
    to_picture: Callable[[Decision], Picture],
    max_pages: int,
) -> Section:
    folder, title = f'{folder_name(action)}/{step}', f'{action}: {step}'
    chosen = spread(found, max_pages * _PER_PAGE)
    pages = [
        [PictureGroup(tuple(map(to_picture, row))) for row in chunks(page, _LAYOUT.columns)]
        for page in chunks(chosen, _PER_PAGE)
    ]
    return Section(
        folder=folder,
        title=title,
        note=_NOTES[action] + (_SAMPLED if len(chosen) < len(found) else ''),
        unit='image',
        total=len(found),
        shown=len(chosen),
        pages=lay_out(folder, title, pages, -(-len(found) // _PER_PAGE), _LAYOUT),
    )


def _picture(out: Path, images: Mapping[str, ReviewImage], decision: Decision) -> Picture:
    reason = wrap_text(decision.reason, _LAYOUT.tile_px[0], _REASON_LINES)
    picture = picture_of(decision.image_path, images, reason)
    if picture.file is None:
        return picture
    placed = images[decision.image_path].placed
    if decision.action == 'converted' and placed is not None:
        # Not the source: its 16 bits may hold a picture that 8 of them do not show.
        return replace(picture, file=placed, boxes=())
    return replace(picture, mask=out / decision.mask_path if decision.mask_path else None)
