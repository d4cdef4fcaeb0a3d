"""What the demo prints: the story first, then what to try. Pure: texts in, text out."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from uptake.alerts.message import Message
from uptake.alerts.render import text
from uptake.demo import facts
from uptake.demo.organisation import DEPARTMENTS, TEAMS, Organisation
from uptake.demo.place import Place


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message, when it was said and in which channel."""

    at: datetime
    channel: str
    message: Message


@dataclass(frozen=True, slots=True)
class Mishaps:
    """Events that were refused, came twice, came late."""

    refused: int
    twice: int
    late: int


def opening(organisation: Organisation, events: int, apps: int) -> str:
    """What is about to happen."""
    first, last = facts.FIRST_WEEK.monday(), facts.LAST_WEEK.period(facts.ZONE).last
    return (
        f"{facts.NAME}, an insurer that does not exist: {len(organisation.members)} people, {len(TEAMS)} teams in "
        f"{len(DEPARTMENTS)} departments, {apps} apps.\n"
        f"{facts.WEEKS} weeks, {first:%-d %b} to {last:%-d %b %Y}: {events:,} events through the real SDK, gateway "
        "and database, on a clock of their own.\n"
    )


def alert(spoken: Spoken) -> str:
    """One line for a budget alert or a finding, as it happened."""
    at = spoken.at.astimezone(facts.TZ)
    message = spoken.message
    what = f"{message.title} · {message.summary}" if message.kind == "finding" else message.title
    return f"{at:%a %-d %b %H:%M}  {spoken.channel:<17} {what}"


def alerts(spoken: Sequence[Spoken]) -> str:
    """Everything that was said while the weeks went by, in order."""
    lines = [alert(each) for each in spoken if each.message.kind != "digest"]
    return "\n".join(["As it happened", *(f"  {line}" for line in lines)]) + "\n"


def mishaps(found: Mishaps) -> str:
    """What went wrong on the way, on purpose, and what that did to the figures."""
    lost = facts.UNTIDY.lost_answer_at
    return "\n".join(
        (
            "What went wrong on purpose",
            f"  {lost:%a %-d %b}: an answer of the gateway got lost; {found.twice} events came twice and count once",
            f"  {found.late} events came two days late, and count for their own day",
            f"  {found.refused} event came from a clock three days ahead, and was refused",
            "",
        )
    )


def digests(spoken: Sequence[Spoken], audiences: Sequence[str], colour: bool = False) -> str:
    """The last digests of these channels, in this order."""
    by_channel = {
        each.channel: each for each in spoken if each.message.kind == "digest"
    }  # the last one stays
    return "\n\n".join(
        f"{_rule(channel)}\n{text.render(by_channel[channel].message, colour)}"
        for channel in audiences
        if channel in by_channel
    )


def closing(place: Place, spoken: Sequence[Spoken], seconds: float) -> str:
    """Where everything is, and what to try next."""
    week = facts.LAST_WEEK
    first, last = week.monday(), week.period(facts.ZONE).last
    where = _from_here(place.root)
    program = _program()
    return "\n".join(
        (
            _rule("what to try next"),
            f"Open {_from_here(place.page)} : all {len(spoken)} messages, with charts.",
            "",
            f"    cd {where}                      # its .env points the commands at the demo",
            f"    {program} digest --week {week} --team {facts.PROMPT.team} --dry-run",
            f"    {program} kpi adoption --from {first} --to {last} --team '{facts.CLIMB.team}'",
            f"    {program} kpi override_rate --from {facts.PROMPT.at:%Y-%m-%d} --to {last} --json",
            f"    {program} budgets",
            f"    {program} findings",
            "",
            f"Done in {seconds:.0f} s. Run it again with --seed N for other people and the same facts.",
        )
    )


def _from_here(path: Path) -> str:
    """A path as somebody in the current directory would type it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _program() -> str:
    """The command as this reader can type it: its full path where it is not on the search path."""
    beside = Path(sys.executable).with_name("uptake")
    return "uptake" if shutil.which("uptake") or not beside.is_file() else str(beside)


def _rule(title: str) -> str:
    return f"── {title} " + "─" * max(4, text.WIDTH - len(title) - 4)
