"""What the organisation agreed on: currency rates, negotiated prices, budgets, targets. Files and oracle read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from uptake.demo import facts

COUNTRY = "FR"
GRACE_DAYS = 7
SEAT_PRICE = 12
"""EUR a month."""
SEVERITY_THRESHOLD = 0.3
USD_IN_EUR = ((date.min, Decimal("0.92")), (date(2026, 10, 1), Decimal("0.90")))
UNKNOWN_INPUT, UNKNOWN_OUTPUT = Decimal(15), Decimal(75)
"""USD per million tokens: what a model without a price costs at most."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """USD per million tokens, from a day on."""

    provider: str = "anthropic"
    model: str = "claude-sonnet-5-5"
    input: Decimal = Decimal("1.80")
    cache_read: Decimal = Decimal("0.09")
    output: Decimal = Decimal("9.00")
    valid_from: date = date(2026, 10, 1)


NEGOTIATED = Negotiated()


@dataclass(frozen=True, slots=True)
class Budget:
    """A monthly budget in EUR: of an app, of a department's teams, or without either of the whole organisation."""

    budget: str
    name: str
    amount: int
    app: str | None = None
    channel: str = ""
    contact: str = ""
    teams: tuple[str, ...] = ()


BUDGETS_SINCE = date(2026, 11, 1)
"""November is the first month with budgets."""

BUDGETS = (
    Budget("organisation", "All AI use", 5_000),
    Budget(
        facts.BREACH.budget,
        "Claims letters",
        facts.BREACH.amount,
        facts.BREACH.app,
        "#claims-ai",
        "@oncall-ai",
    ),
    Budget("claims", "Claims", 2_200, None, "#claims-ai", "", ("Motor", "Property", "Recovery", "Intake")),
    Budget(
        "underwriting",
        "Underwriting",
        1_000,
        None,
        "#underwriting-ai",
        "",
        ("Commercial", "Personal Lines", "Pricing"),
    ),
    Budget("sales", "Sales", 1_000, None, "#sales-ai", "", ("Brokers", "Direct", "Renewals")),
    Budget("service", "Service", 1_000, None, "#service-ia", "", ("Customer Care", "Correspondence")),
)

REGISTRY = (
    ("claims-letter", "Head of claims", ("settlement-letter", "information-request"),
     ("Motor", "Property", "Recovery", "Intake"), ("gpt-5.6-sol",), ("personal",), "high"),
    ("case-summary", "Head of claims", ("summary", "nightly-summary"),
     ("Motor", "Property", "Recovery", "Intake", "Customer Care", "Correspondence"), ("gpt-5.6-luna",),
     ("personal",), "medium"),
    ("underwriting-assistant", "Head of underwriting", ("risk-note", "clause-check"),
     ("Commercial", "Personal Lines", "Pricing"), ("claude-sonnet-5-5",), ("confidential", "internal"), "high"),
    ("broker-mail", "Head of sales", ("reply", "offer"), ("Brokers", "Direct", "Renewals"),
     ("mistral-large-4",), ("internal",), "medium"),
    ("service-desk", "Head of service", ("answer", "reply-draft"), (), ("gpt-5.6-terra", "atlas-7b"),
     ("internal",), "low"),
)  # fmt: skip
"""App, owner, use cases, teams (none: everybody), models, data classes, criticality. One app is missing."""


APPS = tuple(sorted(entry[0] for entry in REGISTRY))
DUE = date(2026, 12, 31)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a target was set from: the value of an ISO week, with the apps that were registered then."""

    value: str
    week: str = "2026-W35"
    apps: tuple[str, ...] = APPS
    definition_version: int = 1


@dataclass(frozen=True, slots=True)
class Target:
    """A target of the organisation, or of one team."""

    kpi: str
    target: str
    owner: str
    baseline: Baseline | None = None
    team: str | None = None


BEFORE_BROKER_MAIL = tuple(app for app in APPS if app != "broker-mail")
TARGETS = (
    Target("adoption", "0.70", "Head of transformation", Baseline("0.515")),
    Target("habits", "0.65", "Head of transformation", Baseline("0.40", "2026-W20", BEFORE_BROKER_MAIL)),
    Target("override_rate", "0.10", "Head of transformation", Baseline("0.13")),
    Target("thumbs_down", "0.10", "Head of transformation"),
    Target("unauthorised_share", "0", "Chief information security officer"),
    Target("adoption", "0.60", "Head of claims", team=facts.STALLED.team),
    Target("adoption", "0.80", "Head of service", team=facts.CLIMB.team),
)
"""Of the organisation's, adoption is on its way and overrides are not; habits are compared with nothing: an app was
registered since."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who answers for an app, and where their digest goes."""

    audience: str
    name: str
    app: str
    channel: str


OWNERS = (Owner("claims-letter-owner", "claims-letter", facts.PROMPT.app, "#claims-letter"),)
