"""A store that keeps what it is sent as the pipeline does: by identity, decoded by the real contract."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from uptake.clock import ManualClock
from uptake.ingest.importer.report import ImportReport
from uptake.ingest.importer.run import import_file
from uptake.schemas.batch import Batch, Receipt, Rejection, RejectionReason
from uptake.schemas.codec import decode_batch
from uptake.schemas.events import Event

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
USAGE_MAP = (
    "columns: {occurred_at: time, input_tokens: in, output_tokens: out}\nconstants: {app: a}\nzone: UTC\n"
)


class Store:
    """Events by id. `batches` are the sizes of what was sent."""

    def __init__(self) -> None:
        self.events: dict[UUID, Event] = {}
        self.batches: list[int] = []
        self.bodies: list[bytes] = []

    def send(self, batch: Batch) -> Receipt:
        decoded = decode_batch(batch.body, batch.received_at)
        self.batches.append(len(decoded.events) + len(decoded.rejections))
        self.bodies.append(batch.body)
        accepted, duplicates, rejections = 0, 0, list(decoded.rejections)
        for index, event in decoded.events:
            known = self.events.setdefault(event.event_id, event)
            if known is event:
                accepted += 1
            elif known == event:
                duplicates += 1
            else:
                rejections.append(Rejection(index, RejectionReason.CONFLICT, "", "known with other content"))
        return Receipt(accepted, duplicates, tuple(rejections))

    def all(self) -> list[Event]:
        return sorted(self.events.values(), key=lambda event: (event.occurred_at, event.event_id))


class Desk:
    """Writes files and imports them into its store."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = Store()

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.directory / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def load(
        self,
        content: str | bytes,
        mapping: str = USAGE_MAP,
        kind: str = "usage",
        name: str = "calls.csv",
        key: str | None = None,
    ) -> ImportReport:
        return import_file(
            self.write(name, content),
            kind,
            self.write("map.yaml", mapping),
            self.store.send,
            "acme",
            ManualClock(NOW),
            pseudonym_key=key,
        )

    def one(
        self, content: str, mapping: str = USAGE_MAP, kind: str = "usage", key: str | None = None
    ) -> Event:
        """The only event of a file that has one row."""
        report = self.load(content, mapping, kind, key=key)
        assert (report.accepted, report.rejected) == (1, []), report
        (event,) = self.store.all()
        return event


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def new_desk(tmp_path: Path) -> Callable[[], Desk]:
    return lambda: Desk(tmp_path)
