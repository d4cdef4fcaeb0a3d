"""From accepted to visible in a KPI: seconds between the gateway's answer and the KPI that counts the events.

Gateway, Kafka, one worker and ClickHouse's front, each a process of its own on this machine, take 1,000 and 10,000
events a second in batches of 100. Four times a second a probe goes with them: five calls of a team of its own. The
KPI `calls` is asked by team, again and again, from before the answer on; a probe is visible when its team has its five.
What the asking adds is in the figure. Beside it the embedded mode, whose answer already means that the events are in
the database: there the time is that of asking.

    python -m benchmarks.freshness
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.gateway import EVENTS_A_BATCH, TENANT, batches, write_workspace
from benchmarks.harness import Row
from uptake.calendar import Period
from uptake.clickhouse import Database
from uptake.home import Home
from uptake.local.clickhouse import ClickHouseFront
from uptake.local.kafka import KafkaNode
from uptake.local.process import ChildProcess, accepts, free_port
from uptake.schemas.identity import mint
from uptake.settings import Settings
from uptake.sql.runner import KpiRunner

RATES = (1_000, 10_000)
SECONDS = 20.0
WARM_UP_SECONDS = 4.0
PROBE_EVERY, PROBE_EVENTS = 0.25, 5
ASK_EVERY = 0.1
CONNECTIONS = 6
PATIENCE = 60.0
GOAL = "p99 ≤ 3 s"


@dataclass
class Place:
    """Where events go, with which key, and where the database is."""

    url: str
    token: str
    database: str
    home: Settings


@dataclass
class Measured:
    """Seconds of each probe from its answer until the KPI had it, how many events a second were accepted, and how
    long a question took."""

    waits: list[float] = field(default_factory=list)
    rate: float = 0.0
    asking: list[float] = field(default_factory=list)


@contextmanager
def distributed(directory: Path) -> Iterator[Place]:
    with ExitStack() as closing:
        node, front = KafkaNode(directory / "kafka"), ClickHouseFront(directory / "clickhouse")
        closing.callback(node.kill)
        node.start()
        closing.callback(front.kill)
        front.start()
        ports = {"gateway": free_port(), "worker": free_port()}
        settings = _settings(directory, ports["gateway"], kafka=node.bootstrap, clickhouse_url=front.url)
        environment = {**_environment(settings), "UPTAKE_WORKER_PORT": str(ports["worker"])}
        topics = [*_uptake(), "topics", "apply"]
        done = subprocess.run(
            topics, env={**os.environ, **environment}, capture_output=True, timeout=PATIENCE
        )
        if done.returncode:
            raise RuntimeError(f"uptake topics apply: {done.stderr[-300:]!r}")
        token = _key(settings)
        for name, port in ports.items():
            process = ChildProcess(name, [*_uptake(), name], directory / f"{name}.log", environment)
            closing.callback(process.kill)
            process.start(lambda port=port: accepts(port), PATIENCE)  # type: ignore[misc]
        yield Place(f"http://127.0.0.1:{ports['gateway']}", token, front.url, settings)


@contextmanager
def embedded(directory: Path) -> Iterator[Place]:
    port = free_port()
    settings = _settings(directory, port)
    token = _key(settings)
    process = ChildProcess("uptake up", [*_uptake(), "up"], directory / "up.log", _environment(settings))
    process.start(lambda: accepts(port), PATIENCE)
    try:
        yield Place(
            f"http://127.0.0.1:{port}", token, (settings.data / "clickhouse.url").read_text(), settings
        )
    finally:
        process.kill()


def _settings(directory: Path, port: int, **more: str) -> Settings:
    write_workspace(directory / "workspace")
    return Settings(workspace=directory / "workspace", data=directory / "data", port=port, **more)  # type: ignore[arg-type]


def _environment(settings: Settings) -> dict[str, str]:
    given = {
        name: getattr(settings, name) for name in ("workspace", "data", "port", "kafka", "clickhouse_url")
    }
    return {f"UPTAKE_{name.upper()}": str(value) for name, value in given.items()}


def _key(settings: Settings) -> str:
    with Home(settings) as home:
        if settings.clickhouse_url:
            home.database.query("SELECT 1 AS migrated")
        return home.keys.create(TENANT, "bench").token


def _uptake() -> list[str]:
    return [str(Path(sys.executable).with_name("uptake"))]


class Load:
    """Sends bodies at their times over several connections; the rate that was reached is what counts."""

    def __init__(self, place: Place, rate: int, seconds: float) -> None:
        count = int(rate * seconds / EVENTS_A_BATCH)
        self._place, self._bodies, self._every = place, batches(count, seed=rate), EVENTS_A_BATCH / rate
        self._lock, self._next = threading.Lock(), 0
        self.accepted: list[float] = []
        self._threads = [threading.Thread(target=self._send, daemon=True) for _ in range(CONNECTIONS)]

    def start(self) -> None:
        self.began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def join(self) -> float:
        """Events a second, from the first request to the last answer."""
        for thread in self._threads:
            thread.join(PATIENCE + len(self._bodies) * self._every)
        if len(self.accepted) != len(self._bodies):
            raise RuntimeError(
                f"{len(self.accepted)} of {len(self._bodies)} batches were accepted: not a measurement"
            )
        return len(self._bodies) * EVENTS_A_BATCH / (max(self.accepted) - self.began)

    def _send(self) -> None:
        post, wait = _poster(self._place), threading.Event()
        while True:
            with self._lock:
                number, self._next = self._next, self._next + 1
            if number >= len(self._bodies):
                return
            wait.wait(max(0.0, self.began + number * self._every - time.monotonic()))
            post(self._bodies[number])
            self.accepted.append(time.monotonic())


def _poster(place: Place) -> Callable[[bytes], None]:
    connection = http.client.HTTPConnection(urlsplit(place.url).netloc, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {place.token}", "Content-Type": "application/json"}

    def post(body: bytes) -> None:
        connection.request("POST", "/v1/events", body, headers)
        response = connection.getresponse()
        said = response.read()
        if response.status != 200:
            raise RuntimeError(f"the gateway answered {response.status}: {said[:200]!r}")

    return post


def probe(number: int) -> bytes:
    """Five calls of a team that nobody else has, by somebody who is on no roster."""
    now = time.time_ns() // 1_000_000
    moment = datetime.fromtimestamp(now / 1000, UTC).isoformat()
    shared = {
        "type": "usage",
        "occurred_at": moment,
        "app": "mail",
        "team": f"probe-{number}",
        "user_id": "p_0",
    }
    return json.dumps([{**shared, "event_id": str(mint(now))} for _ in range(PROBE_EVENTS)]).encode()


class Watch:
    """Asks the KPI for every team until it is ended, and notes when each probe's team had all of its calls."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.seen: dict[str, float] = {}
        self.asking: list[float] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self, expected: Sequence[str]) -> None:
        deadline, wait = time.monotonic() + PATIENCE, threading.Event()
        while any(team not in self.seen for team in expected) and time.monotonic() < deadline:
            wait.wait(ASK_EVERY)
        self._ended.set()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        database = Database.served(self._place.database)
        with Home(self._place.home) as home:
            workspace = home.read_workspaces()[TENANT]
        runner = KpiRunner(database.tenant(TENANT), workspace, activity=False)
        today = datetime.now(UTC).date()
        period = Period(today - timedelta(days=1), today + timedelta(days=2), workspace.organisation.zone)
        while not self._ended.wait(ASK_EVERY):
            began = time.monotonic()
            results = runner.by_team("calls", period)
            now = time.monotonic()
            self.asking.append(now - began)
            for team, result in results.items():
                if team.startswith("probe-") and result.numerator == PROBE_EVENTS:
                    self.seen.setdefault(team, now)
        database.close()


