"""Days of the wall clock, and periods of whole days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a calendar day in `zone`, as UTC.

    Where the clock shows midnight twice it is the first time; where a clock change skips midnight it is the
    change itself, with which the day begins late. A day that the zone skipped as a whole begins when it ended.
    """
    wall = datetime(day.year, day.month, day.day, tzinfo=zone)
    earliest, latest = wall.replace(fold=1).astimezone(UTC), wall.astimezone(UTC)
    if latest <= earliest:
        return latest
    # Midnight was skipped: read with the offset of before and of after, it encloses the change.
    before = (earliest - _SECOND).astimezone(zone).utcoffset()
    while latest - earliest > _SECOND:
        middle = earliest + (latest - earliest) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == before:
            earliest = middle
        else:
            latest = middle
    return latest


def day_at(now: datetime, zone: str) -> date:
    """The calendar day that has begun in `zone` at `now` (zone-aware) and whose successor has not.

    It never goes back, unlike a clock that is put back over midnight and shows yesterday again.
    """
    if now.tzinfo is None:
        raise ValueError("a moment without a zone has no place on the time line")
    where = ZoneInfo(zone)
    shown = now.astimezone(where).date()
    tomorrow = shown + timedelta(days=1)
    return tomorrow if midnight(tomorrow, where) <= now else shown


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Calendar days `[first, after)` in `zone`; `start` and `end` are the same edges in UTC."""

    first: date
    after: date
    zone: str

    def __post_init__(self) -> None:
        if self.after <= self.first:
            raise ValueError(f"a period ends after it starts: {self.first} to {self.after}")

    @property
    def start(self) -> datetime:
        return midnight(self.first, ZoneInfo(self.zone))

    @property
    def end(self) -> datetime:
        return midnight(self.after, ZoneInfo(self.zone))

    @property
    def last(self) -> date:
        """The last day that belongs to the period."""
        return self.after - timedelta(days=1)

    def is_closed(self, now: datetime) -> bool:
        return now >= self.end

    def days(self) -> list[date]:
        return [self.first + timedelta(days=i) for i in range((self.after - self.first).days)]
