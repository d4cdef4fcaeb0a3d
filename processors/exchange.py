"""Currencies by date (fx.yaml). Pure; decimals only."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from uptake.workspace.models import Workspace


class Exchange:
    """What one unit of a currency is worth in the organisation's currency on a day."""

    def __init__(self, workspace: Workspace) -> None:
        self.currency = workspace.organisation.currency
        self._rates: dict[str, list[tuple[date, Decimal]]] = {}
        for rate in workspace.fx:
            since = rate.valid_from or date.min
            self._rates.setdefault(rate.currency, []).append((since, rate.rate))
        for rates in self._rates.values():
            rates.sort(key=lambda rate: rate[0])
        self.highest = max([Decimal(1), *(rate.rate for rate in workspace.fx)])
        """Bounds an amount in a currency that has no rate: for budgets only, never a cost."""

    def rate(self, currency: str, day: date) -> Decimal | None:
        """The rate valid on `day`, that is the one with the latest `valid_from` up to it; None where nobody
        gave one."""
        if currency == self.currency:
            return Decimal(1)
        valid = [rate for since, rate in self._rates.get(currency, ()) if since <= day]
        return valid[-1] if valid else None
