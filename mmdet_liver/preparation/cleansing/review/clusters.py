"""Pages of near-duplicates: the members of each cluster side by side."""

from collections.abc import Mapping, Sequence

from mmdet_liver.preparation.cleansing.near_duplicates import MAX_DISTANCE
from mmdet_liver.preparation.cleansing.review.captions import diagnosis_line, picture_of
from mmdet_liver.preparation.cleansing.review.facts import ReviewImage
from mmdet_liver.preparation.cleansing.review.pages import Layout, Picture, PictureGroup
from mmdet_liver.preparation.cleansing.review.sections import Section, lay_out
from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.sheet_layout import paginate

STEP = 'near-duplicates'
_LAYOUT = Layout(columns=6, rows=5, tile_px=(240, 200))
_MOST_SHOWN = 18  # of one cluster: frames of a clip may be hundreds
_KEPT_FRAME = (30, 150, 50)
# In the order in which they come: left out or held back as a whole, flagged, nothing in doubt.
_FRAMES = ((200, 30, 30), (225, 130, 0), None)
_NOTE = (
    'Images that look alike, one cluster a panel. Green frame: the one that is kept. Panels in '
    'red are in doubt (the diagnoses contradict each other) and wait for somebody to decide; '
    'those in orange are worth a look. They come first, then the largest. In a chain each image '
    'looks like some other, but not like all.'
)
_Decided = Mapping[str, Sequence[Decision]]  # image path -> its decisions


def cluster_section(
    images: Mapping[str, ReviewImage], decisions: Sequence[Decision], max_pages: int
) -> Section | None:
    """Every cluster that the images or the decisions name, or None without any."""
    decided: dict[str, list[Decision]] = {}
    for decision in decisions:
        decided.setdefault(decision.image_path, []).append(decision)
    clusters = _clusters(images, decided)
    if not clusters:
        return None
    sizes = [min(len(members), _MOST_SHOWN) for _, members in clusters]
    pages = paginate(sizes, columns=_LAYOUT.columns, rows=_LAYOUT.rows)
    groups = [[_group(*clusters[i], images, decided) for i in page] for page in pages[:max_pages]]
    return Section(
        folder='clusters',
        title=STEP,
        note=_NOTE,
        unit='cluster',
        total=len(clusters),
        shown=sum(map(len, groups)),
        pages=lay_out('clusters', STEP, groups, len(pages), _LAYOUT),
    )


def _clusters(images: Mapping[str, ReviewImage], decided: _Decided) -> list[tuple[str, list[str]]]:
    """(id, paths of the members), those to check first, then the largest."""
    cluster_of = {path: image.cluster_id for path, image in images.items() if image.cluster_id}
    for path, own in decided.items():
        cluster_of.update((path, d.cluster_id) for d in own if is_on_cluster(d))
    members: dict[str, list[str]] = {}
    for path, cluster_id in cluster_of.items():
        members.setdefault(cluster_id, []).append(path)

    def rank(cluster: tuple[str, list[str]]) -> tuple:
        return _doubt(cluster[1], decided)[0], -len(cluster[1]), cluster[0]

    return sorted(members.items(), key=rank)


def is_on_cluster(decision: Decision) -> bool:
    """Whether it was made on the image as a member of its cluster."""
    return decision.step == STEP and bool(decision.cluster_id)


def _doubt(members: Sequence[str], decided: _Decided) -> tuple[int, str]:
    """Place in `_FRAMES`, and what is in doubt in words."""
    rows = [d for path in members for d in decided.get(path, ()) if is_on_cluster(d)]
    held = [d for d in rows if d.action == 'train only']
    if not held and not any(d.action == 'kept' for d in rows):
        held = [d for d in rows if d.action == 'left out']
    flagged = [d for d in rows if d.action == 'flagged']
    for place, found in enumerate((held, flagged)):
        if found:
            return place, found[0].reason.partition(';')[0]
    return len(_FRAMES) - 1, ''


def _group(
    cluster_id: str,
    members: Sequence[str],
    images: Mapping[str, ReviewImage],
    decided: _Decided,
) -> PictureGroup:
    shown = _in_order(members, images, decided)[:_MOST_SHOWN]
    known = [images[path] for path in members if path in images]
    place, doubt = _doubt(members, decided)
    what = doubt or ' / '.join(sorted({diagnosis_line(image) for image in known}))
    count = f'{len(members)} images'
    if len(members) > len(shown):
        count += f', {len(shown)} shown'
    width = max((image.cluster_width for image in known), default=0)
    if width > 2 * MAX_DISTANCE:
        count += f', a chain: up to {width} bits apart'
    return PictureGroup(
        pictures=tuple(_member(path, images, decided.get(path, ())) for path in shown),
        heading=f'{what} · {count} · {cluster_id}',
        frame=_FRAMES[place],
    )


def _in_order(
    members: Sequence[str], images: Mapping[str, ReviewImage], decided: _Decided
) -> list[str]:
    """The kept one, then one of each other diagnosis, then the nearest to the kept one."""

    def rank(path: str) -> tuple:
        own = [d for d in decided.get(path, ()) if is_on_cluster(d)]
        distances = [d.value for d in own if d.value is not None]
        return not any(d.action == 'kept' for d in own), min(distances, default=0), path

    ordered = sorted(members, key=rank)
    first_of = {diagnosis_line(images[path]): path for path in reversed(ordered) if path in images}
    return sorted(ordered, key=lambda path: path not in first_of.values())


def _member(path: str, images: Mapping[str, ReviewImage], own: Sequence[Decision]) -> Picture:
    here = [d for d in own if is_on_cluster(d)]
    actions = [d.action for d in here if d.action != 'flagged']
    # Left out by another step: the cluster says nothing about it, yet shows it.
    actions += [f'{d.action} ({d.step})' for d in own if d.step != STEP and d.action == 'left out']
    what = ', '.join(actions) or 'stays'
    distances = [d.value for d in here if d.value is not None and d.action != 'kept']
    if distances:
        what += f', {min(distances):g} bits from the kept one'
    return picture_of(path, images, [what], _KEPT_FRAME if 'kept' in actions else None)
