"""The distributed mode on one machine: Kafka, ClickHouse's front, gateway, workers, scheduler, each its own process."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from uptake.home import Home
from uptake.local.clickhouse import ClickHouseFront
from uptake.local.kafka import KafkaNode
from uptake.local.process import ChildProcess, accepts, free_port
from uptake.settings import Settings
from uptake_chaos.ask import Asker
from uptake_chaos.proxy import FaultProxy
from uptake_chaos.supervisor import Member, Supervisor
from uptake_chaos.world import REVISIONS, TENANTS, Prices, price_list, write_prices, write_workspace

READY_SECONDS = 90.0
COMMAND_SECONDS = 120.0
LINE = 400
BATCH_EVENTS = (200, 400, 700, 1_000, 3_000, 10_000)
"""Not below what keeps up: a write costs tens of milliseconds whatever it holds."""
LINGERS = (0.02, 0.1, 0.5)
LIMIT = "UPTAKE_WORKER_BATCH_EVENTS"

BROKER = {
    # One node that was killed and comes back must wait until its former self is given up: seconds of every run.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
}

GATEWAY_LOG, WORKER_LOG, WORKER_DATABASE, SDK = (
    "gateway->log",
    "worker->log",
    "worker->database",
    "sdk->gateway",
)


@dataclass
class Options:
    """How a stack differs from the plain one. `proxied`: every pair talks through the fault proxy."""

    workers: int = 2
    scheduler: bool = True
    proxied: bool = False
    log_directory: Path | None = None
    database_directory: Path | None = None
    worker_command: list[str] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    topics_applied: bool = True


class Stack:
    """Everything up and ready on entering, everything gone on leaving. Logs stay in `directory`."""

    def __init__(self, directory: Path, seed: int, options: Options | None = None) -> None:
        self.directory = directory
        self.options = options or Options()
        self.seed = seed
        self.today: date = datetime.now(UTC).date()
        self.revision = 0
        self.supervisor = Supervisor(random.Random(f"{seed}/supervisor"))
        self.gateway_port = free_port()
        self.proxy: FaultProxy | None = None
        self.tokens: dict[str, str] = {}

    @property
    def prices(self) -> tuple[Prices, ...]:
        """The list in force."""
        return price_list(self.revision, self.today)

    @property
    def url(self) -> str:
        """Where an SDK sends to."""
        port = self.proxy.port(SDK) if self.proxy else self.gateway_port
        return f"http://127.0.0.1:{port}"

    @property
    def workers(self) -> list[str]:
        return [name for name, member in self.supervisor.members.items() if member.kind == "worker"]

    def __enter__(self) -> Stack:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.supervisor.close()
        if self.proxy is not None:
            self.proxy.__exit__()

    def command(self, *arguments: str, timeout: float = COMMAND_SECONDS) -> subprocess.CompletedProcess[str]:
        """An `uptake` command against this stack, run to its end."""
        return subprocess.run(
            uptake(*arguments),
            env={**clean_environment(), **self.environment()},
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def last_words(self, lines: int = 15) -> str:
        """Who ended by itself, and the end of each process's log: what remains of a failure once its machine is
        gone."""
        said = [f"{end.name} ended by itself, exit {end.code}" for end in self.supervisor.ends]
        for name, member in self.supervisor.members.items():
            alive = "runs" if member.process.alive() else f"exit {member.process.exit_code()}"
            log = member.process.log
            tail = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
            said += [f"--- {name} ({alive})", *(line[:LINE] for line in tail)]
        return "\n".join(said)

    def change_prices(self) -> None:
        """The next list, in the workspace's files. `uptake reprice` brings what is stored up to it."""
        if self.revision + 1 >= REVISIONS:
            raise ValueError("there is no further price list")
        self.revision += 1
        write_prices(self.directory / "workspace", self.revision, self.today)

    def environment(self, log: int = 0, database: str = "") -> dict[str, str]:
        """Settings of every command; `log` is the broker's port as seen from there (0: without a fault between)."""
        return {
            "UPTAKE_WORKSPACE": str(self.directory / "workspace"),
            "UPTAKE_DATA": str(self.directory / "data"),
            "UPTAKE_KAFKA": f"127.0.0.1:{log or self.node.port}",
            "UPTAKE_CLICKHOUSE_URL": database or self.front.url,
            "UPTAKE_TOPIC_PREFIX": "chaos.",
            "UPTAKE_CONSUMER_GROUP": "chaos",
            **self.options.settings,
        }

    def _start(self) -> None:
        # 1. Who talks to whom, and through what.
        self.directory.mkdir(parents=True, exist_ok=True)
        ports = {GATEWAY_LOG: free_port(), WORKER_LOG: free_port()}
        self.front = ClickHouseFront(self.options.database_directory or self.directory / "clickhouse")
        if self.options.proxied:
            targets = {**ports, WORKER_DATABASE: self.front.port, SDK: self.gateway_port}
            self.proxy = FaultProxy(targets.items(), self.seed).__enter__()
        self.node = self._broker(ports)
        # 2. What keeps data: log and database, then topics, tables, keys.
        self._add("broker", "broker", self.node.process, self.node.launch, lambda: accepts(self.node.port))
        front = self.front.process
        self._add("database", "database", front, front.launch, lambda: accepts(self.front.port))
        self.supervisor.start("broker", "database")
        write_workspace(self.directory / "workspace", self.today)
        self.supervisor.await_ready(READY_SECONDS)
        if self.options.topics_applied:
            done = self.command("topics", "apply")
            if done.returncode:
                raise RuntimeError(f"uptake topics apply: {done.stdout[-500:]}{done.stderr[-500:]}")
        settings = {name.removeprefix("UPTAKE_").lower(): value for name, value in self.environment().items()}
        with Home(Settings.model_validate(settings)) as home:
            home.database.query("SELECT 1 AS one")
            self.tokens = {tenant.name: home.keys.create(tenant.name, "chaos").token for tenant in TENANTS}
        self.asker = Asker(self.front.url)
        # 3. What works on them.
        seen = self.proxy.port if self.proxy else lambda name: ports.get(name, self.front.port)
        self._gateway(seen(GATEWAY_LOG) if self.proxy else self.node.port)
        worker_log = seen(WORKER_LOG) if self.proxy else self.node.port
        database = self.front.url_at(seen(WORKER_DATABASE)) if self.proxy else self.front.url
        for number in range(1, self.options.workers + 1):
            self._worker(number, worker_log, database)
        if self.options.scheduler:
            self._scheduler(worker_log, database)
        self.supervisor.start(*self.supervisor.members)
        self.supervisor.await_ready(READY_SECONDS)

    def _broker(self, ports: Mapping[str, int]) -> KafkaNode:
        """One listener without a fault for the harness, and, proxied, one a role, advertised at its proxy's port."""
        port, controller = free_port(), free_port()
        properties = dict(BROKER)
        if self.proxy is not None:
            names = {"GATEWAY": GATEWAY_LOG, "WORKER": WORKER_LOG}
            listeners = {name: f"127.0.0.1:{ports[link]}" for name, link in names.items()}
            advertised = {name: f"127.0.0.1:{self.proxy.port(link)}" for name, link in names.items()}
            own = f"PLAINTEXT://127.0.0.1:{port}"
            properties |= {
                "controller.quorum.voters": f"1@127.0.0.1:{controller}",
                "listeners": ",".join(
                    [
                        own,
                        f"CONTROLLER://127.0.0.1:{controller}",
                        *(f"{n}://{at}" for n, at in listeners.items()),
                    ]
                ),
                "advertised.listeners": ",".join([own, *(f"{n}://{at}" for n, at in advertised.items())]),
                "listener.security.protocol.map": ",".join(
                    f"{name}:PLAINTEXT" for name in ("PLAINTEXT", "CONTROLLER", *names)
                ),
                "inter.broker.listener.name": "PLAINTEXT",
            }
        return KafkaNode(
            self.directory / "kafka",
            controllers={1: controller},
            port=port,
            log_directory=self.options.log_directory,
            properties=properties,
        )

    def _gateway(self, log: int) -> None:
        environment = {**self.environment(log), "UPTAKE_PORT": str(self.gateway_port)}
        process = self._process("gateway", uptake("gateway"), environment)
        self._add(
            "gateway", "gateway", process, process.launch, lambda: answers(self.gateway_port, "/readyz")
        )

    def _worker(self, number: int, log: int, database: str) -> None:
        port = free_port()
        environment = {**self.environment(log, database), "UPTAKE_WORKER_PORT": str(port)}
        process = self._process(
            f"worker-{number}", self.options.worker_command or uptake("worker"), environment
        )
        self._add(f"worker-{number}", "worker", process, process.launch, lambda: accepts(port), move_limits)

    def _scheduler(self, log: int, database: str) -> None:
        port = free_port()
        environment = {**self.environment(log, database), "UPTAKE_WORKER_PORT": str(port)}
        process = self._process("scheduler", uptake("scheduler"), environment)
        self._add("scheduler", "scheduler", process, process.launch, lambda: accepts(port))

    def _process(self, name: str, command: list[str], environment: Mapping[str, str]) -> ChildProcess:
        # The parent's settings must not leak in, and no .env of a checkout: its own directory, its own environment.
        blank = {
            setting: ""
            for setting in os.environ
            if setting.startswith("UPTAKE_") and setting not in environment
        }
        return ChildProcess(name, command, self.directory / f"{name}.log", {**blank, **environment})

    def _add(
        self,
        name: str,
        kind: str,
        process: ChildProcess,
        launch: Callable[[], None],
        ready: Callable[[], bool],
        renew: Callable[[ChildProcess, random.Random], None] = lambda process, chance: None,
    ) -> None:
        self.supervisor.add(Member(name, kind, process, launch, ready, renew))


def move_limits(process: ChildProcess, chance: random.Random) -> None:
    """Where a batch ends is different after each restart: what an offset stood for must not matter."""
    process.environment[LIMIT] = str(chance.choice(BATCH_EVENTS))
    process.environment["UPTAKE_WORKER_LINGER_SECONDS"] = str(chance.choice(LINGERS))


def uptake(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("uptake")), *arguments]


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("UPTAKE_")}


def answers(port: int, path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False
