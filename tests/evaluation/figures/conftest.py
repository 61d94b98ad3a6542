import warnings

import pytest
from coco_cases import NAMES, ground_truth, results, write
from matplotlib.figure import Figure

from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.figures import drawing
from mmdet_liver.evaluation.scoring import evaluate

A, B, C = (10, 10, 30, 30), (60, 60, 20, 20), (200, 100, 50, 40)
TRUTH = {1: [(1, A), (2, B)], 2: [(1, A), (4, C)], 3: [], 4: [(2, A)]}
# Right from 0.9, 0.8 and 0.4; an HCC taken for Meta at 0.7; an over-detection at 0.6; the
# Meta of image 2 is missed.
FOUND = {1: [(1, A, 0.9), (2, B, 0.8), (3, C, 0.6)], 2: [(1, A, 0.4)], 4: [(4, A, 0.7)]}
TWELVE = (
    'focal nodular hyperplasia (FNH)',
    'HCC',
    'cholangiocellular carcinoma, intrahepatic',
    '肝嚢胞',
    '不明な腫瘤',
    'cost $1 or $x^2',
    'hemangioma',
    'Meta',
    'benign',
    'malignant',
    'angiomyolipoma of the liver',
    'regenerative nodule',
)


@pytest.fixture
def score(tmp_path):
    """`score(truth, found, names, score_thr)` -> Evaluation, as coco_cases writes them."""

    def scored(truth=TRUTH, found=FOUND, names=NAMES, score_thr=0.3):
        read = read_truth(write(tmp_path / 'gt.json', ground_truth(truth, names)))
        ids = tuple(range(1, len(names) + 1))
        detections = to_detections(results(found, ids), read, 'results')
        return evaluate(read, detections, score_thr=score_thr)

    return scored


@pytest.fixture(params=['usual', 'one class', 'twelve classes', 'no lesions', 'no predictions'])
def any_evaluation(request, score):
    twelve = {i: [(i, A), (i % 12 + 1, C)] for i in range(1, 13)}
    calls = {i: [(i, A, i / 13), (1, C, 0.3), (2, B, 0.2)] for i in range(1, 13)}
    return {
        'usual': lambda: score(),
        'one class': lambda: score({1: [(1, A)], 2: []}, {1: [(1, A, 0.5)]}, ('tumor',)),
        'twelve classes': lambda: score(twelve, calls, TWELVE),
        'no lesions': lambda: score({1: [], 2: []}, {1: [(1, A, 0.5)]}),
        'no predictions': lambda: score(found={}),
    }[request.param]()


@pytest.fixture
def drawn(monkeypatch):
    """Figures as they are saved; one with text beyond its edge, or a warning, fails."""
    figures, save = [], Figure.savefig

    def saved(figure, *args, **options):
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            save(figure, *args, **options)
        _require_on_page(figure)
        figures.append(figure)

    monkeypatch.setattr(Figure, 'savefig', saved)
    monkeypatch.setattr(drawing, 'DPI', 60)  # is quicker
    return figures


def _require_on_page(figure):
    figure.draw_without_rendering()  # places are those of the last drawing, at its resolution
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()  # inches
    assert min(drawn.x0, drawn.y0) > -0.01, drawn
    assert drawn.x1 < width + 0.01 and drawn.y1 < height + 0.01, drawn
