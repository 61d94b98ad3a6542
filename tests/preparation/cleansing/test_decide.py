import numpy as np
import pytest

from mmdet_liver.preparation.cleansing.decide import cleanse
from mmdet_liver.preparation.cleansing.facts import Facts
from mmdet_liver.preparation.cleansing.options import CleansingOptions
from mmdet_liver.preparation.cleansing.tiles import tile_text
from mmdet_liver.preparation.entries import group_by_image
from mmdet_liver.preparation.manifest import Record

FAR = 0xFFFF_0000_FFFF_0000  # 32 bits from 0
# Two pictures; the first also with noise, so that it correlates by 0.7 with what it was.
ONE, OTHER = np.random.default_rng(0).integers(1, 256, (2, 32, 32))
NOISY = np.clip(0.5 * (ONE - 128) + 0.51 * (OTHER - 128) + 128, 0, 255)


def text(tile):
    return tile_text(tile.astype(np.uint8))


def image(path, *diagnoses, patient='', certain=None):
    record = Record(path, patient, fully_annotated=certain)
    rows = [
        Record(path, patient, diagnosis=d, box=(10.0 * i, 0.0, 10.0 * i + 9, 9.0))
        for i, d in enumerate(diagnoses)
    ]
    return rows or [record]


def fact(value=0, size=(640, 480), contrast=50.0, sha='', **columns):
    columns = {'hash': value, 'clean_hash': value, 'contrast': contrast, **columns}
    columns.setdefault('tile', text(ONE))
    return Facts(sha or str(value), *size, **columns)


def run(images, facts, review=None, **options):
    entries = group_by_image([row for rows in images for row in rows], 'm')
    facts = dict(zip([e.path for e in entries], facts, strict=True))
    return cleanse(entries, facts, CleansingOptions(**options), review or {})


def rows(cleansed):
    return [(d.image_path, d.step, d.action) for d in cleansed.decisions]


def left(cleansed):
    return [e.path for e in cleansed.entries]


SIZES = [(401, 401), (400, 400), (401, 400), (300, 900), (640, 480)]


@pytest.mark.parametrize(
    'options, kept',
    [
        pytest.param({}, 'acde', id='both sides not above'),
        pytest.param({'size_rule': 'either'}, 'ae', id='either side not above'),
        pytest.param({'min_side': 640}, 'd', id='another limit'),
        pytest.param({'skip': frozenset({'size'})}, 'abcde', id='turned off'),
    ],
)
def test_size(options, kept):
    images = [image(name) for name in 'abcde']
    facts = [fact(FAR * 0 + (0xFFF << (12 * i)), size) for i, size in enumerate(SIZES)]
    found = run(images, facts, **options)
    assert ''.join(left(found)) == kept
    out = [d for d in found.decisions if d.step == 'size']
    assert ''.join(d.image_path for d in out) == ''.join(c for c in 'abcde' if c not in kept)
    assert all(d.action == 'left out' and d.reason for d in out)


def test_size_says_what_decided():
    found = run([image('a')], [fact(size=(300, 400))], size_rule='both')
    assert found.decisions[0].reason == '300x400 pixels: neither side above 400'
    assert found.decisions[0].value == 400


def test_one_of_a_cluster_stays_the_annotated_then_the_largest():
    images = [image('a'), image('b', 'HCC'), image('c', 'HCC'), image('d')]
    sizes = [(900, 900), (640, 480), (800, 600), (640, 480)]
    facts = [fact(v, s) for v, s in zip((0, 1, 3, FAR), sizes, strict=True)]
    found = run(images, facts)
    assert left(found) == ['c', 'd']
    by_image = {d.image_path: d for d in found.decisions}
    assert by_image['c'].action == 'kept'
    assert {by_image[k].action for k in 'ab'} == {'left out'}
    assert by_image['a'].other_image == 'c' and by_image['a'].value == 2
    assert by_image['b'].value == 1
    # The one that stays keeps the cluster's name; it is in one split with nothing else.
    assert found.entries[0].image.cluster_id == by_image['a'].cluster_id != ''
    assert found.entries[0].lesions[0].cluster_id == by_image['a'].cluster_id
    assert found.entries[1].image.cluster_id == '' and found.train_only == frozenset()


