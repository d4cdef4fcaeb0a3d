"""A state store of an earlier version is brought up to this one, once, whole or not at all."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from uptake.alerts.letter import Letter, Posted
from uptake.errors import UnavailableError, UsageError
from uptake.state import migrate as module
from uptake.state.migrate import MARK, VERSION
from uptake.state.store import open_state
from uptake.state.tables import marks, metadata, outbox

# As version 1 made it, with a message in each of two states.
FIRST = """
CREATE TABLE outbox (
    id INTEGER NOT NULL, identity TEXT NOT NULL, tenant TEXT NOT NULL, channel TEXT NOT NULL, message JSON NOT NULL,
    status TEXT NOT NULL, attempts INTEGER NOT NULL, not_before BIGINT NOT NULL, leased_until BIGINT NOT NULL,
    lease_owner TEXT NOT NULL, created_at BIGINT NOT NULL, sent_at BIGINT, reference TEXT NOT NULL,
    last_error TEXT NOT NULL, PRIMARY KEY (id), CONSTRAINT one_message_per_fact_and_channel UNIQUE (identity, channel)
);
INSERT INTO outbox VALUES
    (1, 'f1', 't', '#a', '{"title": "one"}', 'sent', 1, 5, 0, '', 5, 6, 'C0CLAIMS1/17.1', ''),
    (2, 'f2', 't', '#a', '{"title": "two"}', 'pending', 0, 5, 0, '', 5, NULL, '', '');
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    connection = sqlite3.connect(path)
    connection.executescript(FIRST)
    connection.close()
    return path


def columns(path: Path) -> dict[str, set[tuple[str, str, bool]]]:
    connection = sqlite3.connect(path)
    try:
        return {
            table.name: {
                (name, kind, bool(not_null))
                for _, name, kind, not_null, *_ in connection.execute(f"PRAGMA table_info({table.name})")
            }
            for table in metadata.sorted_tables
        }
    finally:
        connection.close()


def test_a_store_from_before_versions_keeps_its_messages_and_knows_which_are_there(old: Path) -> None:
    engine = open_state(f"sqlite:///{old}")
    with engine.connect() as connection:
        sent, pending = (Letter.of(row) for row in connection.execute(outbox.select().order_by(outbox.c.id)))
        assert connection.execute(marks.select()).all() == [(MARK, VERSION, 0)]
    assert (sent.message["title"], sent.revision, sent.shown) == ("one", 1, 1)
    assert sent.posted == Posted(("C0CLAIMS1/17.1",))
    assert (pending.revision, pending.shown, pending.posted) == (1, 0, Posted())
    engine.dispose()


def test_a_migrated_store_and_a_new_one_have_the_same_columns(old: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    for path in (old, new):
        open_state(f"sqlite:///{path}").dispose()
    assert columns(old) == columns(new)


def test_processes_that_open_an_old_store_at_once_migrate_it_once(old: Path) -> None:
    metadata.create_all(
        create_engine(f"sqlite:///{old}")
    )  # the tables are there: columns are what is raced for
    ready = threading.Barrier(4)
    shown: list[int] = []

    def process() -> None:
        ready.wait(10)
        engine = open_state(f"sqlite:///{old}")
        with engine.connect() as connection:
            shown.extend(connection.execute(select(outbox.c.shown).order_by(outbox.c.id)).scalars())
        engine.dispose()

    threads = [threading.Thread(target=process) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert shown == [1, 0] * 4


def test_a_step_that_fails_changes_nothing_and_is_tried_again(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "STEPS", ((*module.STEPS[0], "UPDATE nowhere SET a = 1"),))
        with pytest.raises(UnavailableError):
            open_state(f"sqlite:///{old}")
    assert "revision" not in {name for name, *_ in columns(old)["outbox"]}
    engine = open_state(f"sqlite:///{old}")
    with engine.connect() as connection:
        assert set(connection.execute(select(outbox.c.revision)).scalars()) == {1}
    engine.dispose()


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    engine = open_state(url)
    with engine.begin() as connection:
        connection.execute(marks.update().where(marks.c.name == MARK).values(value=VERSION + 1))
    engine.dispose()
    with pytest.raises(UsageError, match="newer than this program"):
        open_state(url)
