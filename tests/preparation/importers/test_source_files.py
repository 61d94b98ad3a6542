import os
import unicodedata

import pytest

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.importers.source_files import SourceFiles

NAMES = ['a.png', 'SUB/B.PNG', '患者 1/it\'s "x".jpg', 'c/D.png', 'c/d.png', 'notes.txt']


@pytest.fixture
def folder(tmp_path):
    for name in [*NAMES, '.hidden/e.png', '._a.png']:
        path = tmp_path / 'export' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'')
    return tmp_path / 'export'


def test_files_and_images_without_hidden_ones(folder):
    files = SourceFiles(folder)
    assert files.paths == sorted(NAMES)
    assert files.images() == sorted(NAMES[:-1])


@pytest.mark.parametrize(
    'text, found',
    [
        pytest.param('a.png', 'a.png', id='as it is'),
        pytest.param('./SUB//B.PNG', 'SUB/B.PNG', id='roundabout'),
        pytest.param('患者 1/it\'s "x".jpg', '患者 1/it\'s "x".jpg', id='Japanese, blanks, quotes'),
        pytest.param('SUB\\B.PNG', 'SUB/B.PNG', id='backslash'),
        pytest.param('sub\\b.png', 'SUB/B.PNG', id='another case'),
        pytest.param('c/d.png', 'c/d.png', id='exact before loose'),
        pytest.param('C/d.png', None, id='two could be meant'),
        pytest.param('b.png', None, id='of another folder'),
        pytest.param('SUB', None, id='a folder'),
        pytest.param('a\0.png', None, id='a zero'),
        pytest.param('x' * 5000, None, id='too long'),
    ],
)
def test_find(folder, text, found):
    assert SourceFiles(folder).find(text, 'table') == found


def test_name_in_another_normal_form(folder):
    # What macOS stores: the sonant mark apart from its kana.
    (folder / unicodedata.normalize('NFD', 'がん.png')).write_bytes(b'')
    assert SourceFiles(folder).find('がん.png', 'table') == unicodedata.normalize('NFD', 'がん.png')


def test_name_in_shift_jis(folder):
    raw = os.fsdecode('超音波.png'.encode('cp932'))
    try:
        (folder / raw).write_bytes(b'')
    except OSError:
        pytest.skip('the file system takes UTF-8 names only')
    assert SourceFiles(folder).find('超音波.png', 'table') == raw


@pytest.mark.parametrize(
    'text', ['../a.png', '/etc/hostname', 'c/../../a.png', 'c\\..\\..\\a.png', '']
)
def test_paths_out_of_the_folder_are_refused(folder, text):
    with pytest.raises(InputError, match='^table, line 3: found the path'):
        SourceFiles(folder).find(text, 'table, line 3')


def test_links(folder, tmp_path):
    (tmp_path / 'outside').mkdir()
    (tmp_path / 'outside/o.png').write_bytes(b'')
    (folder / 'out.png').symlink_to(tmp_path / 'outside/o.png')
    (folder / 'in.png').symlink_to(folder / 'a.png')
    (folder / 'dir_out').symlink_to(tmp_path / 'outside')
    (folder / 'dir_in').symlink_to(folder / 'c')
    files = SourceFiles(folder)
    assert [p for p in files.images() if files.leads_out(p)] == ['out.png']
    assert files.find('in.png', 't') == 'in.png'
    assert files.find('dir_in/d.png', 't') == 'dir_in/d.png'
    for text in ('out.png', 'dir_out/o.png', 'OUT.PNG'):
        with pytest.raises(InputError, match='a link that leads out'):
            files.find(text, 't')
