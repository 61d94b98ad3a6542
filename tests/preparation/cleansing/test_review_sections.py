"""Which decisions come onto which page, in which order, under which words."""

from pathlib import Path

import pytest

from mmdet_liver.preparation.cleansing.review.captions import name_line, origin_line
from mmdet_liver.preparation.cleansing.review.clusters import cluster_section
from mmdet_liver.preparation.cleansing.review.facts import ReviewImage
from mmdet_liver.preparation.cleansing.review.marks import mark_sections
from mmdet_liver.preparation.cleansing.review.sections import spread
from mmdet_liver.preparation.cleansing.review.singles import single_sections
from mmdet_liver.preparation.decisions import Decision

STEP = 'near-duplicates'
RED, ORANGE, GREEN = (200, 30, 30), (225, 130, 0), (30, 150, 50)
OUT = Path('out')


def image(name: str, *diagnoses: str, **more) -> ReviewImage:
    return ReviewImage(Path(f'raw/{name}.png'), size=(640, 480), diagnoses=diagnoses, **more)


def kept_and_left_out(cluster_id: str, *paths: str) -> list[Decision]:
    kept, *others = paths
    return [
        Decision(kept, STEP, 'kept', 'stays', 0, cluster_id),
        *(
            Decision(path, STEP, 'left out', 'alike', distance, cluster_id, kept)
            for distance, path in enumerate(others, start=1)
        ),
    ]


def headings(section) -> list[str]:
    return [group.heading for page in section.pages for group in page.groups]


def names(group) -> list[str]:
    return [picture.caption[-1] for picture in group.pictures]


def test_clusters_in_doubt_come_first_then_the_largest():
    images = {name: image(name, 'cyst') for name in 'abcdefghijkl'}
    doubt = 'diagnoses contradict: HCC and cyst; this one: cyst'
    decisions = [
        *kept_and_left_out('C1', 'a', 'b'),
        *kept_and_left_out('C2', 'c', 'd', 'e'),
        *(
            Decision(name, STEP, 'flagged', 'look-alikes of 2 patients', None, 'C3')
            for name in 'fg'
        ),
        *kept_and_left_out('C3', 'f', 'g'),
        *(Decision(name, STEP, 'train only', doubt, None, 'C4') for name in 'hi'),
        *(Decision(name, STEP, 'left out', doubt, None, 'C5') for name in 'jkl'),
    ]
    section = cluster_section(images, decisions, max_pages=40)
    assert headings(section) == [
        'diagnoses contradict: HCC and cyst · 3 images · C5',
        'diagnoses contradict: HCC and cyst · 2 images · C4',
        'look-alikes of 2 patients · 2 images · C3',
        'cyst · 3 images · C2',
        'cyst · 2 images · C1',
    ]
    frames = {g.heading[-2:]: g.frame for page in section.pages for g in page.groups}
    assert frames == {'C1': None, 'C2': None, 'C3': ORANGE, 'C4': RED, 'C5': RED}
    assert (section.total, section.shown) == (5, 5)


@pytest.mark.parametrize('width, told', [(16, ''), (18, ', a chain: up to 18 bits apart')])
def test_a_cluster_far_wider_than_the_search_is_called_a_chain(width, told):
    images = {name: image(name, 'cyst', cluster_width=width) for name in 'ab'}
    section = cluster_section(images, kept_and_left_out('C1', 'a', 'b'), max_pages=9)
    assert headings(section) == [f'cyst · 2 images{told} · C1']


