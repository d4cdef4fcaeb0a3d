"""What the gateway counts. One registry for each app, no label whose values a sender can choose."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from uptake.schemas.batch import Receipt, RejectionReason


class MetricName(StrEnum):
    """Every metric at /metrics. Counters get Prometheus' `_total` at their end; the last two are the service's."""

    REQUESTS = "uptake_gateway_requests"  # answered, by route and status
    ABANDONED = "uptake_gateway_abandoned_requests"  # the client went away before its body was complete
    AUTH_FAILURES = "uptake_gateway_auth_failures"  # by reason: missing, malformed, refused
    RATE_LIMITED = "uptake_gateway_rate_limited"  # requests refused because their key sends too fast
    ACCEPTED = "uptake_gateway_events_accepted"  # events that became durable
    DUPLICATES = "uptake_gateway_events_duplicate"  # events that were durable before
    REJECTED = "uptake_gateway_events_rejected"  # events refused, by reason
    UNKNOWN_FIELDS = "uptake_gateway_unknown_fields"  # fields that this server does not know and ignored
    BAD_REPORTS = "uptake_gateway_bad_client_reports"  # unusable Uptake-Client-… headers; the events count
    BODY_BYTES = "uptake_gateway_body_bytes"  # decompressed size of a batch
    PROCESS_SECONDS = "uptake_gateway_process_seconds"  # one call that makes a group of batches durable
    GROUP_REQUESTS = "uptake_gateway_group_requests"  # requests joined into one such call
    WAITING_EVENTS = "uptake_gateway_waiting_events"  # taken and not yet durable (about)
    WAITING_BYTES = "uptake_gateway_waiting_bytes"  # memory of the bodies being read or waiting
    FAILING_STEPS = "uptake_alerts_failing_steps"  # budgets, findings, digests that could not be looked at
    UNDELIVERED = "uptake_alerts_undelivered_messages"  # said, and not yet or never delivered


AUTH_FAILURES = ("missing", "malformed", "refused")
_BYTES = (1e3, 4e3, 16e3, 64e3, 256e3, 1e6, 4e6, 16e6)
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_GROUP = (1, 2, 5, 10, 20, 50, 100, 200)


class Metrics:
    """The gateway's counters. Safe to use from several threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter(MetricName.REQUESTS, "Requests answered", "route", "status")
        self.abandoned = self._counter(MetricName.ABANDONED, "Clients gone before their body was complete")
        self.auth_failures = self._counter(
            MetricName.AUTH_FAILURES, "Requests without a working key", "reason"
        )
        self.rate_limited = self._counter(MetricName.RATE_LIMITED, "Requests over their key's rate")
        self._accepted = self._counter(MetricName.ACCEPTED, "Events made durable")
        self._duplicates = self._counter(MetricName.DUPLICATES, "Events that were durable before")
        self._rejected = self._counter(MetricName.REJECTED, "Events refused", "reason")
        self._unknown = self._counter(MetricName.UNKNOWN_FIELDS, "Fields ignored because they are not known")
        self.bad_reports = self._counter(MetricName.BAD_REPORTS, "Unusable Uptake-Client headers")
        self.body_bytes = Histogram(
            MetricName.BODY_BYTES, "Decompressed bytes of a batch", registry=self.registry, buckets=_BYTES
        )
        self._process = Histogram(
            MetricName.PROCESS_SECONDS,
            "Seconds to make a group durable",
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._group = Histogram(
            MetricName.GROUP_REQUESTS, "Requests joined in one call", registry=self.registry, buckets=_GROUP
        )
        for reason in AUTH_FAILURES:  # a series that exists at 0 lets an alert see its first step
            self.auth_failures.labels(reason)
        for rejection in RejectionReason:
            self._rejected.labels(rejection.value)

    def _counter(self, name: MetricName, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def watch(self, name: MetricName, text: str, value: Callable[[], float]) -> None:
        """A gauge that is read when it is asked for."""
        Gauge(name, text, registry=self.registry).set_function(value)

    def receipt(self, receipt: Receipt) -> None:
        self._accepted.inc(receipt.accepted)
        self._duplicates.inc(receipt.duplicates)
        for rejection in receipt.rejections:
            self._rejected.labels(rejection.reason.value).inc()
        self._unknown.inc(receipt.unknown_fields.total())

    def group(self, requests: int, events: int, seconds: float) -> None:
        """For `GroupCommit(observe=…)`."""
        self._process.observe(seconds)
        self._group.observe(requests)

    def exposition(self) -> tuple[bytes, str]:
        """Prometheus' text format, and its media type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
