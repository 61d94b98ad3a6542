"""What the cleansing does unless told otherwise; each is told by `tools/prepare_data.py --help`."""

from dataclasses import dataclass

from mmdet_liver.preparation.cleansing.near_duplicates import MAX_DISTANCE

# Steps that can be turned off; the others answer for files that no training could read.
SKIPPABLE = ('size', 'near-duplicates', 'marks')
SIZE_RULES = ('both', 'either')
OF_A_CLUSTER = ('keep-one', 'keep-all')
CONTRADICTING = ('train-only', 'leave-out', 'keep')


@dataclass(frozen=True)
class CleansingOptions:
    """How the cleansing decides.

    Attributes:
        skip: steps that are turned off, some of SKIPPABLE.
        min_side, size_rule: an image is too small if both sides, or either side, are not
            above `min_side` pixels (the study: not above 400x400).
        max_distance: Hamming distance of 64-bit hashes up to which images are look-alikes.
        of_a_cluster: what stays of a cluster of near-duplicates.
        contradicting: what becomes of clusters that contradict each other in diagnosis.
        skip_unreadable: leave unreadable files out instead of stopping.
    """

    skip: frozenset[str] = frozenset()
    min_side: int = 400
    size_rule: str = 'both'
    max_distance: int = MAX_DISTANCE
    of_a_cluster: str = 'keep-one'
    contradicting: str = 'train-only'
    skip_unreadable: bool = False
