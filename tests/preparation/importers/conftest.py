"""The tests of DICOM need what `pip install '.[dicom]'` brings; without it they are left out."""

from importlib.util import find_spec

import pytest

collect_ignore_glob = [] if find_spec('pydicom') and find_spec('gdcm') else ['test_dicom_*']


@pytest.fixture
def source(tmp_path):
    """An export, to be filled."""
    return tmp_path / 'export'


@pytest.fixture
def out(tmp_path):
    return tmp_path / 'raw'


@pytest.fixture
def fake_marks(monkeypatch):
    """Marks that are known beforehand, and blackened instead of painted over."""
    from dicom_files import FakeMarks, black_out

    from mmdet_liver.preparation.importers.dicom import frames

    monkeypatch.setattr(frames, 'find_marks', FakeMarks)
    monkeypatch.setattr(frames, 'remove_marks', black_out)
