"""Replay: what the log took between two moments, through the same pipeline once more, outside of any group.

What is right stays as it is: an event that is stored is a duplicate, and one that is not is written as it would have
been the first time. Offsets that come in after the start are the workers' business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from uptake.distributed.audit_log import Log, Place
from uptake.distributed.feed import Feeder
from uptake.distributed.reread import Reader
from uptake.errors import UsageError
from uptake.processors.audit import LogState, Span
from uptake.schemas.batch import Batch, MalformedBatch, Receipt, UnreadableRecord
from uptake.schemas.records import EVENT_TOPICS, Topic, topic_name, topic_of
from uptake.settings import Settings

Ours = Callable[[str], bool]
"""Whether a tenant has a workspace here. The pipeline would make dead letters of the others' events, right as they may
be in the database."""

Say = Callable[["ReplayReport", int], None]
"""Told after each batch: the report so far, and how many records it will be in the end (at most)."""


@dataclass(slots=True)
class ReplayReport:
    """What was read and what became of it. `records` counts those of the tenant that was asked for, `passed` those of
    others, `strangers` those of tenants without a workspace here, which stay as they are; `events` are `written +
    duplicates + rejected`; `malformed` records held no batch; `missing` offsets held nothing, or were deleted while
    this ran."""

    records: int = 0
    passed: int = 0
    strangers: int = 0
    events: int = 0
    written: int = 0
    duplicates: int = 0
    rejected: int = 0
    malformed: int = 0
    missing: int = 0

    def takes(self, batch: Batch, tenant: str | None, ours: Ours) -> bool:
        """Whether the record is to be read; counts it."""
        if tenant is not None and batch.tenant != tenant:
            self.passed += 1
        elif batch.tenant and not ours(batch.tenant):
            self.strangers += 1
        else:
            self.records += 1
            return True
        return False

    def count(self, outcome: object) -> None:
        if isinstance(outcome, Receipt):
            self.written += outcome.accepted
            self.duplicates += outcome.duplicates
            self.rejected += len(outcome.rejections)
            self.events = self.written + self.duplicates + self.rejected
        elif isinstance(outcome, MalformedBatch):
            self.malformed += 1
        else:
            raise RuntimeError("a record of the log has an outcome that cannot be acknowledged")


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """The offsets to read by partition, as they were when the log was asked."""

    spans: Mapping[Place, Span]

    @property
    def records(self) -> int:
        return sum(span.length for span in self.spans.values())

    def rows(self) -> list[dict[str, Any]]:
        return [{**place._asdict(), **span._asdict()} for place, span in self.spans.items()]


def topic_named(text: str, settings: Settings) -> str:
    """The full name of a topic of events that is called by its kind or by its name. Raises UsageError."""
    kinds = [topic.value for topic in EVENT_TOPICS]
    try:
        topic = Topic(text) if text in kinds else topic_of(text, settings.topic_prefix)
    except ValueError:
        topic = None
    if topic not in EVENT_TOPICS:
        raise UsageError(f"{text!r} is no topic of events", f"one of: {', '.join(kinds)}")
    return topic_name(topic, settings.topic_prefix)


def plan(log: Log, topics: Sequence[str], start: datetime, end: datetime) -> ReplayPlan:
    """What the log took from `start` until before `end`, as far as it still holds it and no further than it reaches
    now. Raises UsageError, UnavailableError."""
    if start >= end:
        raise UsageError(
            "the time that --from names is not before that of --to", "it takes two moments in order"
        )
    places = log.partitions(topics)
    states = log.states(places)
    firsts, afters = (log.offsets_at(dict.fromkeys(places, moment)) for moment in (start, end))
    return ReplayPlan({place: _within(states[place], firsts[place], afters[place]) for place in places})


def replay(
    plan: ReplayPlan,
    reader: Reader,
    feeder: Feeder,
    tenant: str | None = None,
    say: Say = lambda report, whole: None,
    ours: Ours = lambda tenant: True,
) -> ReplayReport:
    """Read what is planned and feed it to the pipeline, only one tenant's records where that is asked for. Raises
    UnavailableError; what was read until then is done, and doing all of it again is safe."""
    report = ReplayReport()
    for place, span in plan.spans.items():
        came = 0

        def counted(batches: Iterable[Batch]) -> Iterator[Batch]:
            nonlocal came
            for batch in batches:
                came += 1
                if report.takes(batch, tenant, ours):
                    yield batch

        read = (batch for group in reader.read(place, [span]) for batch in group)
        for _, outcome in feeder.feed(counted(read)):
            report.count(outcome)
            say(report, plan.records)
        report.missing += span.length - came
    return report


def preview(
    plan: ReplayPlan,
    reader: Reader,
    tenant: str | None,
    say: Say = lambda report, whole: None,
    ours: Ours = lambda tenant: True,
) -> ReplayReport:
    """What `replay` would read: records, and about how many events. Changes nothing."""
    report = ReplayReport()
    for place, span in plan.spans.items():
        came = 0
        for group in reader.read(place, [span]):
            for batch in group:
                came += 1
                if not report.takes(batch, tenant, ours):
                    continue
                report.malformed += isinstance(batch, UnreadableRecord)
                report.events += batch.body.count(b'"event_id"')
            say(report, plan.records)
        report.missing += span.length - came
    return report


def _within(state: LogState, first: int, after: int) -> Span:
    """The stretch between two moments' offsets, inside of what the log holds."""
    first = min(max(first, state.start), state.end)
    return Span(first, max(first, min(after, state.end)))
