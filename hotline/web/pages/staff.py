"""The register of people who sign in, their one-time links, and their sessions on the server."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple

import asyncpg

from deploy.city.kafka_rights import Login
from hotline.web.identity_provider import IdentityProvider, SignInUnderWay
from hotline.web.keys import Key
from hotline.web.limits import RATE_PER_SECOND
from hotline.web.provided_people import ProvidedPerson
from hotline.web.roles import SCOPES_OF

LINK_VALID: Final = timedelta(days=1)
"""How long a link signs somebody in."""
SESSION_LONGEST: Final = timedelta(hours=12)
"""A shift and its overtime; then one signs in anew."""
SESSION_IDLE: Final = timedelta(hours=2)
"""A session that nobody used for so long is over."""
SIGN_IN_SECONDS_MAX: Final = timedelta(minutes=10)
"""How long a person may take at the identity provider, and then to choose a role."""
SECRET_BYTES: Final = 32
ID_BYTES: Final = 5
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")

_LIST: Final = """
SELECT s.staff_id, s.name, s.role, s.unit, s.agent, s.account, s.made_at, s.revoked_at, max(n.seen_at)
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


class AdmittedLine(NamedTuple):
    """A line of the register that an account of the identity provider may sign in as."""

    staff_id: str
    login: Login
    link: str
    """The secret of a link that signs in once; empty where an operator has revoked the line."""


class ListedStaff(NamedTuple):
    """A person as an operator sees the register."""

    staff_id: str
    name: str
    role: str
    unit: str
    agent: str
    """As the switch names the person; empty where it does not."""
    account: str
    """As the identity provider names the person; empty where links sign in."""
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


async def readmit(operator: asyncpg.Connection[Any], staff_id: str) -> None:
    """Let this person of the identity provider in again."""
    await operator.execute("SELECT web.readmit_staff($1)", staff_id)


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


class ProvidedStaff:
    """The people of the city's identity provider, and their lines in the register."""

    def __init__(self, provider: IdentityProvider, pool: asyncpg.Pool[Any]) -> None:
        """`pool`: as the login of the listener for staff. No other may admit anybody."""
        self.provider: Final = provider
        self._pool = pool

    async def begin(self, goes_to: str) -> SignInUnderWay:
        """A sign-in that waits for the provider's answer."""
        under_way = SignInUnderWay(secrets.token_urlsafe(SECRET_BYTES))
        statement = "SELECT web.begin_sign_in($1, $2, $3)"
        await self._pool.execute(statement, hash_of(under_way.secret), goes_to, SIGN_IN_SECONDS_MAX)
        return under_way

    async def end(self, under_way: SignInUnderWay) -> str | None:
        """The path it goes on to; None where it is under way no more. It is over with this."""
        found: str | None = await self._pool.fetchval("SELECT web.end_sign_in($1)", hash_of(under_way.secret))
        return found

    async def admit(self, person: ProvidedPerson) -> Sequence[AdmittedLine]:
        """The person's lines: one for each role, made at the first sign-in. Sessions in other roles are over."""
        links = [secrets.token_urlsafe(SECRET_BYTES) for _ in person.logins]
        rows = await self._pool.fetch(
            "SELECT place, staff_id, revoked FROM web.admit_account($1, $2, $3, $4, $5, $6, $7, $8)",
            self.provider.told.issuer,
            person.account,
            person.name,
            [f"s{secrets.token_hex(ID_BYTES)}" for _ in person.logins],
            [login.role for login in person.logins],
            [login.name for login in person.logins],
            [hash_of(link) for link in links],
            SIGN_IN_SECONDS_MAX,
        )
        return [
            AdmittedLine(staff_id, person.logins[place - 1], "" if revoked else links[place - 1])
            for place, staff_id, revoked in rows
        ]


async def names_of(connection: asyncpg.Connection[Any], staff_ids: list[str]) -> Mapping[str, str]:
    """The names of these people, by their ids."""
    return dict(await connection.fetch(_NAMES, staff_ids))
