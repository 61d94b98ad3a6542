"""What becomes of files and rows that are not as they should be, through the tool."""

import csv
import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.manifest import read_manifest, write_manifest
from mmdet_liver.preparation.phantom.export import make_phantom

TOOL = Path(__file__).parents[2] / 'tools/prepare_data.py'


@pytest.fixture(scope='module')
def main():
    spec = importlib.util.spec_from_file_location('prepare_data_tool', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture(scope='module')
def phantom(tmp_path_factory):
    folder = tmp_path_factory.mktemp('phantom')
    make_phantom(folder, patients=10, seed=5)
    return folder


class Export:
    """A few unlike images of unlike patients; each may be given a file of another kind."""

    def __init__(self, phantom, folder):
        self.folder, self.records = folder, []
        seen = set()
        for record in read_manifest(phantom / 'manifest.csv'):
            if record.diagnosis and record.patient_id not in seen:
                seen.add(record.patient_id)
                path = f'images/{len(seen):02d}.png'
                image = cv2.imread(str(phantom / record.image_path), cv2.IMREAD_GRAYSCALE)
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(folder / path), image)
                self.records.append(replace(record, image_path=path))

    def put(self, name, write, index=0, **columns):
        """Give a record another file."""
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        old = cv2.imread(str(self.folder / self.records[index].image_path), 0)
        write(old, self.folder / name)
        self.records[index] = replace(self.records[index], image_path=name, **columns)
        return old

    def run(self, main, *options):
        write_manifest(self.folder / 'manifest.csv', self.records)
        out = self.folder.parent / 'out'
        argv = [str(self.folder / 'manifest.csv'), '--out', str(out), '--min-side', '0']
        main([*argv, '--max-pages', '0', *options])
        return out


@pytest.fixture
def export(phantom, tmp_path):
    return Export(phantom, tmp_path / 'raw')


def rows(out):
    with (out / 'cleansing.csv').open(newline='') as file:
        return [
            (r['image_path'], r['step'], r['action'], r['reason']) for r in csv.DictReader(file)
        ]


def images(out):
    found = {}
    for path in (out / 'annotations').iterdir():
        coco = json.loads(path.read_text())
        found |= {i['file_name']: (i, coco['info']['split']) for i in coco['images']}
    return found


def turned(old, path):
    image = Image.fromarray(np.rot90(old).copy())
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(path, exif=exif)


def test_sixteen_bits_and_exif_are_written_anew(main, export):
    sixteen = export.put('a.png', lambda old, p: cv2.imwrite(str(p), old.astype(np.uint16) * 257))
    upright = export.put('b.jpg', turned, 1)
    out = export.run(main, '--skip', 'marks', 'near-duplicates')
    assert [r[:3] for r in rows(out)] == [
        ('a.png', 'format', 'converted'),
        ('b.jpg', 'format', 'converted'),
    ]
    assert np.array_equal(cv2.imread(str(out / 'images/a.png'), -1), sixteen)
    found = cv2.imread(str(out / 'images/b.png'), -1)
    assert found.shape == upright.shape
    assert np.abs(found.astype(int) - upright).mean() < 3  # it was a JPEG
    image, _ = images(out)['b.png']
    assert (image['width'], image['height']) == upright.shape[::-1]