def measure(place: Place, rate: int) -> Measured:
    """Probes among `rate` events a second; those of the first seconds are not counted."""
    load, post, wait = Load(place, rate, WARM_UP_SECONDS + SECONDS), _poster(place), threading.Event()
    answered: dict[str, float] = {}
    watch = Watch(place)
    load.start()
    number = 0
    while (elapsed := time.monotonic() - load.began) < WARM_UP_SECONDS + SECONDS:
        team = f"{rate}{number:04d}"
        post(probe(int(team)))
        if elapsed >= WARM_UP_SECONDS:
            answered[f"probe-{int(team)}"] = time.monotonic()
        number += 1
        wait.wait(max(0.0, number * PROBE_EVERY - (time.monotonic() - load.began)))
    reached = load.join()
    watch.end(list(answered))
    lost = [team for team in answered if team not in watch.seen]
    if lost:
        raise RuntimeError(f"{len(lost)} of {len(answered)} probes never became visible: not a measurement")
    waits = sorted(max(0.0, watch.seen[team] - at) for team, at in answered.items())
    return Measured(waits, reached, watch.asking)


def rows_of(name: str, measured: Mapping[int, Measured], against: Mapping[int, Measured] | None) -> list[Row]:
    rows = []
    for rate, result in measured.items():
        p99 = result.waits[int(len(result.waits) * 0.99)]
        ratio, of = "", ""
        if against is not None:
            other = against[rate].waits
            ratio, of = f"{p99 / other[int(len(other) * 0.99)]:.1f}", "embedded, p99"
        asked = statistics.median(result.asking)
        rows.append(
            Row(
                f"{name}, {rate:,} events/s ({result.rate:,.0f} reached)",
                f"p50 {statistics.median(result.waits):.2f} s, p99 {p99:.2f} s",
                f"{result.waits[0]:.2f} to {result.waits[-1]:.2f} s; a question takes {1000 * asked:.0f} ms",
                ratio,
                of,
                GOAL,
            )
        )
    return rows


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="uptake-bench-") as directory:
        results: dict[str, dict[int, Measured]] = {}
        for name, place_of in (("embedded", embedded), ("distributed", distributed)):
            (Path(directory) / name).mkdir()
            with place_of(Path(directory) / name) as place:
                results[name] = {rate: measure(place, rate) for rate in RATES}
    return [
        *rows_of("gateway, Kafka, worker, ClickHouse front", results["distributed"], results["embedded"]),
        *rows_of("embedded (`uptake up`)", results["embedded"], None),
    ]


if __name__ == "__main__":
    for figure in run():
        print(figure)
