"""Two ranks give the files of one, whatever the sampler hands to whom."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_lesion_f1_metric import CLASSES, score

RUNNER = Path(__file__).with_name('ranks_runner.py')
# For each rank the images that it predicts: as MMEngine collects, one by one in turn.
CASES = {
    'one_image': (1, [[0], [0]]),
    'odd_and_shuffled': (7, [[3, 0, 2, 6], [4, 1, 5, 3]]),
}


def truth_of(images: int) -> dict:
    """Every third image is lesion-free; the others hold a lesion and an ignored one."""
    boxes = np.random.default_rng(images).integers(20, 200, (images, 2, 4)).tolist()
    return {
        'images': [{'id': f'frame {i}', 'file_name': f'{i}.png'} for i in range(images)],
        'annotations': [
            {'image_id': f'frame {i}', 'category_id': 9 - i % 4, 'bbox': box, 'ignore': ignore}
            for i in range(images)
            for ignore, box in enumerate(boxes[i])
            if i % 3
        ],
        'categories': [{'id': 9 - i, 'name': name} for i, name in enumerate(CLASSES)],
    }


def predictions(truth: dict) -> list[dict]:
    """A sample an image: near its annotations and elsewhere; every fourth has none."""
    rng = np.random.default_rng(0)
    samples = []
    for i, image in enumerate(truth['images']):
        own = [a['bbox'] for a in truth['annotations'] if a['image_id'] == image['id']]
        xywh = np.array([*own, *rng.integers(20, 200, (3, 4))], float)[: 0 if i % 4 == 3 else None]
        boxes = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1) + 0.1
        scores, labels = rng.random(len(boxes)), rng.integers(0, 4, len(boxes))
        labels[:1] = i % 4
        found = {'bboxes': boxes.reshape(-1, 4), 'scores': scores, 'labels': labels}
        samples.append({'img_id': image['id'], 'pred_instances': found})
    return samples


@pytest.fixture(scope='module')
def two_ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp('ranks')
    for name, (images, order) in CASES.items():
        (folder / name).mkdir()
        (folder / name / 'gt.json').write_text(json.dumps(truth_of(images)))
        (folder / name / 'order.json').write_text(json.dumps(order))
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    command = [sys.executable, str(RUNNER), str(folder)]
    ranks = [subprocess.Popen([*command, str(r)], env=environment, cwd=folder) for r in (0, 1)]
    assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    return folder


@pytest.mark.parametrize('name', CASES)
def test_two_ranks_give_the_files_of_one(two_ranks, name):
    case = two_ranks / name
    truth = json.loads((case / 'gt.json').read_text())
    expected = score(str(case / 'gt.json'), predictions(truth), out_dir=str(case / 'one'))
    for rank in (0, 1):
        assert json.loads((case / f'rank{rank}.json').read_text()) == expected
    for file in ('metrics.json', 'results.json', 'per_class.csv'):
        assert (case / 'two' / file).read_bytes() == (case / 'one' / file).read_bytes()


def test_the_cases_hold_what_could_go_wrong():
    truth = truth_of(7)
    samples = predictions(truth)
    with_lesions = {a['image_id'] for a in truth['annotations']}
    assert 0 < len(with_lesions) < 7
    assert 0 < sum(len(s['pred_instances']['labels']) == 0 for s in samples) < 7
