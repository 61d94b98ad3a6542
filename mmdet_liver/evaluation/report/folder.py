"""All files of an evaluation, in one folder.

OUT/metrics.json      every number
OUT/per_class.csv     the study's table
OUT/NAME.png          figures; with images also sheets of them
OUT/report.html       all of it on one page that needs no other file; written last
"""

from collections.abc import Sequence
from pathlib import Path

from mmdet_liver.evaluation.figures.comparison import draw_comparison
from mmdet_liver.evaluation.figures.confusion_matrix import draw_confusion_matrix
from mmdet_liver.evaluation.figures.error_types import draw_error_types
from mmdet_liver.evaluation.figures.froc import draw_froc
from mmdet_liver.evaluation.figures.precision_recall import draw_precision_recall
from mmdet_liver.evaluation.figures.reliability import draw_reliability
from mmdet_liver.evaluation.figures.strata import draw_strata
from mmdet_liver.evaluation.figures.thresholds import draw_f1_by_threshold
from mmdet_liver.evaluation.measures.operating_points import best_mean
from mmdet_liver.evaluation.report.assessment import Assessment
from mmdet_liver.evaluation.report.page import page_html
from mmdet_liver.evaluation.report.study_table import table_csv
from mmdet_liver.evaluation.sheets.contact_sheet import draw_contact_sheet
from mmdet_liver.evaluation.sheets.worst import draw_worst_sheets
from mmdet_liver.files import write_json, write_text

PAGE, METRICS = 'report.html', 'metrics.json'
_SHEETS = {
    'worst_over_detections': 'Over-detections of the highest score',
    'worst_missed': 'Missed lesions',
    'worst_confusions': 'Wrong diagnoses of the highest score',
    'contact_sheet': 'A mix of all images',
}


def write_report(
    assessment: Assessment,
    m: dict,
    out_dir: str | Path,
    image_paths: Sequence[Path] | None = None,
) -> None:
    """Write everything into a folder, the page last.

    Args:
        m: `content(assessment, ...)`.
        image_paths: one path an image of the ground truth, in its order; with it sheets
            of images are drawn.
    Raises:
        InputError: names an image of a sheet that is missing or damaged.
    """
    out_dir = Path(out_dir)
    write_json(out_dir / METRICS, m, indent=2)
    write_text(out_dir / 'per_class.csv', table_csv(assessment.evaluation))
    figures = _draw_figures(assessment, m, out_dir)
    sheets = [] if image_paths is None else _draw_sheets(assessment, list(image_paths), out_dir)
    page = page_html(
        m,
        {path.stem: path.read_bytes() for path in figures},
        {_SHEETS[path.stem]: path.read_bytes() for path in sheets},
    )
    write_text(out_dir / PAGE, page)


def _draw_figures(assessment: Assessment, m: dict, out_dir: Path) -> list[Path]:
    evaluation, ci = assessment.evaluation, m['intervals'] or {}
    drawn = []

    def path(name: str) -> Path:
        drawn.append(out_dir / f'{name}.png')
        return drawn[-1]

    draw_confusion_matrix(evaluation, path('confusion_matrix'))
    draw_f1_by_threshold(
        evaluation,
        path('f1_by_threshold'),
        best=best_mean(assessment.curves),
        f1_interval=ci.get('mean', {}).get('f1'),
        score_thr_interval=ci.get('score_thr'),
    )
    draw_froc(assessment.froc, evaluation.truth.labels, path('froc'), ci.get('froc'))
    draw_precision_recall(evaluation, assessment.curves, path('precision_recall'))
    draw_reliability(assessment.calibration, path('reliability'))
    draw_error_types(assessment.error_types, evaluation.score_thr, path('error_types'))
    strata = [stratum for part in assessment.strata.values() for stratum in part]
    draw_strata([s for s in strata if s.lesions], path('strata'))
    if assessment.comparison is None:
        (out_dir / 'comparison.png').unlink(missing_ok=True)  # of an earlier report
    else:
        files = {entry['role']: entry['file'] for entry in m['inputs']}
        names = (files['results'], files['compared with'])
        draw_comparison(assessment.comparison, path('comparison'), names)
    return drawn


def _draw_sheets(assessment: Assessment, image_paths: list[Path], out_dir: Path) -> list[Path]:
    evaluation = assessment.evaluation
    worst = draw_worst_sheets(
        evaluation, image_paths, out_dir, patient_key=assessment.options.group_by
    )
    draw_contact_sheet(evaluation, image_paths, out_dir / 'contact_sheet.png')
    return [*worst, out_dir / 'contact_sheet.png']
