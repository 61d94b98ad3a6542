"""tools/import_data.py and tools/trace_source.py, as the custodian of an export calls them."""

import base64
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.decisions import read_decisions
from mmdet_liver.preparation.manifest import read_manifest

TOOLS = Path(__file__).parents[2] / 'tools'
PATIENTS = ('山田 太郎', "O'Brien", 'suzuki "jiro"')


def tool(name):
    spec = importlib.util.spec_from_file_location(f'{name}_tool', TOOLS / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture(scope='module')
def main():
    return tool('import_data')


@pytest.fixture(scope='module')
def trace():
    return tool('trace_source')


def png(seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 60), np.uint8)
    return cv2.imencode('.png', pixels)[1].tobytes()


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


def csv_export(folder):
    rows = ['ファイル名,患者氏名,年齢,性別,診断名,x,y,w,h']
    for i, patient in enumerate(PATIENTS):
        put(folder / patient / f'検査 {i}.png', png(i))
        quoted = patient.replace('"', '""')
        finding = '肝細胞癌,1,2,10,20' if i else '所見なし,,,,'
        rows.append(f'"{quoted}\\検査 {i}.png","{quoted}",{60 + i}歳,男,{finding}')
    put(folder / '一覧.csv', ('\r\n'.join([*rows, rows[-1]]) + '\r\n').encode('cp932'))
    columns = {
        'image_path': 'ファイル名',
        'patient_id': '患者氏名',
        'age': '年齢',
        'sex': '性別',
        'diagnosis': '診断名',
        **{'x_min': 'x', 'y_min': 'y', 'width': 'w', 'height': 'h'},
    }
    options = ['--table', str(folder / '一覧.csv'), '--value', 'diagnosis:所見なし=']
    return [*options, *(o for k, v in columns.items() for o in ('--column', f'{k}={v}'))]


def busi_export(folder):
    for i, kind in enumerate(('benign', 'malignant', 'normal')):
        mask = np.zeros((40, 60), np.uint8)
        mask[2:22, 1:11] = 255 * (kind != 'normal')
        put(folder / kind / f'{kind} ({i}).png', png(i))
        put(folder / kind / f'{kind} ({i})_mask.png', cv2.imencode('.png', mask)[1].tobytes())
    return []


def aul_export(folder):
    for i, kind in enumerate(('Benign', 'Malignant', 'Normal')):
        put(folder / kind / f'image/{i}.jpg', png(i))
    square = [[1, 2], [11, 2], [11, 22], [1, 22]]
    put(folder / 'Benign/segmentation/mass/0.json', square)
    put(folder / 'Malignant/segmentation/mass/1.json', square)
    return []


def coco_export(folder):
    images = []
    for i, patient in enumerate(PATIENTS):
        put(folder / f'{patient}.png', png(i))
        images.append({'id': i, 'file_name': f'{patient}.png', 'patient_id': patient})
    boxes = [{'image_id': i, 'category_id': 1, 'bbox': [1, 2, 10, 20]} for i in (1, 2)]
    categories = [{'id': 1, 'name': 'hepatoma'}]
    put(folder / 'all.json', {'images': images, 'annotations': boxes, 'categories': categories})
    return ['--annotations', str(folder / 'all.json'), '--value', 'diagnosis:hepatoma=HCC']


def labelme_export(folder):
    square = {'label': 'HCC', 'shape_type': 'rectangle', 'points': [[1, 2], [11, 22]]}
    for i, patient in enumerate(PATIENTS):
        held = base64.b64encode(png(i)).decode() if i == 2 else None
        if held is None:
            put(folder / patient / 'image.png', png(i))
        content = {'imagePath': 'image.png', 'imageData': held, 'shapes': [square] if i else []}
        put(folder / patient / 'image.json', content)
    return ['--patient-from', '^([^/]+)/']


EXPORTS = [csv_export, busi_export, aul_export, coco_export, labelme_export]
# What the names of these exports are made of; no output may hold any.
SECRETS = (
    *('山田', '太郎', 'Brien', 'suzuki', 'jiro', '検査', '氏名', '一覧', 'hepatoma'),
    *('image.png', 'image.json', 'benign (', 'malignant (', 'normal ('),
    *('Benign', 'Malignant', 'Normal'),
)


