"""What to do next: at most three things, each named by a rule that was tested, with its place and size. Pure.

The rules, in the order of their weight, stand in docs/reading.md.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from uptake.alerts import formats
from uptake.alerts.budgets import Evaluation
from uptake.alerts.findings import FEW, Finding
from uptake.alerts.formats import Language
from uptake.alerts.phrases import counted, say
from uptake.alerts.targets import Standing
from uptake.schemas.taxonomy import REASONS
from uptake.sql.results import KpiResult, PromptOverrides, ReasonCount
from uptake.stats import bootstrap_difference, compare_shares, drift

AT_MOST = 3
ENOUGH_DECISIONS = 20  # on either side of a comparison
WORTH_SAYING = 0.05  # a clear difference smaller than this is nothing to act on
MAIN_REASON = 0.3
COMPLETE = 0.98  # a smaller part of what SDKs were handed is a fault somewhere
UNPRICED = 0.05  # of all tokens


@dataclass(frozen=True, slots=True)
class PromptJump:
    """A prompt version that people override clearly more often than another one of the same app and use case.

    `first_at` is its first decision, where that and one about the version it follows lie in the week: then it is when
    the jump began, else None. `risen` tells whether it is new this week, or overridden clearly more than in the week
    before: else the week's rise is not its doing.
    """

    place: str
    prompt: str
    share: float
    other: str
    other_share: float
    excess: float
    reason: str = ""
    reason_share: float = 0.0
    first_at: datetime | None = None
    risen: bool = True


@dataclass(frozen=True, slots=True)
class Idle:
    """Of a team's `eligible` people, the ones who did not use anything once in `weeks`."""

    team: str
    people: int
    eligible: int
    weeks: int
    has_champion: bool
    champions: tuple[float, float, float, float] | None = None
    """Adoption of teams with a champion, without one, and the interval of the difference, where that is clear."""


def prompt_jumps(
    this: Iterable[PromptOverrides], before: Iterable[PromptOverrides], reasons: Sequence[ReasonCount] = ()
) -> list[PromptJump]:
    """Versions that are overridden clearly more (Newcombe, 95 %) than the version they follow, the worst first.

    A version is compared with the one that came before it this week, else with the most decided other version
    of the week before. Fewer than 20 decisions on a side are no comparison.
    """
    last_week = {(row.app, row.use_case, row.prompt_version): row for row in before}
    earlier = [row for row in last_week.values() if row.decided >= ENOUGH_DECISIONS]
    groups: dict[tuple[str, str], list[PromptOverrides]] = {}
    for row in this:
        if row.prompt_version and row.decided >= ENOUGH_DECISIONS:
            groups.setdefault((row.app, row.use_case), []).append(row)
    found = []
    for (app, use_case), rows in groups.items():
        rows.sort(key=lambda row: (row.first_at, row.prompt_version))
        past = [r for r in earlier if (r.app, r.use_case) == (app, use_case) and r.prompt_version]
        for at, row in enumerate(rows):
            others = [r for r in past if r.prompt_version != row.prompt_version]
            other = rows[at - 1] if at else max(others, key=lambda r: r.decided, default=None)
            jump = _jump(row, other, reasons) if other else None
            if jump is not None:
                was = last_week.get((app, use_case, row.prompt_version))
                began = row.first_at if at and was is None else None
                found.append(replace(jump, first_at=began, risen=was is None or _worse(was, row)))
    return sorted(found, key=lambda jump: (-jump.excess, jump.place, jump.prompt))


def _worse(was: PromptOverrides, now: PromptOverrides) -> bool:
    """Whether a version is overridden clearly more than in the week before."""
    change = compare_shares(was.overridden, was.decided, now.overridden, now.decided)
    return change is not None and change.clear and change.difference > 0


def _jump(row: PromptOverrides, other: PromptOverrides, reasons: Sequence[ReasonCount]) -> PromptJump | None:
    change = compare_shares(other.overridden, other.decided, row.overridden, row.decided)
    if change is None or not change.clear or change.difference < WORTH_SAYING:
        return None
    key = (row.app, row.use_case, row.prompt_version)
    named = [r for r in reasons if (r.app, r.use_case, r.prompt_version) == key and r.reason and r.overridden]
    main = max(named, key=lambda r: r.given, default=None)
    telling = main is not None and main.given / main.overridden >= MAIN_REASON
    return PromptJump(
        place=" · ".join(part for part in (row.app, row.use_case) if part),
        prompt=row.prompt_version,
        share=row.overridden / row.decided,
        other=other.prompt_version,
        other_share=other.overridden / other.decided,
        excess=change.difference * row.decided,
        reason=main.reason if main and telling else "",
        reason_share=main.given / main.overridden if main and telling else 0.0,
    )


