"""Files as streams of rows, each with its line: CSV, NDJSON and Parquet, never whole in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from uptake.errors import UsageError
from uptake.ingest.importer.mapping import Mapping, Plan, check_columns
from uptake.table import Table, duplicates

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
}
MAX_LINE_BYTES = 1024 * 1024
_PARQUET_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Record:
    """One row: cells by column as the file types them, or why it cannot be read (`fault`).

    `bytes_done` is how much of the file was read when it came."""

    line: int
    cells: dict[str, object]
    fault: str = ""
    bytes_done: int = 0


def records(path: Path, plan: Plan) -> Iterator[Record]:
    """The rows of a file. Raises UsageError when it cannot be read or lacks a column that the map names.

    A name with dots also reaches into nested objects (``usage.input_tokens``) of NDJSON and Parquet."""
    mapping = plan.mapping
    form = mapping.format or FORMATS.get(path.suffix.lower())
    if form is None:
        raise UsageError(
            f"{path.name} does not say what it is by its ending",
            "add `format: csv`, ndjson or parquet to the map",
        )
    readers: dict[str, Callable[[Path, Plan], Iterator[Record]]] = {
        "csv": _csv,
        "ndjson": _ndjson,
        "parquet": _parquet,
    }
    try:
        yield from readers[form](path, plan)
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror or 'it is damaged'}") from error


class _Lines:
    """The lines of a binary file, and how many bytes of it they were."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.bytes_done = 0

    def __iter__(self) -> Iterator[bytes]:
        for line in self._file:
            self.bytes_done += len(line)
            yield line


def _csv(path: Path, plan: Plan) -> Iterator[Record]:
    mapping = plan.mapping
    with path.open("rb") as file:
        lines = _Lines(file)
        table = Table(lines, path.name, mapping.delimiter, mapping.encoding)
        if not table.columns:
            return  # an empty file has no rows, and nothing that could be wrong
        check_columns(plan, table.columns, path.name)
        for name in duplicates(table.columns):
            if name in plan.wanted():
                raise UsageError(
                    f'{path.name}, line {table.header_line}: column "{name}" is there twice',
                    "rename one of them",
                )
        for row in table:
            cells: dict[str, object] = (
                dict(zip(table.columns, row.cells, strict=True)) if not row.fault else {}
            )
            yield Record(row.line, cells, row.fault, lines.bytes_done)


def _ndjson(path: Path, plan: Plan) -> Iterator[Record]:
    _check_keys(path, plan)
    with path.open("rb") as file:
        lines = _Lines(file)
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            parsed = _object(line, number, plan.mapping)
            if isinstance(parsed, str):
                yield Record(number, {}, parsed, lines.bytes_done)
            else:
                yield Record(number, _reach(parsed, plan), "", lines.bytes_done)


def _object(line: bytes, number: int, mapping: Mapping) -> dict[str, Any] | str:
    """The object on a line, or what is wrong with the line."""
    if len(line) > MAX_LINE_BYTES:
        return f"is longer than {MAX_LINE_BYTES:,} bytes"
    if number == 1:
        line = line.removeprefix(b"\xef\xbb\xbf")
    try:
        parsed = json.loads(line.decode(mapping.encoding))
    except UnicodeDecodeError:
        return "holds bytes that are not text in this encoding; save the file as UTF-8"
    except (ValueError, RecursionError):
        return "is not JSON: each line is one object"
    return parsed if isinstance(parsed, dict) else "is not a JSON object"


def _check_keys(path: Path, plan: Plan) -> None:
    """NDJSON has no header: a mapped name must be in some row. Stops reading when all have been seen."""
    wanted, seen, empty = set(plan.wanted()), dict[str, None](), True
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            parsed = _object(line, number, plan.mapping) if line.strip() else ""
            if isinstance(parsed, dict):
                empty = False
                seen.update(dict.fromkeys(_reach(parsed, plan)))
            if wanted <= seen.keys():
                return
    if not empty:
        check_columns(plan, seen, path.name)


def _reach(row: dict[str, Any], plan: Plan) -> dict[str, object]:
    """The row, with the nested values that the map names by a path."""
    found: dict[str, object] = dict(row)
    for name in plan.wanted():
        if name in row or "." not in name:
            continue
        value: Any = row
        for part in name.split("."):
            value = value.get(part, _NOTHING) if isinstance(value, dict) else _NOTHING
        if value is not _NOTHING:
            found[name] = value
    return found


_NOTHING = object()


def _parquet(path: Path, plan: Plan) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            nested = [name for name in plan.wanted() if "." in name and _has(schema, name.split("."))]
            check_columns(plan, [*schema.names, *nested], path.name)
            coarse = pa.schema([field.with_type(_coarse(field.type)) for field in schema])
            size, total, number = path.stat().st_size, max(1, file.metadata.num_rows), 0
            for batch in file.iter_batches(batch_size=_PARQUET_ROWS):
                for row in pa.Table.from_batches([batch]).cast(coarse, safe=False).to_pylist():
                    number += 1
                    yield Record(number, _reach(row, plan), "", size * number // total)
    except pa.ArrowException as error:
        raise UsageError(f"{path.name} is not a Parquet file that can be read") from error


def _coarse(kind: Any) -> Any:
    """The same type with times to the microsecond: finer ones do not fit Python's, and the contract keeps
    milliseconds."""
    import pyarrow as pa

    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_struct(kind):
        return pa.struct(
            [kind.field(i).with_type(_coarse(kind.field(i).type)) for i in range(kind.num_fields)]
        )
    return kind


def _has(schema: Any, parts: list[str]) -> bool:
    import pyarrow as pa

    field = schema.field(parts[0]) if parts[0] in schema.names else None
    for part in parts[1:]:
        if field is None or not pa.types.is_struct(field.type) or field.type.get_field_index(part) < 0:
            return False
        field = field.type.field(part)
    return field is not None
