"""Working days of a country. Pure: days are arguments.

Holidays come from the library `holidays`, which follows laws and decrees of 250 countries and many of their parts. Its
weekends are those of the country, and so are Saturdays that are worked in exchange for a bridge day.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from uptake.calendar import Period
from uptake.problems import did_you_mean

if TYPE_CHECKING:
    from holidays import HolidayBase

_CODE = re.compile(r"[A-Z]{2}")
_NO_COUNTRY = "should be the code of a country, such as FR, or with its part, such as CH-GE"


def working_days(period: Period, country: str | None = None) -> list[date]:
    """The days of `period` on which people work in `country`, written like FR or CH-GE (see `check_country`).

    Without a country they are Monday to Friday, whatever holidays there are.
    """
    if country is None:
        return [day for day in period.days() if day.weekday() < 5]
    return [day for day in period.days() if day in _worked(country, day.year)]


def check_country(text: str) -> str:
    """`text` if it is a country's ISO 3166-1 alpha-2 code, such as FR, or one with a part, such as CH-GE, and its
    holidays are known. Raises ValueError with what would be right."""
    _calendar(text, 2026)
    return text


# A set a year, because the library's own calendar fills itself while it is asked, which threads must not share.
@lru_cache(maxsize=256)
def _worked(country: str, year: int) -> frozenset[date]:
    calendar = _calendar(country, year)
    days = (date(year, 1, 1) + timedelta(days=i) for i in range(366))
    return frozenset(day for day in days if day.year == year and calendar.is_working_day(day))


def _calendar(country: str, year: int) -> HolidayBase:
    from holidays import country_holidays  # a tenth of a second to import

    code, dash, part = country.partition("-")
    if not _CODE.fullmatch(code):
        raise ValueError(_NO_COUNTRY)
    try:
        calendar = country_holidays(code, years=year)
    except NotImplementedError:
        raise ValueError(_NO_COUNTRY) from None
    if dash and part not in calendar.subdivisions:
        hint = did_you_mean(part, calendar.subdivisions) or f"write {code} alone"
        raise ValueError(f"{code} has no part {part!r}; {hint}")
    return country_holidays(code, subdiv=part, years=year) if dash else calendar
