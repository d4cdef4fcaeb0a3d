"""Unauthorised use: from groups of calls to findings that are said once. Pure.

A finding is (tenant, rule, app, subject, episode). Its figures grow while it is open; only its first appearance is
said. It is resolved when the registry allows the use. A use after that which is not allowed is a new episode: another
fact, that counts nothing from before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from uptake.alerts import formats
from uptake.alerts.formats import Language
from uptake.alerts.message import Button, Buttons, Message, Text
from uptake.alerts.phrases import counted, say
from uptake.sql.results import UnauthorisedGroup
from uptake.workspace.models import App, Organisation, Workspace

FEW = 5  # a group of fewer people is not counted out
RULES = (
    "unregistered_app",
    "outside_validity",
    "team_not_allowed",
    "use_case_not_allowed",
    "model_not_allowed",
    "data_class_not_allowed",
)


RESOLVED = "resolved"

Key = tuple[str, str, str]
"""Rule, app and subject."""

UNNAMED = {
    "team_not_allowed": "finding.how_roster",
    "use_case_not_allowed": "finding.how_event",
    "data_class_not_allowed": "finding.how_event",
}
"""Rules under which nothing can be what is not allowed, and what to do then."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which one app is used against the registry, over all teams.

    `people` is None for a few (one to four); it is a lower bound (`people_or_more`) where a further team's own
    count was too small to be known. `episode` is empty for the first one, else the UTC day on which the one before
    was resolved: all processes know it, and a late event does not move it.
    """

    rule: str
    app: str
    subject: str
    first_seen: datetime
    last_seen: datetime
    calls: int
    people: int | None
    known_nano: int
    upper_nano: int
    unpriced_calls: int
    teams: tuple[str, ...]
    models: tuple[str, ...]
    data_classes: tuple[str, ...]
    people_or_more: bool = False
    episode: str = ""

    @property
    def key(self) -> Key:
        return self.rule, self.app, self.subject

    def detail(self) -> dict[str, Any]:
        """What is kept of it beside its identity."""
        return {
            "app": self.app,
            "calls": self.calls,
            "people": self.people,
            "people_or_more": self.people_or_more,
            "known_nano": self.known_nano,
            "upper_nano": self.upper_nano,
            "unpriced_calls": self.unpriced_calls,
            "teams": list(self.teams),
            "models": list(self.models),
            "data_classes": list(self.data_classes),
            "episode": self.episode,
        }


@dataclass(frozen=True, slots=True)
class Known:
    """A finding that is on record: since when, and until when it was last seen."""

    identity: str
    key: Key
    first_seen: datetime
    last_seen: datetime
    status: str = "open"
    episode: str = ""
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`new` are said and recorded, `seen` were known and are brought up to date."""

    new: tuple[Finding, ...]
    seen: tuple[Finding, ...]


def identity(tenant: str, finding: Finding) -> str:
    name = "/".join(("finding", tenant, finding.rule, _part(finding.app), _part(finding.subject)))
    return f"{name}/{finding.episode}" if finding.episode else name


def _part(text: str) -> str:
    """Names may hold a slash; two different ones must not become one identity."""
    return text.replace("%", "%25").replace("/", "%2F")


def merge(groups: Iterable[UnauthorisedGroup]) -> list[Finding]:
    """One finding for each rule, app and subject, over its teams; the costliest first."""
    merged: dict[tuple[str, str, str], list[UnauthorisedGroup]] = {}
    for group in groups:
        merged.setdefault((group.rule, group.app, group.subject), []).append(group)
    found = [_one(*key, some) for key, some in merged.items()]
    return sorted(found, key=lambda f: (-f.upper_nano, -f.calls, f.rule, f.app, f.subject))


def _one(rule: str, app: str, subject: str, groups: Sequence[UnauthorisedGroup]) -> Finding:
    counted_people = [g.people for g in groups if g.people is not None]
    hidden = len(counted_people) < len(groups)
    people = sum(counted_people)
    return Finding(
        rule=rule,
        app=app,
        subject=subject,
        first_seen=min(g.first_seen for g in groups),
        last_seen=max(g.last_seen for g in groups),
        calls=sum(g.calls for g in groups),
        people=None if hidden and people < FEW else people,
        known_nano=sum(g.known_nano for g in groups),
        upper_nano=sum(g.upper_nano for g in groups),
        unpriced_calls=sum(g.unpriced_calls for g in groups),
        teams=tuple(sorted({g.team for g in groups})),
        models=tuple(sorted({m for g in groups for m in g.models})),
        data_classes=tuple(sorted({c for g in groups for c in g.data_classes})),
        people_or_more=hidden and people >= FEW,
    )


