"""What the oracle's answers are made of: shares, and what counts as a use, a bill, an override. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from uptake.calendar import Closed, Period
from uptake.demo import definitions, facts
from uptake.demo.calls import Call
from uptake.demo.organisation import TEAMS

ALL_TEAMS = tuple(team.name for team in TEAMS)
Span = Closed | Period


@dataclass(frozen=True, slots=True)
class Share:
    """A share by its two parts."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float:
        return self.numerator / self.denominator


@dataclass(frozen=True, slots=True)
class AdoptionChange:
    """Adoption of two weeks; `gained` and `lost` are people eligible in both who are active in one of them."""

    before: Share
    now: Share
    gained: int
    lost: int

    @property
    def usage_part(self) -> float:
        return (self.now.numerator - self.before.numerator) / self.before.denominator

    @property
    def roster_part(self) -> float:
        return self.now.value - self.now.numerator / self.before.denominator


@dataclass(frozen=True, slots=True)
class Override:
    """Decisions: overridden of decided; `covered` of the `shown` answers were decided."""

    rate: Share
    covered: int
    shown: int
    escalated: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """An app as its calls show it."""

    first_seen: datetime
    calls: int
    people: int
    nano: int


def period_of(span: Span) -> Period:
    """A week, month or quarter in the organisation's zone; a period as it is."""
    return span if isinstance(span, Period) else span.period(facts.ZONE)


def deliberate(call: Call) -> bool:
    """Somebody used an app on purpose."""
    return call.verb == "usage" and bool(call.user) and call.fields.get("intent") != "automatic"


def invoiced(call: Call) -> bool:
    """A provider's bill for calls that are counted already."""
    return call.fields.get("category") == "inference" and bool(call.fields.get("invoice_id"))


def overridden(call: Call) -> bool:
    """Rejected, or edited at least as severely as the organisation tolerates."""
    decision = call.fields["decision"]
    severe = call.severity is not None and call.severity >= definitions.SEVERITY_THRESHOLD
    return decision == "rejected" or (decision == "edited" and severe)
