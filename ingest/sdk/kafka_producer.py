"""kafka-python's producer with the manners of a guest. Importing this imports kafka-python: on the sender's thread."""

from __future__ import annotations

import contextlib
import os
import ssl
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from uptake.ingest.sdk.kafka_quiet import CLIENT_ID, hush
from uptake.ingest.sdk.kafka_target import KafkaTarget
from uptake.schemas.records import MAX_RECORD_BYTES

_ALIVE: set[GuestProducer] = set()
"""Keeps producers from the garbage collector: it would run in a forked child too, and with it a finaliser that waits
for a thread that the child does not have, and takes the parent's connections out of their selector."""


class GuestProducer(KafkaProducer):  # type: ignore[misc]  # kafka-python has no types
    """Never waits at the exit, nor in a child for what is its parent's. `seconds` bounds how long a record may take
    from `send` to its acknowledgement; `leave` ends it."""

    def __init__(self, target: KafkaTarget, seconds: float) -> None:
        hush()
        self._process = os.getpid()
        opened: list[Any] = []

        def connections(**configured: Any) -> Any:
            opened.append(KafkaNetClient(**configured))
            return opened[-1]

        try:
            super().__init__(**_configuration(target, seconds), kafka_client=connections)
        except BaseException:
            for connection in opened:
                connection.close()  # otherwise it goes on trying by itself
            raise
        _ALIVE.add(self)

    def close(self, timeout: float | None = None, null_logger: bool = False) -> None:
        """As kafka-python's, but only where it was made, and not when it is called by the exit or the collector:
        the client's own `close` has given its time by then, and the threads are daemons."""
        if self._process == os.getpid() and not null_logger:
            super().close(timeout)

    def leave(self, seconds: float) -> None:
        """Ends the producer. What it was given is settled by then, or is given up within `seconds`."""
        for patience in (0.0, seconds):  # kafka-python stops half-way where something is not settled in time
            with contextlib.suppress(KafkaError):
                self.close(patience)
                break
        _ALIVE.discard(self)


def _configuration(target: KafkaTarget, seconds: float) -> dict[str, Any]:
    milliseconds = int(seconds * 1000)
    said: dict[str, Any] = {
        "bootstrap_servers": list(target.brokers),
        "client_id": CLIENT_ID,
        "acks": "all",
        "enable_idempotence": True,
        "allow_auto_create_topics": False,
        "compression_type": "gzip",
        "bootstrap_timeout_ms": milliseconds // 2,
        "max_block_ms": milliseconds // 2,
        "request_timeout_ms": milliseconds // 2,
        "delivery_timeout_ms": milliseconds,
        "reconnect_backoff_max_ms": 2_000,
        "max_request_size": MAX_RECORD_BYTES + 100 * 1024,
        "metrics_enabled": False,
        "security_protocol": target.security,
    }
    if target.security.endswith("SSL"):
        said["ssl_context"] = ssl.create_default_context(cafile=target.ca_file or None)
    if target.security.startswith("SASL"):
        said["sasl_mechanism"] = target.mechanism
        said["sasl_plain_username"] = target.username
        said["sasl_plain_password"] = target.password
    return said
