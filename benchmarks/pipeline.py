"""Events a second from bytes to rows, and what share that is of ClickHouse's own insert of the same bytes.

One call of `Pipeline.process` takes 10,000 usage events (batches of 400, 16 fields, about 400 bytes each, ids never
seen before) into an embedded database on disk. Beside it, in the same rounds and into the same engine:
- ClickHouse's own `JSONEachRow` insert of the very same events, 10,000 lines a block, into a table with their fields
  as columns: no identity, no attribution, no price, and the share is of this;
- one call a batch, so an insert every 400 events, instead of joined calls;
- reading alone: as the pipeline does, a batch in one validation of models, and event by event.

    python -m benchmarks.pipeline
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from benchmarks.harness import Row, seconds
from uptake.clickhouse import INSERT_SETTINGS, Database
from uptake.clock import ManualClock
from uptake.processors.collector import collector_paused
from uptake.processors.pipeline import Pipeline
from uptake.processors.read import read_batch
from uptake.schemas.batch import Batch, Receipt
from uptake.schemas.codec import decode_batch
from uptake.schemas.events import EVENT
from uptake.schemas.identity import mint, unix_ms
from uptake.sql.migrate import migrate
from uptake.workspace.models import App, Organisation, Person, Rate, Workspace

TENANT = "bench"
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
EVENTS_A_BATCH = 400
BATCHES_A_CALL = 25
EVENTS = EVENTS_A_BATCH * BATCHES_A_CALL
CALLS = 4  # a round
ROUNDS = 7
PEOPLE, TEAMS = 250, 12
APPS = ("claims-letter", "case-summary", "search", "translate", "code-review", "mail")
MODELS = (("openai", "gpt-4o-2024-08-06"), ("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-5"))
GOAL = 0.35

# The fields of the events as they are sent: what ClickHouse's own insert parses and stores.
PLAIN_TABLE = """
CREATE TABLE plain
(
    event_id UUID, type LowCardinality(String), occurred_at DateTime64(3, 'UTC'), app LowCardinality(String),
    use_case LowCardinality(String), team LowCardinality(String), user_id String, session_id String,
    provider LowCardinality(String), request_model LowCardinality(String), response_model LowCardinality(String),
    input_tokens UInt32, cache_read_input_tokens UInt32, output_tokens UInt32, duration_ms UInt32,
    prompt_version LowCardinality(String)
)
ENGINE = MergeTree PARTITION BY toYYYYMM(occurred_at) ORDER BY (app, occurred_at)
"""


def workspace() -> Workspace:
    people = [
        Person(user_id=f"p_{n:032x}", team=f"team-{n % TEAMS}", joined=date(2026, 1, 1))
        for n in range(PEOPLE)
    ]
    apps = [App(app=app, owner="somebody", use_cases=("draft", "answer"), teams=()) for app in APPS]
    organisation = Organisation(tenant=TENANT, name="Benchmark", zone="Europe/Paris")
    rate = Rate.model_validate({"currency": "USD", "rate": "0.92"})
    return Workspace(organisation=organisation, roster=tuple(people), apps=tuple(apps), fx=(rate,))


def events(rng: random.Random, start_ms: int) -> list[dict[str, Any]]:
    """A call's worth of usage events, a millisecond apart."""
    made = []
    for n in range(EVENTS):
        provider, model = rng.choice(MODELS)
        read = rng.choice((0, 0, 512))
        person = rng.randrange(PEOPLE)
        made.append(
            {
                "event_id": str(mint(start_ms + n)),
                "type": "usage",
                "occurred_at": datetime.fromtimestamp((start_ms + n) / 1000, UTC).isoformat(
                    timespec="milliseconds"
                ),
                "app": rng.choice(APPS),
                "use_case": rng.choice(("draft", "answer")),
                "team": f"team-{person % TEAMS}",
                "user_id": f"p_{person:032x}",
                "session_id": f"{rng.getrandbits(64):016x}",
                "provider": provider,
                "request_model": model.split("-2024")[0],
                "response_model": model,
                "input_tokens": read + rng.randrange(50, 4_000),
                "cache_read_input_tokens": read,
                "output_tokens": rng.randrange(10, 900),
                "duration_ms": rng.randrange(200, 20_000),
                "prompt_version": f"v{rng.randrange(1, 4)}",
            }
        )
    return made


