"""Digests: what a closed period comes to, for one audience. Pure: `alerts.gather` asks, what is here decides."""

from uptake.alerts.digest.compose import (
    DEFINITION_VERSION,
    HISTORY_WEEKS,
    SHOWN,
    TRUST,
    DigestInputs,
    compose,
    due_at,
    identity,
    require_closed,
)

__all__ = [
    "DEFINITION_VERSION",
    "HISTORY_WEEKS",
    "SHOWN",
    "TRUST",
    "DigestInputs",
    "compose",
    "due_at",
    "identity",
    "require_closed",
]
