"""What the doctor looks at in every installation."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from uptake.engine import KEEP_FREE_BYTES
from uptake.home import Home

MIN_FREE_BYTES = 2 * 2**30
STALE = timedelta(minutes=3)
"""A scheduler leaves word every half a minute; one that has not for so long is not there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `level` is ok, warning or error."""

    what: str
    level: str
    detail: str
    remedy: str = ""


def workspace(home: Home) -> Finding:
    said = "; ".join(
        f"{tenant}: {len(w.stays)} people, {len(w.apps)} apps, {len(w.budgets)} budgets"
        for tenant, w in home.workspaces.items()
    )
    return Finding("workspace", "ok", f"{home.settings.workspace} ({said})")


def pseudonym_key(home: Home) -> Finding:
    if home.settings.pseudonym_key:
        return Finding("pseudonym key", "ok", "set")
    return Finding(
        "pseudonym key",
        "warning",
        "not set: rosters must hold pseudonyms already, and SDKs without a key leave users out",
        "set UPTAKE_PSEUDONYM_KEY to the same 16 or more characters here and in the apps",
    )


def database(home: Home) -> Finding:
    [row] = home.database.query("SELECT version() AS version")
    where = "server" if home.settings.clickhouse_url else f"embedded in {home.settings.chdb_path}"
    if home.uses_front:
        where += ", through the running `uptake up`"
    return Finding("database", "ok", f"ClickHouse {row['version']}, {where}")


def state(home: Home) -> Finding:
    with home.state.connect() as connection:
        connection.execute(text("SELECT 1"))
    return Finding("state store", "ok", home.state.dialect.name)


def api_keys(home: Home) -> Finding:
    active = [key for key in home.keys.list() if key.revoked_at is None]
    if active:
        return Finding("API keys", "ok", f"{len(active)} active")
    return Finding("API keys", "warning", "none: no app can send", "uptake keys create --name my-app")


def alerts(home: Home) -> Finding:
    """What the last tick of a service left behind, and what could not be delivered."""
    from uptake.alerts.outbox import Outbox
    from uptake.alerts.standing import load_mark
    from uptake.alerts.tick import MARK

    outbox = Outbox(home.state, home.clock)
    failed, undelivered = outbox.counts().get("failed", 0), outbox.undelivered()
    mark = load_mark(home.state, MARK)
    service = "uptake scheduler" if home.settings.kafka else "uptake up"
    if mark is None:
        return Finding(
            "alerts", "warning", "nothing was ever looked at", f"budgets and findings need `{service}`"
        )
    status, at = mark
    failing = [f"{step['step']} ({step['error']})" for step in status["failing"]]
    said = f"last looked at {at:%Y-%m-%d %H:%M} UTC"
    if failing:
        return Finding(
            "alerts", "error", f"{said}; failing: {', '.join(failing)}", "the service's log has the trace"
        )
    if failed:
        return Finding(
            "alerts",
            "error",
            f"{said}; {failed} messages failed",
            "uptake messages --status failed",
        )
    if home.settings.kafka and home.clock.now() - at > STALE:
        return Finding("alerts", "error", f"{said}; no scheduler acts now", "start `uptake scheduler`")
    if not home.uses_front and not home.settings.clickhouse_url:
        return Finding(
            "alerts", "warning", f"{said}; no `uptake up` runs here now", "start it for alerts and digests"
        )
    return Finding("alerts", "ok", f"{said}; {undelivered} messages wait" if undelivered else said)


def slack(home: Home) -> Finding:
    if home.settings.slack_token is None:
        return Finding(
            "Slack",
            "warning",
            f"no token: messages go to {home.settings.outbox_path}",
            "set UPTAKE_SLACK_TOKEN to a bot token with chat:write, channels:history and channels:read",
        )
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError, SlackClientError

    client = WebClient(
        token=home.settings.slack_token.get_secret_value(),
        base_url=home.settings.slack_base_url,
        retry_handlers=[],
        timeout=10,
    )
    try:
        answer = client.auth_test()
    except SlackApiError as error:
        return Finding(
            "Slack", "error", f"refused the token: {error.response['error']}", "make a new bot token"
        )
    except (SlackClientError, OSError):
        return Finding("Slack", "error", "does not answer", "look at UPTAKE_SLACK_BASE_URL and the network")
    return Finding("Slack", "ok", f"posts as {answer['user']}")


def disk(home: Home) -> Finding:
    settings, embedded = home.settings, not home.settings.clickhouse_url
    settings.data.mkdir(parents=True, exist_ok=True)
    place = settings.chdb_path if embedded and settings.chdb_path.exists() else settings.data
    free = shutil.disk_usage(place).free
    said = f"{free / 2**30:.1f} GiB free at {place}"
    if free < KEEP_FREE_BYTES and embedded:
        return Finding("disk", "error", said, "the embedded database refuses events and changes: make room")
    if free < MIN_FREE_BYTES:
        return Finding("disk", "warning", said, "events are refused, not lost, when it is full: make room")
    return Finding("disk", "ok", said)
