"""`results.json`, `results.md`, `results.html` and their figures, from the content."""

from pathlib import Path

from mmdet_liver import __version__
from mmdet_liver.files import write_json, write_text
from mmdet_liver.pages.rendering import render
from mmdet_liver.reproduction.figures import draw_confusion_matrices, draw_differences
from mmdet_liver.reproduction.tables import markdown, tables

PAGE, TEXT, NUMBERS = 'results.html', 'results.md', 'results.json'
_TEMPLATE = Path(__file__).with_name('template.html')


def write_results(content: dict, out: Path) -> None:
    """Write everything into `out`, the page last."""
    write_json(out / NUMBERS, content, indent=2)
    figures = {}
    if draw_confusion_matrices(content, out / 'confusion_matrices.png'):
        figures['Confusion matrices: counts over all test images, mean over seeds'] = (
            out / 'confusion_matrices.png'
        )
    for comparison in content['comparisons']:
        a, b = comparison['a'], comparison['b']
        path = out / f'{a}_minus_{b}.png'
        if draw_differences(comparison, path):
            figures[f'{a} minus {b}'] = path
    notes = _notes(content)
    parts = tables(content)
    pictures = '\n'.join(f'![{title}]({path.name})\n' for title, path in figures.items())
    head = f'# {content["grid"]}\n\n' + '\n\n'.join(notes) + '\n'
    write_text(out / TEXT, '\n'.join([head, *map(markdown, parts), pictures]))
    page = render(
        _TEMPLATE,
        title=content['grid'],
        notes=notes,
        tables=parts,
        figures={title: path.read_bytes() for title, path in figures.items()},
        version=__version__,
    )
    write_text(out / PAGE, page)


def _notes(content: dict) -> list[str]:
    data, seeds = content['data'], ', '.join(map(str, content['seeds']))
    split = f'{data["folds"]} grouped folds' if data['folds'] else 'the split that is there'
    notes = [
        f'Data {data["root"]}, {split}; seeds {seeds}. Checkpoint (or the last one, where a '
        'config saves no best) and score threshold of each run are chosen on val; test is scored '
        'once. F1, precision and recall at IoU 0.25, as '
        'means over the classes; with folds from the summed confusion matrices, averaged over '
        'seeds. AP is the mean over folds and seeds. A time is the mean of a run, on the '
        'device that it shared with those that ran at the same time.'
    ]
    for drawn in content['drawn']:
        notes.append(
            f'{", ".join(drawn["arms"])}: {drawn["images"]} test images. 95% intervals: '
            f'{content["resamples"]} resamples of {drawn["count"]} {drawn["units"]}, of each '
            "fold's val too, on which the thresholds are chosen again; the trained networks "
            f'stay as they are. {drawn["note"]}'
        )
    if content['missing']:
        notes.append(
            f'{len(content["missing"])} jobs are not finished. A seed counts once all its folds '
            'are finished; – is an arm without one.'
        )
    return notes
