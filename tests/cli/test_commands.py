"""What a new user types first, and what comes back when it goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from uptake.cli.app import read_settings

Run = Callable[..., Any]


def one_line_and_a_hint(stderr: str) -> tuple[str, str]:
    lines = stderr.strip().splitlines()
    assert len(lines) == 2, stderr
    assert lines[0].startswith("error: ")
    assert lines[1].startswith("hint: ")
    return lines[0], lines[1]


def test_a_starter_workspace_passes_its_own_check(uptake: Run) -> None:
    written = uptake("init")
    assert written.returncode == 0, written.stderr
    assert "wrote workspace/organisation.yaml" in written.stdout
    checked = uptake("workspace", "check")
    assert (checked.returncode, checked.stdout) == (0, "workspace is in order\n"), checked.stderr


def test_init_overwrites_nothing_unless_it_is_told_to(uptake: Run, workspace: Path) -> None:
    mine = workspace / "organisation.yaml"
    mine.write_text(mine.read_text() + "# mine\n")
    refused = uptake("init")
    assert refused.returncode == 2
    assert "organisation.yaml" in one_line_and_a_hint(refused.stderr)[0]
    assert mine.read_text().endswith("# mine\n")
    assert uptake("init", "--force").returncode == 0
    assert not mine.read_text().endswith("# mine\n")


def test_a_broken_workspace_names_file_line_and_reason_and_exits_3(uptake: Run, workspace: Path) -> None:
    file = workspace / "organisation.yaml"
    lines = file.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("zone:"))
    lines[place] = "zone: Europe/Pariss"
    file.write_text("\n".join(lines))
    checked = uptake("workspace", "check")
    assert checked.returncode == 3
    assert f"organisation.yaml:{place + 1}: zone: is not an IANA time zone" in checked.stdout
    assert "did you mean Europe/Paris?" in checked.stdout
    as_json = uptake("workspace", "check", "--json")
    assert as_json.returncode == 3
    assert json.loads(as_json.stdout)[0]["line"] == place + 1


@pytest.mark.parametrize(
    ("arguments", "code", "cause"),
    [
        (("nope",), 2, "No such command 'nope'"),
        (("kpi", "adoption"), 2, "a KPI is of a period"),
        (("kpi", "adoptoin", "--from", "2026-11-02", "--to", "2026-11-08"), 2, "adoptoin"),
        (("kpi", "adoption", "--from", "2026-11-08", "--to", "2026-11-02"), 2, "is before --from"),
        (("kpi", "adoption", "--from", "2 Nov", "--to", "2026-11-08"), 2, "'2 Nov' is not a day"),
        (("kpi", "adoption", "--from", "1950-01-01", "--to", "2026-11-08"), 2, "is not from 2000 to 2199"),
        (("kpi", "--from", "2026-11-02"), 2, "which KPI?"),
        (("keys", "create", "--name", " "), 2, "a key has a name"),
        (("messages", "--status", "bogus"), 2, "bogus"),
        (("digest", "--week", "0001-W01"), 2, "is not from 2000 to 2199"),
        (("kpi", "adoption", "--from", "2026-11-02", "--to", "2199-11-08"), 2, "is not over yet"),
        (("kpi", "adoption", "--from", "2026-11-02", "--to", "2026-11-08", "--team", "x"), 2, "'x'"),
        (("keys", "revoke", "nobody"), 2, "no key with this id"),
        (
            ("--workspace", "elsewhere", "kpi", "calls", "--from", "2026-11-02", "--to", "2026-11-08"),
            2,
            "elsewhere",
        ),
        (("digest", "--week", "2026-W54"), 2, "no week 54 in 2026"),
        (("digest", "--week", "2199-W01"), 2, "2199-W01"),
        (("digest", "--team", "x", "--dry-run"), 2, "no audience or team 'x'"),
    ],
)
def test_a_wrong_command_is_one_line_of_cause_and_one_of_remedy(
    uptake: Run, workspace: Path, arguments: tuple[str, ...], code: int, cause: str
) -> None:
    done = uptake(*arguments)
    assert done.returncode == code, done.stderr
    assert cause in one_line_and_a_hint(done.stderr)[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("UPTAKE_PORT", "eighty"),
        ("UPTAKE_LOG_LEVEL", "loud"),
        ("UPTAKE_TICK_SECONDS", "1e99"),
        ("UPTAKE_SLACK_BASE_URL", "nonsense"),
        ("UPTAKE_STATE_URL", "bogus"),
        ("UPTAKE_STATE_URL", "nosuchdatabase://x/y"),
        ("UPTAKE_CLICKHOUSE_URL", "localhost:8123"),
        ("UPTAKE_CLICKHOUSE_URL", "clickhouse://host:port/db"),
        ("UPTAKE_DATA", "workspace/organisation.yaml"),
    ],
)
def test_a_wrong_setting_is_named_by_its_variable(
    uptake: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    done = uptake("keys", "list")
    assert done.returncode == 2, done.stderr
    assert variable in "".join(one_line_and_a_hint(done.stderr))


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(uptake: Run, workspace: Path) -> None:
    made = uptake("keys", "create", "--name", "letters", "--json")
    key = json.loads(made.stdout)
    listed = uptake("keys", "list", "--json")
    assert [row["key_id"] for row in json.loads(listed.stdout)] == [key["key_id"]]
    assert key["token"].rsplit("_", 1)[1] not in listed.stdout
    assert uptake("keys", "revoke", key["key_id"]).returncode == 0
    assert json.loads(uptake("keys", "list", "--json").stdout)[0]["revoked"]


def test_a_dry_run_prints_sql_and_changes_nothing(uptake_process: Run, workspace: Path) -> None:
    planned = uptake_process("migrate", "--dry-run")
    assert "CREATE TABLE" in planned.stdout
    assert "applied 0001_events.sql" in uptake_process("migrate").stdout
    assert "nothing to do" in uptake_process("migrate").stdout


def test_importing_a_file_twice_changes_no_number(uptake_process: Run, here: Path, workspace: Path) -> None:
    (here / "calls.csv").write_text(
        "when,in,out\n2026-11-02 10:00:00,100,10\n2026-11-03 11:00:00,200,20\nnever,1,1\n"
    )
    (here / "map.yaml").write_text(
        "zone: UTC\ncolumns: {occurred_at: when, input_tokens: in, output_tokens: out}\nconstants: {app: letters}\n"
    )
    command = ("import", "calls.csv", "--as", "usage", "--map", "map.yaml", "--json")
    first = uptake_process(*command)
    assert first.returncode == 1, "a rejected row is said by the exit code"
    report = json.loads(first.stdout)
    assert (report["rows"], report["accepted"], report["rejected"][0]["line"]) == (3, 2, 4)
    again = json.loads(uptake_process(*command).stdout)
    assert (again["accepted"], again["duplicates"]) == (0, 2)
    asked = uptake_process("kpi", "tokens", "--from", "2026-11-02", "--to", "2026-11-08", "--json")
    assert json.loads(asked.stdout)["value"] == 330


def test_the_doctor_says_what_is_missing_and_what_to_do(uptake_process: Run, workspace: Path) -> None:
    ill = uptake_process("--workspace", "elsewhere", "doctor")
    assert ill.returncode == 1
    assert "uptake init" in ill.stdout
    well = uptake_process("doctor", "--json")
    assert well.returncode == 0, well.stdout
    levels = {finding["what"]: finding["level"] for finding in json.loads(well.stdout)}
    assert levels["workspace"] == levels["database"] == levels["state store"] == "ok"
    assert levels["API keys"] == "warning"


def test_an_empty_secret_is_none_and_a_level_has_any_case(
    monkeypatch: pytest.MonkeyPatch, here: Path
) -> None:
    monkeypatch.setenv("UPTAKE_SLACK_TOKEN", "")
    monkeypatch.setenv("UPTAKE_LOG_LEVEL", "debug")
    settings = read_settings()
    assert (settings.slack_token, settings.log_level) == (None, "DEBUG")


def test_the_version_is_shown(uptake: Run) -> None:
    assert uptake("--version") == (0, f"uptake {version('uptake')}\n", "")


def test_what_nobody_expected_is_named_without_its_values(
    uptake: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("ada@example.com")

    monkeypatch.setattr("uptake.workspace.check.check", fail)
    done = uptake("workspace", "check")
    assert done.returncode == 1
    assert "a bug: KeyError" in one_line_and_a_hint(done.stderr)[0]
    assert "ada" not in done.stdout + done.stderr


def test_a_digest_of_nothing_is_shown_and_not_said(uptake_process: Run, workspace: Path) -> None:
    refused = uptake_process("digest")
    assert refused.returncode == 2
    assert "this is not posted" in refused.stderr
    assert uptake_process("messages").stdout == "nothing was said yet\n"


def test_unauthorised_use_is_shown_before_any_service_looked(
    uptake_process: Run, here: Path, workspace: Path
) -> None:
    now = datetime.now(UTC)
    (here / "calls.csv").write_text(f"when\n{now:%Y-%m-%dT%H:%M:%SZ}\n")
    (here / "map.yaml").write_text("columns: {occurred_at: when}\nconstants: {app: nobody-knows-it}\n")
    assert uptake_process("import", "calls.csv", "--as", "usage", "--map", "map.yaml").returncode == 0
    shown = uptake_process("findings")
    assert "nobody-knows-it" in shown.stdout
    assert "not said yet" in shown.stdout
    assert [finding["status"] for finding in json.loads(uptake_process("findings", "--json").stdout)] == [
        "unsaid"
    ]
