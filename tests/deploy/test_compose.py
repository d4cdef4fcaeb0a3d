"""Rules of docker-compose.yml that hold whether or not Docker is here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from typer.main import get_command

from uptake.cli.app import app, run
from uptake.ingest.log.appender import PRODUCER_TIMES
from uptake.processors.worker.runner import STOP_SECONDS
from uptake.settings import Settings

Services = dict[str, dict[str, Any]]

ONE_SHOT = {"access", "migrate", "topics"}
VARIABLE = re.compile(r"\$\{(\w+)(:\?|:-)?([^}]*)\}")
SECRET = re.compile(r"PASSWORD|TOKEN|KEY|SECRET|SHA256")


def environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}


def test_every_service_of_the_distributed_mode_is_there(services: Services) -> None:
    running = {"kafka", "clickhouse", "gateway", "worker", "scheduler", "grafana"}
    assert set(services) == running | ONE_SHOT


def test_every_port_is_published_on_this_machine_only(services: Services) -> None:
    ports = {name: port for name, service in services.items() for port in service.get("ports", [])}
    assert set(ports) == {"gateway", "clickhouse", "grafana"}
    assert [
        port for port in ports.values() if not re.fullmatch(r"127\.0\.0\.1:\$\{\w+:-\d+\}:\d+", port)
    ] == []


def test_every_image_is_pinned(services: Services) -> None:
    pinned = re.compile(r"[a-z0-9/.-]+:\d+(\.\d+){2,3}(@sha256:[0-9a-f]{64})?")
    assert {name: s["image"] for name, s in services.items() if not pinned.fullmatch(s["image"])} == {}


def test_the_plugin_of_grafana_is_pinned(services: Services) -> None:
    plugin = environment(services["grafana"])["GF_PLUGINS_PREINSTALL_SYNC"]
    assert re.fullmatch(r"grafana-clickhouse-datasource@\d+\.\d+\.\d+", plugin)


def test_kafka_is_the_version_that_the_tests_run(services: Services, root: Path) -> None:
    pom = (root / "src" / "uptake" / "local" / "pom.xml").read_text("utf-8")
    assert f"<version>{services['kafka']['image'].partition(':')[2]}</version>" in pom


def test_clickhouse_is_of_the_release_that_the_tests_run(services: Services, root: Path) -> None:
    locked = re.search(
        r"^chdb-core==(\d+\.\d+)", (root / "requirements.lock").read_text("utf-8"), re.MULTILINE
    )
    assert locked is not None
    assert services["clickhouse"]["image"].partition(":")[2].startswith(f"{locked[1]}.")
    assert services["access"]["image"] == services["clickhouse"]["image"]


def test_no_secret_stands_in_the_file(services: Services) -> None:
    for name, service in services.items():
        for variable, value in environment(service).items():
            if SECRET.search(variable):
                assert re.fullmatch(r"\$\{\w+(:\?run sh deploy/make-env\.sh|:-)\}", value), (
                    f"{name}: {variable}"
                )


def test_every_password_is_required_and_the_message_says_how_to_make_it(root: Path) -> None:
    text = (root / "docker-compose.yml").read_text("utf-8")
    for variable, operator, rest in VARIABLE.findall(text):
        if SECRET.search(variable) and variable != "UPTAKE_SLACK_TOKEN":  # without one messages go to files
            assert (operator, rest) == (":?", "run sh deploy/make-env.sh"), variable
        else:
            assert operator == ":-", f"{variable} has neither a default nor a message"


def test_every_setting_that_is_given_exists_and_can_be_read(our_services: Services) -> None:
    known = {f"UPTAKE_{name.upper()}" for name in Settings.model_fields}
    for name, service in our_services.items():
        given = environment(service)
        assert {v for v in given if v.startswith("UPTAKE_")} == set(given), name
        assert set(given) <= known, name
        values = {v.removeprefix("UPTAKE_").lower(): _filled_in(text) for v, text in given.items()}
        Settings(**values, _env_file=None)


def _filled_in(text: str) -> str:
    """The variable's default, or something hexadecimal as make-env.sh writes it."""
    return VARIABLE.sub(lambda m: m[3] if m[2] == ":-" else "c0ffee" * 8, text)


def test_every_command_exists(our_services: Services) -> None:
    assert run(["--version"]) == 0  # which registers all of them
    commands = get_command(app)
    for name, service in our_services.items():
        program, *path = service["command"]
        assert program == "uptake"
        found: Any = commands
        for word in path:
            found = getattr(found, "commands", {}).get(word)
            assert found is not None, f"{name}: there is no command {' '.join(path)}"


def test_what_keeps_running_has_a_health_check_and_starts_again(services: Services) -> None:
    for name in set(services) - ONE_SHOT:
        assert services[name]["restart"] == "unless-stopped", name
        check = services[name]["healthcheck"]
        assert check["test"][0] in ("CMD", "CMD-SHELL"), name
        assert {"interval", "timeout", "retries", "start_period"} <= check.keys(), name


