"""The study's table: its numbers, as text and as CSV."""

import csv
import io
import unicodedata

from mmdet_liver.evaluation.scoring import Evaluation

COLUMNS = ('diagnosis', 'total', 'over-detections', 'missed', 'precision', 'recall', 'F1')


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


def table_csv(evaluation: Evaluation) -> str:
    """The same numbers, not rounded, below a line of column names."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow([c.lower().replace('-', '_') for c in COLUMNS])
    writer.writerows(_rows(evaluation))
    return text.getvalue()


def per_class(evaluation: Evaluation) -> dict[str, dict]:
    """Counts and scores of each class, by its name."""
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


def sums(evaluation: Evaluation) -> dict[str, int]:
    """Counts over all classes."""
    return {
        'total': int(evaluation.outcomes.lesions.sum()),
        'over_detections': int(evaluation.matrix[0].sum()),
        'missed': int(evaluation.matrix[:, 0].sum()),
    }


def _rows(evaluation: Evaluation) -> list[list]:
    # Name, three counts, three scores; the last row is the totals.
    rows = [[name, *values.values()] for name, values in per_class(evaluation).items()]
    totals = [*sums(evaluation).values(), *map(float, evaluation.mean.as_tuple())]
    return [*rows, ['sum / mean', *totals]]


def _cell(value: float) -> str:
    return f'{value:.4f}' if isinstance(value, float) else str(value)


def _width(text: str) -> int:
    # A Japanese character takes two columns of a terminal.
    return sum(2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text)


def _padded(text: str, width: int, column: int) -> str:
    space = ' ' * (width - _width(text))
    return text + space if column == 0 else space + text
