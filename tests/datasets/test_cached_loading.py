"""`LoadCachedImage` against MMCV's own loader, pixel by pixel; grey kept as one channel."""

import pickle
import random

import cv2
import mmcv
import numpy as np
import pytest
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from mmdet_liver import compat

compat.install()

from mmcv.transforms import Compose, LoadImageFromFile  # noqa: E402
from mmdet.registry import TRANSFORMS as MMDET_TRANSFORMS  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402
from mmengine.registry import DefaultScope  # noqa: E402

from mmdet_liver.datasets.transforms import ExpandGrey, LoadCachedImage  # noqa: E402
from mmdet_liver.datasets.transforms.cached_loading import one_channel_if_grey  # noqa: E402
from mmdet_liver.errors import InputError  # noqa: E402

GREY = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8), (5, 5), 0)
COLOUR = np.dstack([GREY, GREY, GREY])
COLOUR[5, 7] = (10, 20, 30)  # a single coloured pixel is colour


def write(folder, kind):
    """A file of each kind that exports have; returns its path."""
    path = folder / f'{kind}{".jpg" if "JPEG" in kind else ".png"}'
    rgb = Image.fromarray(COLOUR)
    if kind == 'EXIF JPEG':
        exif = Image.Exif()
        exif[0x0112] = 6
        rgb.save(path, exif=exif)
        return str(path)
    image = {
        'grey PNG': Image.fromarray(GREY),
        'grey JPEG': Image.fromarray(GREY),
        'equal channels PNG': Image.fromarray(np.dstack([GREY] * 3)),
        'equal channels JPEG': Image.fromarray(np.dstack([GREY] * 3)),
        'colour PNG': rgb,
        'colour JPEG': rgb,
        '16-bit PNG': Image.fromarray(GREY.astype(np.uint16) * 200),
        'RGBA PNG': rgb.convert('RGBA'),
        'palette PNG': rgb.convert('P'),
        'grey palette PNG': Image.fromarray(GREY).convert('P'),
        'grey alpha PNG': Image.fromarray(GREY).convert('LA'),
        '1-bit PNG': Image.fromarray(GREY).convert('1'),
    }[kind]
    image.save(path)
    return str(path)


KINDS = ['grey PNG', 'grey JPEG', 'equal channels PNG', 'equal channels JPEG', 'colour PNG',
         'colour JPEG', '16-bit PNG', 'RGBA PNG', 'palette PNG', 'grey palette PNG',
         'grey alpha PNG', '1-bit PNG', 'EXIF JPEG']  # fmt: skip
OPTIONS = [{}, {'to_float32': True}, {'color_type': 'grayscale'}, {'color_type': 'unchanged'},
           {'color_type': 'color_ignore_orientation'}, {'imdecode_backend': 'pillow'}]  # fmt: skip


@pytest.mark.parametrize('options', OPTIONS, ids=str)
@pytest.mark.parametrize('kind', KINDS)
def test_same_as_the_hosts_loader_without_cache_when_filled_and_when_read(tmp_path, kind, options):
    path = write(tmp_path, kind)
    expected = LoadImageFromFile(**options)({'img_path': path})
    plain = LoadCachedImage(**options)
    cached = LoadCachedImage(cache_dir=str(tmp_path / 'cache'), **options)
    for loader in (plain, cached, cached):
        found = loader({'img_path': path})
        assert found.keys() == expected.keys()
        assert found['img'].dtype == expected['img'].dtype
        assert np.array_equal(found['img'], expected['img'])
        assert found['img_shape'] == expected['img_shape'] == found['ori_shape']
    assert len(list((tmp_path / 'cache').iterdir())) == 1


@pytest.mark.parametrize('kind', ['grey PNG', 'colour PNG'])
def test_the_second_reading_decodes_nothing_and_a_new_file_does(tmp_path, kind, monkeypatch):
    path = write(tmp_path, kind)
    loader = LoadCachedImage(cache_dir=str(tmp_path / 'cache'))
    decode, calls = mmcv.imfrombytes, []
    monkeypatch.setattr(mmcv, 'imfrombytes', lambda *a, **k: calls.append(1) or decode(*a, **k))
    first = loader({'img_path': path})['img']
    assert np.array_equal(pickle.loads(pickle.dumps(loader))({'img_path': path})['img'], first)
    assert len(calls) == 1
    cv2.imwrite(path, 255 - first)
    assert np.array_equal(loader({'img_path': path})['img'], 255 - first)
    assert len(calls) == 2


