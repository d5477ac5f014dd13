"""Makes every view anew from the facts alone, while the desks go on.

The heads and the timers are views of the log: `evolve` and `due_deadlines` give them from each complaint's
facts. `verify` compares them with that; `rebuild` writes down the differences, and nothing else.

It reads the log in a snapshot into a table that only this connection has. Then it reads again the complaints
that changed meanwhile, until few are left. The desks wait only for those few. One transaction puts all
differences right. If it is stopped or killed before its end, nothing has changed.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from shared.complaint import STATE_SCHEMA, Complaint, head_text
from shared.log import timer_shard, timers_of
from shared.log.projection.lives import FoldedLife, lives
from shared.log.projection.position import present_position, touched_since
from shared.log.projection.putting import KeptTable, put_right
from shared.log.reading import archive_held, views_alone
from shared.runtime.errors import UserError
from shared.unreadable import UnreadableRows

LAST_MAX: Final = 500
"""Complaints that may have to be read again while the desks wait: 30 ms at 100,000 facts a second."""

ROUNDS_MAX: Final = 10
"""After so many readings of what happened meanwhile there will not be less of it next time."""

_DIFFERS: Final = """
INSERT INTO suspect
SELECT stream_id FROM (
    SELECT stream_id FROM {table} t WHERE NOT EXISTS (SELECT FROM anew a WHERE {same})
    UNION
    SELECT stream_id FROM anew a WHERE NOT EXISTS (SELECT FROM {table} t WHERE {same})
) x WHERE NOT EXISTS (SELECT FROM es.detached_life d WHERE d.stream_id = x.stream_id)
"""


class RebuiltBut(UserError):  # noqa: N818 -- what came of it, said to a person
    """A view was put right but for some complaints, of which nobody can read all facts: their rows are as they were."""

    def __init__(self, done: Rebuilt, unread: UnreadableRows) -> None:
        """`done` tells of all the others."""
        super().__init__(f"{unread.line()} The rows of these complaints stay as they were.")
        self.done = done


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a rebuild."""

    view: str
    facts: int
    """Facts read."""
    rows: int
    """Rows the view has now."""
    removed: int
    """Rows that were there and are not what the facts say."""
    added: int
    """Rows the facts ask for that were not there like this."""
    seconds: float
    held_seconds: float
    """Of these, how long whoever appends had to wait."""


class _Kept(NamedTuple):
    view: KeptTable
    rows: Callable[[FoldedLife], Iterable[tuple[Any, ...]]]


def _heads(life: FoldedLife) -> Iterable[tuple[UUID, int, bytes, int, str]]:
    if isinstance(life.case, Complaint):  # what does not begin with a beginning adds up to nothing
        yield life.stream, life.version, life.hash, STATE_SCHEMA, head_text(life.case)


def _timers(life: FoldedLife) -> Iterable[tuple[UUID, int, int, datetime]]:
    for kind, due_at in timers_of(life.case).items():
        yield life.stream, kind, timer_shard(str(life.stream)), due_at


_VIEWS: Final = {
    "heads": _Kept(
        KeptTable("es.stream", ("stream_id", "version", "head_hash", "state_schema", "state")), _heads
    ),
    "timers": _Kept(KeptTable("es.timer", ("stream_id", "kind", "shard", "due_at")), _timers),
}
VIEWS: Final = tuple(_VIEWS)
"""The views that can be rebuilt."""


async def rebuild(dsn: str, view: str) -> Rebuilt:
    """Make one of `VIEWS` what the facts say, while the desks go on; who appends waits a moment at its end.

    Raises `KeyError` for a view there is not, `UserError` where the archive is being moved into: nothing is changed
    then. Raises `RebuiltBut` where a fact cannot be read: all complaints but its own are put right then.
    """
    began = time.monotonic()
    async with archive_held(dsn) as connection:
        await views_alone(connection, "pg_try_advisory_lock")
        work = _Rebuild(connection, _VIEWS[view])
        await work.read()
        await work.catch_up()
        held_at = time.monotonic()
        removed, added = await work.put_right()
        held_seconds = time.monotonic() - held_at
        rows = await connection.fetchval(f"SELECT count(*) FROM {_VIEWS[view].view.table}")  # noqa: S608 -- our own
    done = Rebuilt(
        view=view,
        facts=work.facts,
        rows=rows,
        removed=removed,
        added=added,
        seconds=time.monotonic() - began,
        held_seconds=held_seconds,
    )
    if work.unread:
        raise RebuiltBut(done, work.unread)
    return done


