"""What the scheduler counts, and what its audit found. One registry a process."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest

from uptake.distributed.audit_report import AuditReport, Cause
from uptake.processors.audit import Span, holes


class MetricName(StrEnum):
    """Every metric at the scheduler's /metrics. Counters get Prometheus' `_total` at their end."""

    ACTIVE = "uptake_scheduler_active"  # 1 in the process that acts, 0 in one that waits
    FAILING_JOBS = "uptake_scheduler_failing_jobs"  # jobs whose last run failed
    FAILING_STEPS = "uptake_alerts_failing_steps"  # budgets, findings, digests that could not be looked at
    UNDELIVERED = "uptake_alerts_undelivered_messages"  # said, and not yet or never delivered
    AUDIT_AT = "uptake_audit_last_timestamp_seconds"  # when the audit last looked at everything new
    AUDIT_SECONDS = "uptake_audit_seconds"  # how long that took
    HOLES = "uptake_audit_hole_records"  # records where a promise was broken, by cause
    UNHEALED = "uptake_audit_unhealed_records"  # of them, not yet healed
    RESTORED = "uptake_audit_restored_events"  # events written again
    QUARANTINED = "uptake_audit_quarantined_events"  # events whose id other content had, found by the audit
    LAG = "uptake_log_lag_records"  # in the log and not committed, by topic


class SchedulerMetrics:
    """Safe to use from several threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._audit_at = self._gauge(MetricName.AUDIT_AT, "Unix time of the last audit")
        self._audit_seconds = self._gauge(MetricName.AUDIT_SECONDS, "Seconds that the last audit took")
        self._unhealed = self._gauge(MetricName.UNHEALED, "Records that are wrong and not yet healed")
        self._lag = Gauge(MetricName.LAG, "Records that wait for a worker", ["topic"], registry=self.registry)
        self._holes = Counter(
            MetricName.HOLES, "Records where something was wrong", ["cause"], registry=self.registry
        )
        self._restored = Counter(MetricName.RESTORED, "Events written again", registry=self.registry)
        self._quarantined = Counter(
            MetricName.QUARANTINED, "Conflicts found by the audit", registry=self.registry
        )
        for cause in Cause:  # a series that exists at 0 lets an alert see its first step
            self._holes.labels(cause.value)
        self._waiting: dict[tuple[str, int], list[Span]] = {}

    def watch(self, name: MetricName, text: str, value: Callable[[], float]) -> None:
        """A gauge that is read when it is asked for."""
        self._gauge(name, text).set_function(value)

    def audited(self, report: AuditReport, seconds: float) -> None:
        self._audit_at.set(report.at.timestamp())
        self._audit_seconds.set(seconds)
        self._unhealed.set(report.unhealed)
        self._restored.inc(report.restored)
        self._quarantined.inc(report.quarantined)
        for hole in report.holes:
            # What could not be healed the last time was counted then.
            known = self._waiting.get((hole.topic, hole.partition), [])
            new = sum(span.length for span in holes(Span(hole.first, hole.after), known))
            self._holes.labels(hole.cause.value).inc(new)
        self._waiting = {}
        for hole in report.holes:
            if not hole.healed and hole.cause is not Cause.LOST:
                place = hole.topic, hole.partition
                self._waiting.setdefault(place, []).append(Span(hole.first, hole.after))
        for topic, records in report.lag.items():
            self._lag.labels(topic).set(records)

    def exposition(self) -> tuple[bytes, str]:
        """Prometheus' text format, and its media type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def _gauge(self, name: MetricName, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)
