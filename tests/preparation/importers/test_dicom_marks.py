"""What is burned into the pictures of DICOM files, with a finder that is easy to foresee."""

import cv2
import numpy as np
import pytest
from dicom_files import (
    KEY,
    FakeMarks,
    dataset,
    decisions,
    grey_picture,
    image_of,
    marked,
    read,
    region,
    regions,
    save,
)

from mmdet_liver.preparation.importers.dicom import frames as frames_module
from mmdet_liver.preparation.importers.dicom.importing import import_dicom
from mmdet_liver.preparation.importers.dicom.options import DicomOptions

EVERY_FRAME = DicomOptions(frame_step=1, keep_marks=True)


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
