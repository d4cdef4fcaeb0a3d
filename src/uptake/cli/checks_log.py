"""What the doctor looks at where there is a log: Kafka, its topics, the workers and the audit."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

from uptake.cli.checks import STALE, Finding
from uptake.home import Home

LOST_SHOWN = timedelta(days=7)
"""For how long a loss is an error to be looked into; after that it is history."""


def kafka(home: Home) -> Finding:
    from uptake.kafka import admin

    client = admin(home.settings)
    try:
        brokers = client.describe_cluster()["brokers"]
    finally:
        client.close()
    count = len(brokers)
    said = f"{count} broker{'s' if count > 1 else ''} at {home.settings.kafka}"
    if count < 3:
        remedy = "three brokers survive the loss of one; with fewer, what a broken disk takes is gone"
        return Finding("Kafka", "warning", said, remedy)
    return Finding("Kafka", "ok", said)


def topics(home: Home) -> Finding:
    from uptake.topics import topics as open_topics

    with open_topics(home.settings) as installed:
        differences = installed.diff().differences
    if not differences:
        return Finding("topics", "ok", f"{home.settings.topic_prefix}… are as they should be")
    names = sorted({difference.topic for difference in differences})
    said = f"{', '.join(names)} differ from what this version wants"
    return Finding("topics", "error", said, "`uptake topics diff` says how, `uptake topics apply` mends it")


def workers(home: Home) -> Finding:
    """Whether somebody reads the log, and how much waits."""
    from uptake.distributed.audit_log import Log, event_topics

    with closing(Log(home.settings)) as log:
        states = log.states(log.partitions(event_topics(home.settings)))
        state, members = log.members()
    lag = sum(one.lag for one in states.values())
    said = f"{members} in the group {home.settings.consumer_group!r} ({state.lower()}), {lag:,} records wait"
    if members:
        return Finding("workers", "ok", said)
    return Finding("workers", "error" if lag else "warning", said, "start `uptake worker`")


def audit(home: Home) -> Finding:
    """What the last look of the audit found."""
    from uptake.distributed.audit_mark import remembered

    found = remembered(home.state)
    if found is None:
        return Finding("audit", "warning", "nothing was ever looked at", "it runs in `uptake scheduler`")
    memory, at = found
    now = home.clock.now()
    said = f"last looked at {at:%Y-%m-%d %H:%M} UTC"
    if memory.lost_at is not None and now - memory.lost_at < LOST_SHOWN:
        detail = f"{memory.lost:,} records were lost, the last on {memory.lost_at:%Y-%m-%d %H:%M} UTC"
        remedy = "the log deleted them before a worker read them: start more workers, or keep topics longer"
        return Finding("audit", "error", f"{said}; {detail}", remedy)
    if memory.report["unhealed"]:
        detail = f"{said}; {memory.report['unhealed']:,} records are wrong and not healed yet"
        trouble = memory.report["trouble"]
        return Finding("audit", "error", detail, trouble or "`uptake audit` says which, and heals them")
    if now - at > STALE:
        return Finding("audit", "error", f"{said}; no scheduler acts now", "start `uptake scheduler`")
    held = memory.report["restored"]
    return Finding("audit", "ok", f"{said}; {held:,} events had to be restored" if held else said)
