"""From a template and its values to the text of a page; the same input, the same text."""

import base64
from pathlib import Path
from typing import Any

import jinja2

_HERE = Path(__file__).parent


def render(template: str | Path, **values: Any) -> str:
    """Fill a template that may extend `base.html`.

    Filters: `data_uri` (bytes of a PNG or JPEG), `number` (1,234, 'not known' for None),
    `score` (0.1234, '–' for None), `percent` (12.3%), `signed` (+0.1234), all '–' for None.
    """
    template = Path(template)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_HERE, template.parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (data_uri, number, score, percent, signed)
    environment.filters.update({form.__name__: form for form in filters})
    return environment.get_template(template.name).render(values)


def data_uri(picture: bytes) -> str:
    """The picture as an address that holds it."""
    kind = 'png' if picture.startswith(b'\x89PNG') else 'jpeg'
    return f'data:image/{kind};base64,{base64.b64encode(picture).decode()}'


def number(count: int | None) -> str:
    return 'not known' if count is None else f'{count:,}'


def score(value: float | None, decimals: int = 4) -> str:
    return '–' if value is None else f'{value:.{decimals}f}'


def percent(value: float | None, decimals: int = 1) -> str:
    return '–' if value is None else f'{value:.{decimals}%}'


def signed(value: float | None, decimals: int = 4) -> str:
    if value is None:
        return '–'
    text = f'{value:+.{decimals}f}'
    return text.replace('-', '−') if float(text) else text[1:]
