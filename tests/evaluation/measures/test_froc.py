import numpy as np
import pytest
from coco_cases import ground_truth, results, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slow_metric import slow_matrix

from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.measures import froc
from mmdet_liver.evaluation.measures.froc import (
    RATES,
    FrocEvents,
    froc_curve,
    froc_events,
    sensitivities,
)

LESION = (100, 100, 40, 40)
OTHER = (200, 100, 40, 40)
FAR = (300, 300, 40, 40)
NAN = float('nan')


def events_of(tmp_path, truth, entries, iou_thr=0.25):
    read = read_truth(write(tmp_path / 'gt.json', truth))
    return froc_events(read, to_detections(entries, read, 'results'), iou_thr)


def counts(events):
    return [(len(e.lesion_image), e.hit_score.tolist(), e.false_score.tolist()) for e in events]


@pytest.mark.parametrize(
    'annotations, predictions, expected',
    [
        pytest.param(
            [(1, LESION)],
            [(1, LESION, 0.9)],
            [(1, [0.9], []), (1, [0.9], []), (0, [], [])],
            id='hit',
        ),
        pytest.param(
            [(1, LESION)],
            [(2, LESION, 0.9)],
            [(1, [0.9], []), (1, [], []), (0, [], [0.9])],
            id='wrong class: a hit of any class, false of its own',
        ),
        pytest.param(
            [(1, LESION)],
            [(1, LESION, 0.5), (1, LESION, 0.7)],
            [(1, [0.7], []), (1, [0.7], []), (0, [], [])],
            id='a further prediction on a lesion is neither',
        ),
        pytest.param(
            [(1, LESION), (2, (110, 100, 40, 40))],
            [(1, (109, 100, 40, 40), 0.9)],
            [(2, [0.9], []), (1, [0.9], []), (1, [], [])],
            id='a nearer lesion of another class does not exist for a class',
        ),
        pytest.param(
            [(1, LESION), (1, OTHER)],
            [(1, OTHER, 0.2), (1, FAR, 0.4), (1, LESION, 0.8), (1, FAR, 0.6)],
            [(2, [0.8, 0.2], [0.6, 0.4])] * 2 + [(0, [], [])],
            id='by descending score',
        ),
        pytest.param(
            [(1, LESION, 'ignore')],
            [(2, LESION, 0.9)],
            [(0, [], [])] * 3,
            id='ignored, of whatever class',
        ),
        pytest.param(
            [(1, LESION, 'iscrowd')],
            [(2, (110, 110, 2, 2), 0.9)],
            [(0, [], [])] * 3,
            id='in a crowd',
        ),
        pytest.param(
            [(1, LESION)],
            [(1, LESION, 0.0), (1, FAR, 4e-7)],
            [(1, [], []), (1, [], []), (0, [], [])],
            id='a score of 0 is no prediction',
        ),
        pytest.param([], [], [(0, [], [])] * 3, id='neither'),
    ],
)
def test_events(tmp_path, annotations, predictions, expected):
    truth = ground_truth({3: annotations}, ('a', 'b'))
    assert counts(events_of(tmp_path, truth, results({3: predictions}))) == expected


# Four images; lesions in the first three, hit at 0.9, 0.6 and 0.3.
EVENTS = FrocEvents(
    lesion_image=np.array([0, 1, 2, 2]),
    hit_image=np.array([0, 1, 2]),
    hit_score=np.array([0.9, 0.6, 0.3]),
    false_image=np.array([3, 0, 3, 1]),
    false_score=np.array([0.8, 0.6, 0.5, 0.1]),
    num_images=4,
)
NOTHING = FrocEvents(*[np.zeros(0, np.int64)] * 5, num_images=2)


@pytest.mark.parametrize(
    'weights, rate, expected',
    [
        pytest.param([1, 1, 1, 1], 0, 1 / 4, id='no false positive: above 0.8'),
        pytest.param([1, 1, 1, 1], 1 / 4, 1 / 4, id='hit and false at 0.6 enter together'),
        pytest.param([1, 1, 1, 1], 1 / 2, 1 / 2, id='down to 0.6'),
        pytest.param([1, 1, 1, 1], 3 / 4, 3 / 4, id='down to 0.3'),
        pytest.param([1, 1, 1, 1], 8, 3 / 4, id='a missed lesion stays missed'),
        pytest.param([0, 2, 1, 0], 0, 3 / 4, id='false positives of images not drawn'),
        pytest.param([2, 1, 0, 1], 1 / 4, 2 / 3, id='lesions drawn twice'),
        pytest.param([1, 0, 0, 3], 3 / 4, 1, id='false positives drawn thrice'),
        pytest.param([0, 0, 0, 4], 1, NAN, id='no lesion drawn'),
        pytest.param([0, 0, 0, 0], 1, NAN, id='nothing drawn'),
    ],
)
def test_sensitivity(weights, rate, expected):
    assert sensitivities(EVENTS, [weights], (rate,))[0, 0] == pytest.approx(expected, nan_ok=True)


