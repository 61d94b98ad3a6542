"""Sheets of the worst over-detections, missed lesions and confusions, one mistake a tile."""

from collections.abc import Callable
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mmdet_liver.evaluation.arrays import NONE
from mmdet_liver.evaluation.figures.fonts import class_label
from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.evaluation.sheets.findings import (
    Findings,
    confusions,
    missed,
    over_detections,
    spread,
)
from mmdet_liver.evaluation.sheets.page import draw_page, thresholds, write_caption
from mmdet_liver.evaluation.sheets.picture import DOTS, Emphasis, draw_picture
from mmdet_liver.evaluation.uncertainty.units import PATIENT_KEY, patients_of
from mmdet_liver.images import read_image

# File name: which mistakes, and what the sheet's title says of them and of their order.
_SHEETS: dict[str, tuple[Callable[[Evaluation], Findings], str, str]] = {
    'worst_over_detections.png': (over_detections, 'over-detections', 'highest score first'),
    'worst_missed.png': (missed, 'missed lesions', 'malignant first, then the largest'),
    'worst_confusions.png': (confusions, 'confusions', 'highest score first'),
}
_BELOW = Line2D([], [], color='0.3', lw=1.6, ls=DOTS, label='best prediction on it, too low')
_THICK = Line2D([], [], color='0.3', lw=3.4, label='the mistake')


def draw_worst_sheets(
    evaluation: Evaluation,
    image_paths: list[Path],
    folder: str | Path,
    tiles: int = 20,
    patient_key: str = PATIENT_KEY,
) -> list[Path]:
    """Draw a sheet of each kind of mistake that there is; an older sheet of another is removed.

    At most two tiles are of one image and four of one patient. Only the images shown are
    read.

    Args:
        image_paths: one path an image of the ground truth, in its order.
        patient_key: of the image entries, that names the patient.
    Returns:
        The files written, of `worst_over_detections.png`, `worst_missed.png` and
        `worst_confusions.png`.
    Raises:
        InputError: names an image that is missing or damaged, or whose patient is neither a
            number nor a text.
    """
    written = []
    patients = patients_of(evaluation.truth, patient_key)
    for name, (find, what, order) in _SHEETS.items():
        path, findings = Path(folder) / name, find(evaluation)
        if not len(findings):
            path.unlink(missing_ok=True)
            continue
        shown = spread(findings, patients, tiles)
        title = f'{what}: {len(shown)} of {len(findings):,}, {order}; {thresholds(evaluation)}'
        extra = (_THICK, _BELOW) if find is missed else (_THICK,)

        def draw_tile(axes: Axes, place: int, findings: Findings = findings, shown=shown) -> None:
            _draw_finding(axes, evaluation, findings, int(shown[place]), image_paths)

        draw_page(evaluation, title, len(shown), draw_tile, path, extra)
        written.append(path)
    return written


def _draw_finding(
    axes: Axes, evaluation: Evaluation, findings: Findings, rank: int, image_paths: list[Path]
) -> None:
    number = int(findings.image[rank])
    emphasis = _emphasis(evaluation, findings, rank)
    draw_picture(axes, read_image(image_paths[number]), evaluation, number, emphasis)
    text = f'{rank + 1}.  {_caption(evaluation, findings, rank)}'
    write_caption(axes, text, evaluation.truth.file_names[number])


def _emphasis(evaluation: Evaluation, findings: Findings, rank: int) -> Emphasis:
    lesion, detection = int(findings.lesion[rank]), int(findings.detection[rank])
    lesions = () if lesion < 0 else (lesion,)
    if detection < 0:
        return Emphasis(lesions)
    if _is_below(evaluation, detection):
        return Emphasis(lesions, below=(detection,))
    return Emphasis(lesions, (detection,))


def _caption(evaluation: Evaluation, findings: Findings, rank: int) -> str:
    lesion, detection = int(findings.lesion[rank]), int(findings.detection[rank])
    truth, found = evaluation.truth, evaluation.detections
    true = truth.lesions.classes[lesion] if lesion >= 0 else 0
    if detection < 0:
        return f'{_name(evaluation, true)} → {NONE}, no prediction on it'
    if _is_below(evaluation, detection):
        best = f'{_name(evaluation, found.classes[detection])} {found.scores[detection]:.2f}'
        return f'{_name(evaluation, true)} → {NONE}, best on it {best}'
    named = _name(evaluation, found.classes[detection])
    return f'{_name(evaluation, true)} → {named} {found.scores[detection]:.2f}'


def _is_below(evaluation: Evaluation, detection: int) -> bool:
    return evaluation.detections.scores[detection] < evaluation.score_thr


def _name(evaluation: Evaluation, label: int) -> str:
    # Two names and a score must fit above a tile.
    return class_label(evaluation.truth.labels[label], int(label), 14) if label else NONE
