"""What all tests share: one embedded ClickHouse engine a process, and a tenant of one's own for each test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from uptake.clickhouse import Database

# No test is timed: a slow machine is not a wrong program.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


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
        reason = f"the real input (shared/data beside the checkout) lacks {', '.join(missing)}"
        if os.environ.get("UPTAKE_REQUIRE_SERVICES"):
            pytest.fail(f"{reason}, and UPTAKE_REQUIRE_SERVICES is set")
        pytest.skip(reason)
    return SHARED_DATA
