"""What a worker counts. One registry a process, no label whose values a sender can choose."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from uptake.processors.worker.acks import Place
from uptake.processors.worker.work import Decided, Done
from uptake.schemas.batch import RejectionReason


class MetricName(StrEnum):
    """Every metric at a worker's /metrics. Counters get Prometheus' `_total` at their end."""

    LAG = "uptake_worker_lag_records"  # in the log and not committed, by topic and partition, of its own partitions
    COMMITTED = "uptake_worker_committed_offset"  # the same partitions' committed offsets
    STOPPED = "uptake_worker_stopped_partitions"  # stand still because they refused too much in a row
    TAKE_EVENTS = "uptake_worker_take_events"  # events written at once, by agent
    WRITE_SECONDS = "uptake_worker_write_seconds"  # one take into ClickHouse, by agent
    ACCEPTED = "uptake_worker_events_accepted"  # became rows
    DUPLICATES = "uptake_worker_events_duplicate"  # were rows before
    REJECTED = "uptake_worker_events_rejected"  # went to the dead letters, by reason
    LETTERS = "uptake_worker_letters_written"  # dead letters that became rows
    COMMITS = "uptake_worker_commits"  # offsets given to Kafka
    RETRIES = "uptake_worker_retries"  # takes the store did not take at once, by agent
    REBALANCES = "uptake_worker_rebalances"  # times that all partitions were given back
    MENDED = "uptake_worker_order_mended"  # records that came out of order and were fetched again
    FRESHNESS = (
        "uptake_worker_freshness_seconds"  # now minus the broker's time of the newest committed record
    )
    DELAY = "uptake_worker_delay_seconds"  # from the broker's time of a take's oldest record to its row


EVENTS_AGENT, LETTERS_AGENT = "events", "dead-letters"
AGENTS = (EVENTS_AGENT, LETTERS_AGENT)
_EVENTS = (1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_DELAYS = (0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3_600.0)

Now = Callable[[], float]


class Metrics(Collector):
    """Safe to use from several threads. An `Observer` of the conveyors."""

    def __init__(self, now: Now) -> None:
        """`now` is the wall clock in Unix seconds."""
        self._now = now
        self.registry = CollectorRegistry()
        self._lock = threading.Lock()
        self._lag: dict[Place, int] = {}
        self._committed: dict[Place, int] = {}
        self._newest: dict[Place, list[tuple[int, int]]] = {}
        self._newest_ms = 0
        self._accepted = self._counter(MetricName.ACCEPTED, "Events that became rows")
        self._duplicates = self._counter(MetricName.DUPLICATES, "Events that were rows before")
        self._rejected = self._counter(MetricName.REJECTED, "Events refused", "reason")
        self._letters = self._counter(MetricName.LETTERS, "Dead letters that became rows")
        self._commits = self._counter(MetricName.COMMITS, "Commits of offsets")
        self._retries = self._counter(
            MetricName.RETRIES, "Takes that the store did not take at once", "agent"
        )
        self.rebalances = self._counter(MetricName.REBALANCES, "Times that all partitions were given back")
        self.mended = self._counter(MetricName.MENDED, "Records that came out of order")
        self.stopped = Gauge(MetricName.STOPPED, "Partitions that stand still", registry=self.registry)
        self._take = self._histogram(MetricName.TAKE_EVENTS, "Events written at once", _EVENTS, "agent")
        self._write = self._histogram(MetricName.WRITE_SECONDS, "Seconds to write a take", _SECONDS, "agent")
        self._delay = self._histogram(MetricName.DELAY, "Seconds from the log to a row", _DELAYS)
        for reason in RejectionReason:  # a series that exists at 0 lets an alert see its first step
            self._rejected.labels(reason.value)
        for agent in AGENTS:
            self._retries.labels(agent)
        self.registry.register(self)

    def _counter(self, name: MetricName, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _histogram(self, name: MetricName, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=buckets)

    def written(self, name: str, decided: Decided, done: Done, seconds: float) -> None:
        self._take.labels(name).observe(decided.events)
        self._write.labels(name).observe(seconds)
        if name == LETTERS_AGENT:
            self._letters.inc(done.accepted)
            return
        self._accepted.inc(done.accepted)
        self._duplicates.inc(done.duplicates)
        for reason, count in done.rejected.items():
            self._rejected.labels(reason).inc(count)
        if decided.records:
            oldest = min(record.appended_ms for record in decided.records) / 1000
            self._delay.observe(max(0.0, self._now() - oldest))
        newest: dict[Place, tuple[int, int]] = {}
        for record in decided.records:
            newest[record.place] = (record.offset, record.appended_ms)
        with self._lock:
            for place, at in newest.items():
                self._newest.setdefault(place, []).append(at)

    def retried(self, name: str) -> None:
        self._retries.labels(name).inc()

    def committed(self, offsets: Mapping[Place, int]) -> None:
        self._commits.inc()
        with self._lock:
            for place, offset in offsets.items():
                waiting = self._newest.get(place, [])
                for at, appended_ms in waiting:
                    if at < offset:
                        self._newest_ms = max(self._newest_ms, appended_ms)
                self._newest[place] = [(at, ms) for at, ms in waiting if at >= offset]

    def look(self, committed: Mapping[Place, int], lag: Mapping[Place, int]) -> None:
        """What the watchdog saw last."""
        with self._lock:
            self._committed, self._lag = dict(committed), dict(lag)

    def freshness(self) -> float | None:
        """Seconds since the broker took the newest committed record of events; None before there is one."""
        return None if not self._newest_ms else max(0.0, self._now() - self._newest_ms / 1000)

    def revoked(self) -> None:
        self.rebalances.inc()
        with self._lock:
            self._newest.clear()
            self._committed, self._lag = {}, {}

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            committed, lag = self._committed, self._lag
        lags = GaugeMetricFamily(MetricName.LAG, "Records not committed", labels=["topic", "partition"])
        offsets = GaugeMetricFamily(MetricName.COMMITTED, "Committed offset", labels=["topic", "partition"])
        for place, records in lag.items():
            lags.add_metric([place[0], str(place[1])], records)
        for place, offset in committed.items():
            offsets.add_metric([place[0], str(place[1])], offset)
        fresh = GaugeMetricFamily(MetricName.FRESHNESS, "Age of the newest committed record")
        age = self.freshness()
        if age is not None:
            fresh.add_metric([], age)
        return [lags, offsets, fresh]

    def exposition(self) -> tuple[bytes, str]:
        """Prometheus' text format, and its media type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
