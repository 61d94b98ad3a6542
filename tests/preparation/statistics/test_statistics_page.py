from html.parser import HTMLParser

import pytest
from report_cases import coco, save

from mmdet_liver.preparation.statistics.figures import PLOTS
from mmdet_liver.preparation.statistics.page import Pictures, notes, page_html, split_rows
from mmdet_liver.preparation.statistics.suspicious import find_suspicious
from mmdet_liver.preparation.statistics.tables import read_tables

BOX = (20, 20, 60, 50)
PNG = b'\x89PNG\r\n\x1a\n'
VOID = {'meta', 'img', 'br', 'link', 'input', 'hr'}


class Page(HTMLParser):
    """Text and references of a page; fails where tags do not nest."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.references, self.texts, self._open = set(), [], [], []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag not in VOID:
            self._open.append(tag)
        self.references += [v for k, v in attributes if k in ('src', 'href', 'srcset', 'action')]
        assert not any(key.startswith('on') for key, _ in attributes)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open[-1:] != ['style']:
            self.texts.append(data)

    @property
    def text(self):
        return ' '.join(' '.join(self.texts).split())


def read(folder, **files):
    return read_tables([save(folder / f'{name}.json', content) for name, content in files.items()])


def render(tables, figures=(), gallery=None, sheet=None):
    pictures = Pictures(dict.fromkeys(figures, PNG), gallery or {}, sheet)
    return page_html(tables, find_suspicious(tables), pictures, seed=0)


@pytest.fixture
def tables(tmp_path):
    p = {'patient_id': 'p', 'age': 60}
    return read(
        tmp_path,
        train=coco(
            ('1.png', p, [('HCC', BOX), ('HCC', BOX)]),
            ('2.png', {**p, 'age': 0}, [('cyst', BOX, 'ignore')]),
            ('3.png', {'patient_id': 'q'}, []),
            info={'split': 'train', 'version': '9.9', 'split_sha256': 'abc123'},
        ),
        val=coco(('4.png', p, [('Meta', BOX)]), info={'split': 'val', 'split_sha256': 'abc123'}),
    )


def test_split_rows(tables):
    rows = [(r.name, r.images, r.patients, r.lesion_free, r.lesions, r.ignored)
            for r in split_rows(tables)]  # fmt: skip
    assert rows == [
        ('train', 3, 2, 1, (0, 2, 0, 0), 1),
        ('val', 1, 1, 0, (0, 0, 0, 1), 0),
        ('all', 4, 2, 1, (0, 2, 0, 1), 1),  # patient p counts once
    ]


def test_page_holds_what_it_shows(tables):
    page = Page(render(tables, [p.name for p in PLOTS], {'HCC': PNG}, PNG))
    assert len(page.references) == len(PLOTS) + 2
    assert all(r.startswith('data:image/png;base64,') for r in page.references)
    assert not page.tags & {'script', 'link', 'iframe', 'object', 'embed', 'form', 'base'}
    html = render(tables)
    assert 'http:' not in html and 'https:' not in html and '@import' not in html
    assert 'url(' not in html


def test_numbers_and_names_on_the_page(tables):
    page = Page(render(tables, [p.name for p in PLOTS])).text
    for text in (
        'train.json, val.json',
        'images 4 patients 2 lesions 3 lesion-free images 1',
        'suspicious records 3',
        'train 2 3 1 0 2 0 0 2 1',
        'all 2 4 1 0 2 0 1 3 1',
        'Age not known for 1 of 4 images.',
        'Sex not known for 4 of 4 images.',
        'age 0 1 A 0 often stands',
        'same box twice train.json 1.png HCC IoU 1.00 with another box (HCC)',
        'several diagnoses val.json 4.png Meta patient p: HCC 2x, Meta 1x',
        'All of them, as in suspicious.csv',
        'train.json train 9.9 abc123',
        'Not drawn: no images were given.',
    ):
        assert text in page, text
    assert all(plot.title in page and plot.caption in page for plot in PLOTS)


def test_nothing_known_reads_well(tmp_path):
    tables = read(tmp_path, a=coco(*((f'{i}.png', {}, [('HCC', BOX)]) for i in range(3))))
    page = Page(render(tables, {p.name for p in PLOTS} - {'age', 'lesion_mm'}))
    assert 'patients not known' in page.text
    assert 'Patient not known for 3 of 3 images.' in page.text
    assert 'Age by diagnosis Age not known for 3 of 3 images. Image sizes' in page.text
    assert 'None. Looked for: age 0,' in page.text
    assert len(page.references) == len(PLOTS) - 2


def test_no_lesions_reads_well(tmp_path):
    tables = read(tmp_path, a=coco(('1.png', {}, [])))
    assert 'Gallery There are no lesions.' in Page(render(tables)).text


def test_names_are_text_and_nothing_else(tmp_path):
    name = '<script>alert("x")</script>'
    tables = read(tmp_path, a=coco((f'{name}.png', {'age': 0}, [(name, BOX)]), names=(name,)))
    page = Page(render(tables, [p.name for p in PLOTS], {name: PNG}))
    assert 'script' not in page.tags
    assert f'{name}.png' in page.text


def test_japanese_names_are_found_in_the_figures(tmp_path):
    tables = read(tmp_path, a=coco(('1.png', {}, [('肝嚢胞', BOX)]), names=('肝嚢胞', 'HCC')))
    page = Page(render(tables)).text
    assert '肝嚢胞 (class 1) HCC lesions' in page


def test_many_findings_are_cut_and_counted(tmp_path):
    tables = read(tmp_path, a=coco(*((f'{i}.png', {'age': 0}, []) for i in range(1200))))
    page = Page(render(tables)).text
    assert '50 of 1,200, each rule in turn' in page and 'age 0 1,200 A 0 often' in page
    assert '49.png' in page and '50.png' not in page


IMAGE = ('1.png', {'patient_id': 'p'}, [])
OTHER = ('2.png', {'patient_id': 'q'}, [])


@pytest.mark.parametrize(
    'first, second, expected',
    [
        pytest.param((IMAGE, {}), (OTHER, {}), [], id='nothing to say'),
        pytest.param(
            (IMAGE, {'split_sha256': 'a'}), (OTHER, {'split_sha256': 'b'}),
            ['The files are of 2 different splits'], id='two splits',
        ),
        pytest.param(
            (IMAGE, {'split_by': 'image'}), (OTHER, {}), ['Split by image'], id='by image'
        ),
        pytest.param(
            (IMAGE, {}), (('2.png', {'patient_id': 'p'}, []), {}),
            ['1 patients are in more than one file'], id='one patient in two files',
        ),
        pytest.param(
            (IMAGE, {}), (IMAGE, {}), ['1 images are in', '1 patients are in'], id='one image'
        ),
        pytest.param(
            (('1.png', {}, []), {}), (('2.png', {}, []), {}), ['Patient not known for 2 of 2'],
            id='unknown patients are not one',
        ),
    ],
)  # fmt: skip
def test_notes(tmp_path, first, second, expected):
    files = {
        name: coco(image, info={'split': name, **info})
        for name, (image, info) in {'a': first, 'b': second}.items()
    }
    found = notes(read(tmp_path, **files))
    assert len(found) == len(expected)
    assert all(note.startswith(start) for note, start in zip(found, expected, strict=True))
