"""A sender of the older schema may stay as it is; each way of breaking that is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from uptake.schemas.compatibility import Finding, compare
from uptake.schemas.jsonschema import generate

Change = Callable[[dict[str, Any]], object]


def changed(name: str, change: Change) -> tuple[dict[str, Any], dict[str, Any]]:
    old = generate()[name]
    new = copy.deepcopy(old)
    change(new)
    return old, new


def fields(document: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = document["properties"]
    return properties


@pytest.mark.parametrize("name", ["usage", "feedback", "cost", "batch"])
def test_a_schema_is_compatible_with_itself(name: str) -> None:
    assert compare(generate()[name], generate()[name]) == []


COMPATIBLE: dict[str, tuple[str, Change]] = {
    "new optional field": ("usage", lambda d: fields(d).update(carbon={"type": "integer", "default": 0})),
    "a required field becomes optional": ("usage", lambda d: d["required"].remove("app")),
    "a field takes more values": ("usage", lambda d: fields(d)["status"]["enum"].append("cancelled")),
    "a named list takes more values": ("usage", lambda d: d["$defs"]["Operation"]["enum"].append("rerank")),
    "a longer text": ("usage", lambda d: fields(d)["app"].update(maxLength=256)),
    "no limit at all": ("usage", lambda d: fields(d)["app"].pop("maxLength")),
    "a wider range": ("usage", lambda d: fields(d)["input_tokens"]["anyOf"][0].update(maximum=2_000_000_000)),
    "null becomes possible": (
        "cost",
        lambda d: fields(d).update(currency={"anyOf": [fields(d)["currency"], {"type": "null"}]}),
    ),
    "an integer becomes any number": (
        "feedback",
        lambda d: fields(d)["taxonomy_version"].update(type="number"),
    ),
    "a condition is dropped": ("cost", lambda d: d.pop("allOf")),
    "a new reason": ("feedback", lambda d: fields(d)["reasons"]["items"]["anyOf"][0]["enum"].append("late")),
    "other words": ("usage", lambda d: d.update(description="Something else", title="Call")),
    "a field gets a default": ("usage", lambda d: fields(d)["app"].update(default="unnamed")),
    "more events in a batch": ("batch", lambda d: d["$defs"]["Events"].update(maxItems=1000)),
    "a new type of event": (
        "batch",
        lambda d: d["$defs"]["Event"]["oneOf"].append(
            {"type": "object", "properties": {"type": {"const": "carbon"}}, "required": ["type"]}
        ),
    ),
}


@pytest.mark.parametrize("what", COMPATIBLE)
def test_what_only_adds_breaks_nobody(what: str) -> None:
    assert compare(*changed(*COMPATIBLE[what])) == []


BREAKING: dict[str, tuple[str, Change, str, str]] = {
    "removed": ("usage", lambda d: fields(d).pop("team"), "$.team", "removed"),
    "newly required": ("usage", lambda d: d["required"].append("team"), "$.team", "required"),
    "new and required": (
        "usage",
        lambda d: (fields(d).update(region={"type": "string"}), d["required"].append("region")),
        "$.region",
        "required",
    ),
    "other type": ("usage", lambda d: fields(d)["cache_hit"].update(type="string"), "$.cache_hit", "type"),
    "number to integer": (
        "feedback",
        lambda d: fields(d)["severity"]["anyOf"][0].update(type="integer"),
        "$.severity",
        "type",
    ),
    "null no longer": (
        "usage",
        lambda d: fields(d).update(input_tokens={**fields(d)["input_tokens"]["anyOf"][0], "default": None}),
        "$.input_tokens",
        "type",
    ),
    "fewer values": ("usage", lambda d: fields(d)["status"]["enum"].remove("error"), "$.status", "enum"),
    "fewer values of a named list": (
        "usage",
        lambda d: d["$defs"]["Operation"]["enum"].remove("chat"),
        "$.operation",
        "enum",
    ),
    "only some values": (
        "usage",
        lambda d: fields(d)["provider"].update(enum=["openai"]),
        "$.provider",
        "enum",
    ),
    "another constant": (
        "usage",
        lambda d: fields(d)["schema_version"].update(const=2),
        "$.schema_version",
        "enum",
    ),
    "shorter text": ("usage", lambda d: fields(d)["app"].update(maxLength=64), "$.app", "range"),
    "a first lower limit": ("usage", lambda d: fields(d)["team"].update(minLength=1), "$.team", "range"),
    "a higher lower limit": (
        "feedback",
        lambda d: fields(d)["taxonomy_version"].update(minimum=2),
        "$.taxonomy_version",
        "range",
    ),
    "a narrower range of what may be null": (
        "usage",
        lambda d: fields(d)["input_tokens"]["anyOf"][0].update(maximum=10),
        "$.input_tokens",
        "range",
    ),
    "fewer tags": ("usage", lambda d: fields(d)["tags"].update(maxProperties=4), "$.tags", "range"),
    "shorter tags": (
        "usage",
        lambda d: fields(d)["tags"]["additionalProperties"].update(maxLength=9),
        "$.tags.*",
        "range",
    ),
    "shorter names of tags": (
        "usage",
        lambda d: fields(d)["tags"]["propertyNames"].update(maxLength=9),
        "$.tags.propertyNames",
        "range",
    ),
    "another form": ("cost", lambda d: fields(d)["currency"].update(pattern="^EUR$"), "$.currency", "form"),
    "another format": ("cost", lambda d: fields(d)["amount"].update(format="decimal"), "$.amount", "form"),
    "another default": (
        "usage",
        lambda d: fields(d)["intent"].update(default="automatic"),
        "$.intent",
        "default",
    ),
    "no default": ("usage", lambda d: fields(d)["intent"].pop("default"), "$.intent", "default"),
    "false is not 0": ("usage", lambda d: fields(d)["cache_hit"].update(default=0), "$.cache_hit", "default"),
    "closed to unknown fields": ("usage", lambda d: d.update(additionalProperties=False), "$.*", "closed"),
    "unknown fields of one type only": (
        "usage",
        lambda d: d.update(additionalProperties={"type": "string"}),
        "$.*",
        "type",
    ),
    "a new condition": ("cost", lambda d: d["allOf"].append({"required": ["invoice_id"]}), "$", "condition"),
    "a reason is gone": (
        "feedback",
        lambda d: fields(d)["reasons"]["items"]["anyOf"][0]["enum"].remove("policy"),
        "$.reasons.items",
        "enum",
    ),
    "fewer events in a batch": ("batch", lambda d: d["$defs"]["Events"].update(maxItems=100), "$", "range"),
    "an event type is gone": ("batch", lambda d: d["$defs"]["Event"]["oneOf"].pop(2), "$.items", "type"),
    "the object around a batch is gone": ("batch", lambda d: d["anyOf"].pop(1), "$", "type"),
    "a field of an event in a batch": (
        "batch",
        lambda d: fields(d["$defs"]["CostEvent"]).pop("invoice_id"),
        "$.items.invoice_id",
        "removed",
    ),
}


@pytest.mark.parametrize("what", BREAKING)
def test_what_narrows_or_changes_meaning_is_found_where_it_is(what: str) -> None:
    name, change, path, rule = BREAKING[what]
    findings = compare(*changed(name, change))
    assert (path, rule) in {(finding.path, finding.rule) for finding in findings}, findings
    assert all(finding.message for finding in findings)


def test_one_change_is_one_finding() -> None:
    old, new = changed("usage", lambda d: fields(d).pop("team"))
    (finding,) = compare(old, new, "usage")
    assert str(finding) == "usage.team: the field was removed: what senders say in it is lost [removed]"


def test_a_document_that_is_gone_is_found() -> None:
    assert compare(generate()["cost"], None, "cost") == [Finding("cost", "removed", "the schema was removed")]