@pytest.fixture
def export(request, tmp_path):
    make = request.param
    name = make.__name__.removesuffix('_export')
    return name, tmp_path / 'export', make(tmp_path / 'export')


every_export = pytest.mark.parametrize(
    'export', EXPORTS, indirect=True, ids=lambda make: make.__name__.removesuffix('_export')
)


def command(export, tmp_path, *more, out='out'):
    name, folder, options = export
    key = ['--key-file', str(tmp_path / 'safe/key'), '--out', str(tmp_path / out)]
    return [name, str(folder), *key, *options, '--workers', '1', *more]


@every_export
def test_every_layout_becomes_a_manifest(main, export, tmp_path, capsys):
    main(command(export, tmp_path))
    out = tmp_path / 'out'
    records = read_manifest(out / 'manifest.csv')
    assert len(records) == 3
    assert sorted(r.box for r in records if r.box) == [(1, 2, 11, 22)] * 2
    # The same three images, whatever the layout.
    found = [(out / r.image_path).read_bytes() for r in records]
    assert sorted(found) == sorted(png(i) for i in range(3))
    patients = {r.patient_id for r in records}
    assert patients == {''} if export[0] == 'busi' else len(patients) == 3
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith(f'new key written to {tmp_path}/safe/key')
    assert shown[1] == 'images    3, 1 of them without lesions'
    assert shown[2].startswith('patients  unknown for 3' if export[0] == 'busi' else 'patients  3')
    assert shown[-1] == f'written to {out}'


@every_export
def test_no_name_of_the_source_is_in_the_output(main, export, tmp_path):
    main(command(export, tmp_path, '--strip-metadata'))
    out = tmp_path / 'out'
    for path in out.rglob('*'):
        held = path.read_bytes() if path.is_file() else b''
        for secret in (*SECRETS, str(tmp_path)):
            assert secret not in str(path.relative_to(out))
            encoded = [secret.encode(e) for e in ('utf-8', 'cp932', 'utf-16-le')]
            assert not any(e in held for e in encoded), (secret, path)


