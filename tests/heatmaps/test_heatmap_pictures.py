"""The numbers read off the maps, the blending and the sheet, on maps made by hand."""

from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from mmdet_liver import compat

compat.install()

from mmdet_liver.heatmaps import sheet  # noqa: E402
from mmdet_liver.heatmaps.blending import COLORMAP, OPACITY, blend_heatmap  # noqa: E402
from mmdet_liver.heatmaps.maps import Boxes, ImageHeatmaps, caption, response_of  # noqa: E402

NOTHING = np.zeros((0, 4), np.float32)


def boxes(*rows, labels=(), scores=None):
    xyxy = np.array(rows, np.float32).reshape(-1, 4)
    return Boxes(xyxy, np.array(labels, int), None if scores is None else np.array(scores))


def maps_of(predicted, lesions=(), labels=()):
    """16 x 16 pixels, cells of 4 x 4: (2, 4, 4) maps."""
    target = np.zeros((2, 4, 4), np.float32)
    for (x1, y1, x2, y2), label in zip(lesions, labels, strict=True):
        target[label, int(y1 + y2) // 8, int(x1 + x2) // 8] = 1
    return ImageHeatmaps(
        name='p1/a.png',
        image=np.full((16, 16, 3), 80, np.uint8),
        content=(0, 0, 16, 12),
        target=target,
        predicted=np.asarray(predicted, np.float32),
        lesions=boxes(*lesions, labels=labels),
        ignored=NOTHING,
        peaks=boxes([4, 4, 8, 8], labels=[1], scores=[0.5]),
        losses={'loss_center_heatmap': 1.2, 'loss_wh': 0.5, 'loss_offset': 0.3},
        center_loss=0.8,
    )


def flat(**cells):
    """0.1 everywhere but in the named cells: `c1y2x3=0.9`."""
    values = np.full((2, 4, 4), 0.1, np.float32)
    for name, value in cells.items():
        values[int(name[1]), int(name[3]), int(name[5])] = value
    return values


def test_response_on_and_off_lesions():
    # The lesion touches the four cells of x, y in {1, 2}; its class is 0.
    made = maps_of(flat(c0y1x1=0.6, c1y2x2=0.7, c0y0x0=0.3, c1y3x3=0.4), [[5, 5, 11, 11]], [0])
    found = response_of(made)
    assert found.on_lesions == pytest.approx([0.7])
    assert found.own_class == pytest.approx([0.6])
    assert found.off_lesions == pytest.approx(0.4)


def test_ignored_regions_and_the_target_around_a_lesion_are_not_off_lesions():
    made = maps_of(flat(c0y0x0=0.9, c0y3x3=0.8, c0y3x0=0.2), [[5, 5, 7, 7]], [0])
    target = made.target.copy()
    target[1, 3, 3] = 0.05
    ignored = np.array([[0, 0, 3, 3]], np.float32)
    assert response_of(made).off_lesions == pytest.approx(0.9)
    assert response_of(replace(made, ignored=ignored)).off_lesions == pytest.approx(0.8)
    both = replace(made, ignored=ignored, target=target)
    assert response_of(both).off_lesions == pytest.approx(0.2)


@pytest.mark.parametrize(
    'lesions, labels, changes, text',
    [
        pytest.param([], [], {}, 'no lesion; highest value 0.10; loss 2.00: heat map 60%, '
                     'size 25%, offset 15%', id='lesion-free'),
        pytest.param([[5, 5, 7, 7]], [0], {}, 'highest value on lesions 0.10, off lesions 0.10; '
                     'loss 2.00: heat map 60% (centres 40%), size 25%, offset 15%', id='lesion'),
        pytest.param([[0, 0, 16, 16]], [0], {}, 'highest value on lesions 0.10, off lesions nan; '
                     'loss 2.00: heat map 60% (centres 40%), size 25%, offset 15%',
                     id='nothing is off the lesion'),
        pytest.param([], [], {'predicted': np.full((2, 4, 4), np.nan)},
                     'no lesion; highest value nan; loss 2.00: heat map 60%, size 25%, offset 15%',
                     id='diverged'),
        pytest.param([], [], {'losses': {'loss_x': 0.0}},
                     'no lesion; highest value 0.10; loss 0.00: x 0%', id='no loss'),
    ],
)  # fmt: skip
def test_caption(lesions, labels, changes, text):
    assert caption(replace(maps_of(flat(), lesions, labels), **changes)) == text


def test_caption_names_the_own_class_where_another_is_higher_and_stops_after_six():
    cell = [5, 5, 7, 7]
    made = maps_of(flat(c1y1x1=0.8, c0y1x1=0.3), [cell] * 8, [0] * 8)
    assert caption(made).count('0.80 (own class 0.30)') == 6
    assert '(own class 0.30) and 2 more, off lesions 0.10' in caption(made)


def test_blending_by_hand():
    image = np.full((4, 6, 3), (40, 90, 200), np.uint8)
    heatmap = np.array([[0, 0.25, np.nan], [1, 2, -3]])
    out = blend_heatmap(image, heatmap)
    assert out.shape == image.shape and out.dtype == np.uint8
    for row in range(4):
        for column in range(6):
            value = [[0, 0.25, 0], [1, 1, 0]][row // 2][column // 2]
            alpha = OPACITY * value**0.5
            color = np.array(matplotlib.colormaps[COLORMAP](float(value))[:3]) * 255
            expected = (1 - alpha) * image[row, column] + alpha * color
            assert np.abs(out[row, column] - expected).max() <= 0.51
    assert (out[:2, :2] == image[:2, :2]).all()


def painted(images, monkeypatch, classes=('cyst', 'HCC')):
    """The sheet, and all texts and boxes in it."""
    figures = []
    monkeypatch.setattr(sheet, 'Figure', lambda **kw: figures.append(Figure(**kw)) or figures[-1])
    drawn = sheet.draw_sheet(images, classes, 'epoch 3')
    axes = figures[0].axes[1:]  # after the legend
    texts = [text.get_text() for text in figures[0].texts]
    return drawn, texts, axes


def labels_of(axes):
    return [text.get_text() for text in axes.texts]


def test_sheet_has_a_row_an_image_with_four_panels(monkeypatch):
    lesion = maps_of(flat(), [[5, 5, 11, 11]], [0])
    drawn, texts, axes = painted([lesion, maps_of(flat())], monkeypatch)
    assert drawn.dtype == np.uint8 and drawn.shape[2] == 3 and len(axes) == 8
    assert texts[0] == 'epoch 3' and any(text.startswith('p1/a.png: no lesion') for text in texts)
    truth, target, predicted, peaks = axes[:4]
    assert labels_of(truth) == ['cyst'] and labels_of(peaks) == ['HCC 0.50']
    # Padding and lesion; outline; outline; lesion and prediction.
    assert [len(a.patches) for a in axes[:4]] == [2, 1, 1, 2]
    assert [len(a.patches) for a in axes[4:]] == [1, 0, 0, 1]
    assert truth.patches[0].get_bbox().extents.tolist() == [-0.5, 11.5, 15.5, 15.5]
    assert (truth.get_images()[0].get_array() == lesion.image).all()
    assert (target.get_images()[0].get_array()[8:12, 8:12] != lesion.image[0, 0]).any()
    assert (target.get_images()[0].get_array()[:8] == lesion.image[0, 0]).all()
    assert (predicted.get_images()[0].get_array() != lesion.image[0, 0]).any(axis=2).all()


def test_images_of_different_shape_keep_their_aspect(monkeypatch):
    flatter = replace(maps_of(flat()), image=np.zeros((8, 16, 3), np.uint8), content=(0, 0, 16, 8))
    _, _, axes = painted([maps_of(flat()), flatter], monkeypatch)
    sizes = [a.get_window_extent() for a in (axes[0], axes[4])]
    assert [s.width / s.height for s in sizes] == pytest.approx([1, 2], rel=0.01)


@pytest.mark.parametrize(
    'changes, drawn',
    [
        pytest.param({'peaks': boxes(scores=[])}, 0, id='no peak'),
        pytest.param({'predicted': np.full((2, 4, 4), np.nan)}, 1, id='a map of NaN'),
        pytest.param({'peaks': boxes([0, 0, np.inf, 4], labels=[0], scores=[1])}, 0, id='no end'),
        pytest.param({'content': (4, 4, 12, 12)}, 1, id='padding on all sides'),
        pytest.param({'name': 'p1/$x_1$ 肝.png'}, 1, id='letters that fonts may lack'),
    ],
)
def test_odd_images_are_drawn(changes, drawn, monkeypatch):
    _, _, axes = painted([replace(maps_of(flat()), **changes)], monkeypatch)
    assert len(axes) == 4 and len(axes[3].patches) == drawn
    assert len(axes[0].patches) == (4 if 'content' in changes else 1)


def test_one_class_and_japanese_names(monkeypatch):
    one = boxes([4, 4, 8, 8], labels=[0], scores=[0.5])
    made = replace(maps_of(flat()[:1]), target=np.zeros((1, 4, 4), np.float32), peaks=one)
    for name in ('tumor', '肝嚢胞'):
        _, _, axes = painted([made], monkeypatch, (name,))
        (label,) = labels_of(axes[3])
        assert label.endswith(' 0.50') and (name != 'tumor' or label == 'tumor 0.50')


def test_the_same_maps_give_the_same_file(tmp_path):
    for name in ('a.png', 'b.png'):
        sheet.write_sheet(tmp_path / name, sheet.draw_sheet([maps_of(flat())], ('a', 'b'), 'x'))
    assert (tmp_path / 'a.png').read_bytes() == (tmp_path / 'b.png').read_bytes()
    assert np.asarray(Image.open(tmp_path / 'a.png')).ndim == 3
