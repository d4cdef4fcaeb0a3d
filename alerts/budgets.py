"""Budgets: where each one stands, which thresholds are new, and what is said about them. Pure.

A budget is judged by the upper bound of its spend, so that a call without a price cannot hide. Every evaluation
says why it did not fire: a rule that is shown as active is one that was looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from uptake.alerts import formats
from uptake.alerts.formats import Language
from uptake.alerts.message import Block, Button, Buttons, Footer, Message, Text
from uptake.alerts.phrases import counted, say
from uptake.calendar import IsoWeek, Period, month_of
from uptake.money import to_nano
from uptake.sql.results import Driver, SpendSoFar
from uptake.workspace.models import Budget, Organisation

State = Literal["inactive", "ok", "watch", "warn", "breach"]
Why = Literal["inactive", "below", "said", "all_said", "fired"]

WARN_FROM = 75  # per cent: a threshold reached from here on is a warning, below it something to watch
DRIVERS = 3
_ICONS = {"inactive": "", "ok": "", "watch": "🟡", "warn": "🟠", "breach": "🔴"}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Where a budget stood at one moment of a period, and what follows from it.

    `reached` are all thresholds reached so far, `new` those that nobody was told about yet.
    """

    budget: Budget
    period: Period
    spend: SpendSoFar
    state: State
    reached: tuple[int, ...]
    new: tuple[int, ...]
    why: Why
    at: datetime

    @property
    def amount_nano(self) -> int:
        return to_nano(self.budget.amount)

    @property
    def share_used(self) -> float:
        """Of the amount, by the upper bound. May be above 1."""
        return self.spend.upper_nano / self.amount_nano

    @property
    def share_gone(self) -> float:
        """Of the period's time, between 0 and 1."""
        elapsed = (self.at - self.period.start) / (self.period.end - self.period.start)
        return min(max(elapsed, 0.0), 1.0)

    @property
    def next_threshold(self) -> int | None:
        return next((t for t in self.budget.thresholds if t not in self.reached), None)

    def detail(self) -> dict[str, Any]:
        """What is kept of it for people and for other processes."""
        return {
            "name": self.budget.name,
            "state": self.state,
            "why": self.why,
            "first_day": self.period.first.isoformat(),
            "after_day": self.period.after.isoformat(),
            "amount_nano": self.amount_nano,
            "known_nano": self.spend.known_nano,
            "upper_nano": self.spend.upper_nano,
            "unpriced_calls": self.spend.unpriced_calls,
            "share_used": self.share_used,
            "share_gone": self.share_gone,
            "reached": list(self.reached),
            "next_threshold": self.next_threshold,
        }


