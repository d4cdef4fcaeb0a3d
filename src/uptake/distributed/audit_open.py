"""The audit of an installation, put together from its settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from uptake import kafka
from uptake.distributed.appending import letters_sink, log_writer
from uptake.distributed.audit import Audit
from uptake.distributed.audit_heal import Healer
from uptake.distributed.audit_log import Log, event_topics
from uptake.distributed.audit_store import AuditStore
from uptake.distributed.feed import WAITS, Feeder
from uptake.distributed.reread import Reader
from uptake.home import Home
from uptake.processors.pipeline import Pipeline, Workspaces, Written

SOURCE = "audit"
CLIENT_ID = "uptake-audit"


def open_audit(
    home: Home,
    stack: ExitStack,
    workspaces: Workspaces,
    told: Callable[[Written], None] = lambda written: None,
    waits: Sequence[float] = WAITS,
) -> Audit:
    """An audit that lasts as long as `stack`. Nothing is connected before the first look. `waits` as in `Feeder`: who
    looks again in a minute anyway need not wait at all."""
    settings, database = home.settings, home.database
    log = Log(settings, lambda: kafka.admin(settings, client_id=CLIENT_ID))
    stack.callback(log.close)
    writer = log_writer(settings, CLIENT_ID)
    stack.callback(writer.close)
    letters = letters_sink(writer, home.clock, SOURCE)
    pipeline = Pipeline(workspaces, database, home.clock, told, letters)
    feeder = Feeder(pipeline, settings.worker_batch_events, waits)
    store = AuditStore(database)
    healer = Healer(
        log, store, lambda: Reader(settings), feeder, lambda tenant: workspaces(tenant) is not None
    )
    return Audit(home.state, log, store, event_topics(settings), healer)
