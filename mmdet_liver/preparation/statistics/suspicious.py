"""Records that a person should look at: a table of named rules, each with its reason.

A finding is no error: a cyst beside an HCC is common. Leaks between files and broken images
are for `tools/check_dataset.py` to find.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mmdet_liver.preparation.statistics import suspicious_boxes as boxes
from mmdet_liver.preparation.statistics import suspicious_patients as patients
from mmdet_liver.preparation.statistics.findings import Finding
from mmdet_liver.preparation.statistics.tables import Tables


@dataclass(frozen=True)
class Rule:
    name: str
    reason: str  # why a person should look, one sentence
    find: Callable[[Tables], Iterator[Finding]]


RULES = (
    Rule('age 0', 'A 0 often stands for an unknown age.', patients.age_zero),
    Rule(f'age above {patients.OLDEST}', 'Hardly anybody is older.', patients.too_old),
    Rule(
        f'malignant below {patients.ADULT} years',
        'HCC and metastases are rare in children: the age or the diagnosis may be wrong.',
        patients.too_young,
    ),
    Rule('two sexes', 'One patient, M on some images and F on others.', patients.two_sexes),
    Rule(
        'ages apart',
        f'One patient, more than {patients.AGES_APART} years apart: two people under one name?',
        patients.ages_apart,
    ),
    Rule('box without area', 'No lesion is a line or a point.', boxes.no_area),
    Rule('box outside', "The box leaves the image: is it of another image's size?", boxes.outside),
    Rule(
        'same box twice',
        f'Two lesions with an IoU of {boxes.SAME_BOX_IOU} or more: one lesion, drawn twice?',
        boxes.same_box,
    ),
    Rule(
        f'share above {boxes.LARGEST_SHARE}',
        'The box covers nearly the whole image, as a placeholder does.',
        boxes.large,
    ),
    Rule(
        f'share below {boxes.SMALLEST_SHARE}',
        'The box covers next to nothing, as a slip does.',
        boxes.small,
    ),
    Rule(
        f'{boxes.LARGEST_RATIO} times as long as wide',
        'Lesions are rounder: a slip of the mouse, or two corners from different boxes?',
        boxes.long,
    ),
    Rule(
        f'above {boxes.LONGEST_MM} or below {boxes.SHORTEST_MM} mm',
        'No liver lesion is so large or so small: is mm_per_pixel right?',
        boxes.implausible_mm,
    ),
    Rule(
        'several diagnoses',
        'One patient, or one image of an unknown patient, with lesions of several kinds: each '
        'can be right, or one of them a slip.',
        patients.several_diagnoses,
    ),
    Rule(
        'at the edge',
        'The box touches the edge of the image: the lesion may be cut off.',
        boxes.at_edge,
    ),
)


def find_suspicious(tables: Tables) -> dict[str, list[Finding]]:
    """The findings of every rule, by its name, in the order of RULES; each by image."""

    def order(finding: Finding) -> tuple[int, int]:
        return finding.image, -1 if finding.lesion is None else finding.lesion

    return {rule.name: sorted(rule.find(tables), key=order) for rule in RULES}
