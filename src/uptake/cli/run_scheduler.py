"""`uptake scheduler`: alerts, audit and activity of the distributed mode."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from uptake.cli.app import app, read_settings
from uptake.cli.output import err

if TYPE_CHECKING:
    from uptake.distributed.scheduler import SchedulerService


@app.command()
def scheduler(
    context: typer.Context,
    port: Annotated[
        int | None,
        typer.Option(help="port of health and metrics; 0 picks a free one [UPTAKE_WORKER_PORT, 9108]"),
    ] = None,
) -> None:
    """Run alerts, the audit of the log and activity. Start two, and one waits until the other is gone. Ctrl-C stops it
    in order."""
    from uptake.distributed.scheduler import SchedulerService
    from uptake.logs import configure

    given = dict(context.obj) if port is None else {**context.obj, "worker_port": port}
    settings = read_settings(**given)
    configure(settings.log_level, as_json=not sys.stderr.isatty())
    service = SchedulerService(settings, stream=sys.stdout)
    try:
        service.start()
        service.run_until_signal(announce=lambda: _announce(service))
        err.print("stopping: finishing what runs")
    finally:
        service.stop()


def _announce(service: SchedulerService) -> None:
    err.print(f"the scheduler is up; health and metrics at {service.base_url}", markup=False)
    if service.home.settings.slack_token is None:
        where = service.home.settings.outbox_path
        err.print(f"no Slack token: messages go to {where} and to this terminal", markup=False)
