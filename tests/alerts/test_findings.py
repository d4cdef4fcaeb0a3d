"""Findings by their rules: one a (tenant, rule, app, subject), said once, nobody singled out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from uptake.alerts import findings, floods
from uptake.alerts.findings import Finding, Known
from uptake.alerts.message import Message, Text
from uptake.sql.results import UnauthorisedGroup
from uptake.workspace.models import App, Organisation, Workspace

NANO = 10**9
SEEN = datetime(2026, 11, 17, 7, 31, tzinfo=UTC)
WORKSPACE = Workspace(
    organisation=Organisation(tenant="acme", name="Acme", zone="Europe/Paris"),
    apps=(
        App(
            app="claims-letter",
            owner="Claims IT",
            allowed_models=("gpt-5.6-sol", "gpt-5.6-mini"),
            data_classes=("confidential",),
            use_cases=("letter",),
            teams=("Claims",),
        ),
        App(app="chat", owner="IT", data_classes=("internal",)),
    ),
)


def _group(**changes: Any) -> UnauthorisedGroup:
    given = {
        "rule": "unregistered_app",
        "app": "tender-bot",
        "subject": "",
        "team": "Sales",
        "first_seen": SEEN,
        "last_seen": SEEN + timedelta(hours=2),
        "calls": 4180,
        "people": 7,
        "known_nano": 96 * NANO,
        "upper_nano": 96 * NANO,
        "unpriced_calls": 0,
        "models": ("gpt-5.6-sol",),
        "data_classes": ("confidential",),
    }
    return UnauthorisedGroup(**{**given, **changes})


def _one(**changes: Any) -> Finding:
    (finding,) = findings.merge([_group(**changes)])
    return finding


def _text(message: Message) -> str:
    return "\n".join(block.text for block in message.blocks if isinstance(block, Text))


def test_an_app_in_several_teams_is_one_finding() -> None:
    (finding,) = findings.merge(
        [_group(), _group(team="Motor", calls=20, people=6, first_seen=SEEN - timedelta(days=1))]
    )
    assert finding.teams == ("Motor", "Sales")
    assert (finding.calls, finding.people) == (4200, 13)
    assert finding.first_seen == SEEN - timedelta(days=1)


def test_different_subjects_are_different_findings() -> None:
    rows = [
        _group(rule="model_not_allowed", app="claims-letter", subject="gpt-x"),
        _group(rule="model_not_allowed", app="claims-letter", subject="gpt-y"),
    ]
    assert len(findings.decide("acme", rows, {}).new) == 2


def test_a_known_finding_is_brought_up_to_date_and_not_said_again() -> None:
    name = findings.identity("acme", _one())
    known = {name: Known(name, _one().key, SEEN - timedelta(days=9), SEEN)}
    decision = findings.decide("acme", [_group()], known)
    assert decision.new == ()
    (seen,) = decision.seen
    assert seen.first_seen == SEEN - timedelta(days=9)
    assert findings.identity("globex", seen) != name, "another tenant's finding is another fact"


def test_what_was_resolved_is_over_until_it_happens_again() -> None:
    name, over = findings.identity("acme", _one()), SEEN + timedelta(days=3)
    ended = Known(name, _one().key, SEEN, SEEN, findings.RESOLVED, resolved_at=over)
    known = {name: ended}
    assert findings.decide("acme", [_group(last_seen=over)], known) == findings.Decision((), ())
    later = _group(first_seen=over + timedelta(hours=1), last_seen=over + timedelta(days=1))
    (again,) = findings.decide("acme", [later], known).new
    other = findings.identity("acme", again)
    assert other == f"{name}/2026-11-20", "a fact of its own, whoever finds it and when"
    known[other] = Known(other, again.key, again.first_seen, again.last_seen, "open", again.episode)
    (seen,) = findings.decide("acme", [later], known).seen
    assert findings.identity("acme", seen) == other


@pytest.mark.parametrize(
    ("rule", "app", "subject", "allowed"),
    [
        ("unregistered_app", "tender-bot", "", False),
        ("unregistered_app", "chat", "", True),
        ("model_not_allowed", "claims-letter", "gpt-x", False),
        ("model_not_allowed", "claims-letter", "gpt-5.6-sol", True),
        ("model_not_allowed", "chat", "gpt-x", True),
        ("use_case_not_allowed", "claims-letter", "poems", False),
        ("use_case_not_allowed", "claims-letter", "letter", True),
        ("team_not_allowed", "claims-letter", "Sales", False),
        ("team_not_allowed", "chat", "Sales", True),
        ("data_class_not_allowed", "chat", "confidential", False),
        ("data_class_not_allowed", "chat", "internal", True),
        ("data_class_not_allowed", "gone", "internal", False),
        ("outside_validity", "chat", "", True),
        ("outside_validity", "pilot", "", False),
        ("tomorrow", "chat", "", False),
    ],
)
def test_the_registry_says_what_is_allowed_by_now(rule: str, app: str, subject: str, allowed: bool) -> None:
    pilot = App(app="pilot", owner="IT", valid_from=date(2026, 11, 1), valid_to=date(2026, 11, 17))
    workspace = Workspace(organisation=WORKSPACE.organisation, apps=(*WORKSPACE.apps, pilot))
    assert findings.allowed(workspace, (rule, app, subject), date(2026, 11, 17)) == allowed


def _many(count: int, **changes: Any) -> list[Finding]:
    rule = {"rule": "use_case_not_allowed", "app": "claims-letter", **changes}
    groups = [_group(**{"subject": f"case-{n:02}", "known_nano": n * NANO, **rule}) for n in range(count)]
    return findings.merge(groups)


def test_more_than_ten_of_a_rule_and_app_are_one_message() -> None:
    ten, eleven = _many(10), _many(11, app="chat")
    assert [len(some) for some in floods.bundle([*ten, *eleven, _one()])] == [*[1] * 10, 11, 1]


def test_a_flood_says_how_many_gives_examples_and_what_is_allowed() -> None:
    message = floods.compose(_many(12), WORKSPACE)
    assert message.title == "🟠 “claims-letter” is used for 12 use cases that are not registered"
    assert message.identity == "finding/acme/use_case_not_allowed/claims-letter/case-00"
    assert _text(message).split("\n") == [
        "First seen Tue 17 Nov 08:31 · 50,160 calls, €66.00",
        "Among them case-00, case-01, case-02, case-03 and case-04. The others are in `uptake findings`.",
        "Registered use cases: letter. Owner: Claims IT.",
        "To allow it, change its entry in apps.yaml; to stop it, talk to whoever runs it.",
    ]


@pytest.mark.parametrize("rule", [*findings.RULES[2:], "tomorrow"])
def test_every_flood_speaks_both_languages(rule: str) -> None:
    for locale in ("en", "fr"):
        message = floods.compose(_many(12, rule=rule), WORKSPACE, locale)  # type: ignore[arg-type]
        assert "{" not in message.title + _text(message)
        assert "12" in message.title


@pytest.mark.parametrize(
    ("rule", "title", "remedy"),
    [
        ("team_not_allowed", "used by people who are in no team of the roster", "roster.csv"),
        ("use_case_not_allowed", "does not say what it is used for", "let the app say it"),
        ("data_class_not_allowed", "does not say what data it handles", "let the app say it"),
    ],
)
def test_nothing_said_is_no_name(rule: str, title: str, remedy: str) -> None:
    finding = _one(rule=rule, app="claims-letter", subject="", team="")
    for locale in ("en", "fr"):
        assert "–" not in findings.compose(finding, WORKSPACE, locale=locale).title  # type: ignore[arg-type]
    message = findings.compose(finding, WORKSPACE)
    assert title in message.title
    assert remedy in _text(message)


def test_names_with_slashes_do_not_share_an_identity() -> None:
    one = _one(app="a/b", subject="c")
    other = _one(app="a", subject="b/c")
    assert findings.identity("acme", one) != findings.identity("acme", other)


@pytest.mark.parametrize(
    ("groups", "people"),
    [
        ([_group(people=None)], "fewer than 5 people"),
        ([_group(people=None), _group(team="Motor", people=None)], "fewer than 5 people"),
        ([_group(people=7), _group(team="Motor", people=None)], "at least 7 people"),
        ([_group(people=0)], "nobody named"),
        ([_group(people=7)], "7 people"),
    ],
)
def test_a_few_people_are_not_counted_out(groups: list[UnauthorisedGroup], people: str) -> None:
    (finding,) = findings.merge(groups)
    assert people in _text(findings.compose(finding, WORKSPACE))


def test_a_small_number_is_hidden_even_if_it_comes_through() -> None:
    assert findings.people(3, "en") == "fewer than 5 people"


def test_the_message_says_what_since_when_how_much_and_what_is_allowed() -> None:
    message = findings.compose(_one(), WORKSPACE, {"Sales": 3310 * NANO})
    assert message.title == "🟠 Unregistered app “tender-bot”"
    assert _text(message).split("\n") == [
        "First seen Tue 17 Nov 08:31 · 4,180 calls, 7 people in Sales, "
        "€96.00 (2.9% of what Sales spent in the same days)",
        "It uses gpt-5.6-sol with data class “confidential”. The registry allows that for claims-letter only.",
        "To allow it, add it to apps.yaml; to stop it, talk to whoever runs it.",
    ]


@pytest.mark.parametrize(
    ("rule", "subject", "says"),
    [
        ("model_not_allowed", "gpt-x", "The registry allows gpt-5.6-sol and gpt-5.6-mini."),
        ("use_case_not_allowed", "poems", "Registered use cases: letter."),
        ("team_not_allowed", "Sales", "Teams that may use it: Claims."),
        ("data_class_not_allowed", "secret", "Data classes that it may handle: confidential."),
    ],
)
def test_a_finding_shows_what_the_registry_would_allow_instead(rule: str, subject: str, says: str) -> None:
    message = findings.compose(_one(rule=rule, app="claims-letter", subject=subject), WORKSPACE)
    assert says in _text(message)
    assert "Owner: Claims IT." in _text(message)


def test_calls_without_a_price_are_said_beside_the_cost() -> None:
    message = findings.compose(_one(unpriced_calls=12, upper_nano=120 * NANO), WORKSPACE)
    assert "12 calls have no price: at most €120" in _text(message)


def test_a_cost_that_is_not_known_is_not_zero() -> None:
    message = findings.compose(_one(calls=5, known_nano=0, unpriced_calls=5), WORKSPACE)
    assert "cost not known, 5 calls have no price: at most €96.00" in _text(message)
    assert "€0.00" not in _text(message)


def test_a_rule_that_is_not_known_yet_still_makes_a_message() -> None:
    message = findings.compose(replace(_one(), rule="tomorrow"), WORKSPACE)
    assert "tomorrow" in message.title


@pytest.mark.parametrize("rule", findings.RULES)
def test_every_rule_speaks_both_languages(rule: str) -> None:
    finding = _one(rule=rule, app="claims-letter", subject="x")
    for locale in ("en", "fr"):
        message = findings.compose(finding, WORKSPACE, locale=locale)  # type: ignore[arg-type]
        assert "{" not in message.title + _text(message)
