"""One row of the digest's table: value, target, change. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from uptake.alerts import formats
from uptake.alerts.budgets import Evaluation
from uptake.alerts.formats import Language
from uptake.alerts.phrases import counted, say
from uptake.alerts.targets import Standing
from uptake.sql.results import AdoptionPairs, KpiResult
from uptake.stats import Change
from uptake.stats.forecast import Forecast

Cells = tuple[str, str, str]

MOST_BUDGETS = 3
"""Budgets of others that are named in a cell; the thread has all."""


def cells(
    name: str,
    now: KpiResult,
    before: KpiResult | None,
    earlier: str,
    locale: Language,
    *,
    unknown_before: str = "",
    change: Change | None = None,
    pairs: AdoptionPairs | None = None,
    target: Standing | None = None,
    budgets: Sequence[Evaluation] = (),
    forecasts: Mapping[str, Forecast] | None = None,
    findings: tuple[int, int] = (0, 0),
    because: str = "",
) -> Cells:
    """The three cells beside a KPI's name. `earlier` names the period before, `unknown_before` says why nothing is
    known of it, `findings` are (new, known before), `because` says what the change is made of."""
    if now.suppressed:
        return say("cell.suppressed", locale), _target(now, target, locale), "–"
    if name == "spend":
        value, aim, notes = _spend(now, before, earlier, unknown_before, budgets, forecasts or {}, locale)
        return value, aim, " · ".join([*([because] if because else []), *notes]) or "–"
    if name == "unauthorised_share":
        return _unauthorised(now, target, findings, locale)
    pairs = pairs if name == "adoption" else None
    notes = [_changed(now, before, change, pairs, earlier, unknown_before, locale)]
    if because and notes[0]:
        notes[0] = say("change.because", locale, change=notes[0], because=because)
    notes.append(_coverage(name, now, locale))
    notes.append(_beside(name, now, locale))
    return (
        value_of(now, locale),
        _target(now, target, locale),
        " · ".join(note for note in notes if note) or "–",
    )


PEOPLE_OF_PEOPLE = ("adoption", "habits", "habits_4_weeks", "seats", "activation")


def value_of(result: KpiResult, locale: Language) -> str:
    """A value with its denominator or interval, or why there is none."""
    if result.suppressed:
        return say("cell.suppressed", locale)
    if result.hidden:
        of = formats.count(result.denominator or 0, locale)
        return say("cell.few_of" if result.hidden == "small" else "cell.hidden_of", locale, denominator=of)
    if result.value is None:
        return say("cell.no_data", locale)
    value = plain(float(result.value), result, locale)
    if result.kpi in PEOPLE_OF_PEOPLE:
        counts = {"numerator": result.numerator or 0, "denominator": result.denominator or 0}
        written = {key: formats.count(number, locale) for key, number in counts.items()}
        return say("cell.of", locale, share=value, **written)
    if result.interval is None:
        return value
    low, high = (_edge(end, result, locale) for end in result.interval)
    return say("cell.interval", locale, share=value, low=low, high=high)


def plain(value: float, result: KpiResult, locale: Language) -> str:
    """A number in the unit of its KPI."""
    match result.unit:
        case "share":
            return formats.share(value, locale)
        case "money":
            return formats.money(round(value), result.currency, locale)
        case "unit_money":
            return formats.unit_money(round(value), result.currency, locale)
        case "milliseconds":
            return formats.duration(value, locale)
        case "days":
            return counted("cell.days", locale, round(value))
        case "points":
            return formats.score(value, locale)
        case "ratio":
            return formats.ratio(value, locale)
        case "count":
            return formats.count(round(value), locale)


def _edge(value: float, result: KpiResult, locale: Language) -> str:
    return formats.bare_percent(value, locale) if result.unit == "share" else plain(value, result, locale)


def _target(result: KpiResult, target: Standing | None, locale: Language) -> str:
    if target is None:
        return say("cell.no_target", locale)
    aim = target.target.target
    share = formats.share(aim, locale)
    text = say("cell.at_most", locale, share=share) if result.direction == "down" and aim else share
    if target.state in ("unknown", "open", "unclear"):
        return text
    return say("cell.standing", locale, target=text, state=say(f"target.{target.state}", locale))


def _changed(
    now: KpiResult,
    before: KpiResult | None,
    change: Change | None,
    pairs: AdoptionPairs | None,
    earlier: str,
    unknown_before: str,
    locale: Language,
) -> str:
    if now.value is None:
        return ""
    if before is not None and (before.hidden or before.suppressed):
        return say("change.hidden_before", locale, week=earlier)
    if before is None or before.value is None:
        return unknown_before
    if now.unit not in ("share", "points"):
        return say("change.was", locale, value=plain(float(before.value), before, locale), week=earlier)
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


def points(difference: float, locale: Language) -> str:
    """+4 pts; the plural goes by the number that is shown."""
    text = formats.points(difference, locale)
    singular = text in ("+1", "−1") or (locale == "fr" and abs(difference) < 0.015)
    return counted("change.points", locale, 1 if singular else 2, points=text)


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


def _spend(
    now: KpiResult,
    before: KpiResult | None,
    week_before: str,
    unknown_before: str,
    budgets: Sequence[Evaluation],
    forecasts: Mapping[str, Forecast],
    locale: Language,
) -> tuple[str, str, list[str]]:
    value = _spent(now, locale)
    known_before = before is not None and before.value is not None
    notes = [unknown_before] if unknown_before and not known_before else []
    if before is not None and known_before:
        notes.append(say("change.spend", locale, amount=_spent(before, locale), week=week_before))
    target = say("cell.no_budget", locale)
    # a budget that counts just what the figure counts needs no name; any other would mislead without one
    own = [e for e in budgets if _counts_the_same(e, now)]
    others = [e for e in budgets if e not in own]
    if len(own) == 1:
        amount = formats.money(own[0].amount_nano, now.currency, locale)
        target = say(f"cell.{own[0].budget.period}", locale, amount=amount)
        notes.append(_budget("change.budget", own[0], now.currency, locale))
        if own[0].budget.budget in forecasts:
            notes.append(_forecast(forecasts[own[0].budget.budget], now.currency, locale))
    elif budgets:
        target = counted("cell.budgets", locale, len(budgets))
        others = list(budgets)
    by_use = sorted(others, key=lambda e: -e.share_used)
    notes += [_budget("change.named_budget", e, now.currency, locale) for e in by_use[:MOST_BUDGETS]]
    return value, target, notes + _not_known(now, locale)


def _counts_the_same(evaluation: Evaluation, now: KpiResult) -> bool:
    """Whether a budget counts just what the figure counts: all of some teams, or all of one app."""
    scope = evaluation.budget.scope
    if not now.apps:
        return scope.counts_exactly(now.teams)
    return now.apps == (scope.app,) and not (scope.all_teams or scope.use_case or scope.model)


def _forecast(made: Forecast, currency: str, locale: Language) -> str:
    nano, low, high = (formats.money(amount, currency, locale) for amount in (made.nano, made.low, made.high))
    return say("change.forecast", locale, amount=nano, low=low, high=high)


def _spent(now: KpiResult, locale: Language) -> str:
    """What is known; where nothing is and something happened, that is not zero."""
    if now.value is None:
        return say("cell.no_data", locale)
    calls, costs = _unpriced(now)
    amount = formats.money(int(now.value), now.currency, locale)
    if not calls and not costs:
        return amount
    if now.value:
        return say("cell.at_least", locale, amount=amount)
    if costs:
        return say("cell.unknown", locale)
    upper = formats.money(now.extras.get("unpriced_upper_nano", 0), now.currency, locale)
    return say("cell.unknown_at_most", locale, amount=upper)


def _not_known(now: KpiResult, locale: Language) -> list[str]:
    """What the figure leaves out. The KPI has one bound for calls and costs together, and a cost in a currency that
    has no rate has none: with such costs nothing is said to be the most."""
    calls, costs = _unpriced(now)
    notes = []
    if calls and now.value and not costs:
        upper = formats.money(now.extras.get("unpriced_upper_nano", 0), now.currency, locale)
        notes.append(counted("change.unpriced", locale, calls, upper=upper))
    elif calls:
        notes.append(counted("change.unpriced_open", locale, calls))
    if costs:
        notes.append(counted("change.costs_without_rate", locale, costs))
    return notes


def _unpriced(now: KpiResult) -> tuple[int, int]:
    """Calls without a price, and cost events without a rate."""
    return now.excluded.get("unpriced_calls", 0), now.excluded.get("cost_events_without_rate", 0)


def _budget(key: str, evaluation: Evaluation, currency: str, locale: Language) -> str:
    return say(
        key,
        locale,
        name=evaluation.budget.name,
        share=formats.share(evaluation.share_used, locale),
        amount=formats.money(evaluation.amount_nano, currency, locale),
        gone=formats.share(evaluation.share_gone, locale),
        period=formats.period_name(evaluation.period, locale),
    )


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
