"""A password in UPTAKE_STATE_URL is in no error, no log, no report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from uptake import logs
from uptake.cli import checks
from uptake.cli.app import read_settings
from uptake.errors import UnavailableError, UptakeError, UsageError
from uptake.home import Home
from uptake.local.postgresql import PostgresServer
from uptake.local.process import free_port
from uptake.settings import Settings
from uptake.state.store import open_state
from uptake.state.tables import outbox

SECRET = "hunter-2-secret"


@pytest.fixture(params=["wrong password", "no such database", "no server"])
def refused(request: pytest.FixtureRequest, postgresql: PostgresServer) -> str:
    if request.param == "wrong password":
        return postgresql.url().replace(postgresql.password, SECRET)
    if request.param == "no such database":
        return postgresql.url("elsewhere")
    return f"postgresql+psycopg://uptake:{SECRET}@127.0.0.1:{free_port()}/uptake"


def in_log(error: BaseException, capsys: pytest.CaptureFixture[str], as_json: bool) -> str:
    """An error as a service logs it, with its trace."""
    logs.configure("INFO", as_json)
    try:
        structlog.get_logger().error("it failed", exc_info=error)
    finally:
        structlog.reset_defaults()
    return capsys.readouterr().err


@pytest.mark.parametrize("as_json", [True, False])
def test_a_store_that_refuses_is_named_without_the_password(
    refused: str, postgresql: PostgresServer, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    with pytest.raises(UnavailableError, match="does not answer") as caught:
        open_state(refused)
    assert "127.0.0.1" in caught.value.hint
    shown = "".join(traceback.format_exception(caught.value)) + caught.value.message + caught.value.hint
    shown += in_log(caught.value, capsys, as_json)
    assert "OperationalError" in shown
    assert SECRET not in shown
    assert postgresql.password not in shown


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://uptake:{SECRET}@127.0.0.1:port/uptake",
        f"postgresql+psycopg://uptake:12/{SECRET}@127.0.0.1/uptake",
        f"postgresql+nosuchdriver://uptake:{SECRET}@127.0.0.1/uptake",
        f"nosuchdatabase://uptake:{SECRET}@127.0.0.1/uptake",
        f"uptake:{SECRET}@127.0.0.1",
    ],
)
def test_a_url_that_is_none_is_not_repeated(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # no `.env`
    monkeypatch.setenv("UPTAKE_STATE_URL", url)
    for attempt in (lambda: open_state(url), lambda: open_state(read_settings().resolved_state_url)):
        with pytest.raises((UsageError, UnavailableError)) as caught:
            attempt()
        shown = "".join(traceback.format_exception(caught.value)) + caught.value.message + caught.value.hint
        assert SECRET not in shown


def test_settings_and_engines_are_printed_without_it(postgresql: PostgresServer) -> None:
    engine = open_state(postgresql.url())
    settings = Settings(state_url=postgresql.url(), clickhouse_url=f"clickhouse://u:{SECRET}@h:1/d")
    assert postgresql.password in settings.state_url
    shown = repr(engine) + repr(engine.url) + repr(settings) + str(settings)
    assert postgresql.password not in shown
    assert SECRET not in shown
    engine.dispose()


def test_a_row_that_the_server_refuses_is_not_repeated(postgresql: PostgresServer) -> None:
    engine = open_state(postgresql.url())
    row = {"identity": "digest/acme/claims", "tenant": None, "channel": "#a", "message": {"said": SECRET}}
    with (
        pytest.raises(IntegrityError, match="violates not-null constraint") as caught,
        engine.begin() as connection,
    ):
        connection.execute(outbox.insert().values(**row, status="pending", not_before=0, created_at=0))
    shown = "".join(traceback.format_exception(caught.value))
    assert "null value in column" in shown
    assert SECRET not in shown
    assert "digest/acme/claims" not in shown
    with pytest.raises(Exception, match="nowhere"), engine.connect() as connection:
        connection.execute(text("SELECT 1 FROM nowhere"))
    engine.dispose()


def test_the_doctor_names_a_store_that_answers_and_one_that_does_not_without_it(
    postgresql: PostgresServer, tmp_path: Path
) -> None:
    with Home(Settings(state_url=postgresql.url(), data=tmp_path)) as home:
        assert checks.state(home) == checks.Finding("state store", "ok", "postgresql")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UPTAKE_")}
    wrong = postgresql.url().replace(postgresql.password, SECRET)
    done = subprocess.run(
        [sys.executable, "-c", "from uptake.cli import main; main()", "doctor", "--json"],
        cwd=tmp_path,
        env={**environment, "UPTAKE_STATE_URL": wrong},
        capture_output=True,
        text=True,
        timeout=120,
    )
    (state,) = [finding for finding in json.loads(done.stdout) if finding["what"] == "state store"]
    assert (state["level"], state["detail"]) == ("error", "the state store does not answer")
    assert SECRET not in done.stdout + done.stderr


def test_a_role_that_may_not_make_tables_is_told_so(postgresql: PostgresServer) -> None:
    postgresql.execute(f"CREATE ROLE reader LOGIN PASSWORD '{SECRET}'")
    url = postgresql.url(schema="public").replace(f"postgres:{postgresql.password}", f"reader:{SECRET}")
    try:
        postgresql.execute("CREATE DATABASE bare")
        with pytest.raises(UptakeError, match="could not be made") as caught:
            open_state(url.replace("/postgres?", "/bare?"))
        assert "allowed to create tables" in caught.value.hint
    finally:
        postgresql.execute("DROP DATABASE IF EXISTS bare", "DROP ROLE reader")
