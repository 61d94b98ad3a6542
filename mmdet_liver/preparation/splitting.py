"""Who is trained on and who is tested on: split by group, stratified, the same every time.

A group is a patient, or whatever else must not part (`grouping.py`).
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from mmdet_liver.errors import input_error

SPLITS = ('train', 'val', 'test')


def split_groups(
    strata: Mapping[str, str],
    ratios: Sequence[float] = (8, 1, 1),
    seed: int = 0,
    *,
    train_only: Collection[str] = (),
) -> dict[str, str]:
    """Give each group to 'train', 'val' or 'test'.

    Every stratum is split in the given proportions as nearly as whole groups allow, and
    with three groups or more it is in every split. What does not divide goes where the
    data set as a whole is short. The order of `strata` plays no part, and a group's rank
    depends on the seed and the name alone.

    Args:
        strata: group -> stratum (the dominant diagnosis).
        ratios: parts for train, val and test; a split of part 0 stays empty.
        train_only: groups that go to train whatever their rank; they count as a part of it.
    Raises:
        InputError: for bad ratios, or fewer groups than splits that must not be empty.
    """
    shares = _shares(ratios)
    used = [s for s in SPLITS if shares[s] > 0]
    free = [group for group in strata if group not in train_only]
    if len(free) < len(used):
        raise input_error(
            'groups (patients, or what else must not part)',
            f'{len(free)} that may go into any split',
            f'at least one for each of {", ".join(used)}',
            'add patients, or set a ratio to 0',
        )
    members: dict[str, list[str]] = {}
    for group in sorted(free, key=lambda g: _rank(g, seed)):
        members.setdefault(strata[group], []).append(group)
    held = Counter(strata[group] for group in strata if group in train_only)
    counts: dict[str, Counter] = {}
    wanted, given = Counter(), Counter()
    for stratum in sorted(members):
        size = len(members[stratum])
        wanted.update({s: (size + held[stratum]) * shares[s] for s in used})
        given['train'] += held[stratum]
        counts[stratum] = _count(size, held[stratum], {s: shares[s] for s in used}, wanted, given)
        given.update(counts[stratum])
    _fill_empty(counts, used)
    split = dict.fromkeys(train_only, 'train')
    for stratum, groups in members.items():
        split.update(zip(groups, counts[stratum].elements(), strict=True))
    return split


def split_hash(split: Mapping[str, str]) -> str:
    """SHA-256 of who is where; equal for equal splits whatever their order."""
    lines = sorted(f'{group}\t{name}\n' for group, name in split.items())
    return hashlib.sha256(''.join(lines).encode()).hexdigest()


def _count(
    size: int, held: int, shares: dict[str, float], wanted: Counter, given: Counter
) -> Counter:
    """How many of a stratum's free groups go to each split.

    Args:
        size: free groups; `held` more are in train already.
        wanted, given: totals so far, this stratum's `wanted` and `held` among them.
    """
    fair = {s: (size + held) * share for s, share in shares.items()}
    if 'train' in fair:
        fair['train'] = max(fair['train'] - held, 0.0)
    least = 1 if size >= len(shares) else 0
    counts = Counter({s: max(int(part), least) for s, part in fair.items()})
    while counts.total() > size:  # the least, or what is held, was more than the share
        counts[max(counts, key=counts.get)] -= 1
    while counts.total() < size:
        # Short of its share in this stratum first, in the whole data set second; else
        # ten strata of four patients would lean to the same side.
        short = [s for s in shares if counts[s] < fair[s]] or list(shares)
        counts[max(short, key=lambda s: wanted[s] - given[s] - counts[s])] += 1
    return counts


def _fill_empty(counts: dict[str, Counter], used: list[str]) -> None:
    # Strata of one or two groups may all have gone to the largest split.
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


def _rank(group: str, seed: int) -> bytes:
    # Not a random generator: its sequence may change from version to version.
    return hashlib.sha256(f'{seed}\t{group}'.encode()).digest()
