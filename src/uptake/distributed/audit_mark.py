"""What the audit remembers from one look to the next: a mark in the state store, which the doctor reads too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from uptake.alerts.standing import load_mark, save_mark
from uptake.distributed.audit_log import Place
from uptake.processors.audit import Progress
from uptake.state.store import from_micros, to_micros

MARK = "audit"


@dataclass(slots=True)
class Memory:
    """How far each partition was verified, when the database server had been started, what the last look found
    (`report`), and how many records were lost so far, the last of them when."""

    partitions: dict[Place, Progress] = field(default_factory=dict)
    server_started_at: datetime | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    lost: int = 0
    lost_at: datetime | None = None

    def save(self, engine: Engine, now: datetime) -> None:
        partitions: dict[str, dict[str, Any]] = {}
        for place, progress in self.partitions.items():
            partitions.setdefault(place.topic, {})[str(place.partition)] = {
                "verified": progress.verified,
                "trail": [[to_micros(at), offset] for at, offset in progress.trail],
            }
        value = {
            "partitions": partitions,
            "server_started_at": _micros(self.server_started_at),
            "report": dict(self.report),
            "lost": self.lost,
            "lost_at": _micros(self.lost_at),
        }
        save_mark(engine, MARK, value, now)


def remembered(engine: Engine) -> tuple[Memory, datetime] | None:
    """What the last look left, and when that was. None before the first one."""
    mark = load_mark(engine, MARK)
    if mark is None:
        return None
    value, at = mark
    partitions = {
        Place(topic, int(number)): Progress(
            progress["verified"],
            tuple((from_micros(micros), offset) for micros, offset in progress["trail"]),
        )
        for topic, of_topic in value["partitions"].items()
        for number, progress in of_topic.items()
    }
    memory = Memory(
        partitions,
        _moment(value["server_started_at"]),
        value["report"],
        value["lost"],
        _moment(value["lost_at"]),
    )
    return memory, at


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
