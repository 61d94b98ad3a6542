"""The review as a whole: everything is drawn aside, then takes the earlier review's place."""

import re
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from mmdet_liver.files import write_text
from mmdet_liver.preparation.cleansing.review.clusters import cluster_section
from mmdet_liver.preparation.cleansing.review.facts import Distances, ReviewImage, SizeRule
from mmdet_liver.preparation.cleansing.review.figures import (
    distance_figure,
    save_figure,
    size_figure,
)
from mmdet_liver.preparation.cleansing.review.index import index_page
from mmdet_liver.preparation.cleansing.review.marks import mark_sections
from mmdet_liver.preparation.cleansing.review.pages import Page, draw_page
from mmdet_liver.preparation.cleansing.review.singles import single_sections
from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.parallel import map_in_order

FOLDER = 'review'
_OURS = re.compile(r'page_\d{4,}\.png|distances\.png|sizes\.png|index\.html')
_WORTH_A_PROCESS = 6  # pages; to start one costs about as much


def write_review(
    out: str | Path,
    images: Mapping[str, ReviewImage],
    decisions: Sequence[Decision],
    *,
    earlier: Sequence[Decision] = (),
    distances: Distances | None = None,
    size_rule: SizeRule | None = None,
    max_pages: int = 40,
    workers: int = 1,
) -> None:
    """Write `out/review/`; an earlier review there is replaced when the new one is complete.

    Only what an earlier review had written goes; files that somebody added there stay.
    An image or mask that does not open becomes a grey tile that says why. Nobody else may
    be writing below `out` (`work_folder`).

    Args:
        out: the data set's folder, to which `Decision.mask_path` is relative.
        images: every image of the manifest, by the `image_path` of the decisions.
        decisions: of the cleansing, in the order in which they are to be shown.
        earlier: of the import, on other images too, which then have no picture.
        max_pages: of each kind; the pages' titles say how many there would be.
    """
    out = Path(out)
    target, new, old = out / FOLDER, out / '.work' / 'review', out / '.work' / 'review-before'
    _tidy(target, new, old)
    clusters = cluster_section(images, decisions, max_pages)
    sections = [
        *([clusters] if clusters else []),
        *mark_sections(out, images, decisions, max_pages),
        *single_sections(out, images, decisions, earlier, max_pages),
    ]
    _draw_pages([page for section in sections for page in section.pages], new, workers)
    shown = distances if distances is not None and (distances.nearest >= 0).any() else None
    if shown is not None:
        save_figure(distance_figure(shown), new / 'distances.png')
    sizes = {path: image.size for path, image in images.items() if image.size}
    if sizes:
        small = {d.image_path for d in decisions if (d.step, d.action) == ('size', 'left out')}
        save_figure(size_figure(sizes, small, size_rule), new / 'sizes.png')
    page = index_page(images, [*earlier, *decisions], sections, shown, has_sizes=bool(sizes))
    write_text(new / 'index.html', page)
    _replace(target, new, old)


def _draw_pages(pages: Sequence[Page], folder: Path, workers: int) -> None:
    draw = partial(draw_page, folder)
    workers = min(workers, len(pages) // _WORTH_A_PROCESS)
    for _ in map_in_order(draw, pages, label='review', unit='page', workers=workers):
        pass


def _tidy(target: Path, new: Path, old: Path) -> None:
    """Undo what a run that was killed had begun."""
    if old.exists() and not target.exists():
        old.rename(target)
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)


def _replace(target: Path, new: Path, old: Path) -> None:
    if target.exists():
        for path in sorted(target.rglob('*')):
            if path.is_file() and not _OURS.fullmatch(path.name):
                kept = new / path.relative_to(target)
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, kept)
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)
