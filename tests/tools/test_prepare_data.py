import csv
import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.manifest import Record, read_manifest, write_manifest

TOOL = Path(__file__).parents[2] / 'tools/prepare_data.py'
DIAGNOSES = ('cyst', 'HCC', 'hemangioma', 'Meta')
BOX = (10.0, 20.0, 30.0, 40.0)
# For tests of the COCO files alone: the images are too small and too smooth for the rest.
PLAIN = ('--skip', 'size', 'near-duplicates', 'marks', '--max-pages', '0')


@pytest.fixture(scope='module')
def main():
    spec = importlib.util.spec_from_file_location('prepare_data_tool', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def rows(leave_out=False):
    """Four patients a diagnosis, four without; the second lesions may be left out."""
    records = []
    for i, diagnosis in enumerate((*DIAGNOSES, None) * 4):
        image = {'patient_id': f'p{i:02d}', 'age': 40 + i, 'sex': 'MF'[i % 2]}
        for frame in range(2):
            path = f'raw data/患者{i:02d}/it\'s "{frame}".png'
            if diagnosis is None:
                records.append(Record(path, **image, fully_annotated=True))
                continue
            records.append(Record(path, **image, diagnosis=diagnosis, box=BOX))
            if frame == 0 and not leave_out:
                second = (100.0, 50.0, 160.0, 90.0)
                records.append(Record(path, **image, diagnosis=diagnosis, box=second))
    return records


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / 'raw'
    rng = np.random.default_rng(0)
    for path in sorted({r.image_path for r in rows()}):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        pixels = cv2.resize(rng.integers(0, 256, (12, 16), dtype=np.uint8), (160, 120))
        cv2.imwrite(str(folder / path), pixels)
    write_manifest(folder / 'manifest.csv', rows(leave_out=True))
    write_manifest(folder / 'truth.csv', rows())
    return folder


def load(out):
    return {p.stem: json.loads(p.read_text()) for p in sorted((out / 'annotations').iterdir())}


def content(folder):
    """What a user has: every file but those kept for the next run."""
    files = (p.relative_to(folder) for p in folder.rglob('*') if p.is_file())
    return {path: (folder / path).read_bytes() for path in files if path.parts[0] != '.work'}


def test_manifest_becomes_a_coco_data_set(main, raw, tmp_path, capsys):
    out = tmp_path / 'out'
    main([str(raw / 'manifest.csv'), '--out', str(out), *PLAIN])
    files = load(out)
    assert list(files) == ['test', 'train', 'val']
    split = {row['patient_id']: row['split'] for row in csv.DictReader((out / 'split.csv').open())}
    ids = []
    for name, coco in files.items():
        for image in coco['images']:
            assert split[image['patient_id']] == name
            # Byte for byte what it was, under the manifest's own path.
            path = image['file_name']
            assert (out / 'images' / path).read_bytes() == (raw / path).read_bytes()
            assert (image['width'], image['height']) == (160, 120)
        # Four patients of each kind: every kind is in every split.
        assert {a['category_id'] for a in coco['annotations']} == {1, 2, 3, 4}
        assert all(a['bbox'] == [10, 20, 20, 20] for a in coco['annotations'])
        assert coco['info']['split'] == name
        ids += [image['id'] for image in coco['images']]
    assert sorted(ids) == list(range(1, 41))
    assert len({coco['info']['split_sha256'] for coco in files.values()}) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ['split', 'groups', 'patients', 'images', 'lesion-free', *DIAGNOSES]
    assert shown[1].split() == ['train', '10', '10', '20', '4', '4', '4', '4', '4']


def test_truth_is_of_the_same_images_with_every_lesion(main, raw, tmp_path, capsys):
    out = tmp_path / 'out'
    argv = [str(raw / 'manifest.csv'), '--truth', str(raw / 'truth.csv'), *PLAIN]
    main([*argv, '--out', str(out), '--indent'])
    files = load(out)
    for name in ('train', 'val', 'test'):
        short, full = files[name], files[f'{name}_truth']
        assert full['images'] == short['images']
        # Each of the lesion images' first frames has one more.
        with_lesions = len({a['image_id'] for a in short['annotations']})
        assert len(full['annotations']) == len(short['annotations']) + with_lesions // 2
    assert '4/6' in capsys.readouterr().out


def test_run_again_changes_no_byte_and_leaves_no_stale_truth(main, raw, tmp_path):
    out = tmp_path / 'out'
    argv = [str(raw / 'manifest.csv'), '--out', str(out), *PLAIN]
    main(argv)
    first = content(out)
    main([*argv, '--truth', str(raw / 'truth.csv'), '--max-side', '64', '--seed', '5'])
    assert content(out).keys() > first.keys()
    main(argv)
    assert content(out) == first


def test_shrunk_copies_take_their_boxes_along(main, raw, tmp_path):
    out = tmp_path / 'out'
    main([str(raw / 'manifest.csv'), '--out', str(out), '--max-side', '50', *PLAIN])
    coco = load(out)['train']
    image = coco['images'][0]
    path = image['file_name']
    expected = cv2.resize(
        cv2.imread(str(raw / path), cv2.IMREAD_UNCHANGED), (50, 38), interpolation=cv2.INTER_AREA
    )
    found = cv2.imread(str(out / 'images' / path), cv2.IMREAD_UNCHANGED)
    assert (image['width'], image['height']) == (50, 38)
    assert found.shape == expected.shape and (found == expected).all()
    x_scale, y_scale = 50 / 160, 38 / 120
    box = [10 * x_scale, 20 * y_scale, 20 * x_scale, 20 * y_scale]
    assert coco['annotations'][0]['bbox'] == pytest.approx(box, abs=2e-3)
    assert cv2.imread(str(raw / path)).shape == (120, 160, 3)  # the source stays as it was


def test_written_manifest_describes_the_data_set_itself(main, raw, tmp_path):
    first, second = tmp_path / 'first', tmp_path / 'second'
    main([str(raw / 'manifest.csv'), '--out', str(first), '--max-side', '80', *PLAIN])
    main([str(first / 'manifest.csv'), '--out', str(second), *PLAIN])
    assert read_manifest(first / 'manifest.csv')[0].box == (5, 10, 15, 20)
    assert load(second)['val']['annotations'] == load(first)['val']['annotations']


def truncate(raw):
    path = next(raw.rglob('*.png'))
    path.write_bytes(path.read_bytes()[:-40])
    return 'does not decode'


def remove(raw):
    next(raw.rglob('*.png')).unlink()
    return 'no such file'


def outside(raw):
    change(raw, box=(100.0, 50.0, 300.0, 90.0))
    return '160x120 pixels'


def contradict(raw):
    records = read_manifest(raw / 'manifest.csv')
    write_manifest(raw / 'manifest.csv', [*records, Record(records[0].image_path, 'p99')])
    return "patient_id 'p99' and 'p00'"


def rename(raw):
    path = raw / 'manifest.csv'
    path.write_text(path.read_text().replace('hemangioma', 'haemangioma'))
    return "'haemangioma'"


def flatten(raw):
    path = raw / 'manifest.csv'
    path.write_text(path.read_text().replace('10,20,30,40', '10,20,10,40'))
    return 'no area'


def mix(raw):
    change(raw, diagnosis='benign')
    return 'the diagnoses'


def empty(raw):
    path = raw / 'manifest.csv'
    path.write_text(path.read_text().splitlines()[0] + '\n')
    return 'no rows'


def change(raw, **columns):
    records = read_manifest(raw / 'manifest.csv')
    records[0] = replace(records[0], **columns)
    write_manifest(raw / 'manifest.csv', records)


BREAKS = [truncate, remove, outside, contradict, rename, flatten, mix, empty]


@pytest.mark.parametrize('break_it', BREAKS, ids=lambda f: f.__name__)
def test_bad_input_is_one_line_and_nothing_is_written(main, raw, tmp_path, break_it):
    named = break_it(raw)
    with pytest.raises(InputError) as error:
        main([str(raw / 'manifest.csv'), '--out', str(tmp_path / 'out'), *PLAIN])
    message = str(error.value)
    assert named in message and '\n' not in message and str(raw) in message
    assert set(content(tmp_path / 'out')) <= {Path('unreadable.csv')}


def test_bad_input_leaves_the_data_set_of_an_earlier_run(main, raw, tmp_path):
    out = tmp_path / 'out'
    argv = [str(raw / 'manifest.csv'), '--out', str(out), *PLAIN]
    main(argv)
    first = content(out)
    truncate(raw)
    with pytest.raises(InputError):
        main([*argv, '--max-side', '64'])
    after = content(out)
    assert b'does not decode' in after.pop(Path('unreadable.csv'))
    assert after == first


def test_annotations_by_another_hand_are_not_replaced(main, raw, tmp_path):
    own = tmp_path / 'out/annotations/val.json'
    own.parent.mkdir(parents=True)
    own.write_text('{"info": {"description": "drawn by hand"}, "images": []}')
    before = own.read_bytes()
    with pytest.raises(InputError, match='val.json.*did not write'):
        main([str(raw / 'manifest.csv'), '--out', str(tmp_path / 'out'), *PLAIN])
    assert own.read_bytes() == before
    assert [path.name for path in (tmp_path / 'out').rglob('*') if path.is_file()] == ['val.json']


def test_disk_trouble_on_the_way_leaves_no_annotations(main, raw, tmp_path):
    out = tmp_path / 'out'
    argv = [str(raw / 'manifest.csv'), '--out', str(out), *PLAIN]
    main(argv)
    victim = next((out / 'images').rglob('*.png'))
    victim.unlink()
    victim.mkdir()  # a copy cannot be put there
    with pytest.raises(InputError, match='goes on where it was'):
        main(argv)
    assert list((out / 'annotations').iterdir()) == []
    victim.rmdir()
    main(argv)
    assert len(load(out)) == 3


def test_truth_of_another_export_is_refused(main, raw, tmp_path):
    write_manifest(raw / 'truth.csv', rows()[4:])
    argv = [str(raw / 'manifest.csv'), '--truth', str(raw / 'truth.csv'), *PLAIN]
    with pytest.raises(InputError, match='no such image'):
        main([*argv, '--out', str(tmp_path / 'out')])
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('out', ['.', 'link'])
def test_writing_over_the_source_is_refused(main, raw, out):
    (raw / 'link').symlink_to(raw, target_is_directory=True)
    before = content(raw)
    with pytest.raises(InputError, match='own folder'):
        main([str(raw / 'manifest.csv'), '--out', str(raw / out), *PLAIN])
    assert content(raw) == before


def test_boxes_far_outside_are_cut_on_demand(main, raw, tmp_path, capsys):
    outside(raw)
    argv = [str(raw / 'manifest.csv'), '--out', str(tmp_path / 'out'), '--clip-boxes', *PLAIN]
    main(argv)
    boxes = [a['bbox'] for coco in load(tmp_path / 'out').values() for a in coco['annotations']]
    assert [100, 50, 60, 40] in boxes
    assert "1 boxes were cut at the image's edge" in capsys.readouterr().out


def test_two_processes_write_the_same_and_pass_errors_on(raw, tmp_path):
    # As a user runs it: a process of its own, with few images made to be worth two workers.
    code = (
        'import runpy\n'
        'import mmdet_liver.preparation.parallel as parallel\n'
        'parallel.WORTH_A_PROCESS = 2\n'
        f"if __name__ == '__main__':\n    runpy.run_path({str(TOOL)!r}, run_name='__main__')\n"
    )
    (tmp_path / 'run.py').write_text(code)

    def run(script, out, *options):
        argv = [sys.executable, script, raw / 'manifest.csv', '--out', tmp_path / out, *PLAIN]
        return subprocess.run([*argv, *options], capture_output=True, text=True)

    assert run(TOOL, 'one', '--workers', '1').returncode == 0
    assert run(tmp_path / 'run.py', 'two', '--workers', '2').returncode == 0
    assert content(tmp_path / 'two') == content(tmp_path / 'one')
    truncate(raw)
    failed = run(tmp_path / 'run.py', 'three', '--workers', '2')
    assert failed.returncode == 2 and 'Traceback' not in failed.stderr
    assert failed.stderr.splitlines()[-1].startswith('error: ')
    assert list(content(tmp_path / 'three')) == [Path('unreadable.csv')]
