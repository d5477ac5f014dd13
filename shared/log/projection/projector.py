"""Keeps a projection up with its source: a page of what is new, its rows and the position in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

import asyncpg

from shared.log.projection.position import Position, present_position
from shared.log.snapshot_difference import BETWEEN, between, not_seen

PAGE: Final = 20_000
"""Facts taken in at once. So many are of about 2,500 lives: 60 MB, and a second between two signs of life."""
KEYS: Final = 2000
"""Lives in one page of going through everything."""

# No two take in at once, and who comes second begins at the position that the first one left. The lock is taken before
# the snapshot: LOCK takes none.
HOLD: Final = "LOCK TABLE read.projection IN SHARE ROW EXCLUSIVE MODE"
_KNOWN: Final = """
SELECT version, seen::text, made_in, archived, position, going FROM read.projection WHERE name = $1
"""
_PUT: Final = """
INSERT INTO read.projection AS p (name, version, seen, made_in, archived, position, going)
VALUES ($1, $2, $3::text::pg_snapshot, $4, $5, $6, $7)
ON CONFLICT (name) DO UPDATE SET version = excluded.version, seen = excluded.seen, made_in = excluded.made_in,
    archived = excluded.archived, position = excluded.position, going = excluded.going
"""


class Source(NamedTuple):
    """The table a projection follows: each row has the transaction that wrote it last (`xid`)."""

    table: str
    key: str
    """The column that says whose row it is."""
    columns: str
    """The columns that `more` is about."""
    more: str
    """The last position among a key's new rows and what else is to be known of them, as SQL aggregates."""
    end: str
    """A statement: the position of the last row there is."""


class New(NamedTuple):
    """The new rows that one step takes in."""

    keys: list[Any]
    """The keys of which the rows are to be made anew, each once."""
    told: Sequence[Any]
    """Of each key: itself, how many of its rows are new, and `Source.more`. Empty where all are gone through."""


class Projection(Protocol):
    """Tables that follow from a source, a key's rows from all that is there of this key."""

    name: str
    version: int
    """Of the fold: where another one made the tables, everything is gone through again."""
    source: Source

    async def put(self, connection: asyncpg.Connection[Any], new: New) -> None:
        """Make the rows of these keys anew, by what this transaction sees."""
        ...

    async def next_keys(
        self, connection: asyncpg.Connection[Any], after: str, most: int, *, behind: bool
    ) -> list[Any]:
        """The next keys in order, of all; `behind`: of those whose rows are not of their last version."""
        ...

    async def archived_behind(self, connection: asyncpg.Connection[Any]) -> list[Any]:
        """The keys of which something went into the archive before it was taken in."""
        ...

    async def unread(self, connection: asyncpg.Connection[Any]) -> list[Any]:
        """The keys that are noted as not to be read."""
        ...


class Step(NamedTuple):
    """The outcome of one step."""

    taken: int
    """Rows of the source, or keys where it went through everything."""
    more: bool
    """Whether there is more to do at once."""


class _Known(NamedTuple):
    version: int
    seen: str
    made_in: str
    archived: int
    position: int
    going: str | None


def _changes(source: Source) -> tuple[str, str, str]:
    """Statements: whether anything is new, where a page of it ends, and the page."""
    is_new = not_seen("1", f"{source.table} e, s", "a")
    ends = f"""
SELECT e.xid::text FROM {source.table} e
WHERE e.xid >= pg_snapshot_xmax($1::text::pg_snapshot) AND e.xid < pg_snapshot_xmin($2::text::pg_snapshot)
ORDER BY e.xid OFFSET $3 LIMIT 1
"""  # noqa: S608 -- from constants of ours
    rows = between(", ".join(f"e.{name}" for name in (source.key, *source.columns.split())), source.table)
    told = f"SELECT {source.key}, count(*), {source.more} FROM ({rows}) e GROUP BY {source.key}"  # noqa: S608 -- ours
    return (
        f"WITH s AS MATERIALIZED (SELECT $1::text::pg_snapshot AS a) SELECT EXISTS ({is_new})",
        ends,
        f"WITH {BETWEEN} {told}",
    )


