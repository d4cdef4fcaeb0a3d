"""Late data: which of the messages that were said they reach, and restating those. Thin; `restating` decides.

Data are events and the roster's past: both can turn out to have been otherwise. Targets, budgets and settings are
decisions, which hold from when they are made: a message stays as they were, until its data change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from uptake.alerts import digest, ledger, restating
from uptake.alerts.gather import SPEND_DAYS, audiences
from uptake.alerts.message import Message
from uptake.alerts.restating import SETTLED_AFTER, Sayable, Waiting
from uptake.alerts.saying import Place
from uptake.calendar import Closed, Period
from uptake.sql.fingerprint import Fingerprints
from uptake.workspace.models import Audience, Cadence
from uptake.workspace.roster import generation_before

RESTATED: Mapping[Cadence, int] = {"weekly": 4, "monthly": 1, "quarterly": 1}
"""So many closed periods are restated when late data reach them."""
SEEN = "seen"
"""In a fact's detail: the fingerprint of the data that its message was composed from."""

LOOKED_AT_EVERY = timedelta(hours=1)
LOOKED_AT_AFTER_WRITES = timedelta(minutes=10)
"""How often messages are compared with their data, and when something was written: it reads thirteen weeks."""


@dataclass(slots=True)
class Look:
    """When a tenant's messages were last compared with their data, and what has to be compared again soon."""

    at: datetime | None = None
    written: bool = False
    more: bool = False
    waiting: Waiting = field(default_factory=Waiting)
    steps: frozenset[str] = frozenset()

    def is_due(self, now: datetime) -> bool:
        """Once an hour; sooner after something was written, and soon while something waits to settle."""
        if self.at is None or self.more:
            return True
        wait = LOOKED_AT_AFTER_WRITES if self.written else LOOKED_AT_EVERY
        return not timedelta(0) <= now - self.at < (SETTLED_AFTER if self.waiting else wait)


def shown_by(span: Closed, zone: str) -> Period:
    """The days whose events can change a figure of the digest: its chart looks back, findings and forecasts too. What
    happened a year ago and only says who was here before is not among them."""
    after = span.period(zone).after
    chart = span.shift(1 - digest.HISTORY[digest.cadence_of(span)]).period(zone).first
    return Period(min(chart, after - timedelta(days=SPEND_DAYS)), after, zone)


def seen(place: Place, shows: Period) -> dict[str, str]:
    """What is noted with a message about a closed period: the fingerprint of the days that it shows.

    Take it before the figures are asked for: what comes meanwhile has come later.
    """
    return {SEEN: Prints(place, shows).of(shows)}


class Prints:
    """Fingerprints of the data of periods within `whole`: their events, and the roster until their end."""

    def __init__(self, place: Place, whole: Period) -> None:
        self._events = Fingerprints(place.database, whole)
        self._roster = cache(lambda after: generation_before(place.workspace.roster, after))

    def of(self, period: Period) -> str:
        """Changes with what is known of the period, and with nothing else."""
        return f"{self._events.of(period)}-{self._roster(period.after)}"


def sayables(place: Place, now: datetime) -> list[Sayable]:
    """What is restated if it was said: the digests of the last closed periods, of each cadence the oldest first."""
    organisation = place.workspace.organisation
    drafts = place.drafts()
    found = []
    for cadence, count in RESTATED.items():
        last = digest.last_closed(cadence, now, organisation)
        for span in (last.shift(n) for n in range(1 - count, 1)):
            for audience in audiences(place.workspace):
                if cadence not in audience.cadences:
                    continue

                def compose(audience: Audience = audience, span: Closed = span) -> Message:
                    return drafts.message(audience, span, now)

                name = digest.identity(place.tenant, audience.audience, span)
                found.append(Sayable(name, shown_by(span, organisation.zone), compose))
    return found


@dataclass(frozen=True, slots=True)
class Changed:
    """A message whose data are others by now, and have settled."""

    sayable: Sayable
    told: ledger.Told
    fingerprint: str


def changed(place: Place, candidates: Sequence[Sayable], waiting: Waiting, now: datetime) -> list[Changed]:
    """Those messages that were said and may have to be restated now. `waiting` is kept from look to look."""
    # 1. ask what was said, and what the days that it shows hold
    told = ledger.told(place.state, [sayable.identity for sayable in candidates])
    waiting.keep(told)
    said = [sayable for sayable in candidates if sayable.identity in told]
    if not said:
        return []
    first, after = min(s.shows.first for s in said), max(s.shows.after for s in said)
    prints = Prints(place, Period(first, after, place.workspace.organisation.zone))
    # 2. decide
    found = []
    for sayable in said:
        known = told[sayable.identity]
        fingerprint = prints.of(sayable.shows)
        if SEEN not in known.detail:
            # said before this was kept: what came until now is not known to be late
            ledger.note(place.state, known.identity, {**known.detail, SEEN: fingerprint})
        elif known.detail[SEEN] == fingerprint:
            waiting.done(known.identity)
        elif waiting.settled(known.identity, fingerprint, now) and _rested(known, now):
            found.append(Changed(sayable, known, fingerprint))
    return found


def _rested(known: ledger.Told, now: datetime) -> bool:
    return known.restated_at is None or now - known.restated_at >= restating.APART


def restate(place: Place, one: Changed, waiting: Waiting, now: datetime) -> bool:
    """Compose a message anew, and let it say what changed. Returns whether a figure of it did."""
    # 1. ask
    new = one.sayable.compose()
    # 2. decide
    told = one.told
    message = restating.restated(told.first, told.last, new, now, place.workspace.organisation.zone)
    # 3. say, or note that nothing is to be said
    detail = {**told.detail, SEEN: one.fingerprint}
    if message is None:
        ledger.note(place.state, told.identity, detail)
    elif not ledger.restate(place.state, told.identity, message, now, detail):
        return False  # it is just being sent, or somebody else was quicker: the next look tells
    waiting.done(told.identity)
    return message is not None
