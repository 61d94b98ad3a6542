import pytest

from mmdet_liver.preparation.entries import group_by_image
from mmdet_liver.preparation.grouping import group_images
from mmdet_liver.preparation.manifest import Record


def parts(rows):
    """Rows (image, patient, study, cluster) -> the images of each group, as sorted text."""
    records = [Record(path, p, s, cluster_id=c) for path, p, s, c in rows]
    groups = {}
    for path, group in group_images(group_by_image(records, 'm')).items():
        groups.setdefault(group, []).append(path)
    return {name: ''.join(sorted(members)) for name, members in groups.items()}


@pytest.mark.parametrize(
    'rows, expected',
    [
        pytest.param(
            [('a', 'P1', 'S1', ''), ('b', 'P1', 'S2', ''), ('c', 'P2', 'S1', '')],
            {'P1': 'ab', 'P2': 'c'},
            id='the patient before the study',
        ),
        pytest.param(
            [('a', '', 'S1', ''), ('b', '', 'S1', ''), ('c', '', '', '')],
            {'S1': 'ab', 'c': 'c'},
            id='the study where no patient is known, else the image',
        ),
        pytest.param(
            [('a', '', '', 'C1'), ('b', '', '', 'C1'), ('c', '', '', 'C2')],
            {'a': 'ab', 'c': 'c'},
            id='the cluster',
        ),
        pytest.param(
            [
                ('a', 'P2', '', ''),
                ('b', 'P2', '', 'C1'),
                ('c', 'P1', '', 'C1'),
                ('d', 'P1', '', ''),
            ],
            {'P1': 'abcd'},
            id='a cluster of two patients binds both',
        ),
        pytest.param(
            [
                ('a', 'P9', '', 'C1'),
                ('b', '', 'S1', 'C1'),
                ('c', '', 'S1', 'C2'),
                ('d', '', '', 'C2'),
                ('e', '', '', ''),
            ],
            {'P9': 'abcd', 'e': 'e'},
            id='a chain over patient, study and cluster',
        ),
        pytest.param(
            [('P1', '', '', ''), ('b', 'P1', '', '')],
            {'P1': 'P1b'},
            id='names of two kinds that are equal',
        ),
    ],
)
def test_what_must_not_part(rows, expected):
    assert parts(rows) == expected
