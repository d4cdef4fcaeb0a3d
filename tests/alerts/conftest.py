"""A small Slack on the loopback, driven through the real slack-sdk, the messages that the goldens draw, and a tenant
with everything that a tick needs."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine, select

from uptake.alerts.deliver.files import FilesDeliverer
from uptake.alerts.digest import HISTORY
from uptake.alerts.message import Actions, Button, Buttons, Chart, Footer, Message, Series, Table, Text
from uptake.alerts.outbox import Outbox
from uptake.alerts.tick import Tick
from uptake.clickhouse import Database
from uptake.clock import ManualClock
from uptake.schemas.identity import mint, unix_ms
from uptake.state.store import open_state
from uptake.state.tables import facts
from uptake.workspace.models import App, Audience, Budget, Channels, Organisation, Person, Scope, Workspace
from uptake.workspace.roster import publish_roster

sys.path.insert(0, str(Path(__file__).parent))  # slack_limits, beside these tests

START = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)


@dataclass
class FakeSlack:
    """What the server was told and what it answers. `outcomes` are used up by chat.postMessage, `edits` by
    chat.update, first first. `bodies` are the bytes of each chat.postMessage, `files` what was uploaded, by id.

    An outcome is "ok", "drop" (does it, then closes the connection without an answer), "lost" (closes it without
    doing it), "ratelimited:<seconds>", "http:<status>" or an error code of Slack's. `posts` has what is there.
    """

    outcomes: list[str] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    scopes: frozenset[str] = frozenset({"chat:write"})
    history_error: str = ""
    refuse_blocks: Callable[[list[Any]], bool] = field(default=lambda blocks: False)
    page: int = 100
    base_url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    channels: dict[str, str] = field(
        default_factory=lambda: {"ai-claims": "C0CLAIMS1", "ai-ops": "C00000OPS"}
    )

    def texts(self) -> list[str]:
        return [post["text"] for post in self.posts]

    def main(self) -> list[dict[str, Any]]:
        """What stands in the channels, without replies."""
        return [post for post in self.posts if "thread_ts" not in post]

    def thread(self, ts: str) -> list[dict[str, Any]]:
        return [post for post in self.posts if post.get("thread_ts") == ts]

    def delete(self, ts: str) -> None:
        """As somebody does by hand."""
        self.posts = [post for post in self.posts if post["ts"] != ts]

    def called(self, method: str) -> int:
        return sum(1 for name, _ in self.requests if name == method)


Reply = tuple[int, dict[str, Any], dict[str, str]]


class _Handler(BaseHTTPRequestHandler):
    slack: FakeSlack

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        if "/upload/" in path:
            self.slack.files[path.rsplit("/", 1)[-1]] = body
            self._answer(200, {"ok": True}, {})
            return
        if path.endswith("chat.postMessage"):
            self.slack.bodies.append(body)
        if "json" in self.headers.get("Content-Type", ""):
            sent = json.loads(body or b"{}")
        else:
            sent = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        method = path.rsplit("/", 1)[-1]
        slack = self.slack
        with slack.lock:
            slack.requests.append((method, sent))
            known = getattr(self, "_" + method.replace(".", "_"), None)
            answer = known(sent) if known else (200, {"ok": False, "error": "missing_scope"}, {})
        if answer is not None:
            self._answer(*answer)

    def _chat_postMessage(self, sent: dict[str, Any]) -> Reply | None:  # noqa: N802
        slack = self.slack
        outcome = slack.outcomes.pop(0) if slack.outcomes else "ok"
        channel = slack.channels.get(sent["channel"].removeprefix("#"), sent["channel"])
        if outcome == "ok" and channel not in slack.channels.values():
            outcome = "channel_not_found"
        ts = f"{1_794_000_000 + slack.called('chat.postMessage') - 1}.000100"
        post = {**sent, "channel": channel, "ts": ts}
        parent = sent.get("thread_ts")
        if parent and not any(parent in (p["ts"], p.get("thread_ts")) for p in slack.posts):
            del post["thread_ts"]  # its parent was deleted
        return self._outcome(outcome, sent, post, lambda: slack.posts.append(post))

    def _chat_update(self, sent: dict[str, Any]) -> Reply | None:
        slack = self.slack
        outcome = slack.edits.pop(0) if slack.edits else "ok"
        post = next(
            (p for p in slack.posts if (p["channel"], p["ts"]) == (sent["channel"], sent["ts"])), None
        )
        if post is None:
            return 200, {"ok": False, "error": "message_not_found"}, {}
        return self._outcome(outcome, sent, post, lambda: post.update(sent))

    def _chat_delete(self, sent: dict[str, Any]) -> Reply:
        slack = self.slack
        if not any(post["ts"] == sent["ts"] for post in slack.posts):
            return 200, {"ok": False, "error": "message_not_found"}, {}
        slack.delete(sent["ts"])
        return 200, {"ok": True, "channel": sent["channel"], "ts": sent["ts"]}, {}

    def _outcome(
        self, outcome: str, sent: dict[str, Any], post: dict[str, Any], do: Callable[[], object]
    ) -> Reply | None:
        slack = self.slack
        if outcome == "lost":
            self.close_connection = True
            return None
        if outcome.startswith("ratelimited"):
            wait = outcome.partition(":")[2]
            return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": wait} if wait else {}
        if outcome.startswith("http:"):
            return int(outcome.partition(":")[2]), {"ok": False, "error": "internal_error"}, {}
        if outcome == "ok" and slack.refuse_blocks(sent.get("blocks") or []):
            outcome = "invalid_blocks"
        if outcome not in ("ok", "drop"):
            return 200, {"ok": False, "error": outcome}, {}
        do()
        if outcome == "drop":
            self.close_connection = True
            return None
        message = {name: post[name] for name in ("text", "thread_ts") if name in post}
        return 200, {"ok": True, "channel": post["channel"], "ts": post["ts"], "message": message}, {}

    def _conversations_history(self, sent: dict[str, Any]) -> Reply:
        slack = self.slack
        if slack.history_error:
            return 200, {"ok": False, "error": slack.history_error}, {}
        return self._page(
            [post for post in reversed(slack.main()) if post["channel"] == sent["channel"]], sent
        )

    def _conversations_replies(self, sent: dict[str, Any]) -> Reply:
        slack = self.slack
        found = [post for post in slack.posts if sent["ts"] in (post["ts"], post.get("thread_ts"))]
        if slack.history_error or not found:
            return 200, {"ok": False, "error": slack.history_error or "thread_not_found"}, {}
        return self._page(found, sent)

    def _page(self, posts: list[dict[str, Any]], sent: dict[str, Any]) -> Reply:
        slack = self.slack
        start = int(sent.get("cursor") or 0)
        some = posts[start : start + slack.page]
        more = str(start + slack.page) if start + slack.page < len(posts) else ""
        with_metadata = str(sent.get("include_all_metadata")).lower() in ("1", "true")
        messages = [
            {"ts": p["ts"], "text": p["text"], **({"metadata": p["metadata"]} if with_metadata else {})}
            for p in some
        ]
        return 200, {"ok": True, "messages": messages, "response_metadata": {"next_cursor": more}}, {}

    def _conversations_list(self, sent: dict[str, Any]) -> Reply:
        listed = [{"name": name, "id": key} for name, key in self.slack.channels.items()]
        return 200, {"ok": True, "channels": listed, "response_metadata": {"next_cursor": ""}}, {}

    def _files_getUploadURLExternal(self, sent: dict[str, Any]) -> Reply:  # noqa: N802
        if "files:write" not in self.slack.scopes:
            return 200, {"ok": False, "error": "missing_scope"}, {}
        name = f"F0{self.slack.called('files.getUploadURLExternal'):07}"
        return 200, {"ok": True, "file_id": name, "upload_url": f"{self.slack.base_url}upload/{name}"}, {}

    def _files_completeUploadExternal(self, sent: dict[str, Any]) -> Reply:  # noqa: N802
        named = json.loads(sent["files"]) if isinstance(sent["files"], str) else sent["files"]
        return 200, {"ok": True, "files": [{"id": file["id"], "title": file["title"]} for file in named]}, {}

    def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str]) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(payload)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def fake_slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSlack]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    slack = FakeSlack()
    handler = type("Handler", (_Handler,), {"slack": slack})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    slack.base_url = f"http://127.0.0.1:{server.server_address[1]}/api/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield slack
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture
def state_url(new_store: Callable[[], str]) -> str:
    return new_store()


@pytest.fixture
def engine(state_url: str) -> Iterator[Engine]:
    engine = open_state(state_url)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def a_message() -> Callable[..., Message]:
    def build(identity: str = "digest/acme/claims/2026-W46/1", **changes: Any) -> Message:
        message = Message(
            identity=identity,
            kind="digest",
            tenant="acme",
            title=f"Claims · {identity}",
            summary="Adoption holds.",
            blocks=(Text(text="Adoption holds."),),
        )
        return message.model_copy(update=changes)

    return build


@pytest.fixture
def full_message() -> Message:
    """One of every part, with text that tries to break out of each medium."""
    return Message(
        identity="digest/acme/claims/2026-W46/1",
        kind="digest",
        tenant="acme",
        title="Claims · week 2026-W46, Mon 9 – Sun 15 Nov (Europe/Paris)",
        summary="Adoption holds, overrides jumped.",
        blocks=(
            Text(text="Adoption holds. Overrides jumped with prompt v14.", strong=True),
            Table(
                caption="Key figures of the week",
                columns=("KPI", "this week", "target", "against W45"),
                rows=(
                    ("Adoption", "63% (52 of 82)", "70%", "+4 pts, no clear change: usage +6, roster −2"),
                    ("Override rate", "24% [21–27]", "≤ 15%", "+9 pts, clear change"),
                    ("日本語 <b>app</b>", "€1,240", "", "& more"),
                ),
            ),
            Actions(
                title="Do next",
                items=(
                    "<script>alert(1)</script> & <!channel> @channel <https://evil.example|click> `code` *bold*",
                    "9 eligible people in Recovery have never started.",
                ),
            ),
            Chart(
                title="12 weeks",
                labels=tuple(f"W{week}" for week in range(35, 47)),
                series=(
                    Series(
                        name="Adoption",
                        values=(None, 0.31, 0.35, 0.4, 0.44, 0.5, 0.52, 0.55, 0.57, 0.58, 0.59, 0.63),
                    ),
                    Series(
                        name="Override rate",
                        values=(None, 0.14, 0.15, 0.13, 0.15, 0.14, None, 0.16, 0.15, 0.14, 0.15, 0.24),
                    ),
                ),
                summary='Adoption rose from 31% to 63%; "override rate" from 14% to 24%.',
            ),
            Buttons(buttons=(Button(label="Acknowledge", action="acknowledge", value="x", style="primary"),)),
            Footer(text="99.7% of events complete · data until Sun 23:59\u202e · definitions v1\x1b[31m"),
        ),
    )


NANO = 10**9
ZONE = "Europe/Paris"
PEOPLE = 20


class World:
    """A tenant with a workspace, a state store, files as channel, and rows put in directly."""

    def __init__(
        self, database: Database, tenant: str, state_url: str, directory: Path, now: datetime
    ) -> None:
        self.database = database
        self.tenant = tenant
        self.state_url = state_url
        self.engine = open_state(state_url)
        self.clock = ManualClock(now)
        self.stream = io.StringIO()
        self.files = FilesDeliverer(directory, self.clock, self.stream)
        self.workspace = Workspace(
            organisation=Organisation(tenant=tenant, name="Acme", zone=ZONE),
            roster=tuple(
                Person(user_id=f"u{n}", team="Claims", joined=date(2026, 1, 1)) for n in range(PEOPLE)
            ),
            apps=(App(app="claims-letter", owner="IT"),),
            budgets=(
                Budget(budget="claims", name="Claims", scope=Scope(team="Claims"), amount=Decimal(100)),
                Budget(budget="all", name="All", amount=Decimal(1000)),
            ),
            channels=Channels(
                audiences=(
                    Audience(audience="acme", name="Acme", channel="#ai"),
                    Audience(audience="claims", name="Claims", teams=("Claims",), channel="#ai-claims"),
                ),
                budgets="#ai-ops",
                findings="#ai-ops",
            ),
        )
        publish_roster(database, self.workspace, self.clock)

    def tick(self, engine: Engine | None = None, deliverer: Any = None, **options: Any) -> Tick:
        state = engine or self.engine
        outbox = Outbox(state, self.clock)
        return Tick(
            state,
            self.database,
            lambda: {self.tenant: self.workspace},
            deliverer or self.files,
            outbox,
            **options,
        )

    def usage(self, at: datetime, units: float, calls: int = 1, **given: Any) -> None:
        """`calls` calls that cost `units` together, by one person after another."""
        moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines = []
        for n in range(calls):
            row = {
                "tenant": self.tenant,
                "event_id": str(mint(unix_ms(at)).int),
                "ver": 1,
                "occurred_at": moment,
                "received_at": moment,
                "app": "claims-letter",
                "team": "Claims",
                "user_id": f"u{n % PEOPLE}",
                "model": "gpt",
                "status": "ok",
                "intent": "deliberate",
                "input_uncached_tokens": 10,
                "output_visible_tokens": 10,
                "cost_nano": int(units * NANO) // calls,
                "cost_upper_nano": int(units * NANO) // calls,
                "authorisation": "allowed",
                **given,
            }
            lines.append(json.dumps(row))
        self.database.insert_json_lines("usage", "\n".join(lines).encode())

    def said(self, kind: str) -> list[str]:
        query = select(facts.c.identity).where(facts.c.tenant == self.tenant, facts.c.kind == kind)
        with self.engine.connect() as connection:
            return list(connection.execute(query.order_by(facts.c.at, facts.c.identity)).scalars())

    def sent(self, prefix: str) -> list[str]:
        return sorted(
            x.channel
            for x in Outbox(self.engine, self.clock).letters("sent")
            if x.identity.startswith(prefix)
        )

    def budget_fact(self, threshold: int, start: str = "2026-11-01", amount: int = 100) -> str:
        return f"budget/{self.tenant}/claims/{start}/{amount}/{threshold}"

    def change_budget(self, **changes: Any) -> None:
        """Edit the budget of Claims."""
        claims, *others = self.workspace.budgets
        changed = (claims.model_copy(update=changes), *others)
        self.workspace = self.workspace.model_copy(update={"budgets": changed})

    def register(self, *names: str) -> None:
        """Make these the registry, beside claims-letter."""
        apps = tuple(App(app=name, owner="IT") for name in ("claims-letter", *names))
        # a copy would keep the registry of the old one
        fields = {name: getattr(self.workspace, name) for name in Workspace.model_fields}
        self.workspace = Workspace(**{**fields, "apps": apps})


@pytest.fixture
def short_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three weeks drawn instead of twelve, where the chart is not what is looked at: it takes half of composing."""
    monkeypatch.setitem(cast(dict[str, int], HISTORY), "weekly", 3)


@pytest.fixture
def world(database: Database, tenant: str, state_url: str, tmp_path: Path) -> Any:
    made = World(
        database, tenant, state_url, tmp_path / "messages", datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
    )
    yield made
    made.engine.dispose()
