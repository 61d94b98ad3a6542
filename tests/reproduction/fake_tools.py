"""Stands in for the tools that a grid runs: same options and files, no network.

Copied as train.py, test.py, pretrain.py and evaluate.py into a folder. The detector of seed
s finds the lesions whose number is not a multiple of s + 2, each at score 0.9, and calls
lesion 1 of each image right only on even images. FAKE_FAIL names a text in a command that
makes it fail, FAKE_SLEEP one that makes it wait for ever.
"""

import json
import os
import sys
import time
from pathlib import Path


def option(key, default=None):
    found = [a.partition('=')[2] for a in sys.argv if a.startswith(f'{key}=')]
    return found[-1] if found else default


def main():
    name, words = Path(sys.argv[0]).name, ' '.join(sys.argv)
    if os.environ.get('FAKE_FAIL', '\0') in words:
        raise SystemExit('ValueError: told to fail')
    if name == 'evaluate.py':
        out = Path(sys.argv[sys.argv.index('--out-dir') + 1])
        write(out / 'metrics.json', {'average_precision': {'mean': dict.fromkeys(
            ('mAP', 'AP50', 'AP75', 'AP_S', 'AP_M', 'AP_L'), 0.5)}, 'intervals': None})  # fmt: skip
        return
    folder = Path(sys.argv[sys.argv.index('--work-dir') + 1])
    if name == 'test.py':
        assert Path(sys.argv[2]).is_file(), sys.argv[2]
        truth = json.loads(Path(option('test_evaluator.0.ann_file')).read_text())
        out = Path(option('test_evaluator.0.out_dir'))
        write(out / 'results.json', detections(truth, int(option('randomness.seed'))))
        write(out / 'metrics.json', {})
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / 'starts').open('a') as file:
        file.write('resumed\n' if (folder / 'epoch_1.pth').exists() else 'new\n')
    (folder / 'epoch_1.pth').write_text('')
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_1.pth'))
    print('11/23 - mmengine - INFO - Epoch(train)  [1][ 5/23]  lr: 1', flush=True)
    while os.environ.get('FAKE_SLEEP', '\0') in words:
        time.sleep(0.05)
    if name == 'train.py':
        (folder / 'best_x_epoch_1.pth').write_text('')


def detections(truth, seed):
    return [
        {'image_id': a['image_id'], 'bbox': a['bbox'], 'score': 0.9,
         'category_id': a['category_id'] if a['image_id'] % 2 == 0 else 1}
        for a in truth['annotations'] if a['id'] % (seed + 2)
    ]  # fmt: skip


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


if __name__ == '__main__':
    main()
