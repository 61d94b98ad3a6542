"""The content of `results.json`: every number of the tables, and the folders it came from.

None stands where a run is missing. Seeds count once all folds of theirs are finished.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mmdet_liver.evaluation.confusion import Scores, precision_recall_f1
from mmdet_liver.evaluation.report.content import SCORES, plain
from mmdet_liver.evaluation.uncertainty.comparison import Difference
from mmdet_liver.evaluation.uncertainty.intervals import LEVEL, interval
from mmdet_liver.evaluation.uncertainty.runs import Reading
from mmdet_liver.reproduction.grid import Grid
from mmdet_liver.reproduction.outcomes import Outcome
from mmdet_liver.reproduction.plan import ARM, Job
from mmdet_liver.reproduction.pooling import Pooled, pool, task_of
from mmdet_liver.reproduction.running import done_marker, missing_steps
from mmdet_liver.reproduction.steps import TRAIN

AP = ('mAP', 'AP50', 'AP75', 'AP_S', 'AP_M', 'AP_L')
Seeds = dict[int, list[Outcome]]  # seed -> outcomes of all folds


def results(grid: Grid, jobs: Sequence[Job], outcomes: Sequence[Outcome], out: Path) -> dict:
    """Everything, as JSON takes it; folders are relative to `out`.

    Raises:
        InputError: as `pool`.
    """
    complete = {name: _complete_seeds(grid, name, outcomes) for name in grid.arms}
    pooled = [_pool(grid, names, complete) for names in _by_task(complete)]
    readings = {name: reading for part in pooled for name, reading in part.arms.items()}
    return plain(
        {
            'grid': grid.path.name,
            'data': {
                'root': Path(grid.data.root).name,
                'folds': grid.data.folds,
                'fold_seed': grid.data.fold_seed,
                'val_share': grid.data.val_share,
            },
            'seeds': grid.seeds,
            'level': LEVEL,
            'resamples': grid.resamples,
            'drawn': [
                {
                    'arms': list(part.arms),
                    'images': part.images,
                    'labels': part.labels,
                    'units': part.units.name,
                    'count': part.units.count,
                    'note': part.units.note,
                }
                for part in pooled
            ],
            'arms': {
                name: _arm(name, jobs, complete[name], readings.get(name)) for name in grid.arms
            },
            'runs': [_run(outcome, out) for outcome in outcomes],
            'missing': [_missing(job, out) for job in jobs if missing_steps(job)],
            'comparisons': [_comparison(pair, complete, pooled) for pair in grid.compare],
        }
    )


def difference(a: np.ndarray, b: np.ndarray) -> Difference:
    """A - B of (1 + R,) values, the first those of the data, the others of resamples."""
    drawn = (a - b)[1:]
    drawn = drawn[~np.isnan(drawn)]
    values = [None if np.isnan(v) else float(v) for v in (a[0], b[0], a[0] - b[0])]
    better = float((drawn > 0).mean()) if len(drawn) else None
    return Difference(*values, interval=interval(drawn), share_a_better=better)


def _complete_seeds(grid: Grid, name: str, outcomes: Sequence[Outcome]) -> Seeds:
    own = [outcome for outcome in outcomes if outcome.job.name == name]
    seeds = {}
    for seed in grid.seeds:
        folds = sorted((o for o in own if o.job.seed == seed), key=lambda o: o.job.fold)
        if len(folds) == grid.folds:
            seeds[seed] = folds
    return seeds


def _by_task(complete: dict[str, Seeds]) -> list[list[str]]:
    # Arms of the same classes, images and lesions are drawn and compared together.
    tasks: dict[tuple, list[str]] = {}
    for name, seeds in complete.items():
        if seeds:
            folds = next(iter(seeds.values()))
            tasks.setdefault(task_of([o.evaluation for o in folds]), []).append(name)
    return list(tasks.values())


def _pool(grid: Grid, names: list[str], complete: dict[str, Seeds]) -> Pooled:
    arms = {n: [[o.evaluation for o in f] for f in complete[n].values()] for n in names}
    pairs = [pair for pair in grid.compare if set(pair) <= set(names)]
    return pool(arms, pairs, grid.group_by, grid.resamples)


def _arm(name: str, jobs: Sequence[Job], seeds: Seeds, reading: Reading | None) -> dict:
    rows = {str(seed): _of_seed(folds) for seed, folds in seeds.items()}
    outcomes = [outcome for folds in seeds.values() for outcome in folds]
    return {
        'finished_seeds': list(seeds),
        'mean': reading and _mean(reading, list(rows.values()), outcomes),
        'seeds': rows,
        'spread': _spread([row['f1'] for row in rows.values()]),
        'confusion_matrix': _mean_of([row['confusion_matrix'] for row in rows.values()]),
        'labels': outcomes[0].evaluation.truth.labels if outcomes else None,
        'training_seconds': _mean_of([outcome.seconds for outcome in outcomes]),
        'pretraining_seconds': _pretraining_seconds(name, jobs),
        'devices': sorted({outcome.device for outcome in outcomes}),
    }


def _mean(reading: Reading, rows: list[dict], outcomes: list[Outcome]) -> dict:
    labels = outcomes[0].evaluation.truth.labels[1:]
    per_class = {
        label: {
            **{score: getattr(reading.scores, score)[0, c] for score in SCORES},
            'f1_interval': interval(reading.scores.f1[1:, c]),
        }
        for c, label in enumerate(labels)
    }
    images = sum(len(o.evaluation.truth.images) for o in outcomes) / len(rows)
    return {
        **{name: _mean_of([row[name] for row in rows]) for name in AP},
        **{score: getattr(reading.mean, score)[0] for score in SCORES},
        'intervals': {score: interval(getattr(reading.mean, score)[1:]) for score in SCORES},
        'per_class': per_class,
        'over_detections_per_image': reading.over_detections[0] / images,
        'score_thrs': sorted({o.evaluation.score_thr for o in outcomes}),
    }


def _of_seed(folds: list[Outcome]) -> dict:
    # One seed's folds as one data set; AP is the mean over folds, as their scores differ.
    matrix = sum(outcome.evaluation.matrix for outcome in folds)
    scores = precision_recall_f1(matrix)
    labels = folds[0].evaluation.truth.labels[1:]
    return {
        **{name: _mean_of([_ap(outcome, name) for outcome in folds]) for name in AP},
        **_by_name(scores.mean(matrix[1:].sum(axis=1) > 0)),
        'per_class': {label: _by_name(_of_class(scores, c)) for c, label in enumerate(labels)},
        'confusion_matrix': matrix,
        'score_thrs': [outcome.evaluation.score_thr for outcome in folds],
    }


def _run(outcome: Outcome, out: Path) -> dict:
    job, evaluation = outcome.job, outcome.evaluation
    return {
        'arm': job.name,
        'fold': job.fold,
        'seed': job.seed,
        'folder': job.folder.relative_to(out).as_posix(),
        'inputs': job.inputs,
        **{name: _ap(outcome, name) for name in AP},
        **_by_name(evaluation.mean),
        'f1_interval': _reported_interval(outcome),
        'score_thr': evaluation.score_thr,
        'val_f1': evaluation.chosen_on.mean.f1,
        'seconds': outcome.seconds,
        'device': outcome.device,
    }


def _reported_interval(outcome: Outcome) -> list | None:
    found = outcome.metrics.get('intervals')
    return found and found['mean']['f1']


def _missing(job: Job, out: Path) -> dict:
    return {
        'job': job.label,
        'kind': job.kind,
        'folder': job.folder.relative_to(out).as_posix(),
        'steps': [step.name for step in missing_steps(job)],
    }


def _comparison(pair: tuple[str, str], complete: dict[str, Seeds], pooled: list[Pooled]) -> dict:
    found = next((part for part in pooled if pair in part.pairs), None)
    return {
        'a': pair[0],
        'b': pair[1],
        'seeds': {'a': list(complete[pair[0]]), 'b': list(complete[pair[1]])},
        'settings': found and {n: _setting(*r, found) for n, r in found.pairs[pair].items()},
    }


def _setting(a: Reading, b: Reading, pooled: Pooled) -> dict:
    def differences(one: Scores, other: Scores) -> dict:
        return {s: asdict(difference(getattr(one, s), getattr(other, s))) for s in SCORES}

    return {
        'mean': differences(a.mean, b.mean),
        'per_class': {
            label: differences(_of_class(a.scores, c), _of_class(b.scores, c))
            for c, label in enumerate(pooled.labels)
        },
        'over_detections_per_image': {
            'a': a.over_detections[0] / pooled.images,
            'b': b.over_detections[0] / pooled.images,
        },
    }


def _pretraining_seconds(name: str, jobs: Sequence[Job]) -> float | None:
    needed = {job.needs for job in jobs if job.name == name and job.kind == ARM}
    done = [job for job in jobs if job.folder in needed and not missing_steps(job)]
    return _mean_of([done_marker(job, TRAIN)['seconds'] for job in done])


def _ap(outcome: Outcome, name: str) -> float | None:
    return outcome.metrics['average_precision']['mean'][name]


def _of_class(scores: Scores, c: int) -> Scores:
    return Scores(*(values[..., c] for values in scores.as_tuple()))


def _by_name(scores: Scores) -> dict:
    return dict(zip(SCORES, scores.as_tuple(), strict=True))


def _mean_of(values: list) -> float | np.ndarray | None:
    known = [value for value in values if value is not None]
    return np.mean(known, axis=0) if known else None


def _spread(values: list) -> float | None:
    return float(np.std(values, ddof=1)) if len(values) > 1 else None