class Projector:
    """Keeps one projection up over one connection, which must have nothing else to do."""

    def __init__(
        self, connection: asyncpg.Connection[Any], projection: Projection, *, page: int = PAGE
    ) -> None:
        """Where it stands, the tables say; `page`: rows of the source taken in at once."""
        self._connection = connection
        self._projection = projection
        self._page = page
        self._seen = ""
        self._took = False
        self._is_new, self._ends, self._changed = _changes(projection.source)

    async def look(self) -> bool:
        """Whether there may be anything to do; touches no row where there is nothing.

        Where the last step took something in, there most likely is: it is not asked.
        """
        if not self._seen or self._took:
            return True
        found: bool = await self._connection.fetchval(self._is_new, self._seen)
        return found

    async def read_again(self) -> None:
        """Take up again what could not be read: a process of the release before may have tried (decision 0052)."""
        noted = await self._projection.unread(self._connection)
        for first in range(0, len(noted), KEYS):
            async with self._connection.transaction(isolation="repeatable_read"):
                await self._connection.execute(HOLD)
                await self._projection.put(self._connection, New(noted[first : first + KEYS], ()))

    async def step(self) -> Step:
        """One page, whole or not at all."""
        connection, projection = self._connection, self._projection
        async with connection.transaction(isolation="repeatable_read"):
            await connection.execute(HOLD)
            now = await present_position(connection)
            row = await connection.fetchrow(_KNOWN, projection.name)
            known = None if row is None else _Known(*row)
            if known is None or known.version != projection.version:
                known = _Known(projection.version, *now, await self._end(), "all")
            elif known.made_in != now.made_in:
                known = _Known(projection.version, *now, await self._end(), "")
            if known.going is not None:
                step, known = await self._go_through(known)
            elif known.archived != now.archived:
                step, known = await self._archive(known, now)
            else:
                step, known = await self._take_in(known, now)
            await connection.execute(_PUT, projection.name, *known)
        self._seen, self._took = known.seen, step.taken > 0
        return step

    async def _end(self) -> int:
        found: int = await self._connection.fetchval(self._projection.source.end)
        return found

    async def _go_through(self, known: _Known) -> tuple[Step, _Known]:
        """A page of everything: `going` is `all` or empty (only what is behind), and how far it is."""
        every, after = known.going.startswith("all"), known.going.removeprefix("all")  # type: ignore[union-attr]
        keys = await self._projection.next_keys(self._connection, after, KEYS, behind=not every)
        if keys:
            await self._projection.put(self._connection, New(keys, ()))
        if len(keys) < KEYS:
            return Step(len(keys), more=True), known._replace(going=None)
        return Step(len(keys), more=True), known._replace(going=("all" if every else "") + str(keys[-1]))

    async def _archive(self, known: _Known, now: Position) -> tuple[Step, _Known]:
        """Take in what went into the archive too soon: its version tells of it, its transaction does not."""
        keys = await self._projection.archived_behind(self._connection)
        if keys:
            await self._projection.put(self._connection, New(keys, ()))
        return Step(len(keys), more=True), known._replace(archived=now.archived)

    async def _take_in(self, known: _Known, now: Position) -> tuple[Step, _Known]:
        seen, more = now.seen, False
        ends = await self._connection.fetchval(self._ends, known.seen, now.seen, self._page)
        if ends is not None:
            # Every transaction up to this one has ended: what they wrote is a whole snapshot.
            seen, more = f"{int(ends) + 1}:{int(ends) + 1}:", True
        told = await self._connection.fetch(self._changed, known.seen, seen)
        position = known.position
        if told:
            position = max(position, *(row[2] for row in told))
            await self._projection.put(self._connection, New([row[0] for row in told], told))
        return Step(sum(row[1] for row in told), more), known._replace(seen=seen, position=position)