@pytest.mark.parametrize(
    'name, write',
    [
        pytest.param(
            'a b\'s "ü".png', lambda old, p: Image.fromarray(old).save(p), id='spaces and quotes'
        ),
        pytest.param(
            '肝臓/エコー 1.png', lambda old, p: Image.fromarray(old).save(p), id='Japanese'
        ),
        pytest.param(
            'p.png', lambda old, p: Image.fromarray(old).quantize(64).save(p), id='palette'
        ),
        pytest.param(
            'c.png',
            lambda old, p: Image.fromarray(np.dstack([old, old, old, old // 2])).save(p),
            id='RGBA',
        ),
    ],
)
def test_left_byte_for_byte(main, export, name, write):
    export.put(name, write)
    out = export.run(main, '--skip', 'marks', 'near-duplicates')
    assert (out / 'images' / name).read_bytes() == (export.folder / name).read_bytes()
    assert name in images(out) and not rows(out)


def test_a_frame_beyond_any_scanner_is_left_out(main, export):
    export.put('wide.png', lambda old, p: Image.new('L', (60_000, 1_000)).save(p))
    out = export.run(main, '--skip', 'size', 'marks', 'near-duplicates')
    assert rows(out)[0][:3] == ('wide.png', 'size', 'left out')
    assert '60000x1000' in rows(out)[0][3] and 'wide.png' not in images(out)


def cut(old, path):
    Image.fromarray(old).save(path)
    path.write_bytes(path.read_bytes()[:-2000])


def test_damaged_files_end_the_run_all_named_or_are_left_out(main, export):
    export.put('x.png', cut)
    export.put('y.png', cut, 1)
    with pytest.raises(InputError, match=r'x.png: found .*and 1 more such files.*--skip-unr'):
        export.run(main)
    listed = (export.folder.parent / 'out/unreadable.csv').read_text()
    assert 'x.png' in listed and 'y.png' in listed
    out = export.run(main, '--skip-unreadable', '--skip', 'marks', 'near-duplicates')
    assert [r[:3] for r in rows(out)] == [
        ('x.png', 'readable', 'left out'),
        ('y.png', 'readable', 'left out'),
    ]
    assert not (out / 'unreadable.csv').exists() and len(images(out)) == len(export.records) - 2


def test_a_link_out_of_the_folder_is_refused(main, export, tmp_path):
    outside = tmp_path / 'secret.png'
    outside.write_bytes((export.folder / export.records[0].image_path).read_bytes())
    export.put('link.png', lambda old, p: p.symlink_to(outside))
    with pytest.raises(InputError, match="'link.png', a link that leads out"):
        export.run(main)
    assert not (tmp_path / 'out').exists()


def test_a_link_inside_the_folder_is_an_image(main, export):
    target = export.folder / export.records[0].image_path
    export.put('link.png', lambda old, p: p.symlink_to(target))
    out = export.run(main, '--skip', 'marks', 'near-duplicates')
    placed = out / 'images/link.png'
    assert placed.read_bytes() == target.read_bytes() and not placed.is_symlink()


def test_a_path_that_climbs_out_is_refused(main, export):
    export.run(main)
    manifest = export.folder / 'manifest.csv'
    manifest.write_text(manifest.read_text().replace('images/01.png', '../raw/images/01.png'))
    with pytest.raises(InputError, match="line 2, column image_path: found '../raw"):
        main([str(manifest), '--out', str(export.folder.parent / 'out')])


def test_one_image_of_two_patients_goes_to_train_and_to_a_person(main, export):
    first, second = export.records[:2]
    copy = (export.folder / first.image_path).read_bytes()
    (export.folder / second.image_path).write_bytes(copy)
    export.records[1] = replace(second, diagnosis=first.diagnosis, box=first.box)
    out = export.run(main, '--skip', 'marks')
    doubted = [r for r in rows(out) if r[2] == 'train only']
    assert [r[0] for r in doubted] == [first.image_path, second.image_path]
    assert 'one file under 2 patients' in doubted[0][3]
    assert {images(out)[r[0].removeprefix('images/')][1] for r in doubted} == {'train'}


def test_a_row_twice_is_named(main, export):
    export.records.append(export.records[0])
    with pytest.raises(InputError, match=f'row {len(export.records)}: found row 1 again'):
        export.run(main)


def test_splitting_by_image_needs_two_words(main, export, capsys):
    for option in ('--by-image', '--allow-leak'):
        with pytest.raises(SystemExit) as stop:
            export.run(main, option)
        assert stop.value.code == 2 and '--allow-leak' in capsys.readouterr().err
    export.records = [replace(r, patient_id='one') for r in export.records]
    with pytest.raises(InputError, match='1 that may go into any split'):
        export.run(main)
    out = export.run(main, '--by-image', '--allow-leak', '--ratios', '1', '1', '1')
    assert {split for _, split in images(out).values()} == {'train', 'val', 'test'}
    content = json.loads((out / 'annotations/train.json').read_text())
    assert content['info']['split_by'] == 'image'


def test_unknown_patients_stay_unknown(main, export):
    export.records = [replace(r, patient_id='', study_id='') for r in export.records]
    out = export.run(main)
    assert all('patient_id' not in image for image, _ in images(out).values())


def test_a_review_for_another_manifest_is_refused(main, export, tmp_path):
    (tmp_path / 'r.csv').write_text('image_path,decision\nelsewhere.png,keep\n')
    with pytest.raises(InputError, match=r'elsewhere\.png'):
        export.run(main, '--review', str(tmp_path / 'r.csv'))


def test_what_a_person_leaves_out_is_out_and_its_file_too(main, export, tmp_path):
    out = export.run(main, '--skip', 'marks', 'near-duplicates')
    gone = export.records[0].image_path
    assert (out / gone).exists()
    (tmp_path / 'r.csv').write_text(f'image_path,decision\n{gone},leave out\n')
    export.run(main, '--skip', 'marks', 'near-duplicates', '--review', str(tmp_path / 'r.csv'))
    assert not (out / gone).exists() and rows(out)[0][:3] == (gone, 'review', 'left out')


def test_linked_images_share_their_bytes_and_nothing_else_changes(main, export):
    out = export.run(main, '--skip', 'marks', 'near-duplicates', '--link')
    source = export.folder / export.records[0].image_path
    mode = source.stat().st_mode
    assert (out / export.records[0].image_path).samefile(source)
    export.run(main, '--skip', 'marks', 'near-duplicates', '--link', '--seed', '3')
    assert source.stat().st_mode == mode and source.stat().st_nlink == 2


def test_two_records_cannot_get_one_name(main, export):
    export.put('c/a.png', lambda old, p: Image.fromarray(old).save(p))
    export.put('c/a.jpg', turned, 1)
    out = export.run(main, '--skip', 'marks', 'near-duplicates')
    assert {'c/a.png', 'c/a.jpg.png'} <= images(out).keys()