def idle_teams(
    adoption: Mapping[str, KpiResult], championed: frozenset[str], weeks: int, teams: Container[str] = ()
) -> list[Idle]:
    """Teams with eligible people who used nothing in the last `weeks`, the largest part of a team first.

    `adoption` is the KPI of every team over those weeks; `teams` are those that are asked about (none: all), while
    teams with a champion are compared with the others of the whole organisation. Groups of fewer than five are left
    out.
    """
    shown = {t: r for t, r in adoption.items() if t and r.denominator and r.numerator is not None}
    compared = _champions(shown, championed)
    found = [
        Idle(
            team,
            result.denominator - result.numerator,
            result.denominator,
            weeks,
            team in championed,
            compared,
        )
        for team, result in shown.items()
        if (not teams or team in teams)
        and result.denominator is not None
        and result.numerator is not None
        and result.denominator - result.numerator >= FEW
    ]
    return sorted(found, key=lambda idle: (-idle.people / idle.eligible, -idle.people, idle.team))


def _champions(
    shown: Mapping[str, KpiResult], championed: frozenset[str]
) -> tuple[float, float, float, float] | None:
    """Adoption of teams with and without a champion, if the difference is clear and in their favour. Teams are
    resampled, not people: those of one team are alike."""

    def counts(inside: bool) -> list[tuple[int, int]]:
        some = [r for team, r in sorted(shown.items()) if (team in championed) == inside]
        return [(r.numerator or 0, r.denominator or 0) for r in some]

    difference = bootstrap_difference(counts(inside=True), counts(inside=False))
    if difference is None or difference.interval[0] <= 0:
        return None
    return difference.first, difference.second, *difference.interval


@dataclass(frozen=True, slots=True)
class Known:
    """What rules may ask beside jumps, findings, idle groups and budgets: KPIs of the period by name, what came of the
    targets, and the reasons of overrides before and now."""

    results: Mapping[str, KpiResult] = field(default_factory=dict)
    targets: Mapping[str, Standing] = field(default_factory=dict)
    reasons: tuple[Mapping[str, int], Mapping[str, int]] = field(default_factory=lambda: ({}, {}))


def do_next(
    jumps: Sequence[PromptJump],
    findings: Sequence[Finding],
    idle: Sequence[Idle],
    currency: str,
    locale: Language,
    registered: Container[str] = (),
    budgets: Sequence[Evaluation] = (),
    known: Known | None = None,
) -> list[str]:
    """At most three sentences, in this order: the worst prompt, the costliest unregistered app, the largest idle
    group, the budget that is furthest above its amount, data that do not arrive, idle seats, reasons that shifted, a
    target that is behind, tokens without a price; then a second prompt and a second app.

    An app that is `registered` by now needs nothing done, whatever its calls were when they came in.
    """
    known = known or Known()
    apps = [f for f in findings if f.rule == "unregistered_app" and f.app not in registered]
    over = sorted((e for e in budgets if e.state == "breach"), key=lambda e: -e.share_used)
    items = [
        *(_prompt(jump, locale) for jump in jumps[:1]),
        *(_unregistered(finding, currency, locale) for finding in apps[:1]),
        *(_idle(group, locale) for group in idle[:1]),
        *(_over(evaluation, currency, locale) for evaluation in over[:1]),
        *_incomplete(known, locale),
        *_idle_seats(known, currency, locale),
        *([] if jumps else _shifted(known, locale)),
        *_behind(known, locale),
        *_unpriced(known, locale),
        *(_prompt(jump, locale) for jump in jumps[1:2]),
        *(_unregistered(finding, currency, locale) for finding in apps[1:2]),
    ]
    return items[:AT_MOST]


def _incomplete(known: Known, locale: Language) -> Iterator[str]:
    result = known.results.get("completeness")
    if result is not None and result.value is not None and float(result.value) < COMPLETE:
        dropped = result.extras.get("dropped", 0)
        share = formats.share(float(result.value), locale)
        yield counted("next.incomplete", locale, dropped, share=share)


def _idle_seats(known: Known, currency: str, locale: Language) -> Iterator[str]:
    """Seats that nobody used in four weeks, where there are enough of them to be said."""
    seats = known.results.get("seats")
    idle = seats.parts.get("idle") if seats is not None else None
    if seats is None or idle is None or idle < FEW:
        return
    cost = ""
    if seats.extras.get("idle_priced"):
        cost = say(
            "next.a_month", locale, amount=formats.money(seats.extras["idle_cost_nano"], currency, locale)
        )
    yield counted("next.seats", locale, idle, cost=cost)


