"""The images of one DICOM file and their rows: which frames, which views, which lesions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydicom import Dataset

from mmdet_liver.errors import input_error
from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.importers.dicom.annotations import Annotation
from mmdet_liver.preparation.importers.dicom.frames import Place, sector_of, write_frame
from mmdet_liver.preparation.importers.dicom.header import has_burned_in_text
from mmdet_liver.preparation.importers.dicom.options import DicomOptions
from mmdet_liver.preparation.importers.dicom.person import person
from mmdet_liver.preparation.importers.dicom.pixel_data import Frames
from mmdet_liver.preparation.importers.dicom.views import View, Views, find_views, scale_of_frame
from mmdet_liver.preparation.importers.identity import Identity
from mmdet_liver.preparation.manifest import Record

# A box this far outside its picture, in pixels, was rounded there.
_ROUNDING = 1.0


@dataclass(frozen=True)
class Export:
    """What all files of an export share."""

    folder: Path
    out: Path
    identity: Identity
    options: DicomOptions


@dataclass
class Rows:
    """What goes into the tables about one file."""

    records: list[Record] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    def add_image(
        self, image: Record, place: Place, view: View, lesions: Iterable[Annotation]
    ) -> None:
        """Add a record a lesion, or one without; lesions that come twice are added once."""
        image = replace(image, image_path=place.image_path, mm_per_pixel=view.scale.mm_per_pixel)
        counts = Counter(
            replace(image, diagnosis=lesion.diagnosis, box=lesion.box, ignore=lesion.ignore)
            for lesion in lesions
        )
        self.records += counts or [image]
        repeats = sum(counts.values()) - len(counts)
        if repeats:
            why = 'rows that repeat another were dropped'
            self.decisions.append(Decision(place.image_path, 'import', 'flagged', why, repeats))


def import_pictures(
    export: Export, path: str, annotations: Sequence[Annotation], header: Dataset, frames: Frames
) -> Rows:
    """Write the images of one file below `export.out`.

    Args:
        path: of the file, below the export's folder.
        annotations: of the file.
    Raises:
        UnreadableError: if a frame does not decode.
        InputError: for an annotation of no frame, or outside the tissue.
    """
    whole = Place(export.identity.image(path))
    found = find_views(header, frames.size)
    if found.known == ():
        why = 'no picture of tissue in it (a spectrum, an M-mode or the like)'
        return Rows(decisions=[Decision(whole.image_path, 'import', 'left out', why)])
    rows_of = _by_frame(annotations, frames.count)
    wanted = wanted_frames(frames.count, rows_of, export.options)
    views = _views(found, header, frames, annotations)
    who = person(header, export.identity)
    blank = Record('', who.patient_id, who.study_id, who.age, who.sex)
    rows = Rows(decisions=list(_frames_left_out(whole, frames.count, wanted, export.options)))
    for index in wanted:
        pixels = frames.decode(index)
        name = export.identity.image(path, index if frames.count > 1 else None)
        annotated = rows_of.get(index, [])
        image = replace(blank, fully_annotated=_fully_annotated(annotated))
        lesions = share_out(annotated, views)
        for number, view in enumerate(views):
            place = Place(f'{name}-{number + 1}' if len(views) > 1 else name)
            x0, y0, x1, y1 = view.box
            rows.decisions += write_frame(
                pixels[y0:y1, x0:x1], export.out, place, keep_marks=export.options.keep_marks
            )
            rows.decisions += _doubts(place, header, found, view, frames.size)
            rows.add_image(image, place, view, lesions[number])
    return rows


def wanted_frames(count: int, annotated: Iterable[int], options: DicomOptions) -> list[int]:
    """Which of `count` frames are taken, 0-based: those with annotations, and every so many."""
    only_listed = options.annotations is not None and not options.include_unlisted
    others = range(0) if only_listed else range(0, count, options.frame_step)
    return sorted({*annotated, *others})


def share_out(annotations: Iterable[Annotation], views: Sequence[View]) -> list[list[Annotation]]:
    """The lesions of each view, their boxes in its pixels.

    A lesion belongs to the view that holds its centre; what is farther outside than a
    rounding is an error.
    """
    shared: list[list[Annotation]] = [[] for _ in views]
    for row in annotations:
        if row.box is None:
            continue
        x_min, y_min, x_max, y_max = row.box
        center = (x_min + x_max) / 2, (y_min + y_max) / 2
        for view, mine in zip(views, shared, strict=True):
            if _holds(view, *center):
                mine.append(replace(row, box=_moved(row, view)))
                break
        else:
            raise _outside(row, views)
    return shared


def _holds(view: View, x: float, y: float) -> bool:
    x0, y0, x1, y1 = view.box
    return x0 <= x <= x1 and y0 <= y <= y1


def _moved(row: Annotation, view: View) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = view.box
    x_min, y_min, x_max, y_max = row.box
    inside = max(x_min, x0), max(y_min, y0), min(x_max, x1), min(y_max, y1)
    if max(abs(a - b) for a, b in zip(inside, row.box, strict=True)) > _ROUNDING:
        raise _outside(row, [view])
    return tuple(float(v) for v in (inside[0] - x0, inside[1] - y0, inside[2] - x0, inside[3] - y0))


def _outside(row: Annotation, views: Sequence[View]) -> Exception:
    return input_error(
        row.where,
        f'the box {row.box}',
        f'one inside the picture of tissue, {" or ".join(str(view.box) for view in views)}',
        'correct it (boxes count in pixels of the frame as it is stored), or drop the row',
    )


def _by_frame(annotations: Iterable[Annotation], count: int) -> dict[int, list[Annotation]]:
    rows_of: dict[int, list[Annotation]] = {}
    for row in annotations:
        if row.frame >= count:
            raise input_error(
                row.where,
                f'frame {row.frame}',
                f'0 to {count - 1}; frames count from 0',
                'correct the number',
            )
        rows_of.setdefault(row.frame, []).append(row)
    return rows_of


def _views(
    found: Views, header: Dataset, frames: Frames, annotations: Iterable[Annotation]
) -> list[View]:
    scale = scale_of_frame(header)
    if found.known is None:
        boxes = [row.box for row in annotations if row.box]
        return [View(sector_of(frames, boxes), scale)]
    return [view if view.scale.mm_per_pixel else replace(view, scale=scale) for view in found.known]


def _fully_annotated(annotations: Sequence[Annotation]) -> bool | None:
    return annotations[0].fully_annotated if annotations else False


def _doubts(
    place: Place, header: Dataset, found: Views, view: View, size: tuple[int, int]
) -> Iterator[Decision]:
    if has_burned_in_text(header):
        why = 'the header says that text is burned in'
        yield Decision(place.image_path, 'metadata', 'flagged', why)
    if found.misplaced:
        why = 'the header tells the picture in a frame of another size; cropped to the sector'
        yield Decision(place.image_path, 'metadata', 'flagged', why)
    if found.known is None and view.box == (0, 0, *size):
        why = 'neither the header nor the pixels tell a sector; the whole frame was kept'
        yield Decision(place.image_path, 'metadata', 'flagged', why)
    if view.scale.is_stretched:
        why = 'pixels longer one way than the other, value times; mm_per_pixel is the mean'
        yield Decision(place.image_path, 'metadata', 'flagged', why, round(view.scale.stretch, 4))


def _frames_left_out(
    whole: Place, count: int, wanted: Sequence[int], options: DicomOptions
) -> Iterator[Decision]:
    left_out = count - len(wanted)
    if left_out:
        why = f'frames of a clip, of which one in {options.frame_step} is taken'
        if options.annotations is not None and not options.include_unlisted:
            why = 'frames of a clip that no annotation names'
        yield Decision(whole.image_path, 'import', 'left out', why, left_out)
