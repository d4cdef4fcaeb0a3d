"""`uptake init`, `uptake workspace check`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uptake.cli.app import app, open_home
from uptake.cli.output import Json, out, print_json
from uptake.errors import UsageError, WorkspaceError

commands = typer.Typer(help="The workspace: configuration as code.", no_args_is_help=True)
app.add_typer(commands, name="workspace")


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="where to write it")] = Path("workspace"),
    force: Annotated[bool, typer.Option("--force", help="overwrite files that are there")] = False,
) -> None:
    """Write a commented starter workspace."""
    from uptake.workspace.starter import init as write_starter

    for file in write_starter(directory, force=force):
        out.print(f"wrote {file}", markup=False)
    out.print(
        f"\nNext: edit {directory}/organisation.yaml and roster.csv, set UPTAKE_PSEUDONYM_KEY (16 characters or "
        f"more,\nthe same in the service and in the apps), then `uptake workspace check {directory}` and `uptake up`.",
        markup=False,
    )


@commands.command()
def check(
    context: typer.Context,
    directory: Annotated[
        Path | None, typer.Argument(help="the workspace [UPTAKE_WORKSPACE, ./workspace]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Name every error and warning of a workspace with file, line and reason."""
    from uptake.workspace.check import check as find_problems

    home = open_home(context)
    where = directory or home.settings.workspace
    if not where.is_dir():
        raise UsageError(f"there is no directory {where}", f"`uptake init {where}` writes a starter there")
    problems = find_problems(where, home.pseudonym_key)
    if as_json:
        print_json(problems)
    else:
        for problem in problems:
            place = f"{problem.file}:{problem.line}" if problem.line else problem.file
            kind = "warning: " if problem.severity == "warning" else ""
            out.print(f"{place}: {kind}{problem.reason}", markup=False)
            if problem.hint:
                out.print(f"    hint: {problem.hint}", markup=False)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise WorkspaceError(
            f"{where} has {len(errors)} {'error' if len(errors) == 1 else 'errors'}",
            "mend them and check again",
        )
    if not as_json:
        out.print(f"{where} is in order", markup=False)
