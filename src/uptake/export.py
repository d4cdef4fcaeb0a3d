"""Rows into a file: JSON lines, CSV or Parquet, page by page, whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, get_type_hints

import msgspec

Pages = Iterable[Sequence[msgspec.Struct]]


class Format(StrEnum):
    """How rows are written: JSON lines, CSV with a header, Apache Parquet with a row group a page."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


def write_rows(pages: Pages, shape: type[msgspec.Struct], format: Format, out: BinaryIO) -> None:
    """Write all rows, each an instance of `shape`, whose fields are the columns. One page is in memory at a time. The
    same pages give the same bytes."""
    _WRITERS[format](pages, shape, out)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` once it is whole, readable by its owner only; after an error nothing is
    left and what was at `path` stays."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _jsonl(pages: Pages, _shape: type[msgspec.Struct], out: BinaryIO) -> None:
    encoder = msgspec.json.Encoder()
    for page in pages:
        out.write(encoder.encode_lines(page))


def _csv(pages: Pages, shape: type[msgspec.Struct], out: BinaryIO) -> None:
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(shape.__struct_fields__)
        for page in pages:
            writer.writerows(map(_cell, msgspec.structs.astuple(row)) for row in page)
    finally:
        text.detach()  # `out` is its owner's to close


def _cell(value: Any) -> Any:
    """As `uptake import` reads cells: empty is not known, codes of a list stand with semicolons between them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ";".join(value)
    if isinstance(value, datetime):
        return msgspec.to_builtins(value)  # as in JSON
    return value


def _parquet(pages: Pages, shape: type[msgspec.Struct], out: BinaryIO) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    types: dict[Any, pa.DataType] = {
        str: pa.string(),
        float: pa.float64(),
        int: pa.int64(),
        bool: pa.bool_(),
        datetime: pa.timestamp("ms", "UTC"),
        list[str]: pa.list_(pa.string()),
    }
    types |= {kind | None: arrow for kind, arrow in types.items()}
    schema = pa.schema([(name, types[kind]) for name, kind in get_type_hints(shape).items()])
    with parquet.ParquetWriter(out, schema) as writer:
        for page in pages:
            writer.write_table(pa.Table.from_pylist([msgspec.structs.asdict(row) for row in page], schema))


_WRITERS: dict[Format, Callable[[Pages, type[msgspec.Struct], BinaryIO], None]] = {
    Format.JSONL: _jsonl,
    Format.CSV: _csv,
    Format.PARQUET: _parquet,
}
