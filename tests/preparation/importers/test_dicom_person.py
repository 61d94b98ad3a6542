"""What leaves the header of a file about its patient."""

import io

import pytest
from dicom_files import CLIP, ULTRASOUND, dataset, grey_picture, save
from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from mmdet_liver.preparation.importers.dicom.header import (
    has_burned_in_text,
    is_dicom,
    is_directory,
    read_header,
    sop_instance_uid,
    why_no_picture,
)
from mmdet_liver.preparation.importers.dicom.person import age_in_years, person
from mmdet_liver.preparation.importers.dicom.unreadable import UnreadableError
from mmdet_liver.preparation.importers.identity import Identity

IDENTITY = Identity(b'key')
# Files with such values exist; pydicom warns where a test sets one.
pytestmark = pytest.mark.filterwarnings('ignore:Invalid value')


def header(**elements):
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def patient(**elements):
    return person(header(**elements), IDENTITY).patient_id


@pytest.mark.parametrize(
    'elements, age',
    [
        pytest.param({}, None, id='nothing'),
        pytest.param({'PatientAge': '045Y'}, 45, id='years'),
        pytest.param({'PatientAge': '010M'}, 0, id='months'),
        pytest.param({'PatientAge': '018M'}, 1, id='a year and a half'),
        pytest.param({'PatientAge': '104W'}, 2, id='weeks'),
        pytest.param({'PatientAge': '364D'}, 0, id='days'),
        pytest.param({'PatientAge': '45'}, None, id='no unit'),
        pytest.param({'PatientAge': '999Y'}, None, id='no age of anybody'),
        pytest.param(
            {'PatientBirthDate': '19600615', 'StudyDate': '20200614'}, 59, id='a day before'
        ),
        pytest.param(
            {'PatientBirthDate': '19600615', 'StudyDate': '20200615'}, 60, id='the birthday'
        ),
        pytest.param(
            {'PatientBirthDate': '1960.06.15', 'ContentDate': '2020.06.16'}, 60, id='old dates'
        ),
        pytest.param({'PatientBirthDate': '19600615'}, None, id='no day of the study'),
        pytest.param(
            {'PatientBirthDate': '19000101', 'StudyDate': '20050101'}, None, id='a placeholder'
        ),
        pytest.param(
            {'PatientBirthDate': '20210101', 'StudyDate': '20200101'}, None, id='not yet born'
        ),
        pytest.param(
            {'PatientAge': '045Y', 'PatientBirthDate': '19600615', 'StudyDate': '20200615'},
            45, id='the age as it is written',
        ),
    ],
)  # fmt: skip
def test_age_in_whole_years(elements, age):
    assert age_in_years(header(**elements)) == age


@pytest.mark.parametrize('sex, expected', [('M', 'M'), ('F', 'F'), ('O', None), ('', None)])
def test_sex(sex, expected):
    assert person(header(PatientSex=sex), IDENTITY).sex == expected


def test_a_patient_is_the_identifier_of_its_issuer():
    assert patient(PatientID='1 ') == patient(PatientID='1') == IDENTITY.patient('1')
    assert patient(PatientID='1', PatientName='A') == patient(PatientID='1', PatientName='B')
    ids = [
        patient(PatientID='1'),
        patient(PatientID='1', IssuerOfPatientID='A'),
        patient(PatientID='1', IssuerOfPatientID='B'),
        patient(PatientName='1'),
        patient(PatientID='', PatientName='2'),
    ]
    assert len(set(ids)) == len(ids) and all(ids)


def test_nobody_is_nobody():
    assert person(header(), IDENTITY) == person(header(PatientID='', PatientName=''), IDENTITY)
    nobody = person(header(), IDENTITY)
    assert (nobody.patient_id, nobody.study_id, nobody.age, nobody.sex) == ('', '', None, None)


def test_studies_are_of_their_patient():
    first = person(header(PatientID='1', StudyInstanceUID='1.2'), IDENTITY)
    same = person(header(PatientID='1', StudyInstanceUID='1.2', PatientName='x'), IDENTITY)
    other = person(header(PatientID='2', StudyInstanceUID='1.2'), IDENTITY)
    assert first.study_id == same.study_id != other.study_id
    assert person(header(StudyInstanceUID='1.2'), IDENTITY).study_id  # by study, at least


