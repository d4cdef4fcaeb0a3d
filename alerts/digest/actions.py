"""What to do next: at most three things, each named by a rule that was tested, with its place and size. Pure.

The rules, in the order of their weight, stand in docs/reading.md.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from uptake.alerts import formats
from uptake.alerts.budgets import Evaluation
from uptake.alerts.digest.noticing import ENOUGH_DECISIONS, WORTH_SAYING, Idle, PromptJump, risen_reason
from uptake.alerts.findings import FEW, Finding
from uptake.alerts.formats import Language
from uptake.alerts.phrases import counted, say
from uptake.alerts.targets import Standing
from uptake.schemas.taxonomy import REASONS
from uptake.sql.results import KpiResult

AT_MOST = 3
COMPLETE = 0.98  # a smaller part of what SDKs were handed is a fault somewhere
UNPRICED = 0.05  # of all tokens


@dataclass(frozen=True, slots=True)
class Known:
    """What rules may ask beside jumps, findings, idle groups and budgets: KPIs of the period by name, seats by team,
    what came of the targets, and the reasons of overrides before and now."""

    results: Mapping[str, KpiResult] = field(default_factory=dict)
    seats: Mapping[str, KpiResult] = field(default_factory=dict)
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
    group, the budget that is furthest above its amount, data that do not arrive, idle seats, bills that no call
    explains, reasons that shifted, a target that is behind, tokens without a price; then a second prompt and a second
    app.

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
        *_unexplained(known, currency, locale),
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
    yield counted("next.seats", locale, idle, cost=cost, where=_most_idle(known.seats, locale))


def _most_idle(seats: Mapping[str, KpiResult], locale: Language) -> str:
    """The team with the largest part of its seats idle, of those whose idle ones may be told."""
    told = {
        team: (idle, result.denominator)
        for team, result in seats.items()
        if team and result.denominator and (idle := result.parts.get("idle") or 0) >= FEW
    }
    if len(seats) < 2:
        return ""
    team = max(told, key=lambda team: (told[team][0] / told[team][1], team), default="")
    if not team:
        return ""
    idle, of = told[team]
    return say(
        "next.most_in",
        locale,
        team=team,
        idle=formats.count(idle, locale),
        of=formats.count(of, locale),
    )


def _unexplained(known: Known, currency: str, locale: Language) -> Iterator[str]:
    """What providers billed and no call explains, where it is worth looking for."""
    gap = known.results.get("shadow_gap")
    if gap is None or gap.value is None or float(gap.value) < WORTH_SAYING:
        return
    yield say(
        "next.gap",
        locale,
        share=formats.share(float(gap.value), locale),
        amount=formats.money(gap.numerator or 0, currency, locale),
        billed=formats.money(gap.denominator or 0, currency, locale),
    )


def _shifted(known: Known, locale: Language) -> Iterator[str]:
    """Reasons of overrides that are distributed otherwise than before."""
    risen = risen_reason(*known.reasons)
    if risen is None or min(sum(reasons.values()) for reasons in known.reasons) < ENOUGH_DECISIONS:
        return
    yield say(
        "next.shifted",
        locale,
        reason=reason_name(risen.reason, locale),
        share=formats.share(risen.share, locale),
        before=formats.share(risen.before, locale),
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
    advice = say("next.ask_them" if idle.has_champion else "next.name_champion", locale)
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
        return text + advice
    with_one, without, low, high = idle.champions
    compared = say(
        "next.champions",
        locale,
        with_one=formats.share(with_one, locale),
        without=formats.share(without, locale),
        points=formats.points(with_one - without, locale).lstrip("+"),
        low=formats.points(low, locale).lstrip("+"),
        high=formats.points(high, locale).lstrip("+"),
    )
    return text + compared + advice
