"""Lesions of DICOM frames: which frame, which picture, which pixels."""

import cv2
import pytest
from dicom_files import KEY, dataset, grey_picture, image_of, region, save

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.decisions import read_decisions
from mmdet_liver.preparation.importers.dicom import frames
from mmdet_liver.preparation.importers.dicom.importing import import_dicom
from mmdet_liver.preparation.importers.dicom.options import DicomOptions
from mmdet_liver.preparation.importers.vocabulary import parse_vocabulary

HEADER = 'image_path,frame,diagnosis,x_min,y_min,x_max,y_max'
UID = '1.2.3.99'


@pytest.fixture
def source(tmp_path):
    """A clip of 4 frames of 100x60 with one picture at (10, 5), and an image with two."""
    folder = tmp_path / 'export'
    frames = [grey_picture(100, 60, seed=i) for i in range(4)]
    one = {'SequenceOfUltrasoundRegions': [region((10, 5, 60, 55))]}
    two = {'SequenceOfUltrasoundRegions': [region((0, 0, 50, 60)), region((50, 0, 100, 60))]}
    save(folder / 'a/clip', dataset(frames, **one, SOPInstanceUID=UID))
    save(folder / 'dual', dataset(frames[:1], **two))
    return folder


def run(source, rows, header=HEADER, **options):
    table = source.parent / 'lesions.csv'
    table.write_text('\n'.join([header, *rows]), encoding='utf-8')
    chosen = DicomOptions(keep_marks=True, annotations=table, **options)
    return import_dicom(source, source.parent / 'raw', KEY, chosen)


def lesions(imported):
    return {(r.image_path, r.diagnosis, r.box, r.fully_annotated) for r in imported.records}


@pytest.mark.parametrize('name', ['a/clip', 'a\\clip', UID], ids=['path', 'backslash', 'UID'])
def test_a_box_moves_with_the_crop(source, name):
    imported = run(source, [f'{name},2,HCC,20,10,40,30', f'{name},2,cyst,11,6,15,8'])
    assert lesions(imported) == {
        (image_of('a/clip', 2), 'HCC', (10, 5, 30, 25), None),
        (image_of('a/clip', 2), 'cyst', (1, 1, 5, 3), None),
    }


def test_a_box_by_its_width_and_height(source):
    header = 'image_path,diagnosis,x_min,y_min,width,height'
    (record,) = run(source, ['a/clip,HCC,20,10,15,30'], header).records
    assert record.box == (10, 5, 25, 35)


def test_the_first_frame_is_0_and_the_default(source):
    imported = run(source, ['a/clip,,HCC,20,10,40,30'])
    assert lesions(imported) == {(image_of('a/clip', 0), 'HCC', (10, 5, 30, 25), None)}
    header = HEADER.replace(',frame', '')
    assert lesions(run(source, ['a/clip,HCC,20,10,40,30'], header)) == lesions(imported)


def test_a_lesion_belongs_to_the_picture_that_holds_it(source):
    imported = run(source, ['dual,,HCC,60,10,80,30'])
    assert lesions(imported) == {
        (image_of('dual', view='-1'), None, None, None),
        (image_of('dual', view='-2'), 'HCC', (10, 10, 30, 30), None),
    }


def test_frames_without_a_row_are_left_out_and_counted(source):
    imported = run(source, ['a/clip,1,,,,,'])
    assert lesions(imported) == {(image_of('a/clip', 1), None, None, None)}
    found = read_decisions(source.parent / 'raw/cleansing.csv')
    assert {(d.image_path, d.reason, d.value) for d in found} == {
        (image_of('a/clip'), 'frames of a clip that no annotation names', 3),
        (image_of('dual'), 'no annotation names it', None),
    }


def test_unlisted_frames_can_be_taken_too(source):
    imported = run(source, ['a/clip,1,HCC,20,10,40,30'], include_unlisted=True, frame_step=3)
    assert {(r.image_path, r.diagnosis, r.fully_annotated) for r in imported.records} == {
        (image_of('a/clip', 0), None, False),
        (image_of('a/clip', 1), 'HCC', None),
        (image_of('a/clip', 3), None, False),
        (image_of('dual', view='-1'), None, False),
        (image_of('dual', view='-2'), None, False),
    }


