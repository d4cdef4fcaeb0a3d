"""The shapes of a workspace's files, one model a file, and the whole that the rest of Uptake is given.

Identifiers are case-sensitive. Amounts are decimal strings or numbers as written, never floats in sums.
`Workspace` is immutable: a changed file means a new one.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from uptake.calendar import IsoWeek
from uptake.schemas.taxonomy import is_reason
from uptake.workingdays import check_country

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise PydanticCustomError("zone", "is not an IANA time zone, such as Europe/Paris")
    return value


def _decimal(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _day(value: object) -> object:
    # pydantic alone would read 20261101 as seconds since 1970, and 01/11/2026 means two days.
    if not isinstance(value, date) and not (isinstance(value, str) and _ISO_DAY.fullmatch(value)):
        raise PydanticCustomError("iso_day", "should be a day written like 2026-11-01")
    return value


def _validity(valid_from: date | None, valid_to: date | None) -> None:
    if valid_from and valid_to and valid_to <= valid_from:
        raise ValueError("valid_to is exclusive and after valid_from: this could never apply")


def _printable(value: str) -> str:
    if not value.isprintable():
        raise PydanticCustomError("control_character", "should be one line without control characters")
    return value


def _thresholds(values: tuple[int, ...]) -> tuple[int, ...]:
    if any(not 1 <= value <= 1000 for value in values):
        raise ValueError("each is a percentage of the amount, from 1 to 1000")
    if list(values) != sorted(set(values)):
        raise ValueError("rise from one to the next and do not repeat")
    return values


def _week(value: str) -> str:
    return str(IsoWeek.parse(value))


def _alone(value: object) -> object:
    return {"value": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


Day = Annotated[date, BeforeValidator(_day)]
Zone = Annotated[str, AfterValidator(_zone)]
Country = Annotated[str, AfterValidator(check_country)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_printable)]
Amount = Annotated[Decimal, BeforeValidator(_decimal), Field(gt=0, max_digits=18, decimal_places=9)]
PerMillion = Annotated[Decimal, BeforeValidator(_decimal), Field(ge=0, max_digits=18, decimal_places=9)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Locale = Literal["en", "fr"]
Cadence = Literal["weekly", "monthly", "quarterly"]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Organisation(Model):
    """organisation.yaml: one tenant.

    `unknown_price_*` (USD per million tokens) bound the cost of a model that has no price, for budgets only.
    `country` says which days are worked; without it they are Monday to Friday. `seat_price` is what a seat costs a
    calendar month, in the organisation's currency; without it idle seats are counted and cost nothing that is known.
    """

    tenant: Slug
    name: Text
    zone: Zone = "UTC"
    country: Country | None = None
    locale: Locale = "en"
    currency: Currency = "EUR"
    fiscal_year_starts: Annotated[int, Field(ge=1, le=12)] = 1
    grace_days: Annotated[int, Field(ge=0, le=90)] = 7
    severity_threshold: Annotated[float, Field(gt=0, lt=1)] = 0.3
    unknown_price_input: Amount = Decimal(15)
    unknown_price_output: Amount = Decimal(75)
    seat_price: Amount | None = None


class Person(Model):
    """A row of roster.csv. `user_id` is the pseudonym: raw identities are replaced while loading.

    A person who moves team has one row a stay, which do not overlap; `joined` is inclusive, `left` exclusive.
    """

    user_id: Text
    team: Text
    seat: bool = True
    champion: bool = False
    joined: Day
    left: Day | None = None
    wave: str = ""

    @model_validator(mode="after")
    def _stays_a_while(self) -> Self:
        if self.left is not None and self.left <= self.joined:
            raise ValueError("left is the first day away: after joined, or empty")
        if "@" in self.user_id:
            raise ValueError("user_id is a pseudonym; an address belongs in the column person")
        return self

    def on(self, day: date) -> bool:
        return self.joined <= day and (self.left is None or day < self.left)


class App(Model):
    """An entry of apps.yaml, the registry. An empty list allows everything of its kind.

    `allowed_models` are names, written out, of served models: as the provider reports them or as the price list
    calls them. Where a list is given, a call that says nothing of its kind is not on it.
    `keep_text`: which texts of its feedback are stored (for 90 days), if the app sends them; none unless it is said.
    `valid_from` is inclusive and `valid_to` exclusive, calendar days in the organisation's zone.
    """

    app: Text
    owner: Text
    name: str = ""
    use_cases: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    allowed_models: tuple[str, ...] = ()
    data_classes: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    keep_text: tuple[Literal["draft", "final"], ...] = ()
    valid_from: Day | None = None
    valid_to: Day | None = None
    criticality: Literal["low", "medium", "high"] = "medium"

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        _validity(self.valid_from, self.valid_to)
        if pattern := next((name for name in self.allowed_models if set(name) & set("*?")), None):
            raise ValueError(f"allowed model {pattern!r}: names are written out, and no model is called so")
        for code in self.reasons:
            if not (is_reason(code) and code.startswith("app:")):
                raise ValueError(f"reason {code!r}: an app's own reasons are written app:lower_case")
        return self


class Scope(Model):
    """What a budget counts. Fields that are given must all match; none given is the whole organisation.

    `team` is one team, `teams` any of several (a department); only one of the two is given.
    """

    team: str | None = None
    teams: tuple[str, ...] = ()
    app: str | None = None
    use_case: str | None = None
    model: str | None = None

    @model_validator(mode="after")
    def _one_way_to_say_teams(self) -> Self:
        if self.team and self.teams:
            raise ValueError("give team or teams, not both")
        return self

    @property
    def all_teams(self) -> tuple[str, ...]:
        """The teams that count, however they were given; empty: all, and what belongs to no team."""
        return (self.team,) if self.team else self.teams

    def counts_exactly(self, teams: Collection[str]) -> bool:
        """Whether it counts all that `teams` spend (none: all that anybody spends) and nothing else."""
        return not (self.app or self.use_case or self.model) and set(self.all_teams) == set(teams)


class Budget(Model):
    """An entry of budgets.yaml: an amount in the organisation's currency for each calendar period."""

    budget: Slug
    name: Text
    scope: Scope = Scope()
    amount: Amount
    period: Literal["month", "week"] = "month"
    thresholds: Annotated[tuple[int, ...], Field(min_length=1), AfterValidator(_thresholds)] = (50, 80, 100)
    channel: str = ""
    contact: str = ""
    valid_from: Day | None = None
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _can_fire(self) -> Self:
        _validity(self.valid_from, self.valid_to)
        return self


