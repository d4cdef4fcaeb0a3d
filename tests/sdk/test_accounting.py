"""Every event is somewhere, and the counters say where, at every moment."""

from __future__ import annotations

import threading
from typing import Any

from uptake import Retry, Stats

BOUND = 30.0
THREADS, CALLS = 8, 2_000


def adds_up(stats: Stats) -> bool:
    return stats.accepted == stats.sent + sum(stats.dropped.values()) + stats.queued


def test_accepted_is_sent_dropped_or_queued_at_every_moment(gateway: Any, make_client: Any) -> None:
    answers = [
        gateway.take,
        gateway.say(503),
        gateway.reject(0),
        gateway.reset,
        gateway.say(413),
        gateway.say(401),
    ]
    gateway.script.extend(answers * 20)
    client = make_client(gateway.url, queue_events=3_000, linger=0.0, retry=Retry(attempts=2, base=0.0))
    begin, done = threading.Barrier(THREADS + 1), threading.Event()
    wrong: list[Stats] = []

    def report() -> None:
        begin.wait(BOUND)
        for number in range(CALLS):
            if number % 10 == 0:
                client.usage(nonsense=number)
            else:
                client.usage(request_model="gpt", input_tokens=number, user=f"p{number % 50}")

    def watch() -> None:
        while not done.is_set():
            stats = client.stats()
            if not adds_up(stats):
                wrong.append(stats)

    threads = [threading.Thread(target=report) for _ in range(THREADS)]
    watcher = threading.Thread(target=watch)
    for thread in [*threads, watcher]:
        thread.start()
    begin.wait(BOUND)
    for thread in threads:
        thread.join(BOUND)
    assert client.flush(BOUND)
    done.set()
    watcher.join(BOUND)
    stats = client.stats()
    assert wrong == []
    assert adds_up(stats)
    assert stats.queued == 0
    assert stats.accepted + sum(stats.refused.values()) == THREADS * CALLS
    assert stats.dropped["unknown_field"] > 0


def test_what_was_given_up_at_close_is_not_counted_again_when_its_answer_comes(
    gateway: Any, make_client: Any
) -> None:
    answer_now, answered = threading.Event(), threading.Event()

    def late(handler: Any, request: Any) -> None:
        answer_now.wait(BOUND)
        gateway.take(handler, request)
        answered.set()

    gateway.always = late
    client = make_client(gateway.url, linger=0.0)
    client.usage(request_model="gpt")
    gateway.wait_for_requests(1)
    client.close(0.05)
    assert client.stats().dropped == {"closed": 1}
    sender = next(thread for thread in threading.enumerate() if thread is client._runtime._thread)
    answer_now.set()
    assert answered.wait(BOUND)
    sender.join(BOUND)
    assert not sender.is_alive()
    stats = client.stats()
    assert adds_up(stats)
    assert (stats.sent, stats.dropped) == (0, {"closed": 1})


def test_what_slips_in_while_closing_is_counted_as_closed(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url)
    client.close(BOUND)
    client._runtime.intake.shut = ""  # a caller that looked just before the client closed
    client._runtime.intake.running = True
    client.usage(request_model="gpt")
    client._runtime.intake.shut = "closed"
    stats = client.stats()
    assert adds_up(stats)
    assert (stats.queued, stats.dropped) == (0, {"closed": 1})