def test_what_the_table_says_beyond_the_box(source):
    header = f'{HEADER},fully_annotated,ignore'
    (record,) = run(source, ['a/clip,0,HCC,20,10,40,30,1,1'], header).records
    assert (record.fully_annotated, record.ignore) == (True, True)


def test_words_and_columns_of_the_hospital(source):
    options = {'columns': {'diagnosis': '診断'}, 'vocabulary': parse_vocabulary(['diagnosis:FNH='])}
    header = HEADER.replace('diagnosis', '診断')
    rows = ['a/clip,0,肝細胞癌,20,10,40,30', 'a/clip,1,FNH,,,,']
    assert {r.diagnosis for r in run(source, rows, header, **options).records} == {'HCC', None}


def test_a_rounding_outside_is_cut_and_repeats_are_told(source):
    imported = run(source, ['a/clip,0,HCC,9.5,5,40,30'] * 2)
    assert [r.box for r in imported.records] == [(0, 0, 30, 25)]
    assert ('rows that repeat another were dropped', 1) in {
        (d.reason, d.value) for d in imported.decisions
    }


def test_without_regions_the_crop_holds_the_lesions(source):
    picture = grey_picture(100, 60, seed=1)
    picture[:, 50:] = 0
    save(source / 'plain', dataset([picture]))
    (record,) = run(source, ['plain,,HCC,70.5,10,90.5,30']).records
    image = source.parent / 'raw' / record.image_path
    height, width = cv2.imread(str(image)).shape[:2]
    assert record.box[2] <= width <= 100 and record.box[3] <= height <= 60
    assert record.box[2] - record.box[0] == 20


@pytest.mark.parametrize(
    'row, named',
    [
        pytest.param('a/clip,0,HCC,0,10,40,30', 'line 2: found the box', id='outside the tissue'),
        pytest.param('a/clip,0,HCC,70,10,90,30', 'inside the picture', id='in no picture'),
        pytest.param('dual,0,HCC,40,10,58,30', 'inside the picture', id='across two pictures'),
        pytest.param('a/clip,4,HCC,20,10,40,30', 'frame 4; expected 0 to 3', id='no such frame'),
        pytest.param('a/clip,-1,HCC,20,10,40,30', "'-1'; expected the number", id='negative'),
        pytest.param('a/clip,0,HCC,,,,', 'a diagnosis without a box', id='no box'),
        pytest.param('a/clip,0,,20,10,40,30', 'a box without one', id='no diagnosis'),
        pytest.param('a/clip,0,HCC,20,10,,', 'a box of 2 numbers', id='half a box'),
        pytest.param('a/clip,0,HCC,20,10,20,30', 'a box with an area', id='no area'),
        pytest.param('a/clip,0,XYZ,20,10,40,30', "'XYZ'", id='unknown diagnosis'),
        pytest.param('nothing,0,HCC,20,10,40,30', "'nothing', which is no file", id='no file'),
        pytest.param('1.2.3,0,HCC,20,10,40,30', "'1.2.3', which is no file", id='no such UID'),
        pytest.param('../x,0,HCC,20,10,40,30', "the path '../x'", id='leads out'),
    ],
)
def test_a_row_that_does_not_fit_is_named(source, row, named):
    with pytest.raises(InputError) as error:
        run(source, [row])
    assert named in str(error.value) and 'lesions.csv' in str(error.value)
    assert '\n' not in str(error.value)
    assert not (source.parent / 'raw/manifest.csv').exists()


def test_a_frame_is_annotated_in_full_or_not(source):
    header = f'{HEADER},fully_annotated'
    rows = ['a/clip,0,HCC,20,10,40,30,1', 'a/clip,0,HCC,20,10,41,30,0']
    with pytest.raises(InputError, match='line 3: found fully_annotated other than in .*line 2'):
        run(source, rows, header)


def test_only_files_whose_rows_changed_are_done_again(source, monkeypatch):
    rows = ['a/clip,0,HCC,20,10,40,30', 'dual,0,HCC,10,10,20,20']
    run(source, rows)
    written = []
    monkeypatch.setattr(frames, '_write_png', lambda path, image: written.append(path.name))
    run(source, [rows[1], rows[0]])
    assert written == []
    run(source, [rows[0], 'dual,0,cyst,10,10,20,20'])
    assert len(written) == 2  # the two pictures of one frame