@pytest.mark.parametrize('cache', [False, True])
@pytest.mark.parametrize(
    'kind, channels',
    [('grey PNG', 1), ('equal channels PNG', 1), ('colour PNG', 3), ('grey palette PNG', 1)],
)
def test_grey_is_kept_as_one_channel(tmp_path, kind, channels, cache):
    path = write(tmp_path, kind)
    loader = LoadCachedImage(grey='keep', cache_dir=str(tmp_path / 'cache') if cache else None)
    for _ in range(2):
        found = loader({'img_path': path})
        assert found['img'].shape == ((48, 64) if channels == 1 else (48, 64, 3))
        assert np.array_equal(ExpandGrey()(found)['img'], cv2.imread(path))


@pytest.mark.parametrize('channel', [None, 0, 1, 2])
def test_one_pixel_in_one_channel_makes_an_image_colour(channel):
    img = np.dstack([GREY] * 3)
    if channel is not None:
        img[20, 30, channel] ^= 1
    found = one_channel_if_grey(img)
    assert np.array_equal(found, GREY if channel is None else img)
    assert found.ndim == (2 if channel is None else 3)


STEPS = [
    {'type': 'Brightness', 'prob': 1.0, 'min_mag': 0.7, 'max_mag': 1.3},
    {'type': 'RandomResize', 'scale': (96, 96), 'ratio_range': (0.8, 1.25), 'keep_ratio': True},
    {'type': 'RandomCrop', 'crop_size': (80, 80), 'allow_negative_crop': True},
    {'type': 'Pad', 'size': (100, 100)},
    {'type': 'RandomFlip', 'prob': 0.5},
]


