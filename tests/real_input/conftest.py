"""The importer in front of the real pipeline and the real engine, by the maps that people are given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from uptake.clickhouse import Database
from uptake.clock import ManualClock
from uptake.ingest.importer.report import ImportReport
from uptake.ingest.importer.run import import_file
from uptake.processors.pipeline import Pipeline
from uptake.schemas.batch import Batch, MalformedBatch, Receipt
from uptake.workspace.models import Workspace

MAPS = Path(__file__).parents[2] / "examples" / "imports"
NOW = datetime(2023, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def importer() -> Callable[..., ImportReport]:
    """import(database, workspace, file, kind, map); `look` sees each batch before it is sent."""

    def run(
        database: Database,
        workspace: Workspace,
        file: Path,
        kind: str,
        mapping: str | Path,
        look: Callable[[Batch], None] = lambda batch: None,
    ) -> ImportReport:
        clock = ManualClock(NOW)
        known = {workspace.tenant: workspace}
        pipeline = Pipeline(known.get, database, clock)

        def send(batch: Batch) -> Receipt:
            look(batch)
            (outcome,) = pipeline.process([batch])
            if isinstance(outcome, MalformedBatch):
                raise outcome
            return outcome

        return import_file(file, kind, MAPS / mapping, send, workspace.tenant, clock)

    return run
