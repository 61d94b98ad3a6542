import numpy as np
import pytest
from report_cases import coco, save

from mmdet_liver.preparation.statistics.drawing import Values, histogram_rows, to_png
from mmdet_liver.preparation.statistics.figures import PLOTS, unknown_note
from mmdet_liver.preparation.statistics.groups import (
    diagnosis_groups,
    frequent_classes,
    image_groups,
)
from mmdet_liver.preparation.statistics.lesion_figures import position_map
from mmdet_liver.preparation.statistics.tables import read_tables

BOX = (20, 20, 60, 50)
KNOWN = {'age': 60, 'sex': 'F', 'patient_id': 'p', 'mm_per_pixel': 0.5}
PLOT = {plot.name: plot for plot in PLOTS}


def read(folder, *images, **options):
    return read_tables([save(folder / 'a.json', coco(*images, **options))])


@pytest.fixture
def tables(tmp_path):
    return read(
        tmp_path,
        ('1.png', KNOWN, [('HCC', BOX), ('HCC', (0, 0, 20, 10)), ('Meta', BOX)]),
        ('2.png', {'sex': 'M', 'age': 47}, [('HCC', BOX)]),
        ('3.png', {'width': 400}, [('cyst', BOX)]),
        ('4.png', {}, []),
    )


def test_groups(tables):
    groups = {g.label: g for g in image_groups(tables)}
    assert list(groups) == ['cyst', 'HCC', 'hemangioma', 'Meta', 'lesion-free']
    assert groups['HCC'].images.tolist() == [0, 1] and groups['HCC'].lesions.tolist() == [0, 1, 3]
    assert groups['Meta'].images.tolist() == [0]
    assert groups['hemangioma'].images.tolist() == []
    assert groups['lesion-free'].images.tolist() == [3]
    assert groups['HCC'].color == '#d55e00'


def test_images_without_a_lesion_are_of_two_kinds(tmp_path):
    tables = read(tmp_path, ('1.png', {}, [('HCC', BOX, 'ignore')]), ('2.png', {}, []))
    found = [(g.label, g.images.tolist()) for g in image_groups(tables)][-2:]
    assert found == [('lesion-free', [1]), ('ignored only', [0])]


def test_rare_classes_are_drawn_as_one(tmp_path):
    names = ('a', 'bc', '肝嚢胞', 'a very long name of a class')
    lesions = [(name, BOX) for name, count in zip(names, (1, 3, 2, 1), strict=True)
               for _ in range(count)]  # fmt: skip
    tables = read(tmp_path, ('1.png', {}, lesions), names=names)
    assert frequent_classes(tables, 2) == [1, 2]
    groups = diagnosis_groups(tables, most=3)
    assert [(g.label, len(g.lesions)) for g in groups] == [
        ('bc', 3),
        ('class 3', 2),
        ('2 others', 2),
    ]
    assert [g.label for g in diagnosis_groups(tables)][3] == 'a very long name …'
    assert groups[0].color == '#a0a0a0'


@pytest.mark.parametrize(
    'boxes, expected',
    [
        pytest.param([(0, 0, 100, 50)], [[1, 0], [0, 0]], id='a quarter'),
        pytest.param([(0, 0, 200, 100)], [[1, 1], [1, 1]], id='all'),
        pytest.param([(10, 60, 120, 90)], [[0, 0], [1, 1]], id='every cell that it touches'),
        pytest.param([(0, 0, 100, 50), (0, 0, 100, 100)], [[1, 0], [0.5, 0]], id='shares'),
        pytest.param([(150, 60, 999, 999)], [[0, 0], [0, 1]], id='beyond the edge'),
        pytest.param([(200, 100, 300, 300)], [[0, 0], [0, 0]], id='outside'),
        pytest.param(np.zeros((0, 4)), [[0, 0], [0, 0]], id='no box'),
    ],
)
def test_position_map(boxes, expected):
    boxes = np.array(boxes, float)
    sizes = np.full((len(boxes), 2), (200.0, 100.0))
    assert position_map(boxes, sizes, grid=2).tolist() == expected


def test_position_map_against_counting_cell_by_cell():
    rng = np.random.default_rng(0)
    low = rng.uniform(-20, 180, (50, 2))
    boxes = np.concatenate([low, low + rng.uniform(1, 90, (50, 2))], axis=1)
    sizes = rng.uniform(80, 300, (50, 2))
    slow = np.zeros((8, 8))
    for (x0, y0, x1, y1), (width, height) in zip(boxes, sizes, strict=True):
        for row, column in np.ndindex(8, 8):
            beside = x1 * 8 <= column * width or x0 * 8 >= (column + 1) * width
            above = y1 * 8 <= row * height or y0 * 8 >= (row + 1) * height
            slow[row, column] += not (beside or above)
    np.testing.assert_allclose(position_map(boxes, sizes, grid=8), slow / 50)


def test_images_by_sex_are_stacked(tables):
    (axes,) = PLOT['images_by_sex'].draw(tables).axes
    # cyst, HCC, hemangioma, Meta, lesion-free; female, then male, then not known.
    widths = [[bar.get_width() for bar in container] for container in axes.containers]
    assert widths == [[0, 1, 0, 1, 0], [0, 1, 0, 0, 0], [1, 0, 0, 0, 1]]
    assert [bar.get_x() for bar in axes.containers[2]] == [0, 2, 0, 1, 0]


