"""DICOM files of an ultrasound archive to PNG frames without names. Needs pydicom and GDCM.

The way of one file: `header` -> `views` (what is cropped) and `pixel_data` -> `shades` (frames
of 8 bits) -> `frames` (crop, marks, PNG) -> rows; `importing` does it for a folder.
"""