def test_one_shots_run_once(services: Services) -> None:
    assert {services[name]["restart"] for name in ONE_SHOT} == {"no"}


def test_health_is_asked_at_the_port_that_the_service_listens_on(our_services: Services) -> None:
    for name in ("gateway", "worker", "scheduler"):
        given = environment(our_services[name])
        host, port = (
            ("UPTAKE_HOST", "UPTAKE_PORT")
            if name == "gateway"
            else ("UPTAKE_WORKER_HOST", "UPTAKE_WORKER_PORT")
        )
        assert given[host] == "0.0.0.0"
        assert our_services[name]["healthcheck"]["test"][-1] == f"http://127.0.0.1:{given[port]}/readyz"


def test_what_a_service_is_told_to_use_it_waits_for_and_can_reach(
    our_services: Services, services: Services
) -> None:
    for name, service in our_services.items():
        given, waits = environment(service), service["depends_on"]
        if "UPTAKE_KAFKA" in given:
            assert waits["kafka"]["condition"] == "service_healthy", name
            assert set(services["kafka"]["networks"]) & set(service["networks"]), name
            if name != "topics":
                assert waits["topics"]["condition"] == "service_completed_successfully", name
        if "UPTAKE_CLICKHOUSE_URL" in given:
            assert waits["clickhouse"]["condition"] == "service_healthy", name
            assert set(services["clickhouse"]["networks"]) & set(service["networks"]), name
            first = "access" if name == "migrate" else "migrate"
            assert waits[first]["condition"] == "service_completed_successfully", name


def test_kafka_lets_everybody_in_and_is_reached_by_nobody_else(
    compose: dict[str, Any], services: Services
) -> None:
    assert compose["networks"]["log"] == {"internal": True}
    assert services["kafka"]["networks"] == ["log"]
    assert "ports" not in services["kafka"]
    on_it = {name for name, service in services.items() if "log" in service.get("networks", [])}
    assert on_it == {"kafka", "topics", "gateway", "worker", "scheduler"}


def test_workers_can_be_as_many_as_one_likes(services: Services) -> None:
    worker = services["worker"]
    assert {"container_name", "ports", "hostname"}.isdisjoint(worker)
    assert [volume for volume in worker["volumes"] if not volume.get("read_only")] == []


def test_nothing_runs_with_more_rights_than_it_needs(services: Services) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory", "pids"} <= limits.keys(), name
        assert service["logging"]["options"]["max-size"], name


def test_nobody_is_root(services: Services, root: Path) -> None:
    """Kafka's and Grafana's images say a user of their own; ClickHouse's begins as root unless it is told."""
    assert services["clickhouse"]["user"] == services["access"]["user"] == "101:101"
    assert re.search(r"^USER 10001:10001$", (root / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert not any(str(service.get("user", "")).startswith(("0", "root")) for service in services.values())


def test_files_of_the_checkout_are_mounted_read_only_and_exist(services: Services, root: Path) -> None:
    for name, service in services.items():
        for volume in service.get("volumes", []):
            if isinstance(volume, dict):
                assert volume["read_only"] is True, name
                assert volume["bind"] == {"create_host_path": False}, name
            elif volume.startswith("./"):
                source, _, mode = volume.split(":")
                assert mode == "ro", name
                assert (root / source).exists(), source


def test_every_volume_and_network_is_declared(compose: dict[str, Any], services: Services) -> None:
    used = {v.split(":")[0] for s in services.values() for v in s.get("volumes", []) if isinstance(v, str)}
    assert {name for name in used if not name.startswith(".")} == set(compose["volumes"])
    assert {network for s in services.values() for network in s.get("networks", [])} == set(
        compose["networks"]
    )


def test_what_was_taken_can_be_finished_before_it_is_killed(services: Services) -> None:
    """A worker bounds its own stop; a gateway waits for what it has appended, and for the batches behind that."""
    needed = {
        "worker": STOP_SECONDS,
        "gateway": 3 * PRODUCER_TIMES["delivery_timeout_ms"] / 1000,
        "scheduler": 30,
    }
    for name, seconds in needed.items():
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > 1.5 * seconds, name


def test_the_operations_page_knows_every_setting(root: Path) -> None:
    page = (root / "docs" / "operations.md").read_text("utf-8")
    assert [name for name in Settings.model_fields if f"`UPTAKE_{name.upper()}`" not in page] == []


def test_the_operations_page_names_services_and_scripts_that_exist(root: Path, services: Services) -> None:
    page = (root / "docs" / "operations.md").read_text("utf-8")
    called = re.findall(r"docker compose (?:exec|run(?: --rm| --no-deps| -T| -v \S+)*) (\w+)", page)
    assert len(called) >= 6
    assert set(called) <= set(services)
    assert all((root / path).exists() for path in re.findall(r"deploy/[\w./-]*\w", page))
