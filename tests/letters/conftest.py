"""Refused events in the real database, and the command line on it, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import structlog

from uptake.cli.app import run
from uptake.clickhouse import Database
from uptake.clock import ManualClock
from uptake.home import Home
from uptake.processors.letters.box import LetterBox
from uptake.processors.pipeline import Pipeline
from uptake.schemas.batch import Batch, LogPosition, Receipt
from uptake.schemas.identity import derive
from uptake.workspace.models import Workspace

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "somebody-who-must-not-be-named"


def event(key: object, at: datetime = NOW, **fields: Any) -> dict[str, Any]:
    made = {
        "event_id": str(derive("test", str(key), at)),
        "type": "usage",
        "occurred_at": at.isoformat(),
        "app": "helper",
        "user_id": SECRET,
        "provider": "openai",
        "request_model": "gpt-4o",
        "input_tokens": 1000,
        "output_tokens": 100,
        **fields,
    }
    return {name: value for name, value in made.items() if value is not ...}


class Place:
    """A tenant with a pipeline, its letters, and what its tables hold. Time passes with every batch."""

    event = staticmethod(event)

    def __init__(self, database: Database, tenant: str) -> None:
        self.database = database
        self.tenant = tenant
        self.clock = ManualClock(NOW)
        self.workspaces = {
            tenant: Workspace.model_validate(
                {
                    "organisation": {"tenant": tenant, "name": "Test"},
                    "fx": [{"currency": "USD", "rate": "0.5"}],
                    "apps": [{"app": "helper", "owner": "o"}],
                }
            )
        }
        self.pipeline = Pipeline(self.workspaces.get, database, self.clock)
        self.box = LetterBox(database, tenant)

    def batch(self, *events: Any, body: bytes = b"", tenant: str | None = None, offset: int = -1) -> Batch:
        self.clock.set(self.clock.now() + timedelta(seconds=1))
        whose = self.tenant if tenant is None else tenant
        position = LogPosition(f"{self.tenant}.usage", 0, offset) if offset >= 0 else None
        return Batch(whose, body or json.dumps(events).encode(), self.clock.now(), position=position)

    def refuse(self, *events: Any, **where: Any) -> None:
        self.pipeline.process([self.batch(*events, **where)])

    def send(self, batch: Batch) -> Receipt:
        self.clock.set(self.clock.now() + timedelta(seconds=1))
        [outcome] = self.pipeline.process([Batch(batch.tenant, batch.body, self.clock.now(), batch.source)])
        if not isinstance(outcome, Receipt):
            raise outcome
        return outcome

    def letters(self, waiting: bool = True) -> list[dict[str, Any]]:
        sql = (
            "SELECT * FROM dead_letters FINAL WHERE tenant = {tenant:String} ORDER BY received_at, letter_id"
        )
        rows = self.database.tenant(self.tenant).query(sql)
        return [row for row in rows if not waiting or row["redriven_at"] is None]

    def usage(self) -> list[dict[str, Any]]:
        sql = "SELECT * FROM usage FINAL WHERE tenant = {tenant:String} ORDER BY event_id"
        return self.database.tenant(self.tenant).query(sql)


@pytest.fixture
def place(database: Database, tenant: str) -> Place:
    return Place(database, tenant)


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def uptake(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Done]]:
    """The command line, on the database and the clock of `place`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(Home, "database", place.database)
    monkeypatch.setattr(Home, "workspaces", place.workspaces)
    monkeypatch.setattr("uptake.home.SystemClock", lambda: place.clock)

    def command(*arguments: str) -> Done:
        place.clock.set(place.clock.now() + timedelta(seconds=1))
        code = run(list(arguments))
        return Done(code, *capsys.readouterr())

    yield command
    structlog.reset_defaults()


@pytest.fixture
def secret() -> str:
    return SECRET
