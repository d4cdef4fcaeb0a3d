"""Events of all three kinds by a seed: made once, sent as often as the network and the generator want."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from uptake_chaos.world import APPS, PEOPLE, PROVIDER, SHADOW_APP, STRANGERS, TENANTS, UNPRICED, person

DAY_MS = 86_400_000
DUPLICATED, LATE = 0.03, 0.05
MODELS = ("chaos-large", "chaos-small", "chaos-small", UNPRICED)


@dataclass(frozen=True, slots=True)
class Made:
    """An event as the app means it (`fields`), and as the bytes that are sent, always the same ones."""

    tenant: str
    event_id: str
    at_ms: int
    late: bool
    fields: dict[str, Any]
    body: bytes


class Generator:
    """Endless events. The same seed and times give the same events."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def batch(self, tenant: str, size: int, now_ms: int) -> list[Made]:
        return [self.event(tenant, now_ms) for _ in range(size)]

    def tenant(self) -> str:
        return self._chance.choice(TENANTS).name

    def event(self, tenant: str, now_ms: int) -> Made:
        chance = self._chance
        late = chance.random() < LATE
        at = now_ms - chance.randrange(DAY_MS, 6 * DAY_MS) if late else now_ms - chance.randrange(2_000)
        # An app's two clocks need not agree to the second; the id's time is within a day of the event's.
        id_ms = at + (chance.randrange(-3_600_000, 3_600_000) if chance.random() < 0.05 else 0)
        number = chance.randrange(PEOPLE + STRANGERS)
        fields: dict[str, Any] = {
            "event_id": self._mint(id_ms),
            "occurred_at": datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds"),
            "app": SHADOW_APP if chance.random() < 0.02 else chance.choice(APPS),
            "user_id": person(tenant, number),
            "team": f"claimed-{number % 3}",
            "use_case": chance.choice(("draft", "answer", "")),
        }
        kind = chance.random()
        fields |= self._usage() if kind < 0.7 else self._feedback() if kind < 0.93 else self._cost(at)
        body = json.dumps(fields, separators=(",", ":")).encode()
        return Made(tenant, fields["event_id"], at, late, fields, body)

    def _mint(self, ms: int) -> str:
        entropy = self._chance.getrandbits(74)
        number = (ms << 80) | (7 << 76) | ((entropy >> 62) << 64) | (0b10 << 62) | (entropy & ((1 << 62) - 1))
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _usage(self) -> dict[str, Any]:
        chance = self._chance
        read, write = chance.choice((0, 0, 512)), chance.choice((0, 0, 0, 128))
        reasoning = chance.choice((0, 0, 200))
        fields: dict[str, Any] = {
            "type": "usage",
            "provider": PROVIDER,
            "request_model": "chaos",
            "response_model": chance.choice(MODELS),
            "input_tokens": read + write + chance.randrange(20, 4_000),
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": write,
            "output_tokens": reasoning + chance.randrange(5, 900),
            "reasoning_output_tokens": reasoning,
            "duration_ms": chance.randrange(50, 20_000),
        }
        odd = chance.random()
        if odd < 0.03:
            fields |= {"cache_hit": True}
        elif odd < 0.06:
            fields |= {"status": "error", "error_type": "timeout"}
            del fields["output_tokens"], fields["reasoning_output_tokens"]
        elif odd < 0.09:  # the app does not know what went in
            for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"):
                del fields[name]
        elif odd < 0.14:
            fields |= {"reported_cost": f"0.{chance.randrange(10**9):09d}", "reported_currency": "USD"}
        return fields

    def _feedback(self) -> dict[str, Any]:
        chance = self._chance
        kind = chance.choice(("thumb", "edit", "decision", "decision", "survey"))
        fields: dict[str, Any] = {"type": "feedback", "kind": kind}
        severity = chance.randrange(1001) / 1000
        if kind == "thumb":
            fields["thumb"] = chance.choice(("up", "down"))
        elif kind == "edit":
            fields |= {"severity": severity, "draft_tokens": chance.randrange(900), "final_tokens": 7}
        elif kind == "survey":
            fields["score"] = chance.randrange(11)
        else:
            fields["decision"] = chance.choice(("accepted", "edited", "rejected", "escalated"))
            if fields["decision"] == "edited":
                fields["severity"] = severity
        return fields

    def _cost(self, at_ms: int) -> dict[str, Any]:
        chance = self._chance
        category = chance.choice(("licence", "infrastructure", "training", "credit"))
        amount = f"{chance.randrange(1, 5_000)}.{chance.randrange(10**4):04d}"
        day = datetime.fromtimestamp(at_ms / 1000, UTC).date()
        return {
            "type": "cost",
            "category": category,
            "amount": f"-{amount}" if category == "credit" else amount,
            "currency": chance.choice(("USD", "EUR", "SEK")),
            "period_start": day.replace(day=1).isoformat(),
            "period_end": day.replace(day=28).isoformat(),
            "invoice_id": f"inv-{chance.randrange(50)}",
        }


def encode(events: list[Made]) -> bytes:
    """The batch as it is sent: the same events are the same bytes each time."""
    return b"[" + b",".join(event.body for event in events) + b"]"