@pytest.mark.parametrize('kind', ['grey PNG', 'colour PNG'])
def test_one_channel_through_mmdetections_transforms_gives_the_same_input(tmp_path, kind):
    register_all_modules()
    path = write(tmp_path, kind)
    fields = {'img_path': path, 'gt_bboxes_labels': np.zeros(1, np.int64)}
    pack = {'type': 'PackDetInputs', 'meta_keys': ()}
    late = [{'type': 'LoadCachedImage', 'grey': 'keep'}, *STEPS, {'type': 'ExpandGrey'}, pack]
    early = [{'type': 'LoadImageFromFile'}, *STEPS, pack]
    for seed in range(5):
        inputs = []
        for steps in (late, early):
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002 (the generator that MMCV's transforms draw from)
            pipeline = Compose([MMDET_TRANSFORMS.build(dict(step)) for step in steps])
            inputs.append(pipeline(dict(fields))['inputs'])
        assert inputs[0].shape == (3, 100, 100) and inputs[0].is_contiguous()
        assert inputs[0].equal(inputs[1])


@pytest.mark.parametrize('scope', ['mmdet', 'mmpretrain'])
def test_every_host_finds_it(scope):
    if scope == 'mmpretrain':
        pytest.importorskip('mmpretrain')
        from mmpretrain.registry import TRANSFORMS
    else:
        TRANSFORMS = MMDET_TRANSFORMS  # noqa: N806
    with DefaultScope.overwrite_default_scope(scope):
        assert isinstance(TRANSFORMS.build({'type': 'LoadCachedImage'}), LoadCachedImage)


@pytest.mark.parametrize(
    'max_side, shape',
    [
        pytest.param(32, (24, 32), id='half'),
        pytest.param(50, (38, 50), id='37.5 rounds up'),
        pytest.param(64, (48, 64), id='fits'),
        pytest.param(1000, (48, 64), id='never enlarged'),
    ],
)
def test_large_images_are_shrunk_with_their_boxes(tmp_path, max_side, shape):
    path = write(tmp_path, 'grey PNG')
    loader = LoadCachedImage(cache_dir=str(tmp_path / 'cache'), max_side=max_side)
    box = [6.4, 4.8, 32, 48]
    given = {'img_path': path, 'instances': [{'bbox': box, 'bbox_label': 2, 'ignore_flag': 0}]}
    expected = cv2.resize(cv2.imread(path), shape[::-1], interpolation=cv2.INTER_LINEAR)
    for _ in range(2):
        found = loader(given)
        assert (found['img_shape'], found['ori_shape']) == (shape, (48, 64))
        assert np.array_equal(found['img'], expected)
        (instance,) = found['instances']
        scale = [shape[1] / 64, shape[0] / 48] * 2
        assert instance['bbox'] == pytest.approx([v * s for v, s in zip(box, scale, strict=True)])
        assert instance['bbox_label'] == 2
    assert given['instances'][0]['bbox'] == box  # what the data set holds stays


def test_masks_cannot_be_shrunk(tmp_path):
    given = {'img_path': write(tmp_path, 'grey PNG'), 'instances': [{'bbox': [0] * 4, 'mask': []}]}
    with pytest.raises(ValueError, match='masks; expected boxes only'):
        LoadCachedImage(max_side=32)(given)


@pytest.mark.parametrize('cache', [False, True])
@pytest.mark.parametrize(
    'kind, keep, word',
    [
        pytest.param('grey JPEG', 0.6, 'a truncated image', id='cut JPEG'),
        pytest.param('grey PNG', 0.6, 'a truncated image', id='cut PNG'),
        pytest.param('grey PNG', 0, 'does not decode', id='empty'),
        pytest.param('grey PNG', None, 'no such file', id='missing'),
    ],
)
def test_broken_image_is_one_line_and_never_kept(tmp_path, kind, keep, word, cache):
    path = write(tmp_path, kind)
    content = open(path, 'rb').read()  # noqa: SIM115, PTH123
    if keep is None:
        path += '.none'
    else:
        open(path, 'wb').write(content[: int(len(content) * keep)])  # noqa: SIM115, PTH123
    folder = tmp_path / 'cache'
    loader = LoadCachedImage(cache_dir=str(folder) if cache else 'none')
    for _ in range(2):
        with pytest.raises(InputError, match=word) as error:
            loader({'img_path': path})
        assert str(error.value).startswith(path) and '\n' not in str(error.value)
    assert not folder.exists()


@pytest.mark.parametrize('cache', ['none', 'cache'])
def test_an_image_that_breaks_later_is_found(tmp_path, monkeypatch, cache):
    monkeypatch.chdir(tmp_path)
    path, loader = write(tmp_path, 'grey JPEG'), LoadCachedImage(cache_dir=cache)
    loader({'img_path': path})
    with open(path, 'r+b') as file:  # noqa: PTH123
        file.truncate(500)
    with pytest.raises(InputError, match='a truncated image'):
        loader({'img_path': path})


def test_broken_image_is_left_out_on_demand(tmp_path):
    loader = LoadCachedImage(ignore_empty=True, cache_dir=str(tmp_path / 'cache'))
    assert loader({'img_path': str(tmp_path / 'none.png')}) is None


def test_an_image_of_another_store_is_not_cached(tmp_path, monkeypatch):
    content = open(write(tmp_path, 'grey PNG'), 'rb').read()  # noqa: SIM115, PTH123
    monkeypatch.setattr('mmengine.fileio.get', lambda *a, **k: content)
    loader = LoadCachedImage(cache_dir=str(tmp_path / 'cache'))
    found = loader({'img_path': 's3://bucket/a.png'})
    assert np.array_equal(found['img'], np.dstack([GREY] * 3))
    assert not (tmp_path / 'cache').exists()


@pytest.mark.parametrize('wrong', [{'grey': 'no'}, {'max_mb': 0}, {'max_side': 0}], ids=str)
def test_impossible_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match='LoadCachedImage: found .*; expected .*; correct'):
        LoadCachedImage(**wrong)


class Images(Dataset):
    """Paths through the loader, as a data set's pipeline does it."""

    def __init__(self, paths, loader):
        self.paths, self.loader = paths, loader

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        return self.loader({'img_path': self.paths[i]})['img']


def test_workers_share_the_folder(tmp_path):
    paths = [write(tmp_path, kind) for kind in KINDS if kind != 'EXIF JPEG']
    images = Images(paths, LoadCachedImage(cache_dir=str(tmp_path / 'cache')))
    images = pickle.loads(pickle.dumps(images))  # as a worker that is spawned gets it
    workers = DataLoader(images, batch_size=4, num_workers=2, persistent_workers=True)
    expected = np.stack([cv2.imread(path) for path in paths])
    for _ in range(2):
        assert np.array_equal(np.concatenate([batch.numpy() for batch in workers]), expected)
    assert len(list((tmp_path / 'cache').iterdir())) == len(paths)
