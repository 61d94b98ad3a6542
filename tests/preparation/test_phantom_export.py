"""The phantom's folder: same bytes, a truth that holds the manifest, a hospital's disorder."""

import hashlib
import importlib.util
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.manifest import Record, read_manifest
from mmdet_liver.preparation.phantom import export
from mmdet_liver.preparation.phantom.export import annotate, make_phantom
from mmdet_liver.preparation.phantom.frames import patient_frames

PATIENTS, SEED = 12, 5


@pytest.fixture(scope='module')
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp('phantom') / 'export'
    make_phantom(folder, PATIENTS, SEED)
    return folder


@pytest.fixture(scope='module')
def truth(out):
    return read_manifest(out / 'truth.csv')


@pytest.fixture(scope='module')
def manifest(out):
    return read_manifest(out / 'manifest.csv')


@pytest.fixture(scope='module')
def images(out, truth):
    paths = sorted({r.image_path for r in truth})
    return {p: cv2.imread(str(out / p), cv2.IMREAD_UNCHANGED) for p in paths}


def hashes(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob('*') if p.is_file())
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files
    }


def lesions(records: list[Record]) -> set:
    return {(r.image_path, r.diagnosis, r.box) for r in records if r.box}


def test_two_workers_write_the_same_bytes_as_one(out, tmp_path):
    make_phantom(tmp_path / 'again', PATIENTS, SEED, workers=2)
    assert hashes(tmp_path / 'again') == hashes(out)


def test_another_seed_gives_other_images(out, tmp_path):
    make_phantom(tmp_path / 'other', 1, SEED + 1)
    ours, others = hashes(out), hashes(tmp_path / 'other')
    assert not set(ours.values()) & set(others.values())


def test_files_are_those_of_the_truth_and_nothing_else(out, truth):
    listed = {r.image_path for r in truth}
    assert set(hashes(out)) == listed | {'manifest.csv', 'truth.csv'}


def test_truth_holds_the_manifest_and_more(truth, manifest):
    assert {r.image_path for r in manifest} == {r.image_path for r in truth}
    assert lesions(manifest) < lesions(truth)
    assert all(r.fully_annotated for r in truth)


def test_only_certified_lesion_free_images_are_called_complete(truth, manifest):
    with_lesions = {r.image_path for r in truth if r.box}
    certified = {r.image_path for r in manifest if r.fully_annotated}
    assert certified
    assert not certified & with_lesions


def test_boxes_lie_inside_their_images(truth, images):
    for record in (r for r in truth if r.box):
        height, width = images[record.image_path].shape[:2]
        x0, y0, x1, y1 = record.box
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert (x1 - x0) / width > 0.04


def test_images_are_8_bit_gray_or_truly_coloured(images):
    assert all(image.dtype == np.uint8 for image in images.values())
    coloured = [p for p, i in images.items() if i.ndim == 3]
    assert 0 < len(coloured) < len(images)
    for image in (images[p] for p in coloured if p.endswith('.png')):
        assert np.ptp(image.astype(int), axis=2).max() > 40


def test_sizes_are_mixed_and_some_are_small(images):
    sizes = Counter(image.shape[:2] for image in images.values())
    small = sum(n for (height, width), n in sizes.items() if min(height, width) <= 400)
    assert len(sizes) >= 4
    assert 0 < small < len(images) / 2


def test_most_images_have_lesions_and_some_none(truth, images):
    free = sum(r.box is None for r in truth) / len(images)
    assert 0.05 < free < 0.35


def test_patients_have_one_diagnosis_and_several_images(truth):
    patients = {r.patient_id for r in truth}
    assert len(patients) == PATIENTS
    for patient in patients:
        own = [r for r in truth if r.patient_id == patient]
        assert len({r.diagnosis for r in own} - {None}) <= 1
        assert len({r.image_path for r in own}) >= 2
        assert len({(r.age, r.sex) for r in own}) == 1


