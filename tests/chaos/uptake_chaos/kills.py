"""kill -9 of everything at random moments, with duplicates, late events and two re-pricings on the way."""

from __future__ import annotations

import random
import threading
import time

from uptake_chaos.ask import Unanswered
from uptake_chaos.repricing import Repricing
from uptake_chaos.stack import Stack
from uptake_chaos.trial import Result, Trial

VICTIMS = {"worker": 10, "gateway": 4, "database": 4, "broker": 2, "scheduler": 1}
"""How often each kind is chosen: workers most, because their crash is the interesting one."""
DOWN_SECONDS = (0.0, 2.0)
PAUSE_SECONDS = (0.2, 4.0)
BLIND = 1 / 3
FLOWS_AGAIN_SECONDS = 40.0


def kill_everything(trial: Trial, kills: int, rate: float) -> Result:
    """`kills` kills at random moments (see Moments), while about `rate` events a second come in."""
    stack, oracle = trial.stack, trial.oracle
    chance = random.Random(f"{trial.seed}/kills")
    reprice_at = {max(1, kills // 3), max(2, 2 * kills // 3)}
    repricings: list[Repricing] = []
    moments = Moments(stack, chance)
    done, began = 0, time.monotonic()
    with trial.flowing(rate) as sender:
        while done < kills:
            moments.await_next()
            sender.check()
            if not _kill_one(stack, chance):
                continue
            done += 1
            if done % 10 == 0 or done == kills:
                waiting = oracle.unacknowledged
                trial.say(f"{done} kills, {len(oracle.made):,} events, {waiting:,} not acknowledged yet")
            if done in reprice_at:
                trial.say(f"re-pricing after {done} kills")
                repricings.append(Repricing(stack, repricings[-1] if repricings else None))
        for repricing in repricings:
            repricing.join()
        figures = {"repricings": [repricing.as_json() for repricing in repricings]}
        return trial.conclude("kills", sender, began, figures)


def _kill_one(stack: Stack, chance: random.Random) -> bool:
    members = list(stack.supervisor.members.values())
    weights = [VICTIMS[m.kind] / sum(1 for other in members if other.kind == m.kind) for m in members]
    (victim,) = chance.choices(members, weights)
    return stack.supervisor.kill(victim.name, chance.uniform(*DOWN_SECONDS))


class Moments:
    """When to kill. A third of the kills follow blindly, seconds after the one before; the others wait until
    events flow again first, because what is down already cannot be hurt."""

    def __init__(self, stack: Stack, chance: random.Random) -> None:
        self._stack, self._chance = stack, chance
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
        self._wait.wait(self._chance.uniform(*PAUSE_SECONDS))

    def _visible(self) -> int | None:
        try:
            return self._stack.asker.events()
        except Unanswered:
            return None
