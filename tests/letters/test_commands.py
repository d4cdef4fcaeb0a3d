"""`uptake dead-letters` as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def found(uptake: Any, *arguments: str) -> Any:
    done = uptake("dead-letters", "list", "--json", *arguments)
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_a_list_counts_by_reason_and_shows_no_content(place: Any, uptake: Any, secret: str) -> None:
    place.refuse(place.event(1, app=""), place.event(2, app=""), place.event(3, schema_version=2), offset=41)
    said = found(uptake)
    counted = {row["reason"]: row["letters"] for row in said["counts"] if row["tenant"] == place.tenant}
    assert counted == {"invalid": 2, "unsupported_version": 1}
    assert len(said["letters"]) == 3
    text = uptake("dead-letters", "list")
    assert f"{place.tenant}.usage 0:41" in text.out
    assert secret not in text.out + json.dumps(said)


def test_a_list_is_narrowed_by_reason_app_and_time(place: Any, uptake: Any) -> None:
    place.refuse(place.event(1, app="one", input_tokens=-1), place.event(2, app="two", schema_version=2))
    assert len(found(uptake, "--reason", "invalid")["letters"]) == 1
    assert len(found(uptake, "--app", "two")["letters"]) == 1
    assert len(found(uptake, "--since", "2026-11-20T12:00:01Z")["letters"]) == 2
    assert found(uptake, "--since", "2026-11-20T12:00:02Z")["letters"] == []
    assert len(found(uptake, "--limit", "1")["letters"]) == 1
    wrong = uptake("dead-letters", "list", "--reason", "bad luck")
    assert (wrong.code, "bad luck" in wrong.err) == (2, True)
    assert uptake("dead-letters", "list", "--since", "yesterday").code == 2


def test_show_is_the_one_place_that_shows_content(place: Any, uptake: Any, secret: str) -> None:
    place.refuse(place.event(1, app=""))
    [letter] = found(uptake)["letters"]
    shown = uptake("dead-letters", "show", letter["letter_id"])
    assert secret in shown.out
    [as_json] = json.loads(uptake("dead-letters", "show", letter["letter_id"], "--json").out)
    assert json.loads(as_json["payload"]) == place.event(1, app="")


@pytest.mark.parametrize("wrong", ["0" * 32, "7", "z" * 32])
def test_an_id_of_no_letter_is_an_error_of_one_line_and_a_hint(place: Any, uptake: Any, wrong: str) -> None:
    done = uptake("dead-letters", "show", wrong)
    assert done.code == 2
    assert [line.split(":")[0] for line in done.err.splitlines()] == ["error", "hint"]


def test_letters_are_mended_in_a_file_and_sent_again(place: Any, uptake: Any, tmp_path: Path) -> None:
    exact = "12.3456789012345678901234567890"
    text = json.dumps(place.event(1, app="")).replace('"input_tokens"', f'"x": {exact},\n "input_tokens"')
    place.refuse(body=b"[" + text.encode() + b"]")
    place.refuse(body=b"not json at all", offset=0)
    ids = [letter["letter_id"] for letter in found(uptake)["letters"]]
    lines = uptake("dead-letters", "show", *ids, "--ndjson").out
    assert exact in lines, "a number that nobody touched must not change"
    file = tmp_path / "fixed.ndjson"
    file.write_text(
        lines.replace('"app": ""', '"app": "helper"').replace(
            '"events": []', f'"events": {json.dumps([place.event(2), place.event(3)])}'
        )
    )
    done = uptake("dead-letters", "redrive", "--file", str(file), "--json")
    assert done.code == 0, done.out + done.err
    assert json.loads(done.out) == {"letters": 2, "sent": 2, "accepted": 3, "duplicates": 0, "refused": []}
    assert found(uptake)["letters"] == []
    assert len(found(uptake, "--redriven")["letters"]) == 2
    assert len(place.usage()) == 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2 cannot be used"),
        ('{"events": [{}]}', "line 2 names no letter_id"),
        ('{"letter_id": "LETTER", "events": []}', "line 2 holds no events"),
        ('{"letter_id": "LETTER", "events": {}}', "line 2 cannot be used"),
        (
            '{"letter_id": "LETTER", "events": [{}]}\n{"letter_id": "LETTER", "events": [{}]}',
            "line 3 names a letter",
        ),
        ('{"letter_id": "00000000000000000000000000000000", "events": [{}]}', "there is no letter"),
    ],
)
def test_a_file_with_a_wrong_line_sends_nothing(
    place: Any, uptake: Any, tmp_path: Path, line: str, said: str
) -> None:
    place.refuse(place.event(1, app=""), place.event(2, app=""))
    one, other = (letter["letter_id"] for letter in found(uptake)["letters"])
    file = tmp_path / "fixed.ndjson"
    good = json.dumps({"letter_id": one, "events": [place.event(1)]})
    file.write_text(f"{good}\n{line.replace('LETTER', other)}\n")
    done = uptake("dead-letters", "redrive", "--file", str(file))
    assert (done.code, said in done.err) == (2, True), done.err
    assert place.usage() == []


def test_what_is_refused_again_is_told_with_its_reason_and_exits_1(
    place: Any, uptake: Any, secret: str
) -> None:
    place.refuse(place.event(1, app=""), place.event(2, input_tokens=-1))
    done = uptake("dead-letters", "redrive", "--all")
    assert done.code == 1
    assert "0 of 2 letters sent" in done.out
    assert "input_tokens must be at least 0 (invalid)" in done.out
    assert secret not in done.out + done.err


@pytest.mark.parametrize("arguments", [(), ("--all", "--reason", "invalid"), ("--all", "--file", "f")])
def test_redrive_wants_to_know_exactly_which(uptake: Any, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "f").write_text("")
    done = uptake("dead-letters", "redrive", *arguments)
    assert (done.code, "which letters?" in done.err) == (2, True)


def test_nothing_is_sent_for_a_tenant_without_a_workspace(place: Any, uptake: Any) -> None:
    place.refuse(place.event(1), tenant="stranger", offset=0)
    done = uptake("dead-letters", "redrive", "--all", "--tenant", "stranger")
    assert (done.code, "there is no tenant 'stranger'" in done.err) == (2, True)


def test_letters_of_tenants_without_a_workspace_and_of_nobody_can_be_listed(place: Any, uptake: Any) -> None:
    stranger = f"{place.tenant}-x"
    place.refuse(place.event(1), tenant=stranger, offset=0)
    said = found(uptake, "--tenant", stranger)
    assert [letter["reason"] for letter in said["letters"]] == ["unknown_tenant"]
    assert {"tenant": stranger, "reason": "unknown_tenant", "letters": 1} in [
        {name: row[name] for name in ("tenant", "reason", "letters")} for row in said["counts"]
    ]
    assert found(uptake, "--tenant", "", "--reason", "invalid")["letters"] == []


def test_allow_gives_a_permit_that_workers_find(
    place: Any, uptake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPTAKE_TOPIC_PREFIX", f"{place.tenant}.")
    topic = f"{place.tenant}.usage"
    for named, before in (("usage", "512"), (topic, "712")):
        where = ("--topic", named, "--partition", "3", "--before", before)
        done = uptake("dead-letters", "allow", *where, "--json")
        assert done.code == 0, done.err
        assert json.loads(done.out) == [{"topic": topic, "partition": 3, "before_offset": int(before)}]


@pytest.mark.parametrize("topic", ["usages", "dead-letters", "other.usage"])
def test_a_permit_for_a_topic_that_cannot_stop_is_refused(uptake: Any, topic: str) -> None:
    done = uptake("dead-letters", "allow", "--topic", topic, "--partition", "0", "--before", "1")
    assert done.code == 2
    assert "usage, feedback, cost" in done.err
