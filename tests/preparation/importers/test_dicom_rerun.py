"""A second import into the same folder, and folders that are not to be written."""

import os

import pytest
from dicom_files import (
    KEY,
    dataset,
    grey_picture,
    image_of,
    marked,
    regions,
    save,
    tree,
)

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.importers.dicom import frames as frames_module
from mmdet_liver.preparation.importers.dicom.importing import import_dicom
from mmdet_liver.preparation.importers.dicom.options import DicomOptions
from mmdet_liver.preparation.importers.identity import Identity

EVERY_FRAME = DicomOptions(frame_step=1, keep_marks=True)


def test_what_is_done_is_not_done_again(source, out, monkeypatch):
    save(source / 'a', dataset([grey_picture(seed=i) for i in range(3)], **regions()))
    save(source / 'b', dataset([grey_picture()], **regions()))
    import_dicom(source, out, KEY, EVERY_FRAME)
    first = tree(out)
    written = []
    monkeypatch.setattr(frames_module, '_write_png', lambda path, image: written.append(path))
    import_dicom(source, out, KEY, EVERY_FRAME)
    assert written == [] and tree(out) == first
    (out / image_of('b')).unlink()
    import_dicom(source, out, KEY, EVERY_FRAME)
    assert written == [out / image_of('b')]


@pytest.mark.parametrize(
    'change',
    [
        pytest.param(lambda source: DicomOptions(frame_step=2, keep_marks=True), id='fewer frames'),
        pytest.param(lambda source: DicomOptions(frame_step=1), id='marks removed'),
        pytest.param(lambda source: (source / 'a').unlink() or EVERY_FRAME, id='file removed'),
        pytest.param(
            lambda source: (
                save(source / 'a', dataset([grey_picture(seed=9)], **regions())) and EVERY_FRAME
            ),
            id='file changed',
        ),
    ],
)
def test_another_run_leaves_what_a_fresh_one_would(source, out, tmp_path, change, fake_marks):
    save(source / 'a', dataset([marked(), *(grey_picture(seed=i) for i in range(3))], **regions()))
    save(source / 'b', dataset([grey_picture()], **regions()))
    import_dicom(source, out, KEY, EVERY_FRAME)
    options = change(source)
    import_dicom(source, out, KEY, options)
    import_dicom(source, tmp_path / 'fresh', KEY, options)
    assert tree(out) == tree(tmp_path / 'fresh')


def test_two_workers_write_the_same(source, out, tmp_path):
    for i in range(4):
        save(source / f'{i}', dataset([grey_picture(seed=i)] * 2, **regions()))
    import_dicom(source, out, KEY, DicomOptions(frame_step=1))
    import_dicom(source, tmp_path / 'two', KEY, DicomOptions(frame_step=1, workers=2))
    assert tree(out) == tree(tmp_path / 'two')


def test_folders_that_must_not_meet(source, out, tmp_path):
    save(source / 'a', dataset([grey_picture()], **regions()))
    for bad in (source, source / 'raw', tmp_path):
        with pytest.raises(InputError, match='inside .*, or around it'):
            import_dicom(source, bad, KEY)
    with pytest.raises(InputError, match='nowhere'):
        import_dicom(tmp_path / 'nowhere', out, KEY)


@pytest.mark.parametrize('other', ['key', 'export', 'importer'])
def test_the_images_of_another_import_are_not_removed(source, out, tmp_path, other):
    save(source / 'a', dataset([grey_picture()], **regions()))
    import_dicom(source, out, KEY)
    before = tree(out)
    identity = Identity(b'another') if other == 'key' else KEY
    if other == 'export':
        source = tmp_path / 'second'
        save(source / 'b', dataset([grey_picture()], **regions()))
    if other == 'importer':
        (out / '.work/dicom.jsonl').unlink()
        del before['.work/dicom.jsonl']
    with pytest.raises(InputError, match='images of another import'):
        import_dicom(source, out, identity)
    after = tree(out)
    assert {k: v for k, v in after.items() if v} == before


def test_a_full_disk_is_one_line(source, out, monkeypatch):
    save(source / 'a', dataset([grey_picture()], **regions()))

    def full(path, image):
        raise OSError(28, os.strerror(28), str(path))

    monkeypatch.setattr(frames_module, '_write_png', full)
    with pytest.raises(InputError, match='No space left on device.*same command again'):
        import_dicom(source, out, KEY)
    assert not (out / 'manifest.csv').exists()


def test_a_run_that_fails_leaves_no_table_of_an_earlier_one(source, out):
    for name in 'ab':
        save(source / name, dataset([grey_picture()], **regions(), BurnedInAnnotation='YES'))
    import_dicom(source, out, KEY)
    cut_short(source / 'b')
    with pytest.raises(InputError, match='1 damaged files'):
        import_dicom(source, out, KEY)
    assert not list(out.glob('*.csv'))


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-500])
