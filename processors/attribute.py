"""Whose event it is: the team that the roster gives its person on that day. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from uptake.workspace.models import Workspace

_QUARTER = 900_000  # milliseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_REMEMBERED = 50_000


class Days(NamedTuple):
    """The calendar days on which a moment lies: in the organisation's zone (rosters, negotiated prices, rates,
    validity) and in UTC (list prices)."""

    local: date
    utc: date


class DayFinder:
    """Days of moments. Remembered by quarter of an hour: every zone's days begin on one, in UTC too."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._days: dict[int, Days] = {}

    def __call__(self, unix_ms: int) -> Days:
        quarter = unix_ms // _QUARTER
        days = self._days.get(quarter)
        if days is None:
            if len(self._days) >= _MAX_REMEMBERED:
                self._days.clear()
            start = _EPOCH + timedelta(milliseconds=quarter * _QUARTER)
            days = self._days[quarter] = Days(start.astimezone(self._zone).date(), start.date())
        return days


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
