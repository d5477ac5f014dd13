"""Keys of HTTP: ID.SECRET, kept as a salted hash; each is a credential of one login of a role (decision 0057)."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec

from deploy.city.kafka_rights import Login
from hotline.web.limits import (
    KEY_KNOWN_SECONDS,
    KEY_TRUSTED_SECONDS,
    KEYS_KNOWN_MAX,
    SECRETS_MAX,
    STRANGERS_PER_SECOND,
)
from hotline.web.roles import LINE_OF, KeyScope
from hotline.web.signing import MadeSecret, new_secret
from shared import roles
from shared.doors.heard import of_login
from shared.log.away import is_away
from shared.topics import Topic

ID_BYTES: Final = 8
SECRET_BYTES: Final = 32
SALT_BYTES: Final = 16
_KEY_ID: Final = re.compile(r"[a-z0-9]{16}")
_TYPED: Final = re.compile(r"([a-z0-9]{16})\.([A-Za-z0-9_-]{43})")
_KEY_OF: Final = """
SELECT role, name, scopes, sources, rate, salt, hash, ARRAY(SELECT web.secrets_of($1)) AS secrets FROM web.key_of($1)
"""
_ADD: Final = "SELECT web.add_key($1, $2, $3, $4, $5, $6, $7, $8, $9)"
_LIST: Final = """
SELECT key_id, role, name, scopes, sources, rate, note, made_at, used_at, revoked_at
FROM web.key ORDER BY made_at, key_id
"""
_LIST_SECRETS: Final = """
SELECT secret_id, key_id, made_at, revoked_at FROM web.secret ORDER BY made_at, secret_id
"""


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key as a request is answered by it."""

    key_id: str
    role: str
    name: str
    """Of a unit's key the unit; else the name of its login, "" where it speaks on the plain topic of its role."""
    scopes: frozenset[str]
    sources: tuple[str, ...]
    """The CloudEvents sources it may speak for; the first is that of its acts."""
    rate: int
    """Events and requests a second."""

    @property
    def line(self) -> Topic:
        """The line of the table of topics on which it speaks."""
        return LINE_OF[self.role]

    @property
    def topic(self) -> str:
        """The topic on which it speaks, without the city's prefix: that of the login it is a credential of."""
        line = self.line
        if line.per_unit:
            return line.of(self.name)
        return of_login(line, self.name) if self.name else line.name

    @property
    def unit(self) -> str:
        """The unit whose key it is; "" where it is none's."""
        return self.name if self.role == roles.UNIT else ""

    def may(self, scope: KeyScope) -> bool:
        """Whether it has this scope."""
        return scope in self.scopes


NOBODY: Final = Key(key_id="", role="", name="", scopes=frozenset(), sources=(), rate=STRANGERS_PER_SECOND)
"""Stands for the key where none came, on a route that needs none: it may nothing."""


class MadeKey(NamedTuple):
    """A key that was just made, and the text that is shown this once."""

    key_id: str
    typed: str
    salt: bytes
    hash: bytes


class ListedKey(NamedTuple):
    """A key as an operator sees it; nothing of its secret."""

    key_id: str
    role: str
    name: str
    scopes: list[str]
    sources: list[str]
    rate: int
    note: str
    made_at: datetime
    used_at: datetime | None
    """The last use, to the minute; None where there was none."""
    revoked_at: datetime | None


class ListedSecret(NamedTuple):
    """A secret as an operator sees it; nothing of its bytes."""

    secret_id: str
    key_id: str
    made_at: datetime
    revoked_at: datetime | None


class Signer(NamedTuple):
    """A key, and the secrets by which it may sign."""

    key: Key
    secrets: tuple[bytes, ...]


class KeyUnknowable(Exception):  # noqa: N818 -- PostgreSQL is away, and the key is none that is remembered
    """Whether the key is one cannot be said just now."""


def hashed(salt: bytes, secret: str) -> bytes:
    """A secret as it is kept. It is 32 random bytes, so a slow hash would protect nothing more."""
    return sha256(salt + secret.encode()).digest()


def new_key() -> MadeKey:
    """A key of fresh random bytes."""
    key_id, secret, salt = (
        secrets.token_hex(ID_BYTES),
        secrets.token_urlsafe(SECRET_BYTES),
        secrets.token_bytes(SALT_BYTES),
    )
    return MadeKey(key_id, f"{key_id}.{secret}", salt, hashed(salt, secret))


def usual_source(login: Login) -> str:
    """The source of a login where nobody names one: it stays the same when the key is replaced."""
    return f"/{login.role}/{login.name}" if login.name else f"/{login.role}"