def test_cluster_shows_the_kept_one_then_other_diagnoses_then_the_nearest():
    images = {
        'far': image('far', 'cyst', patient_id='P0123456789abcdef'),
        'near': image('near', 'cyst', patient_id='P2'),
        'other': image('other', patient_id='P2'),
        'small': image('small', 'cyst', cluster_id='C1'),
        'best': image('best', 'cyst', 'cyst', boxes=(((1, 2, 3, 4), 'cyst'),)),
    }
    decisions = [
        Decision('best', STEP, 'kept', 'stays', 0, 'C1'),
        Decision('far', STEP, 'left out', 'alike', 6, 'C1', 'best'),
        Decision('near', STEP, 'left out', 'alike', 2, 'C1', 'best'),
        Decision('other', STEP, 'left out', 'alike', 5, 'C1', 'best'),
        Decision('small', 'size', 'left out', 'too small', 100),
    ]
    section = cluster_section(images, decisions, max_pages=40)
    (group,) = section.pages[0].groups
    assert group.heading == 'cyst / no lesion · 5 images · C1'
    assert [p.caption for p in group.pictures] == [
        ('cyst', 'kept', 'patient unknown · 640x480', 'best'),
        ('no lesion', 'left out, 5 bits from the kept one', 'P2 · 640x480', 'other'),
        ('cyst', 'left out (size)', 'patient unknown · 640x480', 'small'),
        ('cyst', 'left out, 2 bits from the kept one', 'P2 · 640x480', 'near'),
        ('cyst', 'left out, 6 bits from the kept one', 'P01234567… · 640x480', 'far'),
    ]
    assert [p.frame for p in group.pictures] == [GREEN, None, None, None, None]
    assert group.pictures[0].boxes == (((1, 2, 3, 4), 'cyst'),)


def test_a_flat_image_is_no_distance():
    # It is flagged for its contrast, and in a cluster only with equal files.
    images = {name: image(name) for name in 'abc'}
    flat = Decision('c', STEP, 'flagged', 'too flat to compare', 0.5)
    decisions = [flat, *kept_and_left_out('C1', 'a', 'b', 'c')]
    (group,) = cluster_section(images, decisions, max_pages=40).pages[0].groups
    assert group.frame is None
    assert names(group) == ['a', 'b', 'c']
    assert group.pictures[2].caption[1] == 'left out, 2 bits from the kept one'
    (section,) = single_sections(OUT, images, decisions, (), max_pages=40)
    assert section.folder == 'flagged/near-duplicates' and section.total == 1


def test_a_huge_cluster_is_cut_and_says_so():
    images = {f'{i:03d}': image(f'{i:03d}', 'cyst', cluster_id='C1') for i in range(500)}
    images['500'] = image('500', 'HCC', cluster_id='C1')
    (group,) = cluster_section(images, [], max_pages=1).pages[0].groups
    assert group.heading == 'HCC / cyst · 501 images, 18 shown · C1'
    assert len(group.pictures) == 18 and '500' in names(group)


def test_no_cluster_no_section():
    assert cluster_section({'a': image('a')}, [], max_pages=40) is None


@pytest.mark.parametrize(
    'clusters, max_pages, titles, shown',
    [
        pytest.param(15, 40, ['page 1 of 1'], 15, id='one page'),
        pytest.param(16, 40, ['page 1 of 2', 'page 2 of 2'], 16, id='all pages'),
        pytest.param(100, 2, ['page 1 of 2 (of 7)', 'page 2 of 2 (of 7)'], 30, id='too many'),
    ],
)
def test_titles_say_how_much_is_not_shown(clusters, max_pages, titles, shown):
    # Pairs: three across, five rows.
    images = {f'{i}{a}': image('x', cluster_id=f'C{i}') for i in range(clusters) for a in 'ab'}
    section = cluster_section(images, [], max_pages)
    assert [page.title for page in section.pages] == [f'near-duplicates: {t}' for t in titles]
    assert [page.path for page in section.pages] == [
        f'clusters/page_{i:04d}.png' for i in range(1, len(titles) + 1)
    ]
    assert (section.total, section.shown) == (clusters, shown)


def removal(name: str, share: float = 0.01) -> Decision:
    return Decision(name, 'marks', 'cleaned', 'text', share, mask_path=f'masks/{name}.png')


def test_marks_are_shown_by_kind_the_largest_first():
    shares = {'a': (('text', 0.01),), 'b': (('text', 0.03), ('color bar', 0.005)), 'c': ()}
    images = {
        name: image(name, 'cyst', mark_shares=share, placed=Path(f'images/{name}.png'))
        for name, share in shares.items()
    }
    sections = mark_sections(OUT, images, [removal(name) for name in 'abc'], max_pages=40)
    assert [(s.folder, s.total) for s in sections] == [
        ('marks/color_bar', 1),
        ('marks/of_unknown_kind', 1),
        ('marks/text', 2),
    ]
    assert headings(sections[2]) == ['text 3%, color bar 0.5% · b', 'text 1% · a']
    before, mask, after = sections[2].pages[0].groups[1].pictures
    assert [p.caption[0] for p in (before, mask, after)] == ['before', 'mask', 'after']
    assert before.file == mask.file == Path('raw/a.png') and after.file == Path('images/a.png')
    assert mask.mask == OUT / 'masks/a.png' and before.mask is None


