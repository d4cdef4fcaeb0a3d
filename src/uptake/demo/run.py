"""`uptake demo`: the insurer's thirteen weeks through the real parts, day by day, on a clock of their own.

1. a place of its own      refused where something else lives
2. the workspace's files   loaded and checked as anybody's
3. the plan                thirteen weeks of SDK calls, from the seed
4. the service             gateway on a free port, engine on disk, state in SQLite
5. the weeks               at each stop: move the clock, make the calls, flush, look
6. Monday morning          the digests of the week that just closed
7. what was said           messages.json and index.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Engine, select

from uptake.alerts.message import Message
from uptake.alerts.render import html
from uptake.clock import Clock, ManualClock
from uptake.demo import facts, show
from uptake.demo.calls import Call
from uptake.demo.events import generate
from uptake.demo.feed import Apps
from uptake.demo.files import write_workspace
from uptake.demo.organisation import DEPARTMENTS, organisation
from uptake.demo.place import Place, prepare
from uptake.demo.schedule import Slice, slices
from uptake.errors import UptakeError
from uptake.service import Service
from uptake.settings import Settings
from uptake.state.store import from_micros
from uptake.state.tables import outbox

MONDAY = facts.local(2026, 11, 16, 8)
"""When the digests of the last week are due at the latest, and the demo ends."""

Echo = Callable[[str], None]
Progress = Callable[[int, int, str], None]
"""Told at every stop: events sent, events in all, where the clock is."""


def _silent(done: int, whole: int, where: str) -> None: ...


@dataclass(frozen=True, slots=True)
class DemoRun:
    """What came out: all messages in the order they were said, and what went wrong on the way, on purpose."""

    place: Place
    spoken: list[show.Spoken]
    seconds: float
    mishaps: show.Mishaps


def run_demo(
    directory: Path,
    seed: int = facts.DEFAULT_SEED,
    *,
    echo: Echo,
    progress: Progress = _silent,
    colour: bool = False,
    open_service: Callable[[Settings, Clock], Service] = Service,
) -> DemoRun:
    """Run the demo in `directory` and leave it there, closed, for other commands to look at.

    Raises UsageError when the directory holds something else, UptakeError when the drive did not go as planned.
    """
    started = time.monotonic()
    place = prepare(directory)  # 1
    people = organisation(seed)
    write_workspace(people, place.workspace)  # 2
    settings = _settings(place, seed)
    calls = generate(people)  # 3
    names = sorted({call.app for call in calls})
    echo(show.opening(people, len(calls), len(names)))
    clock = ManualClock(facts.FIRST_WEEK.period(facts.ZONE).start)
    service = open_service(settings, clock)
    try:
        service.start()  # 4
        mishaps = _drive(service, clock, calls, names, settings, progress)  # 5
        clock.set(MONDAY)
        _look(service, clock)  # 6
        spoken = _spoken(service.home.state)
    finally:
        service.stop()
    _leave(place, spoken)  # 7
    run = DemoRun(place, spoken, time.monotonic() - started, mishaps)
    _tell(run, echo, colour)
    return run


def _settings(place: Place, seed: int) -> Settings:
    """Everything said explicitly: neither the caller's Slack nor the caller's database is the demo's."""
    key = f"demo-{seed}-pseudonym-key"
    place.environment.write_text(
        f"UPTAKE_WORKSPACE=workspace\nUPTAKE_DATA=data\nUPTAKE_PSEUDONYM_KEY={key}\n", encoding="utf-8"
    )
    return Settings(
        workspace=place.workspace,
        data=place.data,
        state_url="",
        clickhouse_url="",
        host="127.0.0.1",
        port=0,
        pseudonym_key=SecretStr(key),
        slack_token=None,
        log_level="WARNING",
    )


def _drive(
    service: Service,
    clock: ManualClock,
    calls: list[Call],
    names: list[str],
    settings: Settings,
    progress: Progress,
) -> show.Mishaps:
    """The thirteen weeks. Returns what went wrong in them; raises UptakeError when that is not what was planted."""
    assert settings.pseudonym_key is not None
    key = settings.pseudonym_key.get_secret_value()
    mishap = facts.UNTIDY
    sent = 0
    with Apps(
        names,
        service.base_url,
        lambda app: service.home.keys.create(facts.TENANT, f"{app}, production").token,
        key,
    ) as apps:
        forgotten = False
        for part in slices(calls):
            if not forgotten and part.until >= mishap.lost_answer_at:
                apps.lose_next_answer(mishap.lost_answer_app)
                forgotten = True
            _stop_at(part, service, clock, apps)
            sent += len(part.calls)
            progress(sent, len(calls), f"{part.until:%a %-d %b %Y}")
        lost = apps.lost()
        wrong = sum(not call.valid for call in calls)
        if lost != {"rejected:future": wrong}:
            raise UptakeError(f"events of the demo were lost: {lost}", "this is a bug; please report it")
    late = sum(call.sent_at == mishap.late_sent for call in calls)
    return show.Mishaps(wrong, service.pipeline.counters["duplicates"], late)


def _stop_at(part: Slice, service: Service, clock: ManualClock, apps: Apps) -> None:
    clock.set(part.until)
    apps.send(part.calls)
    if part.watched:
        _look(service, clock)


def _look(service: Service, clock: ManualClock) -> None:
    """One tick; in the demo nothing may fail."""
    report = service.tick.run(clock.now())
    if report.failed:
        steps = "; ".join(f"{step.name}: {step.error}" for step in report.failed)
        raise UptakeError(f"the tick failed ({steps})", "this is a bug; please report it")


def _spoken(state: Engine) -> list[show.Spoken]:
    """Everything that was said, from the outbox, in order."""
    with state.connect() as connection:
        rows = connection.execute(select(outbox).order_by(outbox.c.id)).all()
    unsent = [row.identity for row in rows if row.status != "sent"]
    if unsent:
        raise UptakeError(f"messages of the demo were not delivered: {', '.join(unsent)}")
    return [
        show.Spoken(from_micros(row.created_at), row.channel, Message.model_validate(row.message))
        for row in rows
    ]


def _leave(place: Place, spoken: list[show.Spoken]) -> None:
    """On the page the last week's digests come first, then everything before them, newest first. The file keeps the
    order of time."""
    content = [
        {"at": each.at.isoformat(), "channel": each.channel, "message": each.message.model_dump(mode="json")}
        for each in spoken
    ]
    place.messages.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    last = [each.message for each in spoken if each.at >= MONDAY]
    before = [each.message for each in reversed(spoken) if each.at < MONDAY]
    lead = f"The digests of week {facts.LAST_WEEK}, then what was said before, newest first. All of it is invented."
    place.page.write_text(html.page([*last, *before], facts.NAME, lead), encoding="utf-8")


def _tell(run: DemoRun, echo: Echo, colour: bool) -> None:
    claims = next(d for d in DEPARTMENTS if d.slug == "claims")
    echo(show.alerts(run.spoken))
    echo(show.mishaps(run.mishaps))
    echo(show.digests(run.spoken, ("#ai-programme", claims.channel), colour))
    echo(show.closing(run.place, run.spoken, run.seconds))
