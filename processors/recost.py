"""What stored rows cost by the prices in force now, by column. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import pyarrow as pa

from uptake.money import from_nano
from uptake.processors.attribute import QUARTER_MS, Days, days_of
from uptake.processors.identity import correction_ver
from uptake.processors.price import Call, Cost, PriceBook
from uptake.workspace.models import Workspace

Row = Mapping[str, Any]

_PRICED_BY = {
    # What has to be read of each row, and nothing else: of a block most rows stay as they are.
    "usage": (
        *("occurred_at", "operation", "provider", "model", "service_tier", "status", "cache_hit"),
        *("input_uncached_tokens", "input_cache_read_tokens", "input_cache_write_tokens"),
        *("output_visible_tokens", "output_reasoning_tokens", "reported_nano", "reported_currency"),
        *("cost_nano", "cost_upper_nano", "price_source", "currency", "ver"),
    ),
    "cost": (
        "occurred_at",
        "billed_nano",
        "billed_currency",
        "cost_nano",
        "cost_upper_nano",
        "currency",
        "ver",
    ),
}
_MAX_REMEMBERED = 10_000


@dataclass
class Change:
    """What became of the rows of a table: how many were looked at and how many cost something else now. Sums are nano
    units by currency, of rows whose cost is known; the others are counted."""

    rows: int = 0
    changed: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    unknown_before: int = 0
    unknown_after: int = 0


class Corrections(NamedTuple):
    """Places in a block of the rows that cost something else, and of each the new cost and version."""

    places: list[int]
    costs: list[Cost]
    versions: list[int]


class Recoster:
    """Prices of one organisation, applied to rows that are stored."""

    def __init__(self, workspace: Workspace) -> None:
        self.currency = workspace.organisation.currency
        self._prices = PriceBook(workspace)
        self._zone = workspace.tz
        self._days: dict[int, Days] = {}

    def judge(self, table: str, block: pa.Table, now_ms: int, change: Change) -> Corrections:
        """Compare the rows of a block with what they would cost now, and count that in `change`.

        A new version of the price list that changes no amount is no change."""
        found = Corrections([], [], [])
        names = _PRICED_BY[table]
        of_row = self._usage if table == "usage" else self._cost
        for place, values in enumerate(zip(*(block.column(name).to_pylist() for name in names), strict=True)):
            row = dict(zip(names, values, strict=True))
            cost = of_row(row)
            change.rows += 1
            _add(change.before, row["currency"], row["cost_nano"])
            _add(change.after, self.currency, cost.nano)
            change.unknown_before += row["cost_nano"] is None
            change.unknown_after += cost.nano is None
            if self._differs(row, cost):
                change.changed += 1
                found.places.append(place)
                found.costs.append(cost)
                found.versions.append(correction_ver(now_ms, row["ver"]))
        return found

    def _differs(self, row: Row, cost: Cost) -> bool:
        amounts = (row["cost_nano"], row["cost_upper_nano"], row["currency"])
        if amounts != (cost.nano, cost.upper, self.currency):
            return True
        return "price_source" in row and _kind(row["price_source"]) != _kind(cost.source)

    def _usage(self, row: Row) -> Cost:
        reported, currency = row["reported_nano"], row["reported_currency"]
        if reported is None and row["price_source"] == "reported":  # written before what was said was kept
            reported, currency = row["cost_nano"], row["currency"]
        moment = row["occurred_at"].astimezone(UTC)
        return self._prices.cost(
            Call(
                occurred_at=moment,
                days=self._days_of(moment),
                operation=row["operation"],
                provider=row["provider"],
                model=row["model"],
                service_tier=row["service_tier"],
                input_uncached=row["input_uncached_tokens"],
                cache_read=row["input_cache_read_tokens"],
                cache_write=row["input_cache_write_tokens"],
                output_visible=row["output_visible_tokens"],
                reasoning=row["output_reasoning_tokens"],
                failed=row["status"] == "error",
                cache_hit=row["cache_hit"],
                reported_cost=None if reported is None else from_nano(reported),
                reported_currency=currency or None,
            )
        )

    def _cost(self, row: Row) -> Cost:
        day: date = self._days_of(row["occurred_at"]).local
        return self._prices.convert(from_nano(row["billed_nano"]), row["billed_currency"], day, "")

    def _days_of(self, moment: datetime) -> Days:
        ms = int(moment.timestamp()) * 1000
        days = self._days.get(ms // QUARTER_MS)
        if days is None:
            if len(self._days) >= _MAX_REMEMBERED:
                self._days.clear()
            days = self._days[ms // QUARTER_MS] = days_of(ms, self._zone)
        return days


def corrected(table: str, block: pa.Table, found: Corrections, currency: str) -> pa.Table:
    """The rows of `block` that are to be written: all that they said, with their new costs and versions."""
    rows = block.take(pa.array(found.places, pa.int64()))
    columns: dict[str, Sequence[Any]] = {
        "ver": found.versions,
        "cost_nano": [cost.nano for cost in found.costs],
        "cost_upper_nano": [cost.upper for cost in found.costs],
        "currency": [currency] * len(found.costs),
    }
    if table == "usage":
        columns["price_source"] = [cost.source for cost in found.costs]
    for name, values in columns.items():
        place = rows.schema.get_field_index(name)
        rows = rows.set_column(place, name, pa.array(values, rows.schema.field(name).type))
    return rows


def _add(sums: Counter[str], currency: str, nano: int | None) -> None:
    if nano is not None:
        sums[currency] += nano


def _kind(source: str) -> str:
    return source.partition("/")[0]
