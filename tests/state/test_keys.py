"""API keys: only the right token opens, a revoked one stops soon, and no secret can be read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from uptake.clock import ManualClock
from uptake.errors import UnavailableError, UsageError
from uptake.state.keys import CACHE_FOR, KeyStore
from uptake.state.store import open_state
from uptake.state.tables import api_keys

pytestmark = pytest.mark.both_stores

PEPPER = "p" * 64
START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def engine(new_store: Callable[[], str]) -> Iterator[Engine]:
    engine = open_state(new_store())
    yield engine
    engine.dispose()


@pytest.fixture
def keys(engine: Engine, clock: ManualClock) -> KeyStore:
    return KeyStore(engine, clock, PEPPER)


def test_a_token_stands_for_its_tenant_and_no_other(keys: KeyStore) -> None:
    tokens = {tenant: keys.create(tenant, "app").token for tenant in ("acme", "zenith")}
    assert {keys.tenant_of(token): token for token in tokens.values()} == tokens


def test_a_token_has_the_form_that_people_are_told(keys: KeyStore) -> None:
    key_id, token = keys.create("acme", "app")
    prefix, shown_id, secret = token.split("_")
    assert (prefix, shown_id) == ("upt", key_id)
    assert len(secret) >= 32


def test_a_token_of_another_pepper_opens_nothing(keys: KeyStore, engine: Engine, clock: ManualClock) -> None:
    token = keys.create("acme", "app").token
    assert KeyStore(engine, clock, "q" * 64).tenant_of(token) is None


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "0", lambda t: t.upper(), lambda t: " " + t]
)
def test_a_token_that_is_nearly_right_is_wrong(keys: KeyStore, change: object) -> None:
    token = keys.create("acme", "app").token
    assert callable(change)
    assert keys.tenant_of(change(token)) is None
    assert keys.tenant_of(token) == "acme"


def test_one_key_s_secret_does_not_open_another_key(keys: KeyStore) -> None:
    one, other = keys.create("acme", "one"), keys.create("zenith", "other")
    mixed = f"upt_{one.key_id}_{other.token.split('_')[2]}"
    assert keys.tenant_of(mixed) is None


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=400))
@example("upt_\0_x")
def test_no_text_can_break_the_lookup(keys: KeyStore, text: str) -> None:
    for token in (text, f"upt_{text}_x", f"upt_x_{text}"):
        assert keys.tenant_of(token) is None


def test_revoking_works_at_once_here(keys: KeyStore) -> None:
    key_id, token = keys.create("acme", "app")
    assert keys.tenant_of(token) == "acme"
    assert keys.revoke(key_id) is True
    assert keys.tenant_of(token) is None


def test_revoking_elsewhere_works_within_the_cache_s_time(
    keys: KeyStore, engine: Engine, clock: ManualClock
) -> None:
    key_id, token = keys.create("acme", "app")
    assert keys.tenant_of(token) == "acme"
    KeyStore(engine, clock, PEPPER).revoke(key_id)
    clock.set(START + CACHE_FOR)
    assert keys.tenant_of(token) is None
    assert timedelta(seconds=5) >= CACHE_FOR


def test_a_clock_that_is_set_back_does_not_keep_a_revoked_key_alive(
    keys: KeyStore, engine: Engine, clock: ManualClock
) -> None:
    key_id, token = keys.create("acme", "app")
    assert keys.tenant_of(token) == "acme"
    KeyStore(engine, clock, PEPPER).revoke(key_id)
    clock.set(START - timedelta(hours=1))
    assert keys.tenant_of(token) is None


def test_a_second_revocation_keeps_the_first_one_s_time(keys: KeyStore, clock: ManualClock) -> None:
    key_id, _ = keys.create("acme", "app")
    keys.revoke(key_id)
    clock.set(START + timedelta(days=1))
    assert keys.revoke(key_id) is False
    assert [info.revoked_at for info in keys.list()] == [START]


def test_revoking_what_is_not_there_says_so(keys: KeyStore) -> None:
    with pytest.raises(UsageError) as caught:
        keys.revoke("nothing")
    assert "uptake keys list" in caught.value.hint


def test_a_key_without_a_tenant_is_refused(keys: KeyStore) -> None:
    with pytest.raises(UsageError):
        keys.create("", "app")


def test_a_known_key_is_looked_up_once_within_the_cache_s_time(
    keys: KeyStore, engine: Engine, clock: ManualClock
) -> None:
    token = keys.create("acme", "app").token
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert not keys.remembers(token)
    assert [keys.tenant_of(token) for _ in range(5)] == ["acme"] * 5
    assert keys.remembers(token)
    assert len(statements) == 1
    clock.set(START + CACHE_FOR)
    assert keys.tenant_of(token) == "acme"
    assert len(statements) == 2


def test_guessed_ids_are_not_remembered(keys: KeyStore) -> None:
    guess = "upt_guess_" + "0" * 48
    assert keys.tenant_of(guess) is None
    assert not keys.remembers(guess)


def test_listing_shows_everything_but_secrets(keys: KeyStore, clock: ManualClock) -> None:
    first = keys.create("acme", "claims-letter, production")
    clock.set(START + timedelta(minutes=1))
    second = keys.create("zenith", "other")
    keys.revoke(second.key_id)
    listed = keys.list()
    assert [(i.key_id, i.tenant, i.name, i.created_at) for i in listed] == [
        (first.key_id, "acme", "claims-letter, production", START),
        (second.key_id, "zenith", "other", START + timedelta(minutes=1)),
    ]
    assert [i.revoked_at for i in listed] == [None, START + timedelta(minutes=1)]
    assert [i.key_id for i in keys.list("zenith")] == [second.key_id]
    assert first.token.split("_")[2] not in repr(listed)


def test_the_secret_is_neither_in_the_store_nor_in_a_repr(
    keys: KeyStore, engine: Engine, tmp_path: Path
) -> None:
    made = keys.create("acme", "app")
    secret = made.token.split("_")[2]
    assert secret not in repr(made)
    with engine.connect() as connection:
        stored = repr(connection.execute(api_keys.select()).all()).encode()
    stored += b"".join(file.read_bytes() for file in tmp_path.glob("state*.db*"))
    assert made.key_id.encode() in stored
    assert secret.encode() not in stored


def test_a_state_store_that_does_not_answer_is_not_a_wrong_key(keys: KeyStore, engine: Engine) -> None:
    token = keys.create("acme", "app").token
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE api_keys")
    with pytest.raises(UnavailableError):
        keys.tenant_of(token)


def test_a_short_pepper_is_refused(engine: Engine, clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="pepper"):
        KeyStore(engine, clock, "short")
