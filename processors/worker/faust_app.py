"""Faust, held to the worker's rules: it fetches, keeps the group together and runs the agents; it acknowledges nothing.

What it would do otherwise, each pinned by a test (tests/worker/test_upstream.py), and what is done instead:

- it commits past a message in flight where the group has not committed before, and by one where it has; take()
  acknowledges a batch that raised; a stream written in Python acknowledges what it skips after a rebalance.
  Topics are without acknowledgement, and what is committed is what `Acks` says;
- a failed commit is forgotten, or ends the process because a broker was away. It is tried again;
- after a pause it goes on at the committed offset, but where nothing is committed yet it goes on where it was, and
  what it had read and dropped is lost. It goes on at the offset that must be taken next;
- a partition whose buffer is full is left out of fetching for a second. Nothing is fetched while there is no room;
- it waits for ever for messages in flight when partitions are revoked. It waits so long and no longer;
- it lets a broker hold an answer back for 1.5 s. aiokafka asks a broker one thing at a time, and while its question is
  about idle partitions alone the busy ones starve: half of the worker's time. An answer is held back briefly.
- it asks which topics there are every five minutes. A broker that has just come back may know none, and then whoever
  leads the group gives nobody any partition and sees his mistake that much later. It asks every few seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, ClassVar, cast

import faust
import structlog
from aiokafka.errors import (  # type: ignore[import-untyped]
    CommitFailedError,
    ConsumerStoppedError,
    IllegalStateError,
    KafkaError,
)
from faust.app.base import BootStrategy
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from uptake.processors.worker.acks import Acks, Place

REVOKE_SECONDS = 5.0
"""How long a rebalance waits for takes in hand; what is not finished then is read again by the next owner."""
FETCH_BYTES = 1024 * 1024  # a record has at most 900 KiB; larger answers cost more an event, not less
FETCH_WAIT_MS = 20
METADATA_MS = 5_000
PARTIAL_SECONDS = 0.02  # how long a fetch may wait that leaves a stream without room out
_NEVER_SECONDS = 20 * 24 * 3600.0  # as milliseconds just below 2**31

_log = structlog.get_logger(__name__)


class Link:
    """What Faust asks and tells the worker: `room`, from which topics to fetch; `settle`, to finish what is in hand and
    begin no more until `released`; `revoked`, that all partitions are gone; `committed`, what the broker has now.
    `changed` is set by the worker when there may be room again."""

    def __init__(
        self,
        acks: Acks,
        room: Callable[[str], bool],
        settle: Callable[[float], Awaitable[None]],
        released: Callable[[], None],
        revoked: Callable[[], None],
        committed: Callable[[Mapping[Place, int]], None],
    ) -> None:
        self.acks = acks
        self.room = room
        self.settle = settle
        self.released = released
        self.revoked = revoked
        self.committed = committed
        self.changed = asyncio.Event()


class LogConsumerThread(driver.AIOKafkaConsumerThread):
    """aiokafka in its own thread: heartbeats go on whatever the event loop does."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS  # read when it starts; Faust has no setting for it
        return consumer

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        consumer = self._ensure_consumer()
        try:
            await consumer.commit({driver.ensure_aiokafka_TP(tp): at for tp, at in offsets.items()})
        except (CommitFailedError, IllegalStateError):
            # The group was rebalanced: the partitions' next owner begins at what is committed.
            _log.info("commit_too_late", partitions=len(offsets))
            return False
        except KafkaError as error:
            # Whether it is worth trying again is not what `retriable` says (a time-out is not). If it never succeeds
            # the watchdog sees an offset that does not move.
            _log.warning("commit_failed", error=type(error).__name__)
            return False
        return True

    async def starts(self, places: Iterable[TP]) -> dict[TP, int]:
        """What the group committed, else the first offset there is."""
        return await self.call_thread(self._starts, list(places))  # type: ignore[no-any-return]

    async def _starts(self, places: list[TP]) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        found = {tp: await consumer.committed(driver.ensure_aiokafka_TP(tp)) for tp in places}
        unknown = [driver.ensure_aiokafka_TP(tp) for tp, offset in found.items() if offset is None]
        first = await consumer.beginning_offsets(unknown) if unknown else {}
        return {
            tp: first[driver.ensure_aiokafka_TP(tp)] if offset is None else offset
            for tp, offset in found.items()
        }

    async def go_to(self, positions: Mapping[TP, int]) -> None:
        """Fetch from these offsets on, those partitions of them that are assigned."""
        await self.call_thread(self._go_to, positions)

    async def _go_to(self, positions: Mapping[TP, int]) -> None:
        consumer = self._ensure_consumer()
        held = consumer.assignment()
        for tp, offset in positions.items():
            if driver.ensure_aiokafka_TP(tp) in held:
                consumer.seek(driver.ensure_aiokafka_TP(tp), offset)


