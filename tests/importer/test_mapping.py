"""A map's faults name file and line, say what there is and what was probably meant, and stop the import early."""

from __future__ import annotations

import typing
from typing import Any

import pytest

from uptake.errors import UsageError
from uptake.ingest.importer import values
from uptake.ingest.importer.mapping import EVENTS, fields_of


def fault(
    desk: Any, mapping: str, content: str = "time,in,out\n", kind: str = "usage", key: str | None = None
) -> UsageError:
    with pytest.raises(UsageError) as error:
        desk.load(content, mapping, kind, key=key)
    assert desk.store.batches == []
    return error.value


def test_a_column_that_is_not_there_is_told_as_in_the_example(desk: Any) -> None:
    columns = "columns:\n  input_tokens: ContextTokens\n  output_tokens: GeneratedTokens\n  occurred_at: Timestamp\n"
    mapping = columns + "constants: {app: a}\n"
    found = fault(desk, mapping, "TIMESTAMP,ContextTokens,GeneratedTokens\n")
    assert found.message == (
        'map.yaml, line 4: column "Timestamp" is not in calls.csv (columns: TIMESTAMP, ContextTokens, GeneratedTokens)'
    )
    assert found.hint == "names are case-sensitive; did you mean TIMESTAMP?"


@pytest.mark.parametrize(
    ("mapping", "line", "says", "hint"),
    [
        ("columns: {occurred_at: time}\nconstants:\n  ap: x\n  app: y\n", 3, "no field 'ap'", "app"),
        (
            "columns:\n  occured_at: time\nconstants: {app: a, occurred_at: 2026-11-01T00:00:00Z}\n",
            2,
            "'occured_at'",
            "occurred_at",
        ),
        (
            "columns: {input_tokens: in}\nconstants: {app: a}\n",
            1,
            "nothing fills 'occurred_at'",
            "usage needs it",
        ),
        (
            "columns: {occurred_at: time, app: in}\nconstants:\n  app: a\n",
            3,
            "both a column and a constant",
            "remove",
        ),
        ("colums: {occurred_at: time}\nconstants: {app: a}\n", 1, "colums", "columns"),
        (
            "columns: {occurred_at: time}\nconstants: {app: a}\nzone: Europe/Pari\n",
            3,
            "time zone",
            "Europe/Paris",
        ),
        ("columns: {occurred_at: time}\ncolumns: {app: in}\n", 2, "twice", "keep one"),
        (
            "columns: {occurred_at: time}\nconstants: {app: a, \n  input_tokens: many}\n",
            3,
            "whole number",
            "",
        ),
        (
            "columns: {input_tokens: in}\nconstants:\n  app: a\n  occurred_at: 2026-11-01 10:00\n",
            4,
            "no zone",
            "zone: UTC",
        ),
        ("columns:\n\t- x\n", 2, "cannot start", "spaces"),
        ("columns: {occurred_at: time, draft: in}\nconstants: {app: a}\n", 1, "no field 'draft'", ""),
        ("columns: {occurred_at: time}\nconstants: {app: a}\nid: [call]\n", 3, '"call" is not in', ""),
        ("columns: {occurred_at: time}\nconstants: {app: a}\ntags:\n  region: Region\n", 4, '"Region"', ""),
        (
            "columns:\n  occurred_at: time\n  status:\n    column: State\n    values: {a: ok}\nconstants: {app: a}\n",
            4,
            '"State" is not in',
            "",
        ),
    ],
)
def test_a_fault_of_the_map_names_its_line_and_a_remedy(
    desk: Any, mapping: str, line: int, says: str, hint: str
) -> None:
    found = fault(desk, mapping)
    text = f"{found.message}\n{found.hint}"
    assert f"map.yaml, line {line}:" in text
    assert says in text
    assert hint in text


def test_all_faults_are_told_at_once(desk: Any) -> None:
    found = fault(desk, "columns: {occurred_at: Time, input_tokens: In}\nconstants: {app: a}\n")
    assert [line.split(" (")[0] for line in found.message.splitlines()] == [
        'map.yaml, line 1: column "Time" is not in calls.csv',
        'map.yaml, line 1: column "In" is not in calls.csv',
    ]


def test_an_empty_map_is_told_what_it_lacks(desk: Any) -> None:
    assert "'columns' is missing" in fault(desk, "# nothing yet\n").message


def test_a_mapped_column_that_is_there_twice_is_refused(desk: Any) -> None:
    mapping = "columns: {occurred_at: time}\nconstants: {app: a}\nzone: UTC\n"
    assert 'column "time" is there twice' in fault(desk, mapping, "time,time\n").message
    assert desk.load("time,x,x\n2026-11-01,1,2\n", mapping).accepted == 1


def test_raw_users_need_a_key_before_anything_is_read(desk: Any) -> None:
    mapping = "columns:\n  occurred_at: time\n  user: who\nconstants: {app: a}\n"
    found = fault(desk, mapping, "time,who\n")
    assert found.message.startswith("map.yaml, line 3:")
    assert "UPTAKE_PSEUDONYM_KEY" in found.hint


def test_feedback_that_could_be_of_two_kinds_must_say_which(desk: Any) -> None:
    mapping = "columns: {occurred_at: time, thumb: in, score: out}\nconstants: {app: a}\n"
    assert "which kind" in fault(desk, mapping, kind="feedback").message


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_every_field_of_the_contract_can_be_mapped_and_is_read_as_its_type(kind: str) -> None:
    """A field that is added to the contract fails here until the importer knows how its cells are read."""
    read_as = {int: values.WHOLE, float: values.NUMBERS, bool: values.FLAGS, list: values.CODES}
    named = {"Decimal": values.MONEY, "date": values.DAYS}
    typed = values.WHOLE | values.NUMBERS | values.FLAGS | values.CODES | values.MONEY | values.DAYS
    for name, field in EVENTS[kind].model_fields.items():
        if name in ("event_id", "type", "schema_version", "tags", "occurred_at"):
            continue
        assert name in fields_of(kind)
        kinds = _types(field.annotation)
        expected = next((group for each, group in read_as.items() if each in kinds), None)
        expected = expected or next(
            (group for each, group in named.items() if each in {k.__name__ for k in kinds}), None
        )
        assert name in expected if expected else name not in typed, name


def _types(annotation: Any) -> set[type]:
    """The classes inside an annotation."""
    found = {annotation} if isinstance(annotation, type) else set()
    origin = typing.get_origin(annotation)
    if isinstance(origin, type):
        found.add(origin)
    return found.union(*(_types(each) for each in typing.get_args(annotation) if not isinstance(each, str)))
