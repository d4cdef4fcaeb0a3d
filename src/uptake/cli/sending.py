"""Where commands send batches to: the pipeline in this process, or the log that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from uptake.schemas.batch import Batch, Receipt

CLIENT_ID = "uptake-command"

if TYPE_CHECKING:
    from uptake.home import Home
    from uptake.ingest.gateway.sink import Process


def sender(context: typer.Context, home: Home) -> Callable[[Batch], Receipt]:
    """What makes one batch durable, and lasts as long as the command. Raises MalformedBatch and StoreUnavailable."""
    process = _log_process(context, home) if home.settings.kafka else _pipeline_process(home)

    def send(batch: Batch) -> Receipt:
        [outcome] = process([batch])
        if not isinstance(outcome, Receipt):
            raise outcome
        return outcome

    return send


def _pipeline_process(home: Home) -> Process:
    from uptake.processors.pipeline import Pipeline

    return Pipeline(home.workspaces.get, home.database, home.clock).process


def _log_process(context: typer.Context, home: Home) -> Process:
    from uptake import kafka
    from uptake.distributed.appending import log_writer

    kafka.check(home.settings)
    writer = log_writer(home.settings, CLIENT_ID)
    context.call_on_close(writer.close)
    return writer.process