@every_export
def test_every_image_is_traced_with_the_key(main, trace, export, tmp_path, capsys):
    main(command(export, tmp_path))
    _, folder, _ = export
    key = ['--key-file', str(tmp_path / 'safe/key')]
    names = [r.image_path for r in read_manifest(tmp_path / 'out/manifest.csv')]
    before = sorted(tmp_path.rglob('*'))
    capsys.readouterr()
    assert trace([str(folder), *names, *key]) == 0
    for name, line in zip(names, capsys.readouterr().out.splitlines(), strict=True):
        shown, _, path = line.partition('  ')
        assert shown == name
        if not path.endswith('.json'):
            assert (folder / path).read_bytes() == (tmp_path / 'out' / name).read_bytes()
    assert trace([str(folder), 'ab/abcdef.png', Path(names[0]).stem, *key]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert 'not found' in lines[0] and 'not found' not in lines[1]
    assert sorted(tmp_path.rglob('*')) == before


def test_frames_of_a_file_are_traced(trace, tmp_path, capsys):
    from mmdet_liver.preparation.importers.identity import read_or_make_key

    put(tmp_path / 'export/山田/IM1', b'DICM')
    identity = read_or_make_key(tmp_path / 'key', outside=tmp_path / 'out')
    names = [identity.image('山田/IM1', 7), identity.image('山田/IM1', 40)]
    argv = [str(tmp_path / 'export'), *names, '--key-file', str(tmp_path / 'key')]
    assert trace(argv) == 0
    assert capsys.readouterr().out.splitlines()[0] == f'{names[0]}  山田/IM1, frame 7'
    assert trace([*argv, '--max-frames', '39']) == 1
    assert trace([*argv, '--max-frames', '40']) == 0


def test_trace_makes_no_key(trace, tmp_path):
    (tmp_path / 'export').mkdir()
    with pytest.raises(InputError, match='nothing of this name'):
        trace([str(tmp_path / 'export'), 'x', '--key-file', str(tmp_path / 'key')])
    assert not (tmp_path / 'key').exists()


def test_arguments_may_stand_in_a_file(main, tmp_path):
    options = csv_export(tmp_path / 'export')
    (tmp_path / 'hospital.args').write_text('\n'.join(options) + '\n', encoding='utf-8')
    main(command(('csv', tmp_path / 'export', [f'@{tmp_path}/hospital.args']), tmp_path))
    assert len(read_manifest(tmp_path / 'out/manifest.csv')) == 3


def test_same_key_same_names_and_another_key_others(main, tmp_path):
    options = csv_export(tmp_path / 'export')
    export = ('csv', tmp_path / 'export', options)
    main(command(export, tmp_path))
    main(command(export, tmp_path, out='again'))
    main(command(export, tmp_path, '--key-file', str(tmp_path / 'other'), out='third'))
    texts = [(tmp_path / out / 'manifest.csv').read_text() for out in ('out', 'again', 'third')]
    assert texts[0] == texts[1] != texts[2]
    assert len(read_decisions(tmp_path / 'out/cleansing.csv')) == 1  # the row that came twice


@pytest.mark.parametrize(
    'key, out, named',
    [
        pytest.param('out/key', 'out', 'a key inside', id='key inside OUT'),
        pytest.param('export/key', 'out', 'a key inside', id='key inside SOURCE'),
        pytest.param('export/一覧.csv', 'out', 'a key inside', id='a table for a key'),
        pytest.param('key', 'export/out', 'one apart', id='OUT inside SOURCE'),
        pytest.param('key', '.', 'one apart', id='SOURCE inside OUT'),
        pytest.param('file/key', 'out', 'a place for the key', id='no place for a key'),
    ],
)
def test_places_that_are_refused(main, tmp_path, key, out, named):
    options = csv_export(tmp_path / 'export')
    (tmp_path / 'file').write_text('')
    before = sorted(tmp_path.rglob('*'))
    with pytest.raises(InputError, match=named):
        main(['csv', str(tmp_path / 'export'), '--key-file', str(tmp_path / key),
              '--out', str(tmp_path / out), *options])  # fmt: skip
    assert sorted(tmp_path.rglob('*')) == before


def test_unknown_words_are_one_line_on_the_terminal(tmp_path):
    options = csv_export(tmp_path / 'export')
    options = options[:2] + options[4:]  # without --value
    argv = ['csv', tmp_path / 'export', '--out', tmp_path / 'out', '--key-file', tmp_path / 'key']
    done = subprocess.run(
        [sys.executable, TOOLS / 'import_data.py', *argv, *options], capture_output=True, text=True
    )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2 and line.startswith('error: ') and "'所見なし' (1x)" in line
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('argument', ['--patient-from=[', '--patient-from=a', '--delimiter=ab'])
def test_bad_option_is_refused(main, tmp_path, argument, capsys):
    options = csv_export(tmp_path / 'export')
    with pytest.raises(SystemExit):
        main(command(('csv', tmp_path / 'export', options), tmp_path, argument))
    assert argument.split('=')[0] in capsys.readouterr().err


def test_import_needs_no_pydicom_but_for_dicom(tmp_path):
    code = (
        'import runpy, sys\n'
        "sys.modules['pydicom'] = None\n"
        f"sys.argv = ['import_data.py', *{{}}]\nrunpy.run_path({str(TOOLS / 'import_data.py')!r}, "
        "run_name='__main__')"
    )

    def run(argv):
        script = code.format([str(a) for a in argv])
        return subprocess.run([sys.executable, '-c', script], capture_output=True, text=True)

    busi_export(tmp_path / 'export')
    common = [tmp_path / 'export', '--out', tmp_path / 'out', '--key-file', tmp_path / 'key']
    assert run(['busi', *common]).returncode == 0
    refused = run(['dicom', tmp_path / 'export', '--out', tmp_path / 'o2', *common[3:]])
    assert refused.returncode == 2
    assert "pip install 'mmdet_liver[dicom]'" in refused.stderr.splitlines()[-1]


def test_neither_torch_nor_pydicom_is_imported(tmp_path):
    code = (
        f'import runpy, sys; runpy.run_path({str(TOOLS / "import_data.py")!r}); '
        "assert not {'torch', 'mmdet', 'pydicom'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
