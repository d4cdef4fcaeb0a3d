"""What a change is made of: which team, which app, which reason. Pure.

Only the largest part is named, and only where it is at least half of the whole: three small causes are none.
"""

from __future__ import annotations

from collections.abc import Mapping

from uptake.alerts import formats
from uptake.alerts.digest.actions import reason_name
from uptake.alerts.digest.inputs import DigestInputs, Results
from uptake.alerts.digest.noticing import risen_reason
from uptake.alerts.formats import Language
from uptake.alerts.phrases import say
from uptake.stats import Change

MOST = 0.5
WORTH_MONEY = 0.1  # of the spend before: a smaller change of money needs no cause
OF_ANSWERS = ("override_rate", "thumbs_down", "error_rate")


def causes(inputs: DigestInputs, changes: Mapping[str, Change]) -> dict[str, str]:
    """What each change is made of, in words, by KPI; nothing for a change that is not clear."""
    locale = inputs.locale
    found: dict[str, str] = {}
    adoption = changes.get("adoption")
    if adoption is not None and adoption.clear and "adoption" in inputs.by_team:
        found["adoption"] = _team(inputs, adoption)
    for name in OF_ANSWERS:
        change = changes.get(name)
        if change is not None and change.clear and name in inputs.by_app:
            parts = [_app(*inputs.by_app[name], change, locale)]
            if name == "override_rate":
                parts.append(_reason(*inputs.reasons, locale))
            found[name] = ", ".join(part for part in parts if part)
    found["spend"] = _money(inputs)
    return {name: text for name, text in found.items() if text}


def _team(inputs: DigestInputs, change: Change) -> str:
    """The team that most of the usage part comes from, with the two parts of its own change: people who moved there
    with their use are in its roster part, as the group became larger by them."""
    before, now = inputs.by_team["adoption"]
    if len(now) < 2:
        return ""
    gained = {
        team: (result.numerator or 0) - (before[team].numerator or 0)
        for team, result in now.items()
        if result.value is not None and team in before and before[team].value is not None
    }
    usage = (inputs.this["adoption"].numerator or 0) - (inputs.before["adoption"].numerator or 0)
    team = _largest(gained, usage)
    if not team:
        return ""
    then, result = before[team], now[team]
    if not then.denominator or not result.denominator:
        return ""
    active = result.numerator or 0
    if (active / result.denominator - float(then.value or 0)) * usage <= 0:
        return ""  # it is larger or smaller, and not used more or less
    parts = gained[team] / then.denominator, active / result.denominator - active / then.denominator
    usage_part, roster_part = (formats.points(part, inputs.locale) for part in parts)
    if result.denominator == then.denominator:
        return say("because.mostly", inputs.locale, what=team, size=usage_part)
    return say("because.team", inputs.locale, team=team, usage=usage_part, roster=roster_part)


def _app(before: Results, now: Results, change: Change, locale: Language) -> str:
    """The app with most of what there is too much (or too little) of in all, were each as it was before. What a new app
    brings, or that one is used more than another, is in the whole and of no app."""
    if len(now) < 2:
        return ""
    excess = {}
    for app, result in now.items():
        then = before.get(app)
        if result.denominator and then is not None and then.denominator:
            usual = (then.numerator or 0) / then.denominator
            excess[app] = (result.numerator or 0) - usual * result.denominator
    app = _largest(excess, change.difference * sum(result.denominator or 0 for result in now.values()))
    if not app:
        return ""
    then, result = before[app], now[app]
    moved = (result.numerator or 0) / (result.denominator or 1) - (then.numerator or 0) / (
        then.denominator or 1
    )
    return say("because.mostly", locale, what=app, size=formats.points(moved, locale))


def _reason(before: Mapping[str, int], now: Mapping[str, int], locale: Language) -> str:
    risen = risen_reason(before, now)
    if risen is None:
        return ""
    return say(
        "because.reason",
        locale,
        reason=reason_name(risen.reason, locale),
        share=formats.share(risen.share, locale),
        before=formats.share(risen.before, locale),
    )


def _money(inputs: DigestInputs) -> str:
    if "spend" not in inputs.by_app:
        return ""
    spend, earlier = inputs.this.get("spend"), inputs.before.get("spend")
    if spend is None or earlier is None or spend.value is None or not earlier.value:
        return ""
    change = int(spend.value) - int(earlier.value)
    if abs(change) < WORTH_MONEY * abs(int(earlier.value)):
        return ""
    before, now = inputs.by_app["spend"]
    apps = {*before, *now}
    if len(apps) < 2:
        return ""
    moved = {
        app: (now[app].numerator or 0 if app in now else 0)
        - (before[app].numerator or 0 if app in before else 0)
        for app in apps
    }
    app = _largest(moved, change)
    if not app:
        return ""
    size = formats.money(moved[app], spend.currency, inputs.locale)
    return say("because.mostly", inputs.locale, what=app, size=f"+{size}" if moved[app] > 0 else size)


def _largest(parts: Mapping[str, float], whole: float) -> str:
    """The part with at least half of the whole, in its direction; "" if there is none, or it has no name itself."""
    if not parts or not whole:
        return ""
    name = max(parts, key=lambda part: (parts[part] * (1 if whole > 0 else -1), part))
    return name if parts[name] / whole >= MOST else ""
