"""What the organisation agreed on: currency rates, negotiated prices, budgets, targets. Files and oracle read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from uptake.demo import facts

GRACE_DAYS = 7
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
    Budget("organisation", "All AI use", 3_000),
    Budget(
        facts.BREACH.budget,
        "Claims letters",
        facts.BREACH.amount,
        facts.BREACH.app,
        "#claims-ai",
        "@oncall-ai",
    ),
    Budget("claims", "Claims", 1_600, None, "#claims-ai", "", ("Motor", "Property", "Recovery", "Intake")),
    Budget(
        "underwriting",
        "Underwriting",
        400,
        None,
        "#underwriting-ai",
        "",
        ("Commercial", "Personal Lines", "Pricing"),
    ),
    Budget("sales", "Sales", 500, None, "#sales-ai", "", ("Brokers", "Direct", "Renewals")),
    Budget("service", "Service", 600, None, "#service-ia", "", ("Customer Care", "Correspondence")),
)

TARGETS = (
    ("adoption", None, "0.70", "Head of transformation"),
    ("override_rate", None, "0.15", "Head of transformation"),
    ("thumbs_down", None, "0.10", "Head of transformation"),
    ("unauthorised_share", None, "0", "Chief information security officer"),
    ("adoption", facts.STALLED.team, "0.60", "Head of claims"),
    ("adoption", facts.CLIMB.team, "0.80", "Head of service"),
)
"""KPI, team or None, target, owner."""

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
