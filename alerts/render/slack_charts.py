"""A chart for Slack: its own data_visualization, an image block without its file, and a sentence."""

from __future__ import annotations

from uptake.alerts.message import Chart
from uptake.alerts.render.plain import clean, cut, line
from uptake.alerts.render.slack_parts import (
    MAX_HEADER,
    MAX_LABEL,
    Chunk,
    Json,
    context_of,
    plain_text,
    section_of,
    short_name,
)
from uptake.alerts.render.words import labels_left_out

MAX_SERIES = 6
MAX_POINTS = 20
MAX_CHART_TITLE = 50
MAX_ALTERNATIVE = 2000


def chart_chunk(chart: Chart, locale: str) -> Chunk:
    """Slack draws no gaps: labels that lack a value in one series are left out, and named."""
    said = f"{line(chart.title)}\n{clean(chart.summary)}"
    plain = (section_of(said, locale),)
    series = [s for s in chart.series if any(v is not None for v in s.values)]
    known = [i for i, _ in enumerate(chart.labels) if all(s.values[i] is not None for s in series)]
    drawable = (
        known[-MAX_POINTS:] if chart.kind == "line" else known[:MAX_POINTS]
    )  # the last weeks, the first names
    labels = {i: short_name(chart.labels[i], MAX_LABEL, locale) for i in drawable}
    names = [short_name(s.name, MAX_LABEL, locale) for s in series]
    distinct = len(set(names)) == len(names) and len(set(labels.values())) == len(labels)
    fewest = 2 if chart.kind == "line" else 1
    if not (distinct and 0 < len(series) <= MAX_SERIES and len(labels) >= fewest):
        return Chunk(plain, plain, said, chart, _image(chart, locale))
    lines = [
        {
            "name": name,
            "data": [{"label": text, "value": _number(chart, s.values[i])} for i, text in labels.items()],
        }
        for name, s in zip(names, series, strict=True)
    ]
    drawn: Json = {
        "type": "data_visualization",
        "title": short_name(chart.title, MAX_CHART_TITLE, locale),
        "chart": {
            "type": chart.kind,
            "series": lines,
            "axis_config": {"categories": list(labels.values()), **_unit(chart)},
        },
    }
    gone = [line(label) for i, label in enumerate(chart.labels) if i not in labels]
    note = (context_of(labels_left_out(gone, locale), locale),) if gone else ()
    return Chunk((drawn, *note), plain, said, chart, _image(chart, locale))


def _image(chart: Chart, locale: str) -> Json:
    """An image block without its file."""
    return {
        "type": "image",
        "title": plain_text(short_name(chart.title, MAX_HEADER, locale)),
        "alt_text": short_name(chart.summary, MAX_ALTERNATIVE, locale),
    }


def _number(chart: Chart, value: float | None) -> float:
    return round((value or 0.0) * (100 if chart.unit == "share" else 1), 2)


def _unit(chart: Chart) -> Json:
    label = {"share": "%", "money": cut(line(chart.currency), MAX_CHART_TITLE, "en"), "count": ""}[chart.unit]
    return {"y_label": label} if label else {}
