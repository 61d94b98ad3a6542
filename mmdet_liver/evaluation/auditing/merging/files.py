"""From a ground-truth file and a reviewed file to a new ground-truth file."""

from datetime import datetime, timezone
from pathlib import Path

from mmdet_liver.coco_files import kind, read_images, read_json
from mmdet_liver.errors import input_error
from mmdet_liver.evaluation.auditing.boxes import is_visible
from mmdet_liver.evaluation.auditing.merging.cvat import read_instances
from mmdet_liver.evaluation.auditing.merging.label_studio import read_tasks
from mmdet_liver.evaluation.auditing.merging.merge import Merged, Source, merge_review
from mmdet_liver.evaluation.auditing.merging.reviewed import (
    ImageFinder,
    ReviewedImage,
    require_each_once,
)
from mmdet_liver.evaluation.detection_files import read_truth
from mmdet_liver.files import file_sha256, write_json

_EXPECTED = 'a JSON export of Label Studio or a COCO export of CVAT'


def merge_files(
    truth_path: str | Path,
    reviewed_path: str | Path,
    out: str | Path,
    *,
    reviewer: str | None = None,
    fully_annotated: bool = True,
    handed_out: str | Path | None = None,
) -> Merged:
    """Merge a reviewed file; `out` appears whole, or on any error not at all.

    Args:
        handed_out: the `cvat/instances.json` of the review; other images are left alone.
    Raises:
        InputError: for a reviewed file of neither kind, one with nothing reviewed, images or
            classes that the ground truth does not have, boxes that cannot be; for an `out`
            that is one of the two.
    """
    for path in (truth_path, reviewed_path):
        if Path(out).resolve() == Path(path).resolve():
            raise input_error(out, 'a file that is read', 'a new name', 'give another --out')
    read_truth(truth_path)  # what no evaluation could read is refused before
    content = read_json(truth_path, 'a COCO annotation file')
    reviewed = read_reviewed(reviewed_path, content, handed_out)
    source = Source(
        file=Path(reviewed_path).name,
        sha256=file_sha256(reviewed_path),
        date=datetime.now(timezone.utc).date().isoformat(),
        reviewer=reviewer,
    )
    merged = merge_review(content, reviewed, source, fully_annotated=fully_annotated)
    write_json(out, merged.content)
    return merged


def read_reviewed(
    path: str | Path, content: dict, handed_out: str | Path | None = None
) -> list[ReviewedImage]:
    """The images that a person has finished, of either program's file.

    Args:
        content: the ground truth.
    Raises:
        InputError: as `merge_files`.
    """
    category_ids = {str(c['name']): c['id'] for c in content['categories']}
    finder = ImageFinder(content['images'])
    drawn = read_json(path, _EXPECTED)
    is_coco = isinstance(drawn, dict) and 'images' in drawn
    if isinstance(drawn, list):
        images = read_tasks(drawn, finder, category_ids, path)
    elif is_coco:
        images = read_instances(path, finder, category_ids)
    else:
        raise input_error(path, f'a JSON {kind(drawn)}', _EXPECTED, 'export it again')
    reviewed = require_each_once(images)
    if handed_out is not None:
        listed = read_images(handed_out)
        ids = {finder.find(str(image['file_name']), str(handed_out))['id'] for image in listed}
        reviewed = [image for image in reviewed if image.entry['id'] in ids]
    elif is_coco:
        _require_some_boxes(reviewed, content, path)
    if not reviewed:
        raise input_error(
            path, 'no finished review', 'at least one submitted task', 'submit, then export again'
        )
    return reviewed


def _require_some_boxes(reviewed: list[ReviewedImage], content: dict, path: str | Path) -> None:
    # CVAT exports every image of a task. One that was uploaded without its annotations looks
    # as if the reviewer had removed them all.
    annotated = {a['image_id'] for a in content['annotations'] if is_visible(a)}
    emptied = [i for i in reviewed if not i.boxes and i.entry['id'] in annotated]
    if emptied:
        raise input_error(
            path,
            f'{len(emptied)} images that have lost all their boxes, such as '
            f'{emptied[0].entry["file_name"]!r}',
            'only images that were handed out for review',
            'give cvat/instances.json of the review as --handed-out; images that are not in it '
            'are then left alone',
        )
