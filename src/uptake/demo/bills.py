"""What no call shows: seats billed by the month, a machine of one's own, a credit, a provider's invoice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from uptake.demo import definitions, facts
from uptake.demo.calls import Call
from uptake.demo.organisation import TEAMS, Organisation
from uptake.demo.patterns import at, local_day
from uptake.demo.pricing import call_cost

_MONTHS = (date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1))


def costs(organisation: Organisation, usage: Iterable[Call]) -> list[Call]:
    """Cost events of the thirteen weeks, in which these calls were made."""
    calls = []
    for month in _MONTHS:
        after = date(month.year, month.month + 1, 1)
        billed = {"period_start": month, "period_end": after}
        for team in TEAMS:
            seats = sum(member.seat for member in organisation.in_team(team.name, month))
            calls.append(
                Call(at(month, 6), "case-summary", "cost", {
                    "category": "licence", "amount": f"{definitions.SEAT_PRICE * seats}.00", "currency": "EUR",
                    "team": team.name, "invoice_id": f"seats-{month:%Y-%m}-{team.name}", **billed,
                })
            )  # fmt: skip
        calls.append(
            Call(at(month, 6, 5), facts.UNPRICED.app, "cost", {
                "category": "infrastructure", "amount": "96.40", "currency": "USD", "provider": "in-house",
                "model": facts.UNPRICED.model, "team": "Customer Care",
                "invoice_id": f"host-{month:%Y-%m}", **billed,
            })
        )  # fmt: skip
    calls.append(
        Call(at(date(2026, 11, 12), 11, 20), "broker-mail", "cost", {
            "category": "credit", "amount": "-4.75", "currency": "EUR", "provider": "mistral",
            "team": "Brokers", "invoice_id": "credit-2026-11",
            "period_start": date(2026, 11, 2), "period_end": date(2026, 11, 16),
        })
    )  # fmt: skip
    return [*calls, _invoice(usage)]


def _invoice(usage: Iterable[Call]) -> Call:
    """Of what the provider bills, calls explain all but the planted gap."""
    planted = facts.INVOICE
    after = date(planted.month.year, planted.month.month + 1, 1)
    explained = sum(
        call_cost(call) or 0
        for call in usage
        if call.fields["provider"] == planted.provider and planted.month <= local_day(call.at) < after
    )
    billed = Decimal(explained) / 10**9 / (1 - Decimal(str(planted.gap)))
    return Call(at(planted.sent_on, 6, 10), "service-desk", "cost", {
        "category": "inference", "amount": f"{billed:.2f}", "currency": "EUR", "provider": planted.provider,
        "invoice_id": f"{planted.provider}-{planted.month:%Y-%m}",
        "period_start": planted.month, "period_end": after,
    })  # fmt: skip
