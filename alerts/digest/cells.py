"""One row of the digest's table: value, target, change. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from uptake.alerts import formats
from uptake.alerts.budgets import Evaluation
from uptake.alerts.digest.spending import spend_cells
from uptake.alerts.digest.values import compared, points, value_of
from uptake.alerts.formats import Language
from uptake.alerts.phrases import counted, say
from uptake.alerts.targets import Standing
from uptake.sql.results import AdoptionPairs, KpiResult
from uptake.stats import Change
from uptake.stats.forecast import Forecast

Cells = tuple[str, str, str]


LEAST_POINTS = 0.001
"""The smallest difference of shares that is written."""


def cells(
    name: str,
    now: KpiResult,
    before: KpiResult | None,
    earlier: str,
    locale: Language,
    *,
    change: Change | None = None,
    pairs: AdoptionPairs | None = None,
    target: Standing | None = None,
    budgets: Sequence[Evaluation] = (),
    forecasts: Mapping[str, Forecast] | None = None,
    findings: tuple[int, int] = (0, 0),
    because: str = "",
) -> Cells:
    """The three cells beside a KPI's name. `earlier` names the period before, "" where no figure is compared with one;
    `findings` are (new, known before), `because` says what the change is made of."""
    if now.suppressed:
        return say("cell.suppressed", locale), _target(now, target, locale), "–"
    if name == "unauthorised_share":
        return _unauthorised(now, target, findings, locale)
    if name == "spend":
        value, aim, changed, *notes = spend_cells(now, before, earlier, budgets, forecasts or {}, locale)
    else:
        value = value_of(now, locale, beside=before, finer=_looks_reached(now, target, locale))
        aim = _target(now, target, locale)
        changed = _changed(now, before, change, pairs if name == "adoption" else None, earlier, locale)
        notes = [_coverage(name, now, locale), _beside(name, now, locale)]
    if because and changed:
        changed = say("change.because", locale, change=changed, because=because)
    return value, aim, " · ".join(note for note in (changed, *notes) if note) or "–"


def _looks_reached(now: KpiResult, target: Standing | None, locale: Language) -> bool:
    """Whether rounding makes a value read as its target that it has not reached."""
    if target is None or target.state == "reached" or now.value is None:
        return False
    return formats.share(float(now.value), locale) == formats.share(target.target.target, locale)


def _target(result: KpiResult, target: Standing | None, locale: Language) -> str:
    if target is None:
        return say("cell.no_target", locale)
    aim = target.target.target
    share = formats.share(aim, locale)
    text = say("cell.at_most", locale, share=share) if result.direction == "down" and aim else share
    state = say(f"target.{target.state}", locale)
    if target.state in ("unknown", "open", "unclear"):
        if target.short is None or result.value is None:
            return text
        state = short_of(target, locale)
    return say("cell.standing", locale, target=text, state=state)


def short_of(standing: Standing, locale: Language) -> str:
    """What is missing to a target: a distance, and no verdict."""
    missing = standing.short or 0.0
    if missing and formats.points(missing, locale) == formats.points(0.0, locale):
        return say("target.short", locale, points="< " + points(LEAST_POINTS, locale).lstrip("+"))
    return say("target.short", locale, points=points(missing, locale).lstrip("+"))


def _changed(
    now: KpiResult,
    before: KpiResult | None,
    change: Change | None,
    pairs: AdoptionPairs | None,
    earlier: str,
    locale: Language,
) -> str:
    if now.value is None or not earlier:
        return ""
    if before is None or before.value is None:
        hidden = before is not None and (before.hidden or before.suppressed)
        key = "change.hidden_before" if hidden else "change.none_before"
        return say(key, locale, week=earlier)
    if now.unit not in ("share", "points"):
        return say("change.was", locale, value=compared(now, before, locale)[1], week=earlier)
    if change is None:
        return _difference(float(now.value) - float(before.value), now, locale)
    verdict = say("change.clear" if change.clear else "change.unclear", locale)
    difference = _difference(change.difference, now, locale)
    if pairs is None or not (pairs.entered or pairs.gone):
        return say("change.plain", locale, difference=difference, verdict=verdict)
    moves = [
        counted(key, locale, number)
        for key, number in (("change.joined", pairs.entered), ("change.left", pairs.gone))
        if number
    ]
    return say(
        "change.parts",
        locale,
        difference=difference,
        verdict=verdict,
        usage=formats.points(pairs.usage_part or 0.0, locale),
        roster=formats.points(pairs.roster_part or 0.0, locale),
        moves=f" ({', '.join(moves)})",
    )


def _difference(difference: float, result: KpiResult, locale: Language) -> str:
    if result.unit == "points":
        return counted("change.points", locale, 2, points=formats.score(difference, locale))
    return points(difference, locale)


def _coverage(name: str, result: KpiResult, locale: Language) -> str:
    """What part of the shown answers people decided or rated."""
    part, key = {
        "override_rate": ("decided", "change.decided"),
        "thumbs_down": ("rated", "change.rated"),
    }.get(name, ("", ""))
    shown = result.extras.get("shown", 0)
    if not part or not shown:
        return ""
    return counted(key, locale, shown, share=formats.share(result.extras[part] / shown, locale))


def _beside(name: str, result: KpiResult, locale: Language) -> str:
    """The one further figure without which a number says too little."""
    if result.value is None:
        return ""
    extras = result.extras
    if name == "seats" and result.parts.get("idle"):
        idle = result.parts["idle"] or 0
        if not extras.get("idle_priced"):
            return counted("change.idle_seats", locale, idle)
        cost = formats.money(extras["idle_cost_nano"], result.currency, locale)
        return counted("change.idle_seats_cost", locale, idle, cost=cost)
    if name == "latency" and "p95" in result.details:
        return say("change.p95", locale, value=formats.duration(result.details["p95"], locale))
    if name == "nps" and result.denominator:
        return counted("change.answers", locale, result.denominator)
    if name == "edit_severity" and result.numerator:
        return counted("change.edited", locale, result.numerator)
    if name == "wasted_spend" and extras.get("decided_nano"):
        share = formats.share((result.numerator or 0) / extras["decided_nano"], locale)
        return say("change.of_decided", locale, share=share)
    return ""


def _unauthorised(
    now: KpiResult, target: Standing | None, findings: tuple[int, int], locale: Language
) -> Cells:
    calls = now.extras.get("unauthorised_calls", 0)
    if now.value is None:
        value = say("cell.no_data", locale)
    else:
        value = say("cell.of_spend", locale, share=formats.share(float(now.value), locale))
    notes = [counted("change.unauthorised_calls", locale, calls)] if calls else []
    new, known = findings
    notes.append(counted("change.new_findings", locale, new))
    if known:
        notes.append(counted("change.known_findings", locale, known))
    unpriced = now.excluded.get("unpriced_unauthorised_calls", 0)
    if unpriced:
        upper = formats.money(now.extras.get("unpriced_unauthorised_upper_nano", 0), now.currency, locale)
        notes.append(counted("change.unpriced", locale, unpriced, upper=upper))
    return value, _target(now, target, locale), ", ".join(notes)
