"""A target is on track by its own straight line, and is compared with nothing that was measured otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from uptake.alerts.gather import targets
from uptake.alerts.targets import judged_over, stand
from uptake.calendar import FiscalQuarter, IsoWeek, Month
from uptake.sql.results import KpiResult
from uptake.stats import wilson
from uptake.workspace.models import Audience, Kpi, Organisation, Target, Workspace

ZONE = "Europe/Paris"
APPS = frozenset({"letters", "search"})


def _target(**given: Any) -> Target:
    baseline = {"value": 0.4, "week": "2026-W36", "definition_version": 1, "apps": sorted(APPS)}
    said = {
        "kpi": "adoption",
        "target": 0.6,
        "owner": "Head of Change",
        "due": "2026-11-15",
        "baseline": baseline,
    }
    return Target.model_validate({**said, **given})


def _result(k: int, n: int = 1000, week: str = "2026-W41", **given: Any) -> KpiResult:
    """2026-W41 ends on 11 October, half way from 6 September to 15 November."""
    period = IsoWeek.parse(week).period(ZONE)
    made = KpiResult("adoption", period, (), "share", k / n, k, n, wilson(k, n), 1, "up")
    return replace(made, **given)


@pytest.mark.parametrize(
    ("k", "state", "progress"),
    [
        (600, "reached", 1.0),
        (500, "on_track", 0.5),
        (520, "on_track", 0.6),
        (490, "unclear", 0.45),
        (450, "behind", 0.25),
    ],
)
def test_half_the_time_wants_half_the_way(k: int, state: str, progress: float) -> None:
    standing = stand(_target(), _result(k), APPS, ZONE)
    assert standing.state == state
    assert standing.progress == pytest.approx(progress)
    assert standing.expected == pytest.approx(0.5)


def test_on_its_day_a_target_is_reached_or_missed() -> None:
    assert stand(_target(), _result(599, week="2026-W46"), APPS, ZONE).state == "missed"
    assert stand(_target(), _result(600, week="2026-W46"), APPS, ZONE).state == "reached"


def test_less_is_better_where_the_kpi_says_so() -> None:
    baseline = {"value": 0.3, "week": "2026-W36", "definition_version": 1, "apps": sorted(APPS)}
    target = _target(kpi="override_rate", target=0.1, baseline=baseline)
    assert stand(target, _result(150, direction="down"), APPS, ZONE).state == "on_track"
    assert stand(target, _result(280, direction="down"), APPS, ZONE).state == "behind"
    assert stand(target, _result(90, direction="down"), APPS, ZONE).state == "reached"


@pytest.mark.parametrize(
    ("given", "changes", "apps", "closed"),
    [
        ({"baseline": None}, {}, APPS, "no_baseline"),
        ({"baseline": 0.4}, {}, APPS, "undated"),
        ({}, {"definition_version": 2}, APPS, "definition"),
        ({}, {}, APPS | {"tender"}, "apps"),
        ({}, {}, frozenset({"letters"}), "apps"),
    ],
)
def test_what_was_measured_otherwise_is_not_compared_with(
    given: dict[str, Any], changes: dict[str, Any], apps: frozenset[str], closed: str
) -> None:
    standing = stand(_target(**given), _result(450, **changes), apps, ZONE)
    assert (standing.state, standing.closed) == ("open", closed)
    assert standing.progress is None
    assert standing.expected is None


def test_a_value_that_is_not_known_is_neither_behind_nor_on_track() -> None:
    assert stand(_target(), _result(0, value=None), APPS, ZONE).state == "unknown"


def test_a_target_that_is_its_baseline_has_no_way_to_go() -> None:
    standing = stand(_target(target=0.4), _result(300), APPS, ZONE)
    assert (standing.state, standing.progress) == ("behind", None)


def test_a_department_has_the_organisations_aim_and_not_its_baseline() -> None:
    workspace = Workspace(
        organisation=Organisation(tenant="acme", name="Acme", zone=ZONE), targets=(_target(),)
    )
    claims = Audience(audience="claims", name="Claims", teams=("Claims",))
    of_claims = targets(workspace, claims)["adoption"]
    assert (of_claims.target, of_claims.baseline) == (0.6, None)
    everybody = targets(workspace, Audience(audience="all", name="Acme"))["adoption"]
    assert everybody == workspace.targets[0]


def test_a_month_of_adoption_is_not_held_against_the_baseline_of_a_week() -> None:
    november, quarter = Month(2026, 11).period(ZONE), FiscalQuarter(2026, 3).period(ZONE)
    assert judged_over(Kpi.ADOPTION, november) == IsoWeek(2026, 48).period(ZONE)  # ends on Sunday 29
    assert judged_over(Kpi.STICKINESS, quarter) == IsoWeek(2026, 39).period(ZONE)
    assert judged_over(Kpi.OVERRIDE_RATE, november) == november
    week = IsoWeek(2026, 46).period(ZONE)
    assert judged_over(Kpi.ADOPTION, week) == week
    assert judged_over(Kpi.ADOPTION, Month(2027, 2).period(ZONE)).after == Month(2027, 2).period(ZONE).after
