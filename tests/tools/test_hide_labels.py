import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from mmdet_liver.errors import InputError

TOOL = Path(__file__).parents[2] / 'tools/hide_labels.py'


def main(argv):
    spec = importlib.util.spec_from_file_location('hide_labels_tool', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main([str(part) for part in argv])


@pytest.fixture
def train(tmp_path):
    path = tmp_path / 'train.json'
    content = {
        'info': {'split': 'train'},
        'images': [{'id': i, 'file_name': f'肝 {i}.png', 'fully_annotated': 1} for i in range(5)],
        'annotations': [
            {'id': i, 'image_id': i % 4, 'category_id': 1, 'bbox': [0, 0, 9, 9]} for i in range(20)
        ],
        'categories': [{'id': 1, 'name': 'cyst'}],
        'licenses': ['none'],
    }
    path.write_text(json.dumps(content), encoding='utf-8')
    return path


def test_writes_the_file_and_says_how_many(train, tmp_path, capsys):
    before, out = train.read_bytes(), tmp_path / 'new folder/hidden.json'
    main([train, '--share', 0.3, '--seed', 4, '--out', out])
    assert capsys.readouterr().out == f'6 of 20 labels hidden; 14 written to {out}\n'
    assert train.read_bytes() == before
    written = json.loads(out.read_text(encoding='utf-8'))
    hidden = written['info']['hidden_labels']
    assert hidden['share'] == 0.3 and hidden['seed'] == 4 and len(hidden['annotation_ids']) == 6
    assert len(written['annotations']) == 14 and written['licenses'] == ['none']
    assert [image.get('fully_annotated') for image in written['images']] == [None] * 4 + [1]


def test_keeps_them_as_ignored_ones(train, tmp_path, capsys):
    out = tmp_path / 'ignored.json'
    main([train, '--share', 0.3, '--mark-ignored', '--out', out])
    assert capsys.readouterr().out == f'6 of 20 labels marked ignored; 20 written to {out}\n'
    written = json.loads(out.read_text(encoding='utf-8'))
    ignored = [a['id'] for a in written['annotations'] if a.get('ignore')]
    assert ignored == written['info']['hidden_labels']['annotation_ids'] and len(ignored) == 6


def test_does_not_write_over_its_input(train):
    with pytest.raises(InputError, match='the input as --out'):
        main([train, '--share', 0.3, '--out', train])


def test_annotations_need_ids_to_say_which_are_hidden(train, tmp_path):
    content = json.loads(train.read_text(encoding='utf-8'))
    del content['annotations'][3]['id']
    train.write_text(json.dumps(content), encoding='utf-8')
    with pytest.raises(InputError, match="annotations, entry 3: found no 'id'"):
        main([train, '--share', 0.3, '--out', tmp_path / 'out.json'])


def test_bad_share_ends_in_one_line_and_status_2(train, tmp_path):
    done = subprocess.run(
        [sys.executable, TOOL, train, '--share', '30', '--out', tmp_path / 'out.json'],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and not (tmp_path / 'out.json').exists()
    assert done.stderr == (
        'error: share: found 30.0; expected 0 to 1; give a part of the labels, as 0.3\n'
    )
