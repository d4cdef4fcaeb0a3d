"""Around a call of a model: measured, reported, and otherwise not there."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import pytest

import uptake
from uptake import current_call
from uptake.testing import Capture

SECOND = 1_000


class Ticking:
    """A stopwatch that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Ticking:
    ticking = Ticking()
    monkeypatch.setattr("uptake.ingest.sdk.measured.stopwatch", ticking)
    return ticking


def only(capture: Capture) -> dict[str, Any]:
    (event,) = capture.usage
    return event


def test_a_block_is_measured_and_takes_what_the_app_sets(capture_uptake: Capture, watch: Ticking) -> None:
    with uptake.call(provider="openai", request_model="gpt") as call:
        watch.seconds += 0.25
        call.mark_first_token()
        watch.seconds += 1.75
        call.mark_first_token()
        call.set(response_model="gpt-1", input_tokens=10, output_tokens=5)
    event = only(capture_uptake)
    assert event["duration_ms"] == 2 * SECOND
    assert event["time_to_first_token_ms"] == 250
    assert (event["provider"], event["response_model"], event["output_tokens"]) == ("openai", "gpt-1", 5)
    assert "status" not in event


def test_an_exception_is_reported_and_reaches_the_app_untouched(capture_uptake: Capture) -> None:
    class RateLimitError(Exception):
        pass

    mine = RateLimitError("jane@example.org asked too much")
    with pytest.raises(RateLimitError) as caught, uptake.call():
        raise mine
    assert caught.value is mine
    assert caught.value.__cause__ is caught.value.__context__ is None
    event = only(capture_uptake)
    assert event["status"] == "error"
    assert event["error_type"].endswith("RateLimitError")
    assert "jane" not in str(event)


def test_the_event_has_the_time_and_the_context_of_its_start(capture_uptake: Capture) -> None:
    call = uptake.call()
    with uptake.context(team="claims"):
        call.__enter__()
    with uptake.context(team="sales"):
        call.__exit__(None, None, None)
    assert only(capture_uptake)["team"] == "claims"


def test_an_async_block_is_the_same(capture_uptake: Capture) -> None:
    async def main() -> None:
        async with uptake.call(use_case="letters") as call:
            await asyncio.sleep(0)
            call.set(output_tokens=3)

    asyncio.run(main())
    assert only(capture_uptake)["output_tokens"] == 3


def test_a_cancelled_call_is_an_error_and_stays_cancelled(capture_uptake: Capture) -> None:
    async def main() -> None:
        started = asyncio.Event()

        @uptake.call()
        async def waits() -> None:
            started.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(waits())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert only(capture_uptake)["error_type"] == "asyncio.exceptions.CancelledError"


def test_a_function_is_decorated_before_init_and_measured_each_time(capture_uptake: Capture) -> None:
    @uptake.call(use_case="letters", read=lambda answer: {"output_tokens": len(answer)})
    def draft(text: str) -> str:
        """Drafts."""
        call = current_call()
        assert call is not None
        call.set(input_tokens=len(text))
        return text * 2

    assert draft("abc") == "abcabc"
    assert draft("a") == "aa"
    assert (draft.__name__, draft.__doc__) == ("draft", "Drafts.")
    assert [(event["input_tokens"], event["output_tokens"]) for event in capture_uptake.usage] == [
        (3, 6),
        (1, 2),
    ]
    assert current_call() is None


def test_a_coroutine_function_stays_one(capture_uptake: Capture, watch: Ticking) -> None:
    @uptake.call(read=lambda answer: {"output_tokens": answer})
    async def draft() -> int:
        watch.seconds += 3
        assert current_call() is not None
        return 7

    assert inspect.iscoroutinefunction(draft)
    assert asyncio.run(draft()) == 7
    assert only(capture_uptake)["duration_ms"] == 3 * SECOND
    assert only(capture_uptake)["output_tokens"] == 7


def test_concurrent_invocations_do_not_mix(capture_uptake: Capture) -> None:
    @uptake.call()
    async def draft(number: int, ready: asyncio.Barrier) -> None:
        call = current_call()
        assert call is not None
        await ready.wait()
        call.set(input_tokens=number)

    async def main() -> None:
        ready = asyncio.Barrier(20)
        await asyncio.gather(*(draft(number, ready) for number in range(20)))

    asyncio.run(main())
    assert sorted(event["input_tokens"] for event in capture_uptake.usage) == list(range(20))


def test_a_function_that_hands_back_a_coroutine_is_measured_to_its_end(
    capture_uptake: Capture, watch: Ticking
) -> None:
    async def work(seconds: int) -> str:
        watch.seconds += seconds
        return "done"

    draft: Callable[[], Any] = uptake.call()(lambda: functools.partial(work, 2)())
    assert asyncio.run(draft()) == "done"
    assert only(capture_uptake)["duration_ms"] == 2 * SECOND


