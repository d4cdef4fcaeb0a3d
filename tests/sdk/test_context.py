"""Who, where and for what: it nests, it follows tasks, and it never leaks."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import uptake
from uptake.testing import Capture


def test_inner_overrides_outer_and_a_call_overrides_both(capture_uptake: Capture) -> None:
    with uptake.context(team="claims", use_case="letters", session="s1"):
        with uptake.context(use_case="summaries", prompt_version="v2"):
            uptake.usage()
            uptake.usage(use_case="search", team="sales")
        uptake.usage()
    uptake.usage()
    assert [
        (event.get("team"), event.get("use_case"), event.get("session_id"), event.get("prompt_version"))
        for event in capture_uptake.usage
    ] == [
        ("claims", "summaries", "s1", "v2"),
        ("sales", "search", "s1", "v2"),
        ("claims", "letters", "s1", None),
        (None, None, None, None),
    ]


def test_none_leaves_what_is_outside_and_empty_clears_it(capture_uptake: Capture) -> None:
    with uptake.context(team="claims", user="jane"):
        with uptake.context(team=None, user=None):
            uptake.usage(team=None)
        with uptake.context(team="", user=""):
            uptake.usage()
    first, second = capture_uptake.usage
    assert (first["team"], first["user_id"]) == ("claims", capture_uptake.user_id("jane"))
    assert (second["team"], second["user_id"]) == ("", "")


def test_tags_are_joined_and_frozen(capture_uptake: Capture) -> None:
    mine = {"a": "1", "b": "1"}
    with uptake.context(tags=mine), uptake.context(tags={"b": "2"}):
        mine["a"] = "changed"
        own = {"c": "3"}
        uptake.usage(tags=own)
        own["c"] = "changed"
    assert capture_uptake.usage[0]["tags"] == {"a": "1", "b": "2", "c": "3"}


def test_an_event_takes_from_the_context_only_what_its_kind_knows(capture_uptake: Capture) -> None:
    with uptake.context(data_class="internal", prompt_version="v1", provider="openai", team="claims"):
        uptake.thumb("up")
    (event,) = capture_uptake.feedback
    assert event["prompt_version"] == "v1"
    assert "data_class" not in event
    assert "provider" not in event


def test_a_context_that_is_wrong_in_part_costs_no_event(
    capture_uptake: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    with uptake.context(teem="claims", team="sales", data_class=7, user=object(), **{"jane@example.org": ""}):
        uptake.usage()
    (event,) = capture_uptake.usage
    assert event["team"] == "sales"
    assert "user_id" not in event
    assert "context() does not know teem" in caplog.text
    assert "context(data_class=...) must be text" in caplog.text
    assert "context(user_id=...) must be text, a whole number or a UUID" in caplog.text
    assert "jane" not in caplog.text


def test_tasks_do_not_leak_into_one_another(capture_uptake: Capture) -> None:
    async def serve(user: str, mine: asyncio.Event, other: asyncio.Event) -> None:
        async with uptake.context(user=user):
            mine.set()
            await asyncio.wait_for(other.wait(), 5)
            uptake.usage(request_model=user)

    async def main() -> None:
        first, second = asyncio.Event(), asyncio.Event()
        with uptake.context(team="claims"):
            await asyncio.gather(serve("jane", first, second), serve("joe", second, first))

    asyncio.run(main())
    events = {event["request_model"]: event for event in capture_uptake.usage}
    for user in ("jane", "joe"):
        assert events[user]["user_id"] == capture_uptake.user_id(user)
        assert events[user]["team"] == "claims"


def test_a_thread_of_the_app_begins_without_context(capture_uptake: Capture) -> None:
    with uptake.context(team="claims"):
        thread = threading.Thread(target=uptake.usage)
        thread.start()
        thread.join(5)
    assert "team" not in capture_uptake.usage[0]


def test_a_context_may_be_entered_again_and_inside_itself(capture_uptake: Capture) -> None:
    claims = uptake.context(team="claims")
    with claims, claims:
        pass
    with claims:
        uptake.usage()
    uptake.usage()
    assert [event.get("team") for event in capture_uptake.usage] == ["claims", None]


def test_an_exception_leaves_the_context_and_reaches_the_app(capture_uptake: Capture) -> None:
    def fails() -> None:
        with uptake.context(team="claims"):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fails()
    uptake.usage()
    assert "team" not in capture_uptake.usage[0]


def test_a_generator_that_is_closed_elsewhere_raises_nothing(capture_uptake: Capture) -> None:
    async def items() -> Any:
        with uptake.context(team="claims"):
            yield 1

    async def main() -> None:
        stream = items()
        await asyncio.create_task(anext(stream))
        await asyncio.create_task(stream.aclose())

    asyncio.run(main())
    uptake.usage()
    assert "team" not in capture_uptake.usage[0]


def test_background_work_says_that_it_is_automatic(capture_uptake: Capture) -> None:
    with uptake.context(intent="automatic"):
        uptake.usage()
    assert capture_uptake.usage[0]["intent"] == "automatic"
