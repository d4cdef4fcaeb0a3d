"""What the database must hold, counted by hand: a dictionary by id, sums in integers, and the difference to it.

The oracle is told of every event that was made and of every one that was acknowledged. At the end all of them must be
there exactly once: what was never acknowledged was sent again until it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from uptake_chaos.events import Made
from uptake_chaos.money import call_cost, converted
from uptake_chaos.world import PEOPLE, SHADOW_APP, Prices, team_of

Cell = tuple[str, str, str, str, str]
"""Table, tenant, app, team, day of occurred_at (UTC)."""
Sums = dict[Cell, Counter[str]]
SHOWN = 20


@dataclass
class Difference:
    """What the database holds against what it must: empty lists and 0 everywhere, or it is wrong."""

    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    counts: int = 0
    compared: int = 0
    amount: int = 0
    letters: int = 0
    """Dead letters that are there and should not be, or the other way round."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.doubled or self.cells or self.letters)

    def __str__(self) -> str:
        if not self:
            return f"0 in {self.compared:,} counts and sums"
        parts = [
            f"{len(getattr(self, name))} {name}: {', '.join(getattr(self, name)[:SHOWN])}"
            for name in ("missing", "unexpected", "doubled", "cells")
            if getattr(self, name)
        ]
        parts += [f"{self.letters} dead letters"] if self.letters else []
        return f"{self.counts} of {self.compared:,} counts and sums differ; " + "; ".join(parts)


class Oracle:
    def __init__(self) -> None:
        self.made: dict[tuple[str, str], Made] = {}
        self.acknowledged: set[tuple[str, str]] = set()

    def add(self, events: Iterable[Made]) -> None:
        for event in events:
            self.made[event.tenant, event.event_id] = event

    def acknowledge(self, events: Iterable[Made]) -> None:
        self.acknowledged.update((event.tenant, event.event_id) for event in events)

    @property
    def unacknowledged(self) -> int:
        return len(self.made) - len(self.acknowledged)

    def expected(self, prices: tuple[Prices, ...]) -> Sums:
        """Sums by cell as they must be under the price list in force at the end."""
        sums: Sums = {}
        for event in self.made.values():
            sums.setdefault(cell_of(event), Counter()).update(figures(event, prices))
        return sums

    def difference(
        self,
        found: Mapping[Cell, Mapping[str, int]],
        ids: Iterable[tuple[str, str]],
        prices: tuple[Prices, ...],
    ) -> Difference:
        """`found`: the database's sums by cell; `ids`: tenant and id of every row that a query with FINAL returns."""
        result = Difference()
        seen = Counter(ids)
        result.missing = [identity for _, identity in sorted(self.made.keys() - seen.keys())]
        result.unexpected = [identity for _, identity in sorted(seen.keys() - self.made.keys())]
        result.doubled = [identity for (_, identity), count in sorted(seen.items()) if count > 1]
        expected = self.expected(prices)
        for cell in sorted(expected.keys() | found.keys()):
            wanted, had = expected.get(cell, Counter()), found.get(cell, {})
            for name in sorted(wanted.keys() | had.keys()):
                result.compared += 1
                off = had.get(name, 0) - wanted.get(name, 0)
                if off:
                    result.counts += 1
                    result.amount += abs(off)
                    result.cells.append(f"{'/'.join(cell)} {name} {off:+d}")
        return result


def cell_of(event: Made) -> Cell:
    fields = event.fields
    number = int(fields["user_id"][6:], 16)
    team = team_of(number) if number < PEOPLE else fields["team"]
    day = datetime.fromtimestamp(event.at_ms / 1000, UTC).date().isoformat()
    return fields["type"], event.tenant, fields["app"], team, day


def figures(event: Made, prices: tuple[Prices, ...]) -> dict[str, int]:
    """Every column that matters, as integers that may be added."""
    fields = event.fields
    of_kind = {"usage": _usage, "feedback": _feedback, "cost": _cost}[fields["type"]]
    return {"events": 1, **of_kind(event, fields, prices)}


def _usage(event: Made, fields: dict[str, Any], prices: tuple[Prices, ...]) -> dict[str, int]:
    read, write = fields.get("cache_read_input_tokens", 0), fields.get("cache_creation_input_tokens", 0)
    reasoning = fields.get("reasoning_output_tokens", 0)
    cost = call_cost(event.tenant, event.at_ms, fields, prices)
    return {
        "uncached": fields["input_tokens"] - read - write if "input_tokens" in fields else 0,
        "uncached_unknown": int("input_tokens" not in fields),
        "cache_read": read,
        "cache_write": write,
        "visible": fields["output_tokens"] - reasoning if "output_tokens" in fields else 0,
        "visible_unknown": int("output_tokens" not in fields),
        "reasoning": reasoning,
        "duration_ms": fields["duration_ms"],
        "failed": int(fields.get("status") == "error"),
        "cache_hits": int(fields.get("cache_hit", False)),
        "unauthorised": int(fields["app"] == SHADOW_APP),
        "cost_nano": cost.nano or 0,
        "cost_unknown": int(cost.nano is None),
        "cost_upper_nano": cost.upper,
    }


def _feedback(_: Made, fields: dict[str, Any], __: tuple[Prices, ...]) -> dict[str, int]:
    return {
        "up": int(fields.get("thumb") == "up"),
        "down": int(fields.get("thumb") == "down"),
        "accepted": int(fields.get("decision") == "accepted"),
        "edited": int(fields.get("decision") == "edited"),
        "rejected": int(fields.get("decision") == "rejected"),
        "escalated": int(fields.get("decision") == "escalated"),
        "severity_thousandths": round(1000 * fields.get("severity", 0)),
        "score": fields.get("score", 0),
        "surveys": int("score" in fields),
        "draft_tokens": fields.get("draft_tokens", 0),
    }


def _cost(event: Made, fields: dict[str, Any], _: tuple[Prices, ...]) -> dict[str, int]:
    cost = converted(event.tenant, fields["amount"], fields["currency"])
    whole, _, part = fields["amount"].lstrip("-").partition(".")
    billed = int(whole + part.ljust(9, "0")) * (-1 if fields["amount"].startswith("-") else 1)
    return {
        "billed_nano": billed,
        "cost_nano": cost.nano or 0,
        "cost_unknown": int(cost.nano is None),
        "cost_upper_nano": cost.upper,
        "credits": int(fields["category"] == "credit"),
    }
