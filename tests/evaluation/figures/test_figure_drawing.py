import matplotlib
import pytest
from figure_cases import texts
from matplotlib.lines import Line2D
from PIL import Image

from mmdet_liver.evaluation.figures import classes, fonts
from mmdet_liver.evaluation.figures.drawing import (
    WIDTH,
    figure_file,
    legend_below,
    legend_height,
    signed,
)


def draw(path):
    with figure_file(path, 3, 2) as figure:
        axes = figure.add_subplot()
        axes.plot([0, 1])
        axes.set_title('cost $1 or $x^2')


def test_settings_stay_as_they_were_and_do_not_matter(tmp_path):
    draw(tmp_path / 'a.png')
    before = dict(matplotlib.rcParams)
    with matplotlib.rc_context({'font.family': 'serif', 'font.size': 30, 'savefig.bbox': 'tight'}):
        mine = dict(matplotlib.rcParams)
        draw(tmp_path / 'b.png')
        assert dict(matplotlib.rcParams) == mine
    assert dict(matplotlib.rcParams) == before
    assert (tmp_path / 'a.png').read_bytes() == (tmp_path / 'b.png').read_bytes()
    assert Image.open(tmp_path / 'a.png').size == (600, 400)


def test_failed_figure_leaves_nothing(tmp_path):
    before = dict(matplotlib.rcParams)
    with pytest.raises(KeyError), figure_file(tmp_path / 'a.png', 3, 2):
        raise KeyError
    assert dict(matplotlib.rcParams) == before
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    'names, columns',
    [
        pytest.param(['a', 'b', 'c'], 3, id='short'),
        pytest.param(['a' * 20] * 4, 2, id='long'),
        pytest.param(['a' * 70], 1, id='wider than the page'),
        pytest.param(['肝' * 10] * 4, 2, id='Japanese letters count twice'),
    ],
)
def test_legend_columns(tmp_path, names, columns):
    with figure_file(tmp_path / 'a.png', WIDTH, 2) as figure:
        legend_below(figure, [Line2D([], [], label=name) for name in names])
        assert figure.legends[0]._ncols == columns
        # Only the number of columns is asked for here, not the letters.
        figure.legends[0].remove()
    assert legend_height(names) == pytest.approx(0.2 * -(-len(names) // columns) + 0.15)


@pytest.mark.parametrize(
    'value, written',
    [
        pytest.param(0.0123, '+0.012', id='up'),
        pytest.param(-0.5, '−0.500', id='down, with a minus'),
        pytest.param(-0.0001, '0.000', id='rounds to nothing'),
        pytest.param(0.0, '0.000', id='nothing'),
    ],
)
def test_signed(value, written):
    assert signed(value, 3) == written


@pytest.fixture
def only_dejavu(monkeypatch):
    yield from with_fonts(monkeypatch, ['DejaVu Sans'])


def with_fonts(monkeypatch, installed):
    caches = fonts.font_families, fonts._letters
    monkeypatch.setattr(fonts, 'get_font_names', lambda: installed)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize(
    'name, label',
    [
        pytest.param('HCC', 'HCC', id='as it is'),
        pytest.param('focal nodular hyperplasia', 'focal nodular hyp…', id='long'),
        pytest.param('肝嚢胞', 'cyst', id='a term that the taxonomy knows'),
        pytest.param('不明', 'class 3', id='one that it does not'),
    ],
)
def test_class_label_without_a_japanese_font(only_dejavu, name, label):
    assert fonts.class_label(name, 3) == label
    assert fonts.drawable(f'{name}!').endswith('!')
    assert fonts.drawable('患者A/1.png') == '??A/1.png'


def test_japanese_is_written_where_a_font_has_it(tmp_path, monkeypatch, drawn):
    font = make_font(tmp_path / 'jp.ttf', 'Noto Sans CJK JP', '肝嚢胞')
    manager = matplotlib.font_manager.fontManager
    before = list(manager.ttflist)
    manager.addfont(font)
    installed = with_fonts(monkeypatch, ['DejaVu Sans', 'Noto Sans CJK JP'])
    next(installed)
    try:
        assert fonts.class_label('肝嚢胞', 1) == '肝嚢胞'
        assert fonts.class_label('肝細胞癌', 2) == 'HCC'  # this font lacks 細, 癌
        with figure_file(tmp_path / 'a.png', 3, 2) as figure:  # `drawn` fails on a warning
            figure.text(0.5, 0.5, fonts.class_label('肝嚢胞', 1))
        assert '肝嚢胞' in texts(drawn[0])
    finally:
        next(installed, None)
        manager.ttflist[:] = before
        manager._findfont_cached.cache_clear()


def make_font(path, family, letters):
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    names = ['.notdef', *(f'g{i}' for i in range(len(letters)))]
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 800), (800, 800), (800, 0)):
        pen.lineTo(corner)
    pen.closePath()
    glyph = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(c): n for c, n in zip(letters, names[1:], strict=True)})
    builder.setupGlyf(dict.fromkeys(names, glyph))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({'familyName': family, 'styleName': 'Regular'})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return str(path)


def test_classes_are_told_apart():
    styles = classes.class_styles(['cyst', 'HCC', 'hemangioma', 'Meta', 'x', 'y', '肝嚢胞'])
    assert len({s.color for s in styles[:6]}) == 6
    assert len({s.marker for s in styles}) == 7
    assert styles[6].color == styles[0].color  # the Japanese term of the same diagnosis
    assert len({str(s.dashes) for s in styles[:4]}) == 4
    assert [bool(s.line()['path_effects']) for s in styles[:4]] == [False, False, False, True]
