"""Facts of lives that ended long ago: moved into a table a month, detached from the log and attached again.

An operator does it by hand or by a calendar outside. The city may go on meanwhile. A complaint is moved under
the lock its desks take. It is moved only once all of it is sent, nothing of it is timed, and nothing of it is
parked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Final

import asyncpg
import msgspec

from shared.log.acts import acting
from shared.log.heads import fetch, over_heads
from shared.log.instants import reads_any_instant
from shared.log.reading import READING, views_alone
from shared.unreadable import UnreadableRows

LIVES_MAX: Final = 1000
"""Lives moved in one transaction. A desk that has a fact to state about one of them waits for it. That is 150
ms on a machine with other work beside, at 59,000 facts a second (docs/performance.md)."""

ALONE_WITHIN: Final = timedelta(seconds=10)
"""How long a month waits to go or come back while the whole log is read."""

_ARCHIVABLE: Final = over_heads("SELECT stream_id, month FROM es.archivable($1)")._replace(
    careful="SELECT stream_id, month FROM es.archivable_read($1)"
)


class ArchiveMonth(msgspec.Struct, frozen=True, kw_only=True):
    """A month of the archive, as of the last time something was moved into it."""

    month: date
    """Its first day, in the city's days; the lives in it ended in that month."""
    lives: int
    facts: int
    attached: bool
    bytes: int | None
    """On disk; None where its table is not in this database."""


class ArchiveMoved(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of moving."""

    before: datetime
    lives: int
    facts: int
    left: int
    """Lives that had ended in time and stay: something of them is still to be sent, to be done, or parked."""
    months: list[date]
    """Those something went into."""
    seconds: float


async def move(
    dsn: str,
    before: datetime,
    *,
    say: Callable[[str], None] = lambda _: None,
    unread: UnreadableRows | None = None,
) -> ArchiveMoved:
    """Move the facts of all lives that ended before this instant, `LIVES_MAX` lives a transaction.

    `before`: in the city's zone, which says in which month a life ended.

    A life whose head cannot be read stays where it is, and is noted in `unread`.
    Stopped in the middle, it goes on where it was when it is called again. Raises `UserError` while a view is rebuilt.
    """
    began = time.monotonic()
    unread = UnreadableRows() if unread is None else unread
    lives = facts = wanted = 0
    months: list[date] = []
    zone = str(before.tzinfo or UTC)
    async with acting(dsn, READING | {"timezone": zone}) as connection:
        await views_alone(connection, "pg_try_advisory_lock_shared")
        rows = await fetch(connection, _ARCHIVABLE, before, unread=unread)
        for month, of_month in groupby(rows, key=itemgetter(1)):
            streams = [row[0] for row in of_month]
            wanted += len(streams)
            await connection.execute("SELECT es.archive_open($1)", month)
            went = 0
            for first in range(0, len(streams), LIVES_MAX):
                some = streams[first : first + LIVES_MAX]
                ((of_lives, of_facts),) = await connection.fetch(
                    "SELECT lives, facts FROM es.archive($1, $2)", month, some
                )
                went += of_lives
                facts += of_facts
            await connection.execute("SELECT es.archive_close($1)", month)
            say(f"{month:%Y-%m}: {went:,} lives")
            lives += went
            if went:
                months.append(month)
    return ArchiveMoved(
        before=before,
        lives=lives,
        facts=facts,
        left=wanted - lives,
        months=months,
        seconds=time.monotonic() - began,
    )


async def months(dsn: str) -> list[ArchiveMonth]:
    """All months there are, the earliest first; a DSN that may only read is enough."""
    connection = await asyncpg.connect(dsn)
    try:
        await reads_any_instant(connection)
        rows = await connection.fetch(
            "SELECT month, lives, facts, attached,"
            " pg_total_relation_size(to_regclass('es.archived_' || to_char(month, 'YYYY_MM'))) AS bytes"
            " FROM es.archive_month ORDER BY month"
        )
    finally:
        await connection.close()
    return [ArchiveMonth(**dict(row)) for row in rows]


async def detach(dsn: str, month: date) -> None:
    """Take a month's table out of the archive: es.archived_YYYY_MM stands by itself then, to be carried away.

    Raises `UserError` where the month is not attached, or the whole log is being read for longer than
    `ALONE_WITHIN`.
    """
    await _alone(dsn, "SELECT es.archive_detach($1)", month)


async def attach(dsn: str, month: date) -> None:
    """Put a month's table back; raises `UserError` as `detach` does, or where it is not what was detached."""
    await _alone(dsn, "SELECT es.archive_attach($1)", month)


async def _alone(dsn: str, act: str, month: date) -> None:
    async with acting(dsn, READING) as connection, connection.transaction():
        await connection.execute("SELECT es.archive_alone($1)", ALONE_WITHIN)
        await connection.execute(act, month)
