"""What an operator asks of the gateway: alive, ready, figures."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from uptake.ingest.gateway.metrics import MetricName
from uptake.schemas.batch import Receipt, Rejection, RejectionReason


def test_alive_is_alive_whatever_is_ready(make: Any) -> None:
    gateway = make(readiness=lambda: {"clickhouse": "does not answer"})
    assert gateway.ask("GET", "/healthz").json() == {"status": "ok"}


def test_ready_names_each_component(make: Any) -> None:
    answer = make(readiness=lambda: {"clickhouse": "ok", "state": "ok"}).ask("GET", "/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "components": {"clickhouse": "ok", "state": "ok"}}


def test_one_component_that_is_not_ready_is_a_503_with_the_reason(make: Any) -> None:
    answer = make(readiness=lambda: {"clickhouse": "ok", "state": "disk full"}).ask("GET", "/readyz")
    assert answer.status_code == 503
    assert answer.json()["components"]["state"] == "disk full"
    assert int(answer.headers["retry-after"]) >= 1


def test_a_readiness_check_that_fails_is_not_ready_and_says_nothing_secret(make: Any) -> None:
    def broken() -> dict[str, str]:
        raise RuntimeError("password=hunter2")

    answer = make(readiness=broken).ask("GET", "/readyz")
    assert answer.status_code == 500
    assert "hunter2" not in answer.text


def families(gateway: Any) -> dict[str, Any]:
    answer = gateway.ask("GET", "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def test_every_metric_that_is_declared_is_exposed_and_no_other(gateway: Any) -> None:
    gateway.send(b"[]")
    exposed = {name for name in families(gateway) if not name.endswith("_created")}
    own = {str(name) for name in MetricName if name.startswith("uptake_gateway_")}
    assert exposed == own, "the others are the service's"


def test_events_are_counted_by_what_became_of_them(gateway: Any, process: Any) -> None:
    process.outcome = lambda _: Receipt(
        5, 2, tuple(Rejection(i, RejectionReason.FUTURE, "", "") for i in range(3)), Counter(a=1, b=4)
    )
    gateway.send(b"[]")
    assert gateway.metric("uptake_gateway_events_accepted_total") == 5
    assert gateway.metric("uptake_gateway_events_duplicate_total") == 2
    assert gateway.metric("uptake_gateway_events_rejected_total", reason="future") == 3
    assert gateway.metric("uptake_gateway_events_rejected_total", reason="invalid") == 0
    assert gateway.metric("uptake_gateway_unknown_fields_total") == 5
    assert gateway.metric("uptake_gateway_group_requests_sum") == 1
    assert gateway.metric("uptake_gateway_process_seconds_count") == 1
    assert gateway.metric("uptake_gateway_body_bytes_sum") == 2


def test_requests_are_counted_by_route_and_status(gateway: Any) -> None:
    gateway.send(b"[]")
    gateway.send(b"[]", {"Authorization": ""})
    gateway.ask("GET", "/nothing")
    gateway.ask("GET", "/healthz")
    values = {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for sample in families(gateway)["uptake_gateway_requests"].samples
        if sample.name.endswith("_total")
    }
    assert values == {
        ("/v1/events", "200"): 1,
        ("/v1/events", "401"): 1,
        ("other", "404"): 1,
        ("/healthz", "200"): 1,
    }


def test_no_sender_can_choose_a_label(gateway: Any, process: Any) -> None:
    process.outcome = lambda _: Receipt(1, 0, (), Counter({"hunter2": 1}))
    for path in ("/hunter2", "/v1/events?hunter2"):
        gateway.ask("POST", path, headers={"Authorization": "Bearer hunter2", "Uptake-Client-Id": "hunter2"})
    gateway.send(b'["hunter2"]', {"Uptake-Client-Id": "hunter2"})
    text = gateway.ask("GET", "/metrics").text
    assert "hunter2" not in text
    assert "acme" not in text
    labels = set(re.findall(r"(\w+)=\"", text))
    assert labels == {"route", "status", "reason", "le"}
