"""Evaluations of small COCO content, and the same content with images repeated."""

from coco_cases import ground_truth, results, write
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.scoring import Evaluation, evaluate

BENIGN, MALIGNANT = 'benign', 'malignant'
SIDES = (BENIGN, MALIGNANT, BENIGN, None)  # of classes 1 to 4
A, B, C = (0, 0, 20, 20), (40, 0, 20, 20), (80, 0, 20, 20)  # apart from each other
PROPERTY = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

_PLACE = st.sampled_from([A, B, C])
_CLASS = st.integers(1, 4)
_FLAGS = st.sampled_from([(), (), (), (), ('ignore',), ('iscrowd',)])
_LESION = st.builds(lambda c, box, flags: (c, box, *flags), _CLASS, _PLACE, _FLAGS)
_PREDICTION = st.tuples(_CLASS, _PLACE, st.sampled_from([0.0, 0.3, 0.5, 0.8, 1.0]))
# An image: annotations, predictions, the patient's number, how often it is drawn.
IMAGES = st.lists(
    st.tuples(
        st.lists(_LESION, max_size=3),
        st.lists(_PREDICTION, max_size=4),
        st.integers(-1, 2),
    ),
    min_size=1,
    max_size=6,
)
TIMES = st.lists(st.integers(0, 3), min_size=6, max_size=6)
SCORE_THR = st.sampled_from([0.0, 0.3, 0.4, 0.8])


def evaluated(tmp_path, images: list, score_thr=0.4, sides=SIDES, entries=None) -> Evaluation:
    """`images`: (annotations, predictions, ...) of each; `entries`: more for their entries."""
    truth = ground_truth({i: image[0] for i, image in enumerate(images)})
    for category, side in zip(truth['categories'], sides, strict=True):
        category['supercategory'] = side
    for entry, more in zip(truth['images'], entries or [{}] * len(images), strict=True):
        entry.update(more)
    read = read_truth(write(tmp_path / 'gt.json', truth))
    predictions = results({i: image[1] for i, image in enumerate(images)})
    return evaluate(read, to_detections(predictions, read, 'results'), score_thr=score_thr)


def repeated(images: list, times: list[int]) -> list:
    """Each image as often as `times` says; another patient each time."""
    return [
        (annotations, predictions, patient if patient < 0 else patient + 10 * n)
        for (annotations, predictions, patient), count in zip(images, times, strict=False)
        for n in range(count)
    ]
