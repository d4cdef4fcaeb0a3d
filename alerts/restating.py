"""Restating: what was said of a closed period, with the figures that late data gave it. Pure.

A message is restated when a figure that it shows has changed, and only then; its notice says which, against what was
said at first, so that whoever remembers Monday's message can tell. How often it was restated in between leaves no
trace: late events give the same message in whatever order they came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from uptake.alerts import formats
from uptake.alerts.message import Actions, Block, Buttons, Chart, Footer, Message, Table, Text
from uptake.alerts.phrases import say
from uptake.calendar import Period

SETTLED_AFTER = timedelta(minutes=2)
"""How long the events of a period must have stayed as they are before anything is said of them."""
WAITS_AT_MOST = timedelta(hours=1)
"""Stragglers that never end put off a restatement no longer than this."""
APART = timedelta(hours=1)
"""One message is restated so often at most."""

_NUMBER = re.compile(r"[+−-]?\d+")


@dataclass(frozen=True, slots=True)
class Sayable:
    """One message about a closed period: the days whose events can change a figure of it, and how it is composed."""

    identity: str
    shows: Period
    compose: Callable[[], Message]


@dataclass(slots=True)
class Waiting:
    """Messages whose events have changed, and since when they are as they are. In memory: a new process waits anew."""

    _since: dict[str, tuple[str, datetime, datetime]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._since)

    def settled(self, identity: str, fingerprint: str, now: datetime) -> bool:
        """Whether these events have been the same for long enough, or have kept changing for too long."""
        known, since, first = self._since.get(identity, ("", now, now))
        if known != fingerprint:
            since = now
        self._since[identity] = (fingerprint, since, first)
        return now - since >= SETTLED_AFTER or now - first >= WAITS_AT_MOST

    def done(self, identity: str) -> None:
        self._since.pop(identity, None)

    def keep(self, identities: Collection[str]) -> None:
        """Wait for no other than these: what is not restated any more never settles."""
        self._since = {name: since for name, since in self._since.items() if name in identities}


def restated(first: Message, last: Message, new: Message, now: datetime, zone: str) -> Message | None:
    """`new` with a notice of what changed since `first`, or None if it shows no other figure than `last`.

    `first` is the message as it was said at first, `last` as it reads by now. Other words alone (an audience that was
    renamed, another language) are no reason.
    """
    if figures(new) == figures(last):
        return None
    given = {"moment": formats.moment(now, zone, new.locale)}
    if figures(new) == figures(first):
        return new.model_copy(update={"notice": say("restated.back", new.locale, **given)})
    changes = list(_changes(first, new)) or [say("restated.below", new.locale)]
    notice = say("restated.notice", new.locale, **given, changes="; ".join(changes))
    return new.model_copy(update={"notice": notice})


def figures(message: Message) -> tuple[str, ...]:
    """Every number that a message shows, in order, but for those of its notice."""
    texts = [text for block in (*message.blocks, *message.details) for text in _texts(block)]
    return tuple(number for text in texts for number in _NUMBER.findall(text))


def _texts(block: Block) -> Iterator[str]:
    match block:
        case Text(text=text) | Footer(text=text):
            yield text
        case Table():
            for row in block.rows:
                yield from row
        case Chart():
            yield block.summary
            for series in block.series:
                yield from ("–" if value is None else repr(value) for value in series.values)
        case Actions(items=items):
            yield from items
        case Buttons():
            pass


def _changes(first: Message, new: Message) -> Iterator[str]:
    """What changed in the message's tables, row by row: the value, or else which other cells did."""
    if first.locale != new.locale:
        return
    before, after = _rows(first), _rows(new)
    for key in dict.fromkeys((*after, *before)):
        name = key[1]
        was, now = before.get(key, {}), after.get(key, {})
        changed = [c for c in dict.fromkeys((*now, *was)) if was.get(c) != now.get(c)]
        value = next(iter(now or was), None)
        if value in changed:
            pair = {"before": was.get(value or "", "–"), "after": now.get(value or "", "–")}
            yield say("restated.change", new.locale, name=name, **pair)
        elif changed:
            yield say("restated.beside", new.locale, name=name, columns=", ".join(changed))


def _rows(message: Message) -> dict[tuple[str, str], dict[str, str]]:
    """The cells beside each row's name, by table and name, then by column."""
    tables = [block for block in message.blocks if isinstance(block, Table)]
    return {
        (table.caption, row[0]): dict(zip(table.columns[1:], row[1:], strict=False))
        for table in tables
        for row in table.rows
        if row
    }
