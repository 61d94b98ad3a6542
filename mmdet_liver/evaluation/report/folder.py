"""All files of an evaluation, in one folder."""

from pathlib import Path

from mmdet_liver.evaluation.figures.confusion_matrix import draw_confusion_matrix
from mmdet_liver.evaluation.figures.thresholds import draw_f1_by_threshold
from mmdet_liver.evaluation.report.content import metrics
from mmdet_liver.evaluation.report.study_table import table_csv
from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.evaluation.sheets.contact_sheet import draw_contact_sheet
from mmdet_liver.files import write_json, write_text


def write_report(
    evaluation: Evaluation, out_dir: str | Path, image_paths: list[Path] | None = None
) -> None:
    """Write `metrics.json`, `per_class.csv` and the figures into a folder.

    Args:
        image_paths: one path an image of the ground truth, in its order; with it a
            contact sheet is drawn.
    Raises:
        InputError: names an image of the contact sheet that is missing or damaged.
    """
    out_dir = Path(out_dir)
    write_json(out_dir / 'metrics.json', metrics(evaluation), indent=2)
    write_text(out_dir / 'per_class.csv', table_csv(evaluation))
    draw_confusion_matrix(evaluation, out_dir / 'confusion_matrix.png')
    draw_f1_by_threshold(evaluation, out_dir / 'f1_by_threshold.png')
    if image_paths is not None:
        draw_contact_sheet(evaluation, image_paths, out_dir / 'contact_sheet.png')
