"""The tables of `results.md` and `results.html`: headings and cells as text."""

from collections.abc import Sequence
from dataclasses import dataclass

from mmdet_liver.evaluation.uncertainty.comparison import (
    AT_OVER_DETECTIONS_OF_A,
    AT_OVER_DETECTIONS_OF_B,
)
from mmdet_liver.pages.rendering import score, signed
from mmdet_liver.reproduction.content import AP
from mmdet_liver.reproduction.pooling import AT_CHOSEN, RATES, at_rate

NOTHING = '–'
_SETTINGS = {
    AT_CHOSEN: 'each at its own thresholds, chosen on val',
    AT_OVER_DETECTIONS_OF_A: "at A's over-detections per image",
    AT_OVER_DETECTIONS_OF_B: "at B's over-detections per image",
    **{at_rate(rate): f'at {rate:g} over-detections per image' for rate in RATES},
}


@dataclass(frozen=True)
class Table:
    """Rows of text below headings; `title` stands above."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def setting_name(setting: str) -> str:
    """A setting of a comparison, in words."""
    return _SETTINGS[setting]


def tables(content: dict) -> list[Table]:
    """All tables of `results.json`'s content."""
    found = [_arms(content), _each_class(content), _seeds(content)]
    found += [_comparison(comparison) for comparison in content['comparisons']]
    found.append(_runs(content))
    if content['missing']:
        found.append(_missing(content))
    return found