class Kpi(StrEnum):
    """KPIs that can have a target."""

    ADOPTION = "adoption"
    HABITS = "habits"
    STICKINESS = "stickiness"
    ACTIVATION = "activation"
    SEATS = "seats"
    OVERRIDE_RATE = "override_rate"
    THUMBS_DOWN = "thumbs_down"
    ERROR_RATE = "error_rate"
    UNAUTHORISED_SHARE = "unauthorised_share"


class Baseline(Model):
    """Where a target was set from, frozen: the value in an ISO week, by which version of the KPI's definition, and with
    which registered apps. `uptake targets baseline` writes it. A number alone says none of that, and nothing is
    compared with it."""

    value: Annotated[float, Field(ge=0, le=1)]
    week: Annotated[str, AfterValidator(_week)] | None = None
    definition_version: Annotated[int, Field(ge=1)] | None = None
    apps: tuple[str, ...] | None = None


class Target(Model):
    """An entry of targets.yaml: a share between 0 and 1 to be reached by the day `due`, for the organisation or one
    team."""

    kpi: Kpi
    team: str | None = None
    target: Annotated[float, Field(ge=0, le=1)]
    baseline: Annotated[Baseline, BeforeValidator(_alone)] | None = None
    owner: Text
    due: Day


class Price(Model):
    """An entry of prices.yaml: a negotiated price per million tokens, before the list price.

    `cache_read` and `cache_write` fall back to `input`, `reasoning` to `output`.
    """

    provider: Text
    model: Text
    currency: Currency = "USD"
    input: PerMillion
    output: PerMillion
    cache_read: PerMillion | None = None
    cache_write: PerMillion | None = None
    reasoning: PerMillion | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None

    @model_validator(mode="after")
    def _can_apply(self) -> Self:
        _validity(self.valid_from, self.valid_to)
        return self


class Rate(Model):
    """An entry of fx.yaml: `rate` units of the organisation's currency buy one of `currency`.

    It holds from `valid_from` (always, when that is missing) until the next entry of the same currency.
    """

    currency: Currency
    rate: Amount
    valid_from: Day | None = None


class Audience(Model):
    """An entry of channels.yaml: who reads which digests, of which teams (a department) or apps (their owner), where.
    Neither: the organisation."""

    audience: Slug
    name: Text
    teams: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    cadences: Annotated[tuple[Cadence, ...], Field(min_length=1)] = ("weekly", "monthly", "quarterly")
    channel: str = ""
    locale: Locale | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.teams and self.apps:
            raise ValueError("give teams (a department) or apps (an app owner), not both")
        return self


class Channels(Model):
    """channels.yaml: digest audiences, and where budget alerts and findings go when nothing else is said."""

    audiences: tuple[Audience, ...] = ()
    budgets: str = ""
    findings: str = ""


class Workspace(Model):
    """Everything the files say, checked against each other. `digest` identifies its content."""

    organisation: Organisation
    roster: tuple[Person, ...] = ()
    apps: tuple[App, ...] = ()
    budgets: tuple[Budget, ...] = ()
    targets: tuple[Target, ...] = ()
    prices: tuple[Price, ...] = ()
    fx: tuple[Rate, ...] = ()
    channels: Channels = Channels()
    digest: str = ""

    @property
    def tenant(self) -> str:
        return self.organisation.tenant

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.organisation.zone)

    @cached_property
    def stays(self) -> dict[str, tuple[Person, ...]]:
        """Roster rows by pseudonym, in order of joining."""
        rows: dict[str, list[Person]] = {}
        for person in self.roster:
            rows.setdefault(person.user_id, []).append(person)
        return {user: tuple(sorted(stays, key=lambda p: p.joined)) for user, stays in rows.items()}

    def apps_on(self, day: date) -> frozenset[str]:
        """The registered apps that are valid on a day."""
        return frozenset(
            app.app
            for app in self.apps
            if (app.valid_from is None or app.valid_from <= day)
            and (app.valid_to is None or day < app.valid_to)
        )

    def championed_on(self, day: date) -> frozenset[str]:
        """The teams that have a champion on a day."""
        return frozenset(person.team for person in self.roster if person.champion and person.on(day))

    @cached_property
    def registry(self) -> dict[str, App]:
        return {app.app: app for app in self.apps}

    @cached_property
    def teams(self) -> tuple[str, ...]:
        return tuple(sorted({person.team for person in self.roster}))
