"""The import as a whole: what reaches the output, what does not, and what happens on the way."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.decisions import Decision, read_decisions
from mmdet_liver.preparation.importers import copying
from mmdet_liver.preparation.importers.identity import Identity
from mmdet_liver.preparation.importers.import_folder import ImportOptions, import_folder
from mmdet_liver.preparation.importers.imported import Imported
from mmdet_liver.preparation.manifest import Record, read_manifest, write_manifest

ENCODINGS = ('utf-8', 'cp932', 'euc_jp', 'utf-16-le')
A, B, C = '山田/a 1.PNG', 'suzuki_jiro/b.jpeg', 'suzuki_jiro/IM0001'
IDENTITY, OTHER_KEY = Identity(b'key'), Identity(b'another key')
LEFT_OUT = Decision('x/no.png', 'import', 'left out', 'no annotation names it')


def png(seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 9), np.uint8)
    return cv2.imencode('.png', pixels)[1].tobytes()


def noted_png(path):
    """A PNG that holds a name."""
    info = Image.Exif()
    info[0x010E] = 'SECRETNAME'
    Image.fromarray(np.full((8, 9), 7, np.uint8)).save(path, exif=info)


RECORDS = [
    Record(A, '山田', 'study 1', 45, 'M', 'HCC', (1.0, 2.0, 3.0, 4.0), 0.5, True, True),
    Record(A, '山田', 'study 1', 45, 'M', 'cyst', (0.0, 0.0, 3.0, 4.0), 0.5, True),
    Record(B, 'suzuki', fully_annotated=False),
    Record(C, ''),
]


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / 'source'
    for i, name in enumerate((A, B, C, 'x/no.png')):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(i))
    return folder


def run(source, out, records=RECORDS, decisions=(LEFT_OUT,), identity=IDENTITY, **options):
    return import_folder(
        Imported(records, decisions), source, out, identity, ImportOptions(**options)
    )


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file() and '.work' not in path.parts
    }


def decided(out, image):
    rows = read_decisions(out / 'cleansing.csv')
    return [(row.step, row.action) for row in rows if row.image_path == image]


def name(path, suffix):
    return f'images/{IDENTITY.image(path)}{suffix}'


def test_images_are_copied_under_hashed_names(source, tmp_path):
    run(source, tmp_path / 'out')
    a, b, c = name(A, '.png'), name(B, '.jpeg'), name(C, '.png')
    files = content(tmp_path / 'out')
    assert files.keys() == {a, b, c, 'manifest.csv', 'cleansing.csv'}
    assert (files[a], files[b], files[c]) == (png(0), png(1), png(2))
    records = {(r.image_path, r.diagnosis): r for r in read_manifest(tmp_path / 'out/manifest.csv')}
    patient = IDENTITY.patient('山田')
    assert records[a, 'HCC'] == Record(
        a, patient, IDENTITY.study('山田', 'study 1'), 45, 'M', 'HCC', (1, 2, 3, 4), 0.5, True, True
    )
    assert records[a, 'cyst'].box == (0, 0, 3, 4)
    assert records[b, None] == Record(b, IDENTITY.patient('suzuki'), fully_annotated=False)
    assert records[c, None] == Record(c, '')
    (decision,) = read_decisions(tmp_path / 'out/cleansing.csv')
    assert decision.image_path == name('x/no.png', '.png')


def test_order_of_the_rows_does_not_tell_the_order_of_the_names(tmp_path):
    (tmp_path / 'source').mkdir()
    records = killed_records()
    for record in records:
        (tmp_path / 'source' / record.image_path).write_bytes(png())
    decisions = [Decision(f'{i}.png', 'import', 'flagged', 'why') for i in range(12)]
    run(tmp_path / 'source', tmp_path / 'out', records, decisions)
    names = [row.image_path for row in read_manifest(tmp_path / 'out/manifest.csv')]
    assert names == sorted(names)
    decided = read_decisions(tmp_path / 'out/cleansing.csv')
    assert [row.image_path for row in decided] == sorted(names)


def test_no_name_of_the_source_reaches_the_output(source, tmp_path):
    noted_png(source / 'x/no.png')
    records = [*RECORDS, Record('x/no.png', 'Patient Zero', 'Study One')]
    twin = Decision(A, 'import', 'flagged', 'looks twice', 1, '', 'x/no.png')
    out = tmp_path / 'out'
    run(source, out, records, [twin], strip_metadata=True)
    secrets = ['山田', 'a 1.', 'suzuki', 'jiro', 'b.jpeg', 'IM0001', 'no.png', 'Patient Zero',
               'study 1', 'Study One', 'SECRETNAME', str(source), str(tmp_path)]  # fmt: skip
    found = [p for p in out.rglob('*') if p.is_file()]
    assert len(found) > 5
    for path in found:
        inner, held = str(path.relative_to(out)), path.read_bytes()
        for secret in secrets:
            assert secret not in inner, secret
            assert not any(secret.encode(e) in held for e in ENCODINGS), secret


def test_text_in_images_is_flagged_or_taken_out(source, tmp_path):
    noted_png(source / A)
    held = (source / A).read_bytes()
    a = name(A, '.png')
    run(source, tmp_path / 'kept')
    assert (tmp_path / 'kept' / a).read_bytes() == held
    run(source, tmp_path / 'clean', strip_metadata=True, link=True)
    assert b'SECRET' not in (tmp_path / 'clean' / a).read_bytes()
    assert (cv2.imread(str(tmp_path / 'clean' / a)) == 7).all()
    assert (source / A).read_bytes() == held
    assert decided(tmp_path / 'kept', a) == [('metadata', 'flagged')]
    assert decided(tmp_path / 'clean', a) == [('metadata', 'cleaned')]


def test_image_that_cannot_be_stripped_is_left_out(source, tmp_path):
    (source / B).write_bytes(b'\xff\xd8\xffSECRETNAME')
    out = tmp_path / 'out'
    run(source, out)  # damaged: left to the cleansing
    assert name(B, '.jpeg') in content(out)
    run(source, out, strip_metadata=True)
    b = name(B, '.jpeg')
    assert b not in content(out)
    assert b not in {r.image_path for r in read_manifest(out / 'manifest.csv')}
    assert decided(out, b) == [('metadata', 'left out')]


def test_other_formats_become_png_where_text_is_taken_out(source, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 65536, (8, 9), np.uint16)
    Image.fromarray(pixels).save(source / 'x/t.tiff', description='SECRETNAME')
    out = tmp_path / 'out'
    run(source, out, [Record('x/t.tiff')], ())
    assert name('x/t.tiff', '.tiff') in content(out)
    run(source, out, [Record('x/t.tiff')], (), strip_metadata=True)
    assert content(out).keys() == {name('x/t.tiff', '.png'), 'manifest.csv', 'cleansing.csv'}
    assert (cv2.imread(str(out / name('x/t.tiff', '.png')), cv2.IMREAD_UNCHANGED) == pixels).all()
    assert read_manifest(out / 'manifest.csv')[0].image_path == name('x/t.tiff', '.png')


def test_links_share_the_file_and_copies_do_not(source, tmp_path):
    run(source, tmp_path / 'linked', link=True)
    run(source, tmp_path / 'copied')
    a = name(A, '.png')
    assert (tmp_path / 'linked' / a).samefile(source / A)
    assert not (tmp_path / 'copied' / a).samefile(source / A)
    assert content(tmp_path / 'linked') == content(tmp_path / 'copied')


def test_link_replaces_another_file(source, tmp_path):
    out = tmp_path / 'out'
    run(source, out)
    (out / name(A, '.png')).write_bytes(b'damaged')
    run(source, out, link=True)
    assert (out / name(A, '.png')).samefile(source / A)
    assert not (out / name(B, '.jpeg')).samefile(source / B)  # equal, left alone


def test_link_across_file_systems_is_a_copy(source, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(18, 'Invalid cross-device link')

    monkeypatch.setattr(copying.Path, 'hardlink_to', refuse)
    run(source, tmp_path / 'linked', link=True)
    monkeypatch.undo()
    run(source, tmp_path / 'copied')
    assert content(tmp_path / 'linked') == content(tmp_path / 'copied')


def test_run_again_leaves_equal_files_alone_and_mends_others(source, tmp_path):
    out = tmp_path / 'out'
    run(source, out)
    before = content(out)
    a, b = name(A, '.png'), name(B, '.jpeg')
    (out / b).write_bytes(b'damaged')
    inode = (out / a).stat().st_ino
    run(source, out)
    assert content(out) == before and (out / a).stat().st_ino == inode


def test_images_that_are_left_out_now_are_removed(source, tmp_path):
    out = tmp_path / 'out'
    run(source, out)
    dropped = Decision(RECORDS[0].image_path, 'import', 'left out', 'on request')
    run(source, out, RECORDS[2:], (dropped,))
    assert name(A, '.png') not in content(out)
    assert len(read_manifest(out / 'manifest.csv')) == 2


def test_decisions_of_an_earlier_run_do_not_stay(source, tmp_path):
    out = tmp_path / 'out'
    run(source, out)
    run(source, out, [*RECORDS, Record('x/no.png')], ())
    assert not (out / 'cleansing.csv').exists()


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from mmdet_liver.preparation.importers import import_folder as module
from test_import_folder import IDENTITY, killed_records, run
place, left = module.copy_image, [{after}]
def dying(*args):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return place(*args)
module.copy_image = dying
run(Path({source!r}), Path({out!r}), killed_records(), ())
"""


