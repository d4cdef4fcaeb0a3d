"""Digests: what a closed period comes to, for one audience. Pure: `alerts.gather` asks, what is here decides."""

from uptake.alerts.digest.cadence import (
    CADENCES,
    DEFINITION_VERSION,
    FORMS,
    cadence_of,
    due_at,
    identity,
    last_closed,
    parse,
    require_closed,
)
from uptake.alerts.digest.compose import compose
from uptake.alerts.digest.inputs import DigestInputs
from uptake.alerts.digest.shape import (
    BY_TEAM,
    HISTORY,
    TRUST,
    asked_for_actions,
    beside,
    charted,
    kind_of,
    shown,
)

__all__ = [
    "BY_TEAM",
    "CADENCES",
    "DEFINITION_VERSION",
    "FORMS",
    "HISTORY",
    "TRUST",
    "DigestInputs",
    "asked_for_actions",
    "beside",
    "cadence_of",
    "charted",
    "compose",
    "due_at",
    "identity",
    "kind_of",
    "last_closed",
    "parse",
    "require_closed",
    "shown",
]
