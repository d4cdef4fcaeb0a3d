"""How commands speak: tables for people, `--json` for programs, one line of cause and one of remedy for errors."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from uptake.errors import UptakeError

# A file or a pipe has no width: what is cut to fit one is lost. Emoji codes in people's own names are no emoji.
_WIDE = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200
out = Console(soft_wrap=True, highlight=False, emoji=False, width=_WIDE)
err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)

Json = Annotated[bool, typer.Option("--json", help="print JSON for programs instead of text for people")]
Tenant = Annotated[
    str | None, typer.Option("--tenant", help="which tenant, where the workspace holds several")
]


def print_json(value: Any, *, err: bool = False) -> None:
    """One JSON document on standard output, or on standard error where that has something else."""
    typer.echo(json.dumps(value, default=_plain, indent=2, ensure_ascii=False), err=err)


def print_table(rows: Sequence[Mapping[str, Any]], columns: Iterable[str], empty: str) -> None:
    """Rows as a table with `columns` as headers, or the sentence `empty` where there are none."""
    if not rows:
        out.print(empty, markup=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = list(columns)
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if row.get(name) is None else str(row[name])) for name in names))
    out.print(table)


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Iterable[str], empty: str, as_json: bool) -> None:
    """A list, in whichever of the two forms was asked for."""
    if as_json:
        print_json(list(rows))
    else:
        print_table(rows, columns, empty)


def print_error(error: UptakeError) -> None:
    err.print(Text("error: ", style="bold red") + Text(error.message))
    if error.hint:
        err.print(Text("hint: ", style="bold") + Text(error.hint))


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
