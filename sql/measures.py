"""What a KPI's rows say where their sum says nothing: medians, curves, scores. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from uptake.sql.cells import Measure
from uptake.sql.measures_cost import cache_saving, forecast
from uptake.sql.measures_people import returning, wait, with_and_without_champion
from uptake.sql.measures_quality import duration, net_promoter, severity

MEASURES: Mapping[str, Measure] = {
    "cache_saving": cache_saving,
    "duration": duration,
    "forecast": forecast,
    "net_promoter": net_promoter,
    "returning": returning,
    "severity": severity,
    "wait": wait,
    "with_and_without_champion": with_and_without_champion,
}
"""Measures by the name that kpi.yaml gives."""