def killed_records():
    return [Record(f'{i}.png', f'patient {i}') for i in range(12)]


@pytest.mark.parametrize('after', [0, 5, 11])
def test_killed_and_run_again_ends_with_the_same_bytes(tmp_path, after):
    source, out = tmp_path / 'source', tmp_path / 'out'
    source.mkdir()
    for i in range(12):
        (source / f'{i}.png').write_bytes(png(i))
    run(source, tmp_path / 'undisturbed', killed_records(), ())
    script = KILLED.format(
        folder=str(Path(__file__).parent),
        after=after,
        source=str(source),
        out=str(out),  # noqa: PTH120
    )
    done = subprocess.run([sys.executable, '-c', script], capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(content(out)) == after and not (out / 'manifest.csv').exists()
    (out / 'images').mkdir(exist_ok=True)
    (out / 'images/.partial-x.png').write_bytes(b'half')
    run(source, out, killed_records(), ())
    assert content(out) == content(tmp_path / 'undisturbed')


def test_unreadable_file_is_one_line_and_loses_nothing(source, tmp_path):
    out = tmp_path / 'out'
    run(source, out)
    (source / B).unlink()
    with pytest.raises(InputError, match='b.jpeg: found No such file'):
        run(source, out)
    assert name(A, '.png') in content(out) and not (out / 'manifest.csv').exists()


def test_patient_from_the_path(source, tmp_path):
    pattern = re.compile(r'_(\w+)/')
    run(source, tmp_path / 'out', patient_from=pattern)
    patients = {r.image_path: r.patient_id for r in read_manifest(tmp_path / 'out/manifest.csv')}
    assert patients == {
        name(A, '.png'): IDENTITY.patient('山田'),
        # Named by the export already.
        name(B, '.jpeg'): IDENTITY.patient('suzuki'),
        name(C, '.png'): IDENTITY.patient('jiro'),
    }


def test_patient_pattern_that_never_matches(source, tmp_path):
    with pytest.raises(InputError, match='no match in any of the paths'):
        run(source, tmp_path / 'out', RECORDS[3:], patient_from=re.compile('(P[0-9]+)'))


def another_key(source, out):
    run(source, out, identity=OTHER_KEY)
    return 'images of another import'


def another_source(source, out):
    (source / 'other.png').write_bytes(png())
    run(source, out, [Record('other.png')], ())
    return 'images of another import'


def foreign_manifest(source, out):
    out.mkdir()
    write_manifest(out / 'manifest.csv', [Record('images/P1/a.png', 'P1')])
    return '1 images of another import (images/P1/a.png)'


def foreign_image(source, out):
    (out / 'images').mkdir(parents=True)
    (out / 'images/a.png').write_bytes(b'')
    return '1 images of another import (a.png)'


@pytest.mark.parametrize(
    'fill', [another_key, another_source, foreign_manifest, foreign_image], ids=lambda f: f.__name__
)
def test_folder_of_another_import_is_refused_and_stays(source, tmp_path, fill):
    out = tmp_path / 'out'
    named = fill(source, out)
    before = content(out)
    with pytest.raises(InputError) as error:
        run(source, out)
    assert named in str(error.value) and content(out) == before


def two_patients(source):
    return [*RECORDS, Record(B, 'p2')], 'patient_id'


def link_out(source):
    outside = source.parent / 'outside.png'
    outside.write_bytes(png())
    (source / 'out.png').symlink_to(outside)
    return [Record('out.png')], 'a link that leads out'


def way_out(source):
    return [Record('../outside.png')], "the path '../outside.png'"


def no_records(source):
    return [], 'no image'


def no_image(source):
    (source / 'notes').write_text('text')
    return [Record('notes')], 'a file that is no image'


@pytest.mark.parametrize(
    'make', [two_patients, link_out, way_out, no_records, no_image], ids=lambda f: f.__name__
)
def test_bad_records_are_one_line(source, tmp_path, make):
    records, named = make(source)
    with pytest.raises(InputError) as error:
        run(source, tmp_path / 'out', records, ())
    assert named in str(error.value) and '\n' not in str(error.value)
    assert not (tmp_path / 'out/manifest.csv').exists()


def test_link_inside_the_folder_is_followed(source, tmp_path):
    (source / 'in.png').symlink_to(source / A)
    run(source, tmp_path / 'out', [Record('in.png')], (), link=True)
    placed = tmp_path / 'out' / name('in.png', '.png')
    assert placed.read_bytes() == png(0) and not placed.is_symlink()


@pytest.mark.parametrize('out', ['source', 'source/out', '.'])
def test_source_and_out_must_lie_apart(source, tmp_path, out):
    with pytest.raises(InputError, match='one apart'):
        run(source, tmp_path / out)


def test_source_that_is_no_folder(source, tmp_path):
    shutil.rmtree(source)
    with pytest.raises(InputError, match='no such folder'):
        run(source, tmp_path / 'out')
