"""A folder of DICOM files as a whole: images, tables, what is left out."""

import os
import tracemalloc

import cv2
import numpy as np
import pytest
from dicom_files import colour_picture, dataset, grey_picture, region, save, save_jpeg

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.decisions import read_decisions
from mmdet_liver.preparation.importers.dicom import frames as frames_module
from mmdet_liver.preparation.importers.dicom.importing import import_dicom
from mmdet_liver.preparation.importers.dicom.options import DicomOptions
from mmdet_liver.preparation.importers.identity import Identity
from mmdet_liver.preparation.manifest import Record, read_manifest

KEY = Identity(b'key')
WHOLE_BOX = (0, 0, 48, 36)
EVERY_FRAME = DicomOptions(frame_step=1, keep_marks=True)


@pytest.fixture
def source(tmp_path):
    return tmp_path / 'export'


@pytest.fixture
def out(tmp_path):
    return tmp_path / 'raw'


def regions(*items):
    return {'SequenceOfUltrasoundRegions': list(items) or [region(WHOLE_BOX)]}


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def decisions(out, step):
    path = out / 'cleansing.csv'
    return [d for d in read_decisions(path) if d.step == step] if path.exists() else []


def image_of(path, frame=None, view=''):
    return f'images/{KEY.image(path, frame)}{view}.png'


def test_an_image_and_a_clip(source, out):
    still, clip = grey_picture(seed=1), [colour_picture(seed=i) for i in range(4)]
    save(source / 'a b/still', dataset([still], **regions(), PatientAge='045Y', PatientSex='F'))
    save(source / 'クリップ.dcm', dataset(clip, **regions(), PatientID='patient-2'))
    options = DicomOptions(frame_step=3, keep_marks=True)
    result = import_dicom(source, out, KEY, options)
    records = {record.image_path: record for record in read_manifest(out / 'manifest.csv')}
    assert records == {record.image_path: record for record in result.records}
    path = image_of('a b/still')
    assert records.pop(path) == Record(
        path,
        KEY.patient('patient-1'),
        KEY.study('patient-1', '1.2.3.4'),
        45,
        'F',
        mm_per_pixel=0.2,
        fully_annotated=False,
    )
    np.testing.assert_array_equal(read(out / path), still)
    assert records.keys() == {image_of('クリップ.dcm', i) for i in (0, 3)}
    for i in (0, 3):
        np.testing.assert_array_equal(read(out / image_of('クリップ.dcm', i)), clip[i][..., ::-1])
    (decision,) = decisions(out, 'import')
    assert (decision.image_path, decision.value) == (image_of('クリップ.dcm'), 2)


def test_rows_do_not_come_in_the_order_of_the_source(source, out):
    for name in 'abcd':
        save(source / name, dataset([grey_picture()] * 3, **regions()))
    import_dicom(source, out, KEY, EVERY_FRAME)
    paths = [record.image_path for record in read_manifest(out / 'manifest.csv')]
    assert paths == sorted(image_of(name, i) for name in 'abcd' for i in range(3))


def test_only_the_tissue_is_taken(source, out):
    picture = np.full((60, 100), 250, np.uint8)  # text everywhere around
    picture[10:50, 5:45] = grey_picture(40, 40, seed=1)
    picture[10:50, 50:90] = grey_picture(40, 40, seed=2)
    left, right = region((5, 10, 45, 50)), region((50, 10, 90, 50), delta=(0.01, 0.01))
    save(source / 'one', dataset([picture], **regions(left)))
    save(source / 'two', dataset([picture], **regions(right, left)))
    result = import_dicom(source, out, KEY, EVERY_FRAME)
    sizes = {record.image_path: record.mm_per_pixel for record in result.records}
    first, second = image_of('two', view='-1'), image_of('two', view='-2')
    assert sizes == {image_of('one'): 0.2, first: 0.2, second: 0.1}
    for path, seed in ((image_of('one'), 1), (first, 1), (second, 2)):
        np.testing.assert_array_equal(read(out / path), grey_picture(40, 40, seed=seed))


