"""What a client with `send_text` lets leave, and that no other client does."""

from __future__ import annotations

from typing import Any

import pytest

import uptake
from uptake.ingest.sdk.compose import MAX_EVENT_BYTES
from uptake.ingest.sdk.rules import MAX_TEXT
from uptake.schemas import events
from uptake.testing import Capture

BOUND = 10.0
DRAFT, FINAL = "we regret\nto refuse", "we agree"


def sent(gateway: Any, client: Any) -> dict[str, Any]:
    assert client.flush(BOUND)
    event: dict[str, Any] = gateway.events[-1]
    return event


def test_texts_go_with_edits_and_decisions_of_a_client_that_sends_them(
    gateway: Any, make_client: Any
) -> None:
    client = make_client(gateway.url, send_text=True)
    client.decision("edited", draft=DRAFT, final=FINAL)
    decision = sent(gateway, client)
    client.edit(DRAFT, "")
    edit = sent(gateway, client)
    assert (decision["draft_text"], decision["final_text"]) == (DRAFT, FINAL)
    assert (decision["severity"], decision["draft_tokens"], decision["final_tokens"]) == (0.75, 4, 2)
    assert (edit["draft_text"], edit["final_text"]) == (DRAFT, "")
    assert client.stats().texts_left_out == 0


def test_no_other_client_sends_a_text_not_even_one_that_is_named_as_the_contract_does(
    gateway: Any, make_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(gateway.url)
    client.decision("edited", draft=DRAFT, final=FINAL)
    client.feedback("edit", severity=0.5, draft_text=DRAFT, final_text=FINAL)
    event = sent(gateway, client)
    assert (event["kind"], event["severity"]) == ("edit", 0.5)
    assert "regret" not in "".join(request.body.decode() for request in gateway.requests) + caplog.text
    assert (client.stats().sent, client.stats().texts_left_out) == (2, 1)


@pytest.mark.parametrize(
    "final",
    [
        "x" * (MAX_TEXT + 1),
        "😀" * (MAX_EVENT_BYTES // 4),
        '"\n' * (MAX_TEXT // 2),
        "half a character \ud800",
    ],
)
def test_texts_that_do_not_fit_are_left_out_of_an_event_that_goes(
    gateway: Any, make_client: Any, final: str
) -> None:
    client = make_client(gateway.url, send_text=True)
    draft = "d" * 1_000
    client.decision("edited", draft=draft, final=final)
    event = sent(gateway, client)
    assert event["severity"] == 1.0
    assert "draft_text" not in event, "a pair of which one half is missing trains nothing"
    assert "final_text" not in event
    assert (client.stats().sent, client.stats().texts_left_out) == (1, 1)


def test_what_else_an_event_says_stands_before_its_texts(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url, send_text=True)
    tags = {f"{n:x<128}": "😀" * 256 for n in range(16)}
    client.decision("edited", draft="d" * MAX_TEXT, final=FINAL, tags=tags)
    event = sent(gateway, client)
    assert event["tags"] == tags
    assert "draft_text" not in event
    assert client.stats().texts_left_out == 1


def test_the_longest_text_is_that_of_the_contract() -> None:
    assert MAX_TEXT == events.MAX_TEXT


def test_an_apps_own_tests_see_what_it_would_send() -> None:
    for send_text in (False, True):
        with Capture() as capture:
            uptake.init(app="letters", send_text=send_text)
            uptake.edit(DRAFT, FINAL)
            (event,) = capture.feedback
        assert ("draft_text" in event) is send_text
