"""Two workers that join and leave every few seconds: by SIGTERM, and by kill -9."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import asdict
from pathlib import Path

from uptake_chaos.kills import ACKNOWLEDGED_SECONDS, SETTLE_SECONDS, Say
from uptake_chaos.oracle import Oracle
from uptake_chaos.run import Result, ends_of, settle
from uptake_chaos.sender import Sender
from uptake_chaos.stack import Options, Stack

STAYS, AWAY = (3.0, 6.0), (0.0, 2.0)
KILLED = 0.3


def join_and_leave(directory: Path, seed: int, seconds: float, say: Say, rate: float = 250.0) -> Result:
    chance = random.Random(f"{seed}/joins")
    oracle = Oracle()
    with Stack(directory, seed, Options(scheduler=False)) as stack:
        sender = Sender(stack.url, stack.tokens, oracle, seed, rate)
        started = time.monotonic()
        sender.start()
        wait = threading.Event()
        turns = {"left": 0, "killed": 0, "joined": 0}
        due = {name: started + chance.uniform(*STAYS) for name in stack.workers}
        there = dict.fromkeys(stack.workers, True)
        try:
            while time.monotonic() - started < seconds:
                name = min(due, key=lambda worker: due[worker])
                wait.wait(max(0.0, due[name] - time.monotonic()))
                sender.check()
                if there[name]:
                    killed = chance.random() < KILLED
                    stack.supervisor.hold(name, gracefully=not killed)
                    turns["killed" if killed else "left"] += 1
                    due[name] = time.monotonic() + chance.uniform(*AWAY)
                else:
                    stack.supervisor.start(name)
                    turns["joined"] += 1
                    due[name] = time.monotonic() + chance.uniform(*STAYS)
                there[name] = not there[name]
            say(f"{turns}, {len(oracle.made):,} events")
            stack.supervisor.start(*stack.workers)
            sender.finish(ACKNOWLEDGED_SECONDS)
            took = time.monotonic() - started
            difference, settled = settle(stack, oracle, SETTLE_SECONDS)
        finally:
            sender.abandon()
        figures = {"sent": asdict(sender.said), "turns": turns}
        kills = dict(stack.supervisor.kills)
        return Result(
            "joins", seed, took, len(oracle.made), difference, settled, kills, figures, ends_of(stack)
        )
