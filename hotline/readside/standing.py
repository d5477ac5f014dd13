"""How far the lists are: shown beside every figure, and waited for by whoever has just changed something."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any, Final, NamedTuple

import asyncpg

from hotline.readside.process import WAKE
from shared.runtime.errors import UserError

CAUGHT_UP_SECONDS: Final = 3.0
"""How long a command waits for the lists to hold what was in the log when it was typed."""
POLL_SECONDS: Final = 0.01
LATE: Final = timedelta(seconds=1)
"""The lists are at most so far behind; where they are further, that is said."""

_STANDING: Final = "SELECT through, behind, going FROM read.standing()"
_LOOK: Final = "SELECT pg_current_snapshot()::text, pg_notify($1, '')"
_HOLDS: Final = "SELECT read.holds($1::text::pg_snapshot)"
_UNREAD: Final = "SELECT stream_id::text, why FROM read.unread ORDER BY stream_id LIMIT $1"


class AsOf(NamedTuple):
    """How far the lists are."""

    position: int
    """The last position of the log in them."""
    behind: timedelta
    """How old the oldest fact is that is not in them; nothing where every fact is."""
    going: bool = False
    """They are being made anew: what is shown is not all."""

    def line(self) -> str:
        """A sentence for the end of a list."""
        if self.going:
            return "The lists are being made: complaints may be missing here."
        late = f", {self.behind.total_seconds():,.0f} s behind the log" if self.behind > LATE else ""
        return f"As of position {self.position:,} of the log{late}."


async def as_of(connection: asyncpg.Connection[Any]) -> AsOf:
    """How far the lists are now; `UserError` where nothing has ever made them."""
    row = await connection.fetchrow(_STANDING)
    if row is None:
        raise UserError(
            "The lists of this city are not made yet: its projector makes them once the city is up."
        )
    return AsOf(row["through"], max(row["behind"] or timedelta(), timedelta()), row["going"])


async def caught_up(connection: asyncpg.Connection[Any], within: float = CAUGHT_UP_SECONDS) -> AsOf:
    """Wait until the lists hold what is in the log now, at most so many seconds; how far they are then.

    The projector is woken, so this takes a few milliseconds where little is new. Errors as `as_of`.
    """
    snapshot, _ = await connection.fetchrow(_LOOK, WAKE) or ("", None)
    give_up_at = time.monotonic() + within
    while not await connection.fetchval(_HOLDS, snapshot):
        standing = await as_of(connection)
        if standing.going or time.monotonic() > give_up_at:
            return standing
        await asyncio.sleep(POLL_SECONDS)
    return await as_of(connection)


async def unread_complaints(connection: asyncpg.Connection[Any], most: int) -> list[tuple[str, str]]:
    """The complaints that no list can show, and why."""
    return [(row[0], row[1]) for row in await connection.fetch(_UNREAD, most)]
