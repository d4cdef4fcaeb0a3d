"""Which closed period a digest is of, when it may be said, and which fact it is. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from uptake.alerts import formats
from uptake.calendar import Closed, FiscalQuarter, IsoWeek, Month
from uptake.errors import UsageError
from uptake.workspace.models import Cadence, Organisation

DEFINITION_VERSION = 3
"""Raise it when a figure of a digest changes its meaning, or a KPI that it shows: the period is then said anew."""

SENT_FROM = time(8, 0)
"""On the tenant's wall clock."""

WAITS_DAYS: dict[Cadence, int] = {"weekly": 0, "monthly": 2, "quarterly": 4}
"""Days between a period's end and the day of its digest: longer periods wait for what is late, such as invoices."""

CADENCES: tuple[Cadence, ...] = ("weekly", "monthly", "quarterly")

FORMS: dict[Cadence, str] = {
    "weekly": "write an ISO week like 2026-W46",
    "monthly": "write a month like 2026-11",
    "quarterly": "write a fiscal quarter like FY2026-Q4",
}

NOUNS: dict[Cadence, str] = {"weekly": "week", "monthly": "month", "quarterly": "quarter"}


def cadence_of(span: Closed) -> Cadence:
    """Weekly for a week, monthly for a month, quarterly for a quarter."""
    if isinstance(span, IsoWeek):
        return "weekly"
    return "monthly" if isinstance(span, Month) else "quarterly"


def last_closed(cadence: Cadence, now: datetime, organisation: Organisation) -> Closed:
    """The newest period of a cadence that is over in the organisation's zone."""
    if cadence == "weekly":
        return IsoWeek.last_closed(now, organisation.zone)
    if cadence == "monthly":
        return Month.last_closed(now, organisation.zone)
    return FiscalQuarter.last_closed(now, organisation.zone, organisation.fiscal_year_starts)


def parse(cadence: Cadence, text: str, organisation: Organisation) -> Closed:
    """Read 2026-W46, 2026-11 or FY2026-Q4, as the cadence asks for. Raises ValueError with what is wrong."""
    if cadence == "weekly":
        return IsoWeek.parse(text)
    if cadence == "monthly":
        return Month.parse(text)
    return FiscalQuarter.parse(text, organisation.fiscal_year_starts)


def identity(tenant: str, audience: str, span: Closed) -> str:
    """The fact "this audience was told about this period", under the present definitions."""
    return f"digest/{tenant}/{audience}/{span}/v{DEFINITION_VERSION}"


def due_at(span: Closed, zone: str) -> datetime:
    """When the digest of a period may be said: at eight in the morning, on Monday for a week, on the third day after a
    month and on the fifth after a quarter."""
    day = span.period(zone).after + timedelta(days=WAITS_DAYS[cadence_of(span)])
    return datetime.combine(day, SENT_FROM, ZoneInfo(zone))


def require_closed(span: Closed, organisation: Organisation, now: datetime) -> None:
    """Refuse a period that is not over: nothing is computed on part of one."""
    period, cadence = span.period(organisation.zone), cadence_of(span)
    if not period.is_closed(now):
        ends = formats.moment(period.end, organisation.zone, "en")
        raise UsageError(
            f"{NOUNS[cadence]} {span} is not over: it ends {ends} ({organisation.zone})",
            f"the last closed {NOUNS[cadence]} is {last_closed(cadence, now, organisation)}",
        )