def _shifted(known: Known, locale: Language) -> Iterator[str]:
    """Reasons of overrides that are distributed otherwise than before (PSI above 0.2, beyond chance)."""
    before, now = known.reasons
    shift = drift(before, now)
    if shift is None or not shift.clear or min(sum(before.values()), sum(now.values())) < ENOUGH_DECISIONS:
        return
    wholes = sum(before.values()), sum(now.values())
    code = max(now, key=lambda c: (now[c] / wholes[1] - before.get(c, 0) / wholes[0], c))
    yield say(
        "next.shifted",
        locale,
        reason=reason_name(code, locale),
        share=formats.share(now[code] / wholes[1], locale),
        before=formats.share(before.get(code, 0) / wholes[0], locale),
    )


def _behind(known: Known, locale: Language) -> Iterator[str]:
    for name, standing in sorted(known.targets.items()):
        if standing.state not in ("behind", "missed"):
            continue
        target = standing.target
        result = known.results.get(name)
        if result is None or result.value is None:
            continue
        yield say(
            f"next.target_{standing.state}",
            locale,
            kpi=say(f"kpi.{name}", locale),
            value=formats.share(float(result.value), locale),
            target=formats.share(target.target, locale),
            due=formats.full_day(target.due, locale),
            owner=target.owner,
        )


def _unpriced(known: Known, locale: Language) -> Iterator[str]:
    result = known.results.get("unpriced_share")
    if result is not None and result.value is not None and float(result.value) >= UNPRICED:
        yield say("next.unpriced", locale, share=formats.share(float(result.value), locale))


def _prompt(jump: PromptJump, locale: Language) -> str:
    reason = ""
    if jump.reason:
        share = formats.share(jump.reason_share, locale)
        reason = say("next.reason", locale, reason=reason_name(jump.reason, locale), share=share)
    return say(
        "next.prompt",
        locale,
        place=jump.place,
        prompt=jump.prompt,
        share=formats.share(jump.share, locale),
        usual=formats.share(jump.other_share, locale),
        other=jump.other,
        reason=reason,
    )


def reason_name(code: str, locale: Language) -> str:
    return say(f"reason.{code}", locale) if code in REASONS else code.removeprefix("app:").replace("_", " ")


def _unregistered(finding: Finding, currency: str, locale: Language) -> str:
    teams = [team for team in finding.teams if team]
    where = say("next.in_teams", locale, teams=formats.listing(teams, locale)) if teams else ""
    calls = counted("finding.calls", locale, finding.calls)
    if finding.unpriced_calls and not finding.known_nano:
        upper = formats.money(finding.upper_nano, currency, locale)
        return say(
            "next.unregistered_unknown", locale, app=finding.app, calls=calls, upper=upper, teams=where
        )
    cost = formats.money(finding.known_nano, currency, locale)
    if finding.unpriced_calls:
        cost = say("cell.at_least", locale, amount=cost)
    return say("next.unregistered", locale, app=finding.app, calls=calls, cost=cost, teams=where)


def _over(evaluation: Evaluation, currency: str, locale: Language) -> str:
    """A breached budget: what of it is used for certain, how long that has to last, and what helps."""
    spend, amount, period = evaluation.spend, evaluation.amount_nano, evaluation.period
    days = max((period.after - evaluation.at.astimezone(ZoneInfo(period.zone)).date()).days, 0)
    name = formats.period_name(period, locale)
    left = (
        counted("next.days_left", locale, days, period=name)
        if days
        else say("next.over", locale, period=name)
    )
    certain = spend.known_nano >= amount
    return say(
        "next.budget" if certain else "next.budget_maybe",
        locale,
        name=evaluation.budget.name,
        share=formats.share(spend.known_nano / amount, locale),
        amount=formats.money(amount, currency, locale),
        left=left,
    )


def _idle(idle: Idle, locale: Language) -> str:
    champion = "" if idle.has_champion else say("next.no_champion", locale)
    text = say(
        "next.idle",
        locale,
        n=formats.count(idle.people, locale),
        of=formats.count(idle.eligible, locale),
        team=idle.team,
        weeks=idle.weeks,
        champion=champion,
    )
    if idle.champions is None or idle.has_champion:
        return text
    with_one, without, low, high = idle.champions
    return text + say(
        "next.champions",
        locale,
        with_one=formats.share(with_one, locale),
        without=formats.share(without, locale),
        points=formats.points(with_one - without, locale).lstrip("+"),
        low=formats.points(low, locale).lstrip("+"),
        high=formats.points(high, locale).lstrip("+"),
    )
