"""Small data sets with patients, and the same with images repeated, for the bootstrap's tests."""

from coco_cases import ground_truth, results, write
from hypothesis import strategies as st

from mmdet_liver.evaluation.detection_files import read_truth, to_detections
from mmdet_liver.evaluation.scoring import Evaluation, evaluate

LESION, FAR = (100, 100, 40, 40), (300, 300, 40, 40)
NAMES = ('a', 'b')
_SUPER = ('benign', 'malignant')


def evaluation_of(tmp_path, images: list, patients: list | None = None, **kwargs) -> Evaluation:
    """`images`: (annotations, predictions) each, as in `coco_cases`; `patients`: one id each."""
    truth = ground_truth({i: image[0] for i, image in enumerate(images)}, NAMES)
    for category, group in zip(truth['categories'], _SUPER, strict=True):
        category['supercategory'] = group
    for image, patient in zip(truth['images'], patients or [], strict=bool(patients)):
        image['patient_id'] = patient
    read = read_truth(write(tmp_path / 'gt.json', truth))
    entries = results({i: image[1] for i, image in enumerate(images)})
    return evaluate(read, to_detections(entries, read, 'results'), **kwargs)


def repeated(images: list, patients: list, drawn: dict) -> tuple[list, list]:
    """Images and patients, each patient as often as `drawn` says, each time a new one."""
    copies = [
        (image, f'{patient}, {copy}')
        for image, patient in zip(images, patients, strict=True)
        for copy in range(drawn[patient])
    ]
    return [image for image, _ in copies], [patient for _, patient in copies]


# Few places, scores and patients, so that overlaps and ties are common.
_BOX = st.sampled_from([LESION, FAR, (110, 105, 40, 40), (500, 20, 30, 30)])
_SCORE = st.sampled_from([0.0, 0.05, 0.2, 0.3, 0.3000004, 0.32, 0.55, 0.9])
_CLASS = st.integers(1, 2)
_FLAG = st.sampled_from([(), (), (), ('ignore',)])
IMAGE = st.tuples(
    st.lists(st.builds(lambda c, box, f: (c, box, *f), _CLASS, _BOX, _FLAG), max_size=3),
    st.lists(st.tuples(_CLASS, _BOX, _SCORE), max_size=5),
)
# Images of at most three patients.
IMAGES = st.lists(st.tuples(IMAGE, st.sampled_from('pqr')), min_size=1, max_size=5)
DRAWN = st.fixed_dictionaries(dict.fromkeys('pqr', st.integers(0, 3)))
