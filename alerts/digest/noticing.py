"""What a digest notices before it says what to do: prompts that people override more, groups that use nothing. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from uptake.alerts.findings import FEW
from uptake.sql.results import KpiResult, PromptOverrides, ReasonCount
from uptake.stats import compare_shares, drift

ENOUGH_DECISIONS = 20  # on either side of a comparison
WORTH_SAYING = 0.05  # a clear difference smaller than this is nothing to act on
MAIN_REASON = 0.3


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


@dataclass(frozen=True, slots=True)
class Risen:
    """The reason whose share rose most where the reasons as a whole have shifted, with its share now and before."""

    reason: str
    share: float
    before: float


def risen_reason(before: Mapping[str, int], now: Mapping[str, int]) -> Risen | None:
    """None where they have not shifted (PSI above 0.2, beyond chance)."""
    shift = drift(before, now)
    if shift is None or not shift.clear:
        return None
    wholes = sum(before.values()), sum(now.values())
    shares = {code: (n / wholes[1], before.get(code, 0) / wholes[0]) for code, n in now.items()}
    code = max(shares, key=lambda c: (shares[c][0] - shares[c][1], c))
    return Risen(code, *shares[code])


def idle_teams(
    adoption: Mapping[str, KpiResult],
    championed: frozenset[str],
    weeks: int,
    teams: Container[str] = (),
    champions: KpiResult | None = None,
) -> list[Idle]:
    """Teams with eligible people who used nothing in the last `weeks`, the largest part of a team first.

    `adoption` is the KPI of every team over those weeks; `teams` are those that are asked about (none: all), while
    `champions`, the KPI of the last week, compares those of the whole organisation. Groups of fewer than five are left
    out.
    """
    shown = {t: r for t, r in adoption.items() if t and r.denominator and r.numerator is not None}
    compared = _clearly(champions)
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


def _clearly(champions: KpiResult | None) -> tuple[float, float, float, float] | None:
    """Adoption of teams with and without a champion with the interval of the difference, if that is clear and in their
    favour. The KPI has points."""
    if champions is None or champions.interval is None or champions.interval[0] <= 0:
        return None
    low, high = champions.interval
    return champions.details["with_champion"], champions.details["without_champion"], low / 100, high / 100
