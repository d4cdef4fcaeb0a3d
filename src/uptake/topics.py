"""Looking at the topics of the log, and making them what `schemas/topics/` says. What is done is decided by
`schemas.topic_plan`; a second run finds nothing to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uptake.errors import UptakeError
from uptake.kafka import admin as open_admin
from uptake.kafka import unavailable
from uptake.schemas.records import Topic, topic_name
from uptake.schemas.topic_plan import Action, Difference, Found, differences
from uptake.schemas.topics import TopicDefinition, load_topics
from uptake.settings import Settings

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

MOST_REPLICAS = 3
ROUNDS = 3
"""How often `apply` looks again: what somebody else did at the same moment is found then, and left in peace."""

_ALREADY_THERE = 36  # TOPIC_ALREADY_EXISTS
_UNKNOWN = 3  # UNKNOWN_TOPIC_OR_PARTITION


@dataclass(frozen=True, slots=True)
class Looked:
    """The differences that there are, with what they were measured by."""

    differences: tuple[Difference, ...]
    replication: int
    brokers: int
    done: tuple[Difference, ...] = ()


class Topics:
    """The topics of one installation. `replication`: how many replicas new ones get; by default three, or one a
    broker where there are fewer."""

    def __init__(
        self,
        admin: KafkaAdminClient,
        prefix: str,
        replication: int | None = None,
        definitions: Mapping[Topic, TopicDefinition] | None = None,
    ) -> None:
        self._admin = admin
        self._prefix = prefix
        self._definitions = definitions or load_topics()
        self._asked = replication

    def diff(self) -> Looked:
        """Compare and change nothing."""
        brokers = sum(
            not broker.get("is_fenced", False) for broker in self._admin.describe_cluster()["brokers"]
        )
        replication = self._asked or max(1, min(MOST_REPLICAS, brokers))
        found = self._found()
        told = differences(
            self._definitions, self._prefix, found, replication, insist=self._asked is not None
        )
        return Looked(tuple(told), replication, brokers)

    def apply(self, told: Callable[[Difference], None] = lambda difference: None) -> Looked:
        """Make what is missing and change what may be changed; `told` hears of each thing that was done. What is
        returned was looked at afterwards. Raises UptakeError with what the brokers refuse."""
        done: list[Difference] = []
        for _ in range(ROUNDS):
            looked = self.diff()
            wanted = [
                difference for difference in looked.differences if difference.action is not Action.LEAVE
            ]
            if not wanted:
                break
            for difference in wanted:
                self._make(difference, looked.replication)
                told(difference)
            done += wanted
            self._admin.wait_for_topics([topic_name(topic, self._prefix) for topic in self._definitions])
        else:
            looked = self.diff()
        return Looked(looked.differences, looked.replication, looked.brokers, tuple(done))

    def _found(self) -> dict[str, Found]:
        from kafka.admin import ConfigResource

        names = [topic_name(topic, self._prefix) for topic in self._definitions]
        there = {}
        for described in self._admin.describe_topics(names):
            if described["error_code"] not in (0, _UNKNOWN):
                _refuse(described["name"], "be described", described["error_code"])
            if described["error_code"] == 0:
                there[described["name"]] = described["partitions"]
        if not there:
            return {}
        resources = [ConfigResource("TOPIC", name) for name in there]
        settings = self._admin.describe_configs(resources, config_filter="all")["topic"]
        return {
            name: Found(
                len(partitions),
                min(len(partition["replica_nodes"]) for partition in partitions),
                {setting: said["value"] or "" for setting, said in settings[name].items()},
            )
            for name, partitions in there.items()
        }

    def _make(self, difference: Difference, replication: int) -> None:
        from kafka.admin import ConfigResource

        name = difference.topic
        if difference.action is Action.CREATE:
            definition = next(d for t, d in self._definitions.items() if topic_name(t, self._prefix) == name)
            new = {
                "num_partitions": definition.partitions,
                "replication_factor": replication,
                "configs": definition.configuration(replication),
            }
            answer = self._admin.create_topics({name: new}, raise_errors=False)["topics"][0]
            if answer["error_code"] not in (0, _ALREADY_THERE):
                _refuse(name, "be created", answer["error_code"], answer["error_message"])
        elif difference.action is Action.ADD_PARTITIONS:
            answer = self._admin.create_partitions({name: int(difference.wanted)}, raise_errors=False)
            (result,) = answer.results
            if result.error_code:
                _refuse(name, "get more partitions", result.error_code, result.error_message)
        else:
            resource = ConfigResource("TOPIC", name, {difference.what: difference.wanted})
            said = self._admin.alter_configs([resource])["topic"][name]
            if said != "OK":
                raise UptakeError(f"{difference.what} of {name} cannot be set: {said}", _hint(said))


@contextmanager
def topics(settings: Settings, replication: int | None = None) -> Iterator[Topics]:
    """The topics of the installation that `settings` describe. Raises UnavailableError when Kafka does not answer,
    now or on the way, UsageError without UPTAKE_KAFKA, UptakeError with what the brokers refuse."""
    from kafka.errors import KafkaConnectionError, KafkaError, RetriableError

    client = open_admin(settings)
    try:
        yield Topics(client, settings.topic_prefix, replication)
    except (KafkaConnectionError, RetriableError) as error:
        raise unavailable(settings) from error
    except KafkaError as error:
        raise UptakeError(f"Kafka refuses: {error}", _hint(str(error))) from error
    finally:
        client.close()


def _refuse(name: str, what: str, code: int, message: str | None = None) -> None:
    from kafka.errors import for_code

    error: Any = for_code(code)
    said = message or getattr(error, "description", "") or error.__name__
    raise UptakeError(f"{name} cannot {what}: {said}", _hint(f"{error.__name__} {said}"))


def _hint(said: str) -> str:
    if "Authorization" in said:
        return "Uptake's user needs Create, Alter, Describe, DescribeConfigs and AlterConfigs on its topics"
    if "eplication" in said:
        return "start more brokers, or say --replication with a number that there are brokers for"
    return "see what the brokers' log says of it"
