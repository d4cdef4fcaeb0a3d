"""A chart as inline SVG or as PNG: one Vega-Lite specification, drawn by vl-convert without a browser or a network.

Text is `currentColor`, so the drawing follows the page into the dark. Series differ by dash and by the
name at their end as well as by colour.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

from uptake.alerts.formats import Language
from uptake.alerts.message import Chart
from uptake.alerts.render.plain import cut, isolate, line

WIDTH, HEIGHT = 350, 160  # small enough that its text is still readable when a phone shrinks it
ROOM = 8  # labels that stand side by side
STEP = 26  # a bar and its gap; bars lie, so that their names can be read
NAME = 24  # characters of a name in a drawing
PNG_SCALE = 2
PNG_INK, PNG_PAPER = "#1d2430", "#ffffff"

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # names the dialect; nothing is fetched

# At least 3 : 1 against the page's light and its dark background (WCAG 2.2, 1.4.11).
COLOURS = ("#2f7fd6", "#c8641b", "#2c8f5a", "#a058c2", "#b8860b", "#c0455e")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3])

_AMOUNT = "datum.value === 0 ? '0' : datum.label"
"""What stands at a mark of the axis: d3 writes 0 in the prefix of its neighbours, as 0k."""
_SHARE = {"en": "datum.label", "fr": "replace(datum.label, '%', '\u00a0%')"}

_SVG = re.compile(r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)"[^>]*>')


def spec(chart: Chart, locale: Language = "en") -> dict[str, Any]:
    """The Vega-Lite specification; `locale` writes its axis. A None is a gap in a line, and no bar."""
    names = _unlike([_name(s.name) for s in chart.series])
    labels = _unlike([_name(label) for label in chart.labels])
    points = [
        {"i": i, "x": label, "y": value, "s": name}
        for name, series in zip(names, chart.series, strict=True)
        for i, (label, value) in enumerate(zip(labels, series.values, strict=True))
    ]
    shades = [COLOURS[n % len(COLOURS)] for n in range(len(names))]
    colour = {
        "field": "s",
        "type": "nominal",
        "scale": {"domain": names, "range": shades},
        "legend": _legend(len(names), chart.kind),
    }
    drawn = (_bars if chart.kind == "bar" else _lines)(chart, labels, names, locale)
    drawn["encoding"]["color"] = colour
    return {
        "$schema": SCHEMA,
        "width": WIDTH,
        "background": "transparent",
        "data": {"values": points},
        **drawn,
        "config": {
            "aria": False,
            "font": "system-ui, sans-serif",
            "view": {"stroke": None},
            "axis": {
                "labelColor": "currentColor",
                "labelFontSize": 13,
                "labelLimit": 150,
                "gridColor": "currentColor",
                "gridOpacity": 0.13,
                "domainColor": "currentColor",
                "domainOpacity": 0.4,
                "tickColor": "currentColor",
                "tickOpacity": 0.4,
            },
            "legend": {"labelColor": "currentColor", "labelFontSize": 13},
        },
    }


def _lines(chart: Chart, labels: list[str], names: list[str], locale: Language) -> dict[str, Any]:
    named = labels[:: -1 if len(labels) <= ROOM else -2][::-1]  # the last one always, and no two that touch
    axis = {"title": None, "labelAngle": 0, "values": named}
    x = {"field": "x", "type": "ordinal", "sort": labels, "axis": axis}
    dashes = [DASHES[n % len(DASHES)] for n in range(len(names))]
    dash = {"field": "s", "type": "nominal", "scale": {"domain": names, "range": dashes}}
    return {
        "height": HEIGHT,
        "encoding": {"x": x, "y": _amount(chart, locale)},
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 2.5, "invalid": "break-paths-show-path-domains"},
                "encoding": {"strokeDash": {**dash, "legend": None}},
            },
            {"mark": {"type": "point", "filled": True, "size": 28, "opacity": 1, "invalid": "filter"}},
        ],
    }


def _bars(chart: Chart, labels: list[str], names: list[str], locale: Language) -> dict[str, Any]:
    y = {"field": "x", "type": "ordinal", "sort": labels, "axis": {"title": None, "domain": False}}
    return {
        "height": {"step": max(STEP / len(names), 10.0)},
        "mark": {"type": "bar", "invalid": "filter"},
        "encoding": {"x": _amount(chart, locale), "y": y, "yOffset": {"field": "s", "sort": names}},
    }


def _amount(chart: Chart, locale: Language) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": chart.currency or None, "tickCount": 4}
    axis["format"] = ".0%" if chart.unit == "share" else "~s"
    axis["labelExpr"] = _SHARE[locale] if chart.unit == "share" else _AMOUNT
    if chart.currency:
        axis["titleColor"] = "currentColor"
    return {"field": "y", "type": "quantitative", "axis": axis}


def _name(text: str) -> str:
    return isolate(cut(line(text), NAME, "en"))


def _unlike(names: list[str]) -> list[str]:
    """Names that became the same by being cut would become one: they are told apart by marks nobody sees."""
    seen: dict[str, int] = {}
    unlike = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unlike.append(name + "\u200b" * (seen[name] - 1))
    return unlike


def _legend(count: int, kind: str) -> dict[str, Any] | None:
    if count < 2:
        return None
    stroke = {"symbolType": "stroke", "symbolStrokeWidth": 3, "symbolOpacity": 1} if kind == "line" else {}
    return {"title": None, "orient": "top", "columns": 2, **stroke}


def png(chart: Chart, locale: Language = "en") -> bytes:
    """The drawing as an image on white, twice its size, for a medium that draws no charts."""
    import vl_convert  # starts a JavaScript engine: only when a chart is drawn

    fixed = json.dumps({**spec(chart, locale), "background": PNG_PAPER, "padding": 12})
    drawn: bytes = vl_convert.vegalite_to_png(fixed.replace("currentColor", PNG_INK), scale=PNG_SCALE)
    return drawn


def svg(chart: Chart, unique: str, locale: Language = "en") -> str:
    """Inline SVG that scales with its container, described by the chart's summary for those who cannot see it.

    `unique` makes the drawing's internal names its own on a page with several.
    """
    import vl_convert  # starts a JavaScript engine: only when a chart is drawn

    drawn: str = vl_convert.vegalite_to_svg(spec(chart, locale))
    found = _SVG.search(drawn)
    if found is None:
        raise ValueError("the chart's drawing has no size")
    width, height = found.groups()
    label = html.escape(line(chart.summary), quote=True)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" '
        f'viewBox="0 0 {width} {height}">'
    )
    own = re.sub(r'(id="|url\(#)(clip|gradient)', rf"\g<1>{unique}-\g<2>", drawn[found.end() :])
    return head + own
