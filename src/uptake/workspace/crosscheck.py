"""What no file can know alone: names that are nowhere, rules that can never fire, stays that overlap. Pure.

A name is looked up among what the files say, also in entries that have faults of their own, so that one fault
is reported once. Without a roster teams are whatever the events claim, and are not checked; so with apps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from uptake.document import Document, Path
from uptake.problems import Problem, did_you_mean
from uptake.workspace.models import (
    App,
    Budget,
    Channels,
    Organisation,
    Person,
    Price,
    Rate,
    Target,
)

LIST_CURRENCY = "USD"
"""The currency of list prices and of `unknown_price_*`."""

_NEVER, _ALWAYS = date.max, date.min


@dataclass
class Draft:
    """What was read so far: documents by name, and the valid entries with their index in their document."""

    documents: dict[str, Document]
    organisation: Organisation | None = None
    roster: list[tuple[int, Person]] = field(default_factory=list)
    apps: list[tuple[int, App]] = field(default_factory=list)
    budgets: list[tuple[int, Budget]] = field(default_factory=list)
    targets: list[tuple[int, Target]] = field(default_factory=list)
    prices: list[tuple[int, Price]] = field(default_factory=list)
    fx: list[tuple[int, Rate]] = field(default_factory=list)
    channels: Channels = field(default_factory=Channels)

    def written(self, document: str, key: str) -> set[str]:
        """Every text under `key` in the entries of a document, valid or not."""
        return {text for i in self.entries(document) for _, text in self.texts(document, (i, key))}

    def entries(self, document: str) -> range:
        value = self.documents[document].value if document in self.documents else None
        return range(len(value)) if isinstance(value, list) else range(0)

    def texts(self, document: str, path: Path) -> list[tuple[Path, str]]:
        """The text at `path`, or the texts of the list there, each with its own path."""
        value = self.documents[document].at(path) if document in self.documents else None
        if isinstance(value, list):
            return [((*path, i), each.strip()) for i, each in enumerate(value) if isinstance(each, str)]
        return [(path, value.strip())] if isinstance(value, str) else []


def cross_check(draft: Draft) -> Iterator[Problem]:
    """Every fault between the files."""
    yield from _roster(draft)
    yield from _repeated(draft, "apps", [(i, app.app) for i, app in draft.apps])
    yield from _repeated(draft, "budgets", [(i, budget.budget) for i, budget in draft.budgets])
    yield from _repeated(draft, "targets", [(i, f"{t.kpi}, {t.team or 'all'}") for i, t in draft.targets])
    teams = draft.written("roster", "team")
    for i in draft.entries("apps"):
        yield from _known(draft, "apps", (i, "teams"), "team", teams)
    for i in draft.entries("budgets"):
        yield from _scope(draft, i, teams)
    for i in draft.entries("targets"):
        yield from _known(draft, "targets", (i, "team"), "team", teams)
    yield from _audiences(draft, teams)
    yield from _silent(draft)
    yield from _prices(draft)
    yield from _rates(draft)


def _known(draft: Draft, document: str, path: Path, noun: str, known: Iterable[str]) -> Iterator[Problem]:
    names = set(known)
    for place, name in draft.texts(document, path):
        if names and name not in names:
            reason = f"{noun} {name!r} does not exist"
            yield draft.documents[document].problem(place, reason, did_you_mean(name, names))


def _repeated(draft: Draft, name: str, entries: list[tuple[int, str]]) -> Iterator[Problem]:
    document = draft.documents[name] if entries else None
    first: dict[str, int] = {}
    for i, identity in entries:
        if identity in first and document is not None:
            line = document.line((first[identity],))
            yield document.problem((i,), f"{identity!r} is here twice, first in line {line}")
        first.setdefault(identity, i)


def _roster(draft: Draft) -> Iterator[Problem]:
    document = draft.documents.get("roster")
    stays: dict[str, list[tuple[int, Person]]] = {}
    for i, person in draft.roster:
        stays.setdefault(person.user_id, []).append((i, person))
    for own in stays.values():
        own.sort(key=lambda entry: entry[1].joined)
        for (i, before), (j, after) in pairwise(own):
            if document and (before.left is None or after.joined < before.left):
                reason = f"overlaps line {document.line((i,))}: the same person is in two rows at once"
                yield document.problem((j,), reason, "give the earlier row its day of leaving (`left`)")
    for i, person in draft.roster:
        if document and person.champion and not person.seat:
            reason = "is a champion without a seat, and will not count as one who uses it"
            yield Problem(document.file, document.line((i,)), reason, severity="warning")


def _scope(draft: Draft, i: int, teams: set[str]) -> Iterator[Problem]:
    """A budget whose scope no call can match."""
    place: Path = (i, "scope")
    for name in ("team", "teams"):
        yield from _known(draft, "budgets", (*place, name), "team", teams)
    yield from _known(draft, "budgets", (*place, "app"), "app", draft.written("apps", "app"))
    within = _within(draft, [text for _, text in draft.texts("budgets", (*place, "app"))])
    if within and all(app.use_cases for app in within):
        use_cases = {name for app in within for name in app.use_cases}
        yield from _known(draft, "budgets", (*place, "use_case"), "use case", use_cases)
    if within and all(app.allowed_models for app in within):
        models = {name for app in within for name in app.allowed_models}
        yield from _known(draft, "budgets", (*place, "model"), "allowed model", models)


def _within(draft: Draft, apps: list[str]) -> list[App]:
    """The apps a scope can count; none when an entry of the registry is faulty, for it might allow it."""
    if len(draft.apps) != len(draft.entries("apps")):
        return []
    return [app for _, app in draft.apps if not apps or app.app in apps]


def _silent(draft: Draft) -> Iterator[Problem]:
    for i, budget in draft.budgets:
        if not budget.channel and not draft.channels.budgets:
            document = draft.documents["budgets"]
            reason, hint = (
                f"{budget.budget} alerts nobody",
                "give it a channel, or set budgets in channels.yaml",
            )
            yield Problem(document.file, document.line((i,)), reason, hint, severity="warning")
    yield from _silent_channels(draft)


def _silent_channels(draft: Draft) -> Iterator[Problem]:
    """Digests and findings that would be said to nobody. Who writes no channels.yaml reads files."""
    document = draft.documents.get("channels")
    if document is None or document.problems:
        return  # what it says is not known
    for i, audience in enumerate(draft.channels.audiences):
        if not audience.channel:
            reason, hint = f"the digest of {audience.audience} goes to nobody", "give it a channel"
            line = document.line(("audiences", i))
            yield Problem(document.file, line, reason, hint, severity="warning")
    if not draft.channels.audiences:
        reason, hint = "the digest of the organisation goes to nobody", "name an audience with its channel"
        yield Problem(document.file, document.line(("audiences",)), reason, hint, severity="warning")
    if not draft.channels.findings:
        reason, hint = "unauthorised use is told nobody", "set findings to a channel"
        yield Problem(document.file, document.line(("findings",)), reason, hint, severity="warning")


def _audiences(draft: Draft, teams: set[str]) -> Iterator[Problem]:
    document = draft.documents.get("channels")
    audiences = document.at(("audiences",)) if document else None
    if document is None or not isinstance(audiences, list):
        return
    first: dict[str, int] = {}
    for i in range(len(audiences)):
        place: Path = ("audiences", i)
        for path, name in draft.texts("channels", (*place, "audience")):
            if name in first:
                reason = f"{name!r} is here twice, first in line {first[name]}"
                yield document.problem(path, reason, "digests are told apart by it")
            first.setdefault(name, document.line(path))
        yield from _known(draft, "channels", (*place, "teams"), "team", teams)
        yield from _known(draft, "channels", (*place, "apps"), "app", draft.written("apps", "app"))


def _prices(draft: Draft) -> Iterator[Problem]:
    document = draft.documents.get("prices")
    for n, (i, price) in enumerate(draft.prices):
        for j, other in draft.prices[:n]:
            same = (price.provider, price.model) == (other.provider, other.model)
            if document and same and _overlap(price, other):
                reason = f"a second price of {price.model!r} for the same days, first in line"
                yield document.problem((i,), f"{reason} {document.line((j,))}", "end the first (`valid_to`)")


def _overlap(one: Price, other: Price) -> bool:
    return (one.valid_from or _ALWAYS) < (other.valid_to or _NEVER) and (other.valid_from or _ALWAYS) < (
        one.valid_to or _NEVER
    )


def _rates(draft: Draft) -> Iterator[Problem]:
    yield from _repeated(
        draft, "fx", [(i, f"{r.currency} from {r.valid_from or 'always'}") for i, r in draft.fx]
    )
    if draft.organisation is None:
        return
    own, known = draft.organisation.currency, draft.written("fx", "currency")
    for i, rate in draft.fx:
        if rate.currency == own:
            reason = f"{own} is the organisation's own currency: its rate is 1 and not written"
            yield draft.documents["fx"].problem((i,), reason)
    for i, price in draft.prices:
        if price.currency not in known | {own}:
            reason = f"fx.yaml has no rate for {price.currency}"
            yield draft.documents["prices"].problem((i, "currency"), reason, f"say what it is worth in {own}")
    if LIST_CURRENCY not in known | {own}:
        reason = f"list prices are in {LIST_CURRENCY} and fx.yaml has no rate for it: calls have no cost"
        hint = f"add to fx.yaml what one {LIST_CURRENCY} is worth in {own}"
        yield Problem(
            draft.documents["organisation"].file, 0, reason, hint, "error" if draft.budgets else "warning"
        )
