"""What was refused is sent again, once and whole, and waits again where it is refused again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from uptake.processors.letters.box import PAGE, Which
from uptake.processors.letters.redrive import SOURCE, Mended, redrive
from uptake.schemas.batch import Batch, Receipt, StoreUnavailable


def waiting(place: Any, **which: Any) -> Any:
    return map(Mended, place.box.waiting(Which(**which)))


def encoded(*events: Any) -> list[bytes]:
    return [json.dumps(one).encode() for one in events]


def test_letters_of_a_tenant_that_has_a_workspace_now_are_counted(place: Any) -> None:
    workspace = place.workspaces.pop(place.tenant)
    place.refuse(place.event(1), place.event(2), offset=0)
    assert place.usage() == []
    place.workspaces[place.tenant] = workspace
    report = redrive(place.box, waiting(place), place.send, place.clock)
    assert (report.letters, report.sent, report.accepted, report.refused) == (2, 2, 2, [])
    assert len(place.usage()) == 2
    assert place.letters() == []


def test_what_is_refused_again_as_it_was_waits_with_its_new_reason(place: Any) -> None:
    place.refuse(place.event(1, app=""), offset=0)
    place.pipeline.process([place.batch(place.event(1))])
    first = place.letters()[0]
    place.refuse(place.event(2, schema_version=9))
    report = redrive(place.box, waiting(place), place.send, place.clock)
    assert [one.reason for one in sorted(report.refused, key=lambda r: r.reason)] == [
        "invalid",
        "unsupported_version",
    ]
    assert report.sent == 0
    letters = place.letters()
    assert {letter["source"] for letter in letters} == {SOURCE}
    [same] = [letter for letter in letters if letter["letter_id"] == first["letter_id"]]
    assert same["ver"] > first["ver"]


def test_a_mended_event_that_is_refused_leaves_its_own_letter_and_the_old_one_is_done(place: Any) -> None:
    place.refuse(place.event(1, app=""))
    [old] = place.letters()
    still_wrong = encoded(place.event(1, input_tokens=-1))
    report = redrive(place.box, [Mended(old, still_wrong)], place.send, place.clock)
    assert (report.sent, [one.reason for one in report.refused]) == (1, ["invalid"])
    [new] = place.letters()
    assert new["letter_id"] != old["letter_id"]
    assert new["path"] == "[0].input_tokens"


def test_reading_the_refused_record_again_does_not_bring_back_what_was_redriven(place: Any) -> None:
    batch = place.batch(place.event(1, app=""), offset=3)
    place.pipeline.process([batch])
    [old] = place.letters()
    redrive(place.box, [Mended(old, encoded(place.event(1)))], place.send, place.clock)
    place.pipeline.process([batch])
    assert place.letters() == []
    [kept] = place.letters(waiting=False)
    assert (kept["redriven_at"] is not None, kept["log_offset"], kept["payload"]) == (True, 3, old["payload"])


def test_a_later_refusal_of_the_same_thing_waits_again(place: Any) -> None:
    bad = place.event(1, app="")
    place.refuse(bad)
    [old] = place.letters()
    redrive(place.box, [Mended(old, encoded(place.event(1)))], place.send, place.clock)
    place.refuse(bad)
    assert [letter["letter_id"] for letter in place.letters()] == [old["letter_id"]]


def test_redriving_twice_counts_once(place: Any) -> None:
    place.refuse(place.event(1, app=""))
    [old] = place.letters()
    mended = [Mended(old, encoded(place.event(1)))]
    first, second = (redrive(place.box, mended, place.send, place.clock) for _ in range(2))
    assert (first.accepted, second.accepted, second.duplicates) == (1, 0, 1)
    assert len(place.usage()) == 1


def test_a_payload_of_which_only_a_part_was_kept_is_not_sent(place: Any) -> None:
    place.refuse(place.event(1, tags={"a": "x" * 300_000}))
    place.refuse(body=b"\xff\xfe", offset=0)
    sent: list[Batch] = []
    report = redrive(place.box, waiting(place), lambda batch: sent.append(batch) or Receipt(0), place.clock)
    assert sent == []
    assert len(report.refused) == 2
    assert all("only its beginning was kept" in one.detail for one in report.refused)
    assert len(place.letters()) == 2


def test_a_malformed_record_travels_alone_and_harms_no_other_letter(place: Any) -> None:
    place.refuse(body=b'{"not": "events"}', offset=0)
    workspace = place.workspaces.pop(place.tenant)
    place.refuse(place.event(1), offset=1)
    place.workspaces[place.tenant] = workspace
    report = redrive(place.box, waiting(place), place.send, place.clock)
    assert (report.sent, [one.reason for one in report.refused]) == (1, ["malformed"])
    assert [letter["reason"] for letter in place.letters()] == ["malformed"]
    assert len(place.usage()) == 1


def test_a_mended_record_may_hold_many_events(place: Any) -> None:
    place.refuse(body=b"{", offset=0)
    [old] = place.letters()
    events = encoded(*(place.event(key) for key in range(3)), place.event(4, app=""))
    report = redrive(place.box, [Mended(old, events)], place.send, place.clock)
    assert (report.accepted, len(report.refused)) == (3, 1)


def test_many_letters_go_in_few_batches_of_bounded_size_page_by_page(place: Any) -> None:
    many = 2 * PAGE + 150
    workspace = place.workspaces.pop(place.tenant)
    for start in range(0, many, 50):
        place.refuse(
            *(place.event(key, tags={"t": "x" * 200}) for key in range(start, start + 50)), offset=start
        )
    place.workspaces[place.tenant] = workspace
    sizes: list[int] = []

    def send(batch: Batch) -> Receipt:
        sizes.append(len(json.loads(batch.body)))
        assert len(batch.body) < 600_000
        return place.send(batch)

    seen: list[int] = []
    report = redrive(place.box, waiting(place), send, place.clock, progress=lambda r: seen.append(r.accepted))
    assert (report.sent, sum(sizes), max(sizes)) == (many, many, 500)
    assert seen == [500, many]
    assert place.letters() == []


def test_a_store_that_fails_half_way_leaves_the_rest_waiting_and_a_second_run_finishes(place: Any) -> None:
    workspace = place.workspaces.pop(place.tenant)
    for start in range(0, 600, 50):
        place.refuse(*(place.event(key) for key in range(start, start + 50)), offset=start)
    place.workspaces[place.tenant] = workspace
    calls: list[int] = []

    def failing(batch: Batch) -> Receipt:
        calls.append(1)
        if len(calls) == 2:
            place.send(batch)  # written, but nobody heard of it
            raise StoreUnavailable("gone")
        return place.send(batch)

    with pytest.raises(StoreUnavailable):
        redrive(place.box, waiting(place), failing, place.clock)
    assert len(place.letters()) == 100
    report = redrive(place.box, waiting(place), failing, place.clock)
    assert (report.accepted, report.duplicates, len(place.usage())) == (0, 100, 600)


def test_a_filter_sends_only_what_it_names(place: Any) -> None:
    place.refuse(place.event(1, app="a", input_tokens=-1), place.event(2, app="b", input_tokens=-1))
    place.refuse(place.event(3, app="a", schema_version=2))
    since = place.clock.now()
    assert [m.letter["event_id"] for m in waiting(place, app="b")] == [place.event(2)["event_id"]]
    assert len(list(waiting(place, reason="invalid"))) == 2
    assert [m.letter["event_id"] for m in waiting(place, since=since)] == [place.event(3)["event_id"]]


def test_letters_of_nobody_are_sent_for_the_tenant_that_is_named(place: Any) -> None:
    place.refuse(place.event(1, app=""))
    [old] = place.letters()
    nobodys = Mended({**old, "tenant": ""}, encoded(place.event(1)))
    box = type(place.box)(place.database, "")
    with pytest.raises(ValueError, match="for a tenant"):
        redrive(box, [nobodys], place.send, place.clock)
    report = redrive(box, [nobodys], place.send, place.clock, into=place.tenant)
    assert report.accepted == 1
    assert len(place.usage()) == 1
