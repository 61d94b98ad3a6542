"""An import that was killed and is run again ends with the bytes of one that was not."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dicom_files import KEY, dataset, grey_picture, region, save, save_jpeg, tree

from mmdet_liver.preparation.importers.dicom import frames
from mmdet_liver.preparation.importers.dicom.importing import import_dicom
from mmdet_liver.preparation.importers.dicom.options import DicomOptions

OPTIONS = DicomOptions(frame_step=2)


@pytest.fixture
def source(tmp_path):
    """Three clips of 4 frames and an image; 7 images come of them."""
    for i in range(3):
        clip = [grey_picture(80, 60, seed=4 * i + k, top=256) for k in range(4)]
        regions = [region((0, 0, 80, 60))]
        save_jpeg(tmp_path / f'export/{i}', clip, SequenceOfUltrasoundRegions=regions)
    save(tmp_path / 'export/still', dataset([grey_picture(80, 60)]))
    return tmp_path / 'export'


def run_and_be_killed(source, out, moment, count):
    script = Path(__file__).with_name('dicom_killed.py')
    done = subprocess.run(
        [sys.executable, script, source, out, moment, str(count)], capture_output=True, text=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (out / 'manifest.csv').exists()


@pytest.mark.parametrize(
    'moments',
    [
        pytest.param([('after_image', 2)], id='between the frames of a clip'),
        pytest.param([('within_image', 4)], id='within an image'),
        pytest.param([('within_journal', 2)], id='within a line of the journal'),
        pytest.param([('before_tables', 1)], id='before the tables'),
        pytest.param([('within_image', 2), ('after_image', 3)], id='twice'),
    ],
)
def test_the_bytes_are_those_of_an_undisturbed_run(source, tmp_path, moments):
    out = tmp_path / 'raw'
    for moment, count in moments:
        run_and_be_killed(source, out, moment, count)
    import_dicom(source, out, KEY, OPTIONS)
    import_dicom(source, tmp_path / 'undisturbed', KEY, OPTIONS)
    assert tree(out) == tree(tmp_path / 'undisturbed')
    assert len(list(out.glob('images/*/*.png'))) == 7


def test_files_that_were_done_are_not_done_again(source, tmp_path, monkeypatch):
    out = tmp_path / 'raw'
    run_and_be_killed(source, out, 'within_journal', 4)  # two files are done, one nearly
    written, write = [], frames._write_png
    monkeypatch.setattr(frames, '_write_png', lambda *args: (written.append(args), write(*args)))
    import_dicom(source, out, KEY, OPTIONS)
    images = [path for path, _ in written if 'images' in path.parts]
    assert 2 <= len(images) <= 4