def test_a_japanese_name_is_one_in_any_character_set(tmp_path):
    found = set()
    for charset in ('ISO 2022 IR 87', 'ISO_IR 192'):
        sets = ['', charset] if 'IR 87' in charset else charset
        ds = dataset(
            [grey_picture()],
            PatientID=None,
            SpecificCharacterSet=sets,
            PatientName='Yamada^Tarou=山田^太郎',
        )
        with save(tmp_path / 'a', ds).open('rb') as file:
            found.add(person(read_header(file), IDENTITY).patient_id)
    assert len(found) == 1 and found != {''}


@pytest.mark.parametrize(
    'value, told', [('YES', True), ('NO', False), ('', None), (None, None)], ids=str
)
def test_burned_in_text(value, told):
    assert has_burned_in_text(header(BurnedInAnnotation=value)) is told


def file_of(ds, syntax=ExplicitVRLittleEndian, preamble=True):
    file = io.BytesIO()
    ds.save_as(
        file,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax.is_little_endian,
        enforce_file_format=preamble,
    )
    file.seek(0)
    return file


@pytest.mark.parametrize(
    'syntax',
    [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian],
    ids=lambda uid: uid.name,
)
def test_dicom_without_preamble_is_known_by_its_first_elements(syntax):
    ds = header(SOPClassUID=ULTRASOUND, SOPInstanceUID='1.2.3')
    file = file_of(ds, syntax, preamble=False)
    assert file.getvalue()[128:132] != b'DICM'
    assert is_dicom(file) and sop_instance_uid(file) == '1.2.3'


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(b'', id='nothing'),
        pytest.param(b'\x89PNG\r\n' + b'x' * 200, id='PNG'),
        pytest.param(b'\x08\0' + b'x' * 200, id='bytes that begin alike'),
        pytest.param(b'\0' * 500, id='zeros'),
        pytest.param(b'DICM' + b'\0' * 500, id='the word at another place'),
    ],
)
def test_other_files_are_no_dicom(content):
    assert not is_dicom(io.BytesIO(content))


def test_a_table_of_contents_is_known(tmp_path):
    ds = dataset([grey_picture()], SOPClassUID='1.2.840.10008.1.3.10')
    with save(tmp_path / 'DICOMDIR', ds).open('rb') as file:
        assert is_directory(read_header(file))
    with save(tmp_path / 'a', dataset([grey_picture()])).open('rb') as file:
        assert not is_directory(read_header(file))


@pytest.mark.parametrize(
    'elements, why',
    [
        pytest.param({}, '', id='an ultrasound image'),
        pytest.param({'Modality': 'CT'}, 'modality CT, not US', id='another modality'),
        pytest.param({'Modality': 'SR', 'Rows': None}, 'modality SR, not US', id='a report'),
        pytest.param({'Modality': 'Smith^J'}, 'modality another, not US', id='no modality at all'),
        pytest.param({'Modality': None}, '', id='none, but the class of ultrasound'),
        pytest.param(
            {'Modality': None, 'SOPClassUID': '1.2.840.10008.5.1.4.1.1.7'},
            'no modality, and not an ultrasound image by its class', id='a picture of anything',
        ),
        pytest.param(
            {'SOPClassUID': '1.2.840.10008.5.1.4.1.1.88.33', 'Rows': None},
            'no picture in it (a report, a presentation state or the like)', id='numbers of US',
        ),
        pytest.param({'SOPClassUID': CLIP, 'Rows': None}, '', id='a clip that lost its size'),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_told_without_its_words(elements, why):
    assert why_no_picture(dataset([grey_picture()], **elements), ('US',)) == why


def test_a_header_that_ends_early_is_damage():
    with pytest.raises(UnreadableError, match='without SOP class'):
        why_no_picture(header(Modality='US'), ('US',))


def test_other_modalities_can_be_asked_for():
    assert why_no_picture(dataset([grey_picture()], Modality='OT'), ('US', 'OT')) == ''
