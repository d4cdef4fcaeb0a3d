"""Broken networks between every pair of processes, which all stay alive themselves."""

from __future__ import annotations

import random
import threading
import time

from uptake_chaos.proxy import Fault, FaultProxy
from uptake_chaos.trial import Result, Trial

FAULTS = tuple(fault for fault in Fault if fault is not Fault.NONE)
FAULTY_SECONDS, CALM_SECONDS = (0.5, 4.0), (0.5, 2.0)


class Weather:
    """Changes the fault of each link, at random times of its own, until it is ended; then all is well."""

    def __init__(self, proxy: FaultProxy, seed: int) -> None:
        self._proxy, self._ended = proxy, threading.Event()
        self.changes = 0
        self._threads = [
            threading.Thread(
                target=self._run, args=(name, random.Random(f"{seed}/{name}/weather")), daemon=True
            )
            for name in proxy.links
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(10)
        self._proxy.heal()

    def _run(self, name: str, chance: random.Random) -> None:
        deck: list[Fault] = []
        while not self._ended.is_set():
            if not deck:  # every fault comes before one comes again
                deck = chance.sample(FAULTS, len(FAULTS))
            self._proxy.change(name, deck.pop())
            self.changes += 1
            self._ended.wait(chance.uniform(*FAULTY_SECONDS))
            self._proxy.change(name, Fault.NONE)
            self._ended.wait(chance.uniform(*CALM_SECONDS))


def break_networks(trial: Trial, seconds: float, rate: float) -> Result:
    """`seconds` of faults on all links at once, of a stack that is proxied. 0 lost, 0 doubled."""
    proxy = trial.stack.proxy
    if proxy is None:
        raise ValueError("the stack has no proxy between its processes")
    weather = Weather(proxy, trial.seed)
    wait, began = threading.Event(), time.monotonic()
    with trial.flowing(rate) as sender:
        weather.start()
        try:
            while (elapsed := time.monotonic() - began) < seconds:
                sender.check()
                wait.wait(min(20.0, seconds - elapsed))
                waiting = trial.oracle.unacknowledged
                trial.say(f"{weather.changes} faults so far, {waiting:,} events not acknowledged yet")
        finally:
            weather.end()
        figures = {"faults": weather.changes, "injected": proxy.injected()}
        return trial.conclude("network", sender, began, figures)
