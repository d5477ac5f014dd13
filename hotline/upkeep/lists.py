"""Makes the read side anew from the facts and the register of calls, while desks and projector go on.

A page of complaints is one transaction. It folds their facts as they are, and writes what differs; the projector waits
for so long, and no desk does. So the lists stay readable, and grow right page by page. A row is what a whole life says:
it does not matter whether the projector or this writes it last.
"""

from __future__ import annotations

import time
from typing import Any, Final
from uuid import UUID

import asyncpg

from hotline.readside import calls
from hotline.readside.comparing import SUMS, Sum, differing, sums_differing
from hotline.readside.complaints import MadeRows, detached_in, forget, made_of, note_unread, prepared, put
from hotline.readside.rows import RowsOf, rows_of
from hotline.upkeep.rebuild import Rebuilt, RebuiltBut
from shared.complaint import Complaint
from shared.log.postgres import SETTINGS
from shared.log.projection.lives import lives
from shared.log.projection.projector import HOLD, New
from shared.log.reading import archive_held, views_alone
from shared.unreadable import UnreadableRows, reason

VIEW: Final = "lists"
PAGE: Final = 1000
"""Complaints in one transaction: so long the projector waits, a tenth of a second."""
CALLS: Final = 5000

_ENDS: Final = "SELECT stream_id FROM es.stream WHERE stream_id > $1 ORDER BY stream_id OFFSET $2 LIMIT 1"
_ROWS: Final = "SELECT (SELECT count(*) FROM read.complaint) + (SELECT count(*) FROM read.waiting)"
_CALLS: Final = "SELECT call_id FROM intake.call WHERE call_id > $1 ORDER BY call_id LIMIT $2"
_NO_CALL: Final = (
    "DELETE FROM read.call c WHERE NOT EXISTS (SELECT FROM intake.call i WHERE i.call_id = c.call_id)"
)
_LAST: Final = UUID(int=2**128 - 1)


async def rebuild_lists(dsn: str) -> Rebuilt:
    """Make the lists what the facts say; `dsn`: the operator's.

    Raises `UserError` where the archive is being moved into: nothing is changed then. Raises `RebuiltBut` where a fact
    cannot be read: all complaints but its own are put right then.
    """
    began = time.monotonic()
    async with archive_held(dsn, SETTINGS) as connection:
        await views_alone(connection, "pg_try_advisory_lock")
        await prepared(connection)
        work = _Lists(connection)
        after: UUID | None = UUID(int=0)
        while after is not None:
            after = await work.page(after)
        await work.calls()
        await work.sums()
        rows = await connection.fetchval(_ROWS)
    done = Rebuilt(
        view=VIEW,
        facts=work.facts,
        rows=rows,
        removed=work.removed,
        added=work.added,
        seconds=time.monotonic() - began,
        held_seconds=0.0,
    )
    if work.unread:
        raise RebuiltBut(done, work.unread)
    return done


class _Lists:
    """One rebuild, page by page."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection = connection
        self.facts = self.removed = self.added = 0
        self.unread = UnreadableRows()

    async def page(self, after: UUID) -> UUID | None:
        """The complaints behind this one; the last of them, None where they were all."""
        connection = self._connection
        async with connection.transaction(isolation="repeatable_read"):
            await connection.execute(HOLD)
            last = await connection.fetchval(_ENDS, after, PAGE - 1) or _LAST
            stretch = (UUID(int=after.int + 1), last)
            rows: list[RowsOf] = []
            amiss: dict[UUID, str] = {}
            async for some in lives(connection, stretch):
                for life in some:
                    self.facts += life.version
                    if life.amiss is not None:
                        amiss[life.stream] = life.amiss.why
                        self.unread.note(life.amiss.row, life.amiss.why)
                    elif isinstance(life.case, Complaint):
                        try:
                            rows.append(rows_of(life.case, life.version))
                        except Exception as error:  # noqa: BLE001 -- as where a fact cannot be read
                            amiss[life.stream] = reason(error)
                            self.unread.note(f"complaint {life.stream}", reason(error))
            streams = [UUID(one.complaint.stream_id) for one in rows]
            made = await made_of(connection, rows, streams, streams)
            amiss |= made.amiss
            # Of what lies in a month that is away, and of what cannot be read, the rows stay as they are.
            kept = await detached_in(connection, stretch)
            found = await differing(connection, stretch, made, kept | {str(stream) for stream in amiss})
            await self._put_right(made, found.streams, found.unknown)
            self.removed, self.added = self.removed + found.removed, self.added + found.added
            await note_unread(connection, [*streams, *amiss], amiss)
        return None if last == _LAST else last

    async def _put_right(self, made: MadeRows, streams: set[str], unknown: set[str]) -> None:
        if not streams and not unknown:
            return
        await forget(self._connection, streams | unknown)
        await put(self._connection, made.only(streams))

    async def calls(self) -> None:
        """Every call, by what was told of it."""
        connection, projection, after = self._connection, calls.Calls(), ""
        while True:
            async with connection.transaction(isolation="repeatable_read"):
                await connection.execute(HOLD)
                keys = [row[0] for row in await connection.fetch(_CALLS, after, CALLS)]
                await projection.put(connection, New(keys, ()))
            if len(keys) < CALLS:
                break
            after = keys[-1]
        await connection.execute(_NO_CALL)

    async def sums(self) -> None:
        """The sums over all rows; nobody moves one meanwhile."""
        connection = self._connection
        async with connection.transaction(isolation="repeatable_read"):
            await connection.execute(HOLD)
            wrong = await sums_differing(connection)
            for one in SUMS:
                if one.name in wrong:
                    self.removed, self.added = self.removed + wrong[one.name], self.added + wrong[one.name]
                    await _made_anew(connection, one)


async def _made_anew(connection: asyncpg.Connection[Any], one: Sum) -> None:
    await connection.execute(f"DELETE FROM read.{one.name}")  # noqa: S608 -- our own names
    await connection.execute(f"INSERT INTO read.{one.name} {one.made}")
