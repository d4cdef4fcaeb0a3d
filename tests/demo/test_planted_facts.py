"""Every planted fact, computed without the SQL and the pipeline, is what the demo said: that number, once."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from demo_figures import Figures, ask, asked

from uptake.alerts.message import Actions, Chart, Footer, Message, Table
from uptake.calendar import IsoWeek
from uptake.demo import definitions, facts
from uptake.demo.calls import Call
from uptake.demo.oracle import Oracle
from uptake.demo.organisation import DEPARTMENTS, Organisation, teams_of
from uptake.demo.patterns import local_day
from uptake.demo.schedule import stops
from uptake.demo.terms import ALL_TEAMS, Share

WEEK, BEFORE = facts.LAST_WEEK, facts.LAST_WEEK.shift(-1)
AUDIENCES: dict[str, tuple[str, ...]] = {
    "#ai-programme": ALL_TEAMS,
    **{department.channel: teams_of(department.slug) for department in DEPARTMENTS},
}
TRUSTING = [
    channel
    for channel, teams in AUDIENCES.items()
    if teams in (ALL_TEAMS, teams_of("claims"), teams_of("sales"))
]
"""Audiences whose apps ask for decisions."""


def plain(text: str) -> str:
    """One writing for both languages: ordinary spaces, a decimal point, no space before a per cent sign."""
    text = re.sub(r"[\u00a0\u202f]", " ", text)
    return re.sub(r"(\d),(\d)(?!\d\d)", r"\1.\2", text).replace(" %", "%")


def cells(message: Message, kpi: str) -> list[str]:
    """The row of a KPI in the digest's table: label, value, target, change."""
    (table,) = [block for block in message.blocks if isinstance(block, Table)]
    (row,) = [
        row
        for row, reference in zip(table.rows, table.references, strict=True)
        if reference.startswith(f"uptake kpi {kpi} ")
    ]
    return [plain(cell) for cell in row]


def actions(message: Message) -> list[str]:
    return [item for block in message.blocks if isinstance(block, Actions) for item in block.items]


def footer(message: Message) -> str:
    (found,) = [block for block in message.blocks if isinstance(block, Footer)]
    return plain(found.text)


def percent(share: Share) -> str:
    """As a reader would round it: one place below 10 %, and above 99 % downwards, else whole."""
    exact = Decimal(share.numerator) * 100 / share.denominator
    if exact > 99 and share.numerator < share.denominator:
        return f"{exact.quantize(Decimal('0.1'), 'ROUND_DOWN')}%"
    rounded = exact.quantize(Decimal("0.1") if exact < 10 else Decimal(1), ROUND_HALF_UP)
    return f"{rounded:f}%".replace(".0%", "%")


def euros(nano: int) -> str:
    amount = Decimal(nano) / 10**9
    rounded = amount.quantize(Decimal(1) if amount >= 100 else Decimal("0.01"), ROUND_HALF_UP)
    return f"{rounded:,f}"


def points(difference: float) -> str:
    """Signed percentage points: whole from one on, else a tenth."""
    size = abs(Decimal(difference)) * 100
    rounded = size.quantize(Decimal(1) if size >= Decimal("0.95") else Decimal("0.1"), ROUND_HALF_UP)
    return f"{'+' if difference > 0 else '−'}{rounded:f}" if rounded else "±0"


# The digests


