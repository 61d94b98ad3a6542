"""Nothing of a header reaches the output: every element is filled with words to look for."""

import itertools

import numpy as np
import pytest
from dicom_files import dataset, grey_picture, region, save
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from mmdet_liver.preparation.importers.dicom.importing import import_dicom
from mmdet_liver.preparation.importers.dicom.options import DicomOptions
from mmdet_liver.preparation.importers.identity import Identity

WORD, NUMBER, DATE, TIME = 'CANARY', '424242', '19610723', '142742'
OF_VR = {
    **dict.fromkeys(('SH', 'LO', 'ST', 'LT', 'UT', 'UC', 'AE', 'CS', 'UR'), WORD),
    **dict.fromkeys(('IS', 'DS'), NUMBER),
    **{'PN': f'{WORD}^{WORD}={WORD}', 'UI': f'1.2.{NUMBER}.3', 'DA': DATE, 'TM': TIME},
    **{'DT': f'{DATE}{TIME}', 'AS': '058Y', 'OB': WORD.encode()},
}
# What the pixels are decoded by, and what decides whether the file is taken.
NEEDED = {
    'Modality', 'SOPClassUID', 'PhotometricInterpretation', 'NumberOfFrames', 'PixelData',
    'RescaleSlope', 'RescaleIntercept', 'WindowCenter', 'WindowWidth', 'VOILUTFunction',
    'SpecificCharacterSet',
}  # fmt: skip


def canaries():
    """Every element of the standard that holds text, a number as text, or bytes."""
    for tag, (vr, multiplicity, *_) in DicomDictionary.items():
        group, keyword = tag >> 16, keyword_for_tag(tag)
        if group >= 0x0008 and group != 0xFFFE and vr in OF_VR and keyword not in NEEDED:
            value = OF_VR[vr]
            yield DataElement(tag, vr, [value] * 2 if multiplicity == '2' else value)


def filled(frames, **elements):
    ds = dataset(frames, **elements)
    for element in canaries():
        if element.tag not in ds or element.VR in ('UI', 'LO'):
            ds.add(element)
    item = Dataset()
    for element in itertools.islice(canaries(), 300):
        item.add(element)
    ds.RequestAttributesSequence = [item]
    tissue = region((4, 4, 40, 30))
    tissue.add(DataElement(0x00081030, 'LO', WORD))
    ds.SequenceOfUltrasoundRegions = [tissue]
    private = ds.private_block(0x0009, WORD, create=True)
    private.add_new(1, 'LO', WORD)
    private.add_new(2, 'UN', WORD.encode())
    ds.add(DataElement(0x60003000, 'OB', WORD.encode()))  # an overlay
    ds.add(DataElement(0x60000022, 'LO', WORD))
    ds.file_meta.SourceApplicationEntityTitle = WORD
    ds.file_meta.ImplementationVersionName = WORD
    ds.preamble = (WORD * 22)[:128].encode()
    return ds


def words_in(folder):
    """Files below `folder` whose path or content holds one of the words."""
    words = [word.encode() for word in (WORD, WORD.lower(), NUMBER, DATE, TIME)]
    return [
        path
        for path in folder.rglob('*')
        for text in (str(path.relative_to(folder)).encode(), path.is_file() and path.read_bytes())
        if text and any(word in text for word in words)
    ]


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / 'export'
    picture = grey_picture(top=250)
    save(folder / f'{WORD}^{WORD}/{DATE}.dcm', filled([picture]))
    save(folder / f'{WORD}^{WORD}/{WORD} clip', filled([picture] * 3))
    save(folder / f'{WORD} other', filled([picture], Modality=WORD))
    save(folder / f'{WORD} unreadable', filled([picture], PhotometricInterpretation=WORD))
    (folder / f'{WORD}.txt').write_text(WORD)
    table = tmp_path / 'lesions.csv'
    table.write_text(
        'image_path,diagnosis,x_min,y_min,x_max,y_max,comment,patient_id\n'
        f'{WORD}^{WORD}/{DATE}.dcm,HCC,5,5,20,20,{WORD},{WORD}\n'
    )
    return folder


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('annotated', [False, True], ids=['no annotations', 'annotations'])
def test_no_word_of_a_header_reaches_the_output(source, annotated):
    assert len(list(canaries())) > 2000 and words_in(source)
    table = source.parent / 'lesions.csv'
    options = DicomOptions(
        frame_step=1,
        annotations=table if annotated else None,
        include_unlisted=True,
        skip_unreadable=True,
    )
    result = import_dicom(source, source.parent / 'raw', Identity(b'key'), options)
    assert len(result.records) == 4 and len(list(source.parent.glob('raw/images/*/*'))) == 4
    assert {record.age for record in result.records} == {58}
    assert all(record.patient_id and record.study_id for record in result.records)
    assert words_in(source.parent / 'raw') == []


def test_an_image_holds_nothing_but_its_pixels(source):
    options = DicomOptions(skip_unreadable=True)
    import_dicom(source, source.parent / 'raw', Identity(b'key'), options)
    for path in source.parent.glob('raw/images/*/*'):
        content, kinds, position = path.read_bytes(), [], 8
        while position < len(content):
            length = int(np.frombuffer(content, '>u4', 1, position)[0])
            kinds.append(content[position + 4 : position + 8])
            position += 12 + length
        assert set(kinds) == {b'IHDR', b'IDAT', b'IEND'}
