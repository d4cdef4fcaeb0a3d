"""What all tests share: one embedded ClickHouse engine a process, and a tenant of one's own for each test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import settings

from uptake.clickhouse import Database
from uptake.errors import UptakeError
from uptake.local.clickhouse import ClickHouseFront
from uptake.local.kafka import KafkaCluster, KafkaNode
from uptake.local.postgresql import PostgresServer

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

# No test is timed: a slow machine is not a wrong program.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Nor has one a terminal's width: readline hands one on to the workers of `pytest -n 3`.
os.environ.pop("COLUMNS", None)

# In `pytest -n 3` a worker takes a folder at a time, because its tests share fixtures; what one broker serves is one
# folder. Where processes are waited for is begun with, so that what computes goes on beside it.
BROKER = (
    *(f"tests/{folder}/" for folder in ("audit", "log", "services", "topics", "worker")),
    "tests/cli/test_log_mode.py",
    "tests/sdk/test_kafka_broker.py",
)
LONGEST_FIRST = ("broker", "chaos", "sql", "alerts", "demo", "deploy")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def together(path: str) -> str:
    """What runs in one worker with the tests of a file, by its path or by the name of a test in it."""
    return "broker" if path.startswith(BROKER) else path.split("/")[1]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    # Not `--dist loadgroup`: xdist 3.8 leaves its marks out of account with pytest 9.2 (pytest-dev/pytest-xdist#1386).
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    return Together(config, log)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What the state store promises it promises in both databases."""
    if "new_store" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_stores"):
        metafunc.parametrize("new_store", ("sqlite", "postgresql"), indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        order = {name: number for number, name in enumerate(LONGEST_FIRST)}
        items.sort(key=lambda item: order.get(together(item.nodeid), len(order)))


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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresServer]:
    """A real PostgreSQL. A test that ends it starts it again."""
    try:
        server = PostgresServer()
    except UptakeError as error:
        unavailable(f"{error.message} ({error.hint})")
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Gives the URL of a state store that nobody has opened, in SQLite or, with the parameter "postgresql", there."""
    made: list[str] = []
    kind = getattr(request, "param", "sqlite")
    server: PostgresServer | None = request.getfixturevalue(kind) if kind == "postgresql" else None

    def new() -> str:
        if server is None:
            made.append("")
            return f"sqlite:///{tmp_path / f'state-{len(made)}.db'}"
        made.append(f"t{uuid.uuid4().hex[:12]}")
        server.execute(f"CREATE SCHEMA {made[-1]}")
        return server.url(schema=made[-1])

    yield new
    if server is not None:
        server.execute(*(f"DROP SCHEMA {schema} CASCADE" for schema in made))


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
