"""A letter that is refused later waits again, whatever the clock of the gateway that refused it first."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from uptake.ingest.log.assemble import assemble
from uptake.processors.letters.box import LetterBox, Which
from uptake.processors.pipeline import Pipeline
from uptake.processors.store import Store
from uptake.processors.worker.gather import Fetched
from uptake.processors.worker.works import Letters
from uptake.schemas.batch import Batch, LogPosition
from uptake.schemas.identity import unix_ms
from uptake.schemas.letters import by_log_time
from uptake.schemas.records import Record, Topic, letter_records


def take(place: Any, records: list[Record], appended_at: datetime) -> None:
    """What a worker does with records of letters that the broker appended then."""
    work = Letters(Store(place.database))
    ms = unix_ms(appended_at)
    letters = [record for record in records if record.topic is Topic.DEAD_LETTERS]
    assert letters
    work.write(
        work.decide(
            [Fetched("dead-letters", 0, n, ms, one.headers, one.value, 1) for n, one in enumerate(letters)]
        )
    )


def refused_by_gateway(place: Any, body: bytes, at: datetime) -> list[Record]:
    return assemble(Batch(place.tenant, body, at)).records


def refused_by_worker(place: Any, body: bytes, at: datetime) -> list[Record]:
    lines: list[tuple[Batch, list[bytes]]] = []
    pipeline = Pipeline(place.workspaces.get, place.database, place.clock, letters=lines.extend)
    position = LogPosition(f"{place.tenant}.usage", 0, 7)
    pipeline.process([Batch(place.tenant, body, at, "redrive", position=position)])
    [(batch, found)] = lines
    return letter_records(batch.tenant, found, at, "worker")


def shown(box: LetterBox) -> list[Any]:
    return [row["letter_id"] for row in box.listed(Which(), 10)]


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(), timedelta(minutes=-5)], ids=str)
@pytest.mark.parametrize("again", [refused_by_worker, refused_by_gateway])
def test_what_is_refused_after_it_was_redriven_waits_again_whatever_the_gateways_clock_says(
    place: Any, ahead: timedelta, again: Any
) -> None:
    now, body = place.clock.now(), json.dumps([place.event(1, app="")]).encode()
    first = refused_by_gateway(place, body, now + ahead)
    take(place, first, now)
    [old] = place.letters()
    place.box.mark([old], now + timedelta(seconds=1))
    assert shown(place.box) == []

    take(place, first, now)
    assert shown(place.box) == [], "reading the first refusal again is no later one"

    # The gateway's clock was corrected in between, or another one answered.
    later = now + timedelta(seconds=2)
    take(place, again(place, body, later), later)
    assert shown(place.box) == [old["letter_id"]]


def test_a_version_by_log_time_changes_nothing_else_and_not_that_of_a_record_of_the_log() -> None:
    letter = {
        "letter_id": "1",
        "ver": 9,
        "payload": "\u00e9 \n",
        "log_topic": "",
        "not known": ["\ud800", None],
    }
    assert json.loads(by_log_time(letter, json.dumps(letter), 5)) == {**letter, "ver": 5}
    of_the_log = {**letter, "log_topic": "usage"}
    text = json.dumps(of_the_log)
    assert by_log_time(of_the_log, text, 5) == text.encode()
