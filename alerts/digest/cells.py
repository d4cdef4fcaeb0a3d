"""One row of the digest's table: value, target, change. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from uptake.alerts import formats
from uptake.alerts.budgets import Evaluation
from uptake.alerts.formats import Language
from uptake.alerts.phrases import counted, say
from uptake.sql.results import AdoptionPairs, KpiResult
from uptake.stats import Change

Cells = tuple[str, str, str]


def cells(
    name: str,
    now: KpiResult,
    before: KpiResult | None,
    week_before: str,
    locale: Language,
    currency: str,
    *,
    change: Change | None = None,
    pairs: AdoptionPairs | None = None,
    target: float | None = None,
    budgets: Sequence[Evaluation] = (),
    findings: tuple[int, int] = (0, 0),
) -> Cells:
    """The three cells beside a KPI's name. `findings` are (new this week, known before)."""
    if now.suppressed:
        return say("cell.suppressed", locale), _target(now, target, locale), "–"
    if name == "spend":
        return _spend(now, before, week_before, budgets, locale)
    if name == "unauthorised_share":
        return _unauthorised(now, target, findings, currency, locale)
    value = _value(name, now, locale)
    notes = [_changed(now, before, change, pairs if name == "adoption" else None, week_before, locale)]
    notes.append(_coverage(name, now, locale))
    return value, _target(now, target, locale), " · ".join(note for note in notes if note) or "–"


def _value(name: str, result: KpiResult, locale: Language) -> str:
    if result.value is None:
        return say("cell.no_data", locale)
    share = formats.share(float(result.value), locale)
    if name == "adoption":
        counts = {"numerator": result.numerator or 0, "denominator": result.denominator or 0}
        written = {key: formats.count(number, locale) for key, number in counts.items()}
        return say("cell.of", locale, share=share, **written)
    if result.interval is None:
        return share
    low, high = (formats.bare_percent(end, locale) for end in result.interval)
    return say("cell.interval", locale, share=share, low=low, high=high)


def _target(result: KpiResult, target: float | None, locale: Language) -> str:
    if target is None:
        return say("cell.no_target", locale)
    share = formats.share(target, locale)
    return say("cell.at_most", locale, share=share) if result.direction == "down" and target else share


def _changed(
    now: KpiResult,
    before: KpiResult | None,
    change: Change | None,
    pairs: AdoptionPairs | None,
    week_before: str,
    locale: Language,
) -> str:
    if now.value is None:
        return ""
    if before is None or before.value is None:
        return say("change.none_before", locale, week=week_before)
    if change is None:
        return points(float(now.value) - float(before.value), locale)
    verdict = say("change.clear" if change.clear else "change.unclear", locale)
    difference = points(change.difference, locale)
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


def _spend(
    now: KpiResult,
    before: KpiResult | None,
    week_before: str,
    budgets: Sequence[Evaluation],
    locale: Language,
) -> Cells:
    value = _spent(now, locale)
    notes = []
    if before is None or before.value is None:
        notes.append(say("change.none_before", locale, week=week_before))
    else:
        notes.append(say("change.spend", locale, amount=_spent(before, locale), week=week_before))
    notes += _not_known(now, locale)
    target = say("cell.no_budget", locale)
    # a budget that counts just what the figure counts needs no name; any other would mislead without one
    own = [e for e in budgets if e.budget.scope.counts_exactly(now.teams)]
    others = [e for e in budgets if e not in own]
    if len(own) == 1:
        amount = formats.money(own[0].amount_nano, now.currency, locale)
        target = say(f"cell.{own[0].budget.period}", locale, amount=amount)
        notes.append(_budget("change.budget", own[0], now.currency, locale))
    elif budgets:
        target = counted("cell.budgets", locale, len(budgets))
        others = list(budgets)
    by_use = sorted(others, key=lambda e: -e.share_used)
    notes += [_budget("change.named_budget", e, now.currency, locale) for e in by_use]
    return value, target, " · ".join(notes) or "–"


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
    now: KpiResult, target: float | None, findings: tuple[int, int], currency: str, locale: Language
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
        upper = formats.money(now.extras.get("unpriced_unauthorised_upper_nano", 0), currency, locale)
        notes.append(counted("change.unpriced", locale, unpriced, upper=upper))
    return value, _target(now, target, locale), ", ".join(notes)
