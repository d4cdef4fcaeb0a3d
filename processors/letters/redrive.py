"""Sending what was refused through the pipeline again, as it was or as somebody mended it.

In this order, batch by batch: 1. send, 2. mark the letters of which something became. Stopping anywhere and starting
again is harmless: what is sent twice has ids. What is refused again unchanged waits again, with its new reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from uptake.clock import Clock
from uptake.processors.letters.box import LetterBox, Row
from uptake.schemas.batch import Batch, MalformedBatch, Receipt, RejectionReason
from uptake.schemas.letters import is_whole

SOURCE = "redrive"
MAX_EVENTS = 500
MAX_BYTES = 512 * 1024

Send = Callable[[Batch], Receipt]
"""Makes a batch durable. Raises MalformedBatch, or StoreUnavailable, after which sending again is safe."""

CUT = "only its beginning was kept, or it was no text: mend it in a file (show --ndjson, redrive --file)"
_WHOLE_RECORDS = (RejectionReason.MALFORMED, RejectionReason.UNREADABLE)


class Mended(NamedTuple):
    """A letter and what is sent for it: events as JSON texts. None: its payload, as it was refused."""

    letter: Row
    events: list[bytes] | None = None


class Refused(NamedTuple):
    """What was refused again, or could not be sent, and why. Never what it is."""

    letter_id: int
    reason: str
    detail: str


@dataclass
class RedriveReport:
    """`sent` letters of which something became, and their events: in distributed mode duplicates are not known, and
    what only the workers find wrong comes back as a letter."""

    letters: int = 0
    sent: int = 0
    accepted: int = 0
    duplicates: int = 0
    refused: list[Refused] = field(default_factory=list)


class _Parcel(NamedTuple):
    """One batch: its body, and the place of each letter in it as (letter, index of its first event, events)."""

    body: bytes
    places: list[tuple[Mended, int, int]]


def redrive(
    box: LetterBox,
    letters: Iterable[Mended],
    send: Send,
    clock: Clock,
    into: str = "",
    progress: Callable[[RedriveReport], None] = lambda report: None,
) -> RedriveReport:
    """Send letters of `box` again, for the tenant `into` (default: the one whose they are). Raises StoreUnavailable;
    what was sent before it is marked."""
    tenant = into or box.tenant
    if not tenant:
        raise ValueError("letters of nobody are sent for a tenant")
    report = RedriveReport()
    for parcel in _parcels(letters, report):
        batch = Batch(tenant, parcel.body, clock.now(), SOURCE)
        try:
            receipt = send(batch)  # 1
        except MalformedBatch as why:
            for mended, _, _ in parcel.places:
                report.refused.append(Refused(mended.letter["letter_id"], "malformed", str(why)))
        else:
            done = _settle(report, parcel, receipt)
            if done:
                box.mark([mended.letter for mended in done], clock.now())  # 2
            report.sent += len(done)
        progress(report)
    return report


def _parcels(letters: Iterable[Mended], report: RedriveReport) -> Iterator[_Parcel]:
    """Letters in as few batches as may be. Whole records travel alone, because they may harm whatever is around."""
    events: list[bytes] = []
    places: list[tuple[Mended, int, int]] = []
    size = 0
    for mended in letters:
        report.letters += 1
        letter, own = mended
        if own is None:
            if not is_whole(letter["tenant"], letter["letter_id"], letter["payload"]):
                report.refused.append(Refused(letter["letter_id"], letter["reason"], CUT))
                continue
            payload = letter["payload"].encode()
            if letter["reason"] in _WHOLE_RECORDS:
                yield _Parcel(payload, [(mended, 0, MAX_EVENTS)])
                continue
            own = [payload]
        grown = size + sum(map(len, own))
        if events and (len(events) + len(own) > MAX_EVENTS or grown > MAX_BYTES):
            yield _Parcel(_array(events), places)
            events, places, grown = [], [], grown - size
        places.append((mended, len(events), len(own)))
        events += own
        size = grown
    if events:
        yield _Parcel(_array(events), places)


def _array(events: list[bytes]) -> bytes:
    return b"[" + b",".join(events) + b"]"


def _settle(report: RedriveReport, parcel: _Parcel, receipt: Receipt) -> list[Mended]:
    """Count what became of a batch, and find the letters that are dealt with: not one that was refused again as it
    was, which waits on."""
    report.accepted += receipt.accepted
    report.duplicates += receipt.duplicates
    done = []
    for mended, start, length in parcel.places:
        again = [r for r in receipt.rejections if start <= r.index < start + length]
        for rejection in again:
            said = f"{rejection.path.partition(']')[2]} {rejection.detail}".strip(" .")
            report.refused.append(Refused(mended.letter["letter_id"], rejection.reason.value, said))
        if not again or mended.events is not None:
            done.append(mended)
    return done
