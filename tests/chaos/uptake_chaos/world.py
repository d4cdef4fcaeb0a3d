"""What the run is about: organisations, their people and apps, what models cost, and how that changes twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

REVISIONS = 3
"""Price lists: the first one, and two re-pricings."""

PEOPLE, TEAMS = 40, 4
STRANGERS = 4
"""People who send events and are on no roster: the team they claim counts."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """`dollar`: what one USD is worth in `currency`, as fx.yaml says."""

    name: str
    zone: str
    currency: str
    dollar: str

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


TENANTS = (
    Tenant("north", "Europe/Oslo", "EUR", "0.9137"),
    Tenant("south", "Australia/Adelaide", "AUD", "1.5313"),
    Tenant("west", "America/Los_Angeles", "USD", "1"),
)
APPS = ("claims-letter", "case-summary", "search", "translate")
SHADOW_APP = "side-project"
"""Not in the registry: its calls are not allowed."""

PROVIDER = "in-house"
UNPRICED = "atlas-7b"
UNKNOWN_INPUT, UNKNOWN_OUTPUT = Fraction(15), Fraction(75)
LARGE_INPUT, LARGE_OUTPUT = 10_000, 2_000


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per million tokens, as the file says them; `since`: from that day on, in the tenant's zone."""

    model: str
    uncached: str
    cache_read: str
    cache_write: str
    visible: str
    reasoning: str
    since: date | None = None
    until: date | None = None


def price_list(revision: int, today: date) -> tuple[Prices, ...]:
    """The prices in force after `revision` re-pricings. The first one changes a model on all days, the second another
    one from a day on that already has events."""
    large = (
        ("2.5", "0.25", "3.125", "10", "12.5") if revision == 0 else ("1.9", "0.19", "2.375", "7.7", "7.7")
    )
    cut = today - timedelta(days=2)
    small = ("0.15", "0.075", "0.15", "0.6", "0.6")
    cheaper = ("0.1234567", "0.01", "0.13", "0.512345678", "0.5")
    lists = [Prices("chaos-large", *large)]
    if revision < 2:
        return (*lists, Prices("chaos-small", *small))
    return (*lists, Prices("chaos-small", *small, until=cut), Prices("chaos-small", *cheaper, since=cut))


def person(tenant: str, number: int) -> str:
    return f"p_{TENANT_NUMBER[tenant]:04x}{number:028x}"


def team_of(number: int) -> str:
    """The roster's team of a person; strangers are on none."""
    return f"team-{number % TEAMS}" if number < PEOPLE else ""


TENANT_NUMBER = {tenant.name: number for number, tenant in enumerate(TENANTS)}


def write_workspace(directory: Path, today: date) -> None:
    """One workspace a tenant, with the first price list."""
    for tenant in TENANTS:
        home = directory / tenant.name
        home.mkdir(parents=True)
        people = [f"{person(tenant.name, n)},{team_of(n)},yes,no,2020-01-01,," for n in range(PEOPLE)]
        texts = {
            "organisation.yaml": f"tenant: {tenant.name}\nname: {tenant.name}\nzone: {tenant.zone}\n"
            f"currency: {tenant.currency}\n",
            "roster.csv": "\n".join(["person,team,seat,champion,joined,left,wave", *people, ""]),
            "apps.yaml": "".join(f"- app: {app}\n  owner: chaos\n" for app in APPS),
            "fx.yaml": f"- currency: {'USD' if tenant.currency != 'USD' else 'EUR'}\n"
            f'  rate: "{tenant.dollar if tenant.currency != "USD" else "1.0944"}"\n',
        }
        for name, text in texts.items():
            (home / name).write_text(text)
    write_prices(directory, 0, today)


def write_prices(directory: Path, revision: int, today: date) -> None:
    """Put a price list in force, whole or not at all."""
    text = "".join(_entry(prices) for prices in price_list(revision, today))
    for tenant in TENANTS:
        home = directory / tenant.name
        draft = home / "prices.draft"
        draft.write_text(text)
        draft.replace(home / "prices.yaml")


def _entry(prices: Prices) -> str:
    fields = {
        "input": prices.uncached,
        "cache_read": prices.cache_read,
        "cache_write": prices.cache_write,
        "output": prices.visible,
        "reasoning": prices.reasoning,
    }
    lines = [f"- provider: {PROVIDER}", f"  model: {prices.model}"]
    lines += [f'  {name}: "{amount}"' for name, amount in fields.items()]
    if prices.since:
        lines.append(f"  valid_from: {prices.since}")
    if prices.until:
        lines.append(f"  valid_to: {prices.until}")
    return "\n".join(lines) + "\n"
