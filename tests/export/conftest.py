"""Feedback as apps send it, through the pipeline; and what is exported of it, as bytes."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from uptake.calendar import Period
from uptake.clickhouse import Database
from uptake.clock import ManualClock
from uptake.export import Format, write_rows
from uptake.processors.pipeline import Pipeline
from uptake.schemas.batch import Batch
from uptake.schemas.identity import derive
from uptake.sql.export import ExportReport, FeedbackRow, Selection, feedback_pages
from uptake.workspace.models import Workspace

WEEK = Period(date(2026, 11, 9), date(2026, 11, 16), "Europe/Paris")
MONDAY = datetime(2026, 11, 9, 9, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

EventDict = dict[str, Any]


class Desk:
    """One tenant: what its apps sent, and its exports."""

    def __init__(self, database: Database, tenant: str, now: datetime = NOW, **files: Any) -> None:
        self.database, self.tenant = database, tenant
        self.report = ExportReport()
        self.clock = ManualClock(now)
        self.configure(**files)
        self.pipeline = Pipeline(lambda _: self.workspace, database, self.clock)

    def configure(self, **files: Any) -> None:
        """Give the workspace these files from here on."""
        organisation = {"tenant": self.tenant, "name": "Test", "zone": "Europe/Paris"}
        self.workspace = Workspace.model_validate({"organisation": organisation, **files})

    def event(self, key: object, type: str, at: datetime = MONDAY, **fields: Any) -> EventDict:
        """An event by a key of its own: the same key and time give the same id."""
        return {
            "event_id": str(derive("export", str(key), at)),
            "type": type,
            "occurred_at": at.isoformat(),
            "app": "letters",
            **fields,
        }

    def decision(
        self, key: object, said: str = "accepted", at: datetime = MONDAY, **fields: Any
    ) -> EventDict:
        return self.event(key, "feedback", at, kind="decision", decision=said, **fields)

    def send(self, *events: EventDict) -> None:
        receipt = self.offer(*events)
        assert not isinstance(receipt, Exception), receipt
        assert not receipt.rejections

    def offer(self, *events: EventDict) -> Any:
        """What the pipeline answers."""
        (outcome,) = self.pipeline.process(
            [Batch(self.tenant, json.dumps(events).encode(), self.clock.now())]
        )
        return outcome

    def rows(self, page_rows: int = 1_000, **selection: Any) -> list[FeedbackRow]:
        return [row for page in self._pages(page_rows, selection) for row in page]

    def export(self, format: Format = Format.JSONL, page_rows: int = 1_000, **selection: Any) -> bytes:
        out = io.BytesIO()
        write_rows(self._pages(page_rows, selection), self._which(selection).shape, format, out)
        return out.getvalue()

    def _pages(self, page_rows: int, selection: dict[str, Any]) -> Iterable[list[FeedbackRow]]:
        self.report = ExportReport()
        which = self._which(selection)
        return feedback_pages(self.database.tenant(self.tenant), which, self.report, page_rows)

    def _which(self, selection: dict[str, Any]) -> Selection:
        return Selection(**{"app": "letters", "period": WEEK, **selection})


@pytest.fixture
def desk(database: Database, tenant: str) -> Desk:
    return Desk(database, tenant)


@pytest.fixture(scope="session")
def desk_of(database: Database) -> Callable[..., Desk]:
    """Desks of tenants that no other test has, with files of their workspace."""
    return lambda **files: Desk(database, f"t-{uuid.uuid4().hex[:12]}", **files)


@pytest.fixture
def monday() -> datetime:
    """Monday of the week that is exported when nothing else is said (2026-W46), ten in the morning in Paris."""
    return MONDAY
