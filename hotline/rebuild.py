"""Everything beside the facts, made anew from the facts alone.

The heads and the timers are views of the log: what `evolve` and `due_deadlines` say of each complaint's facts.
`verify` compares them with that; `rebuild` writes down what differs, and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from hotline.reading import reader
from hotline.stack.errors import StackError
from shared.codec import UnknownType, decoded
from shared.complaint import STATE_SCHEMA, UNOPENED, Case, Complaint, due_deadlines, evolve, head_text
from shared.log import TIMER_KINDS, timer_shard

PAGE: Final = 5000
"""Facts read at once."""

# A life whose month is away cannot be made anew: what is known of it stays as it is.
_FACTS: Final = """
SELECT stream_id, version, type, schema_version, body, hash FROM es.fact f
WHERE NOT EXISTS (SELECT FROM es.detached_life d WHERE d.stream_id = f.stream_id) ORDER BY stream_id, version
"""
_AWAY: Final = (
    "INSERT INTO anew SELECT t.* FROM {} t WHERE stream_id IN (SELECT stream_id FROM es.detached_life)"
)
# In the order in which es.append takes them, or the two could wait for each other.
_HOLD: Final = "LOCK TABLE es.stream, es.event, es.timer IN SHARE ROW EXCLUSIVE MODE"


class Lived(NamedTuple):
    """One complaint, as its facts add up."""

    stream: UUID
    version: int
    hash: bytes
    case: Case


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a rebuild."""

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


class _View(NamedTuple):
    table: str
    columns: tuple[str, ...]
    rows: Callable[[Lived], Iterable[tuple[Any, ...]]]


def _heads(life: Lived) -> Iterable[tuple[UUID, int, bytes, int, str]]:
    if isinstance(life.case, Complaint):  # what does not begin with a beginning adds up to nothing
        yield life.stream, life.version, life.hash, STATE_SCHEMA, head_text(life.case)


def _timers(life: Lived) -> Iterable[tuple[UUID, int, int, datetime]]:
    for limit, due_at in due_deadlines(life.case).items():
        yield life.stream, TIMER_KINDS[limit], timer_shard(str(life.stream)), due_at


_VIEWS: Final = {
    "heads": _View("es.stream", ("stream_id", "version", "head_hash", "state_schema", "state"), _heads),
    "timers": _View("es.timer", ("stream_id", "kind", "shard", "due_at"), _timers),
}
VIEWS: Final = tuple(_VIEWS)
"""What can be rebuilt."""


async def lives(connection: asyncpg.Connection[Any]) -> AsyncIterator[list[Lived]]:
    """All complaints of the log, folded from their facts, some at a time; inside a transaction.

    Raises `StackError` where a fact cannot be read: what it says is in no view then.
    """
    cursor = await connection.cursor(_FACTS)
    stream: UUID | None = None
    version, head = 0, b""
    case: Case = UNOPENED
    while page := await cursor.fetch(PAGE):
        done: list[Lived] = []
        for row_stream, row_version, name, schema, body, row_hash in page:
            if row_stream != stream:
                if stream is not None:
                    done.append(Lived(stream, version, head, case))
                stream, case = row_stream, UNOPENED
            version, head = row_version, row_hash
            try:
                case = evolve(case, decoded(name, schema, body))
            except (UnknownType, msgspec.DecodeError) as error:
                raise StackError(
                    f"complaint {row_stream}, version {row_version}: cannot be read: {error}"
                ) from None
        yield done
    if stream is not None:
        yield [Lived(stream, version, head, case)]


async def rebuild(owner_dsn: str, view: str) -> Rebuilt:
    """Make one of `VIEWS` what the facts say, in one transaction; who appends waits until it is done.

    Raises `KeyError` for a view there is not, `StackError` where a fact cannot be read; nothing is changed then.
    """
    table, columns, rows_of = _VIEWS[view]
    began = time.monotonic()
    facts = rows = 0
    async with reader(owner_dsn) as connection, connection.transaction():
        await connection.execute(_HOLD)
        await connection.execute(f"CREATE TEMP TABLE anew (LIKE {table}) ON COMMIT DROP")
        async for some in lives(connection):
            made = [row for life in some for row in rows_of(life)]
            facts += sum(life.version for life in some)
            rows += len(made)
            await connection.copy_records_to_table("anew", columns=columns, records=made)
        await connection.execute(_AWAY.format(table))
        await connection.execute("ANALYZE anew")
        removed, added = await _replaced(connection, table, columns)
    return Rebuilt(
        view=view, facts=facts, rows=rows, removed=removed, added=added, seconds=time.monotonic() - began
    )


async def _replaced(
    connection: asyncpg.Connection[Any], table: str, columns: Sequence[str]
) -> tuple[int, int]:
    """Take out of the table what is not in `anew`, and put in what is only there; how many of each."""
    same = " AND ".join(f"t.{column} = a.{column}" for column in columns)
    gone = await connection.execute(
        f"DELETE FROM {table} t WHERE NOT EXISTS (SELECT FROM anew a WHERE {same})"  # noqa: S608 -- our own names
    )
    new = await connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM anew a"  # noqa: S608
        f" WHERE NOT EXISTS (SELECT FROM {table} t WHERE {same})"
    )
    return int(gone.rpartition(" ")[2]), int(new.rpartition(" ")[2])
