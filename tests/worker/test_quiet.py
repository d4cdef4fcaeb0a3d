"""What the libraries under us say reaches the log, and does not fill it."""

from __future__ import annotations

import logging

import structlog

from uptake.processors.worker.quiet import Bridge, Repeats


def test_what_repeats_itself_is_said_once_in_a_while_with_how_often_it_was_left_out() -> None:
    repeats = Repeats(seconds=10.0)
    said = [repeats.judge("away", at) for at in (0.0, 1.0, 9.9, 10.0, 10.1, 20.0, 40.0)]
    assert said == [0, None, None, 2, None, 1, 0]


def test_one_thing_silences_no_other() -> None:
    repeats = Repeats(seconds=10.0)
    assert [repeats.judge(what, 0.0) for what in ("a", "b", "a")] == [0, 0, None]


def test_no_more_is_known_than_the_limit_and_the_oldest_is_forgotten_first() -> None:
    repeats = Repeats(seconds=10.0, limit=2)
    assert [repeats.judge(what, 0.0) for what in ("a", "b")] == [0, 0]
    assert repeats.judge("a", 10.0) == 0, "said again, so b is the oldest now"
    assert [repeats.judge(what, 11.0) for what in ("c", "a", "b")] == [0, None, 0]


def test_messages_of_one_template_are_the_same_whatever_they_name_and_another_logger_is_not() -> None:
    now = [0.0]
    bridge = Bridge(lambda: now[0])

    def say(name: str, node: int, level: int = logging.WARNING) -> None:
        bridge.handle(logging.LogRecord(name, level, "", 0, "no connection to node %s\n", (node,), None))

    with structlog.testing.capture_logs() as lines:
        for node in range(100):
            say("aiokafka", node)
        say("kafka", 7)
        now[0] = 10.0
        say("aiokafka", 1, logging.ERROR)
    assert [(line["of"], line["said"], line["log_level"], line.get("left_out")) for line in lines] == [
        ("aiokafka", "no connection to node 0", "warning", None),
        ("kafka", "no connection to node 7", "warning", None),
        ("aiokafka", "no connection to node 1", "error", 99),
    ]