def test_a_rate_that_rounding_takes_below_its_whole_number():
    # 0.29 * 100 is 28.999999999999996 in floating point.
    events = FrocEvents(
        np.array([0]), np.array([0]), np.array([0.1]), np.zeros(29, int), np.full(29, 0.5), 100
    )
    assert sensitivities(events, np.ones((1, 100)), (0.29,)).tolist() == [[1.0]]


def test_curve_worked_out_by_hand():
    fppi, sensitivity = froc_curve(EVENTS)
    assert fppi.tolist() == [0, 0, 1 / 2, 3 / 4, 1]
    assert sensitivity.tolist() == [0, 1 / 4, 1 / 2, 3 / 4, 3 / 4]


def test_nothing_at_all():
    fppi, sensitivity = froc_curve(NOTHING)
    assert (fppi.tolist(), np.isnan(sensitivity).all()) == ([0, 0], True)
    values = sensitivities(NOTHING, np.ones((3, 2)))
    assert values.shape == (3, len(RATES)) and np.isnan(values).all()
    assert sensitivities(NOTHING, np.ones((0, 2))).shape == (0, len(RATES))


def test_looking_further_down_the_list_does_not_change_the_result(monkeypatch):
    rng = np.random.default_rng(0)
    events = FrocEvents(
        lesion_image=np.arange(50),
        hit_image=rng.permutation(50),
        hit_score=np.sort(rng.random(50))[::-1],
        false_image=rng.integers(0, 50, 2000),
        false_score=np.sort(rng.random(2000))[::-1],
        num_images=50,
    )
    weights = rng.multinomial(50, np.full(50, 1 / 50), size=20)
    expected = sensitivities(events, weights)
    monkeypatch.setattr(froc, '_MARGIN', 0.01)
    assert sensitivities(events, weights).tolist() == expected.tolist()
    monkeypatch.setattr(froc, '_MARGIN', 100)
    assert sensitivities(events, weights).tolist() == expected.tolist()


# Few places and scores, so that overlaps and ties are common.
BOX = st.tuples(st.sampled_from([0, 10, 25, 60]), st.just(0), *[st.sampled_from([20, 40])] * 2)
SCORE = st.sampled_from([0.0, 0.2, 0.3, 0.3000004, 0.5, 0.9, 1.0])
FLAG = st.sampled_from([(), (), (), ('ignore',), ('iscrowd',)])
CLASS = st.integers(1, 2)
IMAGE = st.tuples(
    st.lists(st.builds(lambda c, box, flag: (c, box, *flag), CLASS, BOX, FLAG), max_size=3),
    st.lists(st.tuples(CLASS, BOX, SCORE), max_size=6),
    st.integers(0, 3),
)
SLOW_RATES = (0, 1 / 4, 1 / 2, 1, 2, 8)


def content(images):
    return (
        ground_truth({i: image[0] for i, image in enumerate(images)}, ('a', 'b')),
        results({i: image[1] for i, image in enumerate(images)}),
    )


def slow_sensitivities(truth, entries, label):
    """Try every score: the study's matrix of one class, label 0 for any, as a data set of its own.

    `truth` loses the lesions of other classes, not what is ignored.
    """

    def belongs(entry):
        return label in (0, entry['category_id'])

    def renamed(entry):
        return {**entry, 'category_id': 1}

    alone = {
        'images': truth['images'],
        'categories': truth['categories'][:1],
        'annotations': [
            renamed(a)
            for a in truth['annotations']
            if a.get('ignore') or a.get('iscrowd') or belongs(a)
        ],
    }
    own = [renamed(p) for p in entries if belongs(p)]
    best = [0.0] * len(SLOW_RATES)
    for score_thr in {round(p['score'], 6) for p in own}:
        (_, false), (missed, hits) = slow_matrix(alone, own, score_thr)
        for i, rate in enumerate(SLOW_RATES):
            if hits + missed and false / len(truth['images']) <= rate:
                best[i] = max(best[i], hits / (hits + missed))
    lesions = [a for a in alone['annotations'] if not a.get('ignore') and not a.get('iscrowd')]
    return best if lesions else [NAN] * len(SLOW_RATES)


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(IMAGE, min_size=1, max_size=4))
def test_equals_a_slow_loop_over_repeated_images(tmp_path, images):
    weights = np.array([[1] * len(images), [repeats for *_, repeats in images]])
    events = events_of(tmp_path, *content(images))
    for r in range(2):
        repeated = [i for i, w in zip(images, weights[r], strict=True) for _ in range(w)]
        if not repeated:
            continue
        truth, entries = content(repeated)
        for label, event in enumerate(events):
            found = sensitivities(event, weights[r : r + 1], SLOW_RATES)[0]
            np.testing.assert_array_equal(found, slow_sensitivities(truth, entries, label))
    for event in events:
        fppi, sensitivity = froc_curve(event)
        found = sensitivities(event, weights[:1], SLOW_RATES)[0]
        drawn = [sensitivity[fppi <= rate].max() for rate in SLOW_RATES]
        np.testing.assert_array_equal(found, drawn)