def test_too_many_marks_are_sampled_after_the_largest():
    images = {f'{i:03d}': image('x', mark_shares=(('text', i / 1e4),)) for i in range(100)}
    (section,) = mark_sections(OUT, images, [removal(name) for name in images], max_pages=2)
    shown = [int(heading[-3:]) for heading in headings(section)]
    # Two pages of ten: the ten largest, then ten over the other ninety, both ends among them.
    assert shown[:10] == list(range(99, 89, -1))
    assert shown[10:] == [89, 79, 69, 59, 49, 40, 30, 20, 10, 0]
    assert section.pages[1].title == 'marks: text: page 2 of 2 (of 10)'
    assert section.note.endswith('then an even spread over the rest.')


def test_other_decisions_have_a_section_each():
    images = {name: image(name, 'Meta') for name in 'abcd'}
    images['c'] = image('c', placed=Path('images/c.png'))
    decisions = [
        Decision('a', 'size', 'left out', '300x200 pixels: neither side above 400', 300),
        Decision('b', 'marks', 'flagged', 'mostly colour Doppler', 0.4),
        Decision('c', 'format', 'converted', '16-bit: written as 8-bit PNG'),
        *kept_and_left_out('C1', 'a', 'd'),
        removal('d'),
    ]
    earlier = [
        Decision('images/zz/zz99.png', 'import', 'left out', 'no row names this file'),
        removal('b'),
    ]
    sections = single_sections(OUT, images, decisions, earlier, max_pages=40)
    assert [(s.folder, s.title, s.total) for s in sections] == [
        ('left_out/import', 'left out: import', 1),
        ('left_out/size', 'left out: size', 1),
        ('cleaned/marks', 'cleaned: marks', 1),
        ('converted/format', 'converted: format', 1),
        ('flagged/marks', 'flagged: marks', 1),
    ]
    pictures = [s.pages[0].groups[0].pictures[0] for s in sections]
    assert pictures[0].file is None and 'not in the manifest' in pictures[0].instead
    assert pictures[0].caption == ('unknown', 'no row names this file', 'zz99')
    reason = '300x200 pixels: neither side above 400'
    assert pictures[1].caption == ('Meta', reason, 'patient unknown · 640x480', 'a')
    assert pictures[2].mask == OUT / 'masks/b.png'  # removed on import: no picture from before
    assert pictures[3].file == Path('images/c.png')  # 16 bits may hold what 8 do not show


def test_singles_stand_thirty_to_a_page_and_are_sampled_evenly():
    images = {f'{i:03d}': image('x') for i in range(121)}
    decisions = [Decision(path, 'size', 'left out', 'small', 1) for path in images]
    (section,) = single_sections(OUT, images, decisions, (), max_pages=2)
    assert [len(page.groups) for page in section.pages] == [5, 5]
    shown = [name for page in section.pages for group in page.groups for name in names(group)]
    assert len(shown) == 60 and shown[0] == '000' and shown[-1] == '120'
    assert {int(b) - int(a) for a, b in zip(shown, shown[1:], strict=False)} <= {2, 3}
    assert section.pages[0].title == 'left out: size: page 1 of 2 (of 5)'
    assert section.note.endswith('An even spread over all of them.')


@pytest.mark.parametrize('count, expected', [(0, []), (1, [0]), (3, [0, 4, 9]), (20, [*range(10)])])
def test_spread(count, expected):
    assert spread(list(range(10)), count) == expected


@pytest.mark.parametrize(
    'path, expected',
    [
        pytest.param('images/ab/ab12cd.png', 'ab12cd', id='an importer, whose names are hashes'),
        pytest.param('images/a.png', 'a', id='one folder of images'),
        pytest.param('a.png', 'a', id='no folder'),
        pytest.param('p01/s2/003.png', 's2/003', id="the export's own folders"),
    ],
)
def test_image_is_named_so_that_it_is_found(path, expected):
    assert name_line(path) == expected


def test_origin_without_size():
    assert origin_line(ReviewImage(Path('a'))) == 'patient unknown · size unknown'
