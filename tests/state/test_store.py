"""The state store keeps what it was told, also through a power cut."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from uptake.state.store import from_micros, open_state, to_micros
from uptake.state.tables import facts, metadata, outbox

AT = to_micros(datetime(2026, 11, 20, 9, 30, tzinfo=UTC))


def pragma(url: str, name: str) -> object:
    engine = open_state(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text(f"PRAGMA {name}")).scalar()
    finally:
        engine.dispose()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'not' / 'there' / 'yet' / 'state.db'}"


@pytest.mark.parametrize(
    ("name", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10000)],
)
def test_every_connection_is_durable_and_patient(url: str, name: str, value: object) -> None:
    assert pragma(url, name) == value


@pytest.mark.both_stores
def test_an_error_repeats_the_statement_and_none_of_its_values(new_store: Callable[[], str]) -> None:
    store = new_store()
    engine = open_state(store)
    with pytest.raises(DBAPIError) as failed, engine.begin() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:said)"), {"said": "somebody's words"})
    assert "nowhere" in str(failed.value)
    assert "somebody's words" not in str(failed.value)
    engine.dispose()


def test_a_second_connection_of_the_same_pool_is_durable_too(url: str) -> None:
    engine = open_state(url)
    with engine.connect() as first, engine.connect() as second:
        assert [c.execute(text("PRAGMA synchronous")).scalar() for c in (first, second)] == [2, 2]
    engine.dispose()


@pytest.mark.both_stores
def test_opening_twice_keeps_what_is_there(new_store: Callable[[], str]) -> None:
    store = new_store()
    first = open_state(store)
    fact = {"identity": "a", "tenant": "t", "kind": "digest", "at": AT, "detail": {"n": [1, None]}}
    with first.begin() as connection:
        connection.execute(facts.insert().values(**fact))
    first.dispose()
    second = open_state(store)
    with second.connect() as connection:
        assert connection.execute(facts.select()).one()._asdict() == fact
    second.dispose()


@pytest.mark.both_stores
def test_all_tables_are_made(new_store: Callable[[], str]) -> None:
    store = new_store()
    engine = open_state(store)
    with engine.connect() as connection:
        filled = [
            table.name for table in metadata.sorted_tables if connection.execute(table.select()).all() != []
        ]
    assert filled == ["marks"], "the version of the tables, and nothing else"
    engine.dispose()


@pytest.mark.both_stores
def test_a_fact_has_one_row_and_one_message_for_each_channel(new_store: Callable[[], str]) -> None:
    store = new_store()
    engine = open_state(store)
    message = {
        "identity": "a",
        "tenant": "t",
        "channel": "#claims",
        "message": {},
        "status": "pending",
        "not_before": AT,
        "created_at": AT,
    }
    with engine.begin() as connection:
        connection.execute(outbox.insert().values(**message))
        connection.execute(outbox.insert().values(**{**message, "channel": "#other"}))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(outbox.insert().values(**message))
    engine.dispose()


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_a_moment_survives_to_the_microsecond_in_any_zone(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert from_micros(to_micros(moment)) == moment


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        to_micros(datetime(2026, 11, 20))  # noqa: DTZ001
