"""`review_list.csv`: one row a place to look at."""

import csv
import io

from mmdet_liver.evaluation.arrays import Truth
from mmdet_liver.evaluation.auditing.ranking.review_list import ReviewItem, ReviewList

COLUMNS = (
    'rank',  # from 1, within its kind
    'kind',
    'image_id',
    'file_name',
    'patient_id',
    'fully_annotated',
    'annotation_id',  # empty for what is only suggested
    'x',  # as the next three in pixels of the original image
    'y',
    'width',
    'height',
    'annotated_class',
    'suggested_class',
    'score',
    'models_agree',
    'models',
)


def review_table(truth: Truth, listed: ReviewList, annotations: list[dict]) -> str:
    """The list as CSV, in the order of kinds and ranks; a cell is empty for what is not known.

    Args:
        annotations: the ground-truth file's list.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator='\n')
    writer.writeheader()
    for item in listed.items:
        writer.writerow(_row(item, truth, annotations) | {'models': listed.models})
    return text.getvalue()


def _row(item: ReviewItem, truth: Truth, annotations: list[dict]) -> dict:
    image = truth.images[item.image]
    x_min, y_min, x_max, y_max = item.box
    numbers = {'x': x_min, 'y': y_min, 'width': x_max - x_min, 'height': y_max - y_min}
    return {
        'rank': item.rank,
        'kind': item.kind,
        'image_id': image['id'],
        'file_name': truth.file_names[item.image],
        'patient_id': image.get('patient_id'),
        'fully_annotated': image.get('fully_annotated'),
        'annotation_id': None if item.source is None else annotations[item.source].get('id'),
        **{name: f'{value:.3f}' for name, value in numbers.items()},
        'annotated_class': truth.labels[item.annotated] if item.annotated else None,
        'suggested_class': truth.labels[item.suggested] if item.suggested else None,
        'score': f'{item.score:.4f}',
        'models_agree': item.models,
    }
