"""A chart as inline SVG: one Vega-Lite specification, drawn by vl-convert without a browser or a network.

Text is `currentColor`, so the drawing follows the page into the dark. Series differ by dash and by the
name at their end as well as by colour.
"""

from __future__ import annotations

import html
import re
from typing import Any

from uptake.alerts.message import Chart
from uptake.alerts.render.plain import line

WIDTH, HEIGHT = 350, 160  # small enough that its text is still readable when a phone shrinks it
ROOM = 8  # labels that stand side by side

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # names the dialect; nothing is fetched

# At least 3 : 1 against the page's light and its dark background (WCAG 2.2, 1.4.11).
COLOURS = ("#2f7fd6", "#c8641b", "#2c8f5a", "#a058c2", "#b8860b", "#c0455e")
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3])

_SVG = re.compile(r'<svg [^>]*?width="(\d+)" height="(\d+)"[^>]*>')


def spec(chart: Chart) -> dict[str, Any]:
    """The Vega-Lite specification. A None is a gap in the line."""
    names = [line(s.name) for s in chart.series]
    labels = [line(label) for label in chart.labels]
    points = [
        {"i": i, "x": label, "y": value, "s": name}
        for name, series in zip(names, chart.series, strict=True)
        for i, (label, value) in enumerate(zip(labels, series.values, strict=True))
    ]
    named = labels[:: -1 if len(labels) <= ROOM else -2][::-1]  # the last one always, and no two that touch
    axis = {"title": None, "labelAngle": 0, "values": named}
    x = {"field": "x", "type": "ordinal", "sort": labels, "axis": axis}
    number = ".0%" if chart.unit == "share" else "~s"
    y = {"field": "y", "type": "quantitative", "axis": {"title": None, "format": number, "tickCount": 4}}
    scale = {"domain": names, "range": list(COLOURS[: len(names)])}
    colour = {"field": "s", "type": "nominal", "scale": scale, "legend": _legend(len(names))}
    dash = {"field": "s", "type": "nominal", "scale": {"domain": names, "range": list(DASHES[: len(names)])}}
    return {
        "$schema": SCHEMA,
        "width": WIDTH,
        "height": HEIGHT,
        "background": "transparent",
        "data": {"values": points},
        "encoding": {"x": x, "y": y, "color": colour},
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 2.5, "invalid": "break-paths-show-path-domains"},
                "encoding": {"strokeDash": {**dash, "legend": None}},
            },
            {"mark": {"type": "point", "filled": True, "size": 28, "opacity": 1, "invalid": "filter"}},
        ],
        "config": {
            "aria": False,
            "font": "system-ui, sans-serif",
            "view": {"stroke": None},
            "axis": {
                "labelColor": "currentColor",
                "labelFontSize": 13,
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


def _legend(count: int) -> dict[str, Any] | None:
    return (
        {"title": None, "orient": "top", "symbolType": "stroke", "symbolStrokeWidth": 3, "symbolOpacity": 1}
        if count > 1
        else None
    )


def svg(chart: Chart, unique: str) -> str:
    """Inline SVG that scales with its container, described by the chart's summary for those who cannot see it.

    `unique` makes the drawing's internal names its own on a page with several.
    """
    import vl_convert  # starts a JavaScript engine: only when a chart is drawn

    drawn: str = vl_convert.vegalite_to_svg(spec(chart))
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
