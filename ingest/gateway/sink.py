"""What the gateway hands batches to, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Protocol

from uptake.schemas.batch import Batch, MalformedBatch, Receipt, StoreUnavailable

Outcome = Receipt | MalformedBatch | StoreUnavailable

Process = Callable[[Sequence[Batch]], "list[Outcome]"]
"""Makes batches durable: one outcome for each, in their order. Raises StoreUnavailable when it cannot now;
nothing is then acknowledged. Must stand being given the same events again."""


class NotTaken(RuntimeError):  # noqa: N818 - named for what it is
    """The sink refuses a batch before holding it: there is no room, or it is stopping."""


class Sink(Protocol):
    """Takes batches and says, for each, when it is durable."""

    def submit(self, batch: Batch) -> Future[Outcome]:
        """Never waits. Raises NotTaken. The future's exceptions: StoreUnavailable, or a bug's own."""
        ...

    def waiting(self) -> int:
        """About how many events are taken and not yet durable."""
        ...
