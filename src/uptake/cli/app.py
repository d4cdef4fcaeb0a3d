"""The `uptake` application: global options, the commands, and how every error leaves."""

from __future__ import annotations

import os
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from uptake.cli.explain import explained
from uptake.cli.output import err, print_error
from uptake.errors import UsageError
from uptake.home import Home
from uptake.settings import Settings

app = typer.Typer(
    name="uptake",
    help="Whether your LLM apps are adopted, trusted, affordable and allowed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"uptake {metadata.version('uptake')}")
        raise typer.Exit


@app.callback()
def settings_from_options(
    context: typer.Context,
    workspace: Annotated[
        Path | None, typer.Option(help="directory of the workspace's files [UPTAKE_WORKSPACE, ./workspace]")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="directory of database and state [UPTAKE_DATA, ./.uptake]")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="show it")
    ] = False,
) -> None:
    given = {name: value for name, value in (("workspace", workspace), ("data", data)) if value is not None}
    context.obj = given


def open_home(context: typer.Context) -> Home:
    """The installation that the options and the environment describe; it is closed when the command ends."""
    home = Home(read_settings(**context.obj))
    context.call_on_close(home.close)
    return home


def read_settings(**given: Path | int) -> Settings:
    """Settings from options, environment and `.env`, each error named by its variable."""
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "UPTAKE_" + "_".join(str(part) for part in first["loc"]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{name}: {reason}", "see docs/operations.md for all settings") from None


def run(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code. Errors are one line and a hint, never a traceback."""
    from uptake import logs
    from uptake.cli import (  # noqa: F401 - they register their commands
        activity,
        alerts,
        backup,
        data,
        digest,
        doctor,
        export,
        kpi,
        letters,
        log,
        replay,
        reprice,
        roster,
        run_gateway,
        run_scheduler,
        run_worker,
        serve,
        targets,
        workspace,
    )

    logs.configure("WARNING", as_json=False)
    try:
        result = app(arguments, standalone_mode=False)
    except typer.TyperException as error:
        said = error.format_message()
        if said:  # a group that was called without a command has shown its help instead
            print_error(UsageError(said.rstrip("."), "uptake --help, or --help after a command"))
        return 2
    except (typer.Abort, KeyboardInterrupt):
        err.print("stopped")
        return 130
    except typer.Exit as ended:
        return ended.exit_code
    except BrokenPipeError:
        # Whoever read the output has enough. What is still buffered must not raise at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # noqa: BLE001 - the last place: what is not expected is named, without its values
        said_as = explained(error)
        print_error(said_as)
        return said_as.exit_code
    return result if isinstance(result, int) else 0
