"""Which lives have something new to be stated as spans: the sampled ones, and those in which something went wrong.

A look asks for what was committed between two snapshots, as every reader of the log does (decision 0005).
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

import asyncpg

from hotline.tracing.belonging import BELONGINGS
from shared import events as e
from shared.log.snapshot_difference import BETWEEN, between

SLOW: Final = timedelta(seconds=10)
"""Of machine time, from a request on record to its first order: a hundred times what it takes under full load."""
REFUSALS_MIN: Final = 2
FIRST_ORDER_VERSION_MAX: Final = 3
"""Received, classified, dispatched: an order that the desks wrote at once, without a person."""
RESTATED: Final = timedelta(days=1)
"""A viewer keeps its traces in memory: those of so long are stated again when it comes back."""
POSITIONS: Final = 50_000
"""Facts of the log that one statement goes through for what is stated again."""
KEPT_DAYS: Final = 90
"""So long it is remembered that a life is stated."""


class Why(StrEnum):
    """The reasons to state a life that is not sampled."""

    OVERDUE = "overdue"
    REFUSED = "refused twice"
    SLOW = "slow"
    PARKED = "parked"


class Touched(NamedTuple):
    """A life with something new."""

    complaint_id: str
    known: int
    """So many of its facts are not new; 0 where all of it is to be stated."""
    why: Why | None
    """The reason to state it from now on; None where it is sampled, or was stated before."""


OVERDUE: Final = tuple(kind.__name__ for kind, one in BELONGINGS.items() if one.missed is not None)
REFUSED: Final = tuple(kind.__name__ for kind in (e.ReplyRefused, e.IntakeRefused, e.VisitAnswerRefused))

_COLUMNS: Final = "e.stream_id, e.version, e.type, e.recorded_at"
_NEW: Final = f"WITH {BETWEEN}, new AS ({between(_COLUMNS, 'es.event')})"
_STRETCH: Final = f"""WITH new AS (
    SELECT {_COLUMNS} FROM es.event e WHERE e.position >= $1 AND e.position < $2
)"""  # noqa: S608 -- from constants of ours
_TOUCHED: Final = """
SELECT t.stream_id::text, t.first - 1, CASE WHEN t.sampled OR k.stream_id IS NOT NULL THEN NULL ELSE t.why END
FROM (
    SELECT n.stream_id, min(n.version) AS first, max(n.why) AS why,
           ('x' || right(n.stream_id::text, 12))::bit(48)::bigint < $3::float8 * (1::bigint << 48) AS sampled
    FROM (
        SELECT new.*, CASE
            WHEN new.type = ANY ($4) THEN 'overdue'
            WHEN new.type = ANY ($5) AND $6 <= (
                SELECT count(*) FROM es.event r WHERE r.stream_id = new.stream_id AND r.type = ANY ($5)
            ) THEN 'refused twice'
            WHEN new.type = 'ComplaintDispatched' AND new.version <= $7 AND $8 < new.recorded_at - (
                SELECT f.recorded_at FROM es.event f WHERE f.stream_id = new.stream_id AND f.version = 1
            ) THEN 'slow'
        END AS why FROM new
    ) n GROUP BY n.stream_id
) t LEFT JOIN read.traced k USING (stream_id)
WHERE t.sampled OR t.why IS NOT NULL OR k.stream_id IS NOT NULL
"""
_CHANGES: Final = _NEW + _TOUCHED
_AGAIN: Final = _STRETCH + _TOUCHED
# A parked message may be about a complaint that is not on record yet: then there is no life to state.
_PARKED: Final = f"""
WITH {BETWEEN}
SELECT DISTINCT p.complaint_id::text FROM ({between("e.complaint_id", "es.parking_notice")}) p
WHERE p.complaint_id IS NOT NULL
AND EXISTS (SELECT FROM es.stream h WHERE h.stream_id = p.complaint_id)
AND NOT EXISTS (SELECT FROM read.traced k WHERE k.stream_id = p.complaint_id)
"""  # noqa: S608 -- from constants of ours
_PLACE: Final = "SELECT recorded_at FROM es.event WHERE position >= $1 ORDER BY position LIMIT 1"
_ENDS: Final = "SELECT coalesce(min(position), 0), coalesce(max(position), 0) FROM es.event"


async def present(connection: asyncpg.Connection[Any]) -> str:
    """The snapshot of this moment, as text."""
    found: str = await connection.fetchval("SELECT pg_current_snapshot()::text")
    return found


async def touched(connection: asyncpg.Connection[Any], seen: str, now: str, ratio: float) -> list[Touched]:
    """The lives with facts, or parked messages, that the snapshot `now` sees and `seen` did not.

    `ratio`: the share of lives that is sampled, 0 to 1.
    """
    found = [_of(row) for row in await connection.fetch(_CHANGES, seen, now, *_asked(ratio))]
    by_id = {one.complaint_id: one for one in found}
    for (complaint_id,) in await connection.fetch(_PARKED, seen, now):
        if complaint_id not in by_id:
            found.append(Touched(complaint_id, 0, Why.PARKED))
    return found


async def touched_in(
    connection: asyncpg.Connection[Any], stretch: tuple[int, int], ratio: float
) -> list[Touched]:
    """The lives with facts at these positions of the log, the last one out, each to be told whole."""
    rows = await connection.fetch(_AGAIN, *stretch, *_asked(ratio))
    return [_of(row)._replace(known=0) for row in rows]


async def stretch_since(connection: asyncpg.Connection[Any], age: timedelta) -> tuple[int, int]:
    """The positions of the facts that are not older, the first one and the one behind the last.

    Nearly so: positions are given out before the commit.
    """
    first, last = await connection.fetchrow(_ENDS) or (0, 0)
    since = await connection.fetchval("SELECT clock_timestamp() - $1::interval", age)
    low, high = first, last + 1
    while low < high:
        middle = (low + high) // 2
        at = await connection.fetchval(_PLACE, middle)
        if at is None or at >= since:
            high = middle
        else:
            low = middle + 1
    return low, last + 1


async def remember(connection: asyncpg.Connection[Any], lives: list[Touched]) -> None:
    """Note the lives that are stated from now on."""
    rows = [(one.complaint_id, str(one.why)) for one in lives if one.why is not None]
    await connection.executemany(
        "INSERT INTO read.traced (stream_id, why) VALUES ($1::text::uuid, $2) ON CONFLICT DO NOTHING", rows
    )


async def forget(connection: asyncpg.Connection[Any]) -> None:
    """Let go what was noted long ago."""
    await connection.execute(
        "DELETE FROM read.traced WHERE since < clock_timestamp() - make_interval(days => $1)", KEPT_DAYS
    )


def _asked(ratio: float) -> tuple[Any, ...]:
    return ratio, list(OVERDUE), list(REFUSED), REFUSALS_MIN, FIRST_ORDER_VERSION_MAX, SLOW


def _of(row: Any) -> Touched:
    return Touched(row[0], row[1], None if row[2] is None else Why(row[2]))
