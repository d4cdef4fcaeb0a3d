"""The sentence that stands first: what changed, and the one thing that presses most. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from uptake.alerts import formats
from uptake.alerts.digest.inputs import DigestInputs
from uptake.alerts.digest.names import short
from uptake.alerts.digest.values import compared, plain
from uptake.alerts.phrases import counted, say
from uptake.stats import Change

HOLDS_UNDER = 0.05  # an unclear change of this size is not shown to be one, and not shown to be none
ROSTER_FALL = -0.02  # a smaller fall is not worth a sentence about its cause
LONG_RUN = 0.05  # a smaller change since the first known week is not worth a verdict
WORTH_SEATS = 0.05  # of the spend: idle seats that cost less are not what a month comes to
MONEY_HOLDS = 0.1  # of the period before: a smaller change of spend is none to speak of


def verdict(inputs: DigestInputs, changes: Mapping[str, Change], causes: Mapping[str, str]) -> str:
    """What the period comes to: first what its cadence is about, then the one thing that presses most."""
    locale = inputs.locale
    if inputs.data_until is None:
        return say(f"verdict.no_data.{inputs.cadence}", locale)
    pressing = _pressing(inputs, changes) or _idle_seats(inputs)
    if inputs.known_from is not None and inputs.known_in_part:
        day = formats.day(inputs.known_from, locale).removesuffix(".")  # it ends a sentence: "11 nov."
        part = say(f"verdict.part.{inputs.cadence}", locale, day=day)
        # that nothing else stands out would be a verdict
        return " ".join(filter(None, (part, _first(inputs, changes, causes), pressing)))
    return f"{_first(inputs, changes, causes)} {pressing or say('verdict.quiet', locale)}"


def _first(inputs: DigestInputs, changes: Mapping[str, Change], causes: Mapping[str, str]) -> str:
    if inputs.cadence == "monthly":
        return _spend(inputs, causes)
    if inputs.cadence == "quarterly":
        return _judgement(inputs, changes)
    return _use(inputs) if inputs.kind == "app" else _adoption(inputs, changes.get("adoption"))


def _use(inputs: DigestInputs) -> str:
    """Of an app: how many people used it."""
    result = inputs.this.get("active_users")
    if result is None or result.value is None:
        return say("verdict.use_unknown", inputs.locale)
    return counted("verdict.use", inputs.locale, int(result.value))


def _spend(inputs: DigestInputs, causes: Mapping[str, str]) -> str:
    locale, now, before = inputs.locale, inputs.this.get("spend"), inputs.before.get("spend")
    if now is None or now.value is None:
        return say("verdict.spend_unknown", locale)
    amount, earlier = compared(now, before, locale)
    if before is None or not before.value:
        return say("verdict.spend_first", locale, amount=amount)
    change = int(now.value) / int(before.value) - 1
    if abs(change) < MONEY_HOLDS:
        return say("verdict.spend_holds", locale, amount=amount, before=earlier)
    key = "verdict.spend_up" if change > 0 else "verdict.spend_down"
    cause = f", {causes['spend']}" if "spend" in causes else ""
    return say(key, locale, amount=amount, before=earlier, cause=cause)


def _judgement(inputs: DigestInputs, changes: Mapping[str, Change]) -> str:
    """What people think: the promoter score, else how much of the answers they override."""
    locale = inputs.locale
    for name in ("nps", "override_rate"):
        result = inputs.this.get(name)
        if result is None or result.value is None:
            continue
        value, change = plain(float(result.value), result, locale), changes.get(name)
        if change is None:
            return say(f"verdict.{name}_first", locale, value=value)
        if not change.clear:
            return say(f"verdict.{name}_holds", locale, value=value)
        return say(f"verdict.{name}_{'up' if change.difference > 0 else 'down'}", locale, value=value)
    return say("verdict.judgement_unknown", locale)


def _adoption(inputs: DigestInputs, change: Change | None) -> str:
    locale = inputs.locale
    result = inputs.this.get("adoption")
    if result is not None and result.suppressed:
        return say("verdict.adoption_suppressed", locale)
    if result is not None and result.hidden:
        return say("verdict.adoption_hidden", locale)
    if result is None or result.value is None:
        return say("verdict.adoption_unknown", locale)
    share = formats.share(float(result.value), locale)
    if change is None:
        return say("verdict.adoption_first", locale, share=share)
    if change.clear:
        return say(f"verdict.adoption_{'up' if change.difference > 0 else 'down'}", locale, share=share)
    usage, roster = (inputs.pairs.usage_part, inputs.pairs.roster_part) if inputs.pairs else (None, None)
    falls = change.difference <= ROSTER_FALL and (usage or 0.0) >= 0 > (roster or 0.0)
    if falls:
        return say("verdict.adoption_roster", locale)
    holds = abs(change.difference) < HOLDS_UNDER
    return _long_run(inputs, holds) or say(
        "verdict.adoption_holds" if holds else "verdict.adoption_unclear", locale
    )


def _long_run(inputs: DigestInputs, holds: bool) -> str | None:
    """A rise or fall that no single week shows: against the first known week, by the same test."""
    if inputs.since is None:
        return None
    week, pairs = inputs.since
    change = pairs.change
    if change is None or not change.clear or abs(change.difference) < LONG_RUN:
        return None
    key = (
        f"verdict.adoption_{'holds' if holds else 'unclear'}_{'above' if change.difference > 0 else 'below'}"
    )
    share = formats.share(pairs.a0 / pairs.n0, inputs.locale)
    return say(key, inputs.locale, share=share, week=short(week, inputs.locale))


def _pressing(inputs: DigestInputs, changes: Mapping[str, Change]) -> str | None:
    locale = inputs.locale
    overrides, thumbs = changes.get("override_rate"), changes.get("thumbs_down")
    if overrides and overrides.clear and overrides.difference > 0:
        jump = next((jump for jump in inputs.jumps if jump.risen), None)
        if jump is not None:
            since = ""
            if jump.first_at is not None:
                local = jump.first_at.astimezone(ZoneInfo(inputs.organisation.zone)).date()
                since = say("verdict.on_day", locale, day=formats.weekday(local, locale))
            return say("verdict.overrides_up_prompt", locale, app=jump.place, prompt=jump.prompt, since=since)
        return say("verdict.overrides_up", locale, share=_share(inputs, "override_rate"))
    over = [e for e in inputs.budgets if e.state == "breach"]
    if over:
        worst = max(over, key=lambda e: e.share_used)
        certain = worst.spend.known_nano >= worst.amount_nano
        return say("verdict.budget" if certain else "verdict.budget_maybe", locale, name=worst.budget.name)
    if inputs.new_findings:
        return counted("verdict.finding", locale, inputs.new_findings)
    if thumbs and thumbs.clear and thumbs.difference > 0:
        return say("verdict.thumbs_up", locale, share=_share(inputs, "thumbs_down"))
    if overrides and overrides.clear:
        return say("verdict.overrides_down", locale, share=_share(inputs, "override_rate"))
    return None


def _idle_seats(inputs: DigestInputs) -> str | None:
    """Of a month: what idle seats cost, where that is a part of the spend worth a sentence."""
    seats, spend = inputs.this.get("seats"), inputs.this.get("spend")
    if inputs.cadence != "monthly" or seats is None or spend is None or not spend.value:
        return None
    idle, nano = seats.parts.get("idle"), seats.extras.get("idle_cost_nano", 0)
    if not idle or nano < WORTH_SEATS * int(spend.value):
        return None
    cost = formats.money(nano, inputs.organisation.currency, inputs.locale)
    return counted("verdict.seats", inputs.locale, idle, cost=cost)


def _share(inputs: DigestInputs, name: str) -> str:
    return formats.share(float(inputs.this[name].value or 0.0), inputs.locale)
