"""API keys: who may send events, and for which tenant.

A token is ``upt_<key id>_<secret>``. The state store keeps the key id and an HMAC-SHA256 of the token under a
pepper that lives outside of it, so neither a copy of the store nor the pepper alone lets anybody in. The token
is shown once, when it is made.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import stat
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from uptake.clock import Clock
from uptake.errors import UnavailableError, UptakeError, UsageError
from uptake.state.store import from_micros, to_micros
from uptake.state.tables import api_keys

CACHE_FOR = timedelta(seconds=3)
"""How long a looked-up key is believed: the longest a revoked one still works."""

MIN_PEPPER_LENGTH = 32
_CACHED_KEYS = 10_000
_MAX_TOKEN_LENGTH = 256
_NOBODY = "0" * 64  # compared with when the key id is unknown, so that both refusals do the same work


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a token stands for."""

    key_id: str
    tenant: str


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of a key: everything but its secret. Times are UTC; `revoked_at` is None while it works."""

    key_id: str
    tenant: str
    name: str
    created_at: datetime
    revoked_at: datetime | None


class NewKey(NamedTuple):
    """A key that was just made. `token` exists nowhere else: show it once, store it nowhere."""

    key_id: str
    token: str

    def __repr__(self) -> str:
        return f"NewKey(key_id={self.key_id!r})"


@dataclass(frozen=True, slots=True)
class _Row:
    tenant: str
    secret_hmac: str
    revoked: bool
    read_at: datetime


class KeyStore:
    """The API keys of the state store. Safe to use from several threads."""

    def __init__(self, engine: Engine, clock: Clock, pepper: str) -> None:
        """`pepper` comes from `load_pepper`. Raises ValueError when it is too short to be one."""
        if len(pepper) < MIN_PEPPER_LENGTH:
            raise ValueError(f"a pepper has at least {MIN_PEPPER_LENGTH} characters")
        self._engine = engine
        self._clock = clock
        self._pepper = pepper.encode()
        self._cache: OrderedDict[str, _Row] = OrderedDict()
        self._lock = threading.Lock()

    def create(self, tenant: str, name: str) -> NewKey:
        """Make a key with which `tenant`'s events are sent; `name` is for people ("claims-letter, production")."""
        if not tenant:
            raise UsageError("a key belongs to a tenant", "name one that organisation.yaml declares")
        key_id = secrets.token_hex(6)
        token = f"upt_{key_id}_{secrets.token_hex(24)}"
        row = {
            "key_id": key_id,
            "tenant": tenant,
            "name": name,
            "secret_hmac": self._hmac(token),
            "created_at": to_micros(self._clock.now()),
        }
        with self._engine.begin() as connection:
            connection.execute(api_keys.insert().values(**row))
        return NewKey(key_id, token)

    def list(self, tenant: str | None = None) -> tuple[KeyInfo, ...]:
        """All keys, or one tenant's, oldest first, the revoked ones included."""
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id)
        if tenant is not None:
            query = query.where(api_keys.c.tenant == tenant)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return tuple(
            KeyInfo(
                row.key_id,
                row.tenant,
                row.name,
                from_micros(row.created_at),
                None if row.revoked_at is None else from_micros(row.revoked_at),
            )
            for row in rows
        )

    def revoke(self, key_id: str) -> bool:
        """Stop a key from working: here at once, in other processes within `CACHE_FOR`.

        Returns False when it was revoked before (its time stays). Raises UsageError when there is none.
        """
        change = (
            api_keys.update()
            .where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=to_micros(self._clock.now()))
        )
        with self._engine.begin() as connection:
            changed = connection.execute(change).rowcount == 1
            known = connection.execute(select(api_keys.c.key_id).where(api_keys.c.key_id == key_id)).first()
        with self._lock:
            self._cache.pop(key_id, None)
        if known is None:
            raise UsageError("there is no key with this id", "`uptake keys list` shows them")
        return changed

    def tenant_of(self, token: str) -> str | None:
        """The tenant for which a token sends, or None when it is not a key that works."""
        caller = self.identify(token)
        return caller.tenant if caller else None

    def identify(self, token: str) -> Caller | None:
        """Like `tenant_of`, with the key's id. Raises UnavailableError when the state store does not answer."""
        key_id = _key_id(token)
        if key_id is None:
            return None
        row = self._cached(key_id) or self._read(key_id)
        right = hmac.compare_digest(self._hmac(token), row.secret_hmac if row else _NOBODY)
        return Caller(key_id, row.tenant) if row and right and not row.revoked else None

    def remembers(self, token: str) -> bool:
        """Whether `identify` would answer from memory, without waiting for the state store."""
        key_id = _key_id(token)
        return key_id is None or self._cached(key_id) is not None

    def _cached(self, key_id: str) -> _Row | None:
        with self._lock:
            row = self._cache.get(key_id)
        if row is None or not timedelta(0) <= self._clock.now() - row.read_at < CACHE_FOR:
            return None
        return row

    def _read(self, key_id: str) -> _Row | None:
        now = self._clock.now()
        try:
            with self._engine.connect() as connection:
                found = connection.execute(select(api_keys).where(api_keys.c.key_id == key_id)).first()
        except SQLAlchemyError as error:
            raise UnavailableError(
                "the state store does not answer", "look at UPTAKE_STATE_URL and at the disk it is on"
            ) from error
        if found is None:
            return None  # not remembered: ids are guessed at will, and would push the real ones out
        row = _Row(found.tenant, found.secret_hmac, found.revoked_at is not None, now)
        with self._lock:
            self._cache[key_id] = row
            self._cache.move_to_end(key_id)
            while len(self._cache) > _CACHED_KEYS:
                self._cache.popitem(last=False)
        return row

    def _hmac(self, token: str) -> str:
        return hmac.digest(self._pepper, token.encode("utf-8", "surrogateescape"), "sha256").hex()


def _key_id(token: str) -> str | None:
    prefix, _, rest = token.partition("_")
    key_id, separator, secret = rest.partition("_")
    # what no id can be is not looked for: PostgreSQL refuses to compare with NUL
    an_id = key_id.isascii() and key_id.isalnum()
    well_formed = prefix == "upt" and separator and an_id and secret and len(token) <= _MAX_TOKEN_LENGTH
    return key_id if well_formed else None


def load_pepper(path: Path) -> str:
    """The pepper in the file at `path`, made on first use (0600, whole or not at all).

    Raises UptakeError when others may read the file, or when it holds no pepper.
    """
    if not path.exists():
        _make_pepper(path)
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UptakeError(
            f"{path} can be read by others: with it and the state store API keys can be checked offline",
            f"chmod 600 {path}; if somebody may have read it, delete it and make new keys",
        )
    pepper = path.read_text("ascii", "replace").strip()
    if len(pepper) < MIN_PEPPER_LENGTH:
        raise UptakeError(
            f"{path} holds no pepper (at least {MIN_PEPPER_LENGTH} characters)",
            "restore it from a backup; or delete it and make new keys, as the old ones stop working",
        )
    return pepper


def _make_pepper(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first: its pepper is the one
            os.link(draft, path)
    finally:
        draft.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
