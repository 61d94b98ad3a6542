"""The steps of a job, each one command: training, both tests, the report."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdet_liver.reproduction.configs import ANYWHERE, as_arguments, lesion_metric

TRAIN, VAL, TEST, REPORT = 'train', 'val', 'test', 'report'
BEST = '{best}'  # stands for the best checkpoint, which has no name before the training


@dataclass(frozen=True)
class Step:
    """One process; `folder` is its work folder."""

    name: str
    command: tuple[str, ...]
    folder: Path
    # The last words of the command, where they decide what it leaves and the job's inputs do
    # not: with others it is run again, and what was trained stays.
    settings: tuple[str, ...] = ()

    def shell_line(self, environment: Mapping[str, str]) -> str:
        """The command for a shell; a pattern finds the best checkpoint."""
        trained = shlex.quote(str(self.folder.parent / TRAIN))
        words = [f'{key}={shlex.quote(value)}' for key, value in environment.items()]
        words += [f'{trained}/best_*.pth' if w == BEST else shlex.quote(w) for w in self.command]
        return ' '.join(words)


@dataclass(frozen=True)
class Configured:
    """A config with all its options, to be worked with in `folder` on `data`."""

    config: Path
    options: dict[str, Any]
    resolved: Any  # the config with the options merged in
    folder: Path
    data: Path
    tools: Path  # folder of train.py, test.py, pretrain.py and evaluate.py
    is_fold: bool  # whose files are train.json, val.json and test.json, whatever the config says

    def truth(self, split: str) -> Path:
        """Ground truth that `split` is scored on.

        Raises:
            InputError: if the config has no `LesionF1Metric` for it.
        """
        _, name = lesion_metric(self.resolved, f'{split}_evaluator', self.config)
        name = f'annotations/{split}.json' if self.is_fold else name.removeprefix(ANYWHERE)
        return self.data / name

    def ann_file(self, split: str) -> str:
        """Annotations of a loader, below the data folder; its data set may be wrapped."""
        if self.is_fold:
            return f'annotations/{split}.json'
        dataset = self.resolved[f'{split}_dataloader']['dataset']
        while 'ann_file' not in dataset and 'dataset' in dataset:
            dataset = dataset['dataset']
        return dataset.get('ann_file', f'annotations/{split}.json').removeprefix(ANYWHERE)


def pretraining_steps(part: Configured) -> tuple[Step, ...]:
    """One step."""
    return (_training(part, 'pretrain.py', part.options),)


def arm_steps(
    part: Configured, checkpoint: str | None, resamples: int, group_by: str | None
) -> tuple[Step, ...]:
    """Training, val, test and report of a detector.

    Args:
        checkpoint: file or work folder that its backbone starts from; None: the config's.
    """
    options = dict(part.options)
    if checkpoint is not None:
        options['model.backbone.init_cfg.checkpoint'] = checkpoint
    return (
        _training(part, 'train.py', options),
        _test(part, VAL),
        _test(part, TEST),
        _report(part, resamples, group_by),
    )


def _training(part: Configured, script: str, options: Mapping[str, Any]) -> Step:
    folder = part.folder / TRAIN
    words = ['--work-dir', str(folder), '--resume', '--cfg-options', *as_arguments(options)]
    return Step(TRAIN, _command(part, script, *words), folder)


def _test(part: Configured, split: str) -> Step:
    folder = part.folder / split
    i, _ = lesion_metric(part.resolved, 'test_evaluator', part.config)
    metric = f'test_evaluator.{i}'
    # Intervals, and the threshold's part in them, are the report's.
    options = {
        **part.options,
        f'{metric}.out_dir': str(folder),
        f'{metric}.resamples': 0,
        f'{metric}.ann_file': str(part.truth(split)),
        'test_dataloader.dataset.ann_file': part.ann_file(split),
    }
    if split == TEST:
        options[f'{metric}.score_thr'] = str(part.folder / VAL / 'metrics.json')
    words = [BEST, '--work-dir', str(folder), '--cfg-options', *as_arguments(options)]
    return Step(split, _command(part, 'test.py', *words), folder)


def _report(part: Configured, resamples: int, group_by: str | None) -> Step:
    folder = part.folder / REPORT
    truths = {split: str(part.truth(split)) for split in (VAL, TEST)}
    found = {split: str(part.folder / split / 'results.json') for split in (VAL, TEST)}
    words = [truths[TEST], found[TEST], '--choose-thr-on', truths[VAL], found[VAL]]
    words += ['--out-dir', str(folder), '--image-root', str(part.data / 'images')]
    if part.resolved['test_dataloader']['dataset'].get('single_class'):
        words.append('--single-class')
    settings = ('--resamples', str(resamples), *(('--group-by', group_by) if group_by else ()))
    script = str(part.tools / 'evaluate.py')
    return Step(REPORT, (sys.executable, script, *words, *settings), folder, settings)


def _command(part: Configured, script: str, *words: str) -> tuple[str, ...]:
    return (sys.executable, str(part.tools / script), str(part.config), *words)
