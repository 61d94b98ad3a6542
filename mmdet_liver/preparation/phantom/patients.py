"""Who the patients are: diagnosis, age and sex, as the study's figures 2 and 3 describe them."""

from dataclasses import dataclass

import numpy as np

# One block of 25 patients: 28% cyst, 28% hemangioma, 20% HCC, 16% Meta, 8% healthy. The
# first ten of a block hold every kind, so that a small phantom has them all.
_BLOCK_HEAD = ('cyst',) * 3 + ('hemangioma',) * 3 + ('HCC',) * 2 + ('Meta', None)
_BLOCK_TAIL = ('cyst',) * 4 + ('hemangioma',) * 4 + ('HCC',) * 3 + ('Meta',) * 3 + (None,)
_BLOCK = len(_BLOCK_HEAD) + len(_BLOCK_TAIL)

# Last word of every seed sequence; what one of them draws never shifts another's numbers.
PERSON, TISSUE, LESIONS, FRAMES, _BLOCKS, ANNOTATION = range(6)


@dataclass(frozen=True)
class Patient:
    """`diagnosis` is a name of `taxonomy.LIVER`, or None for a healthy liver."""

    patient_id: str
    diagnosis: str | None
    age: int
    sex: str


@dataclass(frozen=True)
class _Demography:
    """Ages in years: normal with `spread` as deviation, or flat over mean +- spread."""

    mean: float
    spread: float
    flat: bool
    male: float


_DEMOGRAPHY = {
    'cyst': _Demography(mean=60, spread=28, flat=True, male=0.48),
    'HCC': _Demography(mean=70, spread=9, flat=False, male=0.74),
    'hemangioma': _Demography(mean=52, spread=14, flat=False, male=0.36),
    'Meta': _Demography(mean=66, spread=11, flat=False, male=0.52),
    None: _Demography(mean=52, spread=30, flat=True, male=0.5),
}
_YOUNGEST, _OLDEST = 18, 94


def random_stream(seed: int, index: int, purpose: int) -> np.random.Generator:
    """Random numbers of one patient and purpose, whoever draws them and in which order."""
    return np.random.default_rng([seed, index, purpose])


def sample_patient(seed: int, index: int) -> Patient:
    """The patient of a 0-based index; the same for every number of patients."""
    rng = random_stream(seed, index, PERSON)
    diagnosis = _diagnosis(seed, index)
    people = _DEMOGRAPHY[diagnosis]
    deviation = rng.uniform(-1, 1) if people.flat else rng.normal()
    age = int(np.clip(round(people.mean + people.spread * deviation), _YOUNGEST, _OLDEST))
    sex = 'M' if rng.random() < people.male else 'F'
    return Patient(f'P{index + 1:05d}', diagnosis, age, sex)


def _diagnosis(seed: int, index: int) -> str | None:
    block, place = divmod(index, _BLOCK)
    rng = random_stream(seed, block, _BLOCKS)
    order = [_BLOCK_HEAD[i] for i in rng.permutation(len(_BLOCK_HEAD))]
    order += [_BLOCK_TAIL[i] for i in rng.permutation(len(_BLOCK_TAIL))]
    return order[place]