def test_of_a_chain_each_view_stays_once_in_one_cluster():
    values = [0, 0xF0, 0xFF0, 0xFFF0, 0xFFFF0]  # 4 bits from one to the next
    images = [image(c, 'HCC') for c in 'abcde']
    found = run(images, [fact(v) for v in values], max_distance=4)
    assert left(found) == ['a', 'c', 'e']
    assert len({e.image.cluster_id for e in found.entries}) == 1
    out = {
        d.image_path: (d.other_image, d.value) for d in found.decisions if d.action == 'left out'
    }
    assert out == {'b': ('a', 4), 'd': ('c', 4)}


def test_all_of_a_cluster_stay_in_one_cluster_on_demand():
    found = run([image(c, 'HCC') for c in 'abc'], [fact(0), fact(1), fact(FAR)],
                of_a_cluster='keep-all')  # fmt: skip
    assert left(found) == ['a', 'b', 'c'] and found.decisions == []
    clusters = [e.image.cluster_id for e in found.entries]
    assert clusters[0] == clusters[1] != '' and clusters[2] == ''


def test_near_duplicates_turned_off():
    found = run([image('a', 'HCC'), image('b', 'cyst')], [fact(0), fact(0)],
                skip=frozenset({'near-duplicates'}))  # fmt: skip
    assert left(found) == ['a', 'b'] and rows(found) == []


CONTRADICTIONS = [
    pytest.param([('HCC',), ('cyst',)], True, id='two diagnoses'),
    pytest.param([('HCC',), ('HCC', 'cyst')], False, id='one shows more'),
    pytest.param([('HCC', 'Meta'), ('HCC', 'cyst')], True, id='each shows its own'),
    pytest.param([('HCC',), ()], False, id='one not annotated'),
    pytest.param([('HCC',), (), ('HCC',)], False, id='the same twice'),
]


@pytest.mark.parametrize('shown, contradict', CONTRADICTIONS)
def test_contradiction(shown, contradict):
    images = [image('abc'[i], *names) for i, names in enumerate(shown)]
    found = run(images, [fact(i) for i in range(len(images))])
    everyone = frozenset('abc'[: len(images)])
    assert found.train_only == (everyone if contradict else frozenset())
    if contradict:
        assert left(found) == sorted(everyone)  # which one is right only a person can say
        assert all('contradict' in d.reason and d.other_image for d in found.decisions)


def test_a_vouched_lesion_free_image_contradicts_one_with_lesions():
    images = [image('a', 'HCC'), image('b', certain=True)]
    found = run(images, [fact(0), fact(1)])
    assert found.train_only == {'a', 'b'}
    assert 'vouched to be lesion-free' in found.decisions[0].reason


@pytest.mark.parametrize(
    'choice, kept, held',
    [('train-only', 'ab', 'ab'), ('leave-out', '', ''), ('keep', 'a', '')],
)
def test_what_becomes_of_contradictions(choice, kept, held):
    images = [image('a', 'HCC'), image('b', 'cyst')]
    found = run(images, [fact(0), fact(1)], contradicting=choice)
    assert ''.join(left(found)) == kept and found.train_only == frozenset(held)
    assert all('contradict' in d.reason for d in found.decisions[:1])


def test_one_file_of_two_patients_is_for_a_person():
    images = [image('a', 'HCC', patient='P1'), image('b', 'HCC', patient='P2')]
    found = run(images, [fact(0, sha='same'), fact(0, sha='same')])
    assert found.train_only == {'a', 'b'}
    assert 'one file under 2 patients' in found.decisions[0].reason


def test_look_alikes_of_two_patients_are_flagged():
    images = [image('a', 'HCC', patient='P1'), image('b', 'HCC', patient='P2')]
    found = run(images, [fact(0), fact(1)])
    assert ('a', 'near-duplicates', 'flagged') in rows(found) and left(found) == ['a']


def test_flat_images_are_compared_by_their_bytes_alone():
    images = [image(c, 'cyst') for c in 'abc']
    facts = [fact(0, contrast=0.0, sha=sha) for sha in ('x', 'y', 'x')]
    found = run(images, facts)
    assert left(found) == ['a', 'b']
    assert sum(d.action == 'flagged' for d in found.decisions) == 3


