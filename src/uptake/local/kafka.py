"""A real Apache Kafka (KRaft) of one node or several on this machine, from jars that Maven resolves.

    python -m uptake.local.kafka --directory .uptake/kafka --port 9092

keeps one running until Ctrl-C. Needs Java 17 and, the first time, Maven.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import shutil
import subprocess
import threading
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path

from uptake.errors import UptakeError
from uptake.local.process import ChildProcess, accepts, free_port

RESOLVE_SECONDS = 300
START_SECONDS = 60
STARTED = re.compile(r"Kafka Server started")
HEAP = "384m"


def resolve_jars() -> Path:
    """The folder of the broker's jars, filled by Maven the first time. Raises UptakeError with what is missing."""
    if shutil.which("java") is None:
        raise UptakeError(
            "Java is missing: a Kafka broker needs it", "apt-get install default-jre-headless maven"
        )
    with as_file(files("uptake.local") / "pom.xml") as pom:
        version = re.findall(r"<version>(.+?)</version>", pom.read_text())[1]
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = cache / "uptake" / f"kafka-{version}"
        complete = folder / ".complete"
        if complete.exists():
            return folder
        if shutil.which("mvn") is None:
            raise UptakeError("Maven is missing: it resolves the broker's jars", "apt-get install maven")
        folder.mkdir(parents=True, exist_ok=True)
        # Two processes that need them at once would write the same files: the second waits for the first.
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not complete.exists():
                _resolve(pom, folder)
                complete.touch()
    return folder


def _resolve(pom: Path, folder: Path) -> None:
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    try:
        done = subprocess.run(
            ["mvn", "-q", "-B", "-f", str(pom), *goal],
            capture_output=True,
            text=True,
            timeout=RESOLVE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise UptakeError(f"Maven did not resolve the jars in {RESOLVE_SECONDS} s", "try again") from None
    if done.returncode:
        said = "\n".join(done.stdout.splitlines()[-3:])
        raise UptakeError(f"Maven could not resolve the broker's jars:\n{said}", "look at the network")


class KafkaNode:
    """One broker and controller. Its data outlive `kill` and `stop`; ports stay the same."""

    def __init__(
        self,
        directory: Path,
        node: int = 1,
        controllers: Mapping[int, int] | None = None,
        cluster_id: str = "",
        port: int = 0,
        advertised_port: int = 0,
        log_directory: Path | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """`controllers` maps node ids to controller ports (None: this one alone). Clients are told to come to
        `advertised_port` (0: the one it listens on), which may be a proxy's. `properties` are added last."""
        self.directory = directory
        self.node = node
        self.port = port or free_port()
        self.advertised_port = advertised_port or self.port
        self.log_directory = log_directory or directory / "data"
        self._controllers = dict(controllers or {node: free_port()})
        self._cluster_id = cluster_id or new_cluster_id()
        self._properties = dict(properties or {})
        self._jars = resolve_jars()
        self._file = directory / "server.properties"
        self.process = ChildProcess(
            f"Kafka node {node}",
            [
                *self._java(f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                "kafka.Kafka",
                str(self._file),
            ],
            directory / "broker.log",
        )

    @property
    def bootstrap(self) -> str:
        """host:port that clients connect to first."""
        return f"127.0.0.1:{self.advertised_port}"

    def start(self, timeout: float = START_SECONDS) -> None:
        """Returns once it serves. Formats its storage the first time."""
        self.launch()
        self.await_ready(timeout)

    def launch(self) -> None:
        self._prepare()
        self.process.launch()

    def await_ready(self, timeout: float = START_SECONDS) -> None:
        self.process.await_ready(
            lambda: STARTED.search(self.process.said()) is not None and accepts(self.port), timeout
        )

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()

    def stop(self) -> None:
        self.process.stop()

    def alive(self) -> bool:
        return self.process.alive()

    def _prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        several = len(self._controllers) > 1
        copies = "3" if several else "1"
        settings = {
            "process.roles": "broker,controller",
            "node.id": str(self.node),
            "controller.quorum.voters": ",".join(f"{n}@127.0.0.1:{p}" for n, p in self._controllers.items()),
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self._controllers[self.node]}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.advertised_port}",
            "log.dirs": str(self.log_directory.resolve()),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": copies,
            "offsets.topic.num.partitions": "4",
            "default.replication.factor": copies,
            "min.insync.replicas": "2" if several else "1",
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": "2" if several else "1",
            "group.initial.rebalance.delay.ms": "0",
            "broker.session.timeout.ms": "6000",
            "log.segment.bytes": str(64 * 2**20),
            "log.index.size.max.bytes": str(2**20),
            **self._properties,
        }
        self._file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        if not (self.log_directory / "meta.properties").exists():
            format_storage = [
                "kafka.tools.StorageTool",
                "format",
                "-t",
                self._cluster_id,
                "-c",
                str(self._file),
            ]
            done = subprocess.run(
                [*self._java(), *format_storage], capture_output=True, text=True, timeout=60
            )
            if done.returncode:
                raise UptakeError(
                    f"Kafka's storage could not be formatted: {done.stdout[-300:]}{done.stderr[-300:]}"
                )

    def _java(self, *options: str) -> list[str]:
        level = "-Dorg.slf4j.simpleLogger.defaultLogLevel=info"
        return ["java", *options, level, "-cp", f"{self._jars}/*"]


class KafkaCluster:
    """Three nodes, everything three times there, two of them enough."""

    def __init__(self, directory: Path, nodes: int = 3, properties: Mapping[str, str] | None = None) -> None:
        controllers = {n: free_port() for n in range(1, nodes + 1)}
        cluster_id = new_cluster_id()
        self.nodes = [
            KafkaNode(directory / f"node-{n}", n, controllers, cluster_id, properties=properties)
            for n in controllers
        ]

    @property
    def bootstrap(self) -> str:
        return ",".join(node.bootstrap for node in self.nodes)

    def start(self, timeout: float = START_SECONDS) -> None:
        try:
            for node in self.nodes:
                node.launch()
            for node in self.nodes:
                node.await_ready(timeout)
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()


def new_cluster_id() -> str:
    return urlsafe_b64encode(os.urandom(16)).decode().rstrip("=").replace("-", "A")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m uptake.local.kafka", description=__doc__)
    parser.add_argument("--directory", type=Path, default=Path(".uptake/kafka"))
    parser.add_argument("--port", type=int, default=9092)
    options = parser.parse_args()
    node = KafkaNode(options.directory, port=options.port)
    node.start()
    print(f"Kafka is up at {node.bootstrap}; Ctrl-C stops it", flush=True)  # noqa: T201
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        node.stop()


if __name__ == "__main__":
    main()
