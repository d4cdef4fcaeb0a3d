"""What starts the services does no harm when two do it at the same time."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from uptake.local.kafka import resolve_jars
from uptake.local.process import free_port

MAVEN = """#!/bin/sh
mkdir "{there}/running" || exit 1  # another one is at it
echo once >> "{there}/ran"
rmdir "{there}/running"
"""


def test_the_brokers_jars_are_resolved_once_however_many_need_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    for name, content in {"mvn": MAVEN.format(there=tmp_path), "java": "#!/bin/sh\n"}.items():
        program = tmp_path / "bin" / name
        program.write_text(content)
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with ThreadPoolExecutor(4) as pool:
        found = {each.result() for each in [pool.submit(resolve_jars) for _ in range(4)]}
    assert len(found) == 1
    assert (tmp_path / "ran").read_text().split() == ["once"]


def test_a_free_port_is_none_that_the_system_gives_to_outgoing_connections() -> None:
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not ephemeral.exists():
        pytest.skip("only Linux says which ports it gives to outgoing connections")
    first, last = map(int, ephemeral.read_text().split())
    ports = [free_port() for _ in range(50)]
    assert [port for port in ports if first <= port <= last] == []


def test_a_port_that_somebody_listens_on_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        mine = taken.getsockname()[1]
        other = free_port()
        monkeypatch.setattr("uptake.local.process.LISTENING", [mine, other])
        assert {free_port() for _ in range(20)} == {other}
