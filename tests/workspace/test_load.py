"""Loading: everything or every fault, each with file, line, reason and, where there is one, a remedy."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from uptake.errors import WorkspaceError
from uptake.workspace.check import check
from uptake.workspace.load import InvalidWorkspaceError, load_workspaces

BUDGET = "- budget: b\n  name: B\n  amount: 10\n  channel: c\n"


def test_only_organisation_yaml_is_required(tmp_path: Path) -> None:
    (tmp_path / "organisation.yaml").write_text("tenant: acme\nname: Acme\ncurrency: USD\n")
    (workspace,) = load_workspaces(tmp_path, None).values()
    assert (workspace.tenant, workspace.roster, workspace.organisation.zone) == ("acme", (), "UTC")


def test_a_directory_without_a_workspace_says_how_to_begin(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InvalidWorkspaceError) as error:
            load_workspaces(place, None)
        assert "organisation.yaml: is missing (`uptake init`" in error.value.message


def test_every_fault_of_every_file_is_told_at_once(files: Any) -> None:
    files.write(
        "organisation.yaml", "tenant: acme\nname: Acme\nzone: Europe/Pariss\nlocal: fr\ncurrency: USD\n"
    )
    files.write("roster.csv", "user_id,team,joined,seat\np1,Claims,01/02/2026,maybe\np2,Claims\n")
    files.write(
        "apps.yaml",
        "- app: letter\n  owner: X\n  teams: [Claim]\n- app: letter\n  owner: X\n  cricality: low\n",
    )
    files.write("budgets.yaml", "- budget: b\n  name: B\n  amount: 0\n  scope:\n    app: leter\n")
    files.write("targets.yaml", "- kpi: adoptoin\n  target: 60\n  owner: O\n  due: soon\n")
    with pytest.raises(WorkspaceError) as error:
        files.load()
    assert error.value.message.splitlines() == [
        "organisation.yaml:3: zone: is not an IANA time zone, such as Europe/Paris (did you mean Europe/Paris?)",
        "organisation.yaml:4: unknown key 'local' (did you mean locale?)",
        "roster.csv:2: seat: should be yes or no",
        "roster.csv:2: joined: should be a day written like 2026-11-01",
        "roster.csv:3: has 2 cells where the header has 4",
        "apps.yaml:3: team 'Claim' does not exist (did you mean Claims?)",
        "apps.yaml:6: unknown key 'cricality' (did you mean criticality?)",
        "budgets.yaml:3: amount: should be greater than 0",
        "budgets.yaml:5: app 'leter' does not exist (did you mean letter?)",
        "targets.yaml:1: kpi: should be 'adoption', 'habits', 'stickiness', 'activation', 'seats', 'override_rate', "
        "'thumbs_down', 'error_rate' or 'unauthorised_share' "
        "(did you mean adoption?)",
        "targets.yaml:2: target: should be less than or equal to 1",
        "targets.yaml:4: due: should be a day written like 2026-11-01",
    ]
    assert error.value.exit_code == 3
    assert len(error.value.problems) == 12  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("budgets.yaml", BUDGET + BUDGET, "budgets.yaml:5: 'b' is here twice, first in line 1"),
        (
            "budgets.yaml",
            BUDGET + "  scope: {team: claims}\n",
            "budgets.yaml:5: team 'claims' does not exist (did you",
        ),
        (
            "budgets.yaml",
            BUDGET + "  scope:\n    modle: x\n",
            "budgets.yaml:6: unknown key 'modle' (did you mean model?)",
        ),
        ("budgets.yaml", BUDGET + "  thresholds: [80, 50]\n", "budgets.yaml:5: thresholds: rise from one"),
        ("budgets.yaml", BUDGET + "  thresholds: [50, 50]\n", "budgets.yaml:5: thresholds: rise from one"),
        ("budgets.yaml", BUDGET + "  thresholds: [0]\n", "budgets.yaml:5: thresholds: each is a percentage"),
        (
            "budgets.yaml",
            BUDGET + "  thresholds: 80\n",
            "budgets.yaml:5: thresholds: should be a list (write [80])",
        ),
        (
            "budgets.yaml",
            BUDGET + "  valid_from: 2026-12-01\n  valid_to: 2026-11-01\n",
            "budgets.yaml:1: valid_to is exclusive and after valid_from",
        ),
        ("budgets.yaml", BUDGET.replace("10", "-1"), "budgets.yaml:3: amount: should be greater than 0"),
        ("budgets.yaml", BUDGET.replace("10", "ten"), "budgets.yaml:3: amount: should be a valid decimal"),
        (
            "budgets.yaml",
            "budgets:\n" + BUDGET,
            "budgets.yaml:1: is a list: each entry begins with `- ` (remove the",
        ),
        ("budgets.yaml", "- just text\n", "budgets.yaml:1: this: should be keys and values"),
        ("budgets.yaml", "- budget: b\n  name:\n  amount: 10\n", "budgets.yaml:2: name: has no value"),
        ("budgets.yaml", "- name: B\n  amount: 10\n", "budgets.yaml:1: 'budget' is missing"),
        (
            "targets.yaml",
            "- {kpi: adoption, target: 1, owner: O, due: 2026-12-31, team: Legal}\n",
            "targets.yaml:1: team",
        ),
        (
            "targets.yaml",
            "- &t {kpi: adoption, target: 1, owner: O, due: 2026-12-31}\n"
            "- {kpi: adoption, target: 0, owner: O, due: 2026-12-31}\n",
            "targets.yaml:2: 'adoption, all' is here twice, first in line 1",
        ),
        (
            "prices.yaml",
            "- {provider: p, model: m, currency: GBP, input: 0, output: 1}\n",
            "prices.yaml:1: fx.yaml has no rate for GBP (say what it is worth in USD)",
        ),
        (
            "prices.yaml",
            "- {provider: p, model: m, input: 0, output: 1, valid_to: 2026-06-02}\n"
            "- {provider: p, model: m, input: 0, output: 1, valid_from: 2026-06-01}\n",
            "prices.yaml:2: a second price of 'm' for the same days, first in line 1 (end the first (`valid_to`))",
        ),
        ("fx.yaml", "- {currency: USD, rate: 1}\n", "fx.yaml:1: USD is the organisation's own currency"),
        (
            "fx.yaml",
            "- {currency: GBP, rate: 1}\n- {currency: GBP, rate: 2}\n",
            "fx.yaml:2: 'GBP from always' is here",
        ),
        ("fx.yaml", "- {currency: gbp, rate: 1}\n", "fx.yaml:1: currency: "),
        (
            "channels.yaml",
            "audiences:\n- {audience: a, name: A, teams: [Claims, Legal]}\n",
            "channels.yaml:2: team 'Legal'",
        ),
        (
            "channels.yaml",
            "audiences:\n- {audience: a, name: A}\n- {audience: a, name: B}\n",
            "channels.yaml:3: 'a' is here twice, first in line 2",
        ),
        (
            "channels.yaml",
            "audience: []\n",
            "channels.yaml:1: unknown key 'audience' (did you mean audiences?)",
        ),
        (
            "apps.yaml",
            "- {app: a, owner: O, reasons: [wrong]}\n",
            "apps.yaml:1: reason 'wrong': an app's own reasons",
        ),
        (
            "apps.yaml",
            "- {app: a, owner: O, allowed_models: ['gpt-5*']}\n",
            "apps.yaml:1: allowed model 'gpt-5*': names are",
        ),
        ("budgets.yml", BUDGET, "budgets.yml: is not read (did you mean budgets.yaml?)"),
        ("channel.yaml", "", "channel.yaml: is not read (did you mean channels.yaml?)"),
    ],
)
def test_what_could_never_apply_is_refused(files: Any, file: str, content: str, says: str) -> None:
    content = content.replace("&t ", "")
    assert any(fault.startswith(says) for fault in files.faults(file, content)), files.check()
    with pytest.raises(WorkspaceError):
        files.load()


@pytest.mark.parametrize(
    ("scope", "fault"),
    [
        ("{app: letter, use_case: draft}", ""),
        ("{app: letter, use_case: daft}", "use case 'daft' does not exist (did you mean draft?)"),
        ("{use_case: daft}", ""),  # `free` allows any use case
        ("{app: letter, model: gpt-5-mini}", ""),
        ("{app: letter, model: claude-x}", "allowed model 'claude-x' does not exist (known: gpt-5-mini)"),
        ("{model: claude-x}", ""),
    ],
)
def test_a_scope_is_refused_only_when_no_app_could_match_it(files: Any, scope: str, fault: str) -> None:
    apps = "- {app: letter, owner: O, use_cases: [draft], allowed_models: [gpt-5-mini]}\n- {app: free, owner: O}\n"
    files.write("apps.yaml", apps)
    found = files.faults("budgets.yaml", f"{BUDGET}  scope: {scope}\n")
    assert [each.partition(": ")[2].startswith(fault) for each in found] == ([True] if fault else [])


def test_prices_that_follow_each_other_do_not_overlap(files: Any) -> None:
    content = (
        "- {provider: p, model: m, input: 1, output: 1, valid_to: 2026-06-01}\n"
        "- {provider: p, model: m, input: 2, output: 2, valid_from: 2026-06-01}\n"
    )
    assert files.faults("prices.yaml", content) == []


def test_without_a_roster_teams_are_not_known_and_not_refused(files: Any) -> None:
    (files.directory / "roster.csv").unlink()
    assert files.faults("budgets.yaml", BUDGET + "  scope: {team: Anything}\n") == []


def test_without_a_rate_for_list_prices_a_budget_could_not_fire_and_is_refused(files: Any) -> None:
    files.write("organisation.yaml", "tenant: acme\nname: Acme\ncurrency: EUR\n")
    (warning,) = files.check()
    assert (warning.severity, warning.file) == ("warning", "organisation.yaml")
    assert files.load().organisation.currency == "EUR"
    files.write("budgets.yaml", BUDGET)
    assert [problem.severity for problem in files.check()] == ["error"]


def test_a_budget_that_alerts_nobody_is_a_warning(files: Any) -> None:
    (warning,) = files.faults("budgets.yaml", "- {budget: b, name: B, amount: 10}\n")
    assert warning.startswith("budgets.yaml:1: warning: b alerts nobody")
    assert files.load().budgets


@pytest.mark.parametrize(
    ("channels", "warnings"),
    [
        ("findings: '#f'\naudiences: [{audience: a, name: A, channel: '#a'}]\n", []),
        (
            "findings: '#f'\naudiences:\n  - {audience: a, name: A, channel: '#a'}\n  - {audience: b, name: B}\n",
            ["channels.yaml:4: warning: the digest of b goes to nobody"],
        ),
        (
            "audiences: [{audience: a, name: A, channel: '#a'}]\n",
            ["channels.yaml:1: warning: unauthorised use is told nobody"],
        ),
        ("findings: '#f'\n", ["channels.yaml:1: warning: the digest of the organisation goes to nobody"]),
    ],
)
def test_what_is_said_to_nobody_is_a_warning(files: Any, channels: str, warnings: list[str]) -> None:
    found = files.faults("channels.yaml", channels)
    assert len(found) == len(warnings)
    assert all(fault.startswith(warning) for fault, warning in zip(found, warnings, strict=True))
    assert files.load().channels


def test_a_channels_file_with_a_fault_is_not_said_to_tell_nobody(files: Any) -> None:
    (fault,) = files.faults("channels.yaml", "findngs: '#f'\n")
    assert "nobody" not in fault


def test_each_sub_directory_is_a_workspace(files: Any, tmp_path: Path) -> None:
    for name in ("north", "south"):
        files.write(f"both/{name}/organisation.yaml", f"tenant: {name}\nname: N\ncurrency: USD\n")
    files.write("both/.schemas/organisation.yaml", "not a workspace\n")
    assert set(load_workspaces(tmp_path / "both", None)) == {"north", "south"}
    files.write("both/south/organisation.yaml", "tenant: north\nname: N\ncurrency: USD\n")
    (problem,) = check(tmp_path / "both", None)
    assert str(problem).startswith(
        "south/organisation.yaml: tenant 'north' is also that of north/organisation.yaml"
    )


def test_a_sub_directory_that_forgot_its_organisation_is_named(files: Any, tmp_path: Path) -> None:
    files.write("both/north/organisation.yaml", "tenant: north\nname: N\ncurrency: USD\n")
    files.write("both/south/budgets.yaml", BUDGET)
    (problem,) = check(tmp_path / "both", None)
    assert str(problem).startswith("south/organisation.yaml: is missing")


def test_the_digest_says_whether_the_content_changed(files: Any) -> None:
    before = files.load().digest
    files.write("organisation.yaml", "# a comment\nname: Acme\ntenant: acme\ncurrency: USD\n")
    assert files.load().digest == before
    files.write("organisation.yaml", "tenant: acme\nname: Acme Ltd\ncurrency: USD\n")
    assert files.load().digest != before


def test_a_country_and_a_seat_have_what_was_written(files: Any) -> None:
    # A YAML parser that guesses reads NO as false.
    files.write(
        "organisation.yaml", "tenant: acme\nname: Acme\ncurrency: USD\ncountry: NO\nseat_price: 29.90\n"
    )
    organisation = files.load().organisation
    assert (organisation.country, organisation.seat_price) == ("NO", Decimal("29.90"))


def test_a_country_that_is_none_and_a_seat_that_costs_nothing_are_refused(files: Any) -> None:
    files.write(
        "organisation.yaml", "tenant: acme\nname: Acme\ncurrency: USD\ncountry: CH-XX\nseat_price: 0\n"
    )
    with pytest.raises(WorkspaceError) as error:
        files.load()
    first, second = error.value.message.splitlines()
    assert first.startswith("organisation.yaml:4: country: CH has no part 'XX'; known: AG")
    assert second == "organisation.yaml:5: seat_price: should be greater than 0"
