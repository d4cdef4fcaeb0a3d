"""The harness is a package of its own beside these tests, because `make chaos` runs it without pytest."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from uptake.errors import UptakeError
from uptake.local.kafka import resolve_jars

sys.path.insert(0, str(Path(__file__).parent))

if TYPE_CHECKING:
    from uptake_chaos.arena import Arena


@pytest.fixture(scope="session")
def seed() -> int:
    """UPTAKE_CHAOS_SEED, or another one each time; failures and reports say which."""
    return int(os.environ.get("UPTAKE_CHAOS_SEED") or random.SystemRandom().randrange(1, 10**6))


@pytest.fixture(scope="session")
def jars() -> Path:
    """What a real broker is started from. CI must have it."""
    try:
        return resolve_jars()
    except UptakeError as error:
        reason = f"{error.message} ({error.hint}; then: make chaos)"
        if os.environ.get("UPTAKE_REQUIRE_SERVICES"):
            pytest.fail(f"{reason}, and UPTAKE_REQUIRE_SERVICES is set")
        pytest.skip(reason)


@pytest.fixture(scope="module")
def arena(jars: Path, seed: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """One stack for all scenarios: the oracle remembers everything that was ever sent to it."""
    from uptake_chaos.arena import arena as opened

    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:.1f} s] {text}")

    with opened(tmp_path_factory.mktemp("chaos"), seed, say) as where:
        yield where
