"""What an evaluation leaves behind: the table, `metrics.json`, `per_class.csv` and figures."""

import csv
import io
import unicodedata
from pathlib import Path

from mmdet_liver.evaluation import contact_sheet, figures
from mmdet_liver.evaluation.scoring import Evaluation
from mmdet_liver.files import write_json, write_text

COLUMNS = ('diagnosis', 'total', 'over-detections', 'missed', 'precision', 'recall', 'F1')


def metrics(evaluation: Evaluation) -> dict:
    """The content of `metrics.json`; scores are not rounded."""
    swept = evaluation.sweep
    return {
        'iou_thr': evaluation.iou_thr,
        'score_thr': evaluation.score_thr,
        'score_thr_source': evaluation.score_thr_source,
        'labels': list(evaluation.truth.labels),
        'confusion_matrix': evaluation.matrix.tolist(),
        'per_class': _per_class(evaluation),
        'mean': dict(
            zip(('precision', 'recall', 'f1'), map(float, evaluation.mean.as_tuple()), strict=True)
        ),
        'sums': _sums(evaluation),
        'images': len(evaluation.truth.image_ids),
        'sweep': [
            {'score_thr': float(t), 'precision': float(p), 'recall': float(r), 'f1': float(f)}
            for t, p, r, f in zip(swept.score_thrs, *swept.mean.as_tuple(), strict=True)
        ],
    }


def table_text(evaluation: Evaluation) -> str:
    """The study's table, with a line that says which threshold it is at and who chose it."""
    head = (
        f'score threshold {evaluation.score_thr:g} ({evaluation.score_thr_source}), '
        f'IoU threshold {evaluation.iou_thr:g}, {len(evaluation.truth.image_ids)} images'
    )
    rows = [COLUMNS, *([name, *map(_cell, values)] for name, *values in _rows(evaluation))]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = ['  '.join(map(_padded, row, widths, range(len(row)))) for row in rows]
    rule = '-' * _width(lines[0])
    return '\n'.join([head, lines[0], rule, *lines[1:-1], rule, lines[-1]])


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
    write_text(out_dir / 'per_class.csv', _csv(evaluation))
    figures.draw_confusion_matrix(evaluation, out_dir / 'confusion_matrix.png')
    figures.draw_f1_by_threshold(evaluation, out_dir / 'f1_by_threshold.png')
    if image_paths is not None:
        contact_sheet.draw_contact_sheet(evaluation, image_paths, out_dir / 'contact_sheet.png')


def _per_class(evaluation: Evaluation) -> dict[str, dict]:
    matrix = evaluation.matrix
    return {
        name: {
            'total': int(matrix[c].sum()),
            'over_detections': int(matrix[0, c]),
            'missed': int(matrix[c, 0]),
            'precision': float(evaluation.per_class.precision[c - 1]),
            'recall': float(evaluation.per_class.recall[c - 1]),
            'f1': float(evaluation.per_class.f1[c - 1]),
        }
        for c, name in enumerate(evaluation.truth.labels[1:], start=1)
    }


def _sums(evaluation: Evaluation) -> dict[str, int]:
    return {
        'total': int(evaluation.outcomes.lesions.sum()),
        'over_detections': int(evaluation.matrix[0].sum()),
        'missed': int(evaluation.matrix[:, 0].sum()),
    }


def _rows(evaluation: Evaluation) -> list[list]:
    # Name, three counts, three scores; the last row is the totals.
    rows = [[name, *values.values()] for name, values in _per_class(evaluation).items()]
    totals = [*_sums(evaluation).values(), *map(float, evaluation.mean.as_tuple())]
    return [*rows, ['sum / mean', *totals]]


def _csv(evaluation: Evaluation) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow([c.lower().replace('-', '_') for c in COLUMNS])
    writer.writerows(_rows(evaluation))
    return text.getvalue()


def _cell(value: float) -> str:
    return f'{value:.4f}' if isinstance(value, float) else str(value)


def _width(text: str) -> int:
    # A Japanese character takes two columns of a terminal.
    return sum(2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text)


def _padded(text: str, width: int, column: int) -> str:
    space = ' ' * (width - _width(text))
    return text + space if column == 0 else space + text