class _Rebuild:
    """One view, in tables of one connection: `anew`, the view as the facts say, and `suspect`, who may differ."""

    def __init__(self, connection: asyncpg.Connection[Any], kept: _Kept) -> None:
        self._connection = connection
        self._view = kept.view
        self._made = kept.rows
        self._seen = ""
        """The snapshot up to which `anew` is right."""
        same = " AND ".join(f"t.{column} = a.{column}" for column in kept.view.columns)
        self._names = {"table": kept.view.table, "same": same}
        self.facts = 0
        self.unread = UnreadableRows()

    async def read(self) -> None:
        """The whole log, in one snapshot; and which complaints differ in it."""
        connection = self._connection
        await connection.execute(
            f"CREATE TEMP TABLE anew (LIKE {self._view.table}); CREATE TEMP TABLE suspect (stream_id uuid PRIMARY KEY);"
            " CREATE TEMP TABLE unread (stream_id uuid)"
        )
        async with connection.transaction(isolation="repeatable_read"):
            self._seen = (await present_position(connection)).seen
            await self._fold(lives(connection))
            await connection.execute("CREATE INDEX ON anew (stream_id); ANALYZE anew")
            await connection.execute(_DIFFERS.format(**self._names))
            await connection.execute("ANALYZE suspect")

    async def catch_up(self) -> None:
        """Take in what happened meanwhile, again and again, until little happens meanwhile."""
        for _ in range(ROUNDS_MAX):
            async with self._connection.transaction(isolation="repeatable_read"):
                if await self._again() <= LAST_MAX:
                    return

    async def put_right(self) -> tuple[int, int]:
        """The last of it, and all that differs into the view, at once; how many rows went and came."""
        connection = self._connection
        async with connection.transaction():
            await connection.execute("SELECT es.hold_views()")
            await self._again()
            # Of what cannot be read the rows stay as they are.
            await connection.execute("DELETE FROM suspect WHERE stream_id IN (SELECT stream_id FROM unread)")
            return await put_right(connection, self._view, made="anew", which="suspect")

    async def _again(self) -> int:
        """Fold anew the complaints to which something happened since `_seen`; how many they were."""
        connection = self._connection
        now = (await present_position(connection)).seen
        touched = await touched_since(connection, self._seen)
        if touched:
            await connection.execute("DELETE FROM anew WHERE stream_id = ANY ($1::uuid[])", touched)
            await self._fold(lives(connection, touched))
            # Those of which the month is away stay as they are.
            await connection.execute(
                "INSERT INTO suspect SELECT s FROM unnest($1::uuid[]) AS s WHERE NOT EXISTS"
                " (SELECT FROM es.detached_life d WHERE d.stream_id = s) ON CONFLICT DO NOTHING",
                touched,
            )
        self._seen = now
        return len(touched)

    def _rows(self, life: FoldedLife) -> list[tuple[Any, ...]]:
        return list(self._made(life))

    async def _fold(self, some: AsyncIterator[list[FoldedLife]]) -> None:
        async for done in some:
            rows = []
            for life in done:
                if life.amiss is not None:
                    self.unread.note(life.amiss.row, life.amiss.why)
                made = self.unread.read(f"complaint {life.stream}", partial(self._rows, life))
                if life.amiss is not None or made is None:
                    await self._connection.execute("INSERT INTO unread VALUES ($1)", life.stream)
                else:
                    rows += made
            self.facts += sum(life.version for life in done)
            await self._connection.copy_records_to_table("anew", columns=self._view.columns, records=rows)
