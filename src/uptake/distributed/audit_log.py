"""What audit, doctor and replay ask the log: where partitions begin and end, what the workers have committed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from uptake.errors import UnavailableError, UsageError
from uptake.kafka import admin, unavailable
from uptake.processors.audit import LogState
from uptake.schemas.records import EVENT_TOPICS, topic_name
from uptake.settings import Settings

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

Answer = TypeVar("Answer")

TRIES = 20
TRY_SECONDS = 0.25


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


def event_topics(settings: Settings) -> list[str]:
    """The names of the topics whose records hold events."""
    return [topic_name(topic, settings.topic_prefix) for topic in EVENT_TOPICS]


class Log:
    """The log as its brokers describe it. Asked by one thread at a time; it reconnects by itself."""

    def __init__(self, settings: Settings, connect: Callable[[], KafkaAdminClient] | None = None) -> None:
        self._settings = settings
        self._connect = connect or (lambda: admin(settings))
        self._client: Any = None

    def partitions(self, topics: Iterable[str]) -> list[Place]:
        """All partitions of these topics. Raises UsageError where a topic is missing, UnavailableError."""
        wanted = list(topics)
        with self._asked() as client:
            described = {topic["name"]: topic for topic in client.describe_topics(wanted)}
        missing = [name for name in wanted if not described.get(name, {}).get("partitions")]
        if missing:
            raise UsageError(f"Kafka has no topic {', '.join(missing)}", "run `uptake topics apply`")
        return [
            Place(name, number)
            for name in wanted
            for number in sorted(one["partition_index"] for one in described[name]["partitions"])
        ]

    def states(self, places: Iterable[Place]) -> dict[Place, LogState]:
        """Each partition's bounds and the group's committed offset. The committed ones are asked first: what they
        acknowledge lies between the bounds that are asked afterwards, and was written before."""
        from kafka import TopicPartition
        from kafka.admin import OffsetSpec

        group = self._settings.consumer_group
        wanted = {place: TopicPartition(*place) for place in places}
        with self._asked() as client:
            committed = _patiently(lambda: client.list_group_offsets({group: None})).get(group, {})
            starts = client.list_partition_offsets(dict.fromkeys(wanted.values(), OffsetSpec.EARLIEST))
            ends = client.list_partition_offsets(dict.fromkeys(wanted.values(), OffsetSpec.LATEST))
        found = {}
        for place, there in wanted.items():
            offset = committed[there].offset if there in committed else -1
            found[place] = LogState(starts[there].offset, ends[there].offset, offset if offset >= 0 else None)
        return found

    def offsets_at(self, moments: Mapping[Place, datetime]) -> dict[Place, int]:
        """The first offset that was appended at a moment or later; where there is none, the partition's end."""
        from kafka import TopicPartition
        from kafka.admin import OffsetSpec

        wanted = {place: TopicPartition(*place) for place in moments}
        asked = {there: int(moments[place].timestamp() * 1000) for place, there in wanted.items()}
        with self._asked() as client:
            # The ends first: a record that comes in between is after the moment's offset either way.
            ends = client.list_partition_offsets(dict.fromkeys(asked, OffsetSpec.LATEST))
            found = client.list_partition_offsets(asked)
        return {
            place: found[there].offset if found[there].offset >= 0 else ends[there].offset
            for place, there in wanted.items()
        }

    def members(self) -> tuple[str, int]:
        """The state of the workers' group, in Kafka's words, and how many belong to it."""
        group = self._settings.consumer_group
        with self._asked() as client:
            described = _patiently(lambda: client.describe_groups([group]))[group]
        return str(described["group_state"]), len(described["members"])

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    @contextmanager
    def _asked(self) -> Iterator[Any]:
        from kafka.errors import KafkaError

        try:
            if self._client is None:
                self._client = self._connect()
            yield self._client
        except (KafkaError, OSError) as error:
            self.close()  # the next question begins with a new connection
            raise unavailable(self._settings) from error
        except UnavailableError:
            self.close()
            raise


def _patiently(ask: Callable[[], Answer], wait: Callable[[float], object] = time.sleep) -> Answer:
    """The answer about a group, whose coordinator a broker that was just started has yet to appoint."""
    from kafka.errors import RetriableError

    for _ in range(TRIES):
        try:
            return ask()
        except RetriableError:
            wait(TRY_SECONDS)
    return ask()
