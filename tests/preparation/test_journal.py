import pytest

from mmdet_liver.preparation.journal import Journal


def test_what_was_added_is_there_again(tmp_path):
    with Journal(tmp_path / 'sub/j.jsonl') as journal:
        journal.add('a', 'v1', [1, 'x'])
        journal.add('b', 'v1', None)
    with Journal(tmp_path / 'sub/j.jsonl') as journal:
        assert journal.get('a', 'v1') == [1, 'x']
        assert journal.get('a', 'v2') is None and journal.get('c', 'v1') is None
        assert journal.fingerprint('b') == 'v1' and journal.fingerprint('c') is None


@pytest.mark.parametrize('cut', range(1, 12))
def test_a_line_that_a_kill_cut_is_dropped(tmp_path, cut):
    path = tmp_path / 'j.jsonl'
    with Journal(path) as journal:
        journal.add('a', '1', 1)
        journal.add('b', '1', 2)
    path.write_bytes(path.read_bytes()[:-cut])
    with Journal(path) as journal:
        assert journal.get('a', '1') == 1 and journal.get('b', '1') is None
        journal.add('b', '1', 3)
    with Journal(path) as journal:
        assert journal.get('b', '1') == 3


def test_compact_gives_the_same_bytes_whatever_the_way(tmp_path):
    with Journal(tmp_path / 'straight') as journal:
        for key in 'abc':
            journal.add(key, 'v', key * 2)
        journal.compact('abc')
    with Journal(tmp_path / 'devious') as journal:
        for key in 'xcbb':
            journal.add(key, 'old', 0)
        for key in 'bca':
            journal.add(key, 'v', key * 2)
        journal.compact('abc')
        journal.add('d', 'v', 1)  # still open to more
    assert (tmp_path / 'devious').read_bytes().startswith((tmp_path / 'straight').read_bytes())
    with Journal(tmp_path / 'devious') as journal:
        assert journal.get('d', 'v') == 1 and journal.fingerprint('x') is None
