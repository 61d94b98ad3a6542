"""What is decoded, against the arrays that the files were made from."""

import cv2
import numpy as np
import pytest
from dicom_files import (
    colour_picture,
    dataset,
    grey_picture,
    jpeg,
    recode,
    save,
    save_encoded,
    save_jpeg,
)
from pydicom import Dataset
from pydicom.uid import (
    MPEG4HP41,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
)

from mmdet_liver.preparation.importers.dicom import apart
from mmdet_liver.preparation.importers.dicom.header import read_header
from mmdet_liver.preparation.importers.dicom.pixel_data import Frames
from mmdet_liver.preparation.importers.dicom.unreadable import UnreadableError

GREY = [grey_picture(seed=i) for i in range(3)]
COLOUR = [colour_picture(seed=i) for i in range(3)]


def decoded(path, indices=None):
    with path.open('rb') as file:
        frames = Frames(file, read_header(file))
        return [frames.decode(i) for i in indices or range(frames.count)]


def bgr(rgb):
    return rgb if rgb.ndim == 2 else rgb[..., ::-1]


def are_equal(found, expected):
    return len(found) == len(expected) and all(
        np.array_equal(one, bgr(other)) for one, other in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize('frames', [GREY[:1], COLOUR[:1], GREY, COLOUR], ids=len)
@pytest.mark.parametrize(
    'syntax',
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
    ids=lambda uid: uid.name,
)
def test_uncompressed_pixels_are_those_that_were_stored(tmp_path, syntax, frames):
    assert are_equal(decoded(save(tmp_path / 'a', dataset(frames), syntax)), frames)


@pytest.mark.parametrize('frames', [GREY, COLOUR], ids=['grey', 'colour'])
@pytest.mark.parametrize(
    'syntax',
    [
        'RLELossless',
        'JPEGLosslessProcess14',
        'JPEGLosslessProcess14_1',
        'JPEGLSLossless',
        'JPEG2000Lossless',
    ],
)
def test_lossless_encodings_lose_nothing(tmp_path, syntax, frames):
    assert are_equal(decoded(recode(save(tmp_path / 'a', dataset(frames)), syntax)), frames)


@pytest.mark.parametrize('frames', [GREY, COLOUR], ids=['grey', 'colour'])
def test_baseline_jpeg_is_what_opencv_decodes(tmp_path, frames):
    found = decoded(save_jpeg(tmp_path / 'a', frames))
    for one, frame in zip(found, frames, strict=True):
        content = np.frombuffer(jpeg(frame), np.uint8)
        direct = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
        # Two roundings of the colours; chroma is interpolated in two ways.
        assert one.shape == direct.shape
        assert np.abs(one.astype(int) - direct).max() <= 3


def test_colour_of_wavelets(tmp_path):
    ds = dataset(COLOUR[:1], 'YBR_RCT')
    path = save_encoded(tmp_path / 'a', ds, [jpeg_2000(COLOUR[0])], JPEG2000Lossless)
    assert are_equal(decoded(path), COLOUR[:1])


def jpeg_2000(pixels):
    content = cv2.imencode(
        '.jp2', pixels[..., ::-1], [cv2.IMWRITE_JPEG2000_COMPRESSION_X1000, 1000]
    )
    codestream = content[1].tobytes()
    codestream = codestream[codestream.index(b'\xff\x4f\xff\x51') :]
    return codestream + b'\0' * (len(codestream) % 2)


def planar(rgb):
    return rgb.transpose(2, 0, 1).reshape(rgb.shape)


def test_colours_one_after_the_other(tmp_path):
    ds = dataset([planar(frame) for frame in COLOUR], PlanarConfiguration=1)
    assert are_equal(decoded(save(tmp_path / 'a', ds)), COLOUR)


def to_ybr(rgb):
    """PS3.3 C.7.6.3.1.2, YBR_FULL, in floating point."""
    r, g, b = rgb.astype(float).transpose(2, 0, 1)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    cb = -0.1687 * r - 0.3313 * g + 0.5 * b + 128
    cr = 0.5 * r - 0.4187 * g - 0.0813 * b + 128
    return np.stack([y, cb, cr], axis=-1).round().clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize('frames', [COLOUR[:1], COLOUR], ids=['image', 'clip'])
@pytest.mark.parametrize('subsampled', [False, True], ids=['YBR_FULL', 'YBR_FULL_422'])
def test_luma_and_chroma(tmp_path, frames, subsampled):
    stored = [to_ybr(frame) for frame in frames]
    ds = dataset(stored, 'YBR_FULL_422' if subsampled else 'YBR_FULL')
    if subsampled:
        # Two pixels share their chroma: Y1 Y2 Cb Cr.
        pairs = [np.stack([f[:, ::2, 0], f[:, 1::2, 0], f[:, ::2, 1], f[:, ::2, 2]], -1)
                 for f in stored]  # fmt: skip
        ds.PixelData = b''.join(pair.tobytes() for pair in pairs)
    for one, frame in zip(decoded(save(tmp_path / 'a', ds)), frames, strict=True):
        assert np.abs(one.astype(int) - bgr(frame)).max() <= (6 if subsampled else 3)


def test_grey_in_three_colours_becomes_grey(tmp_path):
    frames = [np.repeat(frame[..., None], 3, axis=2) for frame in GREY]
    assert are_equal(decoded(save(tmp_path / 'a', dataset(frames))), GREY)
    frames[0][5, 5, 0] ^= 1
    frames[1][5, 5, 2] ^= 1
    assert [f.ndim for f in decoded(save(tmp_path / 'b', dataset(frames)))] == [3, 3, 2]


def test_inverted_grey(tmp_path):
    path = save(tmp_path / 'a', dataset(GREY, 'MONOCHROME1'))
    assert are_equal(decoded(path), [255 - frame for frame in GREY])


@pytest.mark.parametrize(
    'bits, signed, header, expected',
    [
        pytest.param(8, False, {}, [0, 1, 128, 255], id='8 bits stay'),
        pytest.param(12, False, {}, [0, 0, 8, 255], id='12 bits by their range'),
        pytest.param(16, False, {}, [0, 0, 0, 16], id='16 bits by their range'),
        pytest.param(12, True, {}, [128, 128, 136, 255], id='signed'),
        pytest.param(
            12, False, {'WindowCenter': 128, 'WindowWidth': 256}, [0, 1, 128, 255], id='window'
        ),
        pytest.param(
            12, False, {'WindowCenter': [128, 9], 'WindowWidth': [256, 9]}, [0, 1, 128, 255],
            id='the first of two windows',
        ),
        pytest.param(
            12, False,
            {'WindowCenter': 128, 'WindowWidth': 256, 'VOILUTFunction': 'LINEAR_EXACT'},
            [0, 1, 128, 255], id='exact window',
        ),
        pytest.param(
            # 255 / (1 + exp(-4 (x - 128) / 64)), at 0, 1, 128 and far above
            12, False, {'WindowCenter': 128, 'WindowWidth': 64, 'VOILUTFunction': 'SIGMOID'},
            [0, 0, 128, 255], id='sigmoid window',
        ),
        pytest.param(
            8, False, {'WindowCenter': 128, 'WindowWidth': 0}, [0, 1, 128, 255], id='no window'
        ),
        pytest.param(
            # 2 x - 100 from -100 to 8090; the window from 0 to 255
            12, False,
            {'RescaleSlope': 2, 'RescaleIntercept': -100, 'WindowCenter': 128,
             'WindowWidth': 256},
            [0, 0, 156, 255], id='rescaled before the window',
        ),
        pytest.param(
            12, False, {'RescaleSlope': 2, 'RescaleIntercept': -100}, [0, 0, 8, 255],
            id='rescaled without window',
        ),
    ],
)  # fmt: skip
def test_grey_of_any_depth(tmp_path, bits, signed, header, expected):
    largest = (1 << (bits - signed)) - 1
    stored = np.array([[0, 1, 128, min(largest, 4095)]])
    found = decoded(save(tmp_path / 'a', dataset([stored], bits=bits, signed=signed, **header)))
    assert found[0].tolist() == [expected]


def test_colours_of_more_than_8_bits_lose_the_lower_ones(tmp_path):
    stored = np.array([[[0, 15, 16], [2048, 4095, 4080]]])
    found = decoded(save(tmp_path / 'a', dataset([stored], bits=12)))
    assert found[0].tolist() == [[[1, 0, 0], [255, 255, 128]]]


def test_a_table_of_greys_goes_before_the_range(tmp_path):
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [4, 0, 8], [0, 10, 100, 250]
    item['LUTData'].VR = item['LUTDescriptor'].VR = 'US'
    ds = dataset([np.array([[0, 1, 2, 3, 9]])], VOILUTSequence=[item])
    assert decoded(save(tmp_path / 'a', ds))[0].tolist() == [[0, 10, 100, 250, 250]]


def test_bits_beside_the_stored_ones_are_no_brightness(tmp_path):
    # In old files an overlay lies in the upper bits.
    ds = dataset([np.array([[0xF000, 0xFFFF]])], bits=12)
    assert decoded(save(tmp_path / 'a', ds))[0].tolist() == [[0, 255]]


@pytest.mark.parametrize('depth', [8, 16])
def test_palette(tmp_path, depth):
    # Entries for the values 10 to 13; what is below or above has the nearest.
    table = np.array([[1, 2, 3], [50, 60, 70], [9, 9, 9], [255, 0, 128]])
    scale = 256 if depth == 16 else 1
    ds = dataset([np.array([[0, 10, 11, 13, 200]])], 'PALETTE COLOR')
    for i, colour in enumerate(('Red', 'Green', 'Blue')):
        entries = (table[:, i] * scale).astype(f'u{depth // 8}').tobytes()
        setattr(ds, f'{colour}PaletteColorLookupTableDescriptor', [4, 10, depth])
        setattr(ds, f'{colour}PaletteColorLookupTableData', entries)
        ds[f'{colour}PaletteColorLookupTableDescriptor'].VR = 'US'
    found = decoded(save(tmp_path / 'a', ds))[0]
    assert found[0].tolist() == table[[0, 0, 1, 3, 3]][:, ::-1].tolist()


@pytest.mark.parametrize('offset_table', [True, False], ids=['offset table', 'no offset table'])
def test_any_frame_alone(tmp_path, offset_table):
    encoded = [jpeg(frame) for frame in GREY]
    path = save_encoded(
        tmp_path / 'a', dataset(GREY), encoded, JPEGBaseline8Bit, offset_table=offset_table
    )
    whole = decoded(path)
    assert are_equal(decoded(path, [2, 0]), [whole[2], whole[0]])
    assert not np.array_equal(whole[0], whole[2])


def test_a_frame_in_several_fragments(tmp_path):
    encoded = jpeg(GREY[0])
    half = len(encoded) // 4 * 2
    path = save_encoded(
        tmp_path / 'a',
        dataset(GREY[:1]),
        [encoded[:half], encoded[half:]],
        JPEGBaseline8Bit,
        offset_table=False,
    )
    whole = decoded(save_jpeg(tmp_path / 'b', GREY[:1]))
    assert are_equal(decoded(path), whole)


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def without(keyword):
    def change(tmp_path):
        return save(tmp_path / 'a', dataset(GREY, **{keyword: None}))

    return change


def fewer_fragments(tmp_path):
    return save_encoded(tmp_path / 'a', dataset(GREY), [jpeg(GREY[0])] * 2, JPEGBaseline8Bit)


def broken_stream(tmp_path):
    encoded = jpeg(GREY[0])
    encoded = encoded[: len(encoded) // 4 * 2]
    return save_encoded(tmp_path / 'a', dataset(GREY[:1]), [encoded], JPEGBaseline8Bit)


def video(tmp_path):
    return save_encoded(tmp_path / 'a', dataset(GREY), [b'ab'], MPEG4HP41)


@pytest.mark.parametrize(
    'make, named',
    [
        pytest.param(without('PixelData'), 'no pixel data', id='no pixel data'),
        pytest.param(without('Rows'), 'no image size', id='no size'),
        pytest.param(
            lambda p: save(p / 'a', dataset(GREY, NumberOfFrames=0)), 'no frames', id='no frames'
        ),
        pytest.param(
            lambda p: save(p / 'a', dataset(GREY, NumberOfFrames=4)),
            'pixel data that is cut off: 5184 bytes, expected 6912',
            id='fewer bytes than frames',
        ),
        pytest.param(
            lambda p: cut(save(p / 'a', dataset(GREY)), 0.9), 'cut off', id='cut off'
        ),
        pytest.param(
            lambda p: cut(save_jpeg(p / 'a', GREY), 0.9), 'cut off', id='cut off between frames'
        ),
        pytest.param(
            lambda p: cut(save(p / 'a', dataset(GREY), DeflatedExplicitVRLittleEndian), 0.9),
            'does not parse: .*truncated', id='cut off and deflated',
        ),
        pytest.param(fewer_fragments, 'fewer frames', id='fewer encoded frames'),
        pytest.param(broken_stream, 'pixels that do not decode', id='half a JPEG'),
        pytest.param(video, 'no plugin decodes: MPEG-4', id='video'),
        pytest.param(
            lambda p: save(p / 'a', dataset(GREY, Rows=60000, Columns=60000)),
            'larger than of any scanner: 60000x60000', id='larger than memory',
        ),
        pytest.param(
            lambda p: save(p / 'a', dataset(GREY, 'YBR_PARTIAL_420')), 'an unknown colour space',
            id='unknown colours',
        ),
    ],
)  # fmt: skip
def test_damage_is_named(tmp_path, make, named):
    path = make(tmp_path)
    with pytest.raises(UnreadableError, match=named):
        decoded(path)


@pytest.mark.parametrize('syntax', ['JPEGLSLossless', 'JPEGLosslessProcess14_1'])
def test_a_decoder_that_crashes_ends_no_import(tmp_path, syntax):
    good = recode(save(tmp_path / 'a', dataset(GREY)), syntax)
    content = good.read_bytes()
    start = content.rindex(b'\xff\xd8\xff')  # of the last frame; its bits a sample are 255
    bad = tmp_path / 'b'
    bad.write_bytes(content[: start + 6] + b'\xff' + content[start + 7 :])
    with pytest.raises(UnreadableError, match='do not decode'):
        decoded(bad)
    assert are_equal(decoded(good), GREY)


def test_a_decoder_that_was_killed_is_started_again(tmp_path):
    good = recode(save(tmp_path / 'a', dataset(GREY)), 'JPEGLSLossless')
    decoded(good)
    apart._child.kill()
    with pytest.raises(UnreadableError, match='the decoder crashed'):
        decoded(good)
    assert are_equal(decoded(good), GREY)


def test_a_decoder_ends_with_the_process_that_asks(tmp_path):
    good = recode(save(tmp_path / 'a', dataset(GREY)), 'JPEGLSLossless')
    decoded(good)
    child = apart._child
    child.stdin.close()  # what the system does when that process is killed
    assert child.wait(timeout=60) == 0
    apart._stop()
