"""What all tests share: one embedded ClickHouse engine a process, and a tenant of one's own for each test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from uptake.clickhouse import Database
from uptake.errors import UptakeError
from uptake.local.clickhouse import ClickHouseFront
from uptake.local.kafka import KafkaCluster, KafkaNode

# No test is timed: a slow machine is not a wrong program.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# What several folders share and is costly to have twice; each of them stays in one worker of `pytest -n`.
SERVICES = ("broker", "cluster")

# They wait for processes most of the time, so they begin first and what computes goes beside them.
LONGEST_FIRST = ("broker", "chaos", "sql", "demo", "deploy")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker of `pytest -n N --dist loadgroup`: a folder's tests share fixtures and stay together, and those
    that need a service of the whole suite are together wherever they are, so that it is started once."""
    if not hasattr(config, "workerinput"):
        return
    groups = {item: _group(item) for item in items}
    order = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(groups[item], len(order)))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(groups[item]))


def _group(item: pytest.Item) -> str:
    needed = [name for name in SERVICES if name in getattr(item, "fixturenames", ())]
    return needed[0] if needed else item.path.relative_to(Path(__file__).parent).parts[0]


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """The real engine, in memory, migrated. chDB allows one engine path a process, so every test uses this
    one and keeps apart by `tenant`."""
    from uptake.sql.migrate import migrate

    with_engine = Database.embedded(None)
    migrate(with_engine)
    yield with_engine
    with_engine.close()


@pytest.fixture
def tenant() -> str:
    """A tenant that no other test has."""
    return f"t-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real input that is kept beside the repository and never in it. CI must have it."""
    wanted = ("azure-llm-2023", "post-edits-en-de")
    missing = [name for name in wanted if not (SHARED_DATA / name).is_dir()]
    if missing:
        unavailable(f"the real input (shared/data beside the checkout) lacks {', '.join(missing)}")
    return SHARED_DATA


def unavailable(reason: str) -> NoReturn:
    """CI must have every service; elsewhere a test that lacks one is skipped with what would start it."""
    if os.environ.get("UPTAKE_REQUIRE_SERVICES"):
        pytest.fail(f"{reason}, and UPTAKE_REQUIRE_SERVICES is set")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaNode]:
    """A real Apache Kafka of one node. A test that ends it starts it again."""
    try:
        node = KafkaNode(tmp_path_factory.mktemp("kafka"))
        node.start()
    except UptakeError as error:
        unavailable(f"{error.message} ({error.hint}; then: python -m uptake.local.kafka)")
    yield node
    node.kill()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """Three nodes of Apache Kafka with everything three times there. A test that ends one starts it again."""
    try:
        nodes = KafkaCluster(tmp_path_factory.mktemp("kafka-cluster"))
        nodes.start()
    except UptakeError as error:
        unavailable(f"{error.message} ({error.hint}; then: python -m uptake.local.kafka)")
    yield nodes
    nodes.kill()


@pytest.fixture
def prefix() -> str:
    """A prefix of topics that no other test has."""
    return f"t{uuid.uuid4().hex[:8]}."


@pytest.fixture
def clickhouse_front(tmp_path: Path) -> Iterator[Callable[..., ClickHouseFront]]:
    """Starts ClickHouse's HTTP interface as a process of its own: `clickhouse_front()`, or on a directory."""
    started: list[ClickHouseFront] = []

    def start(directory: Path | None = None) -> ClickHouseFront:
        front = ClickHouseFront(directory or tmp_path / f"clickhouse-{len(started)}")
        started.append(front)
        front.start()
        return front

    yield start
    for front in started:
        front.kill()
