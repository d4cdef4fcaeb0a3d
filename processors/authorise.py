"""Whether the registry (apps.yaml) allows a call. Pure.

Verdicts are checked in the order below and the first that holds is the answer. An empty list in the registry
allows everything of its kind; where a list is given, saying nothing is not on it: an app that must stay within
two use cases has to say which of them a call is for. Only the model may be absent, because calls that failed
early and steps of agents have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from uptake.workspace.models import App

Verdict = Literal[
    "allowed",
    "unregistered_app",
    "outside_validity",
    "team_not_allowed",
    "use_case_not_allowed",
    "model_not_allowed",
    "data_class_not_allowed",
]


def authorise(
    registry: Mapping[str, App],
    app: str,
    *,
    day: date,
    team: str,
    use_case: str,
    models: tuple[str, ...],
    data_class: str,
) -> Verdict:
    """The verdict on one call. `day` is in the organisation's zone, `models` are the names of the served model
    (as reported, and as the price list calls it): one of them on the list is enough. No names: no model."""
    entry = registry.get(app)
    if entry is None:
        return "unregistered_app"
    early = entry.valid_from is not None and day < entry.valid_from
    if early or (entry.valid_to is not None and day >= entry.valid_to):
        return "outside_validity"
    if entry.teams and team not in entry.teams:
        return "team_not_allowed"
    if entry.use_cases and use_case not in entry.use_cases:
        return "use_case_not_allowed"
    if entry.allowed_models and models and not set(models) & set(entry.allowed_models):
        return "model_not_allowed"
    if entry.data_classes and data_class not in entry.data_classes:
        return "data_class_not_allowed"
    return "allowed"
