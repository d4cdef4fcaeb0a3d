"""Events a second that the gateway takes into the database: one process, batches of 100, over loopback.

The server is a process of its own, so that the client's work is not counted in it (on two cores they still share
them). Beside it: the same server without group commit (one insert a request), and the limit, which is ClickHouse's
own JSONEachRow insert of the very rows that were stored, in blocks of 10,000, in a process of its own.

    python -m benchmarks.gateway grouped|alone DIRECTORY   serve (says where on stdout, until stdin ends)
    python -m benchmarks.gateway limit DIRECTORY           rows a second of the plain insert
"""

from __future__ import annotations

import gzip
import http.client
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.harness import Row, seconds
from uptake.clickhouse import Database
from uptake.clock import SystemClock
from uptake.ingest.gateway.app import create_app
from uptake.ingest.gateway.group_commit import GroupCommit, GroupLimits
from uptake.ingest.gateway.metrics import Metrics
from uptake.ingest.gateway.serve import Server
from uptake.processors.pipeline import Pipeline
from uptake.schemas.batch import Batch, MalformedBatch
from uptake.schemas.identity import mint
from uptake.sql.migrate import migrate
from uptake.state.keys import KeyStore, load_pepper
from uptake.state.store import open_state
from uptake.workspace.models import App, Organisation, Person, Workspace

TENANT = "bench"
EVENTS_A_BATCH = 100
CLIENTS = 24
ROUNDS = 3
BATCHES = 500  # a round: 50,000 events
BATCHES_ALONE = 120
BLOCK_ROWS = 10_000
PEOPLE = 250
TEAMS = 12
APPS = ("claims-letter", "case-summary", "search", "translate", "code-review", "mail")
MODELS = (("anthropic", "claude-sonnet-4-5"), ("openai", "gpt-4o-mini"), ("openai", "gpt-4o"))


def workspace() -> Workspace:
    joined = datetime(2020, 1, 1, tzinfo=UTC).date()
    roster = tuple(
        Person(user_id=f"p_{person:032x}", team=f"team-{person % TEAMS}", joined=joined)
        for person in range(PEOPLE)
    )
    apps = tuple(App(app=app, owner="bench") for app in APPS)
    organisation = Organisation(tenant=TENANT, name="Bench", zone="Europe/Paris", currency="USD")
    return Workspace(organisation=organisation, roster=roster, apps=apps)


def batch(chance: random.Random, at_ms: int) -> bytes:
    """100 events of 16 fields and about 400 bytes, as JSON."""
    events = []
    for n in range(EVENTS_A_BATCH):
        moment = at_ms + n * 10
        provider, model = chance.choice(MODELS)
        person = chance.randrange(PEOPLE)
        events.append(
            {
                "type": "usage",
                "event_id": str(mint(moment)),
                "schema_version": 1,
                "occurred_at": datetime.fromtimestamp(moment / 1000, UTC).isoformat(),
                "app": chance.choice(APPS),
                "use_case": "drafting",
                "team": f"team-{person % TEAMS}",
                "user_id": f"p_{person:032x}",
                "session_id": f"s-{chance.randrange(10**6)}",
                "provider": provider,
                "request_model": model,
                "response_model": model,
                "input_tokens": chance.randrange(50, 4_000),
                "output_tokens": chance.randrange(10, 900),
                "duration_ms": chance.randrange(200, 9_000),
                "prompt_version": "v14",
            }
        )
    return json.dumps(events, separators=(",", ":")).encode()


def batches(count: int, seed: int) -> list[bytes]:
    """Batches with ids of their own, of the last minutes, in order of time as they would come."""
    chance = random.Random(seed)
    start = int(time.time() * 1000) - count * 100
    return [batch(chance, start + n * 100) for n in range(count)]


def opened(directory: Path) -> tuple[Database, Pipeline]:
    database = Database.embedded(directory / "clickhouse")
    migrate(database)
    one = workspace()
    return database, Pipeline({TENANT: one}.get, database, SystemClock())


def serve(mode: str, directory: Path) -> None:
    """The gateway with the real pipeline and engine; `alone` makes one call of the pipeline a request."""
    database, pipeline = opened(directory)
    clock, metrics = SystemClock(), Metrics()
    keys = KeyStore(
        open_state(f"sqlite:///{directory / 'state.db'}"), clock, load_pepper(directory / "pepper")
    )
    limits = GroupLimits() if mode == "grouped" else GroupLimits(events_per_call=1)
    commit = GroupCommit(pipeline.process, limits, metrics.group).start()
    server = Server(create_app(commit, keys, clock, metrics=metrics))
    print(json.dumps({"url": server.start(), "token": keys.create(TENANT, "bench").token}), flush=True)
    sys.stdin.read()
    server.stop()
    commit.stop()
    stored = database.tenant(TENANT).query(
        "SELECT count() AS n FROM usage FINAL WHERE tenant = {tenant:String}"
    )
    group = metrics.registry.get_sample_value("uptake_gateway_group_requests_sum") or 0.0
    calls = metrics.registry.get_sample_value("uptake_gateway_group_requests_count") or 1.0
    print(json.dumps({"stored": stored[0]["n"], "requests_a_call": group / calls}), flush=True)


