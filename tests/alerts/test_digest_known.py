"""A period of which only a part is known is compared with nothing, judged by nothing, and drawn by nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from uptake.alerts import digest
from uptake.alerts.budgets import evaluate
from uptake.alerts.digest import DigestInputs
from uptake.alerts.gather import Gatherer
from uptake.alerts.message import Actions, Chart, Message, Table, Text
from uptake.alerts.targets import Standing
from uptake.calendar import Closed, FiscalQuarter, IsoWeek, Month
from uptake.sql.results import KpiResult, SpendSoFar
from uptake.stats import wilson
from uptake.stats.forecast import Forecast
from uptake.workspace.models import Audience, Budget, Organisation, Target

NANO = 10**9
ZONE = "Europe/Paris"
ORGANISATION = Organisation(tenant="acme", name="Acme", zone=ZONE)
EVERYBODY = Audience(audience="all", name="Acme")
IN_FRENCH = Audience(audience="all", name="Acme", locale="fr")
BEGAN = date(2026, 8, 17)  # a Monday
LATER = datetime(2026, 12, 10, 8, tzinfo=UTC)
AUGUST = Month(2026, 8)


def _money(span: Closed, units: int | None) -> KpiResult:
    nano = None if units is None else units * NANO
    return KpiResult("spend", span.period(ZONE), (), "money", nano, nano, None, None, 1, currency="EUR")


def _share(kpi: str, span: Closed, k: int, n: int = 200, **given: Any) -> KpiResult:
    return KpiResult(kpi, span.period(ZONE), (), "share", k / n, k, n, wilson(k, n), 1, **given)


def _seats(span: Closed) -> KpiResult:
    extras = {"idle_priced": 72, "idle_cost_nano": 864 * NANO}
    return _share("seats", span, 128, currency="EUR", parts={"used": 128, "idle": 72}, extras=extras)


def _made(span: Closed, this: Sequence[KpiResult], before: Sequence[KpiResult], **given: Any) -> Message:
    def named(results: Sequence[KpiResult]) -> Mapping[str, KpiResult]:
        return {result.kpi: result for result in results}

    until = span.period(ZONE).end
    inputs = DigestInputs(
        ORGANISATION, EVERYBODY, span, named(this), named(before), data_until=until, known_from=BEGAN
    )
    return digest.compose(replace(inputs, **given), LATER)


def _month(month: Month, now: int, before: int | None, **given: Any) -> Message:
    earlier = month.shift(-1)
    history = {"spend": [_money(earlier.shift(-1), None), _money(earlier, before), _money(month, now)]}
    teams = {
        "spend": ({"Claims": _money(earlier, before)}, {"Claims": _money(month, now)}),
        "seats": ({}, {"Claims": _seats(month)}),
    }
    return _made(
        month,
        [_money(month, now), _seats(month)],
        [_money(earlier, before), _seats(earlier)],
        history=history,
        by_team=teams,
        by_app=teams,
        **given,
    )


def _rows(message: Message) -> dict[str, tuple[str, ...]]:
    table = next(block for block in message.blocks if isinstance(block, Table))
    return {row[0]: row[1:] for row in table.rows}


def _texts(message: Message) -> list[str]:
    return [block.text for block in message.blocks if isinstance(block, Text)]


def test_the_first_month_is_known_in_part_and_says_so_instead_of_a_verdict() -> None:
    message = _month(AUGUST, 501, None)
    assert _texts(message) == [
        "Only part of this month is known, from Mon 17 Aug on. Spend was €501.",
        "It is compared with nothing and judged by no target; September will be the first whole month.",
    ]
    assert _rows(message) == {"Spend": ("€501", "no budget", "–")}


def test_a_month_that_is_abbreviated_does_not_end_a_sentence_twice() -> None:
    november = Month(2026, 11)
    message = _month(november, 900, None, known_from=date(2026, 11, 11), audience=IN_FRENCH)
    assert message.summary.startswith(
        "Une partie seulement de ce mois est connue, à partir du mer. 11 nov. Dépenses"
    )


def test_nobody_was_idle_for_four_weeks_of_which_two_are_known() -> None:
    assert "Seats in use" not in _rows(_month(AUGUST, 501, None))
    assert not [block for block in _month(AUGUST, 501, None).blocks if isinstance(block, Actions)]
    september = _month(AUGUST.shift(1), 3879, 501)
    assert _rows(september)["Seats in use"][0] == "64% (128 of 200)"
    assert [block for block in september.blocks if isinstance(block, Actions)]


def test_the_first_whole_month_says_that_it_is_the_first() -> None:
    september = AUGUST.shift(1)
    message = _made(september, [_money(september, 3879)], [])
    assert _texts(message)[0].startswith("Spend was €3,879.")
    assert _texts(message)[1].startswith("First whole month: data begin on 17 August 2026")
    assert _rows(message)["Spend"][2] == "–"


def test_months_before_the_first_whole_one_are_not_drawn() -> None:
    october = AUGUST.shift(2)
    spends = [_money(AUGUST.shift(n), units) for n, units in ((-1, None), (0, None), (1, 3879), (2, 4042))]
    message = _made(october, [spends[-1]], [spends[-2]], history={"spend": spends})
    assert _rows(message)["Spend"][2] == "€3,879 in September"
    (chart,) = [block for block in message.blocks if isinstance(block, Chart)]
    assert chart.labels == ("September", "October")
    assert chart.series[0].values == (3879.0, 4042.0)


def test_a_week_that_begins_with_the_data_is_a_whole_one_and_the_first() -> None:
    week = IsoWeek(2026, 34)
    message = _made(week, [_share("adoption", week, 96)], [])
    assert _texts(message) == [
        "Adoption stands at 48%. Nothing else stands out.",
        "First whole week: data begin on 17 August 2026, so there is none to compare it with.",
    ]


def test_a_week_that_began_unheard_says_so_first() -> None:
    week = IsoWeek(2026, 34)
    message = _made(week, [_share("adoption", week, 96)], [], known_from=date(2026, 8, 20))
    assert _texts(message) == [
        "Only part of this week is known, from Thu 20 Aug on. Adoption stands at 48%.",
        "It is compared with nothing and judged by no target; W35 will be the first whole week.",
    ]


@pytest.mark.parametrize("kpi", ["override_rate", "habits"])
def test_a_target_is_not_judged_on_a_part(kpi: str) -> None:
    quarter = FiscalQuarter.parse("FY2026-Q3", 1)
    aim = Target.model_validate({"kpi": kpi, "target": 0.1, "owner": "Somebody", "due": "2026-12-31"})
    behind = Standing(aim, "behind", "", -0.5, 0.12, 0.1)
    result = _share("override_rate", quarter, 40, direction="down")
    message = _made(quarter, [result], [], targets={kpi: behind})
    (row,) = next(t for t in message.details if isinstance(t, Table) and t.caption == "Targets").rows
    assert row[4] == "open: known in part"
    assert not [block for block in message.blocks if isinstance(block, Actions)]


def test_a_month_judges_adoption_on_its_last_week_which_may_be_whole() -> None:
    aim = Target.model_validate({"kpi": "adoption", "target": 0.7, "owner": "Somebody", "due": "2026-12-31"})
    on_track = Standing(aim, "on_track", "", 0.5, 0.6, 0.1)
    message = _month(AUGUST, 501, None, targets={"adoption": on_track})
    (row,) = next(t for t in message.details if isinstance(t, Table) and t.caption == "Targets").rows
    assert row[4] == "on track, 10 pts to go"


def test_figures_without_data_take_one_line_together() -> None:
    quarter = FiscalQuarter.parse("FY2026-Q3", 1)
    names = ("nps", "edit_severity", "thumbs_down")
    none = [replace(_share(name, quarter, 0), value=None, interval=None, numerator=0) for name in names]
    message = _made(quarter, [*none, _share("override_rate", quarter, 20, direction="down")], [])
    assert list(_rows(message)) == ["Override rate", "Promoter score, thumbs down, edit severity, median"]
    assert _rows(message)["Promoter score, thumbs down, edit severity, median"] == ("no data", "–", "–")
    alone = _made(quarter, [none[0], _share("override_rate", quarter, 20, direction="down")], [])
    assert list(_rows(alone)) == ["Promoter score", "Override rate"]


@pytest.mark.parametrize(("since", "weeks"), [(date(2026, 10, 19), 4), (date(2026, 10, 23), None)])
def test_nobody_used_nothing_in_four_weeks_of_which_three_and_a_half_are_known(
    world: Any, since: date, weeks: int | None
) -> None:
    for day in (since, date(2026, 10, 27), date(2026, 11, 3), date(2026, 11, 10)):
        world.usage(datetime.combine(day, time(10), UTC), 5, calls=6)
    gatherer = Gatherer(world.database.tenant(world.tenant), world.workspace)
    idle = gatherer.inputs(world.workspace.channels.audiences[1], IsoWeek(2026, 46)).idle
    assert [(one.people, one.weeks) for one in idle] == ([(14, weeks)] if weeks else [])


@pytest.mark.parametrize(("month", "said"), [(Month(2026, 9), True), (AUGUST, False)])
def test_a_month_that_is_over_has_no_forecast(month: Month, said: bool) -> None:
    """September is forecast on the last day of August, and August is known."""
    budget = Budget(budget="all", name="All", amount=Decimal(900))
    at = AUGUST.period(ZONE).end
    judged = evaluate(budget, SpendSoFar(501 * NANO, 501 * NANO, 0, None), month.period(ZONE), at)
    made = {"all": Forecast(501 * NANO, 501 * NANO, 501 * NANO)}
    message = _made(AUGUST, [_money(AUGUST, 501)], [], budgets=[judged], forecasts=made)
    assert ("forecast €501" in str(message.blocks)) == said
    [table] = [block for block in message.details if isinstance(block, Table) and "Budgets" in block.caption]
    assert table.rows[0][4] == ("€501 [€501–€501]" if said else "–")
