"""A number that is hidden is not said to be missing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from uptake.calendar import Period
from uptake.cli.kpi import shown_value
from uptake.sql.results import KpiResult

WEEK = Period(date(2026, 11, 9), date(2026, 11, 16), "Europe/Paris")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"hidden": "small"}, "fewer than 5 of 26"),
        ({"hidden": "complement"}, "not shown, of 26"),
        ({"suppressed": True, "denominator": None}, "not shown: fewer than 5 people"),
        ({}, "no data"),
    ],
)
def test_what_is_hidden_is_not_called_no_data(given: dict[str, Any], says: str) -> None:
    said: dict[str, Any] = {"numerator": None, "denominator": 26, "interval": None, **given}
    result = KpiResult("adoption", WEEK, (), "share", None, definition_version=1, **said)
    assert shown_value(result) == says
