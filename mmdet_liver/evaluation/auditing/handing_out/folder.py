"""Everything a reviewer needs, in one folder."""

from pathlib import Path

from mmdet_liver.evaluation.arrays import Truth
from mmdet_liver.evaluation.auditing.handing_out.cvat import instances, label_definitions
from mmdet_liver.evaluation.auditing.handing_out.images import images_to_review
from mmdet_liver.evaluation.auditing.handing_out.label_studio import (
    LOCAL_FILES,
    labelling_config,
    tasks,
)
from mmdet_liver.evaluation.auditing.handing_out.sheets import write_sheets
from mmdet_liver.evaluation.auditing.handing_out.table import review_table
from mmdet_liver.evaluation.auditing.ranking.review_list import ReviewList
from mmdet_liver.files import write_json, write_text


def write_review_folder(
    out_dir: str | Path,
    truth: Truth,
    content: dict,
    listed: ReviewList,
    *,
    where: object,
    image_root: str | Path | None = None,
    image_url: str = LOCAL_FILES,
) -> int:
    """Write the list, the files for Label Studio and CVAT and, with images, contact sheets.

    Args:
        content: the COCO file that `truth` was read from (`read_coco`).
        where: that file, named in errors.
        image_url: what comes before `file_name` in an image's address in Label Studio.
    Returns:
        How many images there are to review.
    Raises:
        InputError: for an image whose size is neither in the file nor to be measured.
    """
    out_dir = Path(out_dir)
    images = images_to_review(content, listed, image_root, where)
    names = {category['id']: str(category['name']) for category in content['categories']}
    class_ids = sorted(truth.class_of, key=truth.class_of.get)
    studio, cvat = out_dir / 'label_studio', out_dir / 'cvat'
    write_text(out_dir / 'review_list.csv', review_table(truth, listed, content['annotations']))
    to_do = tasks(images, truth.labels, names, listed.models, image_url)
    write_json(studio / 'tasks.json', to_do, indent=1)
    write_text(studio / 'config.xml', labelling_config(truth.labels))
    write_json(
        cvat / 'instances.json', instances(images, content['categories'], class_ids), indent=1
    )
    write_text(cvat / 'images.txt', ''.join(f'{i.entry["file_name"]}\n' for i in images))
    write_json(cvat / 'labels.json', label_definitions(truth.labels), indent=1)
    if image_root is not None:
        write_sheets(truth, listed, Path(image_root), out_dir)
    return len(images)
