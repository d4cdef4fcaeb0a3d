"""`uptake worker`: from Kafka into ClickHouse."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from uptake.cli.app import app, read_settings
from uptake.cli.output import err

if TYPE_CHECKING:
    from uptake.distributed.worker import WorkerService


@app.command()
def worker(
    context: typer.Context,
    port: Annotated[
        int | None,
        typer.Option(help="port of health and metrics; 0 picks a free one [UPTAKE_WORKER_PORT, 9108]"),
    ] = None,
) -> None:
    """Run a worker that brings events from Kafka into ClickHouse; start as many as you want. Ctrl-C stops it in order.

    Exit codes: 0 asked to stop; 2 to 4 could not start (the message says why); 70 a bug, 71 it was stuck, 72 it did
    not stop in time. After 70 to 72 a supervisor starts it again and nothing is lost.
    """
    from uptake.distributed.worker import WorkerService
    from uptake.logs import configure

    given = dict(context.obj) if port is None else {**context.obj, "worker_port": port}
    settings = read_settings(**given)
    configure(settings.log_level, as_json=not sys.stderr.isatty())
    service = WorkerService(settings)
    try:
        service.start()
        code = service.run(announce=lambda: _announce(service))
        err.print("stopped: what was in hand is in the database, the rest is in the log")
    finally:
        service.stop()
    sys.stderr.flush()
    if code:
        os._exit(code)  # a thread may hang in the very thing that broke, and exiting in order waits for it
    raise typer.Exit(code)


def _announce(service: WorkerService) -> None:
    settings = service.home.settings
    err.print(
        f"a worker of group {settings.consumer_group} is up: {settings.kafka} to ClickHouse; "
        f"health and metrics at {service.base_url}",
        markup=False,
        soft_wrap=True,
    )
