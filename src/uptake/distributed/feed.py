"""Records that were read again, through the pipeline: in bounded groups, with patience for the database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from uptake.errors import UnavailableError
from uptake.processors.pipeline import Pipeline
from uptake.processors.prepared import Outcome
from uptake.schemas.batch import MAX_BATCH_EVENTS, Batch, StoreUnavailable

WAITS = (1.0, 2.0, 4.0, 8.0, 15.0)


class Feeder:
    """Feeds a pipeline. `waits` are the seconds before each further try while the database does not answer."""

    def __init__(
        self,
        pipeline: Pipeline,
        events: int,
        waits: Sequence[float] = WAITS,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        """`events` is about how many of them are written at once."""
        self._pipeline = pipeline
        self._events = events
        self._waits = waits
        self._wait = wait

    def feed(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Outcome]]:
        """Each batch with what became of it, once that is durable. Raises UnavailableError."""
        for group in groups(batches, self._events):
            yield from zip(group, self._process(group), strict=True)

    def _process(self, group: Sequence[Batch]) -> list[Outcome]:
        for seconds in self._waits:
            try:
                return self._pipeline.process(group)
            except StoreUnavailable:
                self._wait(seconds)
        try:
            return self._pipeline.process(group)
        except StoreUnavailable as failure:
            raise UnavailableError(
                f"the database does not take events: {failure}",
                "`uptake doctor` says more; doing it again is safe",
            ) from None


def groups(batches: Iterable[Batch], events: int) -> Iterator[list[Batch]]:
    """Batches in groups of about so many events, at least one a group."""
    group: list[Batch] = []
    held = 0
    for batch in batches:
        weight = min(MAX_BATCH_EVENTS, max(1, batch.body.count(b'"event_id"')))
        if group and held + weight > events:
            yield group
            group, held = [], 0
        group.append(batch)
        held += weight
    if group:
        yield group
