"""Workers that crash, lag, overlap and lose their partitions, on a log in memory and the real database: whatever
happens in whatever order, everything that was appended counts once, and costs what the prices of now say.

The log, the broker's committed offsets and the workers' loop are played here; acknowledgement, pipeline and re-pricing
are the real ones. What should come out is counted by `Oracle`, which knows nothing of how it is done.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from uptake.clickhouse import Database
from uptake.clock import ManualClock
from uptake.processors.pipeline import Pipeline
from uptake.processors.prepared import Prepared
from uptake.processors.reprice import reprice
from uptake.processors.worker.acks import Acks, Arrival
from uptake.schemas.batch import Batch, LogPosition, Receipt, StoreUnavailable
from uptake.schemas.identity import mint, unix_ms
from uptake.workspace.models import Workspace

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
PARTITIONS = range(3)
WORKERS = range(3)

TABLES = ("usage", "cost")

Event = dict[str, Any]
SENDING = ("emit", "duplicate", "duplicate", "delay", "bill", "contradict", "poison", "garble")
TROUBLE = (
    *("nothing", "another writes", "partitions move", "prices move"),
    *("crash before", "crash after", "down", "dies"),
)
DYING = (None, None, 0, 1)
sizes = st.integers(1, 6)
places = st.sampled_from(PARTITIONS)
somebody = st.sampled_from(WORKERS)
anything = st.integers(0, 10_000)
ownership = st.lists(somebody, min_size=len(PARTITIONS), max_size=len(PARTITIONS))
effects = st.integers(0, 4)  # a commit has two to five


class Crash(Exception):  # noqa: N818 - kill -9
    pass


class Oracle:
    """What must be in the database in the end, counted from what was appended and nothing else."""

    def __init__(self) -> None:
        self.tokens: dict[str, int] = {}
        self.billed: dict[str, int] = {}
        self.letters: set[tuple[str, str]] = set()

    def costs(self, price: int) -> dict[str, int]:
        return {one: tokens * price * 1000 for one, tokens in self.tokens.items()}


class Store:
    """The database of one worker, in which one effect may go wrong, or take so long that something else happens."""

    def __init__(self, database: Database) -> None:
        self.real = database
        self.trouble: tuple[int, str, Callable[[], None]] | None = None
        self.effects = 0

    def tenant(self, tenant: str) -> Any:
        reader = self.real.tenant(tenant)
        query = lambda _, *of: self._effect(lambda: reader.query(*of))  # noqa: E731
        # Reading whole rows, which only re-pricing does, is no effect that could be left half done.
        return type("Reader", (), {"query": query, "query_arrow": reader.query_arrow})()

    def insert_block(self, *of: Any) -> None:
        self._effect(lambda: self.real.insert_block(*of))

    def insert_json_lines(self, *of: Any) -> None:
        self._effect(lambda: self.real.insert_json_lines(*of))

    def _effect(self, do: Callable[[], Any]) -> Any:
        at, what, meanwhile = self.trouble or (-1, "", lambda: None)
        now = self.effects == at
        self.effects += 1
        if now:
            self.trouble = None
            if what == "crash before":
                raise Crash
            if what == "down":
                raise OSError("connection refused")
            meanwhile()
        done = do()
        if now and what == "crash after":
            raise Crash
        return done


@dataclass
class Take:
    """Records on their way through a worker, and the epoch in which it took them."""

    epoch: int
    prepared: Prepared


@dataclass
class Worker:
    store: Store
    pipeline: Pipeline
    workspaces: dict[str, Workspace]
    acks: Acks = field(default_factory=Acks)
    takes: list[Take] = field(default_factory=list)


class Machine(RuleBasedStateMachine):
    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.tenant = f"m-{uuid.uuid4().hex[:12]}"
        self.topic = f"{self.tenant}.events"
        self.clock = ManualClock(START)
        self.oracle = Oracle()
        self.log: list[list[Batch]] = [[] for _ in PARTITIONS]
        self.committed = [0 for _ in PARTITIONS]
        self.owners = [0 for _ in PARTITIONS]
        self.sent: list[tuple[int, Event]] = []  # good events, with the partition that has each first
        self.late: list[Event] = []
        self.price = self.priced_at = 2
        self.written = 0  # takes since prices changed
        self.repriced: dict[str, int] = {}
        self.workers = [self._worker() for _ in WORKERS]

    # What apps do.

    @rule(
        what=st.lists(st.sampled_from(SENDING), min_size=1, max_size=5),
        partitions=st.permutations(PARTITIONS),
        count=sizes,
        number=anything,
    )
    def send(self, what: list[str], partitions: list[int], count: int, number: int) -> None:
        for place, one in enumerate(what):
            getattr(self, one)(partitions[place % len(partitions)], count, number + place)

    def emit(self, partition: int, count: int, number: int) -> None:
        self._send(partition, [self._usage(number + n) for n in range(count)])

    def bill(self, partition: int, count: int, number: int) -> None:
        money = {"amount": str(number), "currency": "EUR", "category": "licence"}
        period = {"period_start": "2026-11-01", "period_end": "2026-12-01"}
        self._send(partition, [{**self._event("cost"), **money, **period} for _ in range(count)])

    def delay(self, partition: int, count: int, number: int) -> None:
        """Events that occurred before what is appended now."""
        late, self.late = self.late, [self._usage(number + n) for n in range(count)]
        self._send(partition, late)

    def duplicate(self, partition: int, count: int, number: int) -> None:
        """What was sent before, in other company."""
        last = len(self.sent) - (number % len(self.sent) if self.sent and number % 2 else 0)
        again = [event for _, event in self.sent[max(0, last - count) : last]]
        self._send(partition, [*again, self._usage(number), *again[:1]])

    def contradict(self, partition: int, count: int, number: int) -> None:
        """A known id with other content, behind the first: of two writers at once only the audit could say more."""
        if self.sent:
            partition, event = self.sent[number % len(self.sent)]
            self.oracle.letters.add(("conflict", json.dumps([event["event_id"], "other"])))
            self._append(partition, [{**event, "use_case": "other"}])

    def poison(self, partition: int, count: int, number: int) -> None:
        """Bad events among good ones."""
        good = [self._usage(number + n) for n in range(count)]
        bad = [{**self._usage(n), "app": ""} for n in range(count)]
        self.oracle.letters |= {("invalid", json.dumps([event["event_id"], ""])) for event in bad}
        self._send(partition, good, [event for pair in zip(good, bad, strict=True) for event in pair])

    def garble(self, partition: int, count: int, number: int) -> None:
        self.oracle.letters.add(("malformed", f'{{"n": {number}'))
        self._append(partition, f'{{"n": {number}'.encode())

    # What workers do.

    @precondition(lambda self: self._busy())
    @rule(
        who=somebody,
        takes=st.lists(st.integers(1, 3), max_size=2),
        what=st.sampled_from(TROUBLE),
        effect=effects,
        other=somebody,
        owners=ownership,
    )
    def work(self, who: int, takes: list[int], what: str, effect: int, other: int, owners: list[int]) -> None:
        """A worker takes some records, a take at a time, and writes its oldest take. At one of its effects something is
        wrong, or happens before it."""
        busy = self._busy()
        who = busy[who % len(busy)]
        for most in takes:
            self._take(who, most)
        if what == "dies":
            self._die(who)
        elif what == "another writes" and other != who:
            self._in_hand(other)
            self._write_in_trouble(who, effect, what, lambda: self._write(self.workers[other]))
        elif what == "partitions move":
            self._write_in_trouble(who, effect, what, lambda: self._move(who, owners))
        elif what == "prices move":
            self._write_in_trouble(who, effect, what, lambda: self._move(who, owners, prices=True))
        else:
            self._write_in_trouble(who, effect, what, lambda: None)

    @precondition(lambda self: self.written >= 2)
    @rule(effect=effects, count=sizes, number=anything)
    def overtake(self, effect: int, count: int, number: int) -> None:
        """A slow worker has looked for the ids of a duplicate; another one writes its original, which is then priced
        again; then the slow one writes the duplicate, which was appended last."""
        self._rebalance(list(WORKERS))
        self._send(0, [self._usage(number + n) for n in range(count)])
        self._send(1, [event for _, event in self.sent[-count:]])
        self._take(0, 50)
        self._take(1, 50)

        def meanwhile() -> None:
            self._write_all(self.workers[0])
            self.price += 3
            self._price_again()

        while len(self.workers[1].takes) > 1:
            self._write(self.workers[1])
        self._write_in_trouble(1, effect, "overtaken", meanwhile)

    @initialize()
    def begin(self) -> None:
        self._rebalance(list(WORKERS))

    def _take(self, who: int, most: int) -> None:
        worker = self.workers[who]
        batches = []
        for place in list(worker.acks):
            at = worker.acks.next(place)
            for batch in self.log[place[1]][at : at + most]:
                assert batch.position is not None
                assert worker.acks.arrive(place, batch.position.offset) is Arrival.NEXT
                batches.append(batch)
        if batches:
            worker.takes.append(Take(worker.acks.epoch, worker.pipeline.prepare(batches)))

    def _busy(self) -> list[int]:
        """Workers that have something to do."""

        def has_news(worker: Worker) -> bool:
            return any(worker.acks.next(place) < len(self.log[place[1]]) for place in worker.acks)

        return [who for who, worker in enumerate(self.workers) if worker.takes or has_news(worker)]

    def _in_hand(self, who: int) -> None:
        if not self.workers[who].takes:
            self._take(who, 5)

    def _move(self, away_from: int, owners: list[int], prices: bool = False) -> None:
        """The next owners write the same records, and perhaps somebody then prices them again."""
        self._rebalance(owners)
        for who in WORKERS:
            if who != away_from:
                self._take(who, 5)
                self._write_all(self.workers[who])
        if prices:
            self.price += 3
            self._price_again()

    def _die(self, who: int) -> None:
        """It comes back with nothing, and its partitions are another one's."""
        self.workers[who] = self._worker()
        self._rebalance([(owner + 1) % len(WORKERS) if owner == who else owner for owner in self.owners])

    def _rebalance(self, owners: list[int]) -> None:
        """Every partition begins at its committed offset with its owner. What is on its way elsewhere stays so."""
        self.owners = list(owners)
        for number, worker in enumerate(self.workers):
            worker.acks.revoke()
            own = [partition for partition in PARTITIONS if self.owners[partition] == number]
            worker.acks.assign({(self.topic, partition): self.committed[partition] for partition in own})

    # What operators do.

    @precondition(lambda self: self.written >= 2)
    @rule(
        change=st.booleans(),
        reloads=st.lists(somebody, max_size=3),
        dies=st.sampled_from(DYING),
        late=st.booleans(),
    )
    def price_again(self, change: bool, reloads: list[int], dies: int | None, late: bool) -> None:
        """Some workers hear of a new price at once; the others when they next come back."""
        self.price += 3 * change
        self.written = 0
        for who in reloads:
            self.workers[who].workspaces[self.tenant] = self._workspace()
        if self.price != self.priced_at:
            self._price_again(dies, late)

    def _price_again(self, dies: int | None = None, late: bool = False) -> None:
        store = Store(self.database)
        if dies is not None:
            store.trouble = (dies, "crash after" if late else "crash before", lambda: None)
        hour = timedelta(hours=1)
        try:
            reprice(self._workspace(), store, self.clock, START, START + hour, block=40)  # type: ignore[arg-type]
        except Crash:
            self.repriced = {}  # some rows have the new price, and nothing can be said until it ran again
            return
        self.priced_at = self.price
        self.repriced = self._costs()
        assert self.repriced == {one: self.oracle.costs(self.price)[one] for one in self.repriced}

    # What must be so in the end.

    def teardown(self) -> None:
        try:
            self._drain()
            after = self._costs()
            changed = {one for one, cost in self.repriced.items() if after.get(one) != cost}
            assert changed == set(), "nothing that was re-priced goes back to an older price"
            self._price_again()
            assert self.repriced == self.oracle.costs(self.price)
            self._compare()
        finally:
            super().teardown()

    def _drain(self) -> None:
        for worker in self.workers:
            self._write_all(worker)
        self._rebalance(list(WORKERS))
        for _ in range(1000):
            if self.committed == [len(records) for records in self.log]:
                return
            for who in WORKERS:
                self._take(who, 50)
                self._write(self.workers[who])
        raise AssertionError(f"the log is not drained: {self.committed} of {[len(r) for r in self.log]}")

    def _compare(self) -> None:
        [usage] = self._query("SELECT count() AS n, sum(input_uncached_tokens) AS tokens FROM usage FINAL")
        assert (usage["n"], usage["tokens"] or 0) == (
            len(self.oracle.tokens),
            sum(self.oracle.tokens.values()),
        )
        [cost] = self._query("SELECT count() AS n, sum(cost_nano) AS nano FROM cost FINAL")
        assert (cost["n"], cost["nano"] or 0) == (len(self.oracle.billed), sum(self.oracle.billed.values()))
        letters = self._query("SELECT reason, payload FROM dead_letters FINAL")
        assert len(letters) == len(self.oracle.letters)
        assert {(row["reason"], _essence(**row)) for row in letters} == self.oracle.letters
        assert self._kept() == {(p, offset) for p in PARTITIONS for offset in range(len(self.log[p]))}

    # How it is played.

    def _workspace(self) -> Workspace:
        price = {"provider": "own", "model": "m", "input": str(self.price), "output": "1", "currency": "EUR"}
        organisation = {"tenant": self.tenant, "name": "Machine", "currency": "EUR"}
        return Workspace.model_validate({"organisation": organisation, "prices": [price]})

    def _worker(self) -> Worker:
        store, workspaces = Store(self.database), {self.tenant: self._workspace()}
        return Worker(store, Pipeline(workspaces.get, store, self.clock), workspaces)  # type: ignore[arg-type]

    def _event(self, kind: str) -> Event:
        self.clock.set(self.clock.now() + timedelta(milliseconds=250))
        now = self.clock.now()
        return {"event_id": str(mint(unix_ms(now))), "type": kind, "occurred_at": now.isoformat(), "app": "a"}

    def _usage(self, tokens: int) -> Event:
        call = {"provider": "own", "response_model": "m", "input_tokens": tokens, "output_tokens": 0}
        return {**self._event("usage"), **call}

    def _send(self, partition: int, good: list[Event], record: list[Event] | None = None) -> None:
        known = {event["event_id"] for _, event in self.sent}
        for event in good:
            if event["type"] == "usage":
                self.oracle.tokens[event["event_id"]] = event["input_tokens"]
            else:
                self.oracle.billed[event["event_id"]] = int(event["amount"]) * 10**9
            if event["event_id"] not in known:
                self.sent.append((partition, event))
        self._append(partition, record or good)

    def _append(self, partition: int, events: list[Event] | bytes) -> None:
        self.clock.set(self.clock.now() + timedelta(milliseconds=250))
        body = events if isinstance(events, bytes) else json.dumps(events).encode()
        position = LogPosition(self.topic, partition, len(self.log[partition]))
        self.log[partition].append(Batch(self.tenant, body, self.clock.now(), position=position))

    def _write_in_trouble(self, who: int, effect: int, what: str, meanwhile: Callable[[], None]) -> None:
        self._in_hand(who)
        worker = self.workers[who]
        worker.store.effects, worker.store.trouble = 0, (effect, what, meanwhile)
        try:
            self._write(worker)
        except Crash:
            self._die(who)
            self._kept_only_after_its_events()
        worker.store.trouble = None

    def _write_all(self, worker: Worker) -> None:
        for _ in range(len(worker.takes)):
            self._write(worker)

    def _write(self, worker: Worker) -> None:
        """The oldest take, then its acknowledgement. The broker refuses that of whoever lost the partition."""
        if not worker.takes:
            return
        take = worker.takes[0]
        try:
            outcomes = worker.pipeline.commit(take.prepared)
        except StoreUnavailable:
            return  # and again later
        self.written += 1
        if take in worker.takes:  # not written meanwhile by what interrupted it
            worker.takes.remove(take)
        for batch, outcome in zip(take.prepared.batches, outcomes, strict=True):
            assert batch.position is not None
            if isinstance(outcome, Receipt):
                said = outcome.accepted + outcome.duplicates + len(outcome.rejections)
                assert said == len(json.loads(batch.body))
            worker.acks.done(take.epoch, batch.position[:2], [batch.position.offset])
        for (_, partition), offset in worker.acks.committable().items():
            assert offset >= self.committed[partition], "a committed offset never goes back"
            self.committed[partition] = offset
        worker.acks.committed(worker.acks.epoch, {(self.topic, p): self.committed[p] for p in PARTITIONS})

    def _kept_only_after_its_events(self) -> None:
        """Of a record that is kept as written every event is there, wherever the process died."""
        stored = {row["event_id"] for table in TABLES for row in self._query(f"SELECT event_id FROM {table}")}  # noqa: S608
        for partition, offset in self._kept():
            body = self.log[partition][offset].body
            events = json.loads(body) if body.startswith(b"[") else []
            good = [event["event_id"] for event in events if event["app"] and "use_case" not in event]
            assert {uuid.UUID(one).int for one in good} <= stored

    def _kept(self) -> set[tuple[int, int]]:
        sql = "SELECT partition, offset FROM log_records FINAL WHERE topic = {topic:String}"
        return {(row["partition"], row["offset"]) for row in self.database.query(sql, {"topic": self.topic})}

    def _costs(self) -> dict[str, int | None]:
        rows = self._query("SELECT event_id, cost_nano FROM usage FINAL")
        return {str(uuid.UUID(int=row["event_id"])): row["cost_nano"] for row in rows}

    def _query(self, sql: str, more: str = "") -> list[dict[str, Any]]:
        return self.database.tenant(self.tenant).query(f"{sql} WHERE tenant = {{tenant:String}} {more}")


def _essence(reason: str, payload: str) -> str:
    """What identifies a letter: for a malformed record what it is, else the event and what was odd in it."""
    if reason == "malformed":
        return payload
    event = json.loads(payload)
    return json.dumps([event["event_id"], event.get("use_case", "")])


def test_everything_that_is_appended_counts_once_whatever_happens(database: Database) -> None:
    run_state_machine_as_test(
        lambda: Machine(database),
        settings=settings(
            max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