class LogConsumer(driver.Consumer):
    _thread: LogConsumerThread

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._committing = asyncio.Lock()
        super().__init__(*arguments, **named)

    def _new_consumer_thread(self) -> LogConsumerThread:
        return LogConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def _link(self) -> Link:
        return cast(LogApp, self.app).link

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Faust's returns at once when another commit is under way, which may have begun too early to know all."""
        async with self._committing:
            return await self.force_commit(topics, start_new_transaction)

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit what is acknowledged, in the order of the log, and nothing else."""
        acks = self._link.acks
        epoch, held = acks.epoch, self.assignment()
        offsets: dict[Place, int] = {
            place: offset for place, offset in acks.committable().items() if place in held
        }
        if not offsets or not await self._thread.commit({TP(*place): at for place, at in offsets.items()}):
            return False
        acks.committed(epoch, offsets)
        self._link.committed(offsets)
        return True

    async def perform_seek(self) -> None:
        """Fetch from what must be taken next on; for partitions that are new, from what is committed."""
        acks, held = self._link.acks, self.assignment()
        new = [tp for tp in held if tp not in acks]
        if new:
            epoch = acks.epoch
            starts = await self._thread.starts(new)
            if epoch != acks.epoch:
                return  # rebalanced meanwhile: this is called again
            acks.assign(dict(starts.items()))
        await self.go_to({tp: acks.next(tp) for tp in held if tp in acks})

    def resume_flow(self) -> None:
        super().resume_flow()
        self._link.released()

    async def go_to(self, positions: Mapping[TP, int]) -> None:
        for tp, offset in positions.items():
            self._read_offset[tp] = offset or None
        await self._thread.go_to(positions)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        try:
            await super().on_partitions_revoked(revoked)
        finally:
            self._link.acks.revoke()
            self._link.revoked()

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109
        """Nothing while there is no room for more, so that memory stays bounded."""
        link = self._link
        wanted = {tp for tp in active_partitions or () if link.room(tp.topic)}
        if not wanted:
            link.changed.clear()
            await self.wait_first(link.changed.wait(), self.suspend_flow.wait(), timeout=timeout)
            return {}
        if len(wanted) < len(active_partitions or ()):
            # Or the streams that have room would be waited for after the others have it again.
            timeout = min(timeout, PARTIAL_SECONDS)
        return await super()._getmany(wanted, timeout)

    async def _drain_messages(self, fetcher: Any) -> None:
        """Hand on what is fetched. Faust's makes two tasks and keeps books for each record, of which none is used here:
        that took a fifth of the worker's time."""
        while not (self.should_stop or fetcher.should_stop):
            try:
                async for _, message in self.getmany(timeout=1.0):
                    if not self.flow_active:
                        break
                    await self.callback(message)
            except (ConsumerStoppedError, asyncio.CancelledError):
                if not self.app.should_stop:
                    raise
                return
            await asyncio.sleep(0)

    async def verify_all_partitions_active(self) -> None:
        """Our watchdog judges that."""


class LogTransport(driver.Transport):
    Consumer: ClassVar[type[LogConsumer]] = LogConsumer


class LogBoot(BootStrategy):
    enable_kafka_producer = False
    enable_web = False


class LogApp(faust.App):
    """A Faust app that only consumes. `link` is set before it starts."""

    link: Link
    BootStrategy = LogBoot

    def _new_transport(self) -> LogTransport:
        return LogTransport(self.conf.broker_consumer, self)

    async def _consumer_wait_empty(self, consumer: Any, logger: Any) -> None:
        """Partitions go, or the process does."""
        await self.link.settle(REVOKE_SECONDS)
        await consumer.commit()

    def _create_directories(self) -> None:
        """Nothing is kept on disk."""


def create_app(group: str, broker: Mapping[str, Any]) -> LogApp:
    """`broker` holds faust.App's arguments that lead to the brokers."""
    return LogApp(
        group,
        **broker,
        autodiscover=False,
        store="memory://",
        cache="memory://",
        key_serializer="raw",
        value_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=FETCH_BYTES,
        consumer_metadata_max_age_ms=METADATA_MS,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        broker_commit_interval=1.0,
        broker_heartbeat_interval=1.0,
        broker_session_timeout=15.0,
        broker_rebalance_timeout=30.0,
        broker_request_timeout=40.0,
        # A store that is away must not cost the partitions: whether this process is alive is its watchdog's to judge.
        broker_max_poll_interval=_NEVER_SECONDS,
    )
