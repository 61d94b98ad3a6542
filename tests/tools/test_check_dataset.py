"""tools/check_dataset.py from the command line: a clean set, and each thing that spoils it."""

import csv
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmdet_liver import taxonomy
from mmdet_liver.errors import InputError
from mmdet_liver.preparation.manifest import Record, write_manifest

TOOL = Path(__file__).parents[2] / 'tools/check_dataset.py'
SPLITS = ('train', 'val', 'test')


def main_of(tool):
    spec = importlib.util.spec_from_file_location(f'{tool.stem}_tool', tool)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture(scope='module')
def main():
    return main_of(TOOL)


def write_image(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 10), dtype=np.uint8)
    Image.fromarray(coarse).resize((100, 80), Image.Resampling.BICUBIC).save(path)


@pytest.fixture(scope='module')
def clean_set(tmp_path_factory):
    """Three splits as the preparation writes them, four images of two patients in each."""
    folder = tmp_path_factory.mktemp('clean')
    number = 0
    for split in SPLITS:
        images, annotations = [], []
        for patient in (f'{split} 1', f'{split} 2'):
            for _ in range(2):
                number += 1
                name = f'{number:02d}/患者 {number}.png'
                write_image(folder / 'images' / name, number)
                images.append(
                    {'id': number, 'file_name': name, 'width': 100, 'height': 80}
                    | {'patient_id': patient, 'cluster_id': f'C{patient}'}
                )
                annotations.append(
                    {'id': number, 'image_id': number, 'category_id': 2, 'iscrowd': 0}
                    | {'bbox': [10, 20, 30, 40], 'area': 1200, 'ignore': 0}
                )
        content = {
            'info': {'split': split, 'split_sha256': 'f00'},
            'images': images,
            'annotations': annotations,
            'categories': taxonomy.coco_categories(taxonomy.LIVER),
        }
        for name in (split, f'{split}_truth'):
            (folder / 'annotations').mkdir(exist_ok=True)
            (folder / f'annotations/{name}.json').write_text(json.dumps(content))
    return folder


@pytest.fixture
def folder(clean_set, tmp_path):
    return Path(shutil.copytree(clean_set, tmp_path / 'set'))


def files(folder, *names):
    names = names or [f'{split}{end}' for split in SPLITS for end in ('', '_truth')]
    return [str(folder / f'annotations/{name}.json') for name in names]


