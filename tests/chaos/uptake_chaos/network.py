"""Broken networks between every pair of processes, which all stay alive themselves."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import asdict
from pathlib import Path

from uptake_chaos.kills import ACKNOWLEDGED_SECONDS, SETTLE_SECONDS, Say
from uptake_chaos.oracle import Oracle
from uptake_chaos.proxy import Fault, FaultProxy
from uptake_chaos.run import Result, ends_of, settle
from uptake_chaos.sender import Sender
from uptake_chaos.stack import Options, Stack

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


def break_networks(directory: Path, seed: int, seconds: float, say: Say, rate: float = 250.0) -> Result:
    """`seconds` of faults on all links at once. 0 lost, 0 doubled."""
    oracle = Oracle()
    with Stack(directory, seed, Options(proxied=True)) as stack:
        assert stack.proxy is not None
        weather = Weather(stack.proxy, seed)
        sender = Sender(stack.url, stack.tokens, oracle, seed, rate)
        started = time.monotonic()
        sender.start()
        weather.start()
        try:
            wait = threading.Event()
            while (elapsed := time.monotonic() - started) < seconds:
                sender.check()
                wait.wait(min(10.0, seconds - elapsed))
                say(
                    f"{weather.changes} faults so far, {len(oracle.made):,} events, "
                    f"{oracle.unacknowledged:,} not acknowledged yet"
                )
            weather.end()
            sender.finish(ACKNOWLEDGED_SECONDS)
            took = time.monotonic() - started
            difference, settled = settle(stack, oracle, SETTLE_SECONDS)
        finally:
            weather.end()
            sender.abandon()
        figures = {"sent": asdict(sender.said), "faults": weather.changes, "injected": stack.proxy.injected()}
        return Result(
            "network", seed, took, len(oracle.made), difference, settled, {}, figures, ends_of(stack)
        )
