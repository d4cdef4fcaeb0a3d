"""Events a second from Kafka to visible rows, and what share that is of ClickHouse's own insert of the same bytes.

A real broker on this machine holds usage events (about 400 bytes, 16 fields) in records of 200. One process on one
core reads them; the broker, the engine's front and whoever asks are on the other core. The clock runs from the first
visible rows to the last, so that no start counts. In the same run, into the same engine, on the same cores:

- ClickHouse's own `JSONEachRow` insert of the very same events, as many lines a block as a take of the worker has
  events, through the same client;
- confluent-kafka's consumer with a loop around the same pipeline: consume, process, commit;
- plain Faust, `async for event`, as its documentation shows it: the same pipeline for each record of 200, and for
  each record of one event.

Then, with an engine that throws inserts away so that ClickHouse is not the limit, two workers against one: on two
cores, of which one also has to carry the broker, the front and whoever asks; and each held to a share of one core by
taking turns, which leaves these out and shows whether a second worker adds what it has.

    python -m benchmarks.worker
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from benchmarks.harness import Row, seconds
from benchmarks.pipeline import APPS, EVENTS, PEOPLE, PLAIN_TABLE, TEAMS, TENANT, events
from uptake.clickhouse import INSERT_SETTINGS, Database
from uptake.local.clickhouse import ClickHouseFront
from uptake.local.kafka import KafkaNode
from uptake.local.process import ChildProcess
from uptake.schemas.identity import unix_ms
from uptake.schemas.records import Topic, event_records
from uptake.settings import Settings
from uptake.sql.migrate import migrate

CALLS = 20  # of 10,000 events
TOTAL = CALLS * EVENTS
SINGLES = 400  # one event a record
TAKE = Settings().worker_batch_events
EACH = 200
PARTITIONS = 4
ROUNDS = 3
PATIENCE = 180.0
LOOK = 0.2
LOOK_AT_OFFSETS = 0.1  # asking more often took a sixth of the other core
GOALS = {"plain": "≥ 0.5", "raw": "≥ 0.8", "faust": "≥ 10", "two": "≥ 1.7"}
OWN_CORE, OTHER_CORE = 0, 1
TURN = 0.05  # seconds in which everybody who takes turns had one
SHARE = 0.4  # of it, for each of two


def workspace(directory: Path) -> Path:
    """The workspace of benchmarks.pipeline as files."""
    directory.mkdir()
    (directory / "organisation.yaml").write_text(f"tenant: {TENANT}\nname: Benchmark\nzone: Europe/Paris\n")
    rows = "".join(f"p_{n:032x},team-{n % TEAMS},2026-01-01\n" for n in range(PEOPLE))
    (directory / "roster.csv").write_text(f"person,team,joined\n{rows}")
    registry = [f"- {{app: {app}, owner: somebody, use_cases: [draft, answer]}}\n" for app in APPS]
    (directory / "apps.yaml").write_text("".join(registry))
    (directory / "fx.yaml").write_text("- {currency: USD, rate: 0.92}\n")
    return directory


def until(condition: Callable[[], Any], every: float = 0.02) -> float:
    """When `condition` came true, in Unix seconds. Asking costs: the engine takes milliseconds for a count."""
    tick = threading.Event()
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError("it did not come about: not a measurement")
        tick.wait(every)
    return time.time()


class Bench:
    def __init__(self, directory: Path) -> None:
        os.sched_setaffinity(
            0, {OTHER_CORE}
        )  # this process and all its children but the one that is measured
        self.directory = directory
        self.node = KafkaNode(directory / "kafka")
        self.front = ClickHouseFront(directory / "clickhouse")
        self.sink = NullFront(directory / "nowhere")
        self.workspace = workspace(directory / "workspace")
        self.number = 0
        rng = random.Random(7)
        start = unix_ms(datetime.now(UTC)) - 3_600_000
        self.calls = [events(rng, start + call * EVENTS) for call in range(CALLS)]

    def start(self) -> None:
        self.node.start()
        self.front.start()
        self.sink.start()
        self.database = Database.served(self.front.url)
        migrate(self.database)
        self.database.command(PLAIN_TABLE)
        sink = Database.served(self.sink.url)
        migrate(sink)
        sink.close()
        made = [event for call in self.calls for event in call]
        self.append("many.", made, EACH)
        self.append("single.", made[:SINGLES], 1)

    def append(self, prefix: str, made: list[dict[str, Any]], each: int) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self.node.bootstrap)
        config = {"message.timestamp.type": "LogAppendTime"}
        counts = {topic: PARTITIONS if topic is Topic.USAGE else 1 for topic in Topic}
        admin.create_topics(
            [
                NewTopic(f"{prefix}{topic}", num_partitions=count, replication_factor=1, topic_configs=config)
                for topic, count in counts.items()
            ]
        )
        admin.close()
        now = datetime.now(UTC)
        texts = [
            (event["type"], event["event_id"], json.dumps(event, separators=(",", ":")).encode())
            for event in made
        ]
        producer = KafkaProducer(bootstrap_servers=self.node.bootstrap, acks="all", linger_ms=20)
        for number, at in enumerate(range(0, len(texts), each)):
            [record] = event_records(TENANT, texts[at : at + each], now, "http")
            headers = list(record.headers)
            producer.send(
                f"{prefix}usage", record.value, record.key, headers=headers, partition=number % PARTITIONS
            )
        producer.flush(60)
        producer.close()

    def contender(self, command: list[str], prefix: str, store: str, core: int) -> ChildProcess:
        self.number += 1
        environment = {
            "UPTAKE_KAFKA": self.node.bootstrap,
            "UPTAKE_CLICKHOUSE_URL": store,
            "UPTAKE_WORKSPACE": str(self.workspace),
            "UPTAKE_DATA": str(self.directory / "data"),
            "UPTAKE_TOPIC_PREFIX": prefix,
            "UPTAKE_CONSUMER_GROUP": f"bench-{self.number}",
            "UPTAKE_WORKER_PORT": "0",
        }
        pinned = ["taskset", "-c", str(core), sys.executable, *command]
        return ChildProcess("contender", pinned, self.directory / f"{self.number}.log", environment)

    def worker(self, prefix: str, store: str, core: int = OWN_CORE) -> ChildProcess:
        program = "import sys; from uptake.cli import main; sys.exit(main())"
        return self.contender(["-c", program, "worker"], prefix, store, core)

    def visible(self, command: list[str], prefix: str, total: int) -> tuple[float, float]:
        """One contender's events a second, and microseconds of the processor that it took for one."""
        self.clear()
        process = (
            self.worker(prefix, self.front.url)
            if command == ["worker"]
            else self.contender(
                ["-m", "benchmarks.peers.consumers", *command], prefix, self.front.url, OWN_CORE
            )
        )
        process.launch()
        try:
            until(self.rows, LOOK)
            first, begun, before = self.rows(), time.time(), processor_seconds(process.pid)
            end = until(lambda: self.rows() >= total, LOOK)
            took = processor_seconds(process.pid) - before
            return (total - first) / (end - begun), took / (total - first) * 1e6
        finally:
            process.stop()

    def clear(self) -> None:
        """So that nobody's parts are merged while another is measured."""
        for table in ("usage", "log_records", "sdk_reports", "plain"):
            self.database.command(f"TRUNCATE TABLE {table}")

    def rows(self) -> int:
        return int(self.database.query("SELECT count() AS n FROM usage")[0]["n"])

    def plain(self) -> float:
        """ClickHouse's own insert, by a client on the measured core."""
        self.clear()
        lines = [json.dumps(event, separators=(",", ":")).encode() for call in self.calls for event in call]
        blocks = [b"\n".join(lines[at : at + TAKE]) for at in range(0, TOTAL, TAKE)]
        os.sched_setaffinity(0, {OWN_CORE})
        try:
            return TOTAL / seconds(lambda: [self.insert(block) for block in blocks])
        finally:
            os.sched_setaffinity(0, {OTHER_CORE})

    def insert(self, block: bytes) -> None:
        self.database.client().raw_insert(
            "plain", insert_block=block, fmt="JSONEachRow", settings=INSERT_SETTINGS
        )

    def shared(self, cores: list[int], in_turns: bool = False) -> float:
        """Events a second of workers of one group, until all is committed, into an engine that keeps nothing."""
        workers = [self.worker("many.", self.sink.url, core) for core in cores]
        group = workers[0].environment["UPTAKE_CONSUMER_GROUP"]
        # All of them join on a topic whose end is committed, so that nobody begins before the others.
        consumer = KafkaConsumer(
            bootstrap_servers=self.node.bootstrap, group_id=group, enable_auto_commit=False
        )
        places = [TopicPartition("many.usage", n) for n in range(PARTITIONS)]
        try:
            for worker in workers:
                worker.environment["UPTAKE_CONSUMER_GROUP"] = group
                worker.launch()
            with turns([worker.pid for worker in workers]) if in_turns else nullcontext():
                until(lambda: all(assigned(worker) for worker in workers))
                begun = max(assigned(worker) for worker in workers)
                before = sum(consumer.committed(place) or 0 for place in places)
                ends = sum(consumer.end_offsets(places).values())
                end = until(
                    lambda: sum(consumer.committed(place) or 0 for place in places) == ends, LOOK_AT_OFFSETS
                )
                return (ends - before) * EACH / (end - begun)
        finally:
            consumer.close()
            for worker in workers:
                worker.stop()


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def turns(pids: Sequence[int]) -> Iterator[None]:
    """Let each of at most two processes run for its SHARE of every TURN, one after the other."""
    over = threading.Event()

    def give() -> None:
        while not over.is_set():
            for at in range(2):
                mine = pids[at : at + 1]
                for pid in mine:
                    os.kill(pid, signal.SIGCONT)
                over.wait(SHARE * TURN)
                for pid in mine:
                    os.kill(pid, signal.SIGSTOP)
                over.wait((0.5 - SHARE) * TURN)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=give, name="turns")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class NullFront(ClickHouseFront):
    """Takes inserts and forgets them."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.process.command[2] = "benchmarks.peers.null_front"


def assigned(process: ChildProcess) -> float:
    """When it was last given partitions, in Unix seconds; 0 before it was."""
    said = re.findall(
        r'"count": [1-9]\d*, "event": "partitions_assigned".*?"timestamp": "(.+?)"', process.said()
    )
    return datetime.fromisoformat(said[-1]).timestamp() if said else 0.0


def run() -> list[Row]:
    names = {"worker": ["worker"], "raw": ["raw"], "faust": ["faust"]}
    samples: dict[str, list[float]] = {
        name: [] for name in (*names, "plain", "single", "one", "two", "alone", "both")
    }
    costs: dict[str, list[float]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(prefix="uptake-bench-") as directory:
        bench = Bench(Path(directory))
        try:
            bench.start()
            for _ in range(ROUNDS):
                for name, command in names.items():
                    rate, cost = bench.visible(command, "many.", TOTAL)
                    samples[name].append(rate)
                    costs[name].append(cost)
                samples["single"].append(bench.visible(["faust"], "single.", SINGLES)[0])
                samples["plain"].append(bench.plain())
                samples["one"].append(bench.shared([OWN_CORE]))
                samples["two"].append(bench.shared([OWN_CORE, OTHER_CORE]))
                samples["alone"].append(bench.shared([OWN_CORE], in_turns=True))
                samples["both"].append(bench.shared([OWN_CORE, OWN_CORE], in_turns=True))
        finally:
            bench.node.kill()
            bench.front.kill()
            bench.sink.kill()
    middle = {name: statistics.median(rates) for name, rates in samples.items()}

    def row(what: str, name: str, against: str = "", of: str = "", goal: str = "") -> Row:
        rates = samples[name]
        ratios = [mine / theirs for mine, theirs in zip(rates, samples[of], strict=True)] if of else []
        ratio = f"{statistics.median(ratios):.2f}" if ratios else ""
        value = f"{middle[name]:,.0f} /s"
        return Row(what, value, f"{min(rates):,.0f} to {max(rates):,.0f}", ratio, against, goal)

    def cost(name: str) -> Row:
        spread = f"{min(costs[name]):.1f} to {max(costs[name]):.1f}"
        return Row(f"processor time an event, {name}", f"{statistics.median(costs[name]):.1f} µs", spread)

    return [
        row("worker, Kafka to visible rows", "worker", "ClickHouse's own insert", "plain", GOALS["plain"]),
        row("worker, Kafka to visible rows", "worker", "confluent-kafka", "raw", GOALS["raw"]),
        row("worker, Kafka to visible rows", "worker", "plain Faust", "faust", GOALS["faust"]),
        row("worker, Kafka to visible rows", "worker", "plain Faust, one event a record", "single"),
        row("ClickHouse's own JSONEachRow insert", "plain"),
        row("confluent-kafka, a loop around the pipeline", "raw"),
        row("plain Faust, async for event, records of 200", "faust"),
        row("plain Faust, async for event, records of 1", "single"),
        *(cost(name) for name in names),
        row("one worker, an engine that keeps nothing", "one"),
        row("two workers, an engine that keeps nothing", "two", "one worker", "one", GOALS["two"]),
        row(f"one worker, held to {SHARE:.0%} of a core", "alone"),
        row(f"two workers, each held to {SHARE:.0%}", "both", "one worker, held", "alone", GOALS["two"]),
    ]


if __name__ == "__main__":
    for figure in run():
        print(figure)
