"""Grouped, stratified k-fold cross-validation over the COCO files of a prepared data set.

Who belongs together and how strata are divided are the preparation's own rules: images of
one patient, else of one study, and in any case of one cluster of near-duplicates never
part, and what the cleansing holds for training only is in every train set. Each image that
may be tested is in the test set of exactly one fold.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

from mmdet_liver.coco_files import read_coco
from mmdet_liver.errors import input_error
from mmdet_liver.files import file_sha256, write_json
from mmdet_liver.preparation.decisions import FILE_NAME, read_decisions
from mmdet_liver.preparation.entries import ImageEntry, dominant_diagnosis
from mmdet_liver.preparation.grouping import group_images
from mmdet_liver.preparation.manifest import Record
from mmdet_liver.preparation.splitting import SPLITS, split_groups, split_hash


def fold_groups(
    strata: Mapping[str, str],
    folds: int,
    val_share: float = 0.1,
    seed: int = 0,
    *,
    train_only: Collection[str] = (),
) -> list[dict[str, str]]:
    """Give each group to 'train', 'val' or 'test', once a fold.

    Args:
        strata: group -> stratum (the dominant diagnosis).
        folds: 2 or more.
        val_share: of the groups that may be tested, in each fold; above 0 and below
            1 - 1 / folds.
        train_only: groups that are in every fold's train.
    Returns:
        One split a fold; each group that is not in `train_only` is in 'test' once.
    Raises:
        InputError: for too few groups, or shares that leave no train.
    """
    train_share = 1 - 1 / folds - val_share
    if not val_share > 0 or train_share <= 0:
        raise input_error('val_share', f'{val_share}', f'above 0, below {1 - 1 / folds:g}', 'lower')
    rest = {group: stratum for group, stratum in strata.items() if group not in train_only}
    if len(rest) < 2 * folds:
        raise input_error(
            'folds', f'{len(rest)} groups', f'{2 * folds} or more for {folds} folds', 'fewer folds'
        )
    tests: list[set[str]] = []
    for remaining in range(folds, 1, -1):
        parted = split_groups(rest, (remaining - 1, 0, 1), seed + len(tests))
        tests.append({group for group, split in parted.items() if split == 'test'})
        rest = {group: stratum for group, stratum in rest.items() if group not in tests[-1]}
    tests.append(set(rest))
    splits = []
    for fold, test in enumerate(tests):
        others = {group: stratum for group, stratum in strata.items() if group not in test}
        ratios = (train_share, val_share, 0)
        split = split_groups(others, ratios, seed + folds + fold, train_only=train_only)
        splits.append({**split, **dict.fromkeys(test, 'test')})
    return splits


def write_folds(
    root: str | Path, out: str | Path, folds: int, val_share: float, seed: int
) -> list[Path]:
    """Write `annotations/{train,val,test}.json` of each fold; `images` leads to those of `root`.

    Returns:
        The folder of each fold, ready as a data folder of the configs.
    Raises:
        InputError: for annotation files that are missing or do not fit together.
    """
    root, out = Path(root), Path(out)
    content = _read_all(root)
    entries = _entries(content)
    groups = group_images(entries)
    held = _train_only(root, content, groups)
    strata = dominant_diagnosis(entries, groups)
    folders = []
    for fold, split in enumerate(fold_groups(strata, folds, val_share, seed, train_only=held)):
        info = {
            'fold': fold,
            'folds': folds,
            'fold_seed': seed,
            'val_share': val_share,
            'split_sha256': split_hash(split),
        }
        folder = out / f'fold{fold}'
        for name in SPLITS:
            chosen = [i for i in content['images'] if split[groups[i['file_name']]] == name]
            ids = {image['id'] for image in chosen}
            part = {
                'info': {**content['info'], **info, 'split': name},
                'images': chosen,
                'annotations': [a for a in content['annotations'] if a['image_id'] in ids],
                'categories': content['categories'],
            }
            write_json(folder / 'annotations' / f'{name}.json', part)
        _link_images(root / 'images', folder / 'images')
        folders.append(folder)
    return folders


def _read_all(root: Path) -> dict:
    # The three files as one, images in the order of their ids.
    files = [root / 'annotations' / f'{name}.json' for name in SPLITS]
    parts = [read_coco(path) for path in files if path.is_file()]
    if not parts:
        raise input_error(
            root,
            'no annotations/{train,val,test}.json',
            'a prepared data set',
            'prepare one with tools/prepare_data.py',
        )
    images = sorted((i for part in parts for i in part['images']), key=lambda i: i['id'])
    names = {image['file_name'] for image in images}
    if len({image['id'] for image in images}) < len(images) or len(names) < len(images):
        raise input_error(root, 'an image in two of its splits', 'each in one', 'prepare it anew')
    if any(part['categories'] != parts[0]['categories'] for part in parts):
        raise input_error(root, 'files of different categories', 'the same', 'prepare it anew')
    annotations = [a for part in parts for a in part['annotations']]
    # Ids are unique within a file; here they become so over all.
    annotations = [{**a, 'id': i} for i, a in enumerate(annotations, start=1)]
    return {
        'info': {'sources_sha256': [file_sha256(path) for path in files]},
        'images': images,
        'annotations': annotations,
        'categories': parts[0]['categories'],
    }


def _entries(content: dict) -> list[ImageEntry]:
    names = {category['id']: category['name'] for category in content['categories']}
    of_image: dict = {}
    for annotation in content['annotations']:
        of_image.setdefault(annotation['image_id'], []).append(annotation)
    entries = []
    for image in content['images']:
        known = ('patient_id', 'study_id', 'cluster_id')
        record = Record(image['file_name'], **{k: str(image.get(k) or '') for k in known})
        lesions = tuple(
            Record(
                image['file_name'],
                diagnosis=names[a['category_id']],
                ignore=bool(a.get('ignore') or a.get('iscrowd')),
            )
            for a in of_image.get(image['id'], ())
        )
        entries.append(ImageEntry(record, lesions))
    return entries


def _train_only(root: Path, content: dict, groups: Mapping[str, str]) -> set[str]:
    # Groups of the clusters that the cleansing keeps out of val and test.
    path = root / FILE_NAME
    if not path.is_file():
        return set()
    clusters = {d.cluster_id for d in read_decisions(path) if d.action == 'train only'}
    clusters.discard('')
    return {
        groups[image['file_name']]
        for image in content['images']
        if image.get('cluster_id') in clusters
    }


def _link_images(source: Path, link: Path) -> None:
    try:
        if link.is_symlink() and link.resolve() != source.resolve():
            link.unlink()  # the data were moved, or are others now
        if link.is_symlink() or link.exists():
            return
        link.symlink_to(source.resolve(), target_is_directory=True)
    except OSError as error:
        raise input_error(
            link,
            str(error.strerror),
            'a file system with symbolic links',
            'give an --out elsewhere',
        ) from None
