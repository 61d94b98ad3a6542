"""A folder of DICOM files as a whole: images, tables, what is left out."""

import tracemalloc

import numpy as np
import pytest
from dicom_files import (
    KEY,
    WHOLE_BOX,
    colour_picture,
    dataset,
    decisions,
    grey_picture,
    image_of,
    read,
    region,
    regions,
    save,
    save_jpeg,
)

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.importers.dicom import frames as frames_module
from mmdet_liver.preparation.importers.dicom.importing import import_dicom
from mmdet_liver.preparation.importers.dicom.options import DicomOptions
from mmdet_liver.preparation.manifest import Record, read_manifest

EVERY_FRAME = DicomOptions(frame_step=1, keep_marks=True)


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
    ],
)
def test_doubts_are_told(source, out, elements, reason, monkeypatch):
    monkeypatch.setattr(frames_module, 'sector_box', lambda image: (4, 4, 44, 32))
    save(source / 'a', dataset([grey_picture()], **{**regions(), **elements}))
    import_dicom(source, out, KEY)
    (decision,) = decisions(out, 'metadata')
    assert decision.image_path == image_of('a') and decision.action == 'flagged'
    assert reason in decision.reason


def test_a_frame_that_is_kept_whole_for_want_of_a_sector_is_told(source, out):
    save(source / 'a', dataset([np.zeros((36, 48), np.uint8)]))
    import_dicom(source, out, KEY)
    assert 'the whole frame was kept' in decisions(out, 'metadata')[0].reason


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
