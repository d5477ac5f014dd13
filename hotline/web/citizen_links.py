"""The secret link of a complaint: `/mine#NUMBER.CODE`. The code is kept as a hash alone (decision 0068).

A browser sends no fragment, so the code stands in the log of no proxy.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from deploy.city.kafka_rights import Login
from hotline.web.asking import HttpAsk
from hotline.web.keys import usual_source
from hotline.web.limits import LINK_SECONDS_MAX
from shared.complaint import stored_head
from shared.complaint_number import ALPHABET, Numbered, number_of
from shared.events import ComplaintReceived
from shared.ids import ComplaintId
from shared.log.away import is_away
from shared.log.codec import decoded
from shared.runtime.errors import UserError, told
from shared.text import folded_code

MINE: Final = "/mine"
"""The path of the citizen's page."""
CODE_CHARACTERS: Final = 26
"""Of 31 characters each: 128 bits."""
GROUP: Final = 4
"""Characters that are read out together."""
LINK_VALID: Final = timedelta(days=365)
"""How long a code opens a page; a life takes weeks, and a rating may come later."""
SESSION_LONGEST: Final = timedelta(hours=2)
"""How long a page stays open with one opening: it may be a computer that others use."""
SESSION_BYTES: Final = 32
_REQUESTED: Final = "SELECT type, schema_version, body FROM web.link_request($1, $2, $3, $4)"
_BETWEEN: Final = "SELECT link_id, stream_id::text, hash FROM web.links_between($1, $2)"
_NO_HASH: Final = bytes(32)


class OpenedLink(NamedTuple):
    """A link that was opened."""

    complaint: ComplaintId
    session: str
    """The secret of the session, for the cookie."""


def new_code() -> str:
    """A code of fresh random characters, in the alphabet of numbers."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARACTERS))


def hash_of(secret: str) -> bytes:
    """A code or a session as it is kept. It is 128 random bits or more, so a slow hash would protect nothing more."""
    return sha256(secret.encode()).digest()


def grouped(code: str) -> str:
    """A code as it is read out and typed."""
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def typed_code(text: str) -> str:
    """The code that was typed; empty where it is none. Small letters, blanks and hyphens do not count."""
    plain = "".join(one for one in folded_code(text).upper() if one.isalnum())
    return plain if len(plain) == CODE_CHARACTERS and set(plain) <= set(ALPHABET) else ""


def link_path(number: str, code: str) -> str:
    """The address of a complaint's page, below that of the public listener."""
    return f"{MINE}#{number}.{code}"


async def link_of_request(ask: HttpAsk, complaint: ComplaintId, received_at: datetime) -> str:
    """A new link of a request that was just sent; empty where PostgreSQL is away: the request is taken all the same.

    The code before it is void. `received_at`: when it is received, where it is not on record yet.
    """
    code, sender = new_code(), usual_source(Login(ask.key.role, ask.key.name))
    try:
        async with asyncio.timeout(LINK_SECONDS_MAX):
            rows = await ask.rooms.pool.fetch(_REQUESTED, complaint, hash_of(code), sender, LINK_VALID)
    except Exception as error:
        if not is_away(error):
            raise
        ask.rooms.telemetry.log.warning("no_citizen_link", error=told(error))
        return ""
    ruleset = ask.rooms.ruleset
    for row in rows:
        fact = decoded(row["type"], row["schema_version"], row["body"])
        if isinstance(fact, ComplaintReceived):
            received_at, ruleset = fact.received_at, fact.ruleset
    return link_path(number_of(complaint, received_at, ruleset), code)


async def opened(pool: asyncpg.Pool[Any], number: Numbered, code: str) -> OpenedLink | None:
    """Begin a session with the code of a number; None where it is not its code, or there is no such number."""
    rows = await pool.fetch(_BETWEEN, UUID(number.id_first), UUID(number.id_last))
    given = hash_of(code)
    fitting = [row for row in rows if compare_digest(row["hash"], given)]
    if not rows:
        compare_digest(_NO_HASH, given)  # as long as where there is one
    if not fitting:
        return None
    session = secrets.token_urlsafe(SESSION_BYTES)
    begun = await pool.fetchval(
        "SELECT web.open_link($1, $2, $3)", fitting[0]["link_id"], hash_of(session), SESSION_LONGEST
    )
    return OpenedLink(ComplaintId(fitting[0]["stream_id"]), session) if begun else None


async def complaint_of(pool: asyncpg.Pool[Any], session: str) -> ComplaintId | None:
    """The complaint of a session; None where it is over."""
    if not session:
        return None
    found = await pool.fetchval("SELECT web.complaint_of_session($1)::text", hash_of(session))
    return None if found is None else ComplaintId(found)


async def closed(pool: asyncpg.Pool[Any], session: str) -> None:
    """End this session."""
    await pool.execute("SELECT web.close_session($1)", hash_of(session))


async def number_for(agent: asyncpg.Connection[Any], complaint: ComplaintId) -> str:
    """The number of a complaint; `UserError` where it is not on record. `agent`: a connection by that login."""
    row = await agent.fetchrow("SELECT * FROM vault.look($1)", complaint)
    if row is None:
        raise UserError(f"No complaint {complaint} is on record.")
    return stored_head(complaint, row["state"], row["state_schema"]).complaint_number


async def made(agent: asyncpg.Connection[Any], complaint: ComplaintId, who: str) -> str:
    """The code of a new link that this agent makes; the one before is void. `agent`: a connection by that login."""
    code = new_code()
    await agent.execute("SELECT web.make_link($1, $2, $3, $4)", complaint, hash_of(code), who, LINK_VALID)
    return code


async def revoked(agent: asyncpg.Connection[Any], complaint: ComplaintId, who: str) -> bool:
    """Make the code of a complaint void; whether there was one. `agent`: a connection by that login."""
    gone: bool = await agent.fetchval("SELECT web.revoke_link($1, $2)", complaint, who)
    return gone