def test_steps_come_one_after_another():
    images = [image(c, 'HCC') for c in 'abcd']
    facts = [
        Facts('', problem='nothing'),
        Facts('b', 60_000, 1_000, too_large=True),
        fact(0, (300, 300), marks=(('text', 0.1),)),
        fact(1, marks=(('text', 0.01), ('caliper', 0.002)), conversion='16-bit'),
    ]
    found = run(images, facts, skip_unreadable=True)
    assert rows(found) == [
        ('a', 'readable', 'left out'),
        ('b', 'size', 'left out'),
        ('c', 'size', 'left out'),
        ('d', 'format', 'converted'),
        ('d', 'marks', 'cleaned'),
    ]
    assert found.clean == {'d'}
    assert found.decisions[-1].reason == 'text 1.00%, caliper 0.20%'
    assert found.decisions[-1].value == pytest.approx(0.012)


def test_doppler_is_flagged_and_only_its_marks_go():
    found = run([image('a'), image('b')], [fact(doppler=True),
                fact(FAR, marks=(('text', 0.4),), doppler=True)])  # fmt: skip
    assert rows(found) == [
        ('a', 'marks', 'flagged'),
        ('b', 'marks', 'flagged'),
        ('b', 'marks', 'cleaned'),
    ]
    assert found.clean == {'b'}


def test_marks_turned_off():
    found = run([image('a')], [fact(marks=(('text', 0.4),))], skip=frozenset({'marks'}))
    assert rows(found) == [] and found.clean == frozenset()


@pytest.mark.parametrize(
    'raw, clean, groups',
    [
        pytest.param((0, FAR), (0, FAR), ['a', 'b'], id='unlike both ways'),
        pytest.param((0, FAR), (0, 1), ['ab'], id='alike without their marks'),
        pytest.param((0, 1), (0, FAR), ['ab'], id='alike by their marks'),
        pytest.param((0, FAR), (FAR, FAR), ['ab'], id='one without marks like the other with'),
        pytest.param((0, FAR, FAR), (0, FAR, 0), ['abc'], id='a third joins two'),
    ],
)
def test_images_are_compared_with_and_without_marks(raw, clean, groups):
    names = 'abc'[: len(raw)]
    facts = [fact(r, clean_hash=c) for r, c in zip(raw, clean, strict=True)]
    found = run([image(c, 'HCC') for c in names], facts, of_a_cluster='keep-all')
    by_cluster = {}
    for entry in found.entries:
        by_cluster.setdefault(entry.image.cluster_id or entry.path, []).append(entry.path)
    assert sorted(''.join(group) for group in by_cluster.values()) == groups


@pytest.mark.parametrize(
    'bits, tile, together',
    [
        pytest.param(8, ONE, True, id='alike'),
        pytest.param(10, ONE, False, id='hashes too far apart'),
        pytest.param(2, OTHER, False, id='hash alone'),
        pytest.param(4, NOISY, True, id='near, and tiles nearly alike'),
        pytest.param(6, NOISY, False, id='farther apart, and tiles nearly alike'),
        pytest.param(0, OTHER, True, id='equal hashes need no more'),
    ],
)
def test_tiles_confirm_what_hashes_say(bits, tile, together):
    facts = [fact(0, sha='a'), fact(2**bits - 1, sha='b', tile=text(tile))]
    found = run([image('a', 'HCC'), image('b', 'HCC')], facts)
    assert left(found) == (['a'] if together else ['a', 'b'])


def test_a_person_overrules():
    images = [image(c, 'HCC') for c in 'abcd']
    facts = [
        fact(0, marks=(('text', 0.1),)),
        fact(1),
        fact(FAR, (100, 100)),
        fact(~FAR & (2**64 - 1)),
    ]
    review = {
        'a': frozenset({'keep', 'keep marks'}),
        'b': frozenset({'keep'}),
        'c': frozenset({'keep'}),
        'd': frozenset({'leave out'}),
    }
    found = run(images, facts, review)
    assert left(found) == ['a', 'b', 'c'] and found.clean == frozenset()
    assert ('d', 'review', 'left out') in rows(found) and ('a', 'marks', 'flagged') in rows(found)
