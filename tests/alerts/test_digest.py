"""The digest by its rules, and by goldens in both languages (see test_render for how they are refreshed)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from uptake.alerts import budgets, digest, findings
from uptake.alerts.digest import DigestInputs
from uptake.alerts.digest.noticing import idle_teams, prompt_jumps
from uptake.alerts.message import Actions, Chart, Footer, Message, Table, Text
from uptake.alerts.render import text
from uptake.alerts.targets import Standing
from uptake.calendar import IsoWeek, Period, month_of
from uptake.errors import UsageError
from uptake.sql.results import (
    AdoptionPairs,
    KpiResult,
    PromptOverrides,
    ReasonCount,
    SpendSoFar,
    UnauthorisedGroup,
)
from uptake.stats import wilson
from uptake.workspace.models import Audience, Budget, Organisation, Scope, Target

GOLDENS = Path(__file__).parent / "goldens"
NANO = 10**9
ZONE = "Europe/Paris"
WEEK = IsoWeek(2026, 46)
PERIOD, EARLIER = WEEK.period(ZONE), WEEK.shift(-1).period(ZONE)
MONDAY = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)
ORGANISATION = Organisation(tenant="acme", name="Acme", zone=ZONE)

Make = Callable[..., DigestInputs]


def _share(kpi: str, k: int, n: int, period: Period = PERIOD, **given: Any) -> KpiResult:
    wide = kpi not in ("unauthorised_share", "completeness", "late_share", "unpriced_share")
    return KpiResult(
        kpi=kpi,
        period=period,
        teams=(),
        unit="share",
        value=k / n if n else None,
        numerator=k,
        denominator=n,
        interval=wilson(k, n) if n and wide else None,
        definition_version=1,
        direction="up" if kpi == "adoption" else "down",
        currency="EUR" if kpi == "unauthorised_share" else "",
        **given,
    )


def _spend(units: int, period: Period = PERIOD, **given: Any) -> KpiResult:
    nano = units * NANO
    return KpiResult(
        "spend", period, ("Claims",), "money", nano, nano, None, None, 1, currency="EUR", **given
    )


def _open(kpi: str, aim: float, value: float) -> Standing:
    target = Target.model_validate({"kpi": kpi, "target": aim, "owner": "Somebody", "due": "2026-12-31"})
    return Standing(target, "open", "no_baseline", short=abs(aim - value))


def _hidden(kpi: str) -> KpiResult:
    return KpiResult(kpi, PERIOD, (), "share", None, None, None, None, 1, suppressed=True)


def _at(day: int) -> datetime:
    return datetime(2026, 11, day, 9, tzinfo=UTC)


def _finding() -> findings.Finding:
    said = ("unregistered_app", "tender-bot", "", "Sales", _at(10), _at(15))
    group = UnauthorisedGroup(*said, 4180, 7, 96 * NANO, 96 * NANO, 0, (), ())
    return findings.merge([group])[0]


PROMPTS = [
    PromptOverrides("claims-letter", "letter", "v13", 300, 39, _at(9)),
    PromptOverrides("claims-letter", "letter", "v14", 450, 140, _at(12)),
]
REASONS = [
    ReasonCount("claims-letter", "letter", "v14", "wrong_tone", 81, 140),
    ReasonCount("claims-letter", "letter", "v14", "other", 20, 140),
    ReasonCount("claims-letter", "letter", "v14", "", 90, 140),
]
BY_TEAM = {
    "Recovery": _share("adoption", 9, 18),
    "Claims": _share("adoption", 50, 70),
    "Motor": _share("adoption", 60, 80),
    "Health": _share("adoption", 45, 62),
    "Property": _share("adoption", 24, 42),
    "Legal": _share("adoption", 17, 30),
}
CHAMPIONS = KpiResult(
    "champions", PERIOD, (), "points", 17.6, 205, 302, (14.0, 25.0), 1,
    details={"with_champion": 155 / 212, "without_champion": 50 / 90},
)  # fmt: skip
AIMS = {"adoption": 0.7, "override_rate": 0.15, "thumbs_down": 0.1, "unauthorised_share": 0.0}
BUDGET = Budget(budget="claims", name="Claims", scope=Scope(team="Claims"), amount=Decimal(2000))


def _budget(spent: int) -> budgets.Evaluation:
    period = month_of(PERIOD.last, ZONE)
    return budgets.evaluate(BUDGET, SpendSoFar(spent * NANO, spent * NANO, 0, None), period, PERIOD.end)


@pytest.fixture
def make() -> Make:
    def inputs(locale: str = "en", **changes: Any) -> DigestInputs:
        weeks = [WEEK.shift(n).period(ZONE) for n in range(-11, 1)]
        given = DigestInputs(
            organisation=ORGANISATION,
            audience=Audience(audience="claims", name="Claims", teams=("Claims",), locale=locale),  # type: ignore[arg-type]
            span=WEEK,
            this={
                "adoption": _share("adoption", 52, 82),
                "override_rate": _share("override_rate", 202, 841, extras={"decided": 841, "shown": 1912}),
                "thumbs_down": _share("thumbs_down", 44, 400, extras={"rated": 400, "shown": 1912}),
                "spend": _spend(1240),
                "unauthorised_share": _share(
                    "unauthorised_share", 18 * NANO, 1000 * NANO, extras={"unauthorised_calls": 4180}
                ),
                "completeness": _share("completeness", 997, 1000),
                "late_share": _share("late_share", 2, 1000),
                "unpriced_share": _share("unpriced_share", 4, 1000),
            },
            before={
                "adoption": _share("adoption", 47, 79, EARLIER),
                "override_rate": _share("override_rate", 120, 800, EARLIER),
                "thumbs_down": _share("thumbs_down", 40, 400, EARLIER),
                "spend": _spend(1120, EARLIER),
                "unauthorised_share": _share("unauthorised_share", 0, 900 * NANO, EARLIER),
            },
            pairs=AdoptionPairs(79, 47, 82, 52, 79, 4, 9),
            targets={
                name: _open(name, aim, value)
                for name, aim, value in (
                    ("adoption", 0.7, 52 / 82),
                    ("override_rate", 0.15, 202 / 841),
                    ("thumbs_down", 0.1, 0.11),
                    ("unauthorised_share", 0, 0.018),
                )
            },
            budgets=[_budget(1240)],
            findings=[_finding()],
            new_findings=1,
            known_findings=1,
            jumps=prompt_jumps(PROMPTS, [], REASONS),
            idle=idle_teams(BY_TEAM, frozenset({"Claims", "Motor", "Health"}), 12, (), CHAMPIONS),
            history={
                "adoption": [_share("adoption", 19 + 3 * n, 82, week) for n, week in enumerate(weeks)],
                "override_rate": [
                    _share("override_rate", 20 if n == 11 else 10, 0 if n == 4 else 100, week)
                    for n, week in enumerate(weeks)
                ],
            },
            data_until=datetime(2026, 11, 15, 22, 59, 58, tzinfo=UTC),
        )
        return replace(given, **changes)

    return inputs


def _table(message: Message) -> dict[str, tuple[str, ...]]:
    (table,) = [block for block in message.blocks if isinstance(block, Table)]
    return {row[0]: row[1:] for row in table.rows}


def _verdict(message: Message) -> str:
    return next(block.text for block in message.blocks if isinstance(block, Text) and block.strong)


def _said(message: Message) -> list[str]:
    """What stands between the verdict and the table."""
    return [block.text for block in message.blocks if isinstance(block, Text) and not block.strong]


def _actions(message: Message) -> tuple[str, ...]:
    return next((block.items for block in message.blocks if isinstance(block, Actions)), ())


def _footer(message: Message) -> str:
    return next(block.text for block in message.blocks if isinstance(block, Footer))


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_the_digest_reads_as_agreed(make: Make, locale: str) -> None:
    drawn = text.render(digest.compose(make(locale), MONDAY))
    path = GOLDENS / f"digest.{locale}.txt"
    if os.environ.get("UPTAKE_REFRESH_GOLDENS"):
        path.write_text(drawn, encoding="utf-8")
    assert drawn == path.read_text(encoding="utf-8")


def test_a_week_that_is_not_over_is_refused(make: Make) -> None:
    last_second = PERIOD.end - timedelta(seconds=1)
    with pytest.raises(UsageError, match="is not over") as caught:
        digest.compose(make(), last_second)
    assert "2026-W45" in caught.value.hint
    digest.compose(make(), PERIOD.end)


# --- cells ---


def test_a_number_never_stands_without_its_denominator_or_interval(make: Make) -> None:
    rows = _table(digest.compose(make(), MONDAY))
    assert rows["Adoption"][0] == "63% (52 of 82)"
    assert rows["Override rate"][0] == "24% [21–27]"
    assert rows["Thumbs down"][0] == "11% [8.3–14]"
    assert "44% of 1,912 answers were decided" in rows["Override rate"][2]


def test_a_change_is_split_into_use_and_roster_and_tested(make: Make) -> None:
    rows = _table(digest.compose(make(), MONDAY))
    assert rows["Adoption"][2] == "+4 pts, no clear change: usage +6, roster −2 (3 joined)"
    clear = make(pairs=AdoptionPairs(79, 47, 82, 62, 79, 1, 16))
    changed = _table(digest.compose(clear, MONDAY))["Adoption"][2]
    assert "clear change" in changed
    assert "no clear change" not in changed


def test_the_same_people_need_no_roster_part(make: Make) -> None:
    rows = _table(digest.compose(make(pairs=AdoptionPairs(82, 49, 82, 52, 82, 4, 7)), MONDAY))
    assert rows["Adoption"][2] == "+4 pts, no clear change"


def test_no_data_is_not_no_use(make: Make) -> None:
    given = make()
    this = {**given.this, "override_rate": _share("override_rate", 0, 0, extras={"decided": 0, "shown": 40})}
    rows = _table(digest.compose(replace(given, this=this), MONDAY))
    assert rows["Override rate"][0] == "no data"
    assert rows["Override rate"][2] == "0% of 40 answers were decided"
    empty = replace(given, data_until=None)
    assert "not the same as no use" in _verdict(digest.compose(empty, MONDAY))
    assert "no event in this week" in _footer(digest.compose(empty, MONDAY))


def test_a_first_week_has_nothing_to_be_compared_with(make: Make) -> None:
    message = digest.compose(make(before={}, pairs=None), MONDAY)
    rows = _table(message)
    assert rows["Adoption"][2] == "–"
    assert "W45" not in " ".join(cell for row in rows.values() for cell in row)
    assert _said(message) == ["There are no data for W45 to compare it with."], "once, and not in each row"
    assert "Adoption stands at 63%." in _verdict(message)


@pytest.mark.parametrize(("first_day", "in_part"), [(1, False), (2, False), (3, True), (8, True)])
def test_a_week_of_which_only_a_part_is_known_is_compared_with_nothing(
    make: Make, first_day: int, in_part: bool
) -> None:
    """W45 is 2 to 8 November: known from its Monday on it is whole."""
    message = digest.compose(make(before={}, pairs=None, known_from=date(2026, 11, first_day)), MONDAY)
    assert _said(message)[0].startswith("First whole week: data begin on ") == in_part
    assert _said(message)[0].startswith("There are no data for W45") != in_part


def test_a_group_too_small_is_hidden_and_says_so(make: Make) -> None:
    given = make()
    this = {**given.this, "adoption": _hidden("adoption")}
    message = digest.compose(replace(given, this=this, pairs=None), MONDAY)
    assert _table(message)["Adoption"] == ("not shown: fewer than 5 people", "70%", "–")
    assert "52" not in text.render(message)
    assert _verdict(message).startswith("Adoption is not shown")


def test_a_cost_that_is_not_known_is_said_and_bounded(make: Make) -> None:
    given = make()
    open_end = _spend(1240, excluded={"unpriced_calls": 12}, extras={"unpriced_upper_nano": 5 * NANO})
    rows = _table(digest.compose(replace(given, this={**given.this, "spend": open_end}), MONDAY))
    assert rows["Spend"][0] == "at least €1,240"
    assert "12 calls without a price, at most €5.00 more" in rows["Spend"][2]


def test_a_week_of_which_no_price_is_known_is_not_a_week_of_zero(make: Make) -> None:
    given = make()
    open_end = {"excluded": {"unpriced_calls": 12}, "extras": {"unpriced_upper_nano": 5 * NANO}}
    weeks = {"this": _spend(0, **open_end), "before": _spend(0, EARLIER, **open_end)}
    changed = replace(
        given,
        this={**given.this, "spend": weeks["this"]},
        before={**given.before, "spend": weeks["before"]},
    )
    row = _table(digest.compose(changed, MONDAY))["Spend"]
    assert row[0] == "not known, at most €5.00"
    assert row[2].startswith("not known, at most €5.00 in W45 · 62% used")
    assert row[2].endswith(" · 12 calls without a price")
    assert "€0.00" not in text.render(digest.compose(changed, MONDAY))


@pytest.mark.parametrize(
    ("units", "calls", "value", "notes"),
    [
        (1240, 0, "at least €1,240", "1 cost in a currency without a rate"),
        (1240, 5, "at least €1,240", "5 calls without a price · 1 cost in a currency without a rate"),
        (0, 5, "not known", "5 calls without a price · 1 cost in a currency without a rate"),
    ],
)
def test_a_cost_in_a_currency_without_a_rate_has_no_bound(
    make: Make, units: int, calls: int, value: str, notes: str
) -> None:
    given = make()
    excluded = {"unpriced_calls": calls, "cost_events_without_rate": 1}
    spend = _spend(units, excluded=excluded, extras={"unpriced_upper_nano": 50_075 * NANO})
    row = _table(digest.compose(replace(given, this={**given.this, "spend": spend}), MONDAY))["Spend"]
    assert row[0] == value
    assert row[2].startswith("€1,120 in W45 · 62% used, 50% of November gone · ")
    assert row[2].endswith(f" · {notes}")
    assert "at most" not in row[2]


def test_spend_stands_beside_its_budget(make: Make) -> None:
    rows = _table(digest.compose(make(), MONDAY))
    used = "62% used, 50% of November gone"
    assert rows["Spend"] == ("€1,240", "€2,000 a month", f"€1,120 in W45 · {used}")
    part = replace(
        _budget(1240), budget=BUDGET.model_copy(update={"scope": Scope(app="letters"), "name": "Letters"})
    )
    one = _table(digest.compose(make(budgets=[part]), MONDAY))["Spend"]
    assert one[1:] == ("1 budget", "€1,120 in W45 · Letters: 62% of €2,000 used, 50% of November gone")
    two = [_budget(1240), replace(_budget(2100), budget=BUDGET.model_copy(update={"name": "Letters"}))]
    several = _table(digest.compose(make(budgets=two), MONDAY))["Spend"]
    assert several[1] == "2 budgets"
    assert "Letters: 105% of €2,000 used" in several[2]
    assert _table(digest.compose(make(budgets=[]), MONDAY))["Spend"][1] == "no budget"


# --- verdict ---


def _with(given: DigestInputs, name: str, now: tuple[int, int], before: tuple[int, int]) -> DigestInputs:
    this = {**given.this, name: _share(name, *now)}
    return replace(given, this=this, before={**given.before, name: _share(name, *before, EARLIER)})


def test_the_verdict_names_adoption_and_what_presses_most(make: Make) -> None:
    assert _verdict(digest.compose(make(), MONDAY)) == (
        "Adoption holds. Overrides jumped on Thursday with claims-letter · letter, prompt v14: look at it first."
    )
    calm = _with(make(), "override_rate", (120, 800), (120, 800))
    calm = replace(calm, jumps=[])
    assert _verdict(digest.compose(calm, MONDAY)).endswith("1 unauthorised use is new.")
    calm = replace(calm, new_findings=0)
    assert _verdict(digest.compose(calm, MONDAY)).endswith("Nothing else stands out.")
    over = replace(calm, budgets=[_budget(2100)])
    assert _verdict(digest.compose(over, MONDAY)).endswith("Claims is over budget.")
    fell = _with(calm, "override_rate", (80, 800), (160, 800))
    assert _verdict(digest.compose(fell, MONDAY)).endswith("Overrides fell to 10%.")
    thumbs = _with(calm, "thumbs_down", (90, 400), (40, 400))
    assert _verdict(digest.compose(thumbs, MONDAY)).endswith("Thumbs down rose to 23%.")


def test_a_fall_that_the_roster_caused_is_said_to_be_one(make: Make) -> None:
    grown = _with(make(), "adoption", (48, 96), (47, 79))
    grown = replace(grown, pairs=AdoptionPairs(79, 47, 96, 48, 79, 0, 1))
    assert _verdict(digest.compose(grown, MONDAY)).startswith("Adoption is lower because the roster grew")


def test_a_clear_rise_and_fall_are_said(make: Make) -> None:
    risen = replace(make(), pairs=AdoptionPairs(79, 47, 82, 62, 79, 1, 16))
    assert _verdict(digest.compose(risen, MONDAY)).startswith("Adoption rose to 63%.")
    fallen = replace(make(), pairs=AdoptionPairs(79, 47, 79, 30, 79, 18, 1))
    assert _verdict(digest.compose(fallen, MONDAY)).startswith("Adoption fell to 63%.")


def test_a_rise_that_no_single_week_shows_is_said_against_the_first_known_week(make: Make) -> None:
    climbed = replace(make(), since=(WEEK.shift(-8), AdoptionPairs(78, 25, 82, 52, 76, 1, 27)))
    assert _verdict(digest.compose(climbed, MONDAY)).startswith(
        "Adoption holds, and is clearly up from 32% in W38."
    )
    unclear = replace(make(), since=(WEEK.shift(-8), AdoptionPairs(78, 45, 82, 52, 76, 10, 15)))
    assert _verdict(digest.compose(unclear, MONDAY)).startswith("Adoption holds. ")


@pytest.mark.parametrize(
    ("active", "english", "french"),
    [
        (45, "Adoption holds. ", "Adoption stable. "),
        (52, "Adoption shows no clear change. ", "L’adoption ne montre pas d’évolution nette. "),
        (35, "Adoption shows no clear change. ", "L’adoption ne montre pas d’évolution nette. "),
    ],
)
def test_a_change_that_is_not_clear_is_not_called_stable_unless_it_is_small(
    make: Make, active: int, english: str, french: str
) -> None:
    pairs = AdoptionPairs(80, 44, 80, active, 80, 10, 10)
    for locale, says in (("en", english), ("fr", french)):
        assert _verdict(digest.compose(make(locale, pairs=pairs), MONDAY)).startswith(says)
    climbed = (WEEK.shift(-8), AdoptionPairs(78, 25, 82, 52, 76, 1, 27))
    since = _verdict(digest.compose(make(pairs=pairs, since=climbed), MONDAY))
    assert since.startswith(f"{english.split('.')[0]}")
    assert since.startswith("Adoption holds, and is clearly up") == (active == 45)


def test_the_day_of_a_jump_is_named_only_where_the_week_shows_its_beginning(make: Make) -> None:
    given = make()
    whole_week = replace(given, jumps=[replace(given.jumps[0], first_at=None)])
    assert "jumped with claims-letter" in _verdict(digest.compose(whole_week, MONDAY))


def test_a_week_before_any_data_is_nothing_to_compare_with(make: Make) -> None:
    given = make()
    before = {
        name: replace(result, value=None, interval=None, numerator=0) for name, result in given.before.items()
    }
    message = digest.compose(replace(given, before=before, pairs=None), MONDAY)
    rows = _table(message)
    assert "W45" not in " ".join(
        rows[kpi][2] for kpi in ("Adoption", "Override rate", "Thumbs down", "Spend")
    )
    assert _said(message) == ["There are no data for W45 to compare it with."]
    one_known = {**before, "spend": given.before["spend"]}
    rows = _table(digest.compose(replace(given, before=one_known, pairs=None), MONDAY))
    for kpi in ("Adoption", "Override rate", "Thumbs down"):
        assert "no data for W45" in rows[kpi][2], kpi
    assert "W45" in rows["Spend"][2]
    assert "no data" not in rows["Spend"][2]


# --- do next ---


def test_every_action_names_the_place_and_the_size(make: Make) -> None:
    assert _actions(digest.compose(make(), MONDAY)) == (
        "claims-letter · letter, prompt v14: 31% overridden against 13% with v13; “wrong tone” is 58% of the reasons. "
        "Compare or roll back.",
        "tender-bot is not in the registry: 4,180 calls and €96.00 this week in Sales. Register it or stop it.",
        "9 of 18 eligible people in Recovery have used nothing in 12 weeks, and the team has no champion. "
        "Teams with one stand at 73%, without at 56% (difference 18 pts [14–25]; a difference, not a proven cause). "
        "Name one there.",
    )


def test_nothing_to_do_is_no_list(make: Make) -> None:
    assert _actions(digest.compose(make(jumps=[], findings=[], idle=[]), MONDAY)) == ()


def test_what_is_to_do_goes_by_the_registry_and_the_budgets_of_the_audience(make: Make) -> None:
    given = make(jumps=[], idle=[], registered=frozenset({"tender-bot"}), budgets=[_budget(2100)])
    (item,) = _actions(digest.compose(given, MONDAY))
    assert item.startswith("Budget Claims: 105% of €2,000 used")


def test_a_prompt_that_was_as_bad_before_is_not_blamed_for_the_rise(make: Make) -> None:
    known = replace(make().jumps[0], risen=False)
    assert "Overrides jumped to 24%." in _verdict(digest.compose(make(jumps=[known]), MONDAY))
    both = [known, replace(known, prompt="v15", risen=True, first_at=None)]
    assert "letter, prompt v15: look" in _verdict(digest.compose(make(jumps=both), MONDAY))


# --- chart and footer ---


def test_a_week_without_data_is_a_gap_in_the_chart(make: Make) -> None:
    message = digest.compose(make(), MONDAY)
    (chart,) = [block for block in message.blocks if isinstance(block, Chart)]
    assert chart.labels[0] == "W35"
    assert chart.labels[-1] == "W46"
    assert chart.series[1].values[4] is None
    assert chart.summary == "Adoption: 23% in W35, 63% in W46. Override rate: 10% in W35, 20% in W46."


def test_one_point_is_no_chart(make: Make) -> None:
    lone = {"adoption": [_share("adoption", 0, 0, EARLIER), _share("adoption", 5, 10)]}
    message = digest.compose(make(history=lone), MONDAY)
    assert not [block for block in message.blocks if isinstance(block, Chart)]


def test_the_footer_says_how_far_to_trust_it(make: Make) -> None:
    assert _footer(digest.compose(make(), MONDAY)) == (
        "99.7% of events complete · 0.2% late · 0.4% of tokens unpriced · data until Sun 15 Nov 23:59 · definitions v3"
    )
    given = make()
    this = {**given.this, "completeness": _share("completeness", 0, 0)}
    assert _footer(digest.compose(replace(given, this=this), MONDAY)).startswith("completeness not known")


def test_a_week_across_two_years_keeps_its_iso_name(make: Make) -> None:
    week = IsoWeek(2026, 53)
    message = digest.compose(replace(make(), span=week), datetime(2027, 1, 4, 8, tzinfo=UTC))
    assert message.title == "Claims · week 2026-W53, Mon 28 Dec 2026 – Sun 3 Jan 2027 (Europe/Paris)"
    assert date(2027, 1, 3) == week.period(ZONE).last
