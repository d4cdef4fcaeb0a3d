"""A state store of an earlier version is brought up to this one, once, whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, create_engine, inspect, select

from uptake.alerts.letter import Letter, Posted
from uptake.errors import UnavailableError, UsageError
from uptake.state import migrate as module
from uptake.state.migrate import MARK, VERSION
from uptake.state.store import open_state
from uptake.state.tables import drafts, marks, metadata, outbox

pytestmark = pytest.mark.both_stores

# As version 1 made it, with a message in each of two states.
FIRST = (
    """CREATE TABLE outbox (
        id {id}, identity TEXT NOT NULL, tenant TEXT NOT NULL, channel TEXT NOT NULL, message JSON NOT NULL,
        status TEXT NOT NULL, attempts INTEGER NOT NULL, not_before BIGINT NOT NULL, leased_until BIGINT NOT NULL,
        lease_owner TEXT NOT NULL, created_at BIGINT NOT NULL, sent_at BIGINT, reference TEXT NOT NULL,
        last_error TEXT NOT NULL, PRIMARY KEY (id),
        CONSTRAINT one_message_per_fact_and_channel UNIQUE (identity, channel)
    )""",
    """INSERT INTO outbox VALUES
        (1, 'f1', 't', '#a', '{{"title": "one"}}', 'sent', 1, 5, 0, '', 5, 6, 'C0CLAIMS1/17.1', ''),
        (2, 'f2', 't', '#a', '{{"title": "two"}}', 'pending', 0, 5, 0, '', 5, NULL, '', '')""",
)


@pytest.fixture
def old(new_store: Callable[[], str]) -> str:
    url = new_store()
    with opened(url) as engine, engine.begin() as connection:
        kind = "SERIAL" if engine.dialect.name == "postgresql" else "INTEGER NOT NULL"
        for statement in FIRST:
            connection.exec_driver_sql(statement.format(id=kind))
    return url


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """As it is, without a migration."""
    engine = create_engine(url)
    yield engine
    engine.dispose()


def columns(url: str) -> dict[str, set[tuple[str, str, bool]]]:
    with opened(url) as engine:
        inspector = inspect(engine)
        return {
            table: {(c["name"], str(c["type"]), bool(c["nullable"])) for c in inspector.get_columns(table)}
            for table in inspector.get_table_names()
        }


def at_once(count: int, process: Callable[[], object]) -> list[BaseException]:
    """Run it in so many threads, each with an engine of its own; what any of them raised."""
    ready = threading.Barrier(count)
    failed: list[BaseException] = []

    def run() -> None:
        ready.wait(10)
        try:
            process()
        except Exception as error:  # noqa: BLE001 - it is what the test asks for
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return failed


def test_a_store_from_before_versions_keeps_its_messages_and_knows_which_are_there(old: str) -> None:
    engine = open_state(old)
    with engine.connect() as connection:
        sent, pending = (Letter.of(row) for row in connection.execute(outbox.select().order_by(outbox.c.id)))
        assert connection.execute(marks.select()).all() == [(MARK, VERSION, 0)]
    assert (sent.message["title"], sent.revision, sent.shown) == ("one", 1, 1)
    assert sent.posted == Posted(("C0CLAIMS1/17.1",))
    assert (pending.revision, pending.shown, pending.posted) == (1, 0, Posted())
    engine.dispose()


def test_a_migrated_store_and_a_new_one_have_the_same_columns(old: str, new_store: Callable[[], str]) -> None:
    new = new_store()
    for url in (old, new):
        open_state(url).dispose()
    assert columns(old) == columns(new)


def test_processes_that_open_an_old_store_at_once_migrate_it_once(old: str) -> None:
    shown: list[int] = []

    def process() -> None:
        engine = open_state(old)
        with engine.connect() as connection:
            shown.extend(connection.execute(select(outbox.c.shown).order_by(outbox.c.id)).scalars())
        engine.dispose()

    assert at_once(4, process) == []
    assert shown == [1, 0] * 4


def test_processes_that_open_a_new_store_at_once_make_it_once(new_store: Callable[[], str]) -> None:
    for _ in range(3):
        url = new_store()
        assert at_once(4, lambda url=url: open_state(url).dispose()) == []
        with opened(url) as engine, engine.connect() as connection:
            assert connection.execute(marks.select()).all() == [(MARK, VERSION, 0)]
        assert columns(url).keys() == metadata.tables.keys()


def test_a_table_that_came_later_is_made_in_a_store_of_this_version(new_store: Callable[[], str]) -> None:
    url = new_store()
    open_state(url).dispose()
    with opened(url) as engine:
        drafts.drop(engine)
    open_state(url).dispose()
    assert columns(url).keys() == metadata.tables.keys()


def test_a_step_that_fails_changes_nothing_and_is_tried_again(
    old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "STEPS", ((*module.STEPS[0], "UPDATE nowhere SET a = 1"),))
        with pytest.raises(UnavailableError):
            open_state(old)
    assert "revision" not in {name for name, *_ in columns(old)["outbox"]}
    engine = open_state(old)
    with engine.connect() as connection:
        assert set(connection.execute(select(outbox.c.revision)).scalars()) == {1}
    engine.dispose()


def test_a_store_of_a_newer_version_is_refused(new_store: Callable[[], str]) -> None:
    url = new_store()
    engine = open_state(url)
    with engine.begin() as connection:
        connection.execute(marks.update().where(marks.c.name == MARK).values(value=VERSION + 1))
    engine.dispose()
    with pytest.raises(UsageError, match="newer than this program"):
        open_state(url)
