"""`uptake up` and `uptake demo`: the service itself, and thirteen weeks of it at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from uptake.cli.app import app, read_settings
from uptake.cli.output import err, out
from uptake.errors import UsageError

if TYPE_CHECKING:
    from uptake.service import Service
    from uptake.settings import Settings


@app.command()
def up(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(help="port of the gateway; 0 picks a free one [UPTAKE_PORT, 8088]")
    ] = None,
) -> None:
    """Run everything in one process: gateway, pipeline, database and scheduler. Ctrl-C stops it in order."""
    from uptake.logs import configure
    from uptake.service import Service

    given = dict(context.obj) if port is None else {**context.obj, "port": port}
    settings = read_settings(**given)
    if settings.kafka:
        raise UsageError(
            "`uptake up` is everything in one process, without a log, and UPTAKE_KAFKA names one",
            "run `uptake gateway`, `uptake worker` and `uptake scheduler`, or leave UPTAKE_KAFKA empty",
        )
    configure(settings.log_level, as_json=not sys.stderr.isatty())
    service = Service(settings, schedule=True, stream=sys.stdout)
    try:
        service.start()
        service.gateway.run_until_signal(announce=lambda: _announce(service, settings))
        err.print("stopping: finishing what was accepted")
    finally:
        service.stop()


def _announce(service: Service, settings: Settings) -> None:
    tenants = ", ".join(sorted(service.workspaces.refresh()))
    err.print(f"uptake is up at {service.base_url} for {tenants}", markup=False)
    if not any(key.revoked_at is None for key in service.home.keys.list()):
        err.print("no app can send yet: uptake keys create --name my-app", markup=False)
    if settings.slack_token is None:
        err.print(f"no Slack token: messages go to {settings.outbox_path} and to this terminal", markup=False)


@app.command()
def demo(
    directory: Annotated[Path, typer.Argument(help="where the demo lives")] = Path("demo-out"),
    seed: Annotated[int | None, typer.Option(help="another organisation of the same kind")] = None,
) -> None:
    """Thirteen weeks of a synthetic insurer through the real parts: digests, budget alerts, a finding."""
    from uptake.demo.facts import DEFAULT_SEED
    from uptake.demo.run import run_demo

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} events"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
    ) as progress:
        task = progress.add_task("starting", total=1)
        run_demo(
            directory,
            DEFAULT_SEED if seed is None else seed,
            echo=lambda said: out.print(said, markup=False),
            progress=lambda done, whole, where: progress.update(
                task, completed=done, total=whole, description=where
            ),
            colour=out.is_terminal,
        )
