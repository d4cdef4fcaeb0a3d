"""Which figures a digest shows to whom. Pure: change it here, and what is asked for changes with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from uptake.workspace.models import Audience, Cadence

Kind = Literal["organisation", "department", "app"]

HISTORY: Mapping[Cadence, int] = {"weekly": 12, "monthly": 6, "quarterly": 4}
"""How many periods the chart looks back on."""

TRUST = ("completeness", "late_share", "unpriced_share")
"""What says how far to trust the others."""

_PEOPLE: Mapping[Cadence, tuple[str, ...]] = {
    "weekly": ("adoption", "habits", "override_rate", "thumbs_down", "spend", "unauthorised_share"),
    "monthly": (
        "spend",
        "cost_per_call",
        "cost_per_active_user",
        "cost_per_accepted",
        "wasted_spend",
        "seats",
    ),
    "quarterly": ("nps", "thumbs_down", "override_rate", "edit_severity", "retention", "cost_per_accepted"),
}
_APP: Mapping[Cadence, tuple[str, ...]] = {
    "weekly": ("active_users", "override_rate", "thumbs_down", "error_rate", "latency", "spend"),
    "monthly": ("spend", "cost_per_call", "cost_per_accepted", "wasted_spend", "error_rate", "latency"),
    "quarterly": ("nps", "thumbs_down", "override_rate", "edit_severity", "reasons", "cost_per_accepted"),
}
CHART: Mapping[Cadence, tuple[str, ...]] = {
    "weekly": ("adoption", "override_rate"),
    "monthly": ("spend",),
    "quarterly": ("override_rate", "thumbs_down"),
}
_CHART_OF_APP: Mapping[Cadence, tuple[str, ...]] = {**CHART, "weekly": ("override_rate", "error_rate")}

BY_TEAM: Mapping[Cadence, tuple[str, ...]] = {
    "weekly": ("adoption", "habits", "override_rate", "spend"),
    "monthly": ("spend", "cost_per_active_user", "seats"),
    "quarterly": ("nps", "override_rate", "thumbs_down"),
}
"""What the thread shows of each team."""

_BESIDE: Mapping[Cadence, tuple[str, ...]] = {
    "weekly": ("lifecycle", "stickiness", "breadth", "active_users", "error_rate", "latency"),
    "monthly": (
        "cache_saving",
        "shadow_gap",
        "activation",
        "time_to_first_use",
        "champions",
        "tokens",
        "error_rate",
        "latency",
    ),
    "quarterly": ("reasons", "habits", "lifecycle", "seats"),
}
"""What else the thread shows, of the audience as a whole."""

NOT_OF_APPS = ("habits", "lifecycle", "seats", "activation", "time_to_first_use", "champions")
"""Figures about everybody with a seat, which say nothing of one app: most people are not meant to use it."""

OF_ORGANISATION = ("shadow_gap",)
"""Figures that no team and no app has a part of."""


OF_NEW_PROGRAMMES: Mapping[str, str] = {"habits": "habits_4_weeks"}
"""What is shown instead where less is known than the figure looks back on: five weeks hold no habit of twelve."""


def kind_of(audience: Audience) -> Kind:
    if audience.apps:
        return "app"
    return "department" if audience.teams else "organisation"


def shown(cadence: Cadence, kind: Kind, *, new: bool = False) -> tuple[str, ...]:
    """At most six KPIs, in their order; `new`: of a programme that has not run for twelve weeks."""
    names = (_APP if kind == "app" else _PEOPLE)[cadence]
    return tuple(OF_NEW_PROGRAMMES.get(name, name) for name in names) if new else names


def beside(cadence: Cadence, kind: Kind, *, new: bool = False) -> tuple[str, ...]:
    """What else the thread shows to this audience; `new` as in `shown`."""
    without = {"app": NOT_OF_APPS + OF_ORGANISATION, "department": OF_ORGANISATION, "organisation": ()}[kind]
    twice = shown(cadence, kind)
    names = (name for name in _BESIDE[cadence] if name not in (*without, *twice))
    return tuple(OF_NEW_PROGRAMMES.get(name, name) if new else name for name in names)


def asked_for_actions(cadence: Cadence, kind: Kind) -> tuple[str, ...]:
    """What rules of "do next" ask for whether it is shown or not."""
    return () if kind == "app" or cadence == "quarterly" else ("seats",)


def charted(cadence: Cadence, kind: Kind) -> tuple[str, ...]:
    return (_CHART_OF_APP if kind == "app" else CHART)[cadence]
