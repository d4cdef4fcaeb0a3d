"""Settings of the service, from the environment (``UPTAKE_…``) or a ``.env`` file, validated once at start."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything has a default that works on one machine; nothing secret has a default value at all."""

    model_config = SettingsConfigDict(env_prefix="UPTAKE_", env_file=".env", extra="ignore", frozen=True)

    workspace: Path = Field(Path("workspace"), description="directory of the workspace's files")
    data: Path = Field(Path(".uptake"), description="directory of the database, the state store and outputs")
    state_url: str = Field(
        "", description="SQLAlchemy URL of the state store; default: SQLite in `data`", repr=False
    )
    clickhouse_url: str = Field(
        "",
        description="clickhouse://user:password@host:port/database; default: the embedded engine in `data`",
        repr=False,
    )
    kafka: str = Field(
        "",
        description="host:port of Kafka brokers, comma-separated; default: no log, one process does everything",
    )
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how Kafka's brokers are talked to"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="how Uptake proves who it is, with SASL_…"
    )
    kafka_username: str = Field("", description="Uptake's name at the brokers, with SASL_…")
    kafka_password: SecretStr | None = Field(None, description="its password")
    kafka_ca_file: Path | None = Field(None, description="certificates that sign the brokers', with …SSL")
    topic_prefix: str = Field(
        "uptake.", pattern=r"^[a-zA-Z0-9._-]*$", description="what the names of all topics begin with"
    )
    consumer_group: str = Field("uptake", min_length=1, description="the workers' consumer group")
    worker_batch_events: int = Field(
        20_000, ge=1, le=100_000, description="about how many events a worker writes at once"
    )
    worker_linger_seconds: float = Field(
        0.5, gt=0, le=60, description="how long a worker waits for a full batch"
    )
    worker_host: str = Field(
        "127.0.0.1", description="address of a worker's and the scheduler's metrics and health"
    )
    worker_port: int = Field(9108, ge=0, le=65535, description="its port; 0 picks a free one")
    stall_seconds: float = Field(
        120.0, gt=0, description="a worker with work whose committed offset stands still for so long is ended"
    )
    dead_letter_limit: int = Field(
        1_000, ge=1, description="so many refused events in a row stop a partition instead of emptying it"
    )
    host: str = Field("127.0.0.1", description="address the gateway listens on")
    port: int = Field(8088, ge=0, le=65535, description="port the gateway listens on; 0 picks a free one")
    pseudonym_key: SecretStr | None = Field(
        None,
        description="key of the user pseudonyms, 16 characters or more; the same one as in the apps' SDKs",
    )
    slack_token: SecretStr | None = Field(None, description="bot token; without one messages go to files")
    slack_base_url: str = Field("https://slack.com/api/", description="where Slack's Web API is")
    tick_seconds: float = Field(
        2.0, gt=0, le=3600, description="how often alerts and the outbox are looked at"
    )
    activity: bool = Field(
        True, description="keep the cache by day and answer from it where it is exact and quicker"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="how much is logged")

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("slack_token", "pseudonym_key", "kafka_password", "kafka_ca_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        """A line left empty in `.env` is no secret."""
        return None if value == "" else value

    @field_validator("kafka")
    @classmethod
    def _names_brokers(cls, value: str) -> str:
        brokers = [broker.strip() for broker in value.split(",")] if value else []
        for broker in brokers:
            host, _, port = broker.rpartition(":")
            if not host or "/" in host or not port.isdigit() or not 0 < int(port) < 65536:
                raise ValueError("write it like broker-1:9092,broker-2:9092")
        return ",".join(brokers)

    @field_validator("slack_base_url")
    @classmethod
    def _ends_in_a_slash(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("write it like https://slack.com/api/")
        return value if value.endswith("/") else f"{value}/"

    @field_validator("data")
    @classmethod
    def _is_a_directory(cls, value: Path) -> Path:
        if value.exists() and not value.is_dir():
            raise ValueError("is a file, not a directory")
        return value

    @field_validator("clickhouse_url")
    @classmethod
    def _names_a_server(cls, value: str) -> str:
        if value:
            parts = urlsplit(value)
            if parts.scheme not in ("clickhouse", "clickhouses") or not parts.hostname or parts.port == 0:
                raise ValueError("write it like clickhouse://user:password@host:port/database")
        return value

    @field_validator("state_url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        if value:
            from sqlalchemy.engine import make_url
            from sqlalchemy.exc import ArgumentError

            try:
                make_url(value)
            except (
                ArgumentError,
                ValueError,
            ):  # a port that is none would be repeated, and be part of a password
                raise ValueError(
                    "write it like sqlite:///path or postgresql+psycopg://user@host/db"
                ) from None
        return value

    @property
    def chdb_path(self) -> Path:
        return self.data / "clickhouse"

    @property
    def outbox_path(self) -> Path:
        return self.data / "messages"

    @property
    def resolved_state_url(self) -> str:
        return self.state_url or f"sqlite:///{(self.data / 'state.db').resolve()}"
