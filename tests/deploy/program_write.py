"""Run by `run_as`: what a worker and the scheduler write, through the real pipeline, for two tenants."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import chdb

from uptake.clickhouse import Database
from uptake.clock import ManualClock
from uptake.engine_front import EngineFront
from uptake.ingest.gateway.serve import Server
from uptake.processors.pipeline import Pipeline
from uptake.schemas.batch import Batch, LogPosition
from uptake.workspace.load import load_workspaces
from uptake.workspace.roster import publish_roster


def main() -> None:
    given = json.load(sys.stdin)
    now = datetime.fromisoformat(given["now"]).astimezone(UTC)
    clock = ManualClock(now)
    connection = chdb.connect(sys.argv[1])
    front = EngineFront(sys.argv[1])
    server = Server(front.app)
    database = Database.served(front.url(server.start()))
    workspaces = load_workspaces(Path(given["workspace"]), "a-key-of-the-tests")
    pipeline = Pipeline(workspaces.get, database, clock)
    outcomes = []
    for offset, batch in enumerate(given["batches"]):
        position = LogPosition("uptake.usage", 0, offset)
        body = json.dumps(batch["events"]).encode()
        appended_at = now + timedelta(milliseconds=offset)
        outcomes += pipeline.process([Batch(batch["tenant"], body, appended_at, position=position)])
    for workspace in workspaces.values():
        publish_roster(database, workspace, clock)
    database.close()
    server.stop()
    front.close()
    connection.close()
    print(json.dumps([[outcome.accepted, len(outcome.rejections)] for outcome in outcomes]))


main()