class Bench:
    def __init__(self, directory: Path) -> None:
        self.database = Database.embedded(directory)
        migrate(self.database)
        self.database.command(PLAIN_TABLE)
        shop = workspace()
        self.pipeline = Pipeline({TENANT: shop}.get, self.database, ManualClock(NOW))
        self.rng = random.Random(7)
        self.next_ms = unix_ms(NOW) - 3_600_000

    def fresh(self) -> list[dict[str, Any]]:
        self.next_ms += EVENTS
        return events(self.rng, self.next_ms)

    def batches(self, made: list[dict[str, Any]]) -> list[Batch]:
        bodies = [made[at : at + EVENTS_A_BATCH] for at in range(0, EVENTS, EVENTS_A_BATCH)]
        return [Batch(TENANT, json.dumps(body, separators=(",", ":")).encode(), NOW) for body in bodies]

    def process(self, batches: list[Batch], joined: bool = True) -> None:
        calls = [batches] if joined else [[batch] for batch in batches]
        outcomes = [outcome for call in calls for outcome in self.pipeline.process(call)]
        accepted = sum(outcome.accepted for outcome in outcomes if isinstance(outcome, Receipt))
        if accepted != EVENTS:
            raise RuntimeError(f"{accepted} of {EVENTS} events were accepted: not a measurement")

    def plain(self, lines: bytes) -> None:
        self.database.client().raw_insert(
            "plain", insert_block=lines, fmt="JSONEachRow", settings=INSERT_SETTINGS
        )


def read_all(batches: list[Batch]) -> None:
    with collector_paused():
        for batch in batches:
            read_batch(batch.body, NOW)


def at_once(batches: list[Batch]) -> None:
    with collector_paused():
        for batch in batches:
            decode_batch(batch.body, NOW)


def one_by_one(lines: list[bytes]) -> None:
    with collector_paused():
        for line in lines:
            EVENT.validate_json(line)


def run() -> list[Row]:
    names = ("joined", "plain", "alone", "read", "batch", "single")
    samples: dict[str, list[float]] = {name: [] for name in names}
    ratios = []
    with tempfile.TemporaryDirectory(prefix="uptake-bench-") as directory:
        bench = Bench(Path(directory))
        size = 0.0
        for number in range(ROUNDS + 1):
            calls = [bench.fresh() for _ in range(CALLS)]
            joined = [bench.batches(made) for made in calls]
            alone = bench.batches(bench.fresh())
            lines = [[json.dumps(event, separators=(",", ":")).encode() for event in made] for made in calls]
            blocks = [b"\n".join(block) for block in lines]
            size = len(blocks[0]) / EVENTS
            took = {
                "joined": seconds(lambda calls=joined: [bench.process(call) for call in calls]) / CALLS,  # type: ignore[misc]
                "plain": seconds(lambda blocks=blocks: [bench.plain(block) for block in blocks]) / CALLS,  # type: ignore[misc]
                "alone": seconds(lambda alone=alone: bench.process(alone, joined=False)),  # type: ignore[misc]
                "read": seconds(lambda batches=joined[0]: read_all(batches)),  # type: ignore[misc]
                "batch": seconds(lambda batches=joined[0]: at_once(batches)),  # type: ignore[misc]
                "single": seconds(lambda lines=lines[0]: one_by_one(lines)),  # type: ignore[misc]
            }
            if number:  # the first round fills caches
                for name, took_seconds in took.items():
                    samples[name].append(EVENTS / took_seconds)
                ratios.append(took["plain"] / took["joined"])
        bench.database.close()
    middle = {name: statistics.median(rates) for name, rates in samples.items()}
    share = statistics.median(ratios)

    def row(what: str, name: str, against: str = "", of: str = "", goal: str = "") -> Row:
        rates = samples[name]
        ratio = f"{share if name == 'joined' else middle[name] / middle[of]:.2f}" if against else ""
        return Row(
            what, f"{middle[name]:,.0f} /s", f"{min(rates):,.0f} to {max(rates):,.0f}", ratio, against, goal
        )

    insert, whole = "ClickHouse's own JSONEachRow insert", "bytes to rows, calls of 10,000"
    return [
        row(f"{whole} ({size:.0f} bytes an event)", "joined", insert, "plain", f"≥ {GOAL}"),
        row(insert, "plain"),
        row(f"bytes to rows, an insert every {EVENTS_A_BATCH}", "alone", whole, "joined"),
        row("reading only, as the pipeline does", "read"),
        row("reading only, a batch in one validation of models", "batch", "as the pipeline does", "read"),
        row("reading only, event by event", "single", "as the pipeline does", "read"),
    ]


if __name__ == "__main__":
    for figure in run():
        print(figure)
