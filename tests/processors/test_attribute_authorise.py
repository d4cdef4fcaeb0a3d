"""Whose event it is on that day, and whether the registry allows it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from uptake.processors import enrich
from uptake.processors.attribute import Attribution
from uptake.processors.authorise import authorise
from uptake.workspace.models import App

DAY = date(2026, 11, 20)
STAYS = [
    {"user_id": "p1", "team": "sales", "joined": "2026-01-01", "left": "2026-06-01"},
    {"user_id": "p1", "team": "legal", "joined": "2026-06-01", "left": "2026-09-01"},
]


@pytest.mark.parametrize(
    ("day", "team"),
    [
        (date(2025, 12, 31), "claimed"),
        (date(2026, 1, 1), "sales"),
        (date(2026, 5, 31), "sales"),
        (date(2026, 6, 1), "legal"),
        (date(2026, 8, 31), "legal"),
        (date(2026, 9, 1), "claimed"),
    ],
)
def test_the_roster_decides_on_each_day_of_a_stay_and_the_claim_elsewhere(
    workspace: Any, day: date, team: str
) -> None:
    assert Attribution(workspace(roster=STAYS)).team("p1", "claimed", day) == team


def test_somebody_who_is_not_on_the_roster_keeps_the_claimed_team(workspace: Any) -> None:
    assert Attribution(workspace(roster=STAYS)).team("p2", "claimed", DAY) == "claimed"
    assert Attribution(workspace(roster=STAYS)).team("", "", DAY) == ""


def test_the_day_of_a_stay_is_that_of_the_organisations_zone(
    make_bench: Any, tenant: str, event: Any
) -> None:
    bench = make_bench(tenant, organisation={"zone": "Pacific/Auckland"}, roster=STAYS)  # +12 in May
    at = [datetime(2026, 5, 31, 11, 59, 59, tzinfo=UTC), datetime(2026, 5, 31, 12, tzinfo=UTC)]
    bench.process([event(key, at=moment, user_id="p1", team="claimed") for key, moment in enumerate(at)])
    assert [(r["team"], r["claimed_team"]) for r in bench.rows("usage")] == [
        ("sales", "claimed"),
        ("legal", "claimed"),
    ]


def test_feedback_and_costs_are_attributed_as_calls_are(make_bench: Any, tenant: str, event: Any) -> None:
    bench = make_bench(tenant, roster=[STAYS[0] | {"left": None}])
    bench.process([event(1, "feedback", user_id="p1"), event(2, "cost", team="claimed")])
    assert (bench.row("feedback")["team"], bench.row("cost")["team"]) == ("sales", "claimed")


def verdict(entry: dict[str, Any] | None, **call: Any) -> str:
    registry = (
        {} if entry is None else {"helper": App.model_validate({"app": "helper", "owner": "o", **entry})}
    )
    said = {"day": DAY, "team": "sales", "use_case": "draft", "models": ("gpt-4o",), "data_class": "internal"}
    return authorise(registry, "helper", **{**said, **call})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (None, "unregistered_app"),
        ({}, "allowed"),
        ({"valid_from": "2026-11-20", "valid_to": "2026-11-21"}, "allowed"),
        ({"valid_from": "2026-11-21"}, "outside_validity"),
        ({"valid_to": "2026-11-20"}, "outside_validity"),
        ({"teams": ["sales", "legal"]}, "allowed"),
        ({"teams": ["legal"]}, "team_not_allowed"),
        ({"use_cases": ["draft"]}, "allowed"),
        ({"use_cases": ["Draft"]}, "use_case_not_allowed"),
        ({"allowed_models": ["gpt-4o"]}, "allowed"),
        ({"allowed_models": ["gpt-4"]}, "model_not_allowed"),
        ({"data_classes": ["internal"]}, "allowed"),
        ({"data_classes": ["public"]}, "data_class_not_allowed"),
    ],
)
def test_the_registry_allows_what_it_lists_and_everything_where_it_lists_nothing(
    entry: dict[str, Any] | None, expected: str
) -> None:
    assert verdict(entry) == expected


@pytest.mark.parametrize(
    ("rule", "silent", "expected"),
    [
        ({"teams": ["sales"]}, {"team": ""}, "team_not_allowed"),
        ({"use_cases": ["draft"]}, {"use_case": ""}, "use_case_not_allowed"),
        ({"data_classes": ["internal"]}, {"data_class": ""}, "data_class_not_allowed"),
        ({"allowed_models": ["gpt-4o"]}, {"models": ()}, "allowed"),
    ],
)
def test_saying_nothing_is_not_on_a_list_except_that_a_call_may_have_no_model(
    rule: dict[str, Any], silent: dict[str, Any], expected: str
) -> None:
    assert verdict(rule, **silent) == expected


def test_the_first_rule_that_is_broken_is_the_verdict() -> None:
    entry: dict[str, Any] = {
        "data_classes": ["x"],
        "allowed_models": ["x"],
        "use_cases": ["x"],
        "teams": ["x"],
        "valid_to": "2020-01-01",
    }
    order = []
    while entry:
        order.append(verdict(entry))
        entry.popitem()
    assert order == [
        "outside_validity",
        "team_not_allowed",
        "use_case_not_allowed",
        "model_not_allowed",
        "data_class_not_allowed",
    ]


def test_a_model_is_allowed_under_its_dated_name_and_under_that_of_its_family(
    make_bench: Any, tenant: str, event: Any
) -> None:
    apps = [
        {"app": "family", "owner": "o", "allowed_models": ["gpt-4o"]},
        {"app": "dated", "owner": "o", "allowed_models": ["gpt-4o-2024-08-06"]},
        {"app": "other", "owner": "o", "allowed_models": ["gpt-4o-2024-05-13", "gpt-4"]},
    ]
    bench = make_bench(tenant, apps=apps)
    bench.process([event(app["app"], app=app["app"]) for app in apps])
    verdicts = {row["app"]: row["authorisation"] for row in bench.rows("usage")}
    assert verdicts == {"family": "allowed", "dated": "allowed", "other": "model_not_allowed"}


def test_the_team_that_counts_is_the_rosters_and_not_the_claimed_one(
    make_bench: Any, tenant: str, event: Any
) -> None:
    apps = [{"app": "helper", "owner": "o", "teams": ["legal"]}]
    bench = make_bench(tenant, apps=apps, roster=[STAYS[0] | {"left": None}])
    bench.process([event(1, user_id="p1", team="legal")])
    assert bench.row()["authorisation"] == "team_not_allowed"


def test_what_is_remembered_is_bounded_and_forgetting_changes_nothing(
    make_bench: Any, tenant: str, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrich, "_MAX_REMEMBERED", 10)
    bench = make_bench(tenant, roster=[STAYS[0] | {"left": None}])
    bench.process([event(n, user_id=f"p{n}", use_case=f"u{n}", team="claimed") for n in range(40)])
    kept = bench.pipeline._enrichers[tenant]._days.values()
    assert sum(len(day.teams) + len(day.rulings) for day in kept) <= 10
    assert sorted(row["team"] for row in bench.rows("usage")) == ["claimed"] * 39 + ["sales"]
