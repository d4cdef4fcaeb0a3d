"""`uptake backup` and `uptake restore`: what cannot be computed again, as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from uptake.cli.app import app, open_home
from uptake.cli.output import Json, err, out, print_json

if TYPE_CHECKING:
    from uptake.sql.backup import BackupFile


@app.command("backup")
def make(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="where to; empty or not there", file_okay=False)],
    as_json: Json = False,
) -> None:
    """Write all events, dead letters, rosters and SDK reports to files. The state store and `key.pepper` in
    UPTAKE_DATA are files already: copy them beside."""
    from uptake.sql.backup import backup

    home = open_home(context)
    with _bar(as_json) as bar:
        task = bar.add_task("reading", total=None)
        written = backup(
            home.database,
            directory,
            lambda table, done, total: bar.update(task, description=table, completed=done, total=total),
        )
    _print(written, directory, "backed up to", as_json)


@app.command("restore")
def bring_back(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="made by `uptake backup`", exists=True, file_okay=False)],
    as_json: Json = False,
) -> None:
    """Write a backup into the database that the settings name, beside what is there. Twice changes nothing."""
    from uptake.sql.backup import restore

    home = open_home(context)
    with _bar(as_json) as bar:
        task = bar.add_task("writing", total=None)
        restored = restore(
            home.database,
            directory,
            lambda table, done, total: bar.update(task, description=table, completed=done, total=total),
        )
    _print(restored, directory, "restored from", as_json)


def _bar(hidden: bool) -> Bar:
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=hidden,
    )


def _print(done: Sequence[BackupFile], directory: Path, what: str, as_json: bool) -> None:
    if as_json:
        print_json([asdict(file) for file in done])
        return
    rows = sum(file.rows for file in done)
    out.print(f"{rows:,} rows in {len(done)} files {what} {directory}", markup=False)
