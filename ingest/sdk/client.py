"""The client: what an app calls. Nothing here waits, and nothing here raises into the app."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Never, Protocol, Self, Unpack

from uptake.ingest.sdk import options, process
from uptake.ingest.sdk.answers import Retry
from uptake.ingest.sdk.fields import (
    CallFields,
    ContextFields,
    CostFields,
    DecisionFields,
    EditFields,
    FeedbackFields,
    OpinionFields,
    UsageFields,
)
from uptake.ingest.sdk.items import Layer, Unfit
from uptake.ingest.sdk.kinds import COST, FEEDBACK, USAGE
from uptake.ingest.sdk.layers import LAYER, Context, layer_over
from uptake.ingest.sdk.ledger import Stats
from uptake.ingest.sdk.measured import Call
from uptake.ingest.sdk.people import masker
from uptake.ingest.sdk.runtime import Runtime
from uptake.ingest.sdk.sender import Delivery
from uptake.ingest.sdk.teller import OnDrop, OnProblem, Teller
from uptake.ingest.sdk.transport import HttpTransport, NewTransport, Transport
from uptake.schemas.identity import unix_ms


class Clock(Protocol):
    """Tells the time, zone-aware. `uptake.clock.ManualClock` is one."""

    def now(self) -> datetime: ...


class Client:
    """Reports what an LLM app does, from any thread or task, to one gateway.

    Arguments that are left out come from UPTAKE_ENDPOINT, UPTAKE_API_KEY, UPTAKE_APP, UPTAKE_ENVIRONMENT,
    UPTAKE_PSEUDONYM_KEY and UPTAKE_TENANT. Without an endpoint or a key the client does nothing and counts it. Without
    a pseudonym key events go without their people. An endpoint like kafka://broker-1:9092,broker-2:9092 is Kafka
    itself (`uptake[kafka]`): events then go to the topics of `tenant`, and no key is used.

    Every method returns at once (only `flush` and `close` wait, within their bound) and no value that an app
    passes makes one raise: an event that cannot be sent is counted, with its reason, in `stats()` and told to
    `on_drop(reason, count)`, which is called on the sender's thread (or on the one that closes the client).

    `queue_events` and `queue_bytes` bound what waits. In seconds: `linger` is how long the first event of a batch
    waits for company, `timeout` how long one request may take, `exit_timeout` how long the process's exit may wait
    for the sender (the default keeps it within 2, the interpreter's own end included). With `send_text` the draft and
    the final text of edits and decisions go with them; they are stored only where the organisation's registry keeps
    the app's texts (`keep_text` in apps.yaml). `clock` gives the time of
    events. For tests: with `background=False` no thread is ever started, and `flush` and `close` send on the
    caller's; `on_problem` is given the words for each dropped event.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        api_key: str | None = None,
        app: str | None = None,
        environment: str | None = None,
        pseudonym_key: str | None = None,
        *,
        tenant: str | None = None,
        queue_events: int = 10_000,
        queue_bytes: int = 16 * 1024 * 1024,
        linger: float = 1.0,
        timeout: float = 10.0,
        exit_timeout: float = 1.5,
        send_text: bool = False,
        retry: Retry | None = None,
        on_drop: OnDrop | None = None,
        clock: Clock | None = None,
        transport: NewTransport | None = None,
        background: bool = True,
        on_problem: OnProblem | None = None,
    ) -> None:
        read = options.read(endpoint, api_key, app, environment, pseudonym_key, tenant)
        self.exit_timeout = exit_timeout
        self._teller = Teller(on_drop, on_problem)
        self._mask = masker(read.pseudonym_key)
        self._now_ns: Callable[[], int] = time.time_ns if clock is None else _reader(clock)
        self._defaults = read.defaults
        self._delivery = Delivery(
            new_transport=transport or _transport_to(read, timeout),
            api_key=read.api_key,
            defaults=read.defaults,
            linger=linger,
            timeout=timeout,
            retry=retry or Retry(),
            send_text=send_text,
        )
        self._new_runtime: Callable[[Callable[[], None]], Runtime] = lambda started: Runtime(
            os.urandom(16).hex(),
            self._delivery,
            self._teller,
            self._mask,
            queue_events,
            queue_bytes,
            background,
            started,
        )
        self._set(self._new_runtime(lambda: None))
        if read.problem:
            self._runtime.intake.shut = "not_configured"
            self.warn("not_configured", f"{read.problem}: nothing is reported, calls are counted")
        else:
            for remark in read.remarks:
                self.warn(remark, remark)
            process.enter(self)

    def _set(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._offer = runtime.intake.offer

    # What happened

    def usage(self, /, *positional: Never, **fields: Unpack[UsageFields]) -> None:
        """One call of a model. Token counts are inclusive; a count that is not known is left out."""
        self._record(USAGE, positional, fields)

    def feedback(self, kind: str = "", /, *positional: Never, **fields: Unpack[FeedbackFields]) -> None:
        """What a person made of an answer: kind is thumb, edit, decision or survey."""
        self._record(FEEDBACK, positional, fields, kind=kind)

    def thumb(self, thumb: str = "", /, *positional: Never, **fields: Unpack[OpinionFields]) -> None:
        """A thumb, "up" or "down"."""
        self._record(FEEDBACK, positional, fields, kind="thumb", thumb=thumb)

    def edit(
        self, draft: str = "", final: str | None = None, /, *positional: Never, **fields: Unpack[EditFields]
    ) -> None:
        """What a person made of a draft. Both texts are compared on the sender's thread, and unless the client was made
        with `send_text` they never leave the process: the event says how much was changed (`severity`, from 0 to 1)
        and how long they are in tokens."""
        self._record(
            FEEDBACK,
            positional,
            fields,
            kind="edit",
            draft=draft,
            final=Unfit("") if final is None else final,
        )

    def decision(self, decision: str = "", /, *positional: Never, **fields: Unpack[DecisionFields]) -> None:
        """What became of an answer: "accepted", "edited", "rejected" or "escalated".

        An edited one says how much: `draft=` and `final=` (measured as in `edit`), or `severity=`.
        """
        self._record(FEEDBACK, positional, fields, kind="decision", decision=decision)

    def survey(self, score: int = -1, /, *positional: Never, **fields: Unpack[OpinionFields]) -> None:
        """A score from 0 to 10."""
        self._record(FEEDBACK, positional, fields, kind="survey", score=score)

    def cost(self, /, *positional: Never, **fields: Unpack[CostFields]) -> None:
        """Money that no call shows: a licence, an invoice, a credit (negative), for a period of days."""
        self._record(COST, positional, fields)

    # Around what happens

    def context(self, /, *positional: Never, **fields: Unpack[ContextFields]) -> Context:
        """`with client.context(user=..., team=..., use_case=...)`: events inside carry it. Also `async with`.

        Inner contexts override outer ones and what a call says overrides both.
        """
        return Context(self.layer, dict(fields))

    def call(
        self,
        /,
        *positional: Never,
        read: Callable[[Any], Mapping[str, Any]] | None = None,
        **fields: Unpack[CallFields],
    ) -> Call:
        """`with client.call(...) as call:` around a call of a model, or `@client.call(...)` on a function: see Call."""
        return Call(lambda: self, dict(fields), read)

    # What became of it

    def stats(self) -> Stats:
        """The counters now. They always add up: see Stats."""
        return self._runtime.stats()

    def flush(self, timeout: float = 5.0) -> bool:
        """Waits until all that was reported before is settled (sent, or dropped with a reason): True if it is."""
        return self._runtime.flush(timeout)

    def close(self, timeout: float = 2.0) -> None:
        """Sends what is left within `timeout` seconds, drops the rest as `closed`, and accepts nothing more."""
        self._runtime.close(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Inside

    def _record(self, event: str, positional: tuple[object, ...], fields: Any, **more: object) -> None:
        try:
            if positional:
                more["arguments"] = Unfit("must be given by name")
            if more:
                fields = {**fields, **more}
            self._offer(event, self._now_ns(), LAYER.get(), fields)
        except Exception as problem:  # noqa: BLE001 - a guest: counted and told, never raised
            self._refused(problem)

    def now_ns(self) -> int:
        """Unix time in nanoseconds by the client's clock; the machine's if that fails."""
        try:
            return self._now_ns()
        except Exception as problem:  # noqa: BLE001 - a guest
            self.warn("clock", f"the clock raised {type(problem).__name__}")
            return time.time_ns()

    def report_call(self, fields: dict[str, Any], at_ns: int, layer: Layer) -> None:
        """One usage event of a Call, at the time and in the context of its start."""
        try:
            self._offer(USAGE, at_ns, layer, fields)
        except Exception as problem:  # noqa: BLE001 - a guest
            self._refused(problem)

    def warn(self, about: str, text: str) -> None:
        """Logs `text` once for each `about`."""
        self._teller.warn(about, text)

    def _refused(self, problem: Exception) -> None:
        self._runtime.ledger.refuse("internal")
        self.warn("internal", f"a call was refused: {type(problem).__name__}")

    def layer(self, fields: dict[str, Any]) -> Layer:
        """The context inside a block that says `fields`, over the one around it."""
        outer = LAYER.get()
        try:
            return layer_over(outer, fields, self._mask, self.warn)
        except Exception as problem:  # noqa: BLE001 - a guest: the block runs without this context
            self.warn("context", f"a context was left out: {type(problem).__name__}")
            return outer

    def take_defaults(self, app: str | None, environment: str | None, *, send_text: bool = False) -> None:
        """Sets what events say of the app from here on, and whether texts go with them; None leaves it as it is."""
        self._delivery.send_text = send_text
        if app is not None:
            self._defaults["app"] = app
        if environment is not None:
            self._defaults["environment"] = environment

    def start_anew(self) -> None:
        """In a forked child: own queue, counters, id and thread. The parent sends what the parent queued."""
        shut = self._runtime.intake.shut
        self._set(self._new_runtime(lambda: process.mind_multiprocessing(self)))
        self._runtime.intake.shut = shut


def _transport_to(read: options.Options, timeout: float) -> NewTransport:
    url, kafka = read.url, read.kafka
    if kafka is None:
        return lambda: HttpTransport(url)

    def connect() -> Transport:
        from uptake.ingest.sdk.kafka_transport import (
            KafkaTransport,
        )  # on the sender's thread, and only where needed

        return KafkaTransport(kafka, timeout)

    return connect


def _reader(clock: Clock) -> Callable[[], int]:
    return lambda: unix_ms(clock.now()) * 1_000_000