async def add(
    operator: asyncpg.Connection[Any],
    login: Login,
    scopes: Sequence[str],
    sources: Sequence[str],
    rate: int,
    note: str,
) -> MadeKey:
    """Keep a new key of this login. `operator`: a connection by that login."""
    made = new_key()
    await operator.execute(
        _ADD,
        made.key_id,
        login.role,
        login.name,
        list(scopes),
        list(sources),
        rate,
        note,
        made.salt,
        made.hash,
    )
    return made


async def revoke(operator: asyncpg.Connection[Any], key_id: str) -> None:
    """Make a key void for good; it stays in the list. `operator`: a connection by that login."""
    await operator.execute("SELECT web.revoke_key($1)", key_id)


async def add_secret(operator: asyncpg.Connection[Any], key_id: str) -> MadeSecret:
    """Keep a new secret of this key, beside those it has. `operator`: a connection by that login."""
    made = new_secret()
    await operator.execute(
        "SELECT web.add_secret($1, $2, $3, $4)", made.secret_id, key_id, made.secret, SECRETS_MAX
    )
    return made


async def revoke_secret(operator: asyncpg.Connection[Any], secret_id: str) -> None:
    """Make a secret void for good; its bytes are gone. `operator`: a connection by that login."""
    await operator.execute("SELECT web.revoke_secret($1)", secret_id)


async def listed_secrets(reader: asyncpg.Connection[Any]) -> list[ListedSecret]:
    """Every secret there ever was, the oldest first."""
    return [ListedSecret(*row) for row in await reader.fetch(_LIST_SECRETS)]


async def listed(reader: asyncpg.Connection[Any]) -> list[ListedKey]:
    """Every key there ever was, the oldest first."""
    return [ListedKey(*row) for row in await reader.fetch(_LIST)]


class _Known(NamedTuple):
    key: Key
    salt: bytes
    hash: bytes
    secrets: tuple[bytes, ...]
    at: float


class KeyRing:
    """The keys this process has seen lately, and which of them were used."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        """Nobody is known yet."""
        self._pool = pool
        self._known: dict[str, _Known] = {}
        self._used: set[str] = set()
        self._asking: dict[str, asyncio.Future[_Known | None]] = {}

    async def key_of(self, typed: str) -> Key | None:
        """The key that was typed; None where there is none such. Raises `KeyUnknowable`."""
        found = _TYPED.fullmatch(typed)
        if found is None:
            return None
        known = await self._of(found[1])
        if known is None or not compare_digest(hashed(known.salt, found[2]), known.hash):
            return None
        self._used.add(known.key.key_id)
        return known.key

    async def signer(self, key_id: str) -> Signer | None:
        """The key with this id, and its secrets; None where there is none such. Raises `KeyUnknowable`."""
        if not _KEY_ID.fullmatch(key_id):
            return None
        known = await self._of(key_id)
        return None if known is None else Signer(known.key, known.secrets)

    def used(self, key: Key) -> None:
        """This key has proved who it is by a signature."""
        self._used.add(key.key_id)

    async def _of(self, key_id: str) -> _Known | None:
        known = self._known.get(key_id)
        if known is None or time.monotonic() - known.at > KEY_KNOWN_SECONDS:
            known = await self._asked(key_id, known)
        return known

    def take_used(self) -> list[str]:
        """The keys that were used since this was asked the last time."""
        used, self._used = self._used, set()
        return sorted(used)

    async def _asked(self, key_id: str, before: _Known | None) -> _Known | None:
        """As PostgreSQL has it, asked once for all who wait; as it was known where PostgreSQL is away."""
        asking = self._asking.get(key_id)
        if asking is None:
            asking = self._asking[key_id] = asyncio.ensure_future(self._look(key_id))
            asking.add_done_callback(lambda _: self._asking.pop(key_id, None))
        try:
            return await asyncio.shield(asking)
        except Exception as error:
            if not is_away(error):
                raise
            if before is not None and time.monotonic() - before.at < KEY_TRUSTED_SECONDS:
                return before
            raise KeyUnknowable from error

    async def _look(self, key_id: str) -> _Known | None:
        row = await self._pool.fetchrow(_KEY_OF, key_id)
        if row is None:
            self._known.pop(key_id, None)
            return None
        role, name, scopes, sources, rate, salt, digest, secrets_ = row
        key = Key(
            key_id=key_id, role=role, name=name, scopes=frozenset(scopes), sources=tuple(sources), rate=rate
        )
        if key_id not in self._known and len(self._known) >= KEYS_KNOWN_MAX:
            self._known.clear()
        known = self._known[key_id] = _Known(key, salt, digest, tuple(secrets_), time.monotonic())
        return known
