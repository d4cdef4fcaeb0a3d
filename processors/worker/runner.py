"""One worker process: the Faust app, its agents and their conveyors, from the first join to the last commit.

Stopping, in this order and within STOP_SECONDS, whatever hangs:

  1. fetch nothing more; forget what waits for a take (it is read again by the next owner)
  2. finish what is in hand, unless the store does not answer
  3. commit what is done
  4. leave the group, so that others take over at once
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from uptake.processors.worker.acks import Acks, Place
from uptake.processors.worker.agents import FirstFrom, Intake
from uptake.processors.worker.conveyor import Conveyor
from uptake.processors.worker.exits import Exit
from uptake.processors.worker.faust_app import Link, LogApp, create_app
from uptake.processors.worker.gather import TakeLimits
from uptake.processors.worker.liveness import Observed
from uptake.processors.worker.metrics import Metrics
from uptake.processors.worker.watchdog import end_now
from uptake.processors.worker.work import Work

STOP_SECONDS = 10.0
BEAT_SECONDS = 0.5

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stream:
    """Some topics, and what becomes of their records. `anew` is told when partitions may have changed hands."""

    name: str
    topics: Sequence[str]
    work: Work
    anew: Callable[[], None] = lambda: None


class Runner:
    def __init__(
        self,
        group: str,
        broker: Mapping[str, Any],
        streams: Sequence[Stream],
        limits: TakeLimits,
        first_from: FirstFrom,
        metrics: Metrics,
    ) -> None:
        self._group, self._broker, self._streams, self._limits = group, broker, streams, limits
        self._first_from, self._metrics = first_from, metrics
        self._observed = Observed({}, {}, time.monotonic())
        self._code = Exit.OK
        self._loop: asyncio.AbstractEventLoop | None = None
        self.store_away = False
        self.assigned = False

    def run(self, ready: Callable[[], None] = lambda: None) -> Exit:
        """Until SIGTERM, SIGINT, `stop`, or a bug. In the main thread. `ready` is called once signals are caught."""
        return asyncio.run(self._main(ready))

    def stop(self, code: Exit = Exit.OK) -> None:
        """From any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop, code)

    def observed(self) -> Observed:
        """What the event loop last said of itself."""
        return self._observed

    def stopped(self) -> dict[Place, int]:
        """Partitions that stand still, each with the offset at which it will go on."""
        return dict(self._intake.stopped) if self._loop is not None else {}

    def go_on(self, place: Place) -> None:
        """Let a partition that was stopped go on. From any thread."""
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._intake.go_on(place), self._loop)

    async def _main(self, ready: Callable[[], None]) -> Exit:
        self._ended = asyncio.Event()
        app = self._assemble()
        self._loop = (
            asyncio.get_running_loop()
        )  # from now on other threads may ask: what they ask is all there
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop, Exit.OK)
        tasks = [asyncio.create_task(one.run()) for one in self._each()]
        tasks.append(asyncio.create_task(self._beat()))
        ready()
        try:
            await app.start()
            await app.wait_for_stopped(self._ended.wait())
            if app.crashed and not self._ended.is_set():
                self._failed(app.crash_reason or RuntimeError("Faust ended"))
        except Exception as error:  # noqa: BLE001 - the last place before the process ends
            self._failed(error)
        finally:
            await self._shut(app, tasks)
        return self._code

    def _assemble(self) -> LogApp:
        self._acks = Acks()
        self._app = app = create_app(self._group, self._broker)
        self._conveyors: dict[str, Conveyor] = {}
        self._intake = Intake(app, self._acks, self._conveyors, self._first_from, self._metrics, self._failed)
        for stream in self._streams:
            conveyor = Conveyor(
                stream.name,
                stream.work,
                self._acks,
                self._limits,
                self._metrics,
                progressed=self._progressed,
                stopped=self._intake.stop,
                failed=self._failed,
            )
            self._conveyors.update(dict.fromkeys(stream.topics, conveyor))
            self._intake.agent(stream.name, stream.topics)
        app.link = Link(
            self._acks,
            room=lambda topic: self._conveyors[topic].room,
            settle=self._settle,
            released=self._released,
            revoked=self._revoked,
            committed=self._metrics.committed,
        )
        return app

    def _each(self) -> list[Conveyor]:
        """Every conveyor once, however many topics it has."""
        return list(dict.fromkeys(self._conveyors.values()))

    def _progressed(self) -> None:
        """There is room again, and something to commit."""
        self._app.link.changed.set()
        if not self._app.rebalancing:
            self._committing = asyncio.create_task(self._app.consumer.commit())

    async def _settle(self, seconds: float) -> None:
        conveyors = self._each()
        for conveyor in conveyors:
            conveyor.hold()
        await asyncio.gather(*(conveyor.settle(seconds) for conveyor in conveyors))

    def _released(self) -> None:
        for conveyor in self._each():
            conveyor.release()
        self.assigned = True
        self._app.link.changed.set()
        _log.info("partitions_assigned", count=len(list(self._acks)))

    def _revoked(self) -> None:
        self._intake.revoked()
        self._metrics.revoked()
        for stream in self._streams:
            stream.anew()

    async def _beat(self) -> None:
        while True:
            self._look(time.monotonic())
            await asyncio.sleep(BEAT_SECONDS)

    def _look(self, now: float) -> None:
        self.store_away = any(one.waited is not None for one in self._each())
        stopped = frozenset(self._intake.stopped)
        self._metrics.stopped.set(len(stopped))
        committed = self._acks.positions()
        # Each stream's wait is its own: a store that takes no letters excuses no events that hang.
        waits = {place: self._conveyors[place[0]].waited for place in committed}
        waiting = {place: at for place, at in waits.items() if at is not None}
        self._observed = Observed(committed, {}, now, waiting, stopped)

    def _stop(self, code: Exit) -> None:
        if not self._ended.is_set():
            self._code = code
            self._ended.set()
            overdue = threading.Timer(STOP_SECONDS, self._overdue)
            overdue.daemon = True
            overdue.start()

    def _failed(self, error: BaseException) -> None:
        """A bug: the process ends, and begins again where it last committed."""
        steps = traceback.extract_tb(error.__traceback__)[-4:]
        where = [f"{step.filename}:{step.lineno} {step.name}" for step in steps]  # where, but no values
        _log.error("bug", error=type(error).__name__, where=where)
        self._stop(Exit.BUG)

    def _overdue(self) -> None:
        _log.error("stop_overdue", seconds=STOP_SECONDS)
        end_now(self._code or Exit.OVERDUE)

    async def _shut(self, app: LogApp, tasks: Sequence[asyncio.Task[None]]) -> None:
        _log.info("stopping")
        self._stop(self._code)
        try:
            await app.stop()  # 1 to 4: see LogApp and LogConsumer
        except Exception as error:  # noqa: BLE001 - what is not committed is read again
            _log.warning("stop_failed", error=type(error).__name__)
        for conveyor in self._each():
            conveyor.close()
        for task in tasks:
            task.cancel()