def test_without_regions_the_sector_is_taken(source, out, monkeypatch):
    seen = []

    def first_light(image):
        seen.append(image)
        y, x = np.nonzero(image)
        return x.min(), y.min(), x.max() + 1, y.max() + 1

    monkeypatch.setattr(frames_module, 'sector_box', first_light)
    clip = [np.zeros((40, 60), np.uint8) for _ in range(9)]
    clip[4][10:30, 20:50] = 100
    clip[8][12:32, 20:40] = 90
    save(source / 'a', dataset(clip, PixelSpacing=[0.3, 0.3]))
    result = import_dicom(source, out, KEY, EVERY_FRAME)
    # The sector is that of first, middle and last frame together.
    np.testing.assert_array_equal(seen, [np.maximum(clip[4], clip[8])])
    assert {r.mm_per_pixel for r in result.records} == {0.3}
    np.testing.assert_array_equal(read(out / image_of('a', 8)), clip[8][10:32, 20:50])


def black_out(image, mask):
    image = image.copy()
    image[mask] = 0
    return image


class FakeMarks:
    """What a finder for tests says: pure white is text, and so is yellow; flow is no mark."""

    def __init__(self, image, doppler=False):
        self.mask = image == 255 if image.ndim == 2 else (image[..., 1:] == 255).all(axis=2)
        self.masks = {'text': self.mask} if self.mask.any() else {}
        self.shares = {kind: float(mask.mean()) for kind, mask in self.masks.items()}
        self.doppler = doppler


@pytest.fixture
def fake_marks(monkeypatch):
    monkeypatch.setattr(frames_module, 'find_marks', FakeMarks)
    monkeypatch.setattr(frames_module, 'remove_marks', black_out)


def marked():
    picture = grey_picture()
    picture[10:13, 10:20] = 255
    return picture


def test_marks_are_removed_and_their_mask_is_kept(source, out, fake_marks):
    save(source / 'a', dataset([marked()], **regions()))
    save(source / 'b', dataset([grey_picture()], **regions()))
    import_dicom(source, out, KEY)
    (decision,) = decisions(out, 'marks')
    assert decision.image_path == image_of('a') and decision.action == 'cleaned'
    mask = read(out / decision.mask_path)
    assert (mask[marked() == 255] == 255).all()
    image = read(out / image_of('a'))
    assert (image[marked() == 255] == 0).all()
    np.testing.assert_array_equal(image[mask == 0], marked()[mask == 0])
    assert decision.value == pytest.approx((mask == 255).mean(), abs=1e-6)
    assert [p.name for p in (out / 'masks').glob('*/*')] == [(out / image_of('a')).name]


def test_a_letter_that_is_not_found_goes_with_its_line(source, out, fake_marks):
    picture = grey_picture(200, 100)
    cv2.putText(picture, 'SA', (20, 50), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255)
    cv2.putText(picture, 'TO', (45, 50), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 254)
    cv2.putText(picture, 'HANAKO', (70, 50), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255)
    save(source / 'a', dataset([picture], **regions(region((0, 0, 200, 100)))))
    import_dicom(source, out, KEY)
    mask, image = read(next(out.glob('masks/*/*'))), read(out / image_of('a'))
    assert (image < 254).all()
    # What is no letter stays, between the letters too.
    letters = cv2.dilate((picture >= 254).astype(np.uint8), np.ones((3, 3)))
    np.testing.assert_array_equal(image[letters == 0], picture[letters == 0])
    np.testing.assert_array_equal(image[mask == 0], picture[mask == 0])
    # One block without the outlines of letters, and not much more than the line.
    y, x = np.nonzero(mask)
    block = mask[y.min() + 2 : y.max() - 1, x.min() + 2 : x.max() - 1]
    assert (block == 255).mean() > 0.9 and np.count_nonzero(mask) < 135 * 20


