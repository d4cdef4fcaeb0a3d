"""`uptake gateway`: events over HTTP into Kafka."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from uptake.cli.app import app, read_settings
from uptake.cli.output import err

if TYPE_CHECKING:
    from uptake.distributed.gateway import GatewayService


@app.command()
def gateway(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option(help="port to listen on; 0 picks a free one [UPTAKE_PORT, 8088]")
    ] = None,
) -> None:
    """Run a gateway that appends events to Kafka; start as many as you want. Ctrl-C stops it in order."""
    from uptake.distributed.gateway import GatewayService
    from uptake.logs import configure

    given = dict(context.obj) if port is None else {**context.obj, "port": port}
    settings = read_settings(**given)
    configure(settings.log_level, as_json=not sys.stderr.isatty())
    service = GatewayService(settings)
    try:
        service.start()
        service.gateway.run_until_signal(announce=lambda: _announce(service))
        err.print("stopping: finishing what was accepted")
    finally:
        service.stop()


def _announce(service: GatewayService) -> None:
    err.print(f"the gateway is up at {service.base_url}", markup=False)
    log = service.readiness()["kafka"]
    if log != "ok":
        err.print(f"events are answered 503 for now: Kafka: {log}", markup=False)
    if not any(key.revoked_at is None for key in service.home.keys.list()):
        err.print("no app can send yet: uptake keys create --name my-app", markup=False)
