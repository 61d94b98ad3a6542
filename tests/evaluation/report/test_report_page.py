import re
from html.parser import HTMLParser

import pytest
from coco_cases import ground_truth, results, write
from PIL import Image

from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.report.assessment import Options, assess
from mmdet_liver.evaluation.report.content import content
from mmdet_liver.evaluation.report.folder import write_report
from mmdet_liver.evaluation.report.inputs import Inputs
from mmdet_liver.evaluation.scoring import evaluate

A, B = (10, 10, 30, 30), (60, 60, 20, 20)
FIGURES = {
    'confusion_matrix',
    'f1_by_threshold',
    'froc',
    'precision_recall',
    'reliability',
    'error_types',
    'strata',
}


class Page(HTMLParser):
    """Pictures, cells of tables by row, and text of a page."""

    def __init__(self, path):
        super().__init__()
        self.pictures, self.rows, self.text, self.open = [], [], [], []
        self.feed(path.read_text(encoding='utf-8'))

    def handle_starttag(self, tag, attributes):
        if tag == 'img':
            self.pictures.append(dict(attributes)['src'])
        if tag == 'tr':
            self.rows.append([])
        if tag in ('td', 'th'):
            self.rows[-1].append('')
        if tag not in ('img', 'br', 'meta'):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if {'td', 'th'} & set(self.open):
            self.rows[-1][-1] += data.strip()


def report(folder, truth, found, other=None, images=False, **options):
    path = write(folder / 'gt.json', truth)
    read = read_truth(path)
    entries = write(folder / 'results.json', found)
    evaluation = evaluate(read, to_detections(found, read, 'results'), score_thr=0.3)
    assessment = assess(
        evaluation,
        Options(**{'resamples': 20, **options}),
        None if other is None else to_detections(other, read, 'other'),
    )
    m = content(assessment, Inputs(path, entries, None if other is None else entries))
    paths = [folder / name for name in read.file_names] if images else None
    for image in paths or ():
        Image.new('L', (100, 90), 40).save(image)
    write_report(assessment, m, folder / 'out', paths)
    return Page(folder / 'out/report.html'), m


@pytest.fixture
def usual(tmp_path):
    truth = ground_truth({1: [(1, A), (2, B)], 2: [(3, A)], 3: []}, names=('a', '<b>', '肝嚢胞'))
    found = results({1: [(1, A, 0.9), (3, B, 0.6)], 2: [(1, A, 0.8)], 3: [(1, A, 0.5)]})
    return report(tmp_path, truth, found, other=found[:1], images=True)


def test_the_page_says_what_metrics_json_says(usual):
    page, m = usual
    assert page.rows[1][0] == 'a'
    own = m['per_class']['a']
    assert page.rows[1][1:4] == ['1', str(own['over_detections']), str(own['missed'])]
    assert page.rows[1][4].startswith(f'{own["precision"]:.4f}')
    assert page.rows[2][0] == '<b>'  # escaped, so it is text
    assert f'{m["mean"]["f1"]:.4f}' in page.text
    assert page.open == []


def test_it_needs_no_other_file(usual):
    page, _ = usual
    assert all(source.startswith('data:image/png;base64,') for source in page.pictures)
    # figures, the comparison, and sheets: worst over-detections, confusions, and the mix
    assert len(page.pictures) == len(FIGURES) + 1 + 3
    text = ' '.join(page.text)
    assert not re.search(r'https?://|\bnan\b|\bNone\b|\{\{', text)


def test_files_of_the_folder(tmp_path, usual):
    names = {path.name for path in (tmp_path / 'out').iterdir()}
    sheets = {'worst_over_detections', 'worst_confusions', 'contact_sheet'}
    pictures = {f'{name}.png' for name in FIGURES | sheets | {'comparison'}}
    assert names == pictures | {'metrics.json', 'per_class.csv', 'report.html'}


def test_what_an_earlier_report_had_does_not_stay(tmp_path, usual):
    read = read_truth(tmp_path / 'gt.json')
    assessment = assess(evaluate(read, to_detections([], read, 'none')), Options(resamples=0))
    m = content(assessment, Inputs(tmp_path / 'gt.json', tmp_path / 'results.json'))
    write_report(assessment, m, tmp_path / 'out')
    assert not (tmp_path / 'out/comparison.png').exists()


@pytest.mark.parametrize(
    'images, found',
    [
        pytest.param({1: [], 2: []}, {}, id='no lesions, no predictions'),
        pytest.param({1: []}, {1: [(1, A, 0.9)]}, id='no lesions'),
        pytest.param({1: [(1, A)]}, {}, id='no predictions'),
        pytest.param({1: [(1, A, 'ignore')]}, {1: [(2, A, 0.9)]}, id='ignored only'),
    ],
)
def test_empty_cases_have_a_page(tmp_path, images, found):
    page, m = report(tmp_path, ground_truth(images), results(found))
    assert 'Not known: the categories' in ' '.join(page.text)
    assert not re.search(r'\bnan\b', ' '.join(page.text))
    assert len(page.pictures) == len(FIGURES)
    assert m['malignancy'] is None


def test_one_class(tmp_path):
    truth = ground_truth({1: [(1, A)], 2: []}, names=('tumor',))
    page, _ = report(tmp_path, truth, results({1: [(1, A, 0.9)]}))
    assert page.rows[1][0] == 'tumor'


def test_the_same_input_gives_the_same_bytes(tmp_path):
    truth, found = ground_truth({1: [(1, A)], 2: []}), results({1: [(1, A, 0.9)]})
    report(tmp_path, truth, found, images=True)
    first = {p.name: p.read_bytes() for p in (tmp_path / 'out').iterdir()}
    report(tmp_path, truth, found, images=True)
    assert {p.name: p.read_bytes() for p in (tmp_path / 'out').iterdir()} == first
