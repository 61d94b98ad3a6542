import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_liver import compat
from mmdet_liver.errors import InputError

compat.install()

from mmdet_liver.datasets.augmentation_sheet import LOOKS  # noqa: E402

TOOL = Path(__file__).parents[2] / 'tools/show_augmentations.py'


def main(argv):
    spec = importlib.util.spec_from_file_location('show_augmentations_tool', TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    tool.main(argv)


@pytest.fixture
def image(tmp_path):
    grey = np.zeros((90, 120, 3), np.uint8)
    grey[10:80, 10:110] = np.random.default_rng(0).integers(40, 200, (70, 100, 1))
    cv2.imwrite(f'{tmp_path}/image.png', grey)
    return tmp_path / 'image.png'


def test_every_look_changes_the_image(image):
    plain = cv2.imread(f'{image}')
    looks = [transform({'img': plain.copy()})['img'] for transform in LOOKS.values()]
    assert all((look != plain).any() for look in looks)
    assert len({look.tobytes() for look in looks}) == len(LOOKS)


def test_same_seed_same_sheet(image, tmp_path, capsys):
    sheets = []
    for seed in ('0', '0', '1'):
        main([f'{image}', f'{image}', '--out', f'{tmp_path}/sheet.png', '--seed', seed])
        sheets.append((tmp_path / 'sheet.png').read_bytes())
    assert sheets[0] == sheets[1] != sheets[2]
    assert f'{2 * (len(LOOKS) + 1)} pictures written' in capsys.readouterr().out


def test_missing_image(tmp_path):
    with pytest.raises(InputError, match='no such file'):
        main([f'{tmp_path}/none.png', '--out', f'{tmp_path}/sheet.png'])
    assert not (tmp_path / 'sheet.png').exists()
