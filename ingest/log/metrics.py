"""What the way into the log counts, in the registry of whoever serves metrics."""

from __future__ import annotations

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter

from uptake.ingest.log.appender import Appended


class LogMetricName(StrEnum):
    """Counters; Prometheus' `_total` comes at their end."""

    RECORDS = "uptake_log_records"  # acknowledged by Kafka
    FAILED = "uptake_log_failed_records"  # not acknowledged in time: their batches were answered 503
    PRODUCERS = "uptake_log_replaced_producers"  # producers that would not have recovered


class LogMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._records = Counter(LogMetricName.RECORDS, "Records acknowledged", registry=registry)
        self._failed = Counter(LogMetricName.FAILED, "Records not acknowledged", registry=registry)
        self._producers = Counter(LogMetricName.PRODUCERS, "Producers replaced", registry=registry)

    def appended(self, told: Appended) -> None:
        """For `LogWriter(observe=…)`."""
        self._records.inc(told.acknowledged)
        self._failed.inc(told.failed)
        self._producers.inc(told.replaced)
