"""What never leaves the app: a person's name, and what they wrote."""

from __future__ import annotations

import logging
import uuid
from typing import Any

import pytest

from uptake.schemas.pseudonym import pseudonym

BOUND = 10.0
KEY = "a key of sixteen or more"


def wire(gateway: Any) -> str:
    return "".join(request.body.decode() + str(request.headers) for request in gateway.requests)


def test_a_person_leaves_as_a_pseudonym_only(
    gateway: Any, make_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = make_client(gateway.url)
    client.usage(user="Jane.Doe@example.org ")
    client.usage(user_id="jane.doe@example.org")
    client.decision("rejected", user=4711, reviewer="boss@example.org")
    with client.context(user="jane.doe@example.org"):
        client.usage()
        client.usage(user="other@example.org")
    assert client.flush(BOUND)
    jane = pseudonym(KEY, "jane.doe@example.org")
    assert [event.get("user_id") for event in gateway.events] == [
        jane,
        jane,
        pseudonym(KEY, "4711"),
        jane,
        pseudonym(KEY, "other@example.org"),
    ]
    assert gateway.events[2]["reviewer_id"] == pseudonym(KEY, "boss@example.org")
    for name in ("jane", "boss", "other@", "4711"):
        assert name not in wire(gateway).lower()
        assert name not in caplog.text.lower()


def test_without_a_key_the_person_is_left_out_and_that_is_counted(
    gateway: Any, make_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(gateway.url, pseudonym_key=None)
    known = "p_" + "0" * 32
    with client.context(user="jane@example.org"):
        client.usage()
    client.usage(user=uuid.uuid4())
    client.usage(user=known)
    client.usage()
    assert client.flush(BOUND)
    assert [event.get("user_id") for event in gateway.events] == [None, None, known, None]
    assert client.stats().people_left_out == 2
    assert client.stats().sent == 4
    assert "jane" not in wire(gateway) + caplog.text
    assert caplog.text.count("pseudonym key") == 1


def test_a_key_that_is_too_short_is_no_key(
    gateway: Any, make_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(gateway.url, pseudonym_key="short")
    client.usage(user="jane@example.org")
    assert client.flush(BOUND)
    assert "user_id" not in gateway.events[0]
    assert "fewer than 16 characters" in caplog.text
    assert "short" not in caplog.text


def test_the_text_of_an_edit_stays_in_the_app(
    gateway: Any, make_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = make_client(gateway.url)
    client.edit("Dear marmalade we regret", "Dear marmalade we are glad", reasons=["wrong_tone"])
    client.decision("edited", draft="marmalade one", final="marmalade two")
    client.usage(draft="marmalade", final="marmalade")
    client.feedback("edit", draft="marmalade", final=None)
    client.thumb("up", draft="marmalade", final="marmalade")
    assert client.flush(BOUND)
    first, second, third = gateway.events
    assert (first["severity"], first["draft_tokens"], first["final_tokens"]) == (0.4, 4, 5)
    assert (second["severity"], second["decision"]) == (0.5, "edited")
    assert third["kind"] == "thumb"
    assert "marmalade" not in wire(gateway) + caplog.text


def test_secrets_are_in_no_representation(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url, on_drop=lambda reason, count: None)
    client.usage(user="jane")
    shown = repr(client) + repr(client.stats()) + repr(client._runtime._sender._delivery)
    assert "secret" not in shown
    assert KEY not in shown


def test_what_waits_in_the_queue_names_nobody(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url, linger=3600)
    client.usage(user="jane@example.org", user_id="jane@example.org")
    with client.context(user="jane@example.org"):
        client.usage()
    assert len(client._runtime.intake) == 2
    assert "jane" not in repr(list(client._runtime.intake._queue))
