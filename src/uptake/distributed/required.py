"""What settings a process of the distributed mode cannot do without, said before it begins."""

from __future__ import annotations

from uptake import kafka
from uptake.errors import UsageError
from uptake.settings import Settings


def check(settings: Settings) -> None:
    """Raises UsageError where no Kafka or no ClickHouse server is set. Without a server each process would quietly
    have an engine of its own, and the events would be spread over all of them."""
    kafka.check(settings)
    if not settings.clickhouse_url:
        raise UsageError("no ClickHouse is set", "set UPTAKE_CLICKHOUSE_URL: workers and scheduler share it")
