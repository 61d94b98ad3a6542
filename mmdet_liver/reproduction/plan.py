"""From a grid to its jobs: what each depends on, and where it works.

OUT/data/fold0/                     annotations of the fold (with folds)
OUT/fold0/pretraining/NAME/seed0/   shared by the arms that start from it
OUT/fold0/ARM/seed0/                train, val, test, report, logs

A job is a folder of steps that run one after the other. Its `inputs` is a hash of all that
decides its numbers: configs with their options merged in, the data, the seed, and the
inputs of the pretraining. Where files lie plays no part.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdet_liver.errors import input_error
from mmdet_liver.files import file_sha256
from mmdet_liver.reproduction.configs import (
    DATA_VARIABLE,
    epoch_options,
    flat_options,
    load_config,
)
from mmdet_liver.reproduction.folds import write_folds
from mmdet_liver.reproduction.grid import Grid, Training, resolved_config
from mmdet_liver.reproduction.steps import (
    TEST,
    TRAIN,
    VAL,
    Configured,
    Step,
    arm_steps,
    pretraining_steps,
)

PRETRAINING, ARM = 'pretraining', 'arm'


@dataclass(frozen=True)
class Job:
    """A pretraining, or the training of one arm with its tests, on one fold with one seed."""

    kind: str  # PRETRAINING or ARM
    name: str
    fold: int
    seed: int
    folder: Path
    data: Path
    inputs: str
    steps: tuple[Step, ...]
    needs: Path | None = None  # folder of the job that must be done before
    lacks: str = ''  # the checkpoint it starts from, if that is not there; `inputs` is then void

    @property
    def label(self) -> str:
        return f'{self.name}, fold {self.fold}, seed {self.seed}'

    @property
    def environment(self) -> dict[str, str]:
        return {DATA_VARIABLE: f'{self.data}/'}


def make_plan(grid: Grid, out: Path, tools: Path) -> list[Job]:
    """All jobs in the order in which they should run, each after what it needs.

    Seed by seed, so that the first tables of all folds and arms come early. With folds
    their annotation files are written.

    Args:
        tools: folder of train.py, test.py, pretrain.py and evaluate.py.
    Raises:
        InputError: for data or configs that are missing or do not fit.
    """
    folders = data_folders(grid, out)
    jobs: dict[Path, Job] = {}
    for seed in grid.seeds:
        for fold, data in enumerate(folders):
            place = _Place(grid, out / f'fold{fold}', data, fold, seed, tools)
            for job in place.jobs():
                jobs.setdefault(job.folder, job)
    return list(jobs.values())


def data_folders(grid: Grid, out: Path) -> list[Path]:
    """The data folder of each fold; the files of folds are written."""
    root = Path(grid.data.root)
    if not (root / 'annotations').is_dir():
        raise input_error(
            f'{grid.path}, data, root',
            f'no folder {root}/annotations',
            'a prepared data set',
            'prepare one with tools/prepare_data.py',
        )
    if grid.data.folds is None:
        return [root.resolve()]
    wanted = (grid.data.folds, grid.data.val_share, grid.data.fold_seed)
    return [folder.resolve() for folder in write_folds(root, out / 'data', *wanted)]


@dataclass(frozen=True)
class _Place:
    # One fold and seed; `folder` is that of the fold.
    grid: Grid
    folder: Path
    data: Path
    fold: int
    seed: int
    tools: Path

    def jobs(self) -> Iterable[Job]:
        for name, arm in self.grid.arms.items():
            source = None
            if arm.pretraining and self.grid.pretraining[arm.pretraining].config:
                source = self._pretraining(arm.pretraining)
                yield source
            yield self._arm(name, source)

    def _pretraining(self, name: str) -> Job:
        folder = self.folder / 'pretraining' / name / f'seed{self.seed}'
        part = self._configured(self.grid.pretraining[name], {}, folder)
        inputs = self._inputs(part, [part.ann_file(TRAIN)])
        return self._job(PRETRAINING, name, folder, inputs, pretraining_steps(part))

    def _arm(self, name: str, source: Job | None) -> Job:
        arm, folder = self.grid.arms[name], self.folder / name / f'seed{self.seed}'
        known = self.grid.pretraining.get(arm.pretraining)
        checkpoint = known.checkpoint if known else None
        lacks = checkpoint if checkpoint and not Path(checkpoint).is_file() else ''
        started_from = file_sha256(checkpoint) if checkpoint and not lacks else lacks
        if source is not None:
            checkpoint, started_from = str(source.folder / TRAIN), source.inputs
        shared = {'model.backbone.init_cfg.type': 'SelfSupPretrained'} if checkpoint else {}
        part = self._configured(arm, {**self.grid.cfg_options, **shared}, folder)
        files = [part.ann_file(TRAIN), part.truth(VAL), part.truth(TEST)]
        inputs = self._inputs(part, files, started_from)
        steps = arm_steps(part, checkpoint, self.grid.resamples, self.grid.group_by)
        return self._job(ARM, name, folder, inputs, steps, source and source.folder, lacks)

    def _job(
        self, kind: str, name: str, folder: Path, inputs: str, steps: tuple[Step, ...],
        needs: Path | None = None, lacks: str = '',
    ) -> Job:  # fmt: skip
        return Job(kind, name, self.fold, self.seed, folder, self.data, inputs, steps, needs, lacks)

    def _configured(self, part: Training, shared: Mapping[str, Any], folder: Path) -> Configured:
        config = resolved_config(part.config)
        options = {**flat_options(shared), **flat_options(part.cfg_options)}
        if part.epochs is not None:
            options = {**epoch_options(load_config(config, options), part.epochs), **options}
        # To go on from; more would fill a disk. Not 1: MMEngine deletes the old one before it
        # has written the new one.
        options |= {
            'randomness.seed': self.seed,
            'default_hooks.checkpoint.max_keep_ckpts': 2,
        }
        resolved = load_config(config, options)
        is_fold = self.grid.data.folds is not None
        return Configured(config, options, resolved, folder, self.data, self.tools, is_fold)

    def _inputs(self, part: Configured, files: list, started_from: str = '') -> str:
        parts = {
            'config': part.resolved.to_dict(),
            'data': _contents([self.data / name for name in files]),
            'started_from': started_from,
        }
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def _contents(files: list[Path]) -> dict[str, str]:
    # By name; by place in the list as well where names are equal, as in train/labels.json and
    # test/labels.json, or all but the last would play no part.
    names = [file.name for file in files]
    if len(set(names)) < len(set(files)):
        names = [f'{i}: {name}' for i, name in enumerate(names)]
    return {name: _sha256(file) for name, file in zip(names, files, strict=True)}


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise input_error(path, 'no such file', 'annotations', 'make it first, or correct its name')
    return file_sha256(path)
