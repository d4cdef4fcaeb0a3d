"""Whether the events of a closed period are still those of which something was said, without comparing clocks.

When an event was received or inserted is said by several clocks, and a correction keeps the one and not the other. So
what a period holds is compared with what it held: any event that came, was corrected or deleted since gives it another
fingerprint, in whatever order and however often it came.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property

from uptake.calendar import Period
from uptake.clickhouse import TenantDatabase
from uptake.sql.asking import ask
from uptake.sql.runner import period_parameters

_WRAP = 2**64  # sums of hashes wrap there, in the database as here


class Fingerprints:
    """Fingerprints of periods within `whole`, all from one query, made when the first is asked for."""

    def __init__(self, database: TenantDatabase, whole: Period) -> None:
        self._database = database
        self._whole = whole

    def of(self, period: Period) -> str:
        """Changes with every change of the period's events, and with nothing else."""
        if not (self._whole.first <= period.first and period.after <= self._whole.after):
            raise ValueError(f"{period} is not within {self._whole}")
        inside = [
            numbers
            for (first, after), numbers in self._stretches.items()
            if first < period.after and after > period.first
        ]
        rows = sum(rows for rows, _ in inside)
        return f"{rows}-{sum(versions for _, versions in inside) % _WRAP:016x}"

    @cached_property
    def _stretches(self) -> dict[tuple[date, date], tuple[int, int]]:
        found = ask(self._database, "fingerprint", period_parameters(self._whole))
        return {(row["first"], row["after"]): (int(row["rows"]), int(row["versions"])) for row in found}


class Reports:
    """Fingerprints of what SDKs reported before days of `whole`, all from one query, made when the first is asked for:
    completeness follows from it."""

    def __init__(self, database: TenantDatabase, whole: Period) -> None:
        self._database = database
        self._whole = whole

    def before(self, day: date) -> str:
        """Changes with every report of before that day, and with nothing else."""
        if day > self._whole.after:
            raise ValueError(f"{day} is not within {self._whole}")
        earlier = [numbers for on, numbers in self._days.items() if on < day]
        return f"{sum(rows for rows, _ in earlier)}-{sum(reports for _, reports in earlier) % _WRAP:016x}"

    @cached_property
    def _days(self) -> dict[date, tuple[int, int]]:
        found = ask(self._database, "reports_fingerprint", {"to_": self._whole.end, "zone": self._whole.zone})
        return {row["day"]: (int(row["rows"]), int(row["reports"])) for row in found}
