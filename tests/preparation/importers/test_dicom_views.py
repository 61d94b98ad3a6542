"""The pictures of tissue in a frame, from regions written by hand."""

import pytest
from dicom_files import region
from pydicom import Dataset

from mmdet_liver.preparation.importers.dicom.unreadable import UnreadableError
from mmdet_liver.preparation.importers.dicom.views import find_views, scale_of_frame

SIZE = (200, 100)
FULL = (0, 0, 200, 100)
LEFT, RIGHT = (0, 10, 100, 90), (100, 10, 200, 90)
GRAPHICS, SPECTRUM = 5, 3
FLOW = 2


def header(*regions, **elements):
    ds = Dataset()
    if regions:
        ds.SequenceOfUltrasoundRegions = list(regions)
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


@pytest.mark.parametrize(
    'regions, boxes',
    [
        pytest.param([], None, id='the header tells nothing'),
        pytest.param([region(LEFT)], [LEFT], id='one'),
        pytest.param([region(RIGHT), region(LEFT)], [LEFT, RIGHT], id='two side by side'),
        pytest.param(
            [region((60, 0, 200, 100)), region((0, 0, 60, 100))],
            [(0, 0, 60, 100), (60, 0, 200, 100)],
            id='the smaller one first',
        ),
        pytest.param(
            [region((0, 50, 200, 100)), region((0, 0, 200, 50))],
            [(0, 0, 200, 50), (0, 50, 200, 100)],
            id='two above each other',
        ),
        pytest.param([region(LEFT), region(RIGHT, form=SPECTRUM)], [LEFT], id='beside a spectrum'),
        pytest.param([region(LEFT), region(FULL, form=GRAPHICS)], [LEFT], id='under graphics'),
        pytest.param(
            [region(LEFT), region((20, 30, 60, 60), kind=FLOW)], [LEFT], id='flow in the tissue'
        ),
        pytest.param([region(LEFT, kind=FLOW)], [LEFT], id='only flow'),
        pytest.param([region(LEFT, form=SPECTRUM)], [], id='only a spectrum'),
        pytest.param([region(LEFT), region((150, 0, 170, 20))], [LEFT], id='an inset'),
        pytest.param([region(LEFT), region((0, 10, 100, 60))], [LEFT], id='a part again'),
        pytest.param([region((0, 0, 201, 100))], [FULL], id='one pixel too wide'),
        pytest.param([region((0, 0, 202, 100))], None, id='of a larger frame'),
        pytest.param([region((50, 50, 50, 50)), region(LEFT)], [LEFT], id='one without area'),
    ],
)
def test_pictures_of_tissue(regions, boxes):
    known = find_views(header(*regions), SIZE).known
    assert (known if known is None else [view.box for view in known]) == boxes


def test_regions_of_another_size_are_told():
    assert find_views(header(region((0, 0, 400, 200))), SIZE).misplaced
    assert not find_views(header(region(LEFT)), SIZE).misplaced
    assert not find_views(header(), SIZE).misplaced


@pytest.mark.parametrize(
    'region_of, mm, is_stretched',
    [
        pytest.param({'delta': (0.02, 0.02)}, 0.2, False, id='centimetres'),
        pytest.param({'delta': (-0.02, 0.02)}, 0.2, False, id='an axis runs backwards'),
        pytest.param({'delta': (0.02, 0.02), 'units': 0}, None, False, id='another unit'),
        pytest.param({'delta': (0.0, 0.02)}, None, False, id='no distance'),
        pytest.param({'delta': (0.02, 0.0201)}, 0.2005, False, id='a rounding'),
        pytest.param({'delta': (0.02, 0.03)}, 0.25, True, id='longer one way'),
    ],
)
def test_millimetres_of_a_region(region_of, mm, is_stretched):
    scale = find_views(header(region(LEFT, **region_of)), SIZE).known[0].scale
    assert scale.mm_per_pixel == (mm and pytest.approx(mm))
    assert scale.is_stretched == is_stretched


@pytest.mark.parametrize(
    'elements, mm, stretch',
    [
        pytest.param({}, None, 1, id='none'),
        pytest.param({'PixelSpacing': [0.3, 0.3]}, 0.3, 1, id='PixelSpacing'),
        pytest.param({'ImagerPixelSpacing': [0.2, 0.4]}, 0.3, 2, id='rows before columns'),
        pytest.param({'PixelSpacing': [0, 0]}, None, 1, id='zero'),
        pytest.param({'PixelSpacing': None}, None, 1, id='empty'),
    ],
)
def test_millimetres_of_the_frame(elements, mm, stretch):
    scale = scale_of_frame(header(**elements))
    assert (scale.mm_per_pixel, scale.stretch) == (mm and pytest.approx(mm), stretch)


def test_a_region_without_place_is_no_region():
    item = region(LEFT)
    del item.RegionLocationMaxX1
    with pytest.raises(UnreadableError, match='does not parse'):
        find_views(header(item), SIZE)
