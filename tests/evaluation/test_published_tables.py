"""The study's tables from detections: made up so that its printed matrices must come out.

8,391 images with one lesion each. Every found lesion has a box of the printed class at the
study's threshold and boxes of other classes below it; what is missed has one just below.
"""

import json
from pathlib import Path

import pytest
from coco_cases import ground_truth, results, write

from mmdet_liver.evaluation.detection_files import read_detections, read_truth
from mmdet_liver.evaluation.report.study_table import per_class, sums
from mmdet_liver.evaluation.scoring import evaluate

PUBLISHED = json.loads(
    (Path(__file__).parents[1] / 'data/published_confusion_matrices.json').read_text('utf-8')
)
# As published; Fig. 6a's is not printed.
SCORE_THRS = {
    'yolox_flex': 0.35,
    'centernet_flex': 0.3,
    'centernet_simsiam_fix': 0.5,
    'centernet_simsiam_stepwise': 0.4,
}
LESION, NEAR, FAR = (100, 100, 80, 60), (110, 105, 80, 60), (400, 300, 50, 50)


def as_detections(matrix: list, thr: float) -> tuple[dict, list]:
    truth, found = {}, {}
    for row, counts in enumerate(matrix[1:], start=1):
        for column, count in enumerate(counts):
            for _ in range(count):
                image = len(truth) + 1
                truth[image] = [(row, LESION)]
                below = (row, NEAR, thr - 1e-6)
                at = [(column, LESION, thr)] if column else []
                found[image] = [(column % 4 + 1, NEAR, thr - 0.1), *at, below]
    over = [c for c, count in enumerate(matrix[0]) for _ in range(count)]
    for image, c in zip(truth, over, strict=False):
        found[image].append((c, FAR, thr))
    for predictions in found.values():  # so that no lower threshold is better
        predictions += [(c, FAR, thr - 0.01) for c in (1, 2, 3, 4)]
    return ground_truth(truth), results(found)


@pytest.mark.parametrize('model', SCORE_THRS)
def test_detections_give_the_published_table(tmp_path, model):
    published = PUBLISHED['models'][model]
    truth, entries = as_detections(published['confusion_matrix'], SCORE_THRS[model])
    read = read_truth(write(tmp_path / 'gt.json', truth))
    evaluation = evaluate(read, read_detections(write(tmp_path / 'results.json', entries), read))
    expected = published['from_matrix']
    assert len(read.images) == 8391
    assert evaluation.score_thr == SCORE_THRS[model]
    assert evaluation.matrix.tolist() == published['confusion_matrix']
    rows = per_class(evaluation)
    assert list(rows) == PUBLISHED['labels'][1:]
    for name in ('total', 'over_detections', 'missed', 'precision', 'recall', 'f1'):
        assert [round(row[name], 4) for row in rows.values()] == expected[name]
    for name, value in expected['macro'].items():
        assert round(float(getattr(evaluation.mean, name)), 4) == value
    for name in ('total', 'over_detections', 'missed'):
        assert sums(evaluation)[name] == sum(expected[name])
