"""The agents: thin, and all they do is to bring records to their conveyor in the order of the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, cast

import structlog
from faust.types import TP, EventT, StreamT

from uptake.processors.worker.acks import Acks, Arrival, Place
from uptake.processors.worker.conveyor import Conveyor
from uptake.processors.worker.faust_app import LogApp, LogConsumer
from uptake.processors.worker.gather import Fetched, weigh
from uptake.processors.worker.metrics import Metrics

FirstFrom = Callable[[Place, int], int | None]
"""The first offset at or after the given one that the log really holds, asked outside of the group; None where there
is none. Raises what its client raises while the log does not answer. Blocks."""

MEND_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Intake:
    """Takes each record that arrives once and in order, and mends the order where it is broken."""

    def __init__(
        self,
        app: LogApp,
        acks: Acks,
        conveyors: Mapping[str, Conveyor],
        first_from: FirstFrom,
        metrics: Metrics,
        failed: Callable[[BaseException], None],
    ) -> None:
        """`conveyors` by topic."""
        self._app, self._acks, self._conveyors = app, acks, conveyors
        self._first_from, self._metrics, self._failed = first_from, metrics, failed
        self._mending: set[Place] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.stopped: dict[Place, int] = {}
        """Partitions that stand still, each with the offset at which it will go on."""

    def arrive(self, event: EventT[Any]) -> None:
        message = event.message
        place: Place = (message.topic, message.partition)
        if place in self.stopped:
            return
        match self._acks.arrive(place, message.offset):
            case Arrival.NEXT:
                appended_ms = round(message.timestamp * 1000)  # Faust's are seconds
                headers = cast(Sequence[tuple[str, bytes]], message.headers or ())
                weight = weigh(message.value or b"")
                self._conveyors[place[0]].add(
                    Fetched(*place, message.offset, appended_ms, headers, message.value, weight)
                )
            case Arrival.GAP | Arrival.RESET:
                self._mend_once(place, self._mend(place, message.offset))
            case Arrival.FOREIGN if place in self._consumer.assignment():
                self._mend_once(place, self._consumer.perform_seek())

    def stop(self, place: Place, offset: int) -> None:
        """From this record on nothing of the partition is taken, and what was taken is as if it were not."""
        if place in self._acks:
            _log.error("partition_stopped", topic=place[0], partition=place[1], offset=offset)
            self.stopped[place] = offset
            self._acks.rebase(place, offset)
            self._conveyors[place[0]].drop(place)
            self._consumer.pause_partitions([TP(*place)])

    async def go_on(self, place: Place) -> None:
        offset = self.stopped.pop(place, None)
        if offset is not None and place in self._acks:
            await self._consumer.go_to({TP(*place): offset})
            self._consumer.resume_partitions([TP(*place)])

    def revoked(self) -> None:
        self.stopped.clear()

    def _mend_once(self, place: Place, mending: Coroutine[Any, Any, None]) -> None:
        if place in self._mending:
            mending.close()
            return
        self._mending.add(place)
        task = asyncio.create_task(self._mended(place, mending))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _mended(self, place: Place, mending: Coroutine[Any, Any, None]) -> None:
        try:
            await mending
        except Exception as error:  # noqa: BLE001 - told; the next record that arrives begins it anew
            _log.warning("order_not_mended", topic=place[0], partition=place[1], error=type(error).__name__)
            await asyncio.sleep(MEND_SECONDS)
        finally:
            self._mending.discard(place)

    async def _mend(self, place: Place, offset: int) -> None:
        """A record came that is not the next one. Ask the log itself what is next, and go there."""
        epoch, wanted = self._acks.epoch, self._acks.next(place)
        first = await asyncio.to_thread(self._first_from, place, 0 if offset < wanted else wanted)
        if epoch == self._acks.epoch and first is not None:
            self._metrics.mended.inc()
            said = {"topic": place[0], "partition": place[1], "wanted": wanted, "came": offset}
            _log.warning("order_mended", **said, first=first)
            self._acks.rebase(place, first)
            await self._consumer.go_to({TP(*place): first})

    @property
    def _consumer(self) -> LogConsumer:
        return cast(LogConsumer, self._app.consumer)

    def agent(self, name: str, topics: Iterable[str]) -> None:
        """Add an agent for these topics."""
        channel = self._app.topic(*topics, key_type=bytes, value_type=bytes, acks=False)

        async def bring(stream: StreamT[Any]) -> None:
            stream.enable_acks = False
            try:
                async for event in stream.events():
                    self.arrive(event)
            except Exception as error:  # noqa: BLE001 - Faust would restart the agent and go on behind what it dropped
                self._failed(error)

        self._app.agent(channel, name=name)(bring)
