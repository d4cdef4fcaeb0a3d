"""What periods and rows are called. Pure."""

from __future__ import annotations

from uptake.alerts import formats
from uptake.alerts.digest.inputs import DigestInputs
from uptake.alerts.formats import Language
from uptake.alerts.phrases import say
from uptake.calendar import Closed, IsoWeek, Month


def short(span: Closed, locale: Language) -> str:
    """W45 (S45 in French), October, Q3."""
    if isinstance(span, IsoWeek):
        return say("digest.short_week", locale, week=span.week)
    if isinstance(span, Month):
        return formats.month(span.period("UTC").first, locale)
    return say("digest.short_quarter", locale, quarter=str(span).rpartition("Q")[2])


def reference(name: str, inputs: DigestInputs) -> str:
    """The command that leads from a figure to its definition and its query."""
    period = inputs.period
    parts = [f"uptake kpi {name} --from {period.first} --to {period.last}"]
    if inputs.kind == "department":
        parts.append(f"--team {_quoted(inputs.audience.audience)}")
    parts += [f"--app {_quoted(app)}" for app in inputs.audience.apps]
    return " ".join([*parts, "--explain"])


def _quoted(text: str) -> str:
    """As a shell takes it."""
    safe = text.replace("-", "").replace("_", "").isalnum() and text.isascii()
    return text if safe else "'" + text.replace("'", "'\\''") + "'"
