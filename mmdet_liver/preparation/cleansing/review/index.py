"""`index.html`, the one file to open: counts, figures, and a link to every page."""

from collections import Counter
from collections.abc import Collection, Sequence

from jinja2 import Environment

from mmdet_liver.preparation.cleansing.review.facts import Distances
from mmdet_liver.preparation.cleansing.review.sections import Section
from mmdet_liver.preparation.cleansing.review_file import CHOICES
from mmdet_liver.preparation.decisions import ACTIONS, STEPS, Decision

_TEMPLATE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Review of the cleansing</title>
<style>
body { font: 16px/1.5 sans-serif; max-width: 70em; margin: 1em auto; padding: 0 1em; }
table { border-collapse: collapse; }
th, td { padding: .2em .8em; text-align: right; border-bottom: 1px solid #ccc; }
th:first-child, td:first-child { text-align: left; }
tr.used { background: #ffe8cc; }
.wide { overflow-x: auto; }
.warning { border-left: .3em solid #c81e1e; padding-left: .8em; }
.pages a { display: inline-block; min-width: 2em; padding: .1em .2em; text-align: center; }
img { max-width: 100%; border: 1px solid #ccc; }
</style>
</head>
<body>
<h1>Review of the cleansing</h1>
<p class="warning">The pictures show images as they came, with any text that was burned in.
Keep this folder with the export; do not hand it on with the data set.</p>
<p>{{ count(images, 'image') }} in the manifest, {{ number(untouched) }} of them without any
decision. Each decision, with its reason, is a row of <code>cleansing.csv</code>.</p>
<p>To decide otherwise, write a CSV file with the columns <code>image_path</code> (as in
<code>cleansing.csv</code>) and <code>decision</code> ({{ choices | join(', ') }}), and prepare
the data again with <code>--review</code> and that file.</p>
{% if counts %}
<div class="wide"><table>
<tr><th>decisions</th>{% for action in actions %}<th>{{ action }}</th>{% endfor %}</tr>
{% for step in steps %}
<tr><td>{{ step }}</td>{% for action in actions -%}
<td>{{ number(counts[step, action]) if counts[step, action] else '' }}</td>
{%- endfor %}</tr>
{% endfor %}
</table></div>
{% else %}
<p>Nothing was decided.</p>
{% endif %}
<ul>
{% if distances %}<li><a href="#distances">Distances between images</a></li>{% endif %}
{% if has_sizes %}<li><a href="#sizes">Sizes</a></li>{% endif %}
{% for section in sections %}
<li><a href="#{{ section.folder }}">{{ section.title }}</a>:
{{ count(section.total, section.unit) }}</li>
{% endfor %}
</ul>
{% for section in sections %}
<h2 id="{{ section.folder }}">{{ section.title }}</h2>
<p>{{ section.note }} {{ count(section.total, section.unit) }},
{{ number(section.shown) if section.shown < section.total else 'all' }} shown.</p>
{% if section.pages %}
<p class="pages">Pages:
{% for page in section.pages %}<a href="{{ page.path }}">{{ loop.index }}</a>
{% endfor %}</p>
<p><a href="{{ section.pages[0].path }}"><img loading="lazy" src="{{ section.pages[0].path }}"
alt="first page"></a></p>
{% endif %}
{% endfor %}
{% if distances %}
<h2 id="distances">Distances between images</h2>
<p>A good threshold lies in a gap: left of it images that were saved again, right of it images
that merely look alike.</p>
<p><img src="distances.png" alt="histogram of distances"></p>
{% if distances.clusters %}
<div class="wide"><table>
<tr><th>threshold</th><th>images in clusters</th><th>clusters</th></tr>
{% for threshold, joined, clusters in distances.clusters %}
<tr{% if threshold == distances.max_distance %} class="used"{% endif %}>
<td>{{ threshold }}</td><td>{{ number(joined) }}</td><td>{{ number(clusters) }}</td></tr>
{% endfor %}
</table></div>
{% endif %}
{% endif %}
{% if has_sizes %}
<h2 id="sizes">Sizes</h2>
<p><img src="sizes.png" alt="width against height"></p>
{% endif %}
</body>
</html>
"""


def index_page(
    images: Collection[str],
    decisions: Sequence[Decision],
    sections: Sequence[Section],
    distances: Distances | None,
    has_sizes: bool,
) -> str:
    """The page's HTML.

    Args:
        images: paths of the manifest's images.
        distances, has_sizes: which figures are there.
    """
    counts = Counter((d.step, d.action) for d in decisions)
    decided = {d.image_path for d in decisions}
    template = Environment(autoescape=True, trim_blocks=True).from_string(_TEMPLATE)
    return template.render(
        number='{:,}'.format,
        count=lambda number, unit: f'{number:,} {unit}{"" if number == 1 else "s"}',
        images=len(images),
        untouched=sum(path not in decided for path in images),
        choices=CHOICES,
        counts=counts,
        steps=[s for s in STEPS if any(step == s for step, _ in counts)],
        actions=[a for a in ACTIONS if any(action == a for _, action in counts)],
        sections=sections,
        distances=distances,
        has_sizes=has_sizes,
    )
