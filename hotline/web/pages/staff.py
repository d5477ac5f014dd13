"""The register of people who sign in, their one-time links, and their sessions on the server."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple

import asyncpg

from deploy.city.kafka_rights import Login
from hotline.web.keys import Key
from hotline.web.limits import RATE_PER_SECOND
from hotline.web.roles import SCOPES_OF
from shared import roles

LINK_VALID: Final = timedelta(days=1)
"""How long a link signs somebody in."""
SESSION_LONGEST: Final = timedelta(hours=12)
"""A shift and its overtime; then one signs in anew."""
SESSION_IDLE: Final = timedelta(hours=2)
"""A session that nobody used for so long is over."""
SECRET_BYTES: Final = 32
ID_BYTES: Final = 5
SIGNING_IN: Final = tuple(role for role in SCOPES_OF if role != roles.TELEPHONY)
"""The roles of people; a telephone system does not sign in."""
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")

_LIST: Final = """
SELECT s.staff_id, s.name, s.role, s.unit, s.agent, s.made_at, s.revoked_at, max(n.seen_at)
FROM web.staff s LEFT JOIN web.session n USING (staff_id) GROUP BY s.staff_id ORDER BY s.made_at, s.staff_id
"""
_NAMES: Final = "SELECT staff_id, name FROM web.staff WHERE staff_id = ANY ($1)"


class StaffMember(NamedTuple):
    """A person who has signed in."""

    staff_id: str
    name: str
    role: str
    unit: str
    """Of the role unit; else empty."""

    @property
    def key(self) -> Key:
        """The rights of a key of the same login: one register holds who may do what (decision 0057)."""
        login = Login(self.role, self.unit)
        return Key(
            key_id=self.staff_id,
            role=self.role,
            name=self.unit,
            scopes=frozenset(SCOPES_OF[self.role]),
            sources=(source_of(login),),
            rate=RATE_PER_SECOND,
        )


class ListedStaff(NamedTuple):
    """A person as an operator sees the register."""

    staff_id: str
    name: str
    role: str
    unit: str
    agent: str
    """As the switch names the person; empty where it does not."""
    made_at: datetime
    revoked_at: datetime | None
    seen_at: datetime | None
    """The last use of a session that goes on, to the minute."""


def source_of(login: Login) -> str:
    """The CloudEvents source of what is said on the pages of this login."""
    return f"/pages/{login.role}/{login.name}" if login.name else f"/pages/{login.role}"


def hash_of(secret: str) -> bytes:
    """A secret as it is kept. It is 32 random bytes, so a slow hash would protect nothing more."""
    return sha256(secret.encode()).digest()


def is_secret(typed: str) -> bool:
    """Whether it can be the secret of a link or a session."""
    return _SECRET.fullmatch(typed) is not None


async def add(operator: asyncpg.Connection[Any], name: str, login: Login) -> tuple[str, str]:
    """Put a person into the register: his id, and the secret of his first link."""
    staff_id, secret = f"s{secrets.token_hex(ID_BYTES)}", secrets.token_urlsafe(SECRET_BYTES)
    statement = "SELECT web.add_staff($1, $2, $3, $4, $5, $6)"
    await operator.execute(statement, staff_id, name, login.role, login.name, hash_of(secret), LINK_VALID)
    return staff_id, secret


async def name_agent(operator: asyncpg.Connection[Any], staff_id: str, agent: str) -> None:
    """Let this id or extension of the switch mean this person, and nobody else; empty: it means nobody."""
    await operator.execute("SELECT web.name_agent($1, $2)", staff_id, agent)


async def new_link(operator: asyncpg.Connection[Any], staff_id: str) -> str:
    """The secret of a new link of this person; his earlier ones are void."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    await operator.execute("SELECT web.add_link($1, $2, $3)", staff_id, hash_of(secret), LINK_VALID)
    return secret


async def revoke(operator: asyncpg.Connection[Any], staff_id: str) -> None:
    """Let this person in no more, and end his sessions at once."""
    await operator.execute("SELECT web.revoke_staff($1)", staff_id)


async def listed(reader: asyncpg.Connection[Any]) -> list[ListedStaff]:
    """Everybody there ever was, the oldest first."""
    return [ListedStaff(*row) for row in await reader.fetch(_LIST)]


async def of_link(pool: asyncpg.Pool[Any], secret: str) -> StaffMember | None:
    """The person whom this link would sign in."""
    row = await pool.fetchrow("SELECT * FROM web.link_of($1)", hash_of(secret))
    return None if row is None else StaffMember(*row)


async def signed_in(pool: asyncpg.Pool[Any], link: str) -> str | None:
    """Use a link up; the secret of the session that begins, None where the link is void."""
    session = secrets.token_urlsafe(SECRET_BYTES)
    statement = "SELECT web.sign_in($1, $2, $3)"
    begun = await pool.fetchval(statement, hash_of(link), hash_of(session), SESSION_LONGEST)
    return session if begun else None


async def of_session(pool: asyncpg.Pool[Any], secret: str) -> StaffMember | None:
    """The person of this session; None where it is over."""
    if not is_secret(secret):
        return None
    row = await pool.fetchrow("SELECT * FROM web.session_of($1, $2)", hash_of(secret), SESSION_IDLE)
    return None if row is None else StaffMember(*row)


async def signed_out(pool: asyncpg.Pool[Any], secret: str) -> None:
    """End this session."""
    await pool.execute("SELECT web.sign_out($1)", hash_of(secret))


async def names_of(connection: asyncpg.Connection[Any], staff_ids: list[str]) -> Mapping[str, str]:
    """The names of these people, by their ids."""
    return dict(await connection.fetch(_NAMES, staff_ids))
