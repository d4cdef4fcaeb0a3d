"""What reporting an event costs the app's thread, what arrives under pressure, and how a process ends.

The same 15 fields go to the floor (a dict, `json.dumps` and a queue: what nobody can do without), Uptake,
OpenTelemetry's BatchSpanProcessor with an exporter that discards, and posthog-python. All of them in one process, in
interleaved rounds, each flushed (outside the measurement) after its round so that no queue is ever full. Sinks are
a process of their own on loopback; nothing is sent anywhere else.
"""

from __future__ import annotations

import json
import logging
import queue
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.harness import Row, repeat

ROUNDS, CALLS = 15, 1_000
FLOOD = 100_000
BOUND = 60.0

FIELDS: dict[str, Any] = {
    "provider": "openai",
    "request_model": "gpt-5.6-sol",
    "response_model": "gpt-5.6-sol-2026-10-01",
    "input_tokens": 1834,
    "output_tokens": 412,
    "duration_ms": 2210,
    "time_to_first_token_ms": 340,
    "use_case": "claims-letter",
    "team": "claims",
    "session_id": "01a1f9e564187ae4",
    "prompt_version": "v14",
    "data_class": "internal",
    "service_tier": "default",
    "intent": "deliberate",
    "environment": "production",
}


@dataclass
class Contender:
    """Something that takes the 15 fields: one call, how to empty its queue, and the costs that were measured."""

    name: str
    report: Callable[[], object]
    flush: Callable[[], object]
    close: Callable[[], object]
    medians: list[float] = field(default_factory=list)
    costs: list[int] = field(default_factory=list)

    def round(self) -> None:
        report, clock, costs = self.report, time.perf_counter_ns, []
        for _ in range(CALLS):
            start = clock()
            report()
            costs.append(clock() - start)
        self.flush()
        self.medians.append(statistics.median(costs))
        self.costs += costs

    @property
    def median(self) -> float:
        return statistics.median(self.costs)


def the_floor() -> Contender:
    waiting: queue.Queue[str] = queue.Queue()
    return Contender(
        "floor: dict, json.dumps, queue",
        lambda: waiting.put(json.dumps(dict(**FIELDS))),
        waiting.queue.clear,
        waiting.queue.clear,
    )


def uptake_client(url: str, queue_events: int = 10_000) -> Any:
    import uptake

    return uptake.Client(url, "upt_bench_key", "bench", queue_events=queue_events)


def ours(url: str) -> Contender:
    client = uptake_client(url)
    return Contender(
        "uptake: client.usage()",
        lambda: client.usage(**FIELDS),
        lambda: client.flush(BOUND),
        lambda: client.close(BOUND),
    )


@dataclass
class Discarded:
    """An OpenTelemetry exporter that counts what it is given and does nothing with it."""

    spans: int = 0

    def export(self, spans: Any) -> Any:
        from opentelemetry.sdk.trace.export import SpanExportResult

        self.spans += len(spans)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        return None

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


