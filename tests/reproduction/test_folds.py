import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.decisions import Decision, write_decisions
from mmdet_liver.reproduction.folds import fold_groups, write_folds

STRATA = {f'p{i}': ('benign', 'malignant', '')[i % 3] for i in range(60)}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.dictionaries(st.text('abcdef', min_size=2, max_size=3), st.sampled_from('xyz'), min_size=24),
    st.sampled_from([2, 3, 5]),
    st.integers(0, 3),
)
def test_every_group_is_tested_once(strata, folds, seed):
    held = sorted(strata)[:3]
    splits = fold_groups(strata, folds, 0.2, seed, train_only=held)
    tested = Counter(g for split in splits for g, name in split.items() if name == 'test')
    assert tested == {group: 1 for group in strata if group not in held}
    for split in splits:
        assert set(split) == set(strata)
        assert all(split[group] == 'train' for group in held)
        assert {'train', 'val', 'test'} == set(split.values())


def test_folds_have_the_shares_that_were_asked_for():
    for split in fold_groups(STRATA, 5, 0.1):
        counts = Counter(split.values())
        assert counts['test'] == 12 and abs(counts['val'] - 6) <= 1
        tested = Counter(STRATA[g] for g, name in split.items() if name == 'test')
        assert set(tested.values()) == {4}  # of each of three strata


def test_the_same_folds_whatever_the_order_and_others_with_another_seed():
    turned = dict(reversed(STRATA.items()))
    assert fold_groups(STRATA, 5) == fold_groups(turned, 5) != fold_groups(STRATA, 5, seed=1)


@pytest.mark.parametrize(
    'folds, val_share, said',
    [
        pytest.param(40, 0.1, 'groups', id='more folds than groups allow'),
        pytest.param(2, 0.5, 'val_share', id='no train left'),
        pytest.param(5, 0, 'val_share', id='no val'),
    ],
)
def test_what_cannot_be_split_is_refused(folds, val_share, said):
    with pytest.raises(InputError, match=said):
        fold_groups(STRATA, folds, val_share)


def prepared(root, images=24):
    """Images 1 and 2 are look-alikes held for training, 3 and 4 are of one patient."""
    (root / 'images').mkdir(parents=True)
    (root / 'annotations').mkdir()
    marks = {1: {'cluster_id': 'C1'}, 2: {'cluster_id': 'C1'},
             3: {'patient_id': 7}, 4: {'patient_id': 7}}  # fmt: skip
    categories = [{'id': 1, 'name': 'benign'}, {'id': 2, 'name': 'malignant'}]
    for name, ids in {'train': range(1, images - 7), 'val': range(images - 7, images - 3),
                      'test': range(images - 3, images + 1)}.items():  # fmt: skip
        entries = [{'id': i, 'file_name': f'{i}.png', 'width': 64, 'height': 48, **marks.get(i, {})}
                   for i in ids]  # fmt: skip
        boxes = [{'id': n, 'image_id': i, 'category_id': 1 + i % 2, 'bbox': [4, 4, 20, 20],
                  'area': 400, 'iscrowd': 0} for n, i in enumerate(ids, 1) if i % 6]  # fmt: skip
        content = {'images': entries, 'annotations': boxes, 'categories': categories}
        (root / f'annotations/{name}.json').write_text(json.dumps(content))
    held = Decision('raw/1.png', 'near-duplicates', 'train only', 'contradict', cluster_id='C1')
    write_decisions(root / 'cleansing.csv', [held])
    return root


def read(folder):
    return {
        name: json.loads((folder / f'annotations/{name}.json').read_text())
        for name in ('train', 'val', 'test')
    }


def test_files_of_the_folds(tmp_path):
    root = prepared(tmp_path / 'data')
    folders = write_folds(root, tmp_path / 'out', 3, 0.2, 0)
    tested = Counter()
    for folder in folders:
        files = read(folder)
        ids = {name: [i['id'] for i in part['images']] for name, part in files.items()}
        assert sorted(sum(ids.values(), [])) == list(range(1, 25))
        assert {1, 2} <= set(ids['train'])
        assert any({3, 4} <= set(part) for part in ids.values())
        for part in files.values():
            own = {image['id'] for image in part['images']}
            assert {a['image_id'] for a in part['annotations']} == {i for i in own if i % 6}
        annotation_ids = [a['id'] for part in files.values() for a in part['annotations']]
        assert len(set(annotation_ids)) == len(annotation_ids) == 20
        assert (folder / 'images').resolve() == (root / 'images').resolve()
        tested.update(ids['test'])
    assert tested == dict.fromkeys(range(3, 25), 1)
    again = [read(folder) for folder in write_folds(root, tmp_path / 'out', 3, 0.2, 0)]
    assert again == [read(folder) for folder in folders]


def test_a_folder_that_is_not_prepared_is_refused(tmp_path):
    with pytest.raises(InputError, match='prepare_data'):
        write_folds(tmp_path, tmp_path / 'out', 3, 0.2, 0)


def test_images_are_those_of_the_data_at_hand(tmp_path):
    root, out = prepared(tmp_path / 'data'), tmp_path / 'out'
    write_folds(root, out, 3, 0.2, 0)
    root.rename(tmp_path / 'moved')
    for source in (tmp_path / 'moved', prepared(tmp_path / 'data')):
        (folder, *_) = write_folds(source, out, 3, 0.2, 0)
        assert (folder / 'images').resolve() == source / 'images'
