"""A diff of two runs as CSV and as one self-contained page."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, StrictUndefined

from deploy.composition.run_diff import Difference, RunDiff, line_text
from deploy.csv_text import csv_text
from sinks.clickhouse.run_diff import TieKey

COLUMNS = (
    *("process", "communicator_role", "experiencer_role", "dimension", "origin", "status", "periods"),
    *("n_a", "value_a", "n_b", "value_b", "change", "low", "high", "beyond_interval"),
    *("rules", "rows_only_a", "rows_only_b", "rows_other_value", "rows_other_ripeness", "rows_same"),
    *("events_only_a", "events_only_b", "why"),
)


def to_csv(diff: RunDiff) -> str:
    """One row for each tie and dimension, the same ones and those that are not in both included."""
    rows = [_changed(each) for each in diff.changed]
    rows += [_tie(key) | {"status": status} for status, keys in _others(diff) for key in keys]
    rows.sort(key=lambda row: tuple(str(row[name]) for name in TieKey._fields))
    return csv_text(COLUMNS, ([row.get(column) for column in COLUMNS] for row in rows))


def to_html(diff: RunDiff) -> str:
    """A page that needs nothing else; everything that comes from outside is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_PAGE).render(
        diff=diff, line_text=line_text, share=share, interval=interval, rows=rows_text, beyond=beyond_text
    )


def share(value: float | None, n: int | None) -> str:
    """A share with the number of observations behind it."""
    return "" if value is None or n is None else f"{value:.3f} (n {n:,})"


def interval(each: Difference) -> str:
    """The change with its interval."""
    shown = each.figures
    if shown.change is None or shown.low is None or shown.high is None:
        return ""
    return f"{shown.change:+.3f} ({shown.low:+.3f} to {shown.high:+.3f})"


def beyond_text(each: Difference) -> str:
    """Whether the change is beyond its interval."""
    return {True: "yes", False: "no", None: ""}[each.figures.beyond]


def rows_text(each: Difference) -> str:
    """Rows of evidence that differ, by rule and kind."""
    parts = []
    for rule, counts in sorted(each.rules.items()):
        kinds = [f"{count:,} {name.replace('_', ' ')}" for name, count in counts._asdict().items() if count]
        parts += [f"{rule}: {', '.join(kinds)}"] if counts.differing else []
    return "; ".join(parts)


def _others(diff: RunDiff) -> list[tuple[str, Any]]:
    return [("same", diff.same), ("not in both", diff.not_in_both)]


def _tie(key: TieKey) -> dict[str, Any]:
    return key._asdict()


def _changed(each: Difference) -> dict[str, Any]:
    shown, rows = each.figures, each.rows
    return _tie(each.tie) | {
        "status": "changed",
        "periods": shown.periods,
        "n_a": shown.n_a,
        "value_a": shown.value_a,
        "n_b": shown.n_b,
        "value_b": shown.value_b,
        "change": shown.change,
        "low": shown.low,
        "high": shown.high,
        "beyond_interval": beyond_text(each),
        "rules": " ".join(rule for rule, counts in sorted(each.rules.items()) if counts.differing),
        "rows_only_a": rows.only_a,
        "rows_only_b": rows.only_b,
        "rows_other_value": rows.other_value,
        "rows_other_ripeness": rows.other_ripeness,
        "rows_same": rows.same,
        "events_only_a": each.events.only_a,
        "events_only_b": each.events.only_b,
        "why": "; ".join(each.why),
    }


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ diff.a.run }} and {{ diff.b.run }}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { border: 1px solid #bbb; padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { background: #f2f2f2; }
td.number { text-align: right; white-space: nowrap; }
caption { text-align: left; font-weight: bold; padding: .3rem 0; }
ul { padding-left: 1.2rem; margin: 0; }
@media print { body { margin: 0; max-width: none; font-size: .8rem; } }
</style>
</head>
<body>
<h1>Two runs: A is {{ diff.a.run }}, B is {{ diff.b.run }}</h1>
<p>{{ diff.asked.process or "All processes" }}. Only periods that may be shown in both runs are compared; what is in any
other enters nothing here. Shares as counted, with the number of observations; intervals are of 90 %.</p>
{% for run in diff.unfinished %}
<p>Run {{ run }} was not finished when this was made.</p>
{% endfor %}
{% if not diff.policies_known %}
<p>One of the runs has not written down its policy: no policy lines can be compared.</p>
{% endif %}
{% if diff.settings %}
<table>
<caption>Made otherwise</caption>
<tr><th scope="col">what</th><th scope="col">A</th><th scope="col">B</th></tr>
{% for setting in diff.settings %}
<tr><th scope="row">{{ setting.name }}</th><td>{{ setting.a }}</td><td>{{ setting.b }}</td></tr>
{% endfor %}
</table>
{% endif %}
{% if diff.lines %}
<table>
<caption>Policy lines that differ</caption>
<tr><th scope="col">number</th><th scope="col">line</th><th scope="col">evidence that differs and is governed by it</th>
<th scope="col">ties</th></tr>
{% for effect in diff.lines %}
<tr><td class="number">{{ loop.index }}</td><td>{{ line_text(effect.line) }}</td>
<td class="number">{{ effect.rows }}</td><td class="number">{{ effect.ties | length }}</td></tr>
{% endfor %}
</table>
{% endif %}
{% if diff.changed %}
<table>
<caption>Ties that differ, in alphabetical order</caption>
<tr><th scope="col">process</th><th scope="col">communicator</th><th scope="col">experiencer</th>
<th scope="col">dimension</th><th scope="col">origin</th><th scope="col">A</th><th scope="col">B</th>
<th scope="col">change (interval)</th><th scope="col">beyond the interval</th><th scope="col">evidence</th>
<th scope="col">why</th></tr>
{% for each in diff.changed %}
<tr><td>{{ each.tie.process }}</td><td>{{ each.tie.communicator_role }}</td><td>{{ each.tie.experiencer_role }}</td>
<td>{{ each.tie.dimension }}</td><td>{{ each.tie.origin }}</td>
<td class="number">{{ share(each.figures.value_a, each.figures.n_a) }}</td>
<td class="number">{{ share(each.figures.value_b, each.figures.n_b) }}</td>
<td class="number">{{ interval(each) }}</td><td>{{ beyond(each) }}</td><td>{{ rows(each) }}</td>
<td><ul>{% for reason in each.why %}<li>{{ reason }}</li>{% endfor %}</ul></td></tr>
{% endfor %}
</table>
{% else %}
<p>No tie that may be shown in both runs differs.</p>
{% endif %}
<p>{{ diff.same | length }} ties and dimensions are the same in both runs.</p>
{% if diff.not_in_both %}
<table>
<caption>Not in both: no period may be shown in both runs</caption>
<tr><th scope="col">process</th><th scope="col">communicator</th><th scope="col">experiencer</th>
<th scope="col">dimension</th><th scope="col">origin</th></tr>
{% for tie in diff.not_in_both %}
<tr><td>{{ tie.process }}</td><td>{{ tie.communicator_role }}</td><td>{{ tie.experiencer_role }}</td>
<td>{{ tie.dimension }}</td><td>{{ tie.origin }}</td></tr>
{% endfor %}
</table>
{% endif %}
{% if diff.events %}
<table>
<caption>Events that only one run has met</caption>
<tr><th scope="col">process</th><th scope="col">run</th><th scope="col">event</th></tr>
{% for process, run, event in diff.events %}
<tr><td>{{ process }}</td><td>{{ run }}</td><td>{{ event }}</td></tr>
{% endfor %}
</table>
{% endif %}
</body>
</html>
"""
