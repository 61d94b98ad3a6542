"""What is measured of an image, and that the journal gives it back."""

import base64
import dataclasses
import json

import cv2
import numpy as np

from mmdet_liver.preparation.cleansing.facts import Facts, measure_image, measure_images
from mmdet_liver.preparation.cleansing.perceptual_hash import appearance_of
from mmdet_liver.preparation.journal import Journal
from mmdet_liver.preparation.phantom.frames import patient_frames


def frame(index: int) -> np.ndarray:
    image = next(patient_frames(4, index)[1]).image
    return image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)


def measured(tmp_path, names) -> tuple[dict[str, Facts], list]:
    with Journal(tmp_path / 'measured.jsonl') as journal:
        found = measure_images(names, tmp_path, journal)
    return found, [json.loads(x) for x in (tmp_path / 'measured.jsonl').read_text().splitlines()]


def test_facts_go_through_the_journal_and_come_back_equal(tmp_path, monkeypatch):
    names = [f'{index}.png' for index in range(3)]
    for index, name in enumerate(names):
        cv2.imwrite(str(tmp_path / name), frame(index))
    (tmp_path / 'broken.png').write_bytes(b'none')
    names.append('broken.png')
    first, lines = measured(tmp_path, names)
    monkeypatch.setattr('mmdet_liver.preparation.cleansing.facts._measure', None)  # not again
    again, same = measured(tmp_path, names)
    assert again == first and same == lines and len(lines) == 4
    assert all(isinstance(facts, Facts) for facts in again.values())
    assert first['broken.png'].problem and not first['broken.png'].tile


def test_the_tile_is_that_of_the_image_without_marks(tmp_path):
    plain = frame(0)
    marked = plain.copy()
    height, width = plain.shape[:2]
    for x in (0.45, 0.6):
        place = int(x * width), height // 2
        cv2.drawMarker(marked, place, (0, 255, 255), cv2.MARKER_CROSS, 15)
    cv2.imwrite(str(tmp_path / 'plain.png'), plain)
    cv2.imwrite(str(tmp_path / 'marked.png'), marked)
    facts = measure_image(tmp_path / 'marked.png')
    assert facts.marks

    def like_plain(tile: np.ndarray) -> float:
        clean = decoded(measure_image(tmp_path / 'plain.png'))
        return float(np.corrcoef(clean.ravel(), tile.ravel())[0, 1])

    assert like_plain(decoded(facts)) > like_plain(appearance_of(marked).tile)


def decoded(facts: Facts) -> np.ndarray:
    return np.frombuffer(base64.b64decode(facts.tile), np.uint8).reshape(32, 32)


def test_every_field_is_kept_in_its_place(tmp_path):
    values = ('sha', 640, 480, '', False, 'palette', 5, 7, 31.25, 'AAAA', (('text', 0.01),), True)
    facts = Facts(*values)
    assert dataclasses.astuple(facts) == values
    (tmp_path / 'a.png').write_bytes(b'a')
    with Journal(tmp_path / 'j.jsonl') as journal:
        journal.add('a.png', '2:' + SHA_OF_A, dataclasses.astuple(facts))
    found, _ = renamed(tmp_path)
    assert found['a.png'] == facts


SHA_OF_A = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'


def renamed(tmp_path):
    (tmp_path / 'j.jsonl').rename(tmp_path / 'measured.jsonl')
    return measured(tmp_path, ['a.png'])