@pytest.fixture(params=AUDIENCES)
def channel(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_adoption_is_the_oracles_for_every_audience(demo: Any, oracle: Oracle, channel: str) -> None:
    change = oracle.adoption_change(WEEK, AUDIENCES[channel])
    _, value, _, against = cells(demo.digest(channel), "adoption")
    found = re.search(r"([\d.]+%) \((\d+) (?:of|sur) (\d+)\)", value)
    assert found is not None, value
    shown = percent(change.now)
    if shown == "70%" and change.now.value < 0.7:  # the target, which it would seem to have reached
        shown = f"{change.now.value:.1%}"
    assert found.groups() == (shown, str(change.now.numerator), str(change.now.denominator))
    assert against.startswith(f"{points(change.now.value - change.before.value)} pt")


def test_claims_change_is_split_into_its_usage_part_and_its_roster_part(demo: Any, oracle: Oracle) -> None:
    change = oracle.adoption_change(WEEK, teams_of("claims"))
    against = cells(demo.digest("#claims-ai"), "adoption")[3]
    assert f"usage {points(change.usage_part)}, roster {points(change.roster_part)} " in against
    (joined,) = facts.ELIGIBLE_SINCE_THIS_WEEK
    assert f"{joined.people} joined, 1 left" in against


def test_who_joined_last_week_is_in_grace_and_in_no_denominator(demo: Any, oracle: Oracle) -> None:
    seats = {
        m.address for m in oracle.organisation.members
        if m.seat and m.team_on(WEEK.period(facts.ZONE).last) in ALL_TEAMS
    }  # fmt: skip
    in_grace = sum(joined.people for joined in facts.NEW_THIS_WEEK)
    assert f"of {len(seats) - in_grace})" in cells(demo.digest("#ai-programme"), "adoption")[1]


def test_the_climbing_team_shows_in_the_chart_of_its_department(demo: Any, oracle: Oracle) -> None:
    (chart,) = [block for block in demo.digest("#service-ia").blocks if isinstance(block, Chart)]
    teams = teams_of("service")
    expected = [oracle.adoption(WEEK.shift(n), teams).value for n in range(-11, 1)]
    assert chart.series[0].values == pytest.approx(tuple(expected))


@pytest.mark.parametrize("channel", TRUSTING)
def test_overrides_are_the_oracles_with_their_coverage(demo: Any, oracle: Oracle, channel: str) -> None:
    expected = oracle.override(WEEK, AUDIENCES[channel])
    _, value, _, against = cells(demo.digest(channel), "override_rate")
    assert value.startswith(f"{percent(expected.rate)} [")
    assert f"{percent(Share(expected.covered, expected.shown))} of {expected.shown:,} answers" in against


def test_claims_overrides_are_a_clear_change_and_the_others_are_not(demo: Any) -> None:
    assert "pts, clear change" in cells(demo.digest("#claims-ai"), "override_rate")[3]
    assert "no clear change" in cells(demo.digest("#sales-ai"), "override_rate")[3]


@pytest.mark.parametrize("channel", ["#claims-ai", "#ai-programme"])
def test_the_new_prompt_is_named_with_its_size_and_its_reason(
    demo: Any, oracle: Oracle, channel: str
) -> None:
    change = facts.PROMPT
    prompts, reasons = oracle.prompts(WEEK), oracle.reasons(WEEK, change.after)
    message = demo.digest(channel)
    assert change.after in message.summary
    (item,) = [item for item in actions(message) if change.after in item]
    assert change.app in item
    assert f"{percent(prompts[change.after])} overridden against {percent(prompts[change.before])}" in item
    named = Share(reasons[change.reason], prompts[change.after].numerator)
    assert f"“wrong tone” is {percent(named)} of the reasons" in item
    assert not [item for item in actions(demo.digest("#sales-ai")) if change.after in item]


def test_thumbs_down_are_over_rated_answers(demo: Any, oracle: Oracle, channel: str) -> None:
    expected = oracle.thumbs_down(WEEK, AUDIENCES[channel])
    assert cells(demo.digest(channel), "thumbs_down")[1].startswith(f"{percent(expected)} [")


def test_spend_is_the_oracles_to_the_digit_that_is_shown(demo: Any, oracle: Oracle, channel: str) -> None:
    teams = AUDIENCES[channel]
    _, value, _, against = cells(demo.digest(channel), "spend")
    assert euros(oracle.spend(WEEK.period(facts.ZONE), teams)) in value
    assert euros(oracle.spend(BEFORE.period(facts.ZONE), teams)) in against


def test_the_unauthorised_share_is_the_oracles(demo: Any, oracle: Oracle, channel: str) -> None:
    teams = AUDIENCES[channel]
    expected = oracle.unauthorised(WEEK, teams)
    _, value, _, against = cells(demo.digest(channel), "unauthorised_share")
    assert value.startswith(percent(expected))
    assert (str(facts.SHADOW.calls) in against) == (expected.numerator > 0)


@pytest.mark.parametrize("channel", ["#sales-ai", "#ai-programme"])
def test_the_unregistered_app_is_named_with_its_calls_and_its_cost(
    demo: Any, oracle: Oracle, channel: str
) -> None:
    seen = oracle.sighting(facts.SHADOW.app)
    (item,) = [item for item in actions(demo.digest(channel)) if facts.SHADOW.app in item]
    assert f"{seen.calls} calls" in item
    assert f"€{euros(seen.nano)}" in item


@pytest.mark.parametrize("channel", ["#claims-ai", "#ai-programme"])
def test_the_team_that_never_started_is_named(demo: Any, oracle: Oracle, channel: str) -> None:
    stalled = facts.STALLED
    (item,) = [item for item in actions(demo.digest(channel)) if stalled.team in item]
    eligible = oracle.adoption(WEEK, (stalled.team,)).denominator
    assert f"{oracle.never_started(WEEK, stalled.team)} of {eligible} eligible people" in item
    assert "no champion" in item


def test_the_footer_says_how_far_to_trust_the_figures(demo: Any, oracle: Oracle, channel: str) -> None:
    teams = AUDIENCES[channel]
    said = footer(demo.digest(channel))
    assert percent(oracle.complete(WEEK)) in said
    assert percent(oracle.late(WEEK, teams)) in said
    assert percent(oracle.unpriced(WEEK, teams)) in said


# Alerts and findings


def test_each_threshold_is_said_at_the_first_look_after_it_was_crossed(demo: Any, oracle: Oracle) -> None:
    breach = facts.BREACH
    crossed = oracle.crossings(
        breach.app, date(2026, 11, 1), breach.amount, [t for t, _ in breach.crossed_on]
    )
    looks = stops()
    expected = {
        f"budget/{facts.TENANT}/{breach.budget}/2026-11-01/{breach.amount}/{threshold}": next(
            look for look in looks if look >= at
        )
        for threshold, at in crossed.items()
    }
    assert {each.message.identity: each.at for each in demo.kind("budget")} == expected
    assert tuple((t, local_day(at)) for t, at in crossed.items()) == breach.crossed_on


def test_the_breach_says_amount_and_day(demo: Any) -> None:
    breach = demo.kind("budget")[-1]
    day = dict(facts.BREACH.crossed_on)[100]
    assert breach.message.identity.endswith("/100")
    assert f"€{facts.BREACH.amount}" in breach.message.title
    assert f"{day.day} of 30 days" in breach.message.title
    assert breach.channel == "#claims-ai"


def test_the_unregistered_app_is_told_within_seconds_and_once(demo: Any) -> None:
    (finding,) = demo.kind("finding")
    assert facts.SHADOW.app in finding.message.title
    assert 0 <= (finding.at - facts.SHADOW.first_seen).total_seconds() <= 5
    text = plain(finding.message.model_dump_json())
    assert "1 call" in text
    assert facts.SHADOW.data_class in text
    assert facts.SHADOW.model in text


def test_every_fact_is_one_message(demo: Any) -> None:
    assert set(Counter(each.message.identity for each in demo.spoken).values()) == {1}
    weeks = Counter(each.message.identity.split("/")[3] for each in demo.kind("digest"))
    readers = len(AUDIENCES) + len(definitions.OWNERS)
    spans = [*(str(WEEK.shift(-n)) for n in range(facts.WATCHED_WEEKS + 1)), *facts.CLOSED_BEFORE]
    assert weeks == dict.fromkeys(spans, readers)


# The database that the demo leaves, to the last unit

FIGURES = ("adoption", "override_rate", "thumbs_down", "spend", "unauthorised_share", "tokens", "unpriced_share",
           "late_share", "completeness")  # fmt: skip


@pytest.fixture(scope="module")
def figures(demo: Any) -> Figures:
    return ask(
        demo.root,
        [
            asked(name, week, teams)
            for name in FIGURES
            for week in (WEEK, BEFORE)
            for teams in AUDIENCES.values()
        ],
    )


@pytest.mark.parametrize("week", [WEEK, BEFORE], ids=str)
def test_every_figure_is_the_oracles_to_the_last_unit(
    figures: Figures, oracle: Oracle, channel: str, week: IsoWeek
) -> None:
    teams = AUDIENCES[channel]

    def parts(name: str) -> tuple[int, int]:
        return tuple(figures(name, week, teams)[:2])  # type: ignore[return-value]

    def both(share: Share) -> tuple[int, int]:
        return share.numerator, share.denominator

    period = week.period(facts.ZONE)
    assert parts("adoption") == both(oracle.adoption(week, teams))
    override = oracle.override(week, teams)
    assert parts("override_rate") == both(override.rate)
    found = figures("override_rate", week, teams)
    assert (found.extras["decided"], found.extras["shown"]) == (override.covered, override.shown)
    assert found.excluded["escalated"] == override.escalated
    assert parts("thumbs_down") == both(oracle.thumbs_down(week, teams))
    assert parts("spend")[0] == oracle.spend(period, teams)
    assert parts("unauthorised_share") == both(oracle.unauthorised(week, teams))
    assert parts("tokens")[0] == oracle.tokens(period, teams)
    assert parts("unpriced_share") == both(oracle.unpriced(week, teams))
    assert parts("late_share") == both(oracle.late(week, teams))
    assert parts("completeness") == both(oracle.complete(week))


def test_the_event_from_a_wrong_clock_is_a_dead_letter_and_nothing_else_is(figures: Any) -> None:
    assert figures.letters == [{"reason": "future", "letters": 1}]


def test_what_came_twice_is_said_and_counted_once(demo: Any, figures: Figures, oracle: Oracle) -> None:
    twice = re.search(r"(\d+) events came twice", demo.stdout)
    assert twice is not None
    assert int(twice[1]) >= 1
    assert figures("tokens", WEEK).numerator == oracle.tokens(WEEK)


# People


def test_nobody_is_named_anywhere_but_in_the_roster(demo: Any, people: Organisation) -> None:
    texts = {"stdout": demo.stdout, "stderr": demo.stderr}
    for path in demo.root.rglob("*"):
        if path.is_file() and path.name != "roster.csv":
            texts[str(path.relative_to(demo.root))] = path.read_bytes().decode("utf-8", "replace")
    names = {member.address.removesuffix("@example.com") for member in people.members}
    for where, text in texts.items():
        lower = text.lower()
        assert "@example.com" not in lower, where
        assert not names & set(re.findall(r"[a-z]+\.[a-z]+", lower)), where


def test_the_database_holds_pseudonyms_and_nothing_else_of_people(figures: Any) -> None:
    # Its files are compressed: what they hold is asked, not searched.
    assert figures.named == [{"named": 0, "pseudonyms": True}]


def test_the_roster_is_where_people_are(demo: Any, people: Organisation) -> None:
    roster = (demo.root / "workspace" / "roster.csv").read_text(encoding="utf-8")
    assert all(member.address in roster for member in people.members)


# What is left behind


def test_the_page_holds_every_message_and_needs_nothing_from_elsewhere(demo: Any) -> None:
    page = (demo.root / "index.html").read_text(encoding="utf-8")
    assert page.count("<article") == len(demo.spoken)
    assert not re.search(r"""(?:src|href)=["']https?:|@import|<script""", page)


def test_the_terminal_shows_the_story(demo: Any) -> None:
    for each in [*demo.kind("budget"), *demo.kind("finding")]:
        assert each.message.title in demo.stdout
    for channel in ("#ai-programme", "#claims-ai"):
        assert demo.digest(channel).title in demo.stdout
    # The engine has words of its own where a machine has no cgroups; ours would look like one of these.
    logged = [sign for sign in ("[warning", "[error", "Traceback", "uptake: ") if sign in demo.stderr]
    assert logged == []


def test_every_message_is_delivered_as_files(demo: Any) -> None:
    written = list(Path(demo.root / "data" / "messages").iterdir())
    assert Counter(path.suffix for path in written) == dict.fromkeys(
        (".txt", ".html", ".json"), len(demo.spoken)
    )


def test_the_plan_was_sent_whole(demo: Any, plan: list[Call]) -> None:
    assert f"{len(plan):,} events" in demo.stdout
    assert max(each.at for each in demo.spoken) == datetime(2026, 11, 16, 8, tzinfo=facts.TZ)
