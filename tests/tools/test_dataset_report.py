import csv
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from mmdet_liver import taxonomy
from mmdet_liver.errors import InputError
from mmdet_liver.preparation.phantom.frames import patient_frames
from mmdet_liver.preparation.statistics import report

TOOL = Path(__file__).parents[2] / 'tools/dataset_report.py'
FIGURES = {
    'images_by_sex', 'age', 'image_size', 'box_share', 'box_position', 'lesions_per_image',
    'lesions_by_split', 'lesion_mm', 'aspect_ratio',
}  # fmt: skip


@pytest.fixture(scope='module')
def main():
    spec = importlib.util.spec_from_file_location('dataset_report_tool', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Five phantom patients, two frames each: three in train, two in test."""
    folder = tmp_path_factory.mktemp('data')
    categories = taxonomy.coco_categories(taxonomy.LIVER)
    ids = {category['name']: category['id'] for category in categories}
    files = {split: {'images': [], 'annotations': []} for split in ('train', 'test')}
    for index in range(5):
        patient, frames = patient_frames(0, index)
        content = files['train' if index < 3 else 'test']
        for frame, number in zip(frames, range(2), strict=False):
            name = f'{patient.patient_id}/{number}.png'
            image = {'id': 10 * index + number, 'file_name': name, 'patient_id': patient.patient_id}
            height, width = frame.image.shape[:2]
            image |= {'height': height, 'width': width, 'age': patient.age, 'sex': patient.sex}
            content['images'].append({**image, 'mm_per_pixel': frame.mm_per_pixel})
            for diagnosis, (x0, y0, x1, y1) in zip(frame.diagnoses, frame.boxes, strict=True):
                content['annotations'].append(
                    {
                        'id': len(content['annotations']),
                        'image_id': image['id'],
                        'category_id': ids[diagnosis],
                        'bbox': [x0, y0, x1 - x0, y1 - y0],
                    }
                )
            path = folder / 'images' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), frame.image)
    for split, content in files.items():
        path = folder / f'annotations/{split}.json'
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({'info': {'split': split}, **content, 'categories': categories}))
    return folder


@pytest.fixture
def few_figures(monkeypatch):
    monkeypatch.setattr(report, 'PLOTS', report.PLOTS[:2])


def annotations(data):
    return [str(data / f'annotations/{split}.json') for split in ('train', 'test')]


def content(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_report_on_a_phantom(main, data, tmp_path, capsys):
    out = tmp_path / 'report'
    main([*annotations(data), '--out', str(out), '--gallery', '2'])
    said = capsys.readouterr().out
    read = [json.loads(Path(path).read_text()) for path in annotations(data)]
    lesions = [a for file in read for a in file['annotations']]
    assert said.startswith(f'10 images, {len(lesions)} lesions, ')
    assert said.endswith(f'report written to {out}/index.html\n')
    shown = {a['category_id'] for a in lesions}
    names = {f'gallery_{i:02d}_{taxonomy.LIVER[i - 1].name}.png' for i in shown}
    csvs = {'statistics.csv', 'suspicious.csv'}
    made = {'index.html', *csvs, *names, *(f'{name}.png' for name in FIGURES)}
    assert {p.name for p in out.iterdir()} - {'suspicious.png'} == made
    with (out / 'statistics.csv').open() as file:
        rows = {tuple(row)[:5]: row[5] for row in csv.reader(file)}
    for i in shown:
        name, count = taxonomy.LIVER[i - 1].name, sum(a['category_id'] == i for a in lesions)
        assert rows['all', name, 'lesions', '', 'count'] == str(count)
    assert rows['test', 'all', 'patients', '', 'count'] == '2'


def test_same_bytes_whatever_was_there_and_wherever_it_is(main, data, tmp_path):
    main([*annotations(data), '--out', str(tmp_path / 'a'), '--gallery', '3'])
    main([*annotations(data), '--out', str(tmp_path / 'b'), '--gallery', '1', '--seed', '1'])
    (tmp_path / 'b/gallery_08_old.png').touch()
    assert content(tmp_path / 'a') != content(tmp_path / 'b')
    main([*annotations(data), '--out', str(tmp_path / 'b'), '--gallery', '3'])
    assert content(tmp_path / 'a') == content(tmp_path / 'b')
    for name in ('index.html', 'statistics.csv', 'suspicious.csv'):
        assert str(tmp_path).encode() not in content(tmp_path / 'a')[name]


def test_without_images(main, few_figures, data, tmp_path, capsys):
    path = tmp_path / 'train.json'
    path.write_text(Path(annotations(data)[0]).read_text())
    main([str(path), '--out', str(tmp_path / 'out')])
    assert 'no images found, so no gallery' in capsys.readouterr().out
    assert not list((tmp_path / 'out').glob('gallery_*'))
    main([str(path), '--out', str(tmp_path / 'out'), '--image-root', str(data / 'images')])
    assert list((tmp_path / 'out').glob('gallery_*'))
    main([str(path), '--out', str(tmp_path / 'out'), '--gallery', '0'])
    assert 'no images' not in capsys.readouterr().out.splitlines()[-1]
    assert not list((tmp_path / 'out').glob('gallery_*'))


def test_figures_of_an_earlier_run_do_not_stay(main, few_figures, data, tmp_path):
    out = tmp_path / 'out'
    main([*annotations(data), '--out', str(out), '--gallery', '0'])
    assert (out / 'age.png').exists()
    read = json.loads(Path(annotations(data)[0]).read_text())
    for image in read['images']:
        del image['age']
    (tmp_path / 'no_age.json').write_text(json.dumps(read))
    main([str(tmp_path / 'no_age.json'), '--out', str(out), '--gallery', '0'])
    assert not (out / 'age.png').exists()
    assert 'Age not known for 6 of 6 images.' in (out / 'index.html').read_text()


@pytest.mark.parametrize(
    'arguments, message',
    [
        pytest.param(['gone.json'], 'gone.json: found no such file', id='no file'),
        pytest.param(['ANN', '--image-root', 'gone'], 'found no such folder', id='no folder'),
        pytest.param(['ANN', '--image-root', '.'], 'expected an image', id='no such image'),
        pytest.param(['ANN', '--out', 'file'], 'while writing the report', id='file in the way'),
    ],
)
def test_bad_input(main, data, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path('file').touch()
    with pytest.raises(InputError, match=message):
        main(['--out', 'out', *(annotations(data)[0] if a == 'ANN' else a for a in arguments)])
    assert not Path('out/index.html').exists()


def test_runs_without_torch(data, tmp_path):
    arguments = ['dataset_report.py', *annotations(data), '--out', str(tmp_path), '--gallery', '1']
    check = (
        'import runpy, sys\n'
        f'sys.argv = {arguments!r}\n'
        'try:\n'
        f'    runpy.run_path({str(TOOL)!r}, run_name="__main__")\n'
        'finally:\n'
        '    print(sorted({"torch", "mmdet", "mmengine", "mmcv"} & set(sys.modules)))\n'
    )
    done = subprocess.run([sys.executable, '-c', check], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.endswith('[]\n')
