"""What one look of the audit found, and what became of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from uptake.distributed.audit_log import Place
from uptake.processors.audit import Span


class Cause(StrEnum):
    """What is wrong with a stretch of the log."""

    UNPROCESSED = "unprocessed"  # acknowledged, and nothing in the database says what became of it
    SHORT = "short"  # processed, but events of it are not there (any more), or others count under their ids
    LOST = "lost"  # the log deleted it before anybody processed it
    REWOUND = "rewound"  # the log ends before what was verified: the topic was deleted, or truncated


@dataclass(frozen=True, slots=True)
class Hole:
    """A stretch of a partition where a promise was broken. `healed`: it is right again. `restored` events were
    written again, `quarantined` ones belong to ids that other content has, and are dead letters now."""

    topic: str
    partition: int
    first: int
    after: int
    cause: Cause
    healed: bool = False
    restored: int = 0
    quarantined: int = 0

    @classmethod
    def at(cls, place: Place, span: Span, cause: Cause) -> Hole:
        return cls(*place, *span, cause)

    @property
    def records(self) -> int:
        return self.after - self.first

    def turned_out(self, healed: bool, restored: int = 0, quarantined: int = 0) -> Hole:
        return replace(self, healed=healed, restored=restored, quarantined=quarantined)


@dataclass(slots=True)
class AuditReport:
    """One look. `checked` are the records whose coverage was looked at, `compared` those whose events were counted,
    `settled` those that lacked events which are there from another record: two workers had written the same new
    event at the same moment, it counts once, and nothing was wrong. `strangers` lack events and stay unhealed, because
    their tenants have no workspace here. `lag` is by topic, in records. `trouble` is
    why something could not be healed now."""

    at: datetime
    partitions: int = 0
    checked: int = 0
    compared: int = 0
    settled: int = 0
    strangers: int = 0
    holes: list[Hole] = field(default_factory=list)
    lag: dict[str, int] = field(default_factory=dict)
    restarted: bool = False
    trouble: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing was wrong."""
        return not self.holes

    @property
    def lost(self) -> int:
        """Records that nobody can bring back."""
        return sum(hole.records for hole in self.holes if hole.cause is Cause.LOST)

    @property
    def unhealed(self) -> int:
        """Records that are wrong and may still be healed."""
        return sum(hole.records for hole in self.holes if not hole.healed and hole.cause is not Cause.LOST)

    @property
    def restored(self) -> int:
        return sum(hole.restored for hole in self.holes)

    @property
    def quarantined(self) -> int:
        return sum(hole.quarantined for hole in self.holes)

    def document(self) -> dict[str, Any]:
        """For `--json` and for the mark: plain values."""
        return {
            "at": self.at.isoformat(),
            "ok": self.ok,
            "partitions": self.partitions,
            "checked": self.checked,
            "compared": self.compared,
            "settled": self.settled,
            "strangers": self.strangers,
            "restored": self.restored,
            "quarantined": self.quarantined,
            "unhealed": self.unhealed,
            "lost": self.lost,
            "restarted": self.restarted,
            "trouble": self.trouble,
            "lag": self.lag,
            "holes": [{**asdict(hole), "records": hole.records} for hole in self.holes],
        }
