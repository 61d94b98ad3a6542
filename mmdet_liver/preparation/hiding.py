"""Taking labels away on purpose, to measure what missing labels cost: pure functions.

What is hidden is known, so that a detector trained without it can be scored against it.
"""

import random

from mmdet_liver.errors import input_error


def hide_labels(content: dict, share: float, seed: int, *, mark_ignored: bool = False) -> dict:
    """A copy of COCO `content` without a random `share` of its lesions.

    Annotations marked `ignore` or `iscrowd` are no lesions and stay. With one seed, what a
    smaller share hides a larger one hides too. Every image with a lesion loses its mark
    `fully_annotated`, whether a label was hidden there or not: the mark would tell where
    nothing is hidden. Lesion-free images keep theirs, which is still true.

    Args:
        content: as read from a COCO annotation file; not changed.
        share: of the lesions, in [0, 1]; the number is rounded.
        seed: of the choice.
        mark_ignored: the hidden lesions stay, marked `ignore`, as no lesions and no
            background: what a means against missing labels comes to that finds them all.
    Returns:
        The copy; `info.hidden_labels` in it holds share, seed and the ids that are hidden.
    Raises:
        InputError: for a share outside [0, 1], or labels that are hidden already.
    """
    info = content.get('info') or {}
    if not 0 <= share <= 1:
        raise input_error('share', f'{share}', '0 to 1', 'give a part of the labels, as 0.3')
    if 'hidden_labels' in info:
        raise input_error(
            'info.hidden_labels', 'labels hidden before', 'a file with all its labels',
            'start from that file',
        )  # fmt: skip
    lesions = [a for a in content['annotations'] if not (a.get('ignore') or a.get('iscrowd'))]
    # By id, so that the order in the file does not matter; ids may be numbers or texts.
    chosen = sorted((a['id'] for a in lesions), key=lambda i: (isinstance(i, str), i))
    random.Random(seed).shuffle(chosen)
    hidden = set(chosen[: round(share * len(chosen))])
    with_lesion = {lesion['image_id'] for lesion in lesions}
    left = [a for a in content['annotations'] if a['id'] not in hidden]
    if mark_ignored:
        left = [a | {'ignore': 1} if a['id'] in hidden else a for a in content['annotations']]
    noted = {'share': share, 'seed': seed, 'annotation_ids': sorted(hidden)}
    return {
        **content,
        'info': {**info, 'hidden_labels': noted},
        'images': [_unmarked(i) if i['id'] in with_lesion else i for i in content['images']],
        'annotations': left,
    }


def _unmarked(image: dict) -> dict:
    return {key: value for key, value in image.items() if key != 'fully_annotated'}
