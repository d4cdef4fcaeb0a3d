"""A gateway to test against: keys, a clock, and a `process` that records and can be held or made to fail."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from uptake.clock import ManualClock
from uptake.ingest.gateway.app import create_app
from uptake.ingest.gateway.group_commit import GroupCommit
from uptake.ingest.gateway.limits import Limits
from uptake.ingest.gateway.metrics import Metrics
from uptake.ingest.gateway.serve import Server
from uptake.ingest.gateway.sink import Outcome
from uptake.schemas.batch import Batch, Receipt
from uptake.state.keys import KeyStore
from uptake.state.store import open_state

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PATIENCE = 20.0


def count(body: bytes) -> Outcome:
    """Every element accepted."""
    return Receipt(accepted=len(json.loads(body)))


@dataclass
class FakeProcess:
    """Records what it is given. While `gate` is closed a call stays inside; `entered` says that one is."""

    outcome: Callable[[bytes], Outcome] = count
    calls: list[list[Batch]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    returned: int = 0

    def __call__(self, batches: Sequence[Batch]) -> list[Outcome]:
        self.calls.append(list(batches))
        self.entered.set()
        assert self.gate.wait(PATIENCE), "nobody opened the gate"
        outcomes = [self.outcome(batch.body) for batch in batches]
        self.returned += 1
        return outcomes

    @property
    def batches(self) -> list[Batch]:
        return [batch for call in self.calls for batch in call]


@pytest.fixture
def process() -> FakeProcess:
    fake = FakeProcess()
    fake.gate.set()
    return fake


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def keys(tmp_path: Path, clock: ManualClock) -> Iterator[KeyStore]:
    engine = open_state(f"sqlite:///{tmp_path / 'state.db'}")
    yield KeyStore(engine, clock, "p" * 64)
    engine.dispose()


@pytest.fixture
def token(keys: KeyStore) -> str:
    return keys.create("acme", "test").token


@dataclass
class Gateway:
    """An app around the fake process, asked without a network."""

    app: Starlette
    metrics: Metrics
    commit: GroupCommit
    token: str

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                return await client.request(method, path, **request)

        return asyncio.run(asyncio.wait_for(once(), PATIENCE))

    def send(self, content: Any, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """POST a batch with a valid key and type; `headers` override, an empty value removes."""
        base = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        merged = {name: value for name, value in {**base, **(headers or {})}.items() if value}
        return self.ask("POST", "/v1/events", content=content, headers=merged)

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


MakeGateway = Callable[..., Gateway]


@pytest.fixture
def make(process: FakeProcess, keys: KeyStore, clock: ManualClock, token: str) -> Iterator[MakeGateway]:
    """Makes gateways with the limits, sink or readiness of a test."""
    commits: list[GroupCommit] = []

    def make_one(limits: Limits | None = None, sink: Any = None, **options: Any) -> Gateway:
        metrics = Metrics()
        commit = GroupCommit(process, observe=metrics.group).start()
        commits.append(commit)
        app = create_app(sink or commit, keys, clock, limits, metrics=metrics, **options)
        return Gateway(app, metrics, commit, token)

    yield make_one
    process.gate.set()
    for commit in commits:
        commit.stop()


@pytest.fixture
def gateway(make: MakeGateway) -> Gateway:
    return make()


@pytest.fixture
def server(gateway: Gateway) -> Iterator[Server]:
    """The gateway on a free port of the loopback interface."""
    with Server(gateway.app) as running:
        yield running
