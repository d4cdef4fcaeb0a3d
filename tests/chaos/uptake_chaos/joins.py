"""Two workers that join and leave every few seconds: by SIGTERM, and by kill -9."""

from __future__ import annotations

import random
import threading
import time

from uptake_chaos.trial import Result, Trial

STAYS, AWAY = (3.0, 6.0), (0.0, 2.0)
KILLED = 0.3
AT_LEAST = 2
"""So often a worker joins, however slow the machine is at ending one."""


def join_and_leave(trial: Trial, seconds: float, rate: float) -> Result:
    chance, supervisor = random.Random(f"{trial.seed}/joins"), trial.stack.supervisor
    workers = trial.stack.workers
    turns = {"left": 0, "killed": 0, "joined": 0}
    wait, began = threading.Event(), time.monotonic()
    due = {name: began + chance.uniform(*STAYS) for name in workers}
    there = dict.fromkeys(workers, True)
    with trial.flowing(rate) as sender:
        while time.monotonic() - began < seconds or turns["joined"] < AT_LEAST:
            name = min(due, key=lambda worker: due[worker])
            wait.wait(max(0.0, due[name] - time.monotonic()))
            sender.check()
            if there[name]:
                killed = chance.random() < KILLED
                supervisor.hold(name, gracefully=not killed)
                turns["killed" if killed else "left"] += 1
            else:
                supervisor.start(name)
                turns["joined"] += 1
            there[name] = not there[name]
            due[name] = time.monotonic() + chance.uniform(*(STAYS if there[name] else AWAY))
        supervisor.start(*workers)
        trial.say(f"workers: {turns}")
        return trial.conclude("joins", sender, began, {"turns": turns})