def limit(directory: Path) -> None:
    """Rows a second of ClickHouse's JSONEachRow insert of the rows that the pipeline makes of these batches."""
    database, pipeline = opened(directory)
    now = SystemClock().now()
    outcomes = pipeline.process([Batch(TENANT, body, now) for body in batches(BATCHES, 0)])
    if any(isinstance(outcome, MalformedBatch) or outcome.rejections for outcome in outcomes):
        raise RuntimeError("the benchmark's own events were refused")
    lines = bytes(database.client().raw_query("SELECT * FROM usage", fmt="JSONEachRow")).splitlines()
    blocks = [b"\n".join(lines[at : at + BLOCK_ROWS]) for at in range(0, len(lines), BLOCK_ROWS)]
    rates = []
    for n in range(ROUNDS):
        database.command(f"CREATE TABLE copy_{n} AS usage")
        took = seconds(lambda n=n: [database.insert_json_lines(f"copy_{n}", block) for block in blocks])
        rates.append(len(lines) / took)
    print(json.dumps(rates), flush=True)


@dataclass
class Load:
    """What one round of clients saw: events a second, and how long each answer took (seconds)."""

    rate: float
    answers: list[float]


class Served:
    """A server process under load."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        hello = json.loads(process.stdout.readline())
        self._place = urlsplit(hello["url"]).netloc
        self._headers = {
            "Authorization": f"Bearer {hello['token']}",
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
        }
        self.idle_mib = self._memory("VmRSS")
        self.sent = 0

    def load(self, bodies: list[bytes]) -> Load:
        """Send every body once, from CLIENTS connections; raises when one is not accepted whole."""
        packed = iter([gzip.compress(body, 1) for body in bodies])
        lock, answers, failed = threading.Lock(), list[float](), list[str]()

        def client() -> None:
            connection = http.client.HTTPConnection(self._place, timeout=60)
            while not failed:
                with lock:
                    body = next(packed, None)
                if body is None:
                    break
                began = time.perf_counter()
                connection.request("POST", "/v1/events", body, self._headers)
                response = connection.getresponse()
                answer = json.loads(response.read())
                answers.append(time.perf_counter() - began)
                if response.status != 200 or answer["accepted"] != EVENTS_A_BATCH:
                    failed.append(f"{response.status}: {answer.get('detail')}")
            connection.close()

        threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - began
        if failed or len(answers) != len(bodies):
            raise RuntimeError(f"the gateway did not accept a batch: {failed[:1]}")
        self.sent += len(bodies) * EVENTS_A_BATCH
        return Load(len(bodies) * EVENTS_A_BATCH / took, answers)

    def peak_mib(self) -> float:
        return self._memory("VmHWM")

    def end(self) -> float:
        """Stop it; returns how many requests one call of the pipeline held on average."""
        out, _ = self.process.communicate(timeout=60)
        told = json.loads(out)
        if told["stored"] != self.sent:
            raise RuntimeError(f"{self.sent} events were acknowledged and {told['stored']} are stored")
        return float(told["requests_a_call"])

    def _memory(self, field: str) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split(field + ":")[1].split()[0]) / 1024


@contextmanager
def child(mode: str) -> Iterator[subprocess.Popen[str]]:
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "benchmarks.gateway", mode, directory]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()


def measure(mode: str, count: int) -> tuple[list[Load], float, float, float]:
    """Rounds of load, idle and peak memory in MiB, requests in one call."""
    with child(mode) as process:
        served = Served(process)
        served.load(batches(CLIENTS, 99))  # connections, prices and code paths warm
        loads = [served.load(batches(count, seed)) for seed in range(ROUNDS)]
        return loads, served.idle_mib, served.peak_mib(), served.end()


def plain_insert() -> list[float]:
    with child("limit") as process:
        out, _ = process.communicate(timeout=300)
        rates: list[float] = json.loads(out)
        return rates


def per_second(rates: list[float]) -> tuple[str, str]:
    return f"{statistics.median(rates):,.0f} events/s", f"{min(rates):,.0f} to {max(rates):,.0f}"


def run() -> list[Row]:
    loads, idle, peak, joined = measure("grouped", BATCHES)
    alone, _, _, _ = measure("alone", BATCHES_ALONE)
    bound = plain_insert()
    grouped, single = [load.rate for load in loads], [load.rate for load in alone]
    answers = sorted(1000 * answer for load in loads for answer in load.answers)
    middle = statistics.median(grouped)
    value, spread = per_second(grouped)
    what = f"gateway into the database, batches of {EVENTS_A_BATCH}, {CLIENTS} connections"
    rows = [
        Row(
            what,
            value,
            spread,
            f"{middle / statistics.median(bound):.2f}",
            "ClickHouse's JSONEachRow insert of the same rows",
        ),
        Row(
            "  until the answer, that is until it is durable",
            f"{statistics.median(answers):.0f} ms",
            f"p99 {answers[int(len(answers) * 0.99)]:.0f} ms; {joined:.1f} requests an insert",
        ),
    ]
    value, spread = per_second(single)
    rows.append(
        Row(
            "  without group commit: one insert a request",
            value,
            spread,
            f"{statistics.median(single) / middle:.2f}",
            "gateway",
        )
    )
    value, spread = per_second(bound)
    rows.append(Row(f"ClickHouse JSONEachRow insert, blocks of {BLOCK_ROWS:,} rows", value, spread))
    rows.append(
        Row("peak memory of the server under that load", f"{peak:.0f} MiB", f"{idle:.0f} MiB when idle")
    )
    return rows


if __name__ == "__main__":
    mode, directory = sys.argv[1:]
    if mode == "limit":
        limit(Path(directory))
    else:
        serve(mode, Path(directory))
