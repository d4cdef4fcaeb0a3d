"""Every 4xx says what and where, gives a remedy, and repeats nothing that was refused."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest

from uptake.errors import UnavailableError
from uptake.ingest.gateway.limits import Limits
from uptake.ingest.gateway.problems import STATUS, ProblemKind

SECRET = "hunter2-alice@example.org"


def assert_problem(answer: Any, status: int) -> dict[str, Any]:
    document: dict[str, Any] = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(document) == {"type", "title", "status", "detail", "hint", "instance"}
    assert document["status"] == status
    assert document["type"].startswith("urn:uptake:problem:")
    assert all(document[part] for part in ("title", "detail", "hint"))
    assert document["instance"] == "urn:uuid:" + answer.headers["uptake-request-id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["uptake-request-id"])
    assert SECRET not in answer.text
    return document


def test_without_a_key_nothing_is_read(make: Any) -> None:
    gateway = make()
    pulled = []

    async def body() -> Any:
        pulled.append(1)
        yield b"[]"

    document = assert_problem(gateway.send(body(), {"Authorization": ""}), 401)
    assert "uptake keys create" in document["hint"]
    assert gateway.metric("uptake_gateway_auth_failures_total", reason="missing") == 1
    # httpx's own transport hands over the body only when the app asks for it.
    assert pulled == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (SECRET, "malformed"),
        ("Bearer", "malformed"),
        (f"Basic {SECRET}", "malformed"),
        (f"Bearer {SECRET}", "refused"),
        (f"Bearer upt_x_{SECRET}", "refused"),
        ("Bearer upt_x_" + "0" * 5_000, "refused"),
    ],
)
def test_a_key_that_does_not_work_is_a_401_with_a_challenge(gateway: Any, value: str, reason: str) -> None:
    answer = gateway.send(b"[]", {"Authorization": value})
    assert_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith('Bearer realm="uptake"')
    assert gateway.metric("uptake_gateway_auth_failures_total", reason=reason) == 1


def test_a_revoked_key_does_not_work(gateway: Any, keys: Any) -> None:
    assert gateway.send(b"[]").status_code == 200
    keys.revoke(keys.list()[0].key_id)
    assert_problem(gateway.send(b"[]"), 401)


def test_the_scheme_s_case_does_not_matter(gateway: Any) -> None:
    assert gateway.send(b"[]", {"Authorization": f"bearer  {gateway.token}"}).status_code == 200


def test_a_state_store_that_does_not_answer_is_a_503_and_no_401(
    gateway: Any, keys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(token: str) -> None:
        raise UnavailableError(SECRET)

    monkeypatch.setattr(keys, "identify", down)
    answer = gateway.send(b"[]")
    assert_problem(answer, 503)
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    "value", ["", "text/plain", "application/json; charset=latin-1", SECRET, "application/x-ndjson"]
)
def test_what_is_not_json_is_a_415_that_says_what_is_accepted(gateway: Any, value: str) -> None:
    answer = gateway.send(b"[]", {"Content-Type": value})
    assert_problem(answer, 415)
    assert answer.headers["accept"] == "application/json"


@pytest.mark.parametrize(
    "value", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"; x=y']
)
def test_json_may_say_its_charset(gateway: Any, value: str) -> None:
    assert gateway.send(b"[]", {"Content-Type": value}).status_code == 200


@pytest.mark.parametrize("value", ["br", "deflate", "gzip, gzip", "zstd", SECRET])
def test_an_unknown_encoding_is_a_415_that_says_what_is_accepted(gateway: Any, value: str) -> None:
    answer = gateway.send(b"[]", {"Content-Encoding": value})
    document = assert_problem(answer, 415)
    assert answer.headers["accept-encoding"] == "gzip, identity"
    assert "gzip, identity" in document["hint"]


@pytest.mark.parametrize(
    ("content", "encoding", "status", "what"),
    [
        (SECRET.encode(), "gzip", 400, "not valid gzip"),
        (gzip.compress(b"[]", mtime=0)[:-2], "gzip", 400, "ends before its end"),
        (b"", "identity", 400, "empty"),
        (b" " * 1_001, "identity", 413, "1000 bytes"),
        (gzip.compress(b" " * 2_001, mtime=0), "gzip", 413, "2000 bytes"),
    ],
)
def test_a_body_that_cannot_be_taken_says_why(
    make: Any, process: Any, content: bytes, encoding: str, status: int, what: str
) -> None:
    gateway = make(Limits(compressed_bytes=1_000, decompressed_bytes=2_000))
    document = assert_problem(gateway.send(content, {"Content-Encoding": encoding}), status)
    assert what in document["detail"]
    assert process.calls == []


def test_a_key_that_sends_too_fast_is_told_how_long_to_wait(make: Any, keys: Any) -> None:
    now = [0.0]
    gateway = make(Limits(requests_per_second=0.5, burst_requests=2), monotonic=lambda: now[0])
    assert [gateway.send(b"[]").status_code for _ in range(2)] == [200, 200]
    answer = gateway.send(b"[]")
    assert_problem(answer, 429)
    assert answer.headers["retry-after"] == "2"
    other = keys.create("acme", "another").token
    assert gateway.send(b"[]", {"Authorization": f"Bearer {other}"}).status_code == 200
    now[0] += 2.0
    assert gateway.send(b"[]").status_code == 200
    assert gateway.metric("uptake_gateway_rate_limited_total") == 1


@pytest.mark.parametrize("path", ["/", "/v1/events/", "/v1", "/docs", "/" + SECRET])
def test_an_unknown_path_is_a_404(gateway: Any, path: str) -> None:
    assert_problem(gateway.ask("POST", path, content=b"[]"), 404)


@pytest.mark.parametrize(
    ("method", "path", "allow"), [("GET", "/v1/events", "POST"), ("POST", "/healthz", "GET")]
)
def test_a_wrong_method_is_a_405_that_names_the_right_one(
    gateway: Any, method: str, path: str, allow: str
) -> None:
    answer = gateway.ask(method, path)
    assert_problem(answer, 405)
    assert allow in answer.headers["allow"]


def test_every_kind_of_problem_has_a_status_of_its_own() -> None:
    assert set(STATUS) == set(ProblemKind)
    assert len(set(STATUS.values())) == len(STATUS)
