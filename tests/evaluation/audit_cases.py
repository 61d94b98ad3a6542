"""What a reviewer's program sends back, made from what was handed to it."""

import json

from mmdet_liver.evaluation.auditing.handing_out.cvat import instances
from mmdet_liver.evaluation.auditing.handing_out.images import images_to_review
from mmdet_liver.evaluation.auditing.handing_out.label_studio import tasks
from mmdet_liver.evaluation.auditing.ranking.review_list import Rules, review_list
from mmdet_liver.evaluation.detection_files import read_truth, to_detections


def audited(path, truth: dict, *entries: list, **rules):
    """Truth and review list of COCO content, which is written to `path` on the way."""
    path.write_text(json.dumps(truth))
    read = read_truth(path)
    return read, review_list(
        read, [to_detections(part, read, 'results') for part in entries], Rules(**rules)
    )


def submitted(path, truth: dict, *entries: list, **rules) -> list[dict]:
    """A Label Studio export in which every task was submitted as it was shown."""
    read, listed = audited(path, truth, *entries, **rules)
    names = {c['id']: c['name'] for c in truth['categories']}
    images = images_to_review(truth, listed, None, 'gt')
    made = json.loads(json.dumps(tasks(images, read.labels, names, listed.models)))
    for i, task in enumerate(made):
        result = task['predictions'][0]['result']
        for j, region in enumerate(result):
            region |= {'id': f'new{j}', 'origin': 'prediction'}
        task['annotations'] = [{'id': i, 'result': result, 'was_cancelled': False}]
        task['predictions'] = [i]  # as Label Studio exports them
    return made


def exported(path, truth: dict, *entries: list, **rules) -> dict:
    """A CVAT export of the unchanged annotations, with ids of its own."""
    read, listed = audited(path, truth, *entries, **rules)
    images = images_to_review(truth, listed, None, 'gt')
    ids = sorted(read.class_of, key=read.class_of.get)
    made = json.loads(json.dumps(instances(images, truth['categories'], ids)))
    numbers = {image['id']: n for n, image in enumerate(made['images'], start=1)}
    classes = {c['id']: n for n, c in enumerate(reversed(made['categories']), start=1)}
    for image in made['images']:
        image['id'] = numbers[image['id']]
    for category in made['categories']:
        category['id'] = classes[category['id']]
    for annotation in made['annotations']:
        annotation['image_id'] = numbers[annotation['image_id']]
        annotation['category_id'] = classes[annotation['category_id']]
        annotation['attributes'] |= {'occluded': False, 'rotation': 0.0}
    return made
