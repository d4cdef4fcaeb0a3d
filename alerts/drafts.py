"""Digests as they were composed, kept for as long as all that they were made of is the same.

Over millions of events composing takes seconds, and on Monday it is done for everybody at once; who asks for a digest
afterwards (`uptake digest --dry-run`, a page) should not wait for it again. Nothing here has a lifetime: a draft is
named by the content of its events, of the SDKs' reports, of the workspace with its roster, and of this program. If one
of them is another, it is composed anew, so that what is kept is what composing would give.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select

from uptake.alerts import digest
from uptake.alerts.gather import EVER, Gatherer
from uptake.alerts.message import Message
from uptake.calendar import Closed, Period
from uptake.clickhouse import TenantDatabase
from uptake.program import program
from uptake.sql.fingerprint import Fingerprints, Reports
from uptake.state.store import put, to_micros
from uptake.state.tables import drafts
from uptake.workspace.models import Audience, Workspace

KEPT_FOR = timedelta(days=100)
"""Drafts that were made so long ago are deleted: nobody asks for them, and they could be composed."""


class Drafts:
    """One tenant's digests, for one run: take a new one for each, as its `gatherer`, which answers for the same."""

    def __init__(
        self, state: Engine, database: TenantDatabase, workspace: Workspace, gatherer: Gatherer
    ) -> None:
        self.gatherer = gatherer
        self._state = state
        self._database = database
        self._organisation = workspace.organisation
        self._workspace = workspace
        self._program = program()
        self._taken: tuple[Fingerprints, Reports] | None = None

    def message(self, audience: Audience, span: Closed, now: datetime) -> Message:
        """An audience's digest of a closed period. Raises UsageError for one that is not closed at `now`."""
        digest.require_closed(span, self._organisation, now)
        identity = digest.identity(self._organisation.tenant, audience.audience, span)
        # 1. what it is made of, before any figure is asked for: what comes meanwhile makes the draft one of before
        made_of = self._made_of(audience, span, now)
        # 2. look whether it was composed from the same
        kept = self._kept(identity, made_of)
        if kept is not None:
            return kept
        # 3. compose, and keep
        message = digest.compose(self.gatherer.inputs(audience, span), now)
        self._keep(identity, made_of, message, now)
        return message

    def _made_of(self, audience: Audience, span: Closed, now: datetime) -> str:
        data = self._data_of(span, now)
        parts = (self._program, self._workspace_print, audience.model_dump_json(), data)
        return sha256("\n".join(parts).encode()).hexdigest()

    @cached_property
    def _workspace_print(self) -> str:
        return sha256(self._workspace.model_dump_json().encode()).hexdigest()

    def _data_of(self, span: Closed, now: datetime) -> str:
        """All that is known until the period's end: some figures look back a year, some to the first event.

        Of all periods it is taken once, before the run's first figure: the gatherer keeps what it was told, so that a
        later period is made of figures that were asked for an earlier one.
        """
        zone = self._organisation.zone
        if self._taken is None:
            whole = Period(EVER, now.astimezone(ZoneInfo(zone)).date(), zone)
            self._taken = Fingerprints(self._database, whole), Reports(self._database, whole)
        events, reports = self._taken
        after = span.period(zone).after
        return f"{events.of(Period(EVER, after, zone))} {reports.before(after)}"

    def _kept(self, identity: str, made_of: str) -> Message | None:
        same = (drafts.c.identity == identity) & (drafts.c.made_of == made_of)
        with self._state.connect() as connection:
            found = connection.execute(select(drafts.c.message).where(same)).scalar()
        return None if found is None else Message.model_validate(found)

    def _keep(self, identity: str, made_of: str, message: Message, now: datetime) -> None:
        tenant, at = self._organisation.tenant, to_micros(now)
        values = {"tenant": tenant, "made_of": made_of, "message": message.model_dump(mode="json"), "at": at}
        old = (drafts.c.tenant == tenant) & (drafts.c.at < to_micros(now - KEPT_FOR))
        with self._state.begin() as connection:
            connection.execute(drafts.delete().where(old))
            put(connection, drafts, {"identity": identity}, values)
