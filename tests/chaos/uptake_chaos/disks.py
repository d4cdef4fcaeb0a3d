"""A full disk under the log, and one under ClickHouse: nothing is acknowledged that is not durable, and when there is
room again everything goes on by itself.

The disk is a small tmpfs: really full, really ENOSPC, and it outlives the processes on it. Mounting is a right that
not every machine gives; `Disk.mount` says why not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from uptake_chaos.ask import Unanswered
from uptake_chaos.events import Made
from uptake_chaos.kills import ACKNOWLEDGED_SECONDS, SETTLE_SECONDS, Say
from uptake_chaos.oracle import Oracle
from uptake_chaos.run import Result, ends_of, settle
from uptake_chaos.sender import Sender
from uptake_chaos.stack import Options, Stack

SIZE_MIB = 256
RECOVERS_SECONDS = 30.0
FLOWS_SECONDS = 30.0


class CannotMount(RuntimeError):  # noqa: N818 - named for what it is
    """This machine does not let us mount a small file system."""


class Disk:
    """A file system of its own, of `SIZE_MIB`, which can be filled and emptied."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._sudo: list[str] = []

    def __enter__(self) -> Disk:
        """Raises CannotMount."""
        self.place.mkdir(parents=True)
        options = f"size={SIZE_MIB}m,mode=0700,uid={os.getuid()},gid={os.getgid()}"
        said = ""
        for sudo in ([], ["sudo", "-n"]):
            if sudo and shutil.which("sudo") is None:
                continue
            command = [*sudo, "mount", "-t", "tmpfs", "-o", options, "uptake-chaos", str(self.place)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=20)
            except OSError as error:
                said = str(error)
                continue
            if done.returncode == 0:
                self._sudo = sudo
                return self
            said = done.stderr.strip()
        raise CannotMount(
            f"a tmpfs cannot be mounted here ({said}); it takes root, or sudo without a password"
        )

    def __exit__(self, *_: object) -> None:
        subprocess.run(
            [*self._sudo, "umount", "-l", str(self.place)], capture_output=True, timeout=20, check=True
        )

    @property
    def free(self) -> int:
        stat = os.statvfs(self.place)
        return stat.f_bavail * stat.f_frsize

    def fill(self) -> None:
        """Take all that is left, to the last block."""
        with (self.place / "filler").open("ab", buffering=0) as filler:
            for block in (bytes(1 << 20), bytes(1 << 12)):
                with suppress(OSError):
                    while True:
                        filler.write(block)

    def empty(self) -> None:
        (self.place / "filler").unlink(missing_ok=True)


def fill_disk(
    directory: Path, seed: int, of: Literal["log", "database"], seconds: float, say: Say, rate: float = 200.0
) -> Result:
    """Full for `seconds`. Raises CannotMount where no small disk can be had."""
    oracle = Oracle()
    acknowledged: list[float] = []

    def note(_: list[Made]) -> None:
        acknowledged.append(time.monotonic())

    with Disk(directory / "disk") as disk:
        inside = disk.place / "data"
        options = Options(log_directory=inside) if of == "log" else Options(database_directory=inside)
        with Stack(directory, seed, options) as stack:
            sender = Sender(stack.url, stack.tokens, oracle, seed, rate, acknowledged=note)
            wait = threading.Event()
            sender.start()
            try:
                started = time.monotonic()
                _until(lambda: _events(stack) > 0, FLOWS_SECONDS, "nothing became visible")
                disk.fill()
                full = time.monotonic()
                say(f"the disk of the {of} is full after {_events(stack):,} events")
                while time.monotonic() - full < seconds:
                    wait.wait(0.1)
                    sender.check()
                    disk.fill()  # what a process gave back by ending
                visible = _events(stack)
                disk.empty()
                room = time.monotonic()
                say(f"there is room again; {visible:,} events are visible")
                if of == "log":
                    _until(lambda: acknowledged[-1] > room, RECOVERS_SECONDS, "no batch was acknowledged")
                else:
                    _until(lambda: _events(stack) > visible, RECOVERS_SECONDS, "nothing became visible")
                recovered = time.monotonic() - room
                say(f"went on by itself after {recovered:.1f} s")
                sender.finish(ACKNOWLEDGED_SECONDS)
                took = time.monotonic() - started
                difference, settled = settle(stack, oracle, SETTLE_SECONDS)
            finally:
                sender.abandon()
                disk.empty()
            during = [at for at in acknowledged if full + 2.0 < at < room]
            figures = {
                "recovered_seconds": round(recovered, 1),
                "acknowledged_while_full": len(during),
                "full_seconds": round(room - full, 1),
                "sent": asdict(sender.said),
            }
            # A broker whose disk is full ends, and is started again until it can: that is its part of the promise.
            ends = ends_of(stack, ("broker",) if of == "log" else ("database",))
            name = f"disk full: {of}"
            return Result(name, seed, took, len(oracle.made), difference, settled, {}, figures, ends)


def _events(stack: Stack) -> int:
    try:
        return stack.asker.events()
    except Unanswered:
        return 0


def _until(condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    wait = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{otherwise} within {seconds:g} s")
        wait.wait(0.1)