def test_a_frame_that_is_grey_but_for_its_marks_becomes_grey(source, out, fake_marks):
    picture = np.repeat(grey_picture()[..., None], 3, axis=2)
    picture[0, 0] = 255, 255, 0  # outside the tissue
    picture[10:13, 10:20] = 255, 255, 0
    save(source / 'a', dataset([picture], **regions(region((4, 4, 44, 32)))))
    import_dicom(source, out, KEY)
    assert read(out / image_of('a')).ndim == 2


def test_marks_stay_where_the_user_says_so(source, out, fake_marks):
    save(source / 'a', dataset([marked()], **regions()))
    import_dicom(source, out, KEY, DicomOptions(keep_marks=True))
    np.testing.assert_array_equal(read(out / image_of('a')), marked())
    assert not decisions(out, 'marks') and not (out / 'masks').exists()


def test_a_doppler_frame_loses_its_text_but_not_its_flow(source, out, fake_marks, monkeypatch):
    monkeypatch.setattr(frames_module, 'find_marks', lambda i: FakeMarks(i, doppler=True))
    save(source / 'a', dataset([marked()], **regions()))
    import_dicom(source, out, KEY)
    clean = np.where(marked() == 255, 0, marked())
    np.testing.assert_array_equal(read(out / image_of('a')), clean)
    assert [d.action for d in decisions(out, 'marks')] == ['cleaned', 'flagged']


@pytest.mark.parametrize(
    'elements, reason',
    [
        pytest.param({'BurnedInAnnotation': 'YES'}, 'text is burned in', id='burned-in text'),
        pytest.param(
            regions(region(WHOLE_BOX, delta=(0.02, 0.03))), 'longer one way', id='stretched'
        ),
        pytest.param(
            regions(region((0, 0, 480, 360))), 'a frame of another size', id='resized later'
        ),
        pytest.param(
            {'SequenceOfUltrasoundRegions': None}, 'the whole frame was kept', id='no sector'
        ),
    ],
)
def test_doubts_are_told(source, out, elements, reason, monkeypatch):
    whole_unless_told = (0, 0, 48, 36) if 'no sector' in str(reason) else (1, 1, 47, 35)
    save(source / 'a', dataset([grey_picture()], **{**regions(), **elements}))
    import_dicom(source, out, KEY)
    (decision,) = decisions(out, 'metadata')
    assert decision.image_path == image_of('a') and decision.action == 'flagged'
    assert reason in decision.reason


def test_the_scale_of_the_frame_stands_in_for_that_of_a_region(source, out):
    unscaled = regions(region(WHOLE_BOX, units=0))
    save(source / 'a', dataset([grey_picture()], **unscaled, PixelSpacing=[0.4, 0.4]))
    save(source / 'b', dataset([grey_picture()], **unscaled))
    records = import_dicom(source, out, KEY).records
    assert {r.image_path: r.mm_per_pixel for r in records} == {
        image_of('a'): 0.4,
        image_of('b'): None,
    }


def test_what_the_headers_say_of_text_is_counted(source, out):
    for name, said in (('a', 'YES'), ('b', 'NO'), ('c', None), ('d', None)):
        save(source / name, dataset([grey_picture()], **regions(), BurnedInAnnotation=said))
    counts = {'no': 1, 'not said': 2, 'yes': 1}
    assert import_dicom(source, out, KEY).burned_in == counts
    assert import_dicom(source, out, KEY).burned_in == counts  # of files known already


