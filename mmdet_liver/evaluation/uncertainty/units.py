"""What the bootstrap draws: patients, because images of one patient are alike.

An image whose patient is unknown is drawn with its cluster of near-duplicates, or else by
itself. Clusters are numbered within a data set, so their ids are not compared with patients'.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.arrays import Truth

PATIENT_KEY = 'patient_id'
CLUSTER_KEY = 'cluster_id'
# Below this the percentile interval is clearly too narrow, whatever is measured.
FEW_UNITS = 20


@dataclass(frozen=True)
class Units:
    """What is drawn with replacement, each with all its images."""

    of_image: np.ndarray  # (N,) 0..count - 1
    count: int
    name: str  # in the plural: 'patients', 'images', 'patients and images', ...
    note: str  # sentences for the reader of a report


def patients_of(truth: Truth, key: str = PATIENT_KEY) -> np.ndarray:
    """Number of each image's patient, in order of appearance: (N,), -1 where unknown.

    The number 7 and the text '7' are the same patient.

    Raises:
        InputError: names the image whose value is neither a number nor a text.
    """
    return _numbered(_texts(truth, key))


def resampling_units(truth: Truth, key: str = PATIENT_KEY) -> Units:
    """Decide what is drawn.

    Args:
        key: of the image entries; images with the same value belong together.
    Raises:
        InputError: if `key` is not the default and no image has it, or for a value that
            is neither a number nor a text.
    """
    patients = patients_of(truth, key)
    if key != PATIENT_KEY and (patients < 0).all():
        raise input_error(
            f'grouping by {key!r}',
            'no image of the ground truth that has it',
            f'one of {", ".join(image_keys(truth))}',
            'name a key of the image entries',
        )
    clusters = _numbered(_texts(truth, CLUSTER_KEY))
    kind = np.select([patients >= 0, clusters >= 0], [0, 1], default=2)  # (N,)
    value = np.select([kind == 0, kind == 1], [patients, clusters], default=np.arange(len(kind)))
    distinct, of_image = np.unique(np.stack([kind, value]), axis=1, return_inverse=True)
    of_image = of_image.reshape(-1)
    images = np.bincount(kind, minlength=3)
    drawn = np.bincount(distinct[0], minlength=3)
    names = ('patients' if key == PATIENT_KEY else f'groups by {key}', 'clusters', 'images')
    return Units(
        of_image=of_image,
        count=distinct.shape[1],
        name=_listed([name for name, n in zip(names, drawn, strict=True) if n]),
        note=_note(names[0], drawn.tolist(), images.tolist()),
    )


def image_keys(truth: Truth) -> list[str]:
    """The keys that any image entry has."""
    return sorted(set().union(*(image.keys() for image in truth.images)))


def _note(name: str, drawn: list[int], images: list[int]) -> str:
    # `drawn` units and their `images`: with a patient, with a cluster, alone.
    sentences = []
    if drawn[0]:
        sentences.append(f'{drawn[0]} {name} with {images[0]} images were drawn')
        unknown = 'images of the rest'
    else:
        sentences.append(
            f'No image says which of the {name} it belongs to, and images of one are alike: '
            'the intervals are narrower than they should be'
        )
        unknown = 'images'
    if drawn[1]:
        sentences.append(
            f'{images[1]} {unknown} were drawn as {drawn[1]} clusters of near-duplicates'
        )
    if drawn[2]:
        sentences.append(f'{drawn[2]} {unknown} were drawn one by one')
    if sum(drawn) < FEW_UNITS:
        sentences.append(f'These are only {sum(drawn)}: the intervals are not to be trusted')
    return '. '.join(sentences) + '.'


def _listed(names: Sequence[str]) -> str:
    return ' and '.join(filter(None, [', '.join(names[:-1]), *names[-1:]]))


def _numbered(texts: list[str]) -> np.ndarray:
    number = {text: i for i, text in enumerate(dict.fromkeys(filter(None, texts)))}
    return np.array([number.get(text, -1) for text in texts], np.int64)


def _texts(truth: Truth, key: str) -> list[str]:
    # '' where nothing is known.
    return [
        _text(value, key, image_id)
        for value, image_id in zip(truth.image_values(key), truth.image_ids, strict=True)
    ]


def _text(value: object, key: str, image_id: object) -> str:
    if value is None or value != value:  # NaN is how tables write that nothing is known
        return ''
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value).strip()
    raise input_error(
        f'image {image_id}', f'{key} {value!r}', 'a number or a text', 'mend the image entry'
    )
