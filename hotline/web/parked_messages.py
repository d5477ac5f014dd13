"""Parked messages for the listener for staff: supervision lists, opens, releases and drops them (decision 0077)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from shared.log.acts import refusals_told
from shared.log.postgres import headers_of, unread_of
from shared.results import wrong_field

TAKEN_UP_SECONDS_MAX: Final = 5.0
"""How long a release waits until its desk has taken it up; the page then says that it is under way."""
LOOK_SECONDS: Final = 0.05
"""How often it is looked."""
VALUE_BYTES_MAX: Final = 16_384
"""Bytes of a message's content that a page shows; `hotline parked show --json` has all."""
RELEASED_MAX: Final = 200
"""Messages that are released at once; those of the same complaints go with them."""

_COUNTS: Final = "SELECT consumer, count(*) FROM es.parked GROUP BY 1 ORDER BY 1"
_ROWS: Final = """
SELECT parked_id, consumer, topic, part, kafka_offset, reason, parked_at,
       extract(epoch FROM clock_timestamp() - parked_at)::float8, complaint_id::text, released_at
FROM es.parked WHERE ($1 = '' OR consumer = $1) AND parked_id > $2 ORDER BY parked_id LIMIT $3
"""
_ONE: Final = """
SELECT parked_id, consumer, topic, part, kafka_offset, reason, parked_at,
       extract(epoch FROM clock_timestamp() - parked_at)::float8, complaint_id::text, released_at
FROM es.parked WHERE parked_id = $1
"""
_BEHIND: Final = """
SELECT parked_id FROM es.parked WHERE consumer = $1 AND complaint_id = $2::text::uuid AND parked_id <> $3 ORDER BY 1
"""
_ACTS: Final = """
SELECT act, actorid, login, reason, acted_at FROM es.parked_act WHERE parked_id = $1 ORDER BY acted_at DESC LIMIT 20
"""
_CAME: Final = """
SELECT a.parked_id,
       CASE WHEN EXISTS (SELECT FROM es.parked_act d WHERE d.parked_id = a.parked_id AND d.act = 'DROPPED')
            THEN 'DROPPED' WHEN p.parked_id IS NULL THEN 'HANDLED' WHEN p.released_at IS NULL THEN 'AGAIN'
            ELSE 'UNDER_WAY' END,
       coalesce(p.reason, '')
FROM es.parked_act a LEFT JOIN es.parked p USING (parked_id)
WHERE a.act_id = $1 ORDER BY a.parked_id
"""
UNDER_WAY: Final = "UNDER_WAY"


class ListedMessage(NamedTuple):
    """A message that waits for a person, and nothing of its content."""

    parked_id: int
    desk: str
    topic: str
    partition: int
    offset: int
    reason: str
    parked_at: datetime
    age: float
    """Seconds since then."""
    complaint_id: str | None
    """Later messages of this complaint wait behind it; None where it is not known."""
    released_at: datetime | None
    """When it was handed to its desk again, which has not taken it up yet."""

    @property
    def field(self) -> str:
        """The header or field that is wrong; empty where it is the message as a whole."""
        return wrong_field(self.reason).field or ""


class OpenedMessage(NamedTuple):
    """The content of one message. It may hold whatever its sender wrote."""

    key: str
    headers: list[tuple[str, str]]
    value: str
    size: int
    """Of the value, in bytes."""


class NotedAct(NamedTuple):
    """An act on a message, as it was written down."""

    act: str
    actorid: str
    """Empty: at the command line."""
    login: str
    reason: str
    acted_at: datetime


class CameOfMessage(NamedTuple):
    """A message of an act, and how it stands now."""

    parked_id: int
    outcome: str
    """HANDLED, AGAIN, UNDER_WAY or DROPPED."""
    reason: str
    """Why it is parked again."""


class ParkedMessages:
    """See the module."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        """`pool`: of the login of the listener for staff; no other may act on them."""
        self._pool = pool

    async def counts(self) -> dict[str, int]:
        """How many are parked, by desk."""
        return dict(await self._pool.fetch(_COUNTS))

    async def listed(self, desk: str, after: int, most: int) -> list[ListedMessage]:
        """Those behind this number, the oldest first; of one desk, or of all where it is empty."""
        return [ListedMessage(*row) for row in await self._pool.fetch(_ROWS, desk, after, most)]

    async def one(self, number: int) -> ListedMessage | None:
        """One of them; None where none is parked under this number."""
        row = await self._pool.fetchrow(_ONE, number)
        return None if row is None else ListedMessage(*row)

    async def beside(self, message: ListedMessage) -> list[int]:
        """The others of its complaint, which go with it."""
        if message.complaint_id is None:
            return []
        rows = await self._pool.fetch(_BEHIND, message.desk, message.complaint_id, message.parked_id)
        return [row[0] for row in rows]

    async def acts(self, number: int) -> list[NotedAct]:
        """The last acts on a message, the newest first."""
        return [NotedAct(*row) for row in await self._pool.fetch(_ACTS, number)]

    async def opened(self, number: int, who: str) -> OpenedMessage | None:
        """The content; that this person looked is written down first. None where there is none. `UserError`."""
        with refusals_told():
            row = await self._pool.fetchrow("SELECT * FROM es.open_parked($1, $2)", number, who)
        return None if row is None else _opened(*row)

    async def release(self, numbers: Sequence[int], who: str, reason: str, act: str) -> list[CameOfMessage]:
        """Hand them to their desks again, with those of the same complaints; what came of it. `UserError`."""
        statement = "SELECT es.release_parked_on_page($1, $2, $3, $4)"
        with refusals_told():
            await self._pool.execute(statement, list(numbers), who, reason, act)
        give_up_at = time.monotonic() + TAKEN_UP_SECONDS_MAX
        while True:
            came = await self.came_of(act)
            if all(one.outcome != UNDER_WAY for one in came) or time.monotonic() > give_up_at:
                return came
            await asyncio.sleep(LOOK_SECONDS)

    async def drop(self, number: int, who: str, reason: str, act: str) -> list[CameOfMessage]:
        """Give one up; its copy is kept with the reason. The outcome. `UserError`."""
        with refusals_told():
            await self._pool.execute(
                "SELECT es.drop_parked_on_page($1, $2, $3, $4)", number, who, reason, act
            )
        return await self.came_of(act)

    async def came_of(self, act: str) -> list[CameOfMessage]:
        """The messages of an act, each as it stands now; none where there is no such act."""
        return [CameOfMessage(*row) for row in await self._pool.fetch(_CAME, act)]


def _opened(key: bytes | None, headers: bytes, value: bytes | None) -> OpenedMessage:
    apart = unread_of(headers)
    told = [(name, _readable(one)) for name, one in headers_of(headers)]
    if apart is not None:
        told.append(("unread", apart.why))
    return OpenedMessage(_readable(key), told, _readable(value), len(value or b""))


def _readable(value: bytes | None) -> str:
    """Bytes as text; none of them is lost to a reader, and no more than a page holds."""
    return "" if value is None else value[:VALUE_BYTES_MAX].decode("utf-8", "backslashreplace")
