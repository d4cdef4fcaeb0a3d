"""A child process with a log file of its own: started, watched until it is ready, ended by its id."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from uptake.errors import UptakeError

LOOK_SECONDS = 0.05
TAIL_LINES = 5
LISTENING = range(20_000, 30_000)  # below the ephemeral ports of Linux (32768) and of others (49152)


class ChildProcess:
    """One command. `start` and end it as often as wanted; its output is appended to `log`."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ):
        self.name = name
        self.command = list(command)
        self.log = log
        self.environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._from = 0

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.pid

    def start(self, ready: Callable[[], bool], timeout: float) -> None:
        """Returns once `ready` says so. Raises UptakeError, with nothing left running, when the process ends or
        is not ready within `timeout` seconds."""
        self.launch()
        self.await_ready(ready, timeout)

    def launch(self) -> None:
        """Start it and wait for nothing."""
        if self.alive():
            raise RuntimeError(f"{self.name} runs already")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self._from = out.tell()
            # A group of its own: Ctrl-C at the terminal is for the parent, which then ends its children in order.
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )

    def await_ready(self, ready: Callable[[], bool], timeout: float) -> None:
        """As `start`, of a process that was launched."""
        deadline = time.monotonic() + timeout
        while not ready():
            if not self.alive() or time.monotonic() > deadline:
                why = "is not ready" if self.alive() else "ended"
                self.kill()
                said = "\n".join(self.said().splitlines()[-TAIL_LINES:])
                raise UptakeError(f"{self.name} {why}; it last said:\n{said}", f"its whole log is {self.log}")
            time.sleep(LOOK_SECONDS)

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return None if self._process is None else self._process.poll()

    def said(self) -> str:
        """What it wrote since the last start."""
        with self.log.open("rb") as log:
            log.seek(self._from)
            return log.read().decode(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.alive():
            self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait(30)

    def stop(self, timeout: float = 20.0) -> int | None:
        """SIGTERM, and kill -9 where that was not enough. Returns the exit code."""
        self.signal(signal.SIGTERM)
        try:
            self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        return self.exit_code()

    def wait(self, timeout: float) -> None:
        if self._process is not None:
            self._process.wait(timeout)


def free_port() -> int:
    """A port of the loopback interface that nobody listens on at the moment.

    None that the system gives to outgoing connections: while who listens there is away, one of those could
    take it, even one that tries to reach this very port."""
    for port in random.SystemRandom().sample(LISTENING, len(LISTENING)):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise UptakeError("no port of the loopback interface is free")


def accepts(port: int) -> bool:
    """Whether something accepts connections on a port of the loopback interface."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
