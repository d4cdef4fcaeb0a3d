"""One call of the SDK as the generator plans it, the drive makes it and the oracle reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Verb = Literal["usage", "thumb", "edit", "decision", "survey", "cost"]


@dataclass(slots=True)
class Call:
    """`fields` are the SDK method's keyword arguments, without `user` (raw, or empty) and `occurred_at` (`at`).

    `sent_at` is when the app gets round to it: later than `at` for what arrives late. `valid` is False for the
    event that the gateway must refuse. `severity` is what an edit's severity must come to, known by construction
    of its texts.
    """

    at: datetime
    app: str
    verb: Verb
    fields: dict[str, Any]
    user: str = ""
    sent_at: datetime | None = None
    valid: bool = True
    severity: float | None = None

    @property
    def when_sent(self) -> datetime:
        return self.sent_at or self.at