def test_ages_by_image(tables):
    axes = PLOT['age'].draw(tables).axes
    heights = {i: [bar.get_height() for bar in axes[i].containers[0]] for i in (0, 1, 3)}
    assert sum(heights[0]) == 0  # the cyst's age is unknown
    assert [i * 5 for i, n in enumerate(heights[1]) for _ in range(int(n))] == [45, 60]
    assert [i * 5 for i, n in enumerate(heights[3]) for _ in range(int(n))] == [60]


def test_values_beyond_the_edges_are_in_the_last_bars():
    rows = [Values('a', 'red', np.array([-5, 0.5, 1.5, 99, np.nan]))]
    (axes,) = histogram_rows(rows, np.arange(4), 'x').axes
    assert [bar.get_height() for bar in axes.containers[0]] == [2, 1, 1]
    texts = [text.get_text() for text in axes.texts]
    assert texts == ['a', '4', ' 1 ']  # name, known values, median


def test_lesions_on_an_image(tables):
    (axes,) = PLOT['lesions_per_image'].draw(tables).axes
    assert [bar.get_height() for bar in axes.containers[0]] == [1, 2, 0, 1]


def test_lesions_by_split(tmp_path):
    files = {
        'train': coco(('1.png', {}, [('HCC', BOX)] * 3 + [('Meta', BOX)]), info={'split': 'train'}),
        'val': coco(('2.png', {}, [('Meta', BOX)]), info={'split': 'val'}),
        'test': coco(('3.png', {}, []), info={'split': 'test'}),
    }
    tables = read_tables([save(tmp_path / f'{k}.json', v) for k, v in files.items()])
    (axes,) = PLOT['lesions_by_split'].draw(tables).axes
    shares = [[bar.get_width() for bar in container] for container in axes.containers]
    assert shares == [[0, 0.75, 0, 0.25], [0, 0, 0, 1], [0, 0, 0, 0]]


def test_image_sizes(tables):
    axes = PLOT['image_size'].draw(tables).axes
    points = [sorted(a.collections[0].get_offsets().tolist()) for a in axes[:5]]
    assert points == [[[400, 100]], [[200, 100]], [], [[200, 100]], [[200, 100]]]


def test_millimetres_are_drawn_where_they_are_known(tables):
    axes = PLOT['lesion_mm'].draw(tables).axes
    # 40 and 20 pixels of 0.5 mm for HCC, 40 for Meta; bars of 1 mm.
    heights = [[bar.get_height() for bar in a.containers[0]] for a in axes]
    assert [np.flatnonzero(h).tolist() for h in heights] == [[], [10, 20], [], [20]]


@pytest.mark.parametrize(
    'images, none',
    [
        pytest.param([('1.png', {}, [('HCC', BOX)])], {'age', 'lesion_mm'}, id='nothing known'),
        pytest.param(
            [('1.png', KNOWN, [])],
            {'box_share', 'box_position', 'lesions_by_split', 'lesion_mm', 'aspect_ratio'},
            id='no lesions',
        ),
        pytest.param(
            [('1.png', {}, [('HCC', BOX, 'ignore')])],
            {p.name for p in PLOTS} - {'images_by_sex', 'image_size', 'lesions_per_image'},
            id='only ignored ones',
        ),
        pytest.param([('1.png', KNOWN, [('HCC', (5, 5, 5, 5))])], {'aspect_ratio'}, id='a point'),
        pytest.param([('1.png', KNOWN, [('HCC', BOX)] * 25)], set(), id='many'),
    ],
)
def test_what_is_not_known_is_not_drawn(tmp_path, images, none):
    tables = read(tmp_path, *images)
    figures = {plot.name: plot.draw(tables) for plot in PLOTS}
    assert {name for name, figure in figures.items() if figure is None} == none
    for figure in figures.values():
        assert figure is None or to_png(figure).startswith(b'\x89PNG')


def test_what_is_not_known_is_counted(tables):
    notes = {plot.name: unknown_note(plot, tables) for plot in PLOTS}
    assert notes['images_by_sex'] == 'Sex not known for 2 of 4 images.'
    assert notes['age'] == 'Age not known for 2 of 4 images.'
    assert notes['lesion_mm'] == 'Size in millimetres not known for 2 of 5 lesions.'
    assert not any(notes[name] for name in set(notes) - {'images_by_sex', 'age', 'lesion_mm'})


def test_no_name_is_taken_for_a_formula_and_bytes_repeat(tmp_path, recwarn):
    names = (r'cost $x', r'$\frac{1$', '肝嚢胞', '<b>')
    tables = read(tmp_path, ('1.png', KNOWN, [(name, BOX) for name in names]), names=names)
    drawn = {plot.name: to_png(plot.draw(tables)) for plot in PLOTS}
    for name in ('images_by_sex', 'box_position'):
        assert to_png(PLOT[name].draw(tables)) == drawn[name]
    assert not recwarn.list  # no letter was missing
