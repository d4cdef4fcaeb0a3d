"""Events a second that the gateway takes into the database: one process, batches of 100, over loopback.

The server is what `uptake up` runs (gateway, pipeline, engine on disk, scheduler), in a process of its own, so that the
client's work is not counted in it (on two cores they still share them). Beside it: gateway and pipeline without
group commit (one insert a request), and the limit, which is ClickHouse's own JSONEachRow insert of the very rows that
were stored, in blocks of 10,000, in a process of its own.

    python -m benchmarks.gateway up|alone DIRECTORY   serve (says where on stdout, until stdin ends)
    python -m benchmarks.gateway limit DIRECTORY      rows a second of the plain insert
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
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

from benchmarks.harness import Row
from uptake.clickhouse import Database
from uptake.home import Home
from uptake.ingest.gateway.app import create_app
from uptake.ingest.gateway.group_commit import GroupCommit, GroupLimits
from uptake.ingest.gateway.metrics import MetricName, Metrics
from uptake.ingest.gateway.serve import Server
from uptake.processors.pipeline import Pipeline
from uptake.schemas.batch import Batch, MalformedBatch
from uptake.schemas.identity import mint
from uptake.service import Service
from uptake.settings import Settings

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


def write_workspace(directory: Path) -> None:
    """250 people in 12 teams, 6 registered apps, and a budget, so that the scheduler has something to judge."""
    people = [f"p_{n:032x},team-{n % TEAMS},yes,no,2020-01-01,," for n in range(PEOPLE)]
    files = {
        "organisation.yaml": f"tenant: {TENANT}\nname: Bench\nzone: Europe/Paris\ncurrency: USD\n",
        "roster.csv": "\n".join(["person,team,seat,champion,joined,left,wave", *people, ""]),
        "apps.yaml": "".join(f"- app: {app}\n  owner: bench\n" for app in APPS),
        "budgets.yaml": "- budget: all\n  name: All\n  amount: 1000000\n",
    }
    directory.mkdir()
    for name, text in files.items():
        (directory / name).write_text(text)


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


def home_in(directory: Path) -> Settings:
    write_workspace(directory / "workspace")
    return Settings(workspace=directory / "workspace", data=directory / "data", port=0)


def wait(url: str, token: str, database: Database) -> None:
    """Say where the gateway is, serve until stdin ends, then say how many events are stored."""
    print(json.dumps({"url": url, "token": token}), flush=True)
    sys.stdin.read()
    query = "SELECT count() AS n FROM usage FINAL WHERE tenant = {tenant:String}"
    print(json.dumps(database.tenant(TENANT).query(query)[0]["n"]), flush=True)


def serve_up(directory: Path) -> None:
    """What `uptake up` runs."""
    with Service(home_in(directory), schedule=True) as service:
        wait(service.base_url, service.home.keys.create(TENANT, "bench").token, service.home.database)


def serve_alone(directory: Path) -> None:
    """Gateway and pipeline with one call of the pipeline, so one insert, a request."""
    with Home(home_in(directory)) as home:
        pipeline = Pipeline(home.workspaces.get, home.database, home.clock)
        metrics = Metrics()
        with (
            GroupCommit(pipeline.process, GroupLimits(events_per_call=1), metrics.group) as commit,
            Server(create_app(commit, home.keys, home.clock, metrics=metrics)) as server,
        ):
            wait(server.base_url, home.keys.create(TENANT, "bench").token, home.database)


def limit(directory: Path) -> None:
    """Rows a second of ClickHouse's JSONEachRow insert of the rows that the pipeline makes of these batches."""
    home = Home(home_in(directory))
    database, now = home.database, home.clock.now()
    pipeline = Pipeline(home.workspaces.get, database, home.clock)
    outcomes = pipeline.process([Batch(TENANT, body, now) for body in batches(BATCHES, 0)])
    if any(isinstance(outcome, MalformedBatch) or outcome.rejections for outcome in outcomes):
        raise RuntimeError("the benchmark's own events were refused")
    lines = bytes(database.client().raw_query("SELECT * FROM usage", fmt="JSONEachRow")).splitlines()
    blocks = [b"\n".join(lines[at : at + BLOCK_ROWS]) for at in range(0, len(lines), BLOCK_ROWS)]
    rates = []
    for n in range(ROUNDS):
        database.command(f"CREATE TABLE copy_{n} AS usage")
        began = time.perf_counter()
        for block in blocks:
            database.insert_json_lines(f"copy_{n}", block)
        rates.append(len(lines) / (time.perf_counter() - began))
    home.close()
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

    def cpu_seconds(self) -> float:
        """Processor time that the server has used, in all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mib(self) -> float:
        return self._memory("VmHWM")

    def requests_a_call(self) -> float:
        """How many requests one call of the pipeline held on average."""
        connection = http.client.HTTPConnection(self._place, timeout=60)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        values = {
            line.split()[0]: float(line.split()[1])
            for line in lines
            if line.startswith(MetricName.GROUP_REQUESTS)
        }
        return values[f"{MetricName.GROUP_REQUESTS}_sum"] / values[f"{MetricName.GROUP_REQUESTS}_count"]

    def end(self) -> None:
        """Stop it, and hold it to what it acknowledged."""
        out, _ = self.process.communicate(timeout=60)
        stored = json.loads(out.splitlines()[-1])
        if stored != self.sent:
            raise RuntimeError(f"{self.sent} events were acknowledged and {stored} are stored")

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


@dataclass
class Measured:
    """What one server did under ROUNDS rounds of load."""

    loads: list[Load]
    cpu_micros: float  # of the server, for one event
    idle_mib: float
    peak_mib: float
    joined: float  # requests in one call of the pipeline

    @property
    def rates(self) -> list[float]:
        return [load.rate for load in self.loads]


def measure(mode: str, count: int) -> Measured:
    with child(mode) as process:
        served = Served(process)
        served.load(batches(CLIENTS, 99))  # connections, prices and code paths warm
        bodies = [batches(count, seed) for seed in range(ROUNDS)]
        before = served.cpu_seconds()
        loads = [served.load(each) for each in bodies]
        micros = (served.cpu_seconds() - before) * 1e6 / (ROUNDS * count * EVENTS_A_BATCH)
        result = Measured(loads, micros, served.idle_mib, served.peak_mib(), served.requests_a_call())
        served.end()
        return result


def plain_insert() -> list[float]:
    with child("limit") as process:
        out, _ = process.communicate(timeout=300)
        rates: list[float] = json.loads(out)
        return rates


def per_second(rates: list[float]) -> tuple[str, str]:
    return f"{statistics.median(rates):,.0f} events/s", f"{min(rates):,.0f} to {max(rates):,.0f}"


def run() -> list[Row]:
    up, alone, bound = measure("up", BATCHES), measure("alone", BATCHES_ALONE), plain_insert()
    rate = statistics.median(up.rates)
    answers = sorted(1000 * answer for load in up.loads for answer in load.answers)
    median, p99 = statistics.median(answers), answers[int(len(answers) * 0.99)]
    return [
        Row(
            f"`uptake up`, batches of {EVENTS_A_BATCH}, {CLIENTS} connections",
            *per_second(up.rates),
            f"{rate / statistics.median(bound):.2f}",
            "the plain insert",
        ),
        Row("  until the answer (durable)", f"{median:.0f} ms", f"p99 {p99:.0f} ms"),
        Row("  requests written together", f"{up.joined:.1f}"),
        Row("  processor time of the server", f"{up.cpu_micros:.0f} µs/event"),
        Row("  peak memory of the server", f"{up.peak_mib:.0f} MiB", f"{up.idle_mib:.0f} MiB when idle"),
        Row(
            "gateway without group commit: one insert a request",
            *per_second(alone.rates),
            f"{statistics.median(alone.rates) / rate:.2f}",
            "`uptake up`",
        ),
        Row("  processor time of the server", f"{alone.cpu_micros:.0f} µs/event"),
        Row(f"plain insert: ClickHouse's JSONEachRow, {BLOCK_ROWS:,} rows a block", *per_second(bound)),
    ]


if __name__ == "__main__":
    {"up": serve_up, "alone": serve_alone, "limit": limit}[sys.argv[1]](Path(sys.argv[2]))
