"""The review as a folder: what is in it, what replaces it, and that it does not change."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmdet_liver.preparation.cleansing.review import (
    Distances,
    ReviewImage,
    SizeRule,
    write_review,
    writing,
)
from mmdet_liver.preparation.decisions import Decision
from mmdet_liver.preparation.phantom.frames import patient_frames

SIZE = Decision('p2', 'size', 'left out', '300x200 pixels: neither side above 400 <b>', 300)


@pytest.fixture(scope='module')
def raw(tmp_path_factory):
    """Three frames of a patient of the phantom; the first is cleaned, and has a mask."""
    root = tmp_path_factory.mktemp('raw')
    _, frames = patient_frames(0, 1)
    images = {}
    for number, frame in zip(range(3), frames, strict=False):
        file = root / f'p{number}.png'
        cv2.imwrite(str(file), frame.image)
        images[f'p{number}'] = ReviewImage(
            file,
            placed=file,
            size=frame.image.shape[1::-1],
            diagnoses=frame.diagnoses,
            cluster_id='C1' if number else '',
            boxes=tuple(zip(frame.boxes, frame.diagnoses, strict=True)),
            mark_shares=(('text', 0.01),) if number == 0 else (),
        )
    return images


def decisions_in(out: Path) -> list[Decision]:
    mask = out / 'masks/p0.png'
    mask.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(mask), np.eye(300, dtype=np.uint8) * 255)
    return [
        Decision('p0', 'marks', 'cleaned', 'text 1%', 0.01, mask_path='masks/p0.png'),
        Decision('p1', 'near-duplicates', 'kept', 'stays', 0, 'C1'),
        Decision('p2', 'near-duplicates', 'left out', 'alike', 3, 'C1', 'p1'),
        SIZE,
    ]


def write(out: Path, images: dict, decisions: list[Decision], **more) -> None:
    nearest = np.array([0, 3, 3])
    write_review(
        out,
        images,
        decisions,
        distances=Distances(nearest, 3, 4, ((0, 2, 1), (4, 3, 1))),
        size_rule=SizeRule(400),
        **more,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


PAGES = {
    'clusters/page_0001.png',
    'marks/text/page_0001.png',
    'left_out/size/page_0001.png',
    'distances.png',
    'sizes.png',
}


class Links(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.targets, self.ids, self.tags = [], set(), set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        attrs = dict(attrs)
        self.targets += [attrs[name] for name in ('href', 'src') if name in attrs]
        self.ids |= {attrs['id']} if 'id' in attrs else set()


def test_index_leads_to_everything_there_is(tmp_path, raw):
    write(tmp_path, raw, decisions_in(tmp_path))
    files = contents(tmp_path / 'review')
    assert files.keys() == PAGES | {'index.html'}
    html = files['index.html'].decode()
    links = Links(html)
    assert {t for t in links.targets if not t.startswith('#')} == PAGES
    assert {t[1:] for t in links.targets if t.startswith('#')} <= links.ids
    assert 'script' not in links.tags and 'http' not in html
    assert '3 images in the manifest, 0 of them without any' in html
    assert '<td>near-duplicates</td><td>1</td><td>1</td>' in html  # left out, kept
    assert '<tr class="used">\n<td>4</td><td>3</td><td>1</td>' in html
    assert not (tmp_path / '.work' / 'review').exists()


def test_same_input_same_bytes_whatever_the_workers(tmp_path, raw, monkeypatch):
    monkeypatch.setattr(writing, '_WORTH_A_PROCESS', 1)
    write(tmp_path / 'a', raw, decisions_in(tmp_path / 'a'))
    write(tmp_path / 'b', raw, decisions_in(tmp_path / 'b'), workers=2)
    assert contents(tmp_path / 'a/review') == contents(tmp_path / 'b/review')


def test_pages_that_are_no_more_vanish_and_notes_stay(tmp_path, raw):
    write(tmp_path, raw, decisions_in(tmp_path))
    notes = tmp_path / 'review' / 'clusters' / 'my notes.csv'
    notes.write_text('image_path,decision\np1,leave out\n')
    write(tmp_path, raw, [SIZE], max_pages=1)
    files = contents(tmp_path / 'review')
    # The images themselves still say that they are of one cluster.
    assert files.keys() == PAGES - {'marks/text/page_0001.png'} | {
        'index.html',
        'clusters/my notes.csv',
    }
    assert files['clusters/my notes.csv'].endswith(b'p1,leave out\n')


def test_a_failure_leaves_the_earlier_review(tmp_path, raw, monkeypatch):
    write(tmp_path, raw, decisions_in(tmp_path))
    before = contents(tmp_path / 'review')
    monkeypatch.setattr(writing, 'size_figure', None)
    with pytest.raises(TypeError):
        write(tmp_path, raw, [])
    assert contents(tmp_path / 'review') == before


@pytest.mark.parametrize(
    'moved_aside',
    [
        pytest.param(True, id='killed between the two renames'),
        pytest.param(False, id='killed before the first, or after the second'),
    ],
)
def test_a_killed_run_loses_no_notes(tmp_path, raw, moved_aside):
    write(tmp_path, raw, decisions_in(tmp_path))
    expected = contents(tmp_path / 'review')
    (tmp_path / 'review/notes.txt').write_text('seen')
    half_done = tmp_path / '.work/review/left_out/size/page_0007.png'
    half_done.parent.mkdir(parents=True)
    half_done.write_bytes(b'half')
    old = tmp_path / '.work/review-before'
    if moved_aside:
        (tmp_path / 'review').rename(old)
    else:
        (old / 'clusters').mkdir(parents=True)
    write(tmp_path, raw, decisions_in(tmp_path))
    assert contents(tmp_path / 'review') == expected | {'notes.txt': b'seen'}
    assert not old.exists()


def test_broken_images_do_not_stop_the_review(tmp_path, raw):
    images = dict(raw)
    images['gone'] = ReviewImage(tmp_path / 'gone.png')
    decisions = [
        Decision('gone', 'readable', 'left out', 'no such file'),
        Decision('p0', 'marks', 'cleaned', 'text', 0.1, mask_path='masks/not there.png'),
    ]
    write(tmp_path, images, decisions)
    assert 'left_out/readable/page_0001.png' in contents(tmp_path / 'review')


def test_what_words_say_is_no_markup(tmp_path, raw):
    images = {'p0': replace(raw['p0'], mark_shares=(('<script>', 0.1),))}
    write(tmp_path, images, decisions_in(tmp_path)[:1])
    html = (tmp_path / 'review/index.html').read_text()
    assert '<script' not in html and 'marks: &lt;script&gt;' in html


@pytest.mark.parametrize(
    'images, nearest', [({}, []), ({'a': ReviewImage(Path('a.png'))}, [-1])], ids=['none', 'one']
)
def test_nothing_decided_nothing_known(tmp_path, images, nearest):
    nearest = np.array(nearest, dtype=np.int64)
    write_review(tmp_path, images, [], distances=Distances(nearest, len(nearest), 4))
    files = contents(tmp_path / 'review')
    assert files.keys() == {'index.html'}
    assert 'Nothing was decided.' in files['index.html'].decode()


def test_no_pages_wanted(tmp_path, raw):
    write(tmp_path, raw, decisions_in(tmp_path), max_pages=0)
    files = contents(tmp_path / 'review')
    assert files.keys() == {'index.html', 'distances.png', 'sizes.png'}
    assert '1 cluster,\n0 shown' in files['index.html'].decode()
