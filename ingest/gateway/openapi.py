"""The OpenAPI 3.1 description, built from the models that do the work, so that it cannot say something else."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from uptake.ingest.gateway.answers import Answer
from uptake.ingest.gateway.client_report import ACCEPTED, CLIENT_ID, DROPPED
from uptake.ingest.gateway.problems import MEDIA_TYPE, STATUS, ProblemDocument, ProblemKind
from uptake.schemas.batch import MAX_BATCH_EVENTS
from uptake.schemas.events import EVENTS

_REF = "#/components/schemas/{model}"

EXAMPLE_EVENT = {
    "type": "usage",
    "event_id": "019a8d3c-5c00-7b5e-8f00-2f1c6d9e4a10",
    "occurred_at": "2025-11-16T14:00:00Z",
    "app": "claims-letter",
    "team": "claims",
    "provider": "anthropic",
    "request_model": "claude-sonnet-4-5",
    "input_tokens": 812,
    "output_tokens": 214,
    "duration_ms": 1840,
}
EXAMPLE_ANSWER = {
    "accepted": 98,
    "duplicates": 1,
    "rejected": [
        {
            "index": 3,
            "event_id": "019a8d3c-5c00-7b5e-8f00-2f1c6d9e4a10",
            "reason": "invalid",
            "path": "[3].input_tokens",
            "detail": "must be at least 0",
        }
    ],
    "unknown_fields": {"colour": 2},
}
EXAMPLE_REFUSED = {
    "accepted": 0,
    "duplicates": 0,
    "rejected": EXAMPLE_ANSWER["rejected"],
    "unknown_fields": {},
}

_PROBLEMS: dict[ProblemKind, tuple[str, str, str, str]] = {
    # kind: what the answer means, and an example's title, detail and hint
    ProblemKind.MALFORMED: (
        "The body cannot be read: not JSON, not an array of objects, broken gzip, too many events.",
        "The body cannot be read",
        "the gzip stream ends before its end",
        "send the whole body as one gzip stream (RFC 1952), or without Content-Encoding",
    ),
    ProblemKind.UNAUTHENTICATED: (
        "No API key, or not one that works.",
        "No valid API key",
        "this API key is not known, or it was revoked",
        "send `Authorization: Bearer <API key>`; `uptake keys create` makes one",
    ),
    ProblemKind.TIMEOUT: (
        "The body came too slowly.",
        "The body came too slowly",
        "the body was not complete after 20 seconds (4096 bytes came)",
        "send it again, or send smaller batches",
    ),
    ProblemKind.TOO_LARGE: (
        "The body is over a limit, as it was sent or decompressed. Halve the batch.",
        "The body is too large",
        "as sent, the body has more than 4194304 bytes",
        "send fewer events in one batch",
    ),
    ProblemKind.UNSUPPORTED: (
        "Not JSON in UTF-8, or an unknown Content-Encoding; Accept or Accept-Encoding say what is accepted.",
        "Unknown encoding",
        "the Content-Encoding is not one that is accepted",
        "send one of gzip, identity, once",
    ),
    ProblemKind.TOO_MANY_REQUESTS: (
        "This key sends requests faster than it may. Wait as long as Retry-After says (seconds).",
        "Too many requests",
        "this API key sends requests faster than it may",
        "wait as long as Retry-After says, and send larger batches",
    ),
    ProblemKind.BUG: (
        "An error of the gateway; nothing was acknowledged and sending again is safe.",
        "An error of the gateway",
        "the request could not be handled; nothing of it was acknowledged",
        "send it again; if it stays, report the number in `instance`",
    ),
    ProblemKind.UNAVAILABLE: (
        "Not possible now; nothing was acknowledged. Send the same events again after Retry-After (seconds).",
        "Not possible now",
        "the events could not be made durable now",
        "send it again: the ids make it safe",
    ),
}


def _json(schema: str, example: Any, media_type: str = "application/json") -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": _REF.format(model=schema)}, "example": example}}


def _problem(kind: ProblemKind) -> dict[str, Any]:
    meaning, title, detail, hint = _PROBLEMS[kind]
    example = {
        "type": f"urn:uptake:problem:{kind}",
        "title": title,
        "status": int(STATUS[kind]),
        "detail": detail,
        "hint": hint,
        "instance": "urn:uuid:9f0c1b1e-6a3e-4b55-9a3f-5d2c1e0b7a66",
    }
    answer: dict[str, Any] = {
        "description": meaning,
        "content": _json("ProblemDocument", example, MEDIA_TYPE),
    }
    if kind in (ProblemKind.TOO_MANY_REQUESTS, ProblemKind.UNAVAILABLE):
        answer["headers"] = {
            "Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}
        }
    return answer


def _header(name: str, meaning: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "description": meaning, "schema": schema}


def _events_operation() -> dict[str, Any]:
    count = {"type": "integer", "minimum": 0}
    responses = {str(int(STATUS[kind])): _problem(kind) for kind in _PROBLEMS}
    responses["200"] = {
        "description": "Each event is durable, was so before, or is named with the reason why it was refused.",
        "content": _json("Answer", EXAMPLE_ANSWER),
    }
    responses["422"] = {
        "description": "Every event of the batch was refused; the body names each with its reason.",
        "content": _json("Answer", EXAMPLE_REFUSED),
    }
    return {
        "operationId": "sendEvents",
        "summary": "Send a batch of events",
        "description": (
            f"A JSON array of up to {MAX_BATCH_EVENTS} events. The answer means that the accepted events are "
            "durable. An event's id makes sending it again harmless: it is then counted as a duplicate. "
            "A bad event never stops a good one."
        ),
        "security": [{"apiKey": []}],
        "parameters": [
            _header("Content-Encoding", "how the body is encoded", {"enum": ["gzip", "identity"]}),
            _header(CLIENT_ID, "id of the sending SDK's process", {"type": "string", "maxLength": 64}),
            _header(ACCEPTED, "events that its app handed over since it started, refused or not", count),
            _header(DROPPED, "those of them that will not arrive", count),
        ],
        "requestBody": {"required": True, "content": _json("Batch", [EXAMPLE_EVENT])},
        "responses": dict(sorted(responses.items())),
    }


def _get(operation: str, summary: str, answers: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """A GET without parameters; `answers` is status -> (meaning, media type)."""
    responses = {
        status: {"description": meaning, "content": {media_type: {}}}
        for status, (meaning, media_type) in answers.items()
    }
    return {"get": {"operationId": operation, "summary": summary, "security": [], "responses": responses}}


def document() -> dict[str, Any]:
    """The description as data."""
    schemas = EVENTS.json_schema(ref_template=_REF)
    components = schemas.pop("$defs")
    modes: list[Any] = [(Answer, "serialization"), (ProblemDocument, "serialization")]
    _, answers = models_json_schema(modes, ref_template=_REF)
    components.update(answers["$defs"])
    components["Batch"] = {**schemas, "maxItems": MAX_BATCH_EVENTS, "title": "Batch"}
    json_type = "application/json"
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Uptake gateway",
            "version": "1",
            "summary": "Takes usage, feedback and cost events of LLM apps.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/v1/events": {"post": _events_operation()},
            "/healthz": _get("isAlive", "The process is alive", {"200": ("It is.", json_type)}),
            "/readyz": _get(
                "isReady",
                "Whether events can be taken now",
                {
                    "200": ("Every component is ok.", json_type),
                    "503": ("A component is not; the body says which and why.", json_type),
                },
            ),
            "/metrics": _get("metrics", "Prometheus metrics", {"200": ("Text exposition.", "text/plain")}),
            "/openapi.json": _get("describe", "This description", {"200": ("OpenAPI 3.1.", json_type)}),
        },
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key; its tenant is the events' tenant.",
                }
            },
        },
    }


@cache
def openapi_document() -> bytes:
    """The description as JSON."""
    return json.dumps(document(), indent=2).encode()
