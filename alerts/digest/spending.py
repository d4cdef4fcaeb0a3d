"""Spend in the digest's table, beside its budgets: what is known, what that leaves out, where it leads. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from uptake.alerts import formats
from uptake.alerts.budgets import Evaluation
from uptake.alerts.digest.values import compared, forecast_of
from uptake.alerts.formats import Language
from uptake.alerts.phrases import counted, say
from uptake.sql.results import KpiResult
from uptake.stats.forecast import Forecast

MOST_BUDGETS = 3
"""Budgets of others that are named in a cell; the thread has all."""


def spend_cells(
    now: KpiResult,
    before: KpiResult | None,
    week_before: str,
    budgets: Sequence[Evaluation],
    forecasts: Mapping[str, Forecast],
    locale: Language,
) -> list[str]:
    """Value, target, change, and the notes beside it."""
    value, was = _spent(now, before, locale)
    changed = say("change.was", locale, value=was, week=week_before) if was else ""
    if not was and week_before:
        changed = say("change.none_before", locale, week=week_before)
    notes = []
    target = say("cell.no_budget", locale)
    # a budget that counts just what the figure counts needs no name; any other would mislead without one
    own = [e for e in budgets if _counts_the_same(e, now)]
    others = [e for e in budgets if e not in own]
    if len(own) == 1:
        amount = formats.money(own[0].amount_nano, now.currency, locale)
        target = say(f"cell.{own[0].budget.period}", locale, amount=amount)
        notes.append(_budget("change.budget", own[0], now.currency, locale))
        if own[0].budget.budget in forecasts and own[0].share_gone < 1:  # of what is over all is known
            expected = forecast_of(forecasts[own[0].budget.budget], now.currency, locale)
            notes.append(say("change.forecast", locale, amount=expected))
    elif budgets:
        target = counted("cell.budgets", locale, len(budgets))
        others = list(budgets)
    by_use = sorted(others, key=lambda e: -e.share_used)
    notes += [_budget("change.named_budget", e, now.currency, locale) for e in by_use[:MOST_BUDGETS]]
    return [value, target, changed, *notes, *_not_known(now, locale)]


def _counts_the_same(evaluation: Evaluation, now: KpiResult) -> bool:
    """Whether a budget counts just what the figure counts: all of some teams, or all of one app."""
    scope = evaluation.budget.scope
    if not now.apps:
        return scope.counts_exactly(now.teams)
    return now.apps == (scope.app,) and not (scope.all_teams or scope.use_case or scope.model)


def _spent(now: KpiResult, before: KpiResult | None, locale: Language) -> tuple[str, str]:
    """What is known, now and before ("" if nothing is)."""
    amounts = compared(now, before, locale)
    value = say("cell.no_data", locale) if now.value is None else _known(now, amounts[0], locale)
    return value, "" if before is None or before.value is None else _known(before, amounts[1], locale)


def _known(now: KpiResult, amount: str, locale: Language) -> str:
    """Where no price is known and something happened, that is not zero."""
    calls, costs = _unpriced(now)
    if now.value or not (calls or costs):
        return amount
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