def decide(tenant: str, groups: Iterable[UnauthorisedGroup], known: Mapping[str, Known]) -> Decision:
    """Which findings are new, and which known ones were seen again.

    The groups cover a window; a known finding keeps the first time it was ever seen. What happened up to the moment
    at which a finding was resolved is over, however late it is looked at.
    """
    at_hand = {k.key: k for k in known.values() if k.status != RESOLVED}
    over = resolved(known)
    new, seen = [], []
    for finding in merge(groups):
        before, since = at_hand.get(finding.key), over.get(finding.key)
        if before is not None:
            first = min(before.first_seen, finding.first_seen)
            seen.append(replace(finding, first_seen=first, episode=before.episode))
        elif since is None:
            new.append(finding)
        elif finding.last_seen > since:
            new.append(replace(finding, episode=since.astimezone(UTC).date().isoformat()))
    return Decision(tuple(new), tuple(seen))


def resolved(known: Mapping[str, Known]) -> dict[Key, datetime]:
    """When a use that is on record was last resolved."""
    over: dict[Key, datetime] = {}
    for one in known.values():
        if one.status == RESOLVED and one.resolved_at is not None:
            over[one.key] = max(one.resolved_at, over.get(one.key, one.resolved_at))
    return over


def allowed(workspace: Workspace, key: Key, day: date) -> bool:
    """Whether the registry would allow on `day` what a finding was about.

    A model is looked for by the name that was reported: one that is on the list by its name in the price list only
    stays open.
    """
    rule, name, subject = key
    app = workspace.registry.get(name)
    if app is None:
        return False
    if rule == "unregistered_app":
        return True
    if rule == "outside_validity":
        return (app.valid_from is None or app.valid_from <= day) and (
            app.valid_to is None or day < app.valid_to
        )
    lists = {
        "model_not_allowed": app.allowed_models,
        "use_case_not_allowed": app.use_cases,
        "team_not_allowed": app.teams,
        "data_class_not_allowed": app.data_classes,
    }
    return rule in lists and (not lists[rule] or subject in lists[rule])


def compose(
    finding: Finding,
    workspace: Workspace,
    team_spend: Mapping[str, int] | None = None,
    locale: Language | None = None,
) -> Message:
    """The message about a new finding. `team_spend` (nano units over the same days) puts its cost into proportion."""
    organisation = workspace.organisation
    language: Language = locale or organisation.locale
    name = identity(organisation.tenant, finding)
    key = f"finding.{finding.rule}" if finding.rule in RULES else "finding.other"
    unnamed = finding.rule in UNNAMED and not finding.subject
    key = f"{key}_unnamed" if unnamed else key
    what = say(key, language, app=finding.app, subject=finding.subject, rule=finding.rule)
    seen = say(
        "finding.first_seen", language, moment=formats.moment(finding.first_seen, organisation.zone, language)
    )
    size = _size(finding, organisation, team_spend or {}, language)
    blocks = [Text(text=f"{formats.capital(seen)} · {size}"), *_texts(_reasons(finding, workspace, language))]
    how = "finding.how_app" if finding.rule == "unregistered_app" else "finding.how"
    if unnamed:
        how = UNNAMED[finding.rule]
    return Message(
        identity=name,
        kind="finding",
        tenant=organisation.tenant,
        locale=language,
        title=f"🟠 {what}",
        summary=size,
        blocks=(*blocks, Text(text=say(how, language)), _buttons(name, finding, language)),
    )


def people(number: int | None, locale: Language, or_more: bool = False) -> str:
    """A number of people; small ones are not counted out."""
    if number is None or 0 < number < FEW:
        return say("people.few", locale)
    key = "people.at_least" if or_more else "people"
    return counted(key, locale, number) if number else say("people.unknown", locale)


