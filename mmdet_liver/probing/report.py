"""The numbers of a probe as JSON, CSV and Markdown, and in one line."""

import csv
import io
from pathlib import Path

from mmdet_liver.evaluation.uncertainty.intervals import LEVEL
from mmdet_liver.files import write_json, write_text
from mmdet_liver.probing.assessment import DIFFERING, Assessment
from mmdet_liver.probing.scores import ACCURACY, BALANCED, MALIGNANCY, RECALL

JSON, CSV, MARKDOWN = 'probe.json', 'probe.csv', 'probe.md'
_HEADS = {
    ACCURACY: 'accuracy',
    BALANCED: 'balanced accuracy',
    MALIGNANCY: 'benign or malignant',
}


def write_numbers(folder: Path, assessment: Assessment, setting: dict) -> None:
    """Write `probe.json`, `probe.csv` and `probe.md`; `setting` says how they came about."""
    content = report_content(assessment, setting)
    write_json(folder / JSON, content, indent=2)
    write_text(folder / CSV, report_csv(content))
    write_text(folder / MARKDOWN, report_markdown(content))


def report_content(assessment: Assessment, setting: dict) -> dict:
    """Everything, as plain values for JSON."""
    return {
        **setting,
        'labels': list(assessment.classes),
        'level': LEVEL,
        'resampled': assessment.units.name,
        'units': assessment.units.count,
        'note': assessment.units.note,
        'resamples': assessment.resamples,
        'seed': assessment.seed,
        'arms': [
            {
                'name': arm.name,
                'kind': arm.kind,
                'what': arm.what,
                'runs': len(arm.predicted),
                **{s: assessment.score(arm.name, s) for s in assessment.drawn[arm.name]},
                'confusion_matrix': assessment.confusion[arm.name].tolist(),
            }
            for arm in assessment.arms
        ],
        'differences': assessment.differences(),
    }


def report_csv(content: dict) -> str:
    """One line an arm, not rounded; an unknown value is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    columns = _columns(content)
    writer.writerow(
        ['arm', 'runs', *(f'{c}{end}' for c in columns for end in ('', '_low', '_high'))]
    )
    for arm in content['arms']:
        cells = [(v, *(i or (None, None))) for v, i in _estimates(arm, content)]
        writer.writerow([arm['name'], arm['runs'], *(cell for three in cells for cell in three)])
    return text.getvalue()


def report_markdown(content: dict) -> str:
    """The arms, their paired differences, and what was done, as tables to paste."""
    heads = ['features', *(_HEADS.get(c, c.removeprefix(f'{RECALL}_')) for c in _columns(content))]
    rows = [
        [arm['name'], *(_cell(*e) for e in _estimates(arm, content))] for arm in content['arms']
    ]
    parts = [_facts(content), _table(heads, rows)]
    if content['differences']:
        heads = ['A - B', *(h for s in DIFFERING for h in (_HEADS[s], 'A better'))]
        parts.append(_table(heads, [_difference_row(d) for d in content['differences']]))
    return '\n\n'.join(parts) + '\n'


def summary_line(assessment: Assessment) -> str:
    """The balanced accuracy of every arm."""
    values = (
        f'{arm.name} {_number(assessment.score(arm.name, BALANCED)["value"])}'
        for arm in assessment.arms
    )
    return f'balanced accuracy: {", ".join(values)}'


def _facts(content: dict) -> str:
    count = content['groups_in_both']
    shared = f' {count} are in train too, and are no neighbours of their own.' * bool(count)
    return (
        f'{content["k"]} nearest of {content["train_lesions"]} train lesions, for '
        f'{content["val_lesions"]} val lesions; crops of {content["crop_size"]} px, '
        f'{content["context"]:g} times the lesion; stage {content["stage"]}. '
        f'95% intervals from {content["resamples"]} resamples. {content["note"]}{shared} '
        'Below the names of the classes: the share of their lesions called right.'
    )


def _columns(content: dict) -> list[str]:
    scores = [s for s in _HEADS if s in content['arms'][0]]
    return [*scores, *(f'{RECALL}_{name}' for name in content['labels'])]


def _estimates(arm: dict, content: dict) -> list[tuple]:
    # Value and interval of each of `_columns`.
    scores = [arm[s] for s in _HEADS if s in arm]
    pairs = [(score['value'], score['interval']) for score in scores]
    return pairs + list(zip(arm[RECALL]['value'], arm[RECALL]['interval'], strict=True))


def _difference_row(difference: dict) -> list[str]:
    row = [f'{difference["a"]} - {difference["b"]}']
    for score in DIFFERING:
        d = difference[score]
        share = d['share_a_better']
        row += [_cell(d['value'], d['interval'], '+'), '' if share is None else f'{share:.1%}']
    return row


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ['---'] * len(heads), *rows]
    # A bar in a name would end its cell.
    return '\n'.join(f'| {" | ".join(c.replace("|", "/") for c in line)} |' for line in lines)


def _cell(value: float | None, interval: list[float] | None, sign: str = '') -> str:
    if value is None or interval is None:
        return _number(value, sign)
    low, high = (_number(end, sign) for end in interval)
    return f'{_number(value, sign)} [{low}, {high}]'


def _number(value: float | None, sign: str = '') -> str:
    return 'none' if value is None else f'{value:{sign}.3f}'
