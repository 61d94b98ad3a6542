"""What two COCO files must not share, or one is trained on and tested with the same.

Files that say that they are versions of one split (`test.json` and `test_truth.json`) count
as one. Nothing is said of pairs: what is shared gets one finding, however many images there are.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from mmdet_liver.preparation.checking.findings import Finding
from mmdet_liver.preparation.checking.listing import ListedImage
from mmdet_liver.preparation.cleansing.facts import Facts

# Farther than any two hashes of 64 bits.
_BEYOND = 65


def find_leaks(images: Sequence[ListedImage]) -> Iterator[Finding]:
    """Patients, studies (where the patient is unknown), clusters and images in several files."""
    yield from _shared('patient leak', images, lambda i: i.patient, 'patient {!r}')
    nameless = [image for image in images if not image.patient]
    yield from _shared('study leak', nameless, lambda i: i.study, 'study {!r}')
    yield from _shared('cluster leak', images, lambda i: i.cluster, 'cluster {!r}')
    yield from _shared('image leak', images, lambda i: i.path, 'the same image')


def find_unknown_patients(images: Sequence[ListedImage]) -> Iterator[Finding]:
    """Files of which leaks by patient cannot be seen; of interest only if there are several."""
    if not _is_leak(images):
        return
    for file, members in _grouped(images, lambda i: i.file).items():
        unknown = [image for image in members if not image.patient]
        if unknown:
            message = f'{len(unknown)} of {len(members)} images are without patient_id'
            yield Finding('patients unknown', file, message, unknown[0].name)


def find_copies(images: Sequence[ListedImage], facts: Mapping[str, Facts]) -> Iterator[Finding]:
    """Files with the same bytes under several names: across files a leak, within one a doubt.

    Args:
        facts: by path.
    """
    for members in _grouped(images, lambda i: facts[i.path].sha256).values():
        if len({image.path for image in members}) == 1:
            continue
        if _is_leak(members):
            yield _leak('copy leak', members, 'equal bytes')
        for same_file in _grouped(members, lambda i: i.file).values():
            first, *others = same_file
            copies = [image for image in others if image.path != first.path]
            if copies:
                patients = sorted({i.patient for i in same_file} - {''})
                owners = f', of patients {", ".join(patients)}' if len(patients) > 1 else ''
                message = f'equal bytes in {_some(copies)}{owners}'
                yield Finding('copy in one file', first.file, message, first.name)


def find_look_alikes(
    images: Sequence[ListedImage], cluster_of: Mapping[str, str], facts: Mapping[str, Facts]
) -> Iterator[Finding]:
    """Clusters of near-duplicates that reach over several files.

    Args:
        cluster_of: path -> cluster, of images that look like others.
        facts: by path.
    """
    for members in _grouped(images, lambda i: cluster_of.get(i.path, '')).values():
        nearest = _nearest_leak(members, facts)
        if nearest is not None:
            here, there, distance = nearest
            message = f'distance {distance} to {there.name} in {there.file}'
            if len(members) > 2:
                counts = Counter(image.file for image in members)
                shares = ', '.join(f'{n} in {file}' for file, n in counts.items())
                message += f'; of the look-alikes, {shares}'
            yield Finding('look-alike leak', here.file, message, here.name)


def _nearest_leak(
    members: Sequence[ListedImage], facts: Mapping[str, Facts]
) -> tuple[ListedImage, ListedImage, int] | None:
    # Equal bytes are told elsewhere, so only images that differ count.
    contents = {sha: n for n, sha in enumerate({facts[image.path].sha256 for image in members})}
    best = None
    for first, second in combinations(_grouped(members, lambda i: i.part).values(), 2):
        hashes = np.array([facts[image.path].hash for image in second], dtype=np.uint64)
        content = np.array([contents[facts[image.path].sha256] for image in second])
        for image in first:  # one row at a time: a cluster may be large
            own = facts[image.path]
            distances = np.bitwise_count(hashes ^ np.uint64(own.hash))
            distances[content == contents[own.sha256]] = _BEYOND
            i = int(distances.argmin())
            if distances[i] < (_BEYOND if best is None else best[2]):
                best = image, second[i], int(distances[i])
    return best


def _shared(
    kind: str, images: Sequence[ListedImage], key: Callable[[ListedImage], str], what: str
) -> Iterator[Finding]:
    for value, members in _grouped(images, key).items():
        if _is_leak(members):
            yield _leak(kind, members, what.format(value))


def _grouped(
    images: Iterable[ListedImage], key: Callable[[ListedImage], object]
) -> dict[object, list[ListedImage]]:
    # Images without a key are in no group.
    groups = defaultdict(list)
    for image in images:
        value = key(image)
        if value != '':
            groups[value].append(image)
    return groups


def _is_leak(members: Sequence[ListedImage]) -> bool:
    return len({image.part for image in members}) > 1


def _leak(kind: str, members: Sequence[ListedImage], what: str) -> Finding:
    first = members[0]
    others = _grouped((i for i in members if i.part != first.part), lambda i: i.file)
    elsewhere = '; '.join(f'{file}: {_some(images)}' for file, images in others.items())
    own = sum(image.file == first.file for image in members)
    return Finding(kind, first.file, f'{what}, {own} here; {elsewhere}', first.name)


def _some(images: Sequence[ListedImage]) -> str:
    more = f' and {len(images) - 1} more' if len(images) > 1 else ''
    return f'{images[0].name}{more}'
