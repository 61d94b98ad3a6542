"""COCO content in short form, for the tests of the report."""

import json

NAMES = ('cyst', 'HCC', 'hemangioma', 'Meta')


def coco(*images, names=NAMES, info=None):
    """`images`: (file_name, columns, [(class, xyxy[, 'ignore' | 'iscrowd']), ...]); 200 x 100."""
    entries, annotations = [], []
    for number, (file_name, columns, lesions) in enumerate(images, start=7):
        size = {'width': 200, 'height': 100}
        entries.append({'id': number, 'file_name': file_name, **size, **columns})
        for name, (x0, y0, x1, y1), *flags in lesions:
            annotations.append(
                {
                    'id': len(annotations),
                    'image_id': number,
                    'category_id': names.index(name) + 1,
                    'bbox': [x0, y0, x1 - x0, y1 - y0],
                    **dict.fromkeys(flags, 1),
                }
            )
    categories = [{'id': i, 'name': name} for i, name in enumerate(names, start=1)]
    content = {'images': entries, 'annotations': annotations, 'categories': categories}
    return content if info is None else {'info': info, **content}


def save(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding='utf-8')
    return path
