"""The tests of DICOM need what `pip install '.[dicom]'` brings; without it they are left out."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec('pydicom') and find_spec('gdcm') else ['test_dicom_*']