def duration(seconds: float | None) -> str:
    """Hours, minutes and seconds."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(round(seconds), 60)
    return f'{minutes // 60}:{minutes % 60:02d}:{rest:02d}'


def mean_count(count: float) -> str:
    """A count, or the mean of some, to one decimal where it is not whole."""
    return f'{count:.0f}' if count == round(count) else f'{count:.1f}'


def markdown(table: Table) -> str:
    """The table as Markdown, its title as a heading."""
    lines = [table.headings, ('---',) * len(table.headings), *table.rows]
    text = '\n'.join(f'| {" | ".join(line)} |' for line in lines)
    return f'## {table.title}\n\n{text}\n'


def _arms(content: dict) -> Table:
    classes = _classes(content)
    headings = (
        'arm',
        'seeds',
        *AP,
        'mean F1 (95%)',
        *(f'F1 {name}' for name in classes),
        'recall',
        'precision',
        'over-detections per image',
        'threshold',
        'training time',
        'pretraining time',
        'device',
    )
    rows = []
    for name, arm in content['arms'].items():
        mean, seeds = arm['mean'], f'{len(arm["finished_seeds"])} of {len(content["seeds"])}'
        if mean is None:
            rows.append((name, seeds, *[NOTHING] * (len(headings) - 2)))
            continue
        rows.append(
            (
                name,
                seeds,
                *(score(mean[column]) for column in AP),
                _with_interval(mean['f1'], mean['intervals']['f1']),
                *(score(mean['per_class'].get(c, {}).get('f1')) for c in classes),
                score(mean['recall']),
                score(mean['precision']),
                score(mean['over_detections_per_image'], 3),
                _thresholds(mean['score_thrs']),
                duration(arm['training_seconds']),
                duration(arm['pretraining_seconds']),
                ', '.join(arm['devices']),
            )
        )
    return Table('Arms: all test images, mean over seeds', headings, tuple(rows))


def _each_class(content: dict) -> Table:
    # As the study's tables have it.
    headings = ('arm', 'class', 'lesions', 'over-detections', 'missed')
    headings += ('precision', 'recall', 'F1 (95%)')
    rows = []
    for name, arm in content['arms'].items():
        for c, label in enumerate((arm['labels'] or ())[1:], start=1):
            matrix, found = arm['confusion_matrix'], arm['mean']['per_class'][label]
            counts = (sum(matrix[c]), matrix[0][c], matrix[c][0])
            scores = (score(found['precision']), score(found['recall']))
            f1 = _with_interval(found['f1'], found['f1_interval'])
            rows.append((name, label, *map(mean_count, counts), *scores, f1))
    return Table('Each class: all test images, mean over seeds', headings, tuple(rows))


def _seeds(content: dict) -> Table:
    classes = _classes(content)
    headings = (
        'arm',
        'seed',
        *AP,
        'mean F1',
        *(f'F1 {name}' for name in classes),
        'recall',
        'precision',
        'thresholds of the folds',
    )
    rows = []
    for name, arm in content['arms'].items():
        for seed in content['seeds']:
            row = arm['seeds'].get(str(seed))
            if row is None:
                rows.append((name, str(seed), *[NOTHING] * (len(headings) - 2)))
                continue
            rows.append(
                (
                    name,
                    str(seed),
                    *(score(row[column]) for column in (*AP, 'f1')),
                    *(score(row['per_class'].get(c, {}).get('f1')) for c in classes),
                    score(row['recall']),
                    score(row['precision']),
                    ', '.join(f'{thr:g}' for thr in row['score_thrs']),
                )
            )
    return Table('Each seed', headings, tuple(rows))


def _comparison(comparison: dict) -> Table:
    a, b = comparison['a'], comparison['b']
    headings = (
        'where',
        'what',
        a,
        b,
        'difference (95%)',
        'share of resamples above 0',
        'over-detections per image',
    )
    rows = []
    for name, setting in (comparison['settings'] or {}).items():
        over = setting['over_detections_per_image']
        parts = {'mean F1': setting['mean']['f1'], 'mean recall': setting['mean']['recall']}
        parts |= {f'recall {c}': scores['recall'] for c, scores in setting['per_class'].items()}
        for i, (what, d) in enumerate(parts.items()):
            rows.append(
                (
                    setting_name(name) if i == 0 else '',
                    what,
                    score(d['a']),
                    score(d['b']),
                    _with_interval(d['difference'], d['interval'], signed),
                    score(d['share_a_better'], 3),
                    f'{over["a"]:.3f}, {over["b"]:.3f}' if i == 0 else '',
                )
            )
    rows = rows or [(NOTHING,) * len(headings)]
    return Table(f'{a} (A) minus {b} (B){_unlike(comparison["seeds"])}', headings, tuple(rows))


def _unlike(seeds: dict) -> str:
    # Of a grid on the way: one arm may have more seeds than the other.
    a, b = (', '.join(map(str, seeds[side])) or 'none' for side in 'ab')
    return '' if a == b else f'; seeds of A: {a}, of B: {b}'


def _runs(content: dict) -> Table:
    headings = (
        'arm',
        'fold',
        'seed',
        *AP,
        'mean F1 (95%)',
        'recall',
        'precision',
        'threshold',
        'F1 on val',
        'training time',
        'device',
        'folder',
    )
    rows = tuple(
        (
            run['arm'],
            str(run['fold']),
            str(run['seed']),
            *(score(run[column]) for column in AP),
            _with_interval(run['f1'], run['f1_interval']),
            score(run['recall']),
            score(run['precision']),
            f'{run["score_thr"]:g}',
            score(run['val_f1']),
            duration(run['seconds']),
            run['device'],
            run['folder'],
        )
        for run in content['runs']
    )
    return Table('Each run', headings, rows)


def _missing(content: dict) -> Table:
    rows = tuple((m['job'], ', '.join(m['steps']), m['folder']) for m in content['missing'])
    return Table('Not finished', ('job', 'steps', 'folder'), rows)


def _classes(content: dict) -> list[str]:
    names = (name for arm in content['arms'].values() for name in (arm['labels'] or ())[1:])
    return list(dict.fromkeys(names))


def _with_interval(value: float | None, pair: Sequence[float] | None, form=score) -> str:
    ends = f' ({form(pair[0])} to {form(pair[1])})' if pair else ''
    return form(value) + ends


def _thresholds(values: Sequence[float]) -> str:
    low, high = f'{min(values):g}', f'{max(values):g}'
    return low if low == high else f'{low} to {high}'