def opentelemetry(exporter: Any) -> Contender:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource({}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("bench")
    return Contender(
        "OpenTelemetry: span, BatchSpanProcessor",
        lambda: tracer.start_span("usage", attributes=FIELDS).end(),
        provider.force_flush,
        provider.shutdown,
    )


def posthog_client(url: str) -> Any:
    from posthog import Posthog

    client = Posthog(
        "phc_bench", host=url, sync_mode=False, disable_geoip=True, enable_exception_autocapture=False
    )
    logging.getLogger("posthog").disabled = True  # it logs each refused event: a flood of its own
    return client


def posthog(url: str) -> Contender:
    client = posthog_client(url)
    return Contender(
        "posthog-python: capture()",
        lambda: client.capture("usage", distinct_id="p_0", properties=dict(**FIELDS)),
        client.flush,
        client.shutdown,
    )


def caller_rows(url: str) -> list[Row]:
    contenders = [the_floor(), ours(url), opentelemetry(Discarded()), posthog(url)]
    for contender in contenders:  # imports, first connections and threads belong to nobody's round
        contender.round()
        contender.medians.clear()
        contender.costs.clear()
    for _ in range(ROUNDS):
        for contender in contenders:
            contender.round()
    for contender in contenders:
        contender.close()
    floor = contenders[0].median
    return [_cost_row(contender, floor) for contender in contenders]


def _cost_row(contender: Contender, floor: float) -> Row:
    p99 = statistics.quantiles(contender.costs, n=100)[98]
    ratio = contender.median / floor
    return Row(
        what=f"caller's cost, {contender.name}",
        value=f"{contender.median / 1e3:.1f} µs, p99 {p99 / 1e3:.1f} µs",
        spread=f"rounds' medians {min(contender.medians) / 1e3:.1f} to {max(contender.medians) / 1e3:.1f} µs",
        ratio=f"{ratio:.2f}",
        against="the floor",
        goal="≤ 2" if contender.name.startswith("uptake") else "",
    )


def flood_rows(sink: Sink) -> list[Row]:
    """What arrives of 100,000 calls in a tight loop, and what the caller is told of the rest."""
    rows = [
        _uptake_flood(sink, "uptake", 10_000),
        _uptake_flood(sink, f"uptake with a queue of {FLOOD:,}", FLOOD),
    ]

    discarded = Discarded()
    spans = opentelemetry(discarded)
    seconds = _flood(spans.report)
    spans.close()
    rows.append(
        _flood_row(
            "OpenTelemetry (exporter discards)",
            seconds,
            discarded.spans,
            "logs a warning; no count for the caller",
        )
    )

    rejected = 0
    events = posthog_client(sink.url)

    def capture() -> None:
        nonlocal rejected
        rejected += events.capture("usage", distinct_id="p_0", properties=dict(**FIELDS)) is None

    before = sink.count()
    seconds = _flood(capture)
    events.shutdown()
    arrived = sink.count() - before
    rows.append(
        _flood_row(
            "posthog-python", seconds, arrived, f"capture() returned None {rejected:,} times; keeps no count"
        )
    )
    return rows


def _uptake_flood(sink: Sink, name: str, queue_events: int) -> Row:
    before = sink.count()
    client = uptake_client(sink.url, queue_events)
    seconds = _flood(lambda: client.usage(**FIELDS))
    client.close(BOUND)
    stats, arrived = client.stats(), sink.count() - before
    if stats.lost != FLOOD - arrived:
        raise RuntimeError(f"{FLOOD - arrived} events did not arrive and {stats.lost} were counted as lost")
    return _flood_row(name, seconds, arrived, f"counts {stats.lost:,} as lost, by reason, and tells on_drop")


def _flood(report: Callable[[], object]) -> float:
    start = time.perf_counter()
    for _ in range(FLOOD):
        report()
    return time.perf_counter() - start


def _flood_row(name: str, seconds: float, arrived: int, told: str) -> Row:
    return Row(
        what=f"{FLOOD:,} calls in a tight loop, {name}",
        value=f"{arrived:,} arrive, {FLOOD - arrived:,} do not",
        spread=f"loop of {seconds:.2f} s; {told}",
        goal="what is lost is counted" if name.startswith("uptake") else "",
    )


def exit_rows() -> list[Row]:
    """How long a process lives after its last line while the target takes connections and says nothing."""
    rows = []
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for name, goal in (("uptake", "≤ 2 s"), ("posthog", "")):
            median, least, most = repeat(lambda name=name: _exit_seconds(name, url), 3)
            rows.append(
                Row(
                    what=f"exit with 1,000 events and a silent target, {name}",
                    value=f"{median:.2f} s",
                    spread=f"{least:.2f} to {most:.2f} s",
                    goal=goal,
                )
            )
    return rows


def _exit_seconds(name: str, url: str) -> float:
    """From the program's last line to its end; the interpreter's own end is part of it."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.caller", "exit", name, url],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=BOUND,
        check=True,
    )
    return time.time() - float(done.stdout)


def _exit(name: str, url: str) -> None:
    contender = ours(url) if name == "uptake" else posthog(url)
    for _ in range(1_000):
        contender.report()
    print(time.time(), flush=True)


class Sink:
    """A process that takes batches of Uptake and of posthog on loopback and counts their events."""

    def __init__(self, url: str) -> None:
        self.url = url

    def count(self) -> int:
        import urllib3

        return int(urllib3.request("GET", f"{self.url}/count", retries=False).data)


@contextmanager
def running_sink() -> Iterator[Sink]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.caller", "sink"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Sink(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait(BOUND)


def _sink() -> None:
    import gzip
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    count = 0
    counting = threading.Lock()

    class Counter(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            nonlocal count
            body = self.rfile.read(int(self.headers["Content-Length"]))
            batch = json.loads(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            events = len(batch if isinstance(batch, list) else batch["batch"])
            with counting:
                count += events
            self.answer(json.dumps({"status": 1, "accepted": events, "rejected": []}))

        def do_GET(self) -> None:
            self.answer(str(count))

        def answer(self, told: str) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told.encode())

        def log_message(self, format: str, *args: object) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Counter) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


def run() -> list[Row]:
    logging.getLogger("uptake").setLevel(logging.ERROR)
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    with running_sink() as sink:
        rows = caller_rows(sink.url)
    with running_sink() as sink:
        rows += flood_rows(sink)
    return rows + exit_rows()


if __name__ == "__main__":
    {"sink": _sink, "exit": _exit}[sys.argv[1]](*sys.argv[2:])
