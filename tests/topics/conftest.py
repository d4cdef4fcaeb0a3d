"""A Kafka of the suite's own, as settings say it."""

from __future__ import annotations

from typing import Any

import pytest

from uptake.settings import Settings


@pytest.fixture
def installed(broker: Any, prefix: str) -> Settings:
    """Settings of an installation on the suite's broker that nobody else uses."""
    return Settings(_env_file=None, kafka=broker.bootstrap, topic_prefix=prefix)  # type: ignore[call-arg]


@pytest.fixture
def environment(installed: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same, for commands: in the environment."""
    monkeypatch.setenv("UPTAKE_KAFKA", installed.kafka)
    monkeypatch.setenv("UPTAKE_TOPIC_PREFIX", installed.topic_prefix)
    return installed
