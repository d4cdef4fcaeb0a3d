"""The small print: how far to trust what stands above. Pure."""

from __future__ import annotations

from datetime import timedelta

from uptake.alerts import formats
from uptake.alerts.digest.cadence import DEFINITION_VERSION
from uptake.alerts.digest.inputs import DigestInputs
from uptake.alerts.phrases import say


def footer(inputs: DigestInputs) -> str:
    """Completeness, late and unpriced shares, until when there are data, which definitions."""
    locale = inputs.locale
    parts = []
    complete = inputs.this.get("completeness")
    if complete is not None and complete.value is not None:
        parts.append(say("footer.complete", locale, share=formats.share(float(complete.value), locale)))
    else:
        parts.append(say("footer.complete_unknown", locale))
    for name, key in (("late_share", "footer.late"), ("unpriced_share", "footer.unpriced")):
        result = inputs.this.get(name)
        if result is not None and result.value is not None:
            parts.append(say(key, locale, share=formats.share(float(result.value), locale)))
    if inputs.data_until is None:
        parts.append(say(f"footer.no_data.{inputs.cadence}", locale))
    else:
        # the last moment of a day reads as that day, not as the next one
        shown = min(inputs.data_until, inputs.period.end - timedelta(minutes=1))
        parts.append(
            say("footer.until", locale, moment=formats.moment(shown, inputs.organisation.zone, locale))
        )
    parts.append(say("footer.definitions", locale, version=DEFINITION_VERSION))
    return " · ".join(parts)
