import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mmdet_liver import compat

compat.install()

import torch  # noqa: E402
from mmdet.registry import METRICS  # noqa: E402
from mmdet.structures import DetDataSample  # noqa: E402
from mmengine.evaluator import Evaluator  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402

from mmdet_liver.errors import InputError  # noqa: E402
from mmdet_liver.evaluation.detection_files import read_detections, read_truth  # noqa: E402
from mmdet_liver.evaluation.metrics import LesionF1Metric  # noqa: E402
from mmdet_liver.evaluation.report.content import plain, study  # noqa: E402
from mmdet_liver.evaluation.scoring import evaluate  # noqa: E402
from mmdet_liver.files import write_json  # noqa: E402

CLASSES = ('cyst', 'HCC', 'hemangioma', 'Meta')


def data_set(folder: Path, images: int = 7) -> tuple[str, list[dict]]:
    """A ground truth whose ids are not 1..C, and predictions that are near it, or not."""
    rng = np.random.default_rng(0)
    truth = {
        'images': [{'id': 10 + i, 'file_name': f'{i}.png'} for i in range(images)],
        'annotations': [],
        'categories': [{'id': 7 - i, 'name': n} for i, n in enumerate(CLASSES)],
    }
    samples = []
    for image in truth['images']:
        xywh = rng.integers(20, 200, (4, 4))
        labels = rng.integers(0, 4, 4)
        for box, label in zip(xywh[:2], labels, strict=False):
            truth['annotations'].append(
                {'image_id': image['id'], 'category_id': 7 - int(label), 'bbox': box.tolist()}
            )
        boxes = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1) + 0.1
        guesses = np.where(rng.random(4) < 0.7, labels, 0)
        found = {'bboxes': boxes, 'scores': rng.random(4), 'labels': guesses}
        samples.append({'img_id': image['id'], 'pred_instances': found})
    path = folder / 'gt.json'
    path.write_text(json.dumps(truth))
    return str(path), samples


def score(ann_file: str, samples: list, classes: tuple = CLASSES, **kwargs) -> dict:
    metric = LesionF1Metric(ann_file, **kwargs)
    metric.dataset_meta = {'classes': classes}
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def sample(image_id: int, boxes: list, scores: list, labels: list, dtype=torch.float32) -> dict:
    found = {
        'bboxes': torch.tensor(boxes, dtype=dtype).reshape(-1, 4),
        'scores': torch.tensor(scores, dtype=dtype),
        'labels': torch.tensor(labels, dtype=torch.long),
    }
    return {'img_id': image_id, 'pred_instances': found}


@pytest.fixture
def small(tmp_path):
    """One HCC at (10, 10)-(50, 50) in image 1, none in image 2."""
    truth = {
        'images': [{'id': 1, 'file_name': '1.png'}, {'id': 2, 'file_name': '2.png'}],
        'annotations': [{'image_id': 1, 'category_id': 2, 'bbox': [10, 10, 40, 40]}],
        'categories': [{'id': i, 'name': n} for i, n in enumerate(CLASSES, start=1)],
    }
    path = tmp_path / 'gt.json'
    path.write_text(json.dumps(truth))
    return str(path)


def test_keys_and_values(small):
    samples = [sample(1, [[10, 10, 50, 50]], [0.7], [1]), sample(2, [[0, 0, 9, 9]], [0.3], [1])]
    assert score(small, samples) == {
        'lesion/f1_mean': 1.0,
        'lesion/precision_mean': 1.0,
        'lesion/recall_mean': 1.0,
        'lesion/score_thr': 0.35,
        'lesion/f1_cyst': 0.0,
        'lesion/f1_HCC': 1.0,
        'lesion/f1_hemangioma': 0.0,
        'lesion/f1_Meta': 0.0,
    }
    at_03 = score(small, samples, score_thr=0.3)  # a float32 0.3 reaches it
    assert (at_03['lesion/score_thr'], at_03['lesion/precision_mean']) == (0.3, 0.5)


def test_labels_are_mapped_by_name(small):
    samples = [sample(1, [[10, 10, 50, 50]], [0.7], [3]), sample(2, [], [], [])]
    assert score(small, samples, classes=CLASSES[::-1])['lesion/f1_mean'] == 0.0
    samples[0]['pred_instances']['labels'] -= 1
    assert score(small, samples, classes=CLASSES[::-1])['lesion/f1_mean'] == 1.0


def test_one_class_model_is_scored_on_merged_classes(small):
    samples = [sample(1, [[10, 10, 50, 50]], [0.7], [0]), sample(2, [], [], [])]
    scores = score(small, samples, classes=('tumor',))
    assert (scores['lesion/f1_mean'], scores['lesion/f1_tumor']) == (1.0, 1.0)


def test_bfloat16_and_boxes_inside_out(small):
    samples = [
        sample(1, [[10, 10, 50, 50], [50, 50, 10, 10]], [0.75, 0.875], [1, 1], torch.bfloat16),
        sample(2, [], [], [], torch.bfloat16),
    ]
    scores = score(small, samples, score_thr=0.5)
    assert (scores['lesion/recall_mean'], scores['lesion/precision_mean']) == (1.0, 0.5)


