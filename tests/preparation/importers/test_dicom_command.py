"""The subcommand as the import tool calls it."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest
from dicom_files import dataset, grey_picture, save

from mmdet_liver.errors import InputError
from mmdet_liver.preparation.importers.dicom import command, importing
from mmdet_liver.preparation.importers.identity import Identity
from mmdet_liver.preparation.manifest import read_manifest

KEY = Identity(b'key')


def parse(*argv):
    parser = argparse.ArgumentParser()
    parser.add_argument('source', type=Path)
    parser.add_argument('--out', type=Path)
    parser.add_argument('--workers', type=int, default=1)
    command.add_arguments(parser)
    return parser.parse_args([str(argument) for argument in argv])


def test_a_folder_is_imported(tmp_path):
    save(tmp_path / 'export/a', dataset([grey_picture()], Modality='OT'))
    out = tmp_path / 'raw'
    command.run(parse(tmp_path / 'export', '--out', out, '--modality', 'OT'), KEY)
    assert len(read_manifest(out / 'manifest.csv')) == 1


def test_options_reach_the_import(monkeypatch, capsys):
    given = []
    nothing = importing.DicomImport([], burned_in={'yes': 2})
    monkeypatch.setattr(importing, 'import_dicom', lambda *args: given.append(args) or nothing)
    argv = ['in', '--out', 'out', '--workers', 2, '--frame-step', 5, '--annotations', 'a.csv']
    argv += ['--keep-marks', '--skip-unreadable', '--include-unlisted', '--column', 'diagnosis=Dx']
    command.run(parse(*argv, '--value', 'diagnosis:x=HCC'), KEY)
    ((source, out, identity, options),) = given
    assert (source, out, identity) == (Path('in'), Path('out'), KEY)
    assert (options.frame_step, options.workers, options.annotations) == (5, 2, Path('a.csv'))
    assert options.keep_marks and options.skip_unreadable and options.include_unlisted
    assert options.columns == {'diagnosis': 'Dx'} and options.modalities == ('US',)
    assert capsys.readouterr().err.endswith('headers of the files: 2 yes\n')
    assert options.vocabulary.read_diagnoses(['x'], '') == {'x': 'HCC'}


@pytest.mark.parametrize('missing', ['pydicom', 'gdcm'])
def test_a_missing_library_is_one_line_with_the_command(monkeypatch, missing):
    def refuse(name, *args):
        if name.partition('.')[0] == missing:
            raise ModuleNotFoundError(f"No module named '{name}'")
        return import_module(name, *args)

    import_module = command.importlib.import_module
    monkeypatch.setattr(command.importlib, 'import_module', refuse)
    with pytest.raises(InputError, match=r"pip install 'mmdet_liver\[dicom\]'") as error:
        command.run(parse('in', '--out', 'out'), KEY)
    assert '\n' not in str(error.value)


def test_help_needs_no_pydicom():
    # The subcommands of the tool are listed on every machine.
    code = (
        'import sys; sys.modules["pydicom"] = sys.modules["gdcm"] = None; import argparse; '
        'from mmdet_liver.preparation.importers.dicom import command; '
        'parser = argparse.ArgumentParser(); command.add_arguments(parser); parser.format_help(); '
        'sys.exit("torch" in sys.modules)'
    )
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0
