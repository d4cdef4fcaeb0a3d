"""From arguments and environment to what a client needs, or the reason why it stays silent."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from uptake.ingest.sdk.kafka_target import SCHEME, KafkaTarget, problem_of, read_target
from uptake.schemas.pseudonym import MIN_KEY_LENGTH

PATH = "/v1/events"


@dataclass(frozen=True, slots=True)
class Options:
    """Where events go and what they say of the app: to the gateway at `url`, or where there is one to `kafka` itself.
    `problem` is empty if they can go at all; `remarks` are about what works less well than it could."""

    url: str
    api_key: str = field(repr=False)
    pseudonym_key: str | None = field(repr=False)
    defaults: dict[str, str]
    problem: str
    remarks: tuple[str, ...]
    kafka: KafkaTarget | None = None


def read(
    endpoint: str | None,
    api_key: str | None,
    app: str | None,
    environment: str | None,
    pseudonym_key: str | None,
    tenant: str | None = None,
) -> Options:
    """An argument that is None comes from UPTAKE_ENDPOINT, UPTAKE_API_KEY, UPTAKE_APP, UPTAKE_ENVIRONMENT,
    UPTAKE_PSEUDONYM_KEY or UPTAKE_TENANT. Never raises: a wrong value is a problem or a remark, and neither repeats
    it."""
    where = _said(endpoint, "UPTAKE_ENDPOINT").rstrip("/")
    key = _said(api_key, "UPTAKE_API_KEY")
    secret = _said(pseudonym_key, "UPTAKE_PSEUDONYM_KEY")
    named = {
        "app": _said(app, "UPTAKE_APP"),
        "environment": _said(environment, "UPTAKE_ENVIRONMENT") or "production",
    }
    remarks = []
    if not named["app"]:
        remarks.append("no app is named (UPTAKE_APP): events that do not name one themselves are dropped")
    if secret and len(secret) < MIN_KEY_LENGTH:
        remarks.append(f"the pseudonym key has fewer than {MIN_KEY_LENGTH} characters and is not used")
        secret = ""
    kafka = None
    if where.startswith(SCHEME):
        kafka = read_target(
            where, _said(tenant, "UPTAKE_TENANT"), lambda variable: os.environ.get(variable, "").strip()
        )
    return Options(
        url=where + PATH,
        api_key=key,
        pseudonym_key=secret or None,
        defaults={name: value for name, value in named.items() if value},
        problem=problem_of(kafka) if kafka else _problem(where, key),
        remarks=tuple(remarks),
        kafka=kafka,
    )


def _said(given: object, variable: str) -> str:
    value = os.environ.get(variable, "") if given is None else given
    return value.strip() if isinstance(value, str) else ""


def _problem(where: str, key: str) -> str:
    try:
        parts = urlsplit(where)
        reachable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        reachable = False
    if not where:
        return "there is no endpoint (UPTAKE_ENDPOINT)"
    if not reachable:
        return "the endpoint is not an http://, https:// or kafka:// address"
    if not key:
        return "there is no API key (UPTAKE_API_KEY)"
    if not (key.isascii() and key.isprintable() and " " not in key):
        return "the API key has characters that no key has"
    return ""
