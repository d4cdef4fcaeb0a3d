"""From a file to durable events, in batches, with an answer for every row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from uptake.clock import Clock
from uptake.errors import UnavailableError, UsageError
from uptake.ingest.importer.convert import BadRow, Converter, NothingSaid
from uptake.ingest.importer.mapping import RAW, Plan, faults, read_plan
from uptake.ingest.importer.readers import records
from uptake.ingest.importer.report import ImportReport, Progress, Rejected, Send
from uptake.ingest.importer.times import NoZone
from uptake.schemas.batch import MAX_BATCH_EVENTS, Batch, Receipt, RejectionReason, StoreUnavailable
from uptake.schemas.codec import encode_batch
from uptake.schemas.pseudonym import MIN_KEY_LENGTH

SOURCE = "import"
_CONFLICT = (
    "a row with this identity was imported with other content; was the map changed, or does it need `source`?"
)


def import_file(
    path: Path,
    kind: str,
    mapping: Path,
    send: Send,
    tenant: str,
    clock: Clock,
    progress: Callable[[Progress], None] | None = None,
    *,
    pseudonym_key: str | None = None,
) -> ImportReport:
    """Bring the rows of a CSV, NDJSON or Parquet file in as `kind` (usage, feedback or cost) by the map `mapping`.

    1. The map is read and compared with the file's columns: UsageError, before anything is sent.
    2. Rows become events with ids derived from what they say (or from the map's `id` columns) and their time.
    3. Each 500 events are sent; a batch is durable when `send` returns.
    4. Rows that were refused, here or there, are reported with their lines; the others are in.

    Stopping anywhere and starting again is harmless. Raises UnavailableError when the store cannot take a batch;
    what was sent before stays in.
    """
    plan = read_plan(mapping, kind)
    _needs_key(plan, pseudonym_key)
    report = ImportReport()
    total = path.stat().st_size if path.is_file() else 0
    for chunk in _chunks(path, plan, pseudonym_key, report):
        if chunk.events:
            batch = Batch(tenant, encode_batch(chunk.events), clock.now(), SOURCE)
            _settle(report, chunk, plan, _sent(send, batch, path.name, chunk.lines[0]))
        if progress is not None:
            progress(Progress(report.rows, min(chunk.bytes_done, total), total))
    report.rejected.sort(key=lambda rejected: rejected.line)
    return report


@dataclass
class _Chunk:
    """Events that travel together, and the line of each."""

    events: list[dict[str, object]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    bytes_done: int = 0


def _chunks(path: Path, plan: Plan, key: str | None, report: ImportReport) -> Iterator[_Chunk]:
    """The file in chunks; the last one may be empty. Rows that make no event are counted in the report."""
    converter = Converter(plan, key)
    chunk = _Chunk()
    for record in records(path, plan):
        report.rows += 1
        chunk.bytes_done = record.bytes_done
        if record.fault:
            report.rejected.append(Rejected(record.line, RejectionReason.INVALID, "", record.fault))
            continue
        try:
            chunk.events.append(converter.event(record.cells))
        except NothingSaid:
            report.skipped += 1
            continue
        except NoZone:
            raise _no_zone(plan, path.name, record.line) from None
        except BadRow as bad:
            report.rejected.append(_rejected(plan, record.line, RejectionReason.INVALID, bad.path, str(bad)))
            continue
        chunk.lines.append(record.line)
        if len(chunk.events) == MAX_BATCH_EVENTS:
            yield chunk
            chunk = _Chunk(bytes_done=chunk.bytes_done)
    yield chunk


def _sent(send: Send, batch: Batch, file: str, line: int) -> Receipt:
    try:
        return send(batch)
    except StoreUnavailable as error:
        raise UnavailableError(
            f"the rows of {file} from line {line} on could not be made durable: {error}",
            "import the file again: what is in already does not change",
        ) from error


def _settle(report: ImportReport, chunk: _Chunk, plan: Plan, receipt: Receipt) -> None:
    """Count the answer for a chunk, and find the line of each refusal."""
    report.accepted += receipt.accepted
    report.duplicates += receipt.duplicates
    for rejection in receipt.rejections:
        line = chunk.lines[rejection.index]
        # The codec writes the event's place before the field: `[3].input_tokens`.
        path = (
            rejection.path.partition("]")[2].lstrip(".") if rejection.path.startswith("[") else rejection.path
        )
        detail = rejection.detail
        if rejection.reason == RejectionReason.CONFLICT:
            detail = f"{detail}; {_CONFLICT}" if detail else _CONFLICT
        report.rejected.append(_rejected(plan, line, rejection.reason, path, detail))


def _rejected(plan: Plan, line: int, reason: str, path: str, detail: str) -> Rejected:
    column = plan.column_of(path)
    return Rejected(line, reason, path, f'{detail} (column "{column}")' if column else detail)


def _needs_key(plan: Plan, key: str | None) -> None:
    for name in RAW:
        if name in plan.mapping.columns and len(key or "") < MIN_KEY_LENGTH:
            reason = f"{name!r} holds identities and there is no pseudonym key of {MIN_KEY_LENGTH} characters or more"
            hint = f"set UPTAKE_PSEUDONYM_KEY, or map a column of pseudonyms as {RAW[name]}"
            raise faults([plan.document.problem(("columns", name), reason, hint)])


def _no_zone(plan: Plan, file: str, line: int) -> UsageError:
    column = plan.column_of("occurred_at")
    reason = f'the time in column "{column}" has no zone ({file}, line {line})'
    hint = "add `zone: UTC`, or the zone whose wall clock it is, such as `zone: Europe/Paris`"
    return faults([plan.document.problem(("columns", "occurred_at"), reason, hint)])
