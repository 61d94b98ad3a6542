"""The metric's definition as slow, obvious loops, to compare with; COCO content in.

Step by step: a prediction goes to the lesion of highest IoU, a lesion takes the class of
its best prediction, what is left is excused by ignored annotations or over-detected.
"""


def slow_matrix(truth: dict, results: list, score_thr: float, iou_thr: float = 0.25) -> list:
    ids = sorted(c['id'] for c in truth['categories'])
    matrix = [[0] * (len(ids) + 1) for _ in range(len(ids) + 1)]
    for image in truth['images']:
        own = [a for a in truth['annotations'] if a['image_id'] == image['id']]
        lesions = [a for a in own if not a.get('ignore') and not a.get('iscrowd')]
        predictions = []
        for p in results:
            score = round(p['score'], 6)
            if p['image_id'] == image['id'] and score >= score_thr and score > 0:
                predictions.append((score, p))
        owners = []
        for _, p in predictions:
            owner = None
            for i, lesion in enumerate(lesions):
                iou = _iou(p['bbox'], lesion['bbox'])
                if iou >= iou_thr and (
                    owner is None or iou > _iou(p['bbox'], lesions[owner]['bbox'])
                ):
                    owner = i
            owners.append(owner)
            if owner is None and not _excused(p['bbox'], own, iou_thr):
                matrix[0][ids.index(p['category_id']) + 1] += 1
        for i, lesion in enumerate(lesions):
            best = None
            for (score, p), owner in zip(predictions, owners, strict=True):
                if owner == i and (best is None or score > best[0]):
                    best = score, p
            column = 0 if best is None else ids.index(best[1]['category_id']) + 1
            matrix[ids.index(lesion['category_id']) + 1][column] += 1
    return matrix


def _excused(box: list, annotations: list, iou_thr: float) -> bool:
    for a in annotations:
        if a.get('ignore') and _iou(box, a['bbox']) >= iou_thr:
            return True
        own_area = box[2] * box[3]
        if a.get('iscrowd') and own_area and _shared(box, a['bbox']) / own_area >= iou_thr:
            return True
    return False


def _iou(a: list, b: list) -> float:
    if not a[2] * a[3] * b[2] * b[3]:
        return 0.0
    shared = _shared(a, b)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def _shared(a: list, b: list) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)
