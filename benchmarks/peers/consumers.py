"""What the worker is measured against, each a process of its own: `python -m benchmarks.peers.consumers raw|faust`.

Settings come from the environment, as the worker's do. Each says `partitions_assigned` when its clock may start.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from uptake import kafka
from uptake.home import Home
from uptake.processors.pipeline import Pipeline
from uptake.schemas.batch import Batch, LogPosition
from uptake.schemas.records import batch_of
from uptake.settings import Settings

EACH = 200  # events a record: so many records hold as much as a take of the worker


def announce(count: int) -> None:
    said = {"count": count, "event": "partitions_assigned", "timestamp": datetime.now(UTC).isoformat()}
    print(json.dumps(said), flush=True)


def batch(topic: str, partition: int, offset: int, ms: float, headers: Iterable[Any], value: bytes) -> Batch:
    return batch_of(
        value, headers, LogPosition(topic, partition, offset), datetime.fromtimestamp(ms / 1000, UTC)
    )


def raw(settings: Settings, pipeline: Pipeline) -> None:
    """confluent-kafka: consume, process, commit."""
    from confluent_kafka import Consumer

    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka,
            "group.id": settings.consumer_group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe(
        [f"{settings.topic_prefix}usage"], on_assign=lambda _, partitions: announce(len(partitions))
    )
    most = settings.worker_batch_events // EACH
    while True:
        records = [one for one in consumer.consume(most, timeout=0.5) if not one.error()]
        if records:
            pipeline.process(
                [
                    batch(
                        one.topic(),
                        one.partition(),
                        one.offset(),
                        one.timestamp()[1],
                        one.headers(),
                        one.value(),
                    )
                    for one in records
                ]
            )
            consumer.commit(asynchronous=False)


def faust_app(settings: Settings, pipeline: Pipeline) -> None:
    """Faust as its documentation shows it."""
    import faust

    app = faust.App(
        settings.consumer_group,
        **kafka.faust_broker(settings),
        autodiscover=False,
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        datadir=str(settings.data / settings.consumer_group),
    )
    topic = app.topic(f"{settings.topic_prefix}usage", value_type=bytes, value_serializer="raw")

    @app.agent(topic)
    async def read(stream: Any) -> None:
        async for event in stream.events():
            said = event.message
            pipeline.process(
                [
                    batch(
                        said.topic,
                        said.partition,
                        said.offset,
                        said.timestamp * 1000,
                        said.headers,
                        event.value,
                    )
                ]
            )

    @app.on_rebalance_complete.connect
    async def ready(*_: Any, **__: Any) -> None:
        announce(len(app.consumer.assignment()))

    settings.data.mkdir(parents=True, exist_ok=True)
    app.Worker(loglevel=logging.WARNING, quiet=True).execute_from_commandline()


def main() -> None:
    settings = Settings()
    home = Home(settings)
    pipeline = Pipeline(home.workspaces.get, home.database, home.clock)
    {"raw": raw, "faust": faust_app}[sys.argv[1]](settings, pipeline)


if __name__ == "__main__":
    main()
