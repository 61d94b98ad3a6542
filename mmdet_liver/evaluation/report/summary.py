"""What a tool prints: the study's table, then a line each of what else matters most."""

from mmdet_liver.evaluation.report.study_table import table_text
from mmdet_liver.evaluation.scoring import Evaluation

_WIDTH = 11  # of the first column


def summary_text(evaluation: Evaluation, m: dict) -> str:
    """The table and up to eight lines; what the data do not allow is left out.

    Args:
        m: the content of `metrics.json`.
    """
    lines = [
        ('mean F1', _mean_f1(m)),
        ('exact best', _exact_best(m)),
        ('COCO', _average_precision(m)),
        ('FROC', _froc(m)),
        ('malignant', _rates(m['malignancy'], 'of all malignant, benign lesions')),
        ('images', _rates(m['image_level']['lesion'], 'of images with, without lesions')),
        ('patients', _rates(m['patient_level']['lesion'], 'of patients with, without lesions')),
        ('difference', _difference(m)),
    ]
    told = [f'{name.ljust(_WIDTH)} {text}' for name, text in lines if text]
    return '\n'.join([table_text(evaluation), '', *told])


def _mean_f1(m: dict) -> str:
    found = m['intervals']
    if found is None:
        return ''
    text = _with_interval(m['mean']['f1'], found['mean']['f1'])
    return f'{text}, {found["resamples"]} resamples of {found["units"]} {found["resampled"]}'


def _exact_best(m: dict) -> str:
    best = m['best_exact']['mean']
    if best is None:
        return ''
    return f'{best["f1"]:.4f} at score {best["score_thr"]:g}, over all scores of this data'


def _average_precision(m: dict) -> str:
    return '  '.join(f'{k} {_plain(v)}' for k, v in m['average_precision']['mean'].items())


def _froc(m: dict) -> str:
    mean = m['froc']['mean']['mean']
    if mean is None:
        return ''
    return f'{mean:.4f} mean sensitivity at 1/8 to 8 false positives per image'


def _rates(rates: dict | None, of_what: str) -> str:
    if rates is None:
        return ''
    values = (
        f'sensitivity {_plain(rates["sensitivity"])}, specificity {_plain(rates["specificity"])}'
    )
    return f'{values} ({of_what})'


def _difference(m: dict) -> str:
    compared = m['comparison']
    if compared is None:
        return ''
    row = compared['at_best']['mean']['f1']
    text = _with_interval(row['difference'], row['interval'], '+.4f')
    return f'{text} mean F1 to the other results, each at its best threshold'


def _with_interval(value: float, pair: list | None, form: str = '.4f') -> str:
    text = f'{value:{form}}'
    return text if pair is None else f'{text} (95% {pair[0]:{form}} to {pair[1]:{form}})'


def _plain(value: float | None) -> str:
    return '-' if value is None else f'{value:.4f}'
