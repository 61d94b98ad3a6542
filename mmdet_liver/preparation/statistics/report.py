"""The report as a folder: `index.html`, which needs no other file, and what it is made of.

OUT/index.html        written last
OUT/statistics.csv    every number
OUT/suspicious.csv    every suspicious record
OUT/NAME.png          the figures, as far as something is known
OUT/gallery_*.png     with images: crops of each class; suspicious.png
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmdet_liver.errors import input_error
from mmdet_liver.files import whole_file, write_text
from mmdet_liver.preparation.statistics.drawing import to_png
from mmdet_liver.preparation.statistics.figures import PLOTS
from mmdet_liver.preparation.statistics.findings import deal, findings_csv
from mmdet_liver.preparation.statistics.gallery import draw_gallery, draw_suspicious
from mmdet_liver.preparation.statistics.page import Pictures, page_html
from mmdet_liver.preparation.statistics.summary import statistics_csv
from mmdet_liver.preparation.statistics.suspicious import find_suspicious
from mmdet_liver.preparation.statistics.tables import Tables, read_tables

GALLERY = 12  # lesions a class
PAGE = 'index.html'


@dataclass(frozen=True)
class Reported:
    images: int
    lesions: int
    suspicious: int
    images_found: bool  # or not looked for


def write_report(
    annotation_files: Sequence[str | Path],
    out: str | Path,
    *,
    image_root: str | Path | None = None,
    gallery: int = GALLERY,
    seed: int = 0,
) -> Reported:
    """Write the report on COCO files, one a split, into `out`.

    Args:
        image_root: what `file_name` is relative to; by default `../images` beside each file's
            folder where that exists. Without images there is no gallery.
        gallery: lesions of each class to show, and half the suspicious records; 0 opens no
            image.
    Raises:
        InputError: for what `read_tables` refuses, an image of the gallery that is missing
            or damaged, and a folder that cannot be written to.
    """
    out = Path(out)
    tables = read_tables(annotation_files)
    found = find_suspicious(tables)
    total = sum(map(len, found.values()))
    roots = _image_roots(annotation_files, image_root) if gallery else None
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / PAGE).unlink(missing_ok=True)  # it would not fit the new files
        sheet = out / 'suspicious.png'
        sheet.unlink(missing_ok=True)
        sheets = draw_gallery(tables, roots or (), out, gallery if roots else 0, seed)
        dealt = deal(found, 2 * gallery)
        if roots and dealt:
            draw_suspicious(tables, roots, sheet, dealt, total)
        pictures = Pictures(
            figures=_write_figures(tables, out),
            gallery={name: path.read_bytes() for name, path in sheets.items()},
            suspicious=sheet.read_bytes() if sheet.exists() else None,
        )
        write_text(out / 'statistics.csv', statistics_csv(tables))
        write_text(out / 'suspicious.csv', findings_csv(tables, found))
        write_text(out / PAGE, page_html(tables, found, pictures, seed=seed))
    except OSError as error:
        raise input_error(
            error.filename or out,
            f'{error.strerror or error} while writing the report',
            'a folder with room, open to writing',
            'choose another --out, or make room',
        ) from error
    return Reported(
        images=len(tables.images.names),
        lesions=len(tables.lesions.image),
        suspicious=total,
        images_found=roots is not None or not gallery,
    )


def _write_figures(tables: Tables, out: Path) -> dict[str, bytes]:
    drawn = {}
    for plot in PLOTS:
        path = out / f'{plot.name}.png'
        figure = plot.draw(tables)
        if figure is None:
            path.unlink(missing_ok=True)
            continue
        drawn[plot.name] = to_png(figure)
        with whole_file(path) as temporary:
            temporary.write_bytes(drawn[plot.name])
    return drawn


def _image_roots(
    annotation_files: Sequence[str | Path], image_root: str | Path | None
) -> list[Path] | None:
    if image_root is not None:
        if not Path(image_root).is_dir():
            raise input_error(
                image_root, 'no such folder', 'the folder of the images', 'check --image-root'
            )
        return [Path(image_root)] * len(annotation_files)
    roots = [Path(path).absolute().parent.parent / 'images' for path in annotation_files]
    return roots if all(root.is_dir() for root in roots) else None
