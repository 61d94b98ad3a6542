"""Tasks and labelling configuration for Label Studio (JSON format of its guide, "Import
pre-annotated data"): boxes are percent of the image, x and y those of the upper left corner.

Everything drawn is one prediction a task: the existing boxes without a score, the
suggestions with theirs. What is needed again when the reviewed file comes back stands in the
task's `data`, which Label Studio exports as it was: regions get new ids there.
"""

from collections.abc import Sequence
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from mmdet_liver.evaluation.auditing.handing_out.images import ImageToReview, describe
from mmdet_liver.evaluation.auditing.ranking.review_list import ReviewItem
from mmdet_liver.taxonomy import color_of

LOCAL_FILES = '/data/local-files/?d='
MODEL_VERSION = 'mmdet_liver audit'
_FROM, _TO = 'label', 'image'  # names of the tags in the configuration


def tasks(
    images: Sequence[ImageToReview],
    labels: tuple[str, ...],
    names: dict,
    models: int,
    image_url: str = LOCAL_FILES,
) -> list[dict]:
    """One task an image, in the given order.

    Args:
        labels: 'None' and the class names, by class.
        names: class name by category id.
        models: how many had a say.
        image_url: what comes before `file_name` in an image's address.
    """
    return [_task(image, labels, names, models, image_url) for image in images]


def labelling_config(labels: tuple[str, ...]) -> str:
    """XML with a rectangle label of its own colour for each class."""
    lines = [
        f'    <Label value={quoteattr(name)} background="{hex_color(name)}"/>'
        for name in labels[1:]
    ]
    return '\n'.join(
        [
            '<View>',
            '  <Header value="$note" size="5"/>',
            f'  <RectangleLabels name="{_FROM}" toName="{_TO}" canRotate="false">',
            *lines,
            '  </RectangleLabels>',
            f'  <Image name="{_TO}" value="$image" zoom="true" zoomControl="true"'
            ' brightnessControl="true" contrastControl="true" rotateControl="false"/>',
            '</View>',
            '',
        ]
    )


def hex_color(name: str) -> str:
    """The colour of a class as `#rrggbb`."""
    return '#{:02x}{:02x}{:02x}'.format(*color_of(name))


def xywh(item: ReviewItem) -> list[float]:
    """The item's box as COCO writes it, to a thousandth of a pixel."""
    x_min, y_min, x_max, y_max = item.box
    return [round(v, 3) for v in (x_min, y_min, x_max - x_min, y_max - y_min)]


def _task(
    image: ImageToReview, labels: tuple[str, ...], names: dict, models: int, image_url: str
) -> dict:
    regions = []
    for i, annotation in image.annotations:
        notes = ['not counted'] if annotation.get('ignore') or annotation.get('iscrowd') else []
        item = image.item_of(i)
        notes += [describe(item, labels, models)] if item else []
        name = names[annotation['category_id']]
        regions.append(_region(f'annotation-{i}', annotation['bbox'], name, image.size, notes))
    for item in image.suggestions:
        notes = [describe(item, labels, models)]
        name = labels[item.suggested]
        region = _region(f'suggestion-{item.rank}', xywh(item), name, image.size, notes)
        regions.append(region | {'score': round(item.score, 4)})
    file_name = image.entry['file_name']
    return {
        'data': {
            'image': image_url + quote(file_name),
            'file_name': file_name,
            'image_id': image.entry['id'],
            'note': '; '.join(describe(item, labels, models) for item in image.items),
            'suggestions': [
                {'bbox': xywh(item), 'class': labels[item.suggested], 'score': round(item.score, 4)}
                for item in image.suggestions
            ],
        },
        'predictions': [
            {
                'model_version': MODEL_VERSION,
                'score': round(max((item.score for item in image.suggestions), default=0.0), 4),
                'result': regions,
            }
        ],
    }


def _region(
    region_id: str, bbox: Sequence[float], name: str, size: tuple[int, int], notes: list[str]
) -> dict:
    (x, y, box_width, box_height), (width, height) = bbox, size
    return {
        'id': region_id,
        'type': 'rectanglelabels',
        'from_name': _FROM,
        'to_name': _TO,
        'original_width': width,
        'original_height': height,
        'image_rotation': 0,
        'value': {
            'x': 100 * x / width,
            'y': 100 * y / height,
            'width': 100 * box_width / width,
            'height': 100 * box_height / height,
            'rotation': 0,
            'rectanglelabels': [name],
        },
        'meta': {'text': notes},
    }
