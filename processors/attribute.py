"""Whose event it is: the team that the roster gives its person on that day. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from uptake.workspace.models import Workspace

QUARTER_MS = 900_000
"""A quarter of an hour: every zone's days begin on one, in UTC too, so it lies on one day of each."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Days(NamedTuple):
    """The calendar days on which a moment lies: in the organisation's zone (rosters, negotiated prices, rates,
    validity) and in UTC (list prices)."""

    local: date
    utc: date


def days_of(unix_ms: int, zone: ZoneInfo) -> Days:
    moment = _EPOCH + timedelta(milliseconds=unix_ms)
    return Days(moment.astimezone(zone).date(), moment.date())


class Attribution:
    """The team of a person on a day, by the roster's stays."""

    def __init__(self, workspace: Workspace) -> None:
        self._stays = workspace.stays

    def team(self, user_id: str, claimed: str, day: date) -> str:
        """The roster's team; `claimed` for somebody who is not on the roster that day."""
        for stay in self._stays.get(user_id, ()):
            if stay.on(day):
                return stay.team
        return claimed
