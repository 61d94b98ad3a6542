"""Who is trained on and who is tested on: split by patient, stratified, the same every time."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from mmdet_liver.errors import input_error

SPLITS = ('train', 'val', 'test')


def split_patients(
    strata: Mapping[str, str], ratios: Sequence[float] = (8, 1, 1), seed: int = 0
) -> dict[str, str]:
    """Give each patient to 'train', 'val' or 'test'.

    Every stratum is split in the given proportions as nearly as whole patients allow, and
    with three patients or more it is in every split. What does not divide goes where the
    data set as a whole is short. The order of `strata` plays no part, and a patient's rank
    depends on the seed and the name alone.

    Args:
        strata: patient -> stratum (the dominant diagnosis).
        ratios: parts for train, val and test; a split of part 0 stays empty.
    Raises:
        InputError: for bad ratios, or fewer patients than splits that must not be empty.
    """
    shares = _shares(ratios)
    used = [s for s in SPLITS if shares[s] > 0]
    if len(strata) < len(used):
        raise input_error(
            'patients',
            f'{len(strata)}',
            f'at least one for each of {", ".join(used)}',
            'add patients, or set a ratio to 0',
        )
    members: dict[str, list[str]] = {}
    for patient in sorted(strata, key=lambda p: _rank(p, seed)):
        members.setdefault(strata[patient], []).append(patient)
    counts: dict[str, Counter] = {}
    wanted, given = Counter(), Counter()
    for stratum in sorted(members):
        size = len(members[stratum])
        wanted.update({s: size * shares[s] for s in used})
        counts[stratum] = _count(size, {s: shares[s] for s in used}, wanted, given)
        given.update(counts[stratum])
    _fill_empty(counts, used)
    return {
        patient: split
        for stratum, patients in members.items()
        for patient, split in zip(patients, counts[stratum].elements(), strict=True)
    }


def split_hash(split: Mapping[str, str]) -> str:
    """SHA-256 of who is where; equal for equal splits whatever their order."""
    lines = sorted(f'{patient}\t{name}\n' for patient, name in split.items())
    return hashlib.sha256(''.join(lines).encode()).hexdigest()


def _count(size: int, shares: dict[str, float], wanted: Counter, given: Counter) -> Counter:
    """How many of a stratum's patients go to each split; `wanted`, `given`: totals so far."""
    least = 1 if size >= len(shares) else 0
    counts = Counter({s: max(int(size * share), least) for s, share in shares.items()})
    while counts.total() > size:  # the least was more than the share
        counts[max(counts, key=counts.get)] -= 1
    while counts.total() < size:
        # Short of its share in this stratum first, in the whole data set second; else
        # ten strata of four patients would lean to the same side.
        short = [s for s in shares if counts[s] < size * shares[s]] or list(shares)
        counts[max(short, key=lambda s: wanted[s] - given[s] - counts[s])] += 1
    return counts


def _fill_empty(counts: dict[str, Counter], used: list[str]) -> None:
    # Strata of one or two patients may all have gone to the largest split.
    for split in used:
        total = sum(counts.values(), Counter())
        if not total[split]:
            donor = max(used, key=lambda s: total[s])  # noqa: B023 (used within the round)
            stratum = max(sorted(counts), key=lambda k: counts[k][donor])  # noqa: B023
            counts[stratum][donor] -= 1
            counts[stratum][split] += 1


def _shares(ratios: Sequence[float]) -> dict[str, float]:
    if len(ratios) != len(SPLITS) or min(ratios) < 0 or not 0 < sum(ratios) < float('inf'):
        raise input_error(
            'ratios', f'{list(ratios)}', 'three parts of 0 or more, not all 0', 'say 8 1 1'
        )
    return {s: ratio / sum(ratios) for s, ratio in zip(SPLITS, ratios, strict=True)}


def _rank(patient: str, seed: int) -> bytes:
    # Not a random generator: its sequence may change from version to version.
    return hashlib.sha256(f'{seed}\t{patient}'.encode()).digest()
