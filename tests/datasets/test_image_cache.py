"""The folder of decoded images: what it gives back, when it does not, and where it ends."""

import logging
import os
import pickle

import numpy as np
import pytest

from mmdet_liver import compat

compat.install()

from mmdet_liver.datasets.image_cache import (  # noqa: E402
    CachedImage,
    ImageCache,
    Stamp,
    folder_bytes,
)

PIXELS = np.random.default_rng(0).integers(0, 255, (30, 40), np.uint8)
IMAGE = CachedImage(PIXELS, (60, 80))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / '肝 a.png'
    path.write_bytes(b'twelve bytes')
    return str(path)


def test_stamp_is_the_files_time_and_size(source):
    os.utime(source, ns=(0, 1234567890123456789))
    assert Stamp.of(source) == (1234567890123456789, 12)
    assert Stamp.of(source + '.none') is None


@pytest.mark.parametrize('pixels', [PIXELS, np.dstack([PIXELS] * 3), PIXELS.astype(np.float32)])
def test_what_was_kept_comes_back_and_may_be_written_to(tmp_path, source, pixels):
    stamp = Stamp.of(source)
    ImageCache(tmp_path / 'cache', 1).store(source, stamp, CachedImage(pixels, (60, 80)))
    found = pickle.loads(pickle.dumps(ImageCache(tmp_path / 'cache', 1))).load(source, stamp)
    assert found.ori_shape == (60, 80)
    assert found.pixels.dtype == pixels.dtype and np.array_equal(found.pixels, pixels)
    found.pixels[:] = 0  # a transform may; the kept image stays
    again = ImageCache(tmp_path / 'cache', 1).load(source, stamp)
    assert np.array_equal(again.pixels, pixels)


def test_another_time_size_source_or_variant_is_not_there(tmp_path, source):
    cache, stamp = ImageCache(tmp_path / 'cache', 1, 'color'), Stamp(5, 12)
    cache.store(source, stamp, IMAGE)
    assert cache.load(source, stamp) is not None
    assert cache.load(source, Stamp(6, 12)) is None
    assert cache.load(source, Stamp(5, 13)) is None
    assert cache.load(source + 'b', stamp) is None
    assert ImageCache(tmp_path / 'cache', 1, 'grey').load(source, stamp) is None


def test_a_changed_source_takes_the_place_of_the_old_one(tmp_path, source):
    cache = ImageCache(tmp_path / 'cache', 1)
    for size in (12, 13):
        cache.store(source, Stamp(5, size), IMAGE)
    assert len(list(cache.folder.iterdir())) == 1
    assert cache.load(source, Stamp(5, 12)) is None


@pytest.mark.parametrize('damage', [b'', bytes(10), bytes(32), bytes(500), 'cut'], ids=repr)
def test_damaged_file_is_made_again(tmp_path, source, damage):
    cache, stamp = ImageCache(tmp_path / 'cache', 1), Stamp.of(source)
    cache.store(source, stamp, IMAGE)
    (file,) = cache.folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] if damage == 'cut' else damage)
    assert cache.load(source, stamp) is None
    cache.store(source, stamp, IMAGE)
    assert file.read_bytes() == whole


def test_only_the_owner_may_look_into_the_folder(tmp_path, source):
    cache = ImageCache(tmp_path / 'cache', 1)
    cache.store(source, Stamp.of(source), IMAGE)
    if os.name == 'posix':
        assert cache.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize('processes', [1, 4])
def test_the_limit_holds_and_is_told_once(tmp_path, caplog, processes):
    limit = 40_000  # 29 files of 1200 pixels and their 160 bytes of header
    caches = [ImageCache(tmp_path / 'cache', limit / 1e6) for _ in range(processes)]
    with caplog.at_level(logging.WARNING, logger='mmengine'):
        logging.getLogger('mmengine').addHandler(caplog.handler)
        for i in range(100):
            caches[i % processes].store(f'/image/{i}', Stamp(0, i), IMAGE)
        logging.getLogger('mmengine').removeHandler(caplog.handler)
    kept = [i for i in range(100) if caches[0].load(f'/image/{i}', Stamp(0, i))]
    assert limit - 1400 < folder_bytes(tmp_path / 'cache') <= limit
    assert kept == list(range(29))  # the first stay
    assert all(cache._closed for cache in caches)


def test_one_folder_is_measured_rarely(tmp_path, monkeypatch):
    from mmdet_liver.datasets import image_cache

    calls = []
    monkeypatch.setattr(image_cache, 'folder_bytes', lambda f: calls.append(f) or 0)
    cache = ImageCache(tmp_path / 'cache', 1)  # 1/64 of the room: 11 images
    for i in range(110):
        cache.store(f'/image/{i}', Stamp(0, i), IMAGE)
    assert len(calls) <= 11


def test_a_folder_that_cannot_be_written_to_does_not_stop_the_training(tmp_path, source):
    (tmp_path / 'cache').write_text('a file')
    cache, stamp = ImageCache(tmp_path / 'cache', 1), Stamp.of(source)
    cache.store(source, stamp, IMAGE)
    assert cache.load(source, stamp) is None and cache._closed


def test_a_file_in_use_that_cannot_be_replaced_is_left(tmp_path, source, monkeypatch):
    cache, stamp = ImageCache(tmp_path / 'cache', 1), Stamp.of(source)
    cache.store(source, stamp, IMAGE)
    monkeypatch.setattr('pathlib.Path.replace', lambda *a: (_ for _ in ()).throw(PermissionError()))
    cache.store(source, stamp, IMAGE)
    assert not cache._closed and cache.load(source, stamp) is not None