def test_near_duplicates_are_the_frame_before_hardly_changed():
    frames = [f for i in range(5) for f in patient_frames(SEED, i)[1]]
    pairs = [(a, b) for a, b in zip(frames[:-1], frames[1:], strict=True) if b.near_duplicate]
    assert pairs
    for first, second in pairs:
        assert first.diagnoses == second.diagnoses
        np.testing.assert_allclose(
            np.reshape(first.boxes, (-1, 4)), np.reshape(second.boxes, (-1, 4)), atol=2
        )
        one, two = (cv2.resize(_gray(f.image), (32, 32), interpolation=3) for f in (first, second))
        assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.95
        assert not np.array_equal(first.image, second.image)


def _gray(image: np.ndarray) -> np.ndarray:
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


@pytest.mark.parametrize('lesion_count, share', [(1, 0.025), (3, 0.12)])
def test_share_of_lesions_left_out(lesion_count, share):
    box = (1.0, 1.0, 9.0, 9.0)
    rows = [Record('a.png', 'P', diagnosis='cyst', box=box, fully_annotated=True)] * lesion_count
    rng = np.random.default_rng(0)
    kept = [annotate(rng, rows) for _ in range(4000)]
    left = sum(len([r for r in row if r.box]) for row in kept) / (4000 * lesion_count)
    assert 1 - left == pytest.approx(share, abs=0.01)
    assert all(row[0].fully_annotated is None for row in kept)


def test_image_that_lost_all_lesions_stays_as_one_without(monkeypatch):
    monkeypatch.setattr(export, '_LEFT_OUT_SINGLE', 1.0)
    row = Record('a.png', 'P', diagnosis='cyst', box=(1, 1, 9, 9), fully_annotated=True)
    assert annotate(np.random.default_rng(0), [row]) == [Record('a.png', 'P')]


def test_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / 'mine.txt').write_text('keep')
    with pytest.raises(InputError, match='not empty.*--overwrite'):
        make_phantom(tmp_path, 1, 0)
    assert [p.name for p in tmp_path.iterdir()] == ['mine.txt']


def test_overwrite_replaces_its_own_and_keeps_foreign_files(tmp_path):
    (tmp_path / 'mine.txt').write_text('keep')
    make_phantom(tmp_path, 1, 0, overwrite=True)
    before = hashes(tmp_path)
    make_phantom(tmp_path, 1, 0, overwrite=True)
    assert hashes(tmp_path) == before
    assert (tmp_path / 'mine.txt').read_text() == 'keep'


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / 'out').write_text('')
    with pytest.raises(InputError, match='found a file'):
        make_phantom(tmp_path / 'out', 1, 0, overwrite=True)


def test_interrupted_run_has_no_manifest_and_no_half_file(tmp_path, monkeypatch):
    def fail_at_second(path, image, write=export._write_image):
        if len(list(tmp_path.rglob('*.*'))) >= 2:
            raise KeyboardInterrupt
        write(path, image)

    monkeypatch.setattr(export, '_write_image', fail_at_second)
    with pytest.raises(KeyboardInterrupt):
        make_phantom(tmp_path, 2, 0)
    left = [p for p in tmp_path.rglob('*') if p.is_file()]
    assert left
    assert all(cv2.imread(str(p)) is not None for p in left)


def test_full_disk_is_one_clear_line(tmp_path, monkeypatch):
    def no_room(path, image):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(export, '_write_image', no_room)
    with pytest.raises(InputError, match='No space left on device.*make room'):
        make_phantom(tmp_path, 1, 0)


def test_tool(tmp_path, capsys):
    path = Path(__file__).parents[2] / 'tools/make_phantom.py'
    spec = importlib.util.spec_from_file_location('make_phantom_tool', path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    tool.main([str(tmp_path / 'out'), '--patients', '2', '--seed', '3', '--workers', '1'])
    assert 'left out of the manifest' in capsys.readouterr().out
    assert read_manifest(tmp_path / 'out/manifest.csv')


@pytest.mark.parametrize('option', [['--patients', '0'], ['--seed', '-1'], ['--workers', 'x']])
def test_tool_refuses_numbers_out_of_range(tmp_path, option, capsys):
    path = Path(__file__).parents[2] / 'tools/make_phantom.py'
    spec = importlib.util.spec_from_file_location('make_phantom_tool', path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    with pytest.raises(SystemExit) as stop:
        tool.main([str(tmp_path / 'out'), *option])
    assert stop.value.code == 2
    assert not (tmp_path / 'out').exists()
