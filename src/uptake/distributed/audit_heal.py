"""Healing: exactly the offsets that are wrong are read again, through the pipeline, and what came of it is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from uptake.distributed.audit_log import Log, Place
from uptake.distributed.audit_report import Cause, Hole
from uptake.distributed.audit_store import AuditStore, oldest
from uptake.distributed.feed import Feeder
from uptake.distributed.reread import Reader
from uptake.processors.audit import Expected, Span, holes, spans, split
from uptake.schemas.batch import Batch, Receipt, RejectionReason


@dataclass(slots=True)
class Mended:
    """What became of one partition's holes, and how many short records lacked nothing after all. `elsewhere` are the
    records whose missing events are known under another one, or quarantined: of them nothing more is asked.
    `strangers` are short records of tenants without a workspace here, which stay as they are."""

    holes: list[Hole] = field(default_factory=list)
    settled: int = 0
    elsewhere: list[int] = field(default_factory=list)
    strangers: int = 0


class Healer:
    """`ours` says whether a tenant has a workspace here. The events of one that has none would all be refused, so its
    short records are left alone, and said to be unhealed."""

    def __init__(
        self,
        log: Log,
        store: AuditStore,
        reader: Callable[[], Reader],
        feeder: Feeder,
        ours: Callable[[str], bool],
    ) -> None:
        self._log = log
        self._store = store
        self._reader = reader
        self._feeder = feeder
        self._ours = ours

    def heal(self, place: Place, missing: Sequence[Span], short: Mapping[int, Expected]) -> Mended:
        """Read `missing` offsets and `short` records of a partition again. Raises UnavailableError."""
        if not missing and not short:
            return Mended()
        if short:
            # Reading again asks what is known under an id, and must hear of the row that counts.
            self._store.break_ties(place, list(short), oldest(short.values()))
        receipts: dict[int, Receipt | None] = {}
        mended = Mended()
        with self._reader() as reader:
            wanted = sorted([*missing, *spans(short)])
            for batch, outcome in self._feeder.feed(self._records(reader, place, wanted, short, mended)):
                if batch.position is not None:
                    receipts[batch.position.offset] = outcome if isinstance(outcome, Receipt) else None
        start = self._log.states([place])[place].start
        for span in missing:
            mended.holes += self._covered(place, span, receipts, start)
        for offset, expected in short.items():
            self._compared(place, offset, expected, receipts, start, mended)
        if mended.elsewhere:
            self._store.settle(place, mended.elsewhere)
        return mended

    def _covered(
        self, place: Place, span: Span, receipts: Mapping[int, Receipt | None], start: int
    ) -> list[Hole]:
        """What a stretch that nobody had processed is now. Where the log holds nothing, nothing was missing."""
        came = [offset for offset in receipts if span.first <= offset < span.after]
        gone, _ = split(holes(span, spans(came)), start)
        found = [Hole.at(place, lost, Cause.LOST) for lost in gone]
        if came:
            told = [receipt for offset in came if (receipt := receipts[offset]) is not None]
            conflicts = sum(
                r.reason is RejectionReason.CONFLICT for receipt in told for r in receipt.rejections
            )
            # Asked, not assumed: healed is what the database now says it is.
            healed = not holes(span, [*self._store.covered(place, span), *holes(span, spans(came))])
            hole = Hole.at(place, span, Cause.UNPROCESSED)
            found.append(hole.turned_out(healed, sum(receipt.accepted for receipt in told), conflicts))
        return found

    def _compared(
        self,
        place: Place,
        offset: int,
        expected: Expected,
        receipts: Mapping[int, Receipt | None],
        start: int,
        mended: Mended,
    ) -> None:
        """What a record that lacked events was lacking."""
        span = Span(offset, offset + 1)
        receipt = receipts.get(offset)
        if receipt is None:
            cause = Cause.LOST if offset < start else Cause.SHORT
            mended.holes.append(Hole.at(place, span, cause))
            return
        if not receipt.accepted:
            mended.elsewhere.append(offset)
        quarantined = max(0, len(receipt.rejections) - expected.rejected)
        if receipt.accepted or quarantined:
            hole = Hole.at(place, span, Cause.SHORT)
            mended.holes.append(hole.turned_out(True, receipt.accepted, quarantined))
        else:
            mended.settled += 1

    def _records(
        self,
        reader: Reader,
        place: Place,
        wanted: Sequence[Span],
        short: Mapping[int, Expected],
        mended: Mended,
    ) -> Iterator[Batch]:
        for records in reader.read(place, wanted):
            for batch in records:
                was_counted = batch.position is not None and batch.position.offset in short
                if was_counted and not self._ours(batch.tenant):
                    mended.strangers += 1
                else:
                    yield batch
