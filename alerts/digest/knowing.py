"""What may be said of a period of which only a part is known: its figures, and nothing that judges. Pure.

Data begin on some day. What looks back further than that is left out, as nobody was idle for four weeks of which two
are known; no target is judged on a part; and where nothing is compared, that is said once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from uptake.alerts import formats
from uptake.alerts.digest.inputs import DigestInputs, Results, begins_within
from uptake.alerts.digest.names import short
from uptake.alerts.digest.shape import shown
from uptake.alerts.phrases import say
from uptake.alerts.targets import Standing, judged_over
from uptake.workspace.models import Kpi

LOOKS_BACK_WEEKS: Mapping[str, int] = {"habits": 12, "habits_4_weeks": 4, "seats": 4}
"""Figures that end with the period and begin before it, however long it is, and count what did not happen."""


def not_compared(inputs: DigestInputs) -> str:
    """Why nothing is compared, where that is so of all figures; "" where it is not."""
    if inputs.data_until is None:
        return ""
    locale, cadence, earlier = inputs.locale, inputs.cadence, inputs.span.shift(-1)
    if inputs.known_in_part:
        whole = short(inputs.span.shift(1), locale)
        return say(f"digest.partial.{cadence}", locale, whole=whole)
    if inputs.known_from is not None and earlier.period(inputs.organisation.zone).first < inputs.known_from:
        return say(f"digest.first.{cadence}", locale, since=formats.full_day(inputs.known_from, locale))
    names = [name for name in shown(cadence, inputs.kind, new=inputs.new) if name in inputs.before]
    if any(r.value is not None or r.hidden or r.suppressed for r in (inputs.before[name] for name in names)):
        return ""
    return say("digest.silent", locale, week=short(earlier, locale))


def only_known(inputs: DigestInputs) -> DigestInputs:
    """The inputs without what reaches back to a time of which nothing is known."""
    known_from = inputs.known_from
    if known_from is None:
        return inputs
    after = inputs.period.after
    return replace(
        inputs,
        this=_reaching(inputs.this, after, known_from),
        before=_reaching(inputs.before, inputs.period.first, known_from),
        by_team={name: both for name, both in inputs.by_team.items() if _reaches(name, after, known_from)},
        targets={name: _judged(name, each, inputs, known_from) for name, each in inputs.targets.items()},
    )


def _reaches(name: str, after: date, known_from: date) -> bool:
    return after - timedelta(weeks=LOOKS_BACK_WEEKS.get(name, 0)) >= known_from


def _reaching(results: Results, after: date, known_from: date) -> Results:
    return {name: result for name, result in results.items() if _reaches(name, after, known_from)}


def _judged(name: str, standing: Standing, inputs: DigestInputs, known_from: date) -> Standing:
    judged = judged_over(Kpi(name), inputs.period)
    if begins_within(known_from, judged) or not _reaches(name, judged.after, known_from):
        return Standing(standing.target, "open", "partial")
    return standing
