"""DICOM files for tests, made from arrays."""

import io

import cv2
import gdcm
import numpy as np
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    generate_uid,
)

from mmdet_liver.preparation.decisions import read_decisions
from mmdet_liver.preparation.importers.identity import Identity

KEY = Identity(b'key')
WHOLE_BOX = (0, 0, 48, 36)  # of the pictures below
ULTRASOUND, CLIP = '1.2.840.10008.5.1.4.1.1.6.1', '1.2.840.10008.5.1.4.1.1.3.1'


def grey_picture(width=48, height=36, seed=0, top=200):
    """(H, W) uint8: speckle inside a black border of 4 pixels, nowhere above `top`."""
    pixels = np.zeros((height, width), np.uint8)
    inside = pixels[4:-4, 4:-4]
    inside[:] = np.random.default_rng(seed).integers(40, top, inside.shape)
    return pixels


def colour_picture(width=48, height=36, seed=0):
    """(H, W, 3) uint8 RGB, smooth, so that a lossy encoding stays near it."""
    y, x = np.mgrid[:height, :width] / max(width, height)
    waves = [np.sin(3 * x + k + seed) + np.cos(4 * y - k) for k in range(3)]
    return np.stack([127 + 50 * wave for wave in waves], axis=-1).astype(np.uint8)


def dataset(frames, photometric=None, bits=8, signed=False, **elements):
    """An ultrasound image (several frames: a clip) that stores `frames` as they are.

    Args:
        frames: arrays (H, W) or (H, W, 3).
        elements: keyword -> value; None leaves the element out.
    """
    first = frames[0]
    samples = 1 if first.ndim == 2 else 3
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.SOPClassUID = ULTRASOUND if len(frames) == 1 else CLIP
    ds.SOPInstanceUID = generate_uid(entropy_srcs=[str(elements), str(first.sum())])
    ds.Modality = 'US'
    ds.PatientID, ds.StudyInstanceUID = 'patient-1', '1.2.3.4'
    ds.Rows, ds.Columns = first.shape[:2]
    ds.SamplesPerPixel = samples
    ds.PhotometricInterpretation = photometric or ('MONOCHROME2' if samples == 1 else 'RGB')
    if samples == 3:
        ds.PlanarConfiguration = 0
    if len(frames) > 1:
        ds.NumberOfFrames = len(frames)
    ds.BitsStored, ds.HighBit = bits, bits - 1
    ds.BitsAllocated = 8 if bits <= 8 else 16
    ds.PixelRepresentation = int(signed)
    stored = ('i' if signed else 'u') + str(ds.BitsAllocated // 8)
    data = b''.join(frame.astype(stored).tobytes() for frame in frames)
    ds.PixelData = data + b'\0' * (len(data) % 2)
    ds['PixelData'].VR = 'OB' if bits <= 8 else 'OW'
    for keyword, value in elements.items():
        if value is None:
            ds.pop(keyword, None)
        else:
            setattr(ds, keyword, value)
    return ds


def region(box, kind=1, form=1, delta=(0.02, 0.02), units=3):
    """A region of `box`, xyxy with the far edge exclusive; `delta` in cm (units 3)."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType = form, kind
    item.RegionLocationMinX0, item.RegionLocationMinY0 = box[:2]
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box[2] - 1, box[3] - 1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX, item.PhysicalDeltaY = delta
    return item


def save(path, ds, syntax=ExplicitVRLittleEndian):
    """Write `ds` at `path`; pixels of two bytes are swapped for big-endian files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if syntax == ExplicitVRBigEndian and ds.BitsAllocated == 16:
        ds.PixelData = np.frombuffer(ds.PixelData, 'u2').byteswap().tobytes()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.get('SOPClassUID', ULTRASOUND)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.get('SOPInstanceUID') or '1.2.3'
    ds.save_as(path, enforce_file_format=True)
    return path


def save_encoded(path, ds, encoded, syntax, *, offset_table=True):
    """Write `ds` with the encoded frames, bytes, instead of its pixels."""
    ds.PixelData = encapsulate(encoded, has_bot=offset_table)
    ds['PixelData'].VR = 'OB'
    ds['PixelData'].is_undefined_length = True
    return save(path, ds, syntax)


def jpeg(pixels, subsampling='4:2:2'):
    """A baseline JPEG of RGB or grey `pixels`, of even length."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, 'JPEG', quality=95, subsampling=subsampling)
    content = file.getvalue()
    return content + b'\0' * (len(content) % 2)


def save_jpeg(path, frames, **elements):
    """A baseline JPEG clip, as most scanners write it."""
    photometric = 'MONOCHROME2' if frames[0].ndim == 2 else 'YBR_FULL_422'
    ds = dataset(frames, photometric, **elements)
    return save_encoded(path, ds, [jpeg(frame) for frame in frames], JPEGBaseline8Bit)


def recode(path, syntax):
    """Encode an uncompressed file anew by GDCM, in place; `syntax` as GDCM names it."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return path


def regions(*items):
    """The element of the header; one region of the whole picture unless others are given."""
    return {'SequenceOfUltrasoundRegions': list(items) or [region(WHOLE_BOX)]}


def image_of(path, frame=None, view=''):
    return f'images/{KEY.image(path, frame)}{view}.png'


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def decisions(out, step):
    path = out / 'cleansing.csv'
    return [d for d in read_decisions(path) if d.step == step] if path.exists() else []


def marked():
    """A grey picture with a mark of pure white."""
    picture = grey_picture()
    picture[10:13, 10:20] = 255
    return picture


def tree(folder):
    """Path -> bytes of all files but the lock."""
    files = (path for path in folder.rglob('*') if path.is_file() and path.name != 'lock')
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


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
