"""kill -9 of everything at random moments, with duplicates, late events and two re-pricings on the way."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from uptake_chaos.ask import Unanswered
from uptake_chaos.oracle import Oracle
from uptake_chaos.repricing import Repricing
from uptake_chaos.run import Result, ends_of, settle
from uptake_chaos.sender import Sender
from uptake_chaos.stack import Options, Stack

VICTIMS = {"worker": 10, "gateway": 4, "database": 4, "broker": 2, "scheduler": 1}
"""How often each kind is chosen: workers most, because their crash is the interesting one."""
DOWN_SECONDS = (0.0, 2.0)
ACKNOWLEDGED_SECONDS = 180.0
SETTLE_SECONDS = 180.0

BLIND = 1 / 3
FLOWS_AGAIN_SECONDS = 40.0

Say = Callable[[str], None]


def kill_everything(
    directory: Path,
    seed: int,
    kills: int,
    say: Say,
    rate: float = 250.0,
    pause: tuple[float, float] = (0.2, 4.0),
    options: Options | None = None,
) -> Result:
    """`kills` kills at random moments (see Moments), while about `rate` events a second come in."""
    chance = random.Random(f"{seed}/kills")
    began = time.monotonic()
    oracle = Oracle()
    with Stack(directory, seed, options) as stack:
        say(f"up after {time.monotonic() - began:.0f} s; killing {kills} times")
        sender = Sender(stack.url, stack.tokens, oracle, seed, rate)
        sender.start()
        try:
            started = time.monotonic()
            reprice_at = {max(1, kills // 3), max(2, 2 * kills // 3)}
            repricings: list[Repricing] = []
            done = 0
            moments = Moments(stack, chance, pause)
            while done < kills:
                moments.await_next()
                sender.check()
                if not _kill_one(stack, chance):
                    continue
                done += 1
                if done % 10 == 0 or done == kills:
                    say(
                        f"{done} kills, {len(oracle.made):,} events, {oracle.unacknowledged:,} not acknowledged yet"
                    )
                if done in reprice_at:
                    say(f"re-pricing after {done} kills")
                    repricings.append(Repricing(stack, repricings[-1] if repricings else None))
            for repricing in repricings:
                repricing.join()
            sender.finish(ACKNOWLEDGED_SECONDS)
            seconds = time.monotonic() - started
            difference, settled = settle(stack, oracle, SETTLE_SECONDS)
            figures = {"sent": asdict(sender.said), "stored_rows": stack.asker.stored_rows()}
        finally:
            sender.abandon()
        return Result(
            "kills",
            seed,
            seconds,
            len(oracle.made),
            difference,
            settled,
            dict(sorted(stack.supervisor.kills.items())),
            {**figures, "repricings": [repricing.as_json() for repricing in repricings]},
            ends_of(stack),
        )


def _kill_one(stack: Stack, chance: random.Random) -> bool:
    members = list(stack.supervisor.members.values())
    weights = [VICTIMS[m.kind] / sum(1 for other in members if other.kind == m.kind) for m in members]
    (victim,) = chance.choices(members, weights)
    return stack.supervisor.kill(victim.name, chance.uniform(*DOWN_SECONDS))


class Moments:
    """When to kill. A third of the kills follow blindly, `pause` seconds after the one before; the others wait until
    events flow again first, because what is down already cannot be hurt."""

    def __init__(self, stack: Stack, chance: random.Random, pause: tuple[float, float]) -> None:
        self._stack, self._chance, self._pause = stack, chance, pause
        self._wait = threading.Event()

    def await_next(self) -> None:
        if self._chance.random() > BLIND:
            before, deadline = self._visible(), time.monotonic() + FLOWS_AGAIN_SECONDS
            while time.monotonic() < deadline:
                now = self._visible()
                if before is not None and now is not None and now > before:
                    break
                before = now if before is None else before
                self._wait.wait(0.1)
        self._wait.wait(self._chance.uniform(*self._pause))

    def _visible(self) -> int | None:
        try:
            return self._stack.asker.events()
        except Unanswered:
            return None
