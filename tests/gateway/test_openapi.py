"""The OpenAPI document is sound, complete, and agrees with what the gateway really answers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route

from uptake.ingest.gateway.limits import KIB, MIB, Limits
from uptake.ingest.gateway.openapi import EXAMPLE_ANSWER, EXAMPLE_EVENT, document
from uptake.ingest.gateway.serve import HEAD_SECONDS, MAX_CONNECTIONS
from uptake.schemas.batch import (
    MAX_BATCH_EVENTS,
    MAX_EVENT_BYTES,
    Receipt,
    Rejection,
    RejectionReason,
    StoreUnavailable,
)
from uptake.schemas.codec import decode_batch
from uptake.state.keys import CACHE_FOR

DOCUMENT = document()
VERBS = ("get", "post", "put", "delete", "patch")


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from nodes(child)
    elif isinstance(value, list):
        for child in value:
            yield from nodes(child)


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, verb, item[verb]) for path, item in DOCUMENT["paths"].items() for verb in VERBS if verb in item
    ]


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Of a schema of the document, whose references point into it."""
    whole = {"components": DOCUMENT["components"], **schema}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)


PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")


def test_the_page_for_people_names_the_same_statuses_reasons_and_limits() -> None:
    rows = [line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("| ")]
    described = DOCUMENT["paths"]["/v1/events"]["post"]["responses"]
    assert {row for row in rows if row.isdigit()} == set(described)
    assert {row.strip("`") for row in rows} >= {str(reason) for reason in RejectionReason}
    assert {row.strip("`") for row in rows if row.startswith("`/")} == set(DOCUMENT["paths"]) - {"/v1/events"}
    limits = Limits()
    for said in (
        f"up to {MAX_BATCH_EVENTS} events",
        f"more than {MAX_EVENT_BYTES // KIB} KiB",
        f"more than {limits.compressed_bytes // MIB} MiB as sent, or {limits.decompressed_bytes // 10**6} MB",
        f"after {limits.body_seconds:g} s",
        f"more than {limits.requests_per_second:,.0f} requests a second",
        f"within {CACHE_FOR.seconds} seconds",
        f"within {HEAD_SECONDS:g} seconds",
        f"more than {MAX_CONNECTIONS:,} connections",
    ):
        assert said in PAGE


def test_the_example_of_a_refusal_has_the_servers_own_words() -> None:
    occurred_at = datetime.fromisoformat(EXAMPLE_EVENT["occurred_at"])
    decoded = decode_batch(
        json.dumps([EXAMPLE_EVENT] * 3 + [EXAMPLE_EVENT | {"input_tokens": -1}]).encode(), occurred_at
    )
    (refused,) = decoded.rejections
    (example,) = EXAMPLE_ANSWER["rejected"]
    assert example == {name: getattr(refused, name) for name in example}


def test_it_is_served_as_it_is(gateway: Any) -> None:
    answer = gateway.ask("GET", "/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == DOCUMENT


def test_it_has_what_openapi_3_1_requires() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert set(DOCUMENT["info"]) >= {"title", "version"}
    assert set(DOCUMENT) <= {"openapi", "info", "paths", "components", "servers", "tags", "security"}
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids)
    for path, verb, operation in operations():
        assert path.startswith("/")
        assert operation["responses"], (path, verb)
        for status, response in operation["responses"].items():
            assert status.isdigit()
            assert response["description"]
        for parameter in operation.get("parameters", []):
            assert set(parameter) >= {"name", "in", "schema"}
        for requirement in operation.get("security", []):
            assert set(requirement) <= set(DOCUMENT["components"]["securitySchemes"])


def test_every_reference_leads_somewhere() -> None:
    references = [node["$ref"] for node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)]
    assert references
    for reference in references:
        target: Any = DOCUMENT
        assert reference.startswith("#/")
        for part in reference[2:].split("/"):
            target = target[part]


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_schema_is_a_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


def test_every_route_is_described_and_nothing_else_is(gateway: Any) -> None:
    routes = {
        (route.path, method.lower())
        for route in gateway.app.routes
        if isinstance(route, Route)
        for method in route.methods or set()
        if method != "HEAD"
    }
    assert {(path, verb) for path, verb, _ in operations()} == routes


def test_every_example_is_valid() -> None:
    checked = 0
    for node in nodes(DOCUMENT["paths"]):
        if "example" in node and "schema" in node:
            validator(node["schema"]).validate(node["example"])
            checked += 1
    assert checked > 8


def test_the_example_of_a_batch_is_accepted_by_the_codec(clock: Any) -> None:
    example = DOCUMENT["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/json"]["example"]
    decoded = decode_batch(json.dumps(example).encode(), clock.now())
    assert (len(decoded.events), decoded.rejections, decoded.unknown_fields.total()) == (1, [], 0)


def test_a_schema_refuses_what_is_not_a_batch() -> None:
    batch = validator({"$ref": "#/components/schemas/Batch"})
    assert not batch.is_valid([{"type": "usage"}])
    assert not batch.is_valid({"type": "usage"})


def test_answers_are_as_described(make: Any, process: Any, keys: Any) -> None:
    def outcome(body: bytes) -> Any:
        if body == b"down":
            raise StoreUnavailable
        if body == b"bug":
            raise KeyError
        rejected = (
            (Rejection(0, RejectionReason.INVALID, "[0].app", "is required"),) if body == b"bad" else ()
        )
        return Receipt(0 if rejected else 1, 0, rejected)

    process.outcome = outcome
    gateway = make(Limits(compressed_bytes=1_000))
    slow = make(Limits(requests_per_second=0.001, burst_requests=1), monotonic=lambda: 0.0)
    slow.send(b"good")
    answers = [
        gateway.send(b"good"),
        gateway.send(b"bad"),
        gateway.send(b"down"),
        gateway.send(b"bug"),
        gateway.send(b""),
        gateway.send(b"x" * 1_001),
        gateway.send(gzip.compress(b"good"), {"Content-Encoding": "br"}),
        gateway.send(b"good", {"Authorization": "Bearer x"}),
        slow.send(b"good"),
    ]
    described = DOCUMENT["paths"]["/v1/events"]["post"]["responses"]
    for answer in answers:
        response = described[str(answer.status_code)]
        media_type = answer.headers["content-type"].partition(";")[0]
        validator(response["content"][media_type]["schema"]).validate(answer.json())
        assert ("retry-after" in answer.headers) == ("Retry-After" in response.get("headers", {}))
    assert {str(answer.status_code) for answer in answers} == set(described) - {
        "408"
    }  # that one: test_streaming
