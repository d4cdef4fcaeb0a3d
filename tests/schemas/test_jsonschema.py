"""The published schemas are what the models say, and both judge alike wherever JSON Schema can say it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from uptake.schemas import jsonschema as published
from uptake.schemas.batch import MAX_BATCH_EVENTS
from uptake.schemas.codec import decode_batch
from uptake.schemas.events import EVENT, NEEDED, CostEvent, FeedbackEvent, UsageEvent
from uptake.schemas.taxonomy import REASONS

Make = Callable[..., dict[str, Any]]
EXAMPLES = sorted((published.ROOT.parent / "examples").glob("*.json"))
VALIDATORS = {name: Draft202012Validator(document) for name, document in published.generate().items()}


def by_schema(event: dict[str, Any]) -> bool:
    return VALIDATORS[event["type"]].is_valid(event)


def by_model(event: dict[str, Any]) -> bool:
    try:
        EVENT.validate_json(json.dumps(event))
    except ValidationError:
        return False
    return True


def test_the_checked_in_schemas_are_what_the_models_say() -> None:
    stale = published.stale(published.ROOT / published.VERSION)
    assert not stale, "run: python -m uptake.schemas.jsonschema write"


def test_the_released_contract_is_kept() -> None:
    assert set(published.read(published.ROOT / "baseline" / "v1")) == {"usage", "feedback", "cost", "batch"}
    broken = "\n".join(map(str, published.breaking()))
    assert not broken, f"{broken}\nremedy: {published.REMEDY}"


@pytest.mark.parametrize("name", sorted(VALIDATORS))
def test_a_schema_is_itself_valid_and_needs_no_other_document(name: str) -> None:
    document = published.generate()[name]
    Draft202012Validator.check_schema(document)
    text = published.text_of(document)
    references = re.findall(r'"\$ref": "([^"]+)"', text)
    assert all(reference.startswith("#/$defs/") for reference in references)
    assert f'"$id": "urn:uptake:schema:v1:{name}"' in text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_accepted_by_model_and_schema(path: Path, now: Any) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    kind = path.stem.partition("-")[0]
    batch = document if kind == "batch" else [document]
    decoded = decode_batch(json.dumps(batch).encode(), now)
    assert decoded.events
    assert not decoded.rejections
    assert not decoded.unknown_fields
    VALIDATORS["batch"].validate(batch)
    VALIDATORS[kind].validate(document)


def test_the_examples_cover_what_an_app_can_say() -> None:
    events = [json.loads(p.read_text(encoding="utf-8")) for p in EXAMPLES if not p.stem.startswith("batch")]
    used = {name for event in events for name in event}
    assert used == {*UsageEvent.model_fields, *FeedbackEvent.model_fields, *CostEvent.model_fields}
    assert {event.get("kind") for event in events} == {None, *NEEDED}
    assert {"credit", "licence", "training", "inference", "infrastructure"} <= {
        e.get("category") for e in events
    }
    assert len({event["event_id"] for event in events}) == len(events)


BAD_USAGE: list[dict[str, Any]] = [
    {"app": ...},
    {"event_id": ...},
    {"occurred_at": ...},
    {"app": ""},
    {"app": "a\nb"},
    {"app": "x" * 129},
    {"event_id": "2b3c6d1e-1111-4222-8333-444455556666"},
    {"event_id": "019a0000-0000-7000-0000-000000000000"},
    {"occurred_at": "2026-11-20T12:00:00"},
    {"occurred_at": "2026-11-20"},
    {"occurred_at": 1763640000},
    {"occurred_at": "1999-11-20T12:00:00Z"},
    {"schema_version": 2},
    {"operation": "Chat"},
    {"status": "OK"},
    {"intent": "maybe"},
    {"input_tokens": -1},
    {"input_tokens": 1_000_000_001},
    {"input_tokens": "5"},
    {"input_tokens": ..., "cache_read_input_tokens": 1},
    {"input_tokens": None, "cache_creation_input_tokens": 1},
    {"output_tokens": ..., "reasoning_output_tokens": 1},
    {"cache_hit": 1},
    {"user_id": "jane@example.org"},
    {"user_id": "p_\x00"},
    {"tags": {str(n): "x" for n in range(17)}},
    {"tags": {"": "x"}},
    {"tags": {"k\t": "x"}},
    {"tags": {"k": 1}},
    {"tags": {"k": "x" * 257}},
    {"reported_cost": "1"},
    {"reported_currency": "EUR"},
    {"reported_cost": None, "reported_currency": "EUR"},
    {"reported_cost": "-1", "reported_currency": "EUR"},
    {"reported_cost": 1, "reported_currency": "EUR"},
    {"reported_cost": "1e5", "reported_currency": "EUR"},
    {"reported_cost": "1", "reported_currency": "eur"},
]
BAD_FEEDBACK: list[dict[str, Any]] = [
    {"kind": ...},
    {"kind": "like"},
    {"thumb": "sideways"},
    *({"kind": kind, "thumb": ...} for kind in NEEDED),
    {"kind": "survey", "score": 11},
    {"kind": "survey", "score": None},
    {"kind": "edit", "severity": 1.5},
    {"kind": "decision", "decision": "edited"},
    {"kind": "decision", "decision": "edited", "severity": None},
    {"reasons": ["made_up"]},
    {"reasons": ["app:Upper"]},
    {"reasons": ["other"] * 9},
    {"taxonomy_version": 0},
    {"reviewer_id": "jane@example.org"},
    {"user_id": "@"},
]
BAD_COST: list[dict[str, Any]] = [
    {"category": "gift"},
    {"amount": 12.5},
    {"amount": "1000000000"},
    {"amount": "1.0000000001"},
    {"amount": "-5"},
    {"category": "credit", "amount": "5"},
    {"category": "credit", "amount": "-0.0"},
    {"currency": "EURO"},
    {"period_start": "1762300800"},
    {"period_start": "1999-12-01"},
    {"period_end": ...},
    {"user_id": "jane@example.org"},
]


@pytest.mark.parametrize("changes", BAD_USAGE)
def test_bad_usage_is_refused_by_model_and_schema(usage: Make, changes: dict[str, Any]) -> None:
    assert not by_model(usage(**changes))
    assert not by_schema(usage(**changes))


@pytest.mark.parametrize("changes", BAD_FEEDBACK)
def test_bad_feedback_is_refused_by_model_and_schema(feedback: Make, changes: dict[str, Any]) -> None:
    assert not by_model(feedback(**changes))
    assert not by_schema(feedback(**changes))


@pytest.mark.parametrize("changes", BAD_COST)
def test_bad_cost_is_refused_by_model_and_schema(cost: Make, changes: dict[str, Any]) -> None:
    assert not by_model(cost(**changes))
    assert not by_schema(cost(**changes))


def test_what_is_not_known_yet_is_no_error(usage: Make, feedback: Make, cost: Make) -> None:
    for make in (usage, feedback, cost):
        assert by_schema(make(carbon_grams=3))
        assert by_model(make(carbon_grams=3))


@pytest.mark.parametrize("reason", [*REASONS, "app:wrong-tariff"])
def test_every_reason_is_accepted_by_model_and_schema(feedback: Make, reason: str) -> None:
    assert by_model(feedback(reasons=[reason]))
    assert by_schema(feedback(reasons=[reason]))


def test_a_batch_is_an_array_or_an_object_around_one_and_has_a_limit(usage: Make) -> None:
    batch = VALIDATORS["batch"]
    assert batch.is_valid([])
    assert batch.is_valid({"events": [usage()]})
    assert batch.is_valid([usage()] * MAX_BATCH_EVENTS)
    assert not batch.is_valid([usage()] * (MAX_BATCH_EVENTS + 1))
    assert not batch.is_valid({"event": [usage()]})
    assert not batch.is_valid([usage(type=...)])
    assert not batch.is_valid([usage(type="cost")])


def test_check_tells_a_stale_file_and_write_repairs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert published.main(["check"], tmp_path) == 1
    assert "v1/usage.schema.json is not what the models say" in capsys.readouterr().err
    assert published.main(["write"], tmp_path) == 0
    assert published.main(["check"], tmp_path) == 0
    (tmp_path / "v1" / "forgotten.schema.json").write_text("{}", encoding="utf-8")
    assert published.main(["check"], tmp_path) == 1
    assert "v1/forgotten.schema.json" in capsys.readouterr().err


def test_release_moves_the_baseline_only_over_compatible_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert published.main(["release"], tmp_path) == 0
    path = tmp_path / "baseline" / "v1" / "usage.schema.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["properties"]["colour"] = {"type": "string"}  # as if it had been released and was removed since
    path.write_text(json.dumps(document), encoding="utf-8")
    for command in ("check", "release"):
        assert published.main([command], tmp_path) == 1
        said = capsys.readouterr().err
        assert "usage.colour: the field was removed" in said
        assert "raise SCHEMA_VERSION" in said
    assert json.loads(path.read_text(encoding="utf-8")) == document


@pytest.mark.parametrize("arguments", [[], ["delete"], ["write", "check"]])
def test_anything_else_is_a_wrong_command(arguments: list[str], tmp_path: Path) -> None:
    assert published.main(arguments, tmp_path) == 2
    assert list(tmp_path.iterdir()) == []