def _size(
    finding: Finding, organisation: Organisation, team_spend: Mapping[str, int], locale: Language
) -> str:
    calls = counted("finding.calls", locale, finding.calls)
    teams = formats.listing([team or say("no_team", locale) for team in finding.teams], locale)
    who = say(
        "finding.in_teams", locale, what=people(finding.people, locale, finding.people_or_more), teams=teams
    )
    price, *bound = cost(
        finding.known_nano, finding.upper_nano, finding.unpriced_calls, organisation.currency, locale
    )
    whole = sum(team_spend.get(team, 0) for team in finding.teams)
    if whole >= finding.known_nano > 0:
        share = formats.share(finding.known_nano / whole, locale)
        price += f" ({say('finding.of_spend', locale, share=share, teams=teams)})"
    return ", ".join([calls, who, price, *bound])


def cost(known: int, upper: int, unpriced: int, currency: str, locale: Language) -> list[str]:
    """What is known of a cost, and what it is at most where calls have no price. Not known is not zero."""
    if not unpriced:
        return [formats.money(known, currency, locale)]
    price = formats.money(known, currency, locale) if known else say("finding.cost_unknown", locale)
    most = formats.money(upper, currency, locale)
    return [price, counted("finding.unpriced", locale, unpriced, upper=most)]


def _reasons(finding: Finding, workspace: Workspace, locale: Language) -> list[str]:
    """What is used, and what the registry would allow instead."""
    app = workspace.registry.get(finding.app)
    lines = []
    if finding.models and finding.rule != "model_not_allowed":
        used = say("finding.uses_models", locale, models=formats.listing(list(finding.models), locale))
        if finding.data_classes:
            classes = formats.listing(
                [f"“{c}”" if locale == "en" else f"«\xa0{c}\xa0»" for c in finding.data_classes], locale
            )
            used += say("finding.with_data", locale, classes=classes)
        lines.append(used + ".")
    if app is None:
        lines.append(_who_may(finding, workspace, locale))
    else:
        lines += [*instead(finding, app, locale), say("finding.owner", locale, owner=app.owner)]
    return [" ".join(part for part in lines if part)]


def _who_may(finding: Finding, workspace: Workspace, locale: Language) -> str:
    """Registered apps that may do all of what this one does: its models with its data."""
    able = [
        app.app
        for app in workspace.apps
        if _covers(app.allowed_models, finding.models) and _covers(app.data_classes, finding.data_classes)
    ]
    if not able:
        return say("finding.allowed_for_none", locale)
    return say("finding.allowed_for", locale, apps=formats.listing(able, locale))


def _covers(allowed: Sequence[str], used: Sequence[str]) -> bool:
    """An empty list in the registry allows everything."""
    return not allowed or set(used) <= set(allowed)


def instead(finding: Finding, app: App, locale: Language) -> list[str]:
    """What the registry allows of the kind that the finding is about."""
    lists = {
        "model_not_allowed": ("finding.instead_models", app.allowed_models),
        "use_case_not_allowed": ("finding.instead_use_cases", app.use_cases),
        "team_not_allowed": ("finding.instead_teams", app.teams),
        "data_class_not_allowed": ("finding.instead_data", app.data_classes),
    }
    if finding.rule in lists:
        key, names = lists[finding.rule]
        return [say(key, locale, names=formats.listing(list(names), locale))] if names else []
    if finding.rule == "outside_validity":
        return [_validity(app.valid_from, app.valid_to, locale)]
    return []


def _validity(first: date | None, after: date | None, locale: Language) -> str:
    values = {
        "first": formats.full_day(first, locale) if first else "",
        "after": formats.full_day(after, locale) if after else "",
    }
    key = (
        "finding.valid_between" if first and after else "finding.valid_from" if first else "finding.valid_to"
    )
    return say(key, locale, **values)


def _texts(lines: Sequence[str]) -> list[Text]:
    return [Text(text=line) for line in lines if line]


def _buttons(name: str, finding: Finding, locale: Language) -> Buttons:
    keys = (
        ["not_ours", "snooze"] if finding.rule != "unregistered_app" else ["register", "not_ours", "snooze"]
    )
    return Buttons(
        buttons=tuple(Button(label=say(f"button.{k}", locale), action=k, value=name) for k in keys)
    )