@pytest.mark.parametrize('classes', [CLASSES, ('tumor',)], ids=['four classes', 'one class'])
def test_files_are_those_of_the_evaluation_of_results_json(tmp_path, classes):
    ann_file, samples = data_set(tmp_path)
    if len(classes) == 1:
        for s in samples:
            s['pred_instances']['labels'] *= 0
    score(ann_file, samples, classes, out_dir=str(tmp_path / 'loop'))
    arguments = [ann_file, str(tmp_path / 'loop/results.json'), '--out-dir', str(tmp_path / 'tool')]
    arguments += ['--single-class'] if len(classes) == 1 else []
    tool = Path(__file__).parents[3] / 'tools/evaluate.py'
    subprocess.run([sys.executable, str(tool), *arguments], check=True, capture_output=True)
    written = {path.name for path in (tmp_path / 'tool').iterdir()}
    assert {'metrics.json', 'per_class.csv', 'report.html', 'froc.png'} <= written
    for name in written:
        assert (tmp_path / 'loop' / name).read_bytes() == (tmp_path / 'tool' / name).read_bytes()
    assert json.loads((tmp_path / 'loop/metrics.json').read_text())['mean']['f1'] > 0


def test_threshold_of_another_run(tmp_path, small):
    truth = read_truth(small)
    (tmp_path / 'none.json').write_text('[]')
    detections = read_detections(tmp_path / 'none.json', truth)
    given = study(evaluate(truth, detections, score_thr=0.65))
    write_json(tmp_path / 'val/metrics.json', plain(given))
    samples = [sample(1, [[10, 10, 50, 50]], [0.6], [1]), sample(2, [], [], [])]
    chosen = str(tmp_path / 'val/metrics.json')
    out = tmp_path / 'test'
    scores = score(small, samples, score_thr=chosen, out_dir=str(out))
    assert (scores['lesion/score_thr'], scores['lesion/f1_mean']) == (0.65, 0.0)
    content = json.loads((out / 'metrics.json').read_text())
    assert content['score_thr_source'] == f'chosen on {chosen}'


def test_in_mmengine_evaluator(small):
    evaluator = Evaluator([{'type': 'mmdet.LesionF1Metric', 'ann_file': small}])
    evaluator.dataset_meta = {'classes': CLASSES}
    for image_id, boxes in ((1, [[10.0, 10, 50, 50]]), (2, [])):
        data_sample = DetDataSample(metainfo={'img_id': image_id, 'img_path': 'nowhere.png'})
        data_sample.pred_instances = InstanceData(
            bboxes=torch.tensor(boxes).reshape(-1, 4),
            scores=torch.full((len(boxes),), 0.9),
            labels=torch.ones(len(boxes), dtype=torch.long),
        )
        evaluator.process(data_samples=[data_sample], data_batch={})
    assert evaluator.evaluate(2)['lesion/f1_mean'] == 1.0
    assert METRICS.get('LesionF1Metric') is LesionF1Metric


@pytest.mark.parametrize(
    'samples, classes, message',
    [
        pytest.param([(1, 0)], CLASSES, 'only 1 were predicted', id='images left out'),
        pytest.param([(1, 0), (2, 0), (9, 0)], CLASSES, 'no image with id 9', id='unknown image'),
        pytest.param([(1, 4), (2, 0)], CLASSES, 'label 4; expected 0 to 3', id='too many labels'),
        pytest.param([(1, -1), (2, 0)], CLASSES, 'label -1; expected 0 to 3', id='label below 0'),
        pytest.param([(1, 0), (2, 0)], CLASSES[:2], '2 classes', id='too few classes'),
        pytest.param([(1, 0), (2, 0)], ('a', 'b', 'c', 'd'), 'a, b, c, d', id='unknown names'),
    ],
)
def test_what_does_not_fit_is_named(small, samples, classes, message):
    samples = [sample(i, [[0, 0, 9, 9]], [0.5], [label]) for i, label in samples]
    with pytest.raises(InputError, match=message) as caught:
        score(small, samples, classes)
    assert '\n' not in str(caught.value)


def test_boxes_that_are_not_finite_are_over_detections(small):
    bad = [[-float('inf'), 0, float('inf'), 9], [0, 0, float('nan'), 9]]
    samples = [sample(1, [[10, 10, 50, 50], *bad], [0.9] * 3, [1] * 3), sample(2, [], [], [])]
    assert score(small, samples)['lesion/precision_mean'] == pytest.approx(1 / 3)


def test_diverged_model_is_named(small):
    samples = [sample(1, [[0, 0, 9, 9]], [float('nan')], [0]), sample(2, [], [], [])]
    with pytest.raises(InputError, match='entry 0: found score nan'):
        score(small, samples)


def test_wrong_arguments_end_the_run_at_its_start(small):
    with pytest.raises(InputError, match='missing.json: found no such file'):
        LesionF1Metric(small, score_thr='missing.json')
    with pytest.raises(InputError, match='iou_thr'):
        LesionF1Metric(small, iou_thr=25)


def test_repeated_images_count_once(tmp_path):
    ann_file, samples = data_set(tmp_path)
    assert score(ann_file, [*samples, samples[0], samples[3]]) == score(ann_file, samples)
