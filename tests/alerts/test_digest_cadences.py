"""Months and quarters have digests of their own, each on its closed calendar; so have app owners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from uptake.alerts import budgets, digest
from uptake.alerts.digest import HISTORY, TRUST, DigestInputs, shown
from uptake.alerts.message import Chart, Message, Table, Text
from uptake.alerts.targets import Standing
from uptake.calendar import Closed, FiscalQuarter, IsoWeek, Month
from uptake.errors import UsageError
from uptake.sql.catalogue import load_catalogue
from uptake.sql.results import AdoptionPairs, KpiResult, SpendSoFar
from uptake.stats import wilson
from uptake.workspace.models import Audience, Budget, Cadence, Organisation, Target

NANO = 10**9
ZONE = "Europe/Paris"
ORGANISATION = Organisation(tenant="acme", name="Acme", zone=ZONE, fiscal_year_starts=4)
EVERYBODY = Audience(audience="all", name="Acme")
NOVEMBER, WEEK, AUTUMN = Month(2026, 11), IsoWeek(2026, 46), FiscalQuarter.parse("FY2027-Q2", 4)
LATER = datetime(2026, 12, 10, 8, tzinfo=UTC)


def _made(kpi: str, value: float | None, span: Closed = NOVEMBER, **given: Any) -> KpiResult:
    units = {
        "spend": "money",
        "wasted_spend": "money",
        "latency": "milliseconds",
        "nps": "points",
        "edit_severity": "ratio",
        "active_users": "count",
        **dict.fromkeys(("cost_per_call", "cost_per_active_user", "cost_per_accepted"), "unit_money"),
    }
    unit = units.get(kpi, "share")
    said: dict[str, Any] = {
        "kpi": kpi,
        "period": span.period(ZONE),
        "teams": (),
        "unit": unit,
        "value": value,
        "numerator": None,
        "denominator": None,
        "interval": None,
        "definition_version": 1,
        "currency": "EUR" if "money" in unit else "",
        "direction": "down" if kpi in ("override_rate", "error_rate") else "up",
    }
    return KpiResult(**{**said, **given})


def _rate(kpi: str, k: int, n: int, span: Closed = NOVEMBER, **given: Any) -> KpiResult:
    return _made(kpi, k / n, span, numerator=k, denominator=n, interval=wilson(k, n), **given)


def _inputs(
    span: Closed, this: Mapping[str, KpiResult], before: Mapping[str, KpiResult], **given: Any
) -> DigestInputs:
    said: dict[str, Any] = {
        "organisation": ORGANISATION,
        "audience": EVERYBODY,
        "span": span,
        "this": this,
        "before": before,
    }
    return DigestInputs(**{**said, "span": span, "data_until": span.period(ZONE).end, **given})


def _rows(message: Message) -> dict[str, tuple[str, ...]]:
    table = next(block for block in message.blocks if isinstance(block, Table))
    return {row[0]: row[1:] for row in table.rows}


def _verdict(message: Message) -> str:
    return next(block.text for block in message.blocks if isinstance(block, Text) and block.strong)


def _month(spend: int = 2400, before: int = 1200, **given: Any) -> Message:
    october = NOVEMBER.shift(-1)
    this = {
        "spend": _made("spend", spend * NANO, numerator=spend * NANO),
        "cost_per_call": _made("cost_per_call", 5_500_000),
        "cost_per_active_user": _made("cost_per_active_user", 5 * NANO),
        "cost_per_accepted": _made("cost_per_accepted", 24_400_000),
        "wasted_spend": _made("wasted_spend", 310_000_000, numerator=310_000_000, extras={"decided_nano": 2 * NANO}),
        "seats": _rate(
            "seats", 70, 82, parts={"used": 70, "idle": 6, "recent": 6}, currency="EUR",
            extras={"idle_priced": 6, "idle_cost_nano": 180 * NANO},
        ),
    }  # fmt: skip
    earlier = {name: _made(name, 1_000_000, october) for name in this if name not in ("spend", "seats")}
    earlier["spend"] = _made("spend", before * NANO, october, numerator=before * NANO)
    return digest.compose(_inputs(NOVEMBER, this, earlier, **given), LATER)


def test_a_month_says_what_it_cost_and_what_waits_to_be_saved() -> None:
    message = _month()
    assert message.title == "Acme · November 2026 (Europe/Paris)"
    assert message.cadence == "monthly"
    assert _verdict(message) == "Spend rose to €2,400 from €1,200. 6 seats are idle, €180 a month."
    rows = _rows(message)
    assert rows["Cost a request"][0] == "€0.00550"
    assert rows["Seats in use"][0] == "85% (70 of 82)"
    assert "6 seats idle, €180 a month" in rows["Seats in use"][2]
    assert "16% of what decided answers cost" in rows["Spent on rejected answers"][2]


def test_idle_seats_that_cost_little_of_the_spend_are_no_verdict() -> None:
    assert _verdict(_month(4800, 4700)).endswith("Nothing else stands out.")


@pytest.mark.parametrize(
    ("spend", "says"), [(1250, "Spend holds: €1,250"), (1000, "Spend fell to €1,000 from €1,200.")]
)
def test_a_change_of_money_that_is_small_is_none(spend: int, says: str) -> None:
    assert _verdict(_month(spend)).startswith(says)


def test_the_app_that_most_of_a_rise_comes_from_is_named() -> None:
    october = NOVEMBER.shift(-1)

    def of(letters: int, search: int, span: Closed) -> dict[str, KpiResult]:
        amounts = {"letters": letters, "search": search}
        return {app: _made("spend", n * NANO, span, numerator=n * NANO) for app, n in amounts.items()}

    divided = {"spend": (of(700, 500, october), of(1800, 600, NOVEMBER))}
    assert "mostly letters (+€1,100)" in _verdict(_month(by_app=divided))
    even = {"spend": (of(600, 600, october), of(1200, 1200, NOVEMBER))}
    assert "mostly" in _verdict(_month(by_app=even))  # half of it is enough to be named
    three = {**even["spend"][1], "mail": _made("spend", 0, numerator=0)}
    assert "mostly" not in _verdict(_month(by_app={"spend": (of(900, 900, october), three)}, before=2300))


def test_money_is_drawn_as_bars() -> None:
    months = [NOVEMBER.shift(n) for n in range(-5, 1)]
    history = {"spend": [_made("spend", None if n == 2 else n * NANO, span) for n, span in enumerate(months)]}
    chart = next(block for block in _month(history=history).blocks if isinstance(block, Chart))
    assert (chart.kind, chart.unit, chart.currency) == ("bar", "money", "EUR")
    assert chart.series[0].values == (0.0, 1.0, None, 3.0, 4.0, 5.0)
    assert chart.labels[-2:] == ("October", "November")


def test_a_quarter_says_what_people_made_of_it_by_its_fiscal_name() -> None:
    before = AUTUMN.shift(-1)
    this = {"nps": _made("nps", 30.0, AUTUMN, interval=(12.0, 47.0), numerator=12, denominator=40)}
    earlier = {"nps": _made("nps", 25.0, before, interval=(5.0, 44.0), numerator=10, denominator=40)}
    now = datetime(2026, 10, 6, 8, tzinfo=UTC)
    message = digest.compose(_inputs(AUTUMN, this, earlier), now)
    assert message.title.startswith("Acme · quarter FY2027-Q2, ")
    assert _verdict(message).startswith("The promoter score is +30, no clear change.")
    assert _rows(message)["Promoter score"] == ("+30 [+12–+47]", "–", "+5 pts, no clear change · 40 answers")
    clear = {"nps": _made("nps", -40.0, before, interval=(-55.0, -22.0), numerator=-16, denominator=40)}
    assert _verdict(digest.compose(_inputs(AUTUMN, this, clear), now)).startswith(
        "The promoter score rose to +30."
    )


def test_an_app_owner_reads_of_the_app_alone() -> None:
    owner = Audience(audience="letters", name="claims-letter", apps=("claims-letter",))
    this = {
        "active_users": _made("active_users", 41, WEEK, numerator=41),
        "override_rate": _rate("override_rate", 20, 100, WEEK),
        "error_rate": _rate("error_rate", 12, 1000, WEEK),
        "latency": _made("latency", 1234.0, WEEK, details={"p95": 4000.0}),
    }
    before = {"error_rate": _rate("error_rate", 10, 1000, WEEK.shift(-1))}
    message = digest.compose(_inputs(WEEK, this, before, audience=owner), LATER)
    assert _verdict(message).startswith("41 people used it.")
    rows = _rows(message)
    assert list(rows) == ["Active users", "Override rate", "Errors", "Latency, median"]
    assert rows["Latency, median"] == (
        "1.2\xa0s",
        "–",
        "no data for W45 · one in twenty takes 4.0\xa0s or more",
    )
    table = next(block for block in message.blocks if isinstance(block, Table))
    assert table.references[0] == (
        "uptake kpi active_users --from 2026-11-09 --to 2026-11-15 --app claims-letter --explain"
    )


@pytest.mark.parametrize(
    ("span", "before_end", "last"),
    [(NOVEMBER, "2026-11-30T22:59:59", "2026-10"), (AUTUMN, "2026-09-30T21:59:59", "FY2027-Q1")],
)
def test_no_period_is_told_before_it_is_over(span: Closed, before_end: str, last: str) -> None:
    now = datetime.fromisoformat(before_end).replace(tzinfo=UTC)
    with pytest.raises(UsageError, match="is not over") as refused:
        digest.compose(_inputs(span, {}, {}), now)
    assert last in refused.value.hint


@pytest.mark.parametrize(
    ("span", "due"),
    [
        (WEEK, "2026-11-16T08:00+01:00"),
        (NOVEMBER, "2026-12-03T08:00+01:00"),
        (AUTUMN, "2026-10-05T08:00+02:00"),
    ],
)
def test_longer_periods_wait_for_what_is_late(span: Closed, due: str) -> None:
    assert digest.due_at(span, ZONE) == datetime.fromisoformat(due)


@pytest.mark.parametrize(
    ("state", "says"), [("on_track", "70% · on track"), ("behind", "70% · behind"), ("open", "70%")]
)
def test_a_target_says_where_it_stands(state: Any, says: str) -> None:
    target = Target.model_validate({"kpi": "adoption", "target": 0.7, "owner": "Ada", "due": "2026-12-31"})
    given = {"adoption": Standing(target, state)}
    message = digest.compose(
        _inputs(WEEK, {"adoption": _rate("adoption", 52, 82, WEEK)}, {}, targets=given), LATER
    )
    assert _rows(message)["Adoption"][1] == says


@pytest.mark.parametrize(
    ("hidden", "says"), [("small", "fewer than 5 of 26"), ("complement", "not shown, of 26")]
)
def test_how_many_is_hidden_is_said_only_where_it_may_be(hidden: Any, says: str) -> None:
    result = _made("adoption", None, WEEK, denominator=26, hidden=hidden)
    message = digest.compose(_inputs(WEEK, {"adoption": result}, {}), LATER)
    assert _rows(message)["Adoption"] == (says, "–", "–")


def test_a_new_programme_has_habits_of_four_weeks() -> None:
    this = {name: _rate(name, 30, 82, WEEK) for name in ("habits", "habits_4_weeks")}
    assert list(_rows(digest.compose(_inputs(WEEK, this, {}), LATER))) == ["Habitual users"]
    assert list(_rows(digest.compose(_inputs(WEEK, this, {}, new=True), LATER))) == [
        "Habitual users (4 weeks)"
    ]


def test_people_who_are_mostly_the_same_get_a_verdict_only_where_no_way_of_changing_would_be_clear() -> None:
    def change(now: int, then: int) -> str:
        this, before = (
            {"habits": _rate("habits", k, 82, span)} for k, span in ((now, WEEK), (then, WEEK.shift(-1)))
        )
        return _rows(digest.compose(_inputs(WEEK, this, before), LATER))["Habitual users"][2]

    assert change(34, 32) == "+2 pts, no clear change"
    assert change(44, 34) == "+12 pts"  # ten people might be clear, or not

    def grown(now: int, of: int) -> str:
        this, before = (
            {"habits": _rate("habits", now, of, WEEK)},
            {"habits": _rate("habits", 20, 40, WEEK.shift(-1))},
        )
        return _rows(digest.compose(_inputs(WEEK, this, before), LATER))["Habitual users"][2]

    assert grown(20, 100) == "−30 pts"  # the roster grew


def test_a_further_figure_that_is_not_shown_is_left_out() -> None:
    def told(value: int | None, **given: Any) -> list[str]:
        this = {"active_users": _made("active_users", value, WEEK, numerator=value, **given)}
        tables = [
            block
            for block in digest.compose(_inputs(WEEK, this, {}), LATER).details
            if isinstance(block, Table)
        ]
        return [row[0] for table in tables for row in table.rows]

    assert told(22) == ["Active users"]
    assert told(None, suppressed=True) == []


def test_reasons_that_shift_are_said_to_have_and_chance_is_not() -> None:
    this = {"override_rate": _rate("override_rate", 200, 800, WEEK)}
    before = {"override_rate": _rate("override_rate", 200, 800, WEEK.shift(-1))}
    told = digest.compose(
        _inputs(
            WEEK,
            this,
            before,
            reasons=({"incomplete": 90, "wrong_tone": 30}, {"incomplete": 40, "wrong_tone": 95}),
        ),
        LATER,
    )
    actions = [block for block in told.blocks if block.part == "actions"]
    assert "“wrong tone” is 70% of the reasons against 25%" in actions[0].items[0]
    same = digest.compose(
        _inputs(
            WEEK,
            this,
            before,
            reasons=({"incomplete": 90, "wrong_tone": 30}, {"incomplete": 85, "wrong_tone": 33}),
        ),
        LATER,
    )
    assert [block for block in same.blocks if block.part == "actions"] == []
    assert any("No clear shift" in block.text for block in same.details if isinstance(block, Text))


def test_a_hidden_adoption_is_not_called_unknown() -> None:
    result = _made("adoption", None, WEEK, denominator=26, hidden="complement")
    assert _verdict(digest.compose(_inputs(WEEK, {"adoption": result}, {}), LATER)).startswith(
        "Adoption is not shown"
    )


def test_no_app_is_the_cause_of_what_a_new_one_brought() -> None:
    earlier = WEEK.shift(-1)
    this = {"override_rate": _rate("override_rate", 300, 1000, WEEK)}
    before = {"override_rate": _rate("override_rate", 80, 800, earlier)}

    def change(letters: int, new: int, before_new: Mapping[str, KpiResult]) -> str:
        now = {
            "letters": _rate("override_rate", letters, 800, WEEK),
            "search": _rate("override_rate", new, 200, WEEK),
        }
        then = {"letters": _rate("override_rate", 80, 800, earlier), **before_new}
        by_app = {"override_rate": (then, now)}
        return _rows(digest.compose(_inputs(WEEK, this, before, by_app=by_app), LATER))["Override rate"][2]

    assert "mostly" not in change(120, 180, {}), "five points of its own, of the twenty in all"
    assert "mostly letters (+31)" in change(330, 20, {}).replace(" pts", "")


def test_money_of_no_app_that_explains_most_leaves_no_app_to_name() -> None:
    october = NOVEMBER.shift(-1)

    def of(span: Closed, **apps: int) -> dict[str, KpiResult]:
        return {
            app.strip("_"): _made("spend", nano * NANO, span, numerator=nano * NANO)
            for app, nano in apps.items()
        }

    divided = {
        "spend": (of(october, _=0, letters=100, search=1100), of(NOVEMBER, _=1200, letters=800, search=400))
    }
    assert "mostly" not in _verdict(_month(by_app=divided))


def _parts(result: KpiResult, **parts: int) -> KpiResult:
    return replace(result, parts=parts)


def _captions(message: Message) -> list[str]:
    return [block.caption for block in message.details if isinstance(block, Table)]


def test_where_people_stand_is_not_told_of_a_period_that_is_not_known() -> None:
    now = _parts(_rate("lifecycle", 60, 82, WEEK), retained=60, never=22)
    unknown = _parts(_made("lifecycle", None, WEEK.shift(-1), denominator=82), retained=0, never=82)
    told = digest.compose(_inputs(WEEK, {"lifecycle": now}, {"lifecycle": unknown}), LATER)
    (table,) = [block for block in told.details if isinstance(block, Table)]
    assert [row[1:] for row in table.rows] == [("60",), ("22",)], "no column of dashes"
    assert [row[0] for row in table.rows] == ["retained", "never in a year"]
    young = _inputs(WEEK, {"lifecycle": now}, {"lifecycle": unknown}, known_from=date(2025, 11, 11))
    assert "never so far" in str(digest.compose(young, LATER).details), "53 weeks are not known"
    silent = _inputs(WEEK, {"lifecycle": unknown}, {"lifecycle": now}, data_until=None)
    assert _captions(digest.compose(silent, LATER)) == []


@pytest.mark.parametrize("cadence", ["weekly", "monthly", "quarterly"])
def test_an_app_is_not_told_about_everybody_with_a_seat(cadence: Cadence) -> None:
    about_everybody = {"lifecycle", "habits", "seats", "activation", "time_to_first_use", "champions"}
    assert not about_everybody & {*digest.beside(cadence, "app"), *digest.asked_for_actions(cadence, "app")}
    assert "shadow_gap" not in digest.beside(cadence, "department")


def test_a_target_that_one_moves_away_from_has_no_way_done() -> None:
    baseline = {"value": 0.13, "week": "2026-W35", "definition_version": 1, "apps": []}
    target = Target.model_validate(
        {"kpi": "override_rate", "target": 0.1, "owner": "Ada", "due": "2026-12-31", "baseline": baseline}
    )
    standing = Standing(target, "behind", progress=-2.0)
    this = {"override_rate": _rate("override_rate", 200, 1000, WEEK)}
    told = digest.compose(_inputs(WEEK, this, {}, targets={"override_rate": standing}), LATER)
    (table,) = [block for block in told.details if isinstance(block, Table) and block.caption == "Targets"]
    assert table.rows[0][3] == "none: further away"


def test_an_app_owners_budget_is_the_target_of_the_apps_spend() -> None:
    budget = Budget.model_validate(
        {"budget": "letters", "name": "Letters", "scope": {"app": "letters"}, "amount": "400"}
    )
    month = budgets.current_period(budget, LATER, ZONE)
    judged = budgets.evaluate(budget, SpendSoFar(100 * NANO, 100 * NANO, 0, None), month, LATER)
    spend = _made("spend", 20 * NANO, WEEK, numerator=20 * NANO, apps=("letters",))
    owner = Audience(audience="letters", name="letters", apps=("letters",))
    given = _inputs(WEEK, {"spend": spend}, {}, audience=owner, budgets=[judged])
    assert _rows(digest.compose(given, LATER))["Spend"][1] == "€400 a month"
    other = replace(given, this={"spend": replace(spend, apps=("mail",))})
    assert _rows(digest.compose(other, LATER))["Spend"][1] == "1 budget"


def test_a_changed_definition_of_a_kpi_raises_the_digests_own() -> None:
    """Whoever changes the meaning of a figure here raises DEFINITION_VERSION and adds a line."""
    said = sorted(
        {
            *TRUST,
            *(name for kind in ("organisation", "app") for often in HISTORY for name in shown(often, kind)),
        }
    )
    pinned = {3: {**dict.fromkeys(said, 1), "spend": 2, "cost_per_active_user": 2}}
    catalogue = load_catalogue()
    assert pinned[digest.DEFINITION_VERSION] == {name: catalogue[name].definition_version for name in said}


@pytest.mark.parametrize(
    ("zone", "utc"),
    [
        ("Europe/Paris", "2026-11-16T07:00"),
        ("America/New_York", "2026-11-16T13:00"),
        ("UTC", "2026-11-16T08:00"),
    ],
)
def test_it_is_due_on_monday_at_eight_of_the_tenants_clock(zone: str, utc: str) -> None:
    assert digest.due_at(WEEK, zone) == datetime.fromisoformat(utc + "+00:00")


def test_a_digest_is_one_fact_for_an_audience_a_period_and_a_definition() -> None:
    identity = digest.identity("acme", "claims", WEEK)
    assert identity == f"digest/acme/claims/2026-W46/v{digest.DEFINITION_VERSION}"


def test_two_values_that_differ_never_read_the_same() -> None:
    october = NOVEMBER.shift(-1)
    this = {
        "cost_per_call": _made("cost_per_call", 61_240_000),
        "edit_severity": _made("edit_severity", 0.1612),
        "wasted_spend": _made("wasted_spend", 31 * NANO, numerator=31 * NANO, extras={"decided_nano": 99 * NANO}),
    }  # fmt: skip
    before = {
        "cost_per_call": _made("cost_per_call", 61_310_000, october),
        "edit_severity": _made("edit_severity", 0.1639, october),
        "wasted_spend": _made("wasted_spend", 31 * NANO + 2_000_000, october),
    }
    rows = _rows(digest.compose(_inputs(NOVEMBER, this, before), LATER))
    assert (rows["Cost a request"][0], rows["Cost a request"][2]) == ("€0.0612", "€0.0613 in October")
    assert rows["Spent on rejected answers"][0] == "€31.000"
    assert rows["Spent on rejected answers"][2].startswith("€31.002 in October")
    quarter = digest.compose(_inputs(AUTUMN, this, before), LATER)
    assert _rows(quarter)["Edit severity, median"][0] == "0.161"
    assert "0.164 in" in _rows(quarter)["Edit severity, median"][2]


def test_what_caching_saved_is_the_least_where_tokens_have_no_price() -> None:
    spend = {"spend": _made("spend", NANO, numerator=NANO)}

    def saved(**given: Any) -> str:
        this = {
            **spend,
            "cache_saving": _made("cache_saving", 577 * NANO, unit="money", currency="EUR", **given),
        }
        details = digest.compose(_inputs(NOVEMBER, this, spend), LATER).details
        return next(
            row[1] for t in details if isinstance(t, Table) for row in t.rows if row[0] == "Saved by caching"
        )

    assert saved() == "€577"
    assert saved(details={"unpriced_tokens": 5}) == "at least €577"


def test_a_value_that_rounds_to_its_target_and_has_not_reached_it_does_not_read_as_if() -> None:
    aim = Target.model_validate({"kpi": "adoption", "target": 0.7, "owner": "Somebody", "due": "2026-12-31"})

    def row(k: int, state: Any, n: int = 235) -> tuple[str, ...]:
        this = {"adoption": _rate("adoption", k, n, WEEK)}
        targets = {"adoption": Standing(aim, state, short=abs(0.7 - k / n))}
        return _rows(digest.compose(_inputs(WEEK, this, this, targets=targets), LATER))["Adoption"]

    assert row(164, "open")[:2] == ("69.8% (164 of 235)", "70% · 0.2 pts to go")
    assert row(6_996, "open", 10_000)[1] == "70% · < 0.1 pts to go"
    assert row(165, "reached")[:2] == ("70% (165 of 235)", "70% · reached")


def test_a_team_whose_group_grew_by_people_who_moved_there_is_told_in_both_parts() -> None:
    """Twelve who use it came to Motor from other teams, and three of its own began."""
    before = {
        "Motor": _rate("adoption", 10, 20, WEEK.shift(-1)),
        "Property": _rate("adoption", 20, 40, WEEK.shift(-1)),
    }
    now = {"Motor": _rate("adoption", 25, 32, WEEK), "Property": _rate("adoption", 20, 28, WEEK)}
    whole, then = _rate("adoption", 45, 60, WEEK), _rate("adoption", 30, 60, WEEK.shift(-1))

    def change(after: Mapping[str, KpiResult]) -> str:
        given = {"by_team": {"adoption": (before, after)}, "pairs": AdoptionPairs(60, 30, 60, 45, 60, 0, 15)}
        inputs = _inputs(WEEK, {"adoption": whole}, {"adoption": then}, **given)
        return _rows(digest.compose(inputs, LATER))["Adoption"][2]

    assert change(now) == "+25 pts, clear change: mostly Motor (there: usage +75, roster −47)"
    only_larger = {**now, "Motor": _rate("adoption", 25, 50, WEEK)}
    assert "Motor" not in change(only_larger), "half of it uses it, as before"
    same = {**now, "Motor": _rate("adoption", 20, 20, WEEK)}
    assert change(same).endswith("mostly Motor (+50)")