def current_period(budget: Budget, now: datetime, zone: str) -> Period:
    """The budget's period that `now` lies in, on the wall clock of `zone`."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return month_of(today, zone) if budget.period == "month" else IsoWeek.of(today).period(zone)


def previous_period(budget: Budget, period: Period) -> Period:
    """The one before. It is looked at once more after it ended: its last moments count too."""
    return current_period(budget, period.start - timedelta(seconds=1), period.zone)


def identity(tenant: str, budget: Budget, period_start: date, threshold: int) -> str:
    """The fact "this threshold of this amount was crossed in this period".

    The amount is part of it: 80 % of another amount is another fact. Without it, whoever raised a budget after its
    breach would hear no more of it until the next period. 2000 and 2000.00 are one amount.
    """
    amount = f"{budget.amount.normalize():f}"
    return f"budget/{tenant}/{budget.budget}/{period_start.isoformat()}/{amount}/{threshold}"


def in_force(budget: Budget, period: Period, today: date) -> bool:
    """Whether the budget counts on `today`, or on the last day of a period that is over."""
    day = min(today, period.last)
    started = budget.valid_from is None or budget.valid_from <= day
    return started and (budget.valid_to is None or day < budget.valid_to)


def evaluate(
    budget: Budget, spend: SpendSoFar, period: Period, now: datetime, said: Collection[int] = ()
) -> Evaluation:
    """Judge `spend` in `period` as of `now`; `said` are the thresholds of this period told before."""
    amount = to_nano(budget.amount)
    reached = tuple(t for t in budget.thresholds if spend.upper_nano * 100 >= t * amount)
    if not in_force(budget, period, now.astimezone(ZoneInfo(period.zone)).date()):
        return Evaluation(budget, period, spend, "inactive", (), (), "inactive", now)
    new = tuple(t for t in reached if t not in said)
    state: State = "ok"
    if spend.upper_nano >= amount:
        state = "breach"
    elif reached:
        state = "warn" if reached[-1] >= WARN_FROM else "watch"
    why: Why = "below"
    if new:
        why = "fired"
    elif reached:
        why = "said" if len(reached) < len(budget.thresholds) else "all_said"
    return Evaluation(budget, period, spend, state, reached, new, why, now)


def explain(evaluation: Evaluation, locale: Language) -> str:
    """Why it fired or did not, in a few words."""
    following = evaluation.next_threshold
    return say(
        f"why.{evaluation.why}",
        locale,
        share=formats.share(evaluation.share_used, locale),
        next=formats.share((following or 0) / 100, locale),
        thresholds=_shares(evaluation.new or evaluation.reached, locale),
    )


def compose(
    evaluation: Evaluation,
    organisation: Organisation,
    trail: Sequence[tuple[int, datetime]] = (),
    drivers: Sequence[Driver] = (),
    locale: Language | None = None,
) -> Message:
    """The one message about the highest threshold that is new; it names the others.

    `trail` are the thresholds said before, with their times; `drivers` say what moved the last 24 hours.
    """
    language: Language = locale or organisation.locale
    budget, zone, currency = evaluation.budget, organisation.zone, organisation.currency
    top = evaluation.new[-1]
    name = identity(organisation.tenant, budget, evaluation.period.first, top)
    title = _title(evaluation, currency, language)
    blocks: list[Block] = []
    contact = [say("budget.contact", language, contact=budget.contact)] if budget.contact else []
    closed = evaluation.at >= evaluation.period.end
    end = say(
        "budget.ended" if closed else "budget.resets",
        language,
        moment=_moment(evaluation.period.end, zone, language),
        zone=zone,
    )
    blocks.append(Text(text=" · ".join([formats.capital(end), *contact])))
    if drivers and not closed:
        blocks.append(Text(text=_drivers(drivers, currency, language)))
    if evaluation.spend.upper_nano != evaluation.spend.known_nano:
        blocks.append(Text(text=_bounds(evaluation.spend, currency, language)))
    if len(evaluation.new) > 1:
        blocks.append(
            Text(text=say("budget.together", language, thresholds=_shares(evaluation.new, language)))
        )
    blocks.append(_buttons(name, language))
    steps = [*sorted(trail, key=lambda step: step[1]), (top, evaluation.at)]
    lines = [
        say(
            "budget.trail",
            language,
            moment=_moment(at, zone, language),
            threshold=f"{_level(threshold, language)} {formats.share(threshold / 100, language)}",
        )
        for threshold, at in steps
    ]
    blocks.append(Footer(text="\n".join(lines)))
    return Message(
        identity=name,
        kind="budget",
        tenant=organisation.tenant,
        locale=language,
        title=f"{_ICONS[evaluation.state]} {title}".strip(),
        summary=end,
        blocks=tuple(blocks),
    )


def _title(evaluation: Evaluation, currency: str, locale: Language) -> str:
    spend, amount = evaluation.spend, evaluation.amount_nano
    spent, whole = formats.spent_of(spend.upper_nano, amount, currency, locale)
    if evaluation.at >= evaluation.period.end:
        gone = say("budget.over_with_period", locale)
    else:
        today = evaluation.at.astimezone(ZoneInfo(evaluation.period.zone)).date()
        day = (today - evaluation.period.first).days + 1
        gone = counted("budget.days_gone", locale, day, total=len(evaluation.period.days()))
    return say(
        "budget.title",
        locale,
        name=evaluation.budget.name,
        period=formats.period_name(evaluation.period, locale),
        verdict=_verdict(spend, amount, evaluation.share_used, locale),
        spent=spent,
        amount=whole,
        gone=gone,
    )


def _verdict(spend: SpendSoFar, amount: int, used: float, locale: Language) -> str:
    if spend.known_nano > amount:
        return say("budget.over", locale)
    if spend.upper_nano > amount:
        return say("budget.maybe_over", locale)
    if spend.upper_nano == amount:
        return say("budget.at_limit", locale)
    return say("budget.used", locale, share=formats.share(used, locale))


def _drivers(drivers: Sequence[Driver], currency: str, locale: Language) -> str:
    recent = formats.money(sum(d.recent_nano for d in drivers), currency, locale)
    if not any(d.days for d in drivers):
        return say("budget.last_day_no_usual", locale, recent=recent)
    usual = formats.money(sum(d.usual_nano for d in drivers), currency, locale)
    rising = []
    for driver in sorted(drivers, key=lambda d: -d.rise_nano)[:DRIVERS]:
        if driver.rise_nano > 0:
            key = "budget.driver" if driver.model else "budget.driver_no_model"
            rise = f"+{formats.money(driver.rise_nano, currency, locale)}"
            rising.append(say(key, locale, app=driver.app, model=driver.model, rise=rise))
    return " ".join([say("budget.last_day", locale, recent=recent, usual=usual), ", ".join(rising)]).strip()


def _bounds(spend: SpendSoFar, currency: str, locale: Language) -> str:
    known = formats.money(spend.known_nano, currency, locale)
    upper = formats.money(spend.upper_nano, currency, locale)
    if spend.unpriced_calls:
        return counted("budget.unpriced", locale, spend.unpriced_calls, known=known, upper=upper)
    return say("budget.upper_only", locale, known=known, upper=upper)


def _buttons(name: str, locale: Language) -> Buttons:
    return Buttons(
        buttons=(
            Button(
                label=say("button.acknowledge", locale), action="acknowledge", value=name, style="primary"
            ),
            Button(label=say("button.snooze", locale), action="snooze", value=name),
        )
    )


def _level(threshold: int, locale: Language) -> str:
    state = "breach" if threshold >= 100 else "warn" if threshold >= WARN_FROM else "watch"
    return say(f"state.{state}", locale)


def _shares(thresholds: Sequence[int], locale: Language) -> str:
    return formats.listing([formats.share(t / 100, locale) for t in thresholds], locale)


def _moment(value: datetime, zone: str, locale: Language) -> str:
    return formats.moment(value, zone, locale)
