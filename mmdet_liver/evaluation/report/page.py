"""`report.html`: the evaluation as one page that opens offline, on a phone too."""

from collections.abc import Callable, Mapping
from pathlib import Path

from mmdet_liver import __version__
from mmdet_liver.evaluation.scoring import BEST_HERE
from mmdet_liver.evaluation.uncertainty.comparison import (
    AT_BEST,
    AT_OVER_DETECTIONS_OF_A,
    AT_OVER_DETECTIONS_OF_B,
)
from mmdet_liver.pages.rendering import percent, render, score

_TEMPLATE = Path(__file__).with_name('template.html')
_SETTINGS = {
    AT_BEST: 'Each at its own best threshold',
    AT_OVER_DETECTIONS_OF_A: 'At as many over-detections as these results have there',
    AT_OVER_DETECTIONS_OF_B: 'At as many over-detections as the other results have there',
}
ERROR_MEANINGS = {
    'classification': 'on a lesion, of another diagnosis',
    'localisation': 'of the right diagnosis, beside or around the lesion',
    'both': 'beside a lesion and of another diagnosis',
    'duplicate': 'on a lesion that a prediction with a higher score has found',
    'background': 'where no lesion is',
    'missed': 'a lesion that nothing above explains',
}
# Columns of the tables of strata that have a value in any row are shown.
_STRATUM = {
    'images': 'images',
    'lesions': 'lesions',
    'found': 'found',
    'class_right': 'of these, right diagnosis',
    'recall': 'recall',
    'precision': 'precision',
    'f1': 'F1',
    'over_detections_per_image': 'over-detections per image',
}
_IMAGE_RATES = {
    'images with lesions that are called': 'sensitivity',
    'lesion-free images left alone': 'specificity',
}
_NAMES = {'f1': 'F1', 'precision': 'precision', 'recall': 'recall'}
_SHARES = ('found', 'class_right')


def page_html(m: dict, pictures: Mapping[str, bytes], sheets: Mapping[str, bytes]) -> str:
    """The whole page; the same input gives the same text.

    Args:
        m: the content of `metrics.json`.
        pictures: PNG of each figure, by its file name without suffix.
        sheets: PNG of each sheet of images, by title.
    """
    return render(
        _TEMPLATE,
        m=m,
        version=__version__,
        pictures=pictures,
        sheets=sheets,
        keys=_keys(m),
        notes=_notes(m),
        differences=_differences(m['comparison']),
        froc_rows=_froc_rows(m),
        error_meanings=ERROR_MEANINGS,
        strata=[_stratum_table(key, rows) for key, rows in m['strata'].items() if rows],
    )


def _keys(m: dict) -> list[dict]:
    # The numbers on top: name, value, interval.
    ci = m['intervals'] or {}
    image = m['image_level']['lesion'] or {}
    image_ci = ci.get('image_level', {}).get('lesion', {})
    mean, per_image = ci.get('mean', {}), ci.get('over_detections_per', {})
    keys = [_key('mean F1', score, m['mean']['f1'], mean.get('f1'))]
    if m['malignancy']:
        own, found = ci.get('malignancy', {}), m['malignancy']['sensitivity']
        keys.append(
            _key('malignant lesions found and called so', percent, found, own.get('sensitivity'))
        )
    for title, rate in _IMAGE_RATES.items():
        keys.append(_key(title, percent, image.get(rate), image_ci.get(rate)))
    over = m['over_detections_per']['image']
    return [*keys, _key('over-detections per image', _two, over, per_image.get('image'))]


def _key(name: str, form: Callable, value: float | None, pair: list | None) -> dict:
    return {'name': name, 'value': form(value), 'interval': _range(pair, form)}


def _notes(m: dict) -> list[str]:
    notes = [_threshold_note(m), _interval_note(m['intervals'])]
    if m['data']['ignored_annotations']:
        ignored = m['data']['ignored_annotations']
        notes.append(f'{ignored:,} annotations marked ignore or iscrowd count neither way.')
    return [note for note in notes if note]


def _threshold_note(m: dict) -> str:
    if m['score_thr_source'] != BEST_HERE:
        return ''
    optimism = m['intervals'] and m['intervals']['optimism']
    by_much = '' if optimism is None else f', here by about {optimism:.3f}'
    return (
        'The threshold was chosen on the very data that are scored, which flatters the mean F1'
        f'{by_much}. To choose it on other data: --choose-thr-on, --score-thr-from.'
    )


def _interval_note(found: dict | None) -> str:
    if found is None:
        return 'No intervals were asked for.'
    return (
        f'95% intervals: {found["resamples"]:,} resamples, the threshold '
        f'{found["score_thr_treatment"]}. {found["note"]}'
    )


def _differences(compared: dict | None) -> list[dict]:
    if compared is None:
        return []
    return [_setting_rows(title, compared[name]) for name, title in _SETTINGS.items()]


def _setting_rows(title: str, setting: dict) -> dict:
    thrs, over = setting['score_thr'], setting['over_detections_per_image']
    rows = [{'name': f'mean {name}', **setting['mean'][key]} for key, name in _NAMES.items()]
    rows += [{'name': name, **values['f1']} for name, values in setting['per_class'].items()]
    return {
        'title': title,
        'where': [f'threshold {_plain(thrs[arm])}, {_two(over[arm])} per image' for arm in 'ab'],
        'rows': rows,
    }


def _froc_rows(m: dict) -> list[dict]:
    ci = (m['intervals'] or {}).get('froc', {})
    rows = [('any diagnosis', m['froc']['any'], ci.get('any'))]
    for name, row in m['froc']['per_class'].items():
        rows.append((name, row, ci.get('per_class', {}).get(name)))
    rows.append(('mean of the diagnoses', m['froc']['mean'], ci.get('mean')))
    return [{'name': name, 'mean_interval': own and own['mean'], **row} for name, row, own in rows]


def _stratum_table(key: str, rows: list[dict]) -> dict:
    rows = [row for row in rows if row['images']]
    shown = [column for column in _STRATUM if any(row[column] is not None for row in rows)]
    return {
        'title': key,
        'columns': [_STRATUM[column] for column in shown],
        'rows': [(row['name'], [_in_stratum(c, row[c]) for c in shown]) for row in rows],
    }


def _in_stratum(column: str, value: float | None) -> str:
    if isinstance(value, int):
        return f'{value:,}'
    if column in _SHARES:
        return percent(value)
    return _two(value) if column == 'over_detections_per_image' else score(value)


def _range(pair: list | None, form: Callable) -> str:
    return f'{form(pair[0])} to {form(pair[1])}' if pair else ''


def _two(value: float | None) -> str:
    return score(value, 2)


def _plain(value: float | None) -> str:
    return '–' if value is None else f'{value:.4g}'