def test_a_read_that_raises_costs_its_fields_only(
    capture_uptake: Capture, caplog: pytest.LogCaptureFixture
) -> None:
    @uptake.call(use_case="letters", read=lambda answer: {"output_tokens": answer.usage})
    def draft() -> str:
        return "answer"

    assert draft() == "answer"
    assert only(capture_uptake)["use_case"] == "letters"
    assert "read= of a call raised AttributeError" in caplog.text


def test_a_generator_is_measured_to_its_last_item(capture_uptake: Capture, watch: Ticking) -> None:
    @uptake.call()
    def stream() -> Generator[str, str, int]:
        watch.seconds += 1
        assert current_call() is not None
        sent = yield "a"
        watch.seconds += 1
        yield sent
        return 7

    def reader() -> Generator[str, str, int]:
        return (yield from stream())

    assert inspect.isgeneratorfunction(stream)
    reading = reader()
    assert capture_uptake.usage == []
    assert next(reading) == "a"
    assert current_call() is None
    watch.seconds += 1
    assert reading.send("b") == "b"
    with pytest.raises(StopIteration) as end:
        next(reading)
    assert end.value.value == 7
    event = only(capture_uptake)
    assert (event["time_to_first_token_ms"], event["duration_ms"]) == (SECOND, 3 * SECOND)


def test_a_reader_that_stops_early_is_no_error(capture_uptake: Capture) -> None:
    closed = []

    @uptake.call()
    def stream() -> Generator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(current_call() is not None)

    for _ in stream():
        break
    gc.collect()
    assert closed == [True]
    assert "status" not in only(capture_uptake)


def test_what_a_reader_throws_reaches_the_generator(capture_uptake: Capture) -> None:
    @uptake.call()
    def stream() -> Generator[str]:
        try:
            yield "a"
        except ValueError:
            yield "caught"

    reading = stream()
    next(reading)
    assert reading.throw(ValueError("x")) == "caught"
    reading.close()
    assert "status" not in only(capture_uptake)


def test_a_generator_that_fails_is_an_error(capture_uptake: Capture) -> None:
    @uptake.call()
    def stream() -> Generator[int]:
        yield 1
        raise ConnectionError("lost")

    with pytest.raises(ConnectionError, match="lost"):
        list(stream())
    assert only(capture_uptake)["error_type"] == "ConnectionError"


def test_an_async_generator_is_measured_and_passes_everything_on(
    capture_uptake: Capture, watch: Ticking
) -> None:
    closed = []

    @uptake.call()
    async def stream() -> AsyncGenerator[str, str]:
        try:
            watch.seconds += 1
            assert current_call() is not None
            sent = yield "a"
            try:
                yield sent
            except ValueError:
                yield "caught"
            yield "never read"
        finally:
            closed.append(True)

    async def main() -> None:
        reading = stream()
        assert await anext(reading) == "a"
        assert current_call() is None
        assert await reading.asend("b") == "b"
        assert await reading.athrow(ValueError("x")) == "caught"
        watch.seconds += 1
        await reading.aclose()
        assert closed == [True]

    assert inspect.isasyncgenfunction(stream)
    asyncio.run(main())
    event = only(capture_uptake)
    assert (event["time_to_first_token_ms"], event["duration_ms"]) == (SECOND, 2 * SECOND)
    assert "status" not in event


def test_an_async_generator_that_ends_or_fails_says_so(capture_uptake: Capture) -> None:
    @uptake.call()
    async def stream(fails: bool) -> AsyncGenerator[int]:
        yield 1
        if fails:
            raise ConnectionError("lost")

    async def main() -> None:
        assert [item async for item in stream(False)] == [1]
        with pytest.raises(ConnectionError, match="lost"):
            [item async for item in stream(True)]

    asyncio.run(main())
    assert [event.get("error_type") for event in capture_uptake.usage] == [None, "ConnectionError"]


def test_a_stream_object_inside_a_block_marks_the_first_token(
    capture_uptake: Capture, watch: Ticking
) -> None:
    def chunks() -> Generator[int]:
        watch.seconds += 1
        yield 1
        watch.seconds += 1
        yield 2

    async def achunks() -> AsyncGenerator[int]:
        for chunk in chunks():
            yield chunk

    async def main() -> None:
        async with uptake.call() as call:
            assert [chunk async for chunk in call.astream(achunks())] == [1, 2]

    with uptake.call() as call:
        assert list(call.stream(chunks())) == [1, 2]
    asyncio.run(main())
    assert [(e["time_to_first_token_ms"], e["duration_ms"]) for e in capture_uptake.usage] == [
        (SECOND, 2 * SECOND)
    ] * 2


def test_a_call_of_more_than_a_day_goes_without_its_duration(capture_uptake: Capture, watch: Ticking) -> None:
    with uptake.call():
        watch.seconds += 90_000
    assert "duration_ms" not in only(capture_uptake)