def test_what_is_no_picture_is_left_out_with_a_reason(source, out, tmp_path):
    save(source / 'picture', dataset([grey_picture()], **regions()))
    save(source / 'ct', dataset([grey_picture()], Modality='CT'))
    save(source / 'report', dataset([grey_picture()], Modality='SR', Rows=None))
    save(source / 'spectrum', dataset([grey_picture()], **regions(region(WHOLE_BOX, form=3))))
    save(source / 'DICOMDIR', dataset([grey_picture()], SOPClassUID='1.2.840.10008.1.3.10'))
    (source / 'notes.txt').write_text('x')
    save(tmp_path / 'elsewhere', dataset([grey_picture()]))
    (source / 'link').symlink_to(tmp_path / 'elsewhere')
    result = import_dicom(source, out, KEY)
    assert [record.image_path for record in result.records] == [image_of('picture')]
    found = {d.image_path: d.reason for d in decisions(out, 'import')}
    assert found == {
        image_of('ct'): 'modality CT, not US',
        image_of('report'): 'modality SR, not US',
        image_of('spectrum'): 'no picture of tissue in it (a spectrum, an M-mode or the like)',
        image_of('notes.txt'): 'no DICOM file',
        image_of('link'): 'a link that leads out of the folder',
    }


def test_a_folder_without_pictures_is_an_error(source, out):
    for name in 'ab':
        save(source / name, dataset([grey_picture()], Modality='CT'))
    (source / 'notes.txt').write_text('x')
    with pytest.raises(InputError) as error:
        import_dicom(source, out, KEY)
    assert 'no picture (2x modality CT, not US, 1x no DICOM file)' in str(error.value)


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-500])


def test_a_damaged_file_ends_the_run_after_all_others(source, out):
    for name in 'abcde':
        save(source / name, dataset([grey_picture(seed=ord(name))], **regions()))
    for name in 'bd':
        cut_short(source / name)
    with pytest.raises(InputError) as error:
        import_dicom(source, out, KEY)
    assert '2 damaged files (b: pixel data that is cut off' in str(error.value)
    assert '; d: pixel data' in str(error.value) and '\n' not in str(error.value)
    assert not (out / 'manifest.csv').exists()
    assert all((out / image_of(name)).exists() for name in 'ace')
    import_dicom(source, out, KEY, DicomOptions(skip_unreadable=True))
    paths = {record.image_path for record in read_manifest(out / 'manifest.csv')}
    assert paths == {image_of(name) for name in 'ace'}
    left_out = {(d.image_path, d.action, d.reason) for d in decisions(out, 'readable')}
    assert left_out == {(image_of(n), 'left out', 'pixel data that is cut off') for n in 'bd'}


def test_a_run_that_fails_leaves_no_table_of_an_earlier_one(source, out):
    for name in 'ab':
        save(source / name, dataset([grey_picture()], **regions(), BurnedInAnnotation='YES'))
    import_dicom(source, out, KEY)
    cut_short(source / 'b')
    with pytest.raises(InputError, match='1 damaged files'):
        import_dicom(source, out, KEY)
    assert not list(out.glob('*.csv'))


def test_a_clip_with_a_damaged_frame_leaves_nothing(source, out):
    clip = [grey_picture(seed=i) for i in range(4)]
    path = save_jpeg(source / 'a', clip, **regions())
    content = path.read_bytes()
    last = content.rindex(b'\xff\xd8\xff')
    lost = slice(last + 300, len(content) - 8)  # the last item is the end of all
    path.write_bytes(
        content[: lost.start] + b'\0' * (lost.stop - lost.start) + content[lost.stop :]
    )
    save(source / 'b', dataset([grey_picture()], **regions()))
    import_dicom(source, out, KEY, DicomOptions(frame_step=1, skip_unreadable=True))
    assert list(out.glob('images/*/*')) == [out / image_of('b')]
    assert decisions(out, 'readable')[0].reason == 'pixels that do not decode'


def test_a_clip_is_never_in_memory_as_a_whole(source, out):
    frame = colour_picture(200, 200)
    size = 60 * frame.nbytes
    save(source / 'a', dataset([frame] * 60, **regions(region((0, 0, 200, 200)))))
    tracemalloc.start()
    try:
        import_dicom(source, out, KEY, EVERY_FRAME)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(list(out.glob('images/*/*'))) == 60
    assert peak < size / 3


def tree(folder):
    """Path -> bytes of all files but the lock."""
    files = (path for path in folder.rglob('*') if path.is_file() and path.name != 'lock')
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


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
