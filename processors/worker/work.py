"""What becomes of a take, in two steps: deciding, which takes the processor, and writing, which waits for the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from uptake.processors.worker.acks import Place
from uptake.processors.worker.gather import Fetched


@dataclass(frozen=True, slots=True)
class Decided:
    """A take that only needs to be written: `plan` is the work's own. `stops` are partitions that must stop, each at
    the offset of its first record that is not in the plan."""

    plan: Any
    records: Sequence[Fetched]
    events: int
    stops: Mapping[Place, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """What a take came to: events by outcome, refused ones by reason."""

    accepted: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


class Work(Protocol):
    def decide(self, records: Sequence[Fetched]) -> Decided:
        """Takes the processor, and the store only for what it must know first. Raises as `write` does."""
        ...

    def write(self, decided: Decided) -> Done:
        """Returns when all of it is durable. Raises StoreUnavailable, and is then called again with the same; anything
        else is a bug."""
        ...
