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
from pathlib import Path
from typing import Literal

from uptake_chaos.ask import Unanswered
from uptake_chaos.events import Made
from uptake_chaos.stack import Stack
from uptake_chaos.trial import Result, Trial

SIZE_MIB = 512
RECOVERS_SECONDS = 30.0
IN_HAND_SECONDS = 1.5
"""After so long a write that was under way when the disk became full has ended."""
FLOWS_SECONDS = 30.0
FILLS_MIB_A_SECOND = 160
"""A disk fills, it is not full at once: chDB keeps 256 MiB back, and what it has begun ends while others take those."""


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

    def fill(self, leave: int = 0) -> None:
        """Take all that is left but `leave` bytes, to the last block, at `FILLS_MIB_A_SECOND`."""
        pace = threading.Event()
        with (self.place / "filler").open("ab", buffering=0) as filler:
            for block in (bytes(1 << 20), bytes(1 << 12)):
                with suppress(OSError):
                    while self.free > leave:
                        filler.write(block)
                        if len(block) > 1 << 12:
                            pace.wait(1 / FILLS_MIB_A_SECOND)

    def empty(self) -> None:
        (self.place / "filler").unlink(missing_ok=True)


def fill_disk(
    trial: Trial, disk: Disk, of: Literal["log", "database"], seconds: float, rate: float
) -> Result:
    """The `disk` of the log or of the database is full for `seconds`."""
    stack = trial.stack
    acknowledged: list[float] = []

    def note(_: list[Made]) -> None:
        acknowledged.append(time.monotonic())

    wait, began = threading.Event(), time.monotonic()
    at_first, ends_before = _events(stack), len(stack.supervisor.ends)
    with trial.flowing(rate, note) as sender:
        _until(lambda: _events(stack) > at_first, FLOWS_SECONDS, "nothing became visible")
        try:
            disk.fill()
            full = time.monotonic()
            before = -1
            while (elapsed := time.monotonic() - full) < seconds:
                disk.fill()  # again and again: what a process gave back by ending
                sender.check()
                if before < 0 and elapsed > IN_HAND_SECONDS:
                    before = _events(stack)
                wait.wait(0.1)
            visible = _events(stack)
        finally:
            disk.empty()
        room = time.monotonic()
        trial.say(f"the disk of the {of} was full for {room - full:.1f} s; there is room again")
        if of == "log":
            _until(lambda: acknowledged[-1] > room, RECOVERS_SECONDS, "no batch was acknowledged")
        else:
            _until(lambda: _events(stack) > visible, RECOVERS_SECONDS, "nothing became visible")
        recovered = time.monotonic() - room
        trial.say(f"went on by itself after {recovered:.1f} s")
        figures = {
            "recovered_seconds": round(recovered, 1),
            "full_seconds": round(room - full, 1),
            # Not none: what fits into a block that is there already is durable, too.
            "acknowledged_while_full": sum(full < at < room for at in acknowledged),
            "broker_ended": sum(end.kind == "broker" for end in stack.supervisor.ends[ends_before:]),
            "became_visible_while_full": visible - before,
        }
        # A broker whose disk is full ends, and is started again until it can: that is its part of the promise.
        return trial.conclude(f"disk full: {of}", sender, began, figures, ("broker",) if of == "log" else ())


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