def test_a_clean_set(main, folder, capsys, tmp_path):
    report = tmp_path / 'findings.csv'
    assert main([*files(folder), '--report', str(report)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == (
        '6 annotation files, 24 images (12 files opened), 24 annotations; errors: 0, warnings: 0'
    )
    assert report.read_text().splitlines() == ['kind,severity,file,image,annotation,message,remedy']


def test_what_the_preparation_writes_is_clean(main, tmp_path, capsys):
    records = []
    for i in range(20):
        write_image(tmp_path / f'raw/{i}.png', i)
        record = Record(f'{i}.png', f'p{i // 2}', diagnosis='HCC', box=(10.0, 20.0, 30.0, 40.0))
        records += [record, replace(record, diagnosis='cyst', box=(50.0, 20.0, 101.0, 40.0))]
    # Two patients' images that look alike, kept, so that they must not part in the split.
    copy_with_a_change(tmp_path / 'raw/0.png', tmp_path / 'raw/19.png')
    write_manifest(tmp_path / 'raw/manifest.csv', records)
    prepare = ['--of-a-cluster', 'keep-all', '--skip', 'size', 'marks']
    argv = [str(tmp_path / 'raw/manifest.csv'), '--out', str(tmp_path / 'out'), *prepare]
    main_of(TOOL.with_name('prepare_data.py'))(argv)
    capsys.readouterr()
    assert main(files(tmp_path / 'out', *SPLITS)) == 0
    assert capsys.readouterr().out.endswith('40 annotations; errors: 0, warnings: 0\n')


def change(folder, split, edit):
    path = folder / f'annotations/{split}.json'
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def set_in(section, number, **values):
    return lambda folder: change(folder, 'val', lambda c: c[section][number].update(values))


def drop(section):
    return lambda folder: change(folder, 'val', lambda c: c.update({section: []}))


def twice(section):
    return lambda folder: change(folder, 'val', lambda c: c[section].append(c[section][0]))


def copy_of_train(folder):
    shutil.copy(folder / 'images/01/患者 1.png', folder / 'images/05/患者 5.png')


def copy_with_a_change(source, target):
    with Image.open(source) as image:
        image.point(lambda value: min(255, value + 4)).save(target)


def like_train(folder):
    copy_with_a_change(folder / 'images/01/患者 1.png', folder / 'images/05/患者 5.png')


def unlike_in_diagnosis(folder):
    change(folder, 'val', lambda c: c['annotations'][0].update(category_id=1))


def without_patients(folder):
    def edit(content):
        for image in content['images']:
            del image['patient_id'], image['cluster_id']
            image['study_id'] = 'S1'

    for split in ('train', 'val'):
        change(folder, split, edit)


def cut_off(folder):
    path = folder / 'images/05/患者 5.png'
    path.write_bytes(path.read_bytes()[:-40])


TRAIN_IMAGE = {'file_name': '01/患者 1.png'}
SPOILT = [
    pytest.param(set_in('images', 0, patient_id='train 1'), 'patient leak', id='patient'),
    pytest.param(without_patients, 'study leak', id='study'),
    pytest.param(set_in('images', 0, cluster_id='Ctrain 1'), 'cluster leak', id='cluster'),
    pytest.param(set_in('images', 0, **TRAIN_IMAGE), 'image leak', id='image'),
    pytest.param(copy_of_train, 'copy leak', id='copy'),
    pytest.param(like_train, 'look-alike leak', id='look-alike'),
    pytest.param(drop('images'), 'no images', id='no images'),
    pytest.param(drop('categories'), 'no categories', id='no categories'),
    pytest.param(set_in('images', 0, width=None), 'broken entry', id='broken entry'),
    pytest.param(twice('annotations'), 'id twice', id='id twice'),
    pytest.param(twice('images'), 'image named twice', id='image twice'),
    pytest.param(set_in('annotations', 0, image_id=99), 'unknown image', id='unknown image'),
    pytest.param(set_in('annotations', 0, category_id=9), 'unknown category', id='category'),
    pytest.param(set_in('categories', 0, name='Zyste'), 'unknown class', id='class'),
    pytest.param(
        set_in('categories', 0, supercategory='liver'), 'wrong supercategory', id='supercategory'
    ),
    pytest.param(set_in('categories', 0, name='HCC'), 'class named twice', id='class twice'),
    pytest.param(set_in('categories', 0, id=7), 'class ids differ', id='class ids'),
    pytest.param(set_in('annotations', 0, bbox=[1, 2]), 'no box', id='no box'),
    pytest.param(
        set_in('annotations', 0, bbox=[1, 2, float('nan'), 3]), 'box not finite', id='NaN'
    ),
    pytest.param(set_in('annotations', 0, bbox=[1, 2, 0, 3]), 'box without area', id='area'),
    pytest.param(set_in('annotations', 0, bbox=[90, 2, 20, 3]), 'box outside', id='outside'),
    pytest.param(
        set_in('images', 0, file_name='../x.png'), 'path outside the folder', id='path outside'
    ),
    pytest.param(set_in('images', 0, file_name='x.png'), 'missing image', id='missing'),
    pytest.param(cut_off, 'damaged image', id='damaged'),
    pytest.param(set_in('images', 0, width=101), 'size differs', id='size'),
]


@pytest.mark.parametrize('spoil, kind', SPOILT)
def test_each_thing_that_spoils_a_set_is_an_error(main, folder, tmp_path, capsys, spoil, kind):
    spoil(folder)
    report = tmp_path / 'findings.csv'
    assert main([*files(folder, *SPLITS), '--report', str(report)]) == 1
    with report.open(encoding='utf-8', newline='') as file:
        found = [row for row in csv.DictReader(file) if row['kind'] == kind]
    assert found and all(row['severity'] == 'error' for row in found)
    assert f'error    {kind}' in capsys.readouterr().out


@pytest.mark.parametrize(
    'spoil, kind',
    [
        pytest.param(unlike_in_diagnosis, 'contradicting diagnoses', id='diagnoses'),
        pytest.param(
            set_in('annotations', 0, bbox=[0, 0, 100, 80]), 'box of the whole image', id='whole'
        ),
        pytest.param(set_in('annotations', 0, image_id=6), 'equal boxes', id='equal boxes'),
        pytest.param(set_in('images', 0, patient_id=None), 'patients unknown', id='patient'),
    ],
)
def test_what_is_only_in_doubt_does_not_fail(main, folder, capsys, spoil, kind):
    spoil(folder)
    assert main(files(folder, *SPLITS)) == 0
    shown = capsys.readouterr().out
    assert f'warning  {kind}' in shown and 'errors: 0, warnings: 1' in shown


def test_all_problems_are_found_at_once(main, folder, capsys):
    for spoil in (SPOILT[0], SPOILT[5], SPOILT[20], SPOILT[23]):
        spoil.values[0](folder)
    cut_off(folder)
    assert main(files(folder)) == 1
    shown = capsys.readouterr().out
    for kind in ('patient leak', 'box outside', 'damaged image'):
        assert f'error    {kind}' in shown


def test_without_pixels_no_image_is_opened(main, folder, capsys):
    shutil.rmtree(folder / 'images')
    assert main([*files(folder), '--no-pixels']) == 0
    assert '24 images (not opened)' in capsys.readouterr().out
    set_in('images', 0, **TRAIN_IMAGE)(folder)
    assert main([*files(folder, *SPLITS), '--no-pixels']) == 1
    assert 'error    image leak' in capsys.readouterr().out


def test_distance_decides_who_looks_alike(main, folder, capsys):
    first, fifth = folder / 'images/01/患者 1.png', folder / 'images/05/患者 5.png'
    with Image.open(first) as one, Image.open(fifth) as other:
        Image.blend(one, other, 0.2).save(fifth)

    def check(distance):
        status = main([*files(folder, *SPLITS), '--max-distance', str(distance)])
        return status, capsys.readouterr().out

    status, shown = check(14)
    assert status == 1 and 'look-alike leak       1' in shown
    distance = int(re.search(r'distance (\d+) to', shown)[1])
    assert 0 < distance <= 14
    assert check(distance)[0] == 1
    assert check(distance - 1)[0] == 0


def test_images_in_another_place(main, folder, tmp_path, capsys):
    (folder / 'images').rename(tmp_path / 'elsewhere')
    with pytest.raises(InputError, match='give --image-root'):
        main(files(folder))
    assert main([*files(folder), '--image-root', str(tmp_path / 'elsewhere')]) == 0


def test_from_within_the_folder_of_annotations(main, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder / 'annotations')
    assert main(['train.json', 'val.json']) == 0
    assert '(8 files opened)' in capsys.readouterr().out


def test_a_file_given_twice_is_one(main, folder, capsys):
    assert main(files(folder, 'train', 'train')) == 0
    assert capsys.readouterr().out.startswith('1 annotation files, 4 images')


def test_a_foreign_file_of_the_same_split_does_leak(main, folder, capsys):
    change(folder, 'test_truth', lambda content: content.pop('info'))
    assert main(files(folder, 'test', 'test_truth')) == 1
    shown = capsys.readouterr().out
    assert 'image leak         4' in shown


def test_a_report_does_not_replace_annotations(main, folder):
    path = files(folder, 'val')[0]
    before = Path(path).read_bytes()
    with pytest.raises(InputError, match='as --report'):
        main([path, '--report', path])
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize(
    'argv, status, shown',
    [
        pytest.param(['val'], 0, '', id='clean'),
        pytest.param(['val', 'val_broken'], 1, '', id='errors'),
        pytest.param(['nowhere'], 2, 'nowhere.json: found no such file', id='no such file'),
    ],
)
def test_exit_status_as_a_process(folder, argv, status, shown):
    shutil.copy(folder / 'annotations/val.json', folder / 'annotations/val_broken.json')
    change(folder, 'val_broken', lambda content: content['annotations'][0].update(bbox=[]))
    done = subprocess.run(
        [sys.executable, TOOL, *files(folder, *argv)], capture_output=True, text=True
    )
    assert done.returncode == status and 'Traceback' not in done.stderr
    assert shown in done.stderr and len(done.stderr.splitlines()) == bool(shown)


def test_neither_torch_nor_mmdet_is_imported(folder):
    code = (
        f'import runpy, sys; sys.argv = ["check", *{files(folder, "val")!r}]\n'
        f'try:\n    runpy.run_path({str(TOOL)!r}, run_name="__main__")\n'
        'except SystemExit as done:\n    assert not done.code\n'
        'print(sorted({"torch", "mmdet", "mmcv", "mmengine"} & set(sys.modules)))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == '[]'
