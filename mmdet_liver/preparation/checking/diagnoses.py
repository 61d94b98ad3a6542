"""Look-alikes that contradict each other in diagnosis, where it would be scored."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from mmdet_liver.preparation.checking.findings import Finding
from mmdet_liver.preparation.checking.listing import full_path
from mmdet_liver.preparation.checking.reading import CocoFile, path_of, text_of
from mmdet_liver.preparation.cleansing.cluster_rules import contradiction
from mmdet_liver.preparation.entries import ImageEntry
from mmdet_liver.preparation.manifest import Record


def check_diagnoses(file: CocoFile, root: str, cluster_of: Mapping[str, str]) -> Iterator[Finding]:
    """Contradicting clusters of a file that is not for training.

    Args:
        root: folder of its images; empty where unknown.
        cluster_of: path -> cluster found in the pixels, for images without `cluster_id`.
    """
    if file.for_training:
        return
    clusters = defaultdict(list)
    for image in file.images:
        cluster = text_of(image, 'cluster_id') or cluster_of.get(
            full_path(root, path_of(image)), ''
        )
        if cluster:
            clusters[cluster].append(image)
    lesions = _lesions(file)
    for members in clusters.values():
        entries = [_entry(image, lesions) for image in members]
        doubt = contradiction(entries)
        if doubt:
            names = ', '.join(entry.path for entry in entries[1:4])
            more = f' and {len(entries) - 4} more' if len(entries) > 4 else ''
            message = f'{doubt}; with {names}{more}'
            yield Finding('contradicting diagnoses', file.name, message, entries[0].path)


def _lesions(file: CocoFile) -> dict[int | str, list[Record]]:
    names = {c['id']: c['name'] for c in file.categories if 'id' in c and 'name' in c}
    lesions = defaultdict(list)
    for annotation in file.annotations:
        name = names.get(annotation.get('category_id'))
        if name is not None:
            ignore = bool(annotation.get('ignore') or annotation.get('iscrowd'))
            lesions[annotation.get('image_id')].append(Record('', diagnosis=name, ignore=ignore))
    return lesions


def _entry(image: dict, lesions: Mapping[int | str, list[Record]]) -> ImageEntry:
    vouched = image.get('fully_annotated') == 1
    record = Record(image.get('file_name', ''), fully_annotated=vouched)
    return ImageEntry(record, tuple(lesions.get(image.get('id'), ())))
