"""What a KPI's rows say where their sum says nothing: medians, curves, scores. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from uptake.sql.cells import Measure

MEASURES: Mapping[str, Measure] = {}
"""Measures by the name that kpi.yaml gives."""
