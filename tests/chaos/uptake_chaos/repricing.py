"""A re-pricing as an operator does it: new prices into the workspace, then `uptake reprice` until it succeeds."""

from __future__ import annotations

import subprocess
import threading
import time
from datetime import timedelta

from uptake_chaos.stack import Stack
from uptake_chaos.world import TENANTS

IN_FORCE_SECONDS = 6.0
"""Until every process has read the workspace anew: what comes in later is priced by the new list."""
TRIES, TRY_SECONDS = 40, 90.0
BETWEEN_SECONDS = 1.5
DAYS_BACK = 9


class Repricing:
    """Runs in a thread of its own. `join` returns when all tenants are re-priced, or raises."""

    def __init__(self, stack: Stack, after: Repricing | None = None) -> None:
        """`after`: the one before, which must have ended first."""
        self._stack, self._after = stack, after
        self._failed: BaseException | None = None
        self.tries = 0
        self.seconds = 0.0
        self.revision = 0
        self._pause = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chaos-repricing", daemon=True)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(TRIES * (TRY_SECONDS + BETWEEN_SECONDS))
        if self._failed is not None:
            raise self._failed
        if self._thread.is_alive():
            raise TimeoutError("a re-pricing did not end")

    def as_json(self) -> dict[str, float]:
        return {"revision": self.revision, "tries": self.tries, "seconds": round(self.seconds, 1)}

    def _run(self) -> None:
        try:
            if self._after is not None:
                self._after.join()
            began = time.monotonic()
            self._stack.change_prices()
            self.revision = self._stack.revision
            self._pause.wait(IN_FORCE_SECONDS)
            for tenant in TENANTS:
                self._until_done(tenant.name)
            self.seconds = time.monotonic() - began
        except BaseException as error:  # noqa: BLE001 - `join` raises it
            self._failed = error

    def _until_done(self, tenant: str) -> None:
        start = self._stack.today - timedelta(days=DAYS_BACK)
        end = self._stack.today + timedelta(days=2)
        said = ""
        for _ in range(TRIES):
            self.tries += 1
            try:
                done = self._stack.command(
                    *("reprice", "--tenant", tenant, "--from", str(start), "--to", str(end), "--json"),
                    timeout=TRY_SECONDS,
                )
            except subprocess.TimeoutExpired:
                said = "it did not end"
            else:
                if done.returncode == 0:
                    return
                said = done.stderr[-400:]
            self._pause.wait(BETWEEN_SECONDS)
        raise RuntimeError(f"uptake reprice did not succeed in {TRIES} tries: {said}")
