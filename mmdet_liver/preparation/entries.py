"""The manifest's rows, gathered by image and checked against each other and the image."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from mmdet_liver import taxonomy
from mmdet_liver.errors import input_error
from mmdet_liver.preparation.manifest import Record

_OF_A_LESION = ('diagnosis', 'box', 'ignore')
_OF_THE_IMAGE = tuple(f.name for f in fields(Record) if f.name not in _OF_A_LESION)
# A box this far outside, in pixels, was rounded there; farther, it belongs to another image.
_ROUNDING = 1.0


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One image; `image` holds its own columns, `lesions` its rows with a diagnosis."""

    image: Record
    lesions: tuple[Record, ...]

    @property
    def path(self) -> str:
        return self.image.image_path

    @property
    def records(self) -> tuple[Record, ...]:
        """The rows as the manifest holds them."""
        return self.lesions or (self.image,)


def group_by_image(records: Iterable[Record], source: object) -> list[ImageEntry]:
    """Gather rows by image, images sorted by path, an image's lesions in their order.

    Args:
        source: what to call the manifest in an error.
    Raises:
        InputError: for no rows, and for an image whose rows contradict or repeat each other.
    """
    rows: dict[str, list[tuple[int, Record]]] = {}
    for number, record in enumerate(records, start=1):
        rows.setdefault(record.image_path, []).append((number, record))
    if not rows:
        raise input_error(source, 'no image', 'at least one', 'check where the data came from')
    return [_entry(rows[path], source) for path in sorted(rows)]


def _entry(rows: Sequence[tuple[int, Record]], source: object) -> ImageEntry:
    first_number, first = rows[0]
    for i, (number, record) in enumerate(rows[1:], start=1):
        where = f'{source}, row {number} against row {first_number} ({record.image_path})'
        for column in _OF_THE_IMAGE:
            here, there = getattr(record, column), getattr(first, column)
            if here != there:
                raise input_error(
                    where, f'{column} {here!r} and {there!r}', 'one value an image', 'correct it'
                )
        if record.diagnosis is None or first.diagnosis is None:
            raise input_error(
                where,
                'a row without a lesion beside another row',
                'one row without a lesion, or only rows with one',
                'drop one of them',
            )
        repeated = [n for n, earlier in rows[:i] if earlier == record]
        if repeated:
            raise input_error(
                f'{source}, row {number}',
                f'row {repeated[0]} again ({record.image_path})',
                'a lesion once',
                'drop one of them',
            )
    lesions = tuple(record for _, record in rows if record.diagnosis is not None)
    return ImageEntry(replace(first, diagnosis=None, box=None, ignore=False), lesions)


def classes_of(entries: Iterable[ImageEntry], source: object) -> tuple[taxonomy.Diagnosis, ...]:
    """`LIVER` or `MALIGNANCY`, whichever the diagnoses belong to; `LIVER` where there is none.

    Raises:
        InputError: if some diagnoses are of the one and some of the other.
    """
    found = {lesion.diagnosis for entry in entries for lesion in entry.lesions}
    for diagnoses in (taxonomy.LIVER, taxonomy.MALIGNANCY):
        if found <= set(taxonomy.names(diagnoses)):
            return diagnoses
    raise input_error(
        source,
        f'the diagnoses {", ".join(sorted(found))}',
        f'only {", ".join(taxonomy.names(taxonomy.LIVER))}, '
        f'or only {", ".join(taxonomy.names(taxonomy.MALIGNANCY))}',
        'prepare the two kinds apart, or rename one',
    )


def dominant_diagnosis(entries: Iterable[ImageEntry], groups: Mapping[str, str]) -> dict[str, str]:
    """Group -> the diagnosis of most of its lesions ('' for none; ties by name).

    Args:
        groups: image path -> group.
    """
    counts: dict[str, Counter] = {}
    for entry in entries:
        found = counts.setdefault(groups[entry.path], Counter())
        found.update(lesion.diagnosis for lesion in entry.lesions if not lesion.ignore)
    return {
        group: min(found, key=lambda name: (-found[name], name)) if found else ''
        for group, found in counts.items()
    }


def fit_boxes(
    entry: ImageEntry, size: tuple[int, int], source: object, *, clip_boxes: bool = False
) -> ImageEntry:
    """Cut the boxes at the image's edge.

    Args:
        size: width and height in pixels.
        clip_boxes: cut boxes that are farther outside than a rounding too.
    Raises:
        InputError: for a box outside, or one of which nothing is left.
    """
    fitted = tuple(_fit(lesion, size, source, clip_boxes) for lesion in entry.lesions)
    return replace(entry, lesions=fitted)


def _fit(lesion: Record, size: tuple[int, int], source: object, clip_boxes: bool) -> Record:
    where = f'{source}, image {lesion.image_path}, {lesion.diagnosis}'
    limits = (0, 0, *size)
    x_min, y_min, x_max, y_max = lesion.box
    box = (
        max(x_min, limits[0]),
        max(y_min, limits[1]),
        min(x_max, limits[2]),
        min(y_max, limits[3]),
    )
    if box == lesion.box:
        return lesion
    outside = max(abs(a - b) for a, b in zip(box, lesion.box, strict=True))
    if (outside > _ROUNDING and not clip_boxes) or box[2] <= box[0] or box[3] <= box[1]:
        raise input_error(
            where,
            f'the box {lesion.box}',
            f'one inside the image of {size[0]}x{size[1]} pixels',
            'redraw it, drop it, or cut such boxes with --clip-boxes if they belong to the image',
        )
    return replace(lesion, box=tuple(float(v) for v in box))


def scale_boxes(entry: ImageEntry, old: tuple[int, int], new: tuple[int, int]) -> ImageEntry:
    """The entry for its image resized from `old` to `new`, (width, height) in pixels."""
    if old == new:
        return entry
    x_scale, y_scale = new[0] / old[0], new[1] / old[1]
    mm = entry.image.mm_per_pixel
    # The two scales differ by a rounding; the longer side's is the more exact one.
    mm = mm and round(mm * max(old) / max(new), 6)

    def resized(record: Record) -> Record:
        box = record.box and tuple(
            round(v * s, 3) for v, s in zip(record.box, (x_scale, y_scale) * 2, strict=True)
        )
        return replace(record, box=box, mm_per_pixel=mm)

    return ImageEntry(resized(entry.image), tuple(resized(lesion) for lesion in entry.lesions))
