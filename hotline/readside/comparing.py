"""Holds the rows of a stretch of complaints, and the sums over all, against what they must be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from hotline.readside.complaints import (
    COMPLAINT,
    FOLLOWED,
    LEG,
    MESSAGE,
    OF_FACTS,
    TABLES,
    WAITING,
    WORDING,
    MadeRows,
    Table,
)
from hotline.readside.rows import LEAD, ORDERS

Stretch = tuple[UUID, UUID]
"""The complaints from the first id to the last."""
EVERYWHERE: Final[Stretch] = (UUID(int=0), UUID(int=2**128 - 1))
_READ_AS: Final = {"stream_id": "stream_id::text AS stream_id", "words": "array_to_string(words, E'\\n')"}


def _stored(table: Table) -> str:
    columns = ", ".join(_READ_AS.get(name, name) for name in table.columns)
    return f"SELECT {columns} FROM read.{table.name} WHERE stream_id BETWEEN $1 AND $2"  # noqa: S608 -- our own names


_STORED: Final = {table.name: _stored(table) for table in TABLES}

# Of each sum: what the rows add up to, and what stands there; a sum of nothing may stand there or not.
_COUNT: Final = """
SELECT stage, district, unit, subject, count(*)::bigint AS complaints FROM read.complaint GROUP BY 1, 2, 3, 4
"""
_TOTAL: Final = """
SELECT stage, count(*)::bigint AS complaints, sum(version)::bigint AS facts, sum(timers)::bigint AS timers,
       count(*) FILTER (WHERE unlisted <> '' AND ended = '')::bigint AS unlisted
FROM read.complaint GROUP BY 1
"""
_RECEIVED: Final = """
SELECT s.span, date_trunc(s.span, c.day)::date AS day, c.subject, c.district, count(*)::bigint AS complaints
FROM read.complaint c, (VALUES ('month'), ('day')) AS s (span) WHERE c.day IS NOT NULL GROUP BY 1, 2, 3, 4
"""
_MINUTE: Final = "SELECT minute, outcome, reached, count(*)::bigint AS calls FROM read.call GROUP BY 1, 2, 3"
_HOUR: Final = "TABLE read.call_hour_made"
_CALLS: Final = "SELECT outcome, count(*)::bigint AS calls FROM read.call GROUP BY 1"


_LEADS: Final = f"""
SELECT district, unit, count(*)::bigint AS orders FROM read.waiting
WHERE list = '{ORDERS}' AND role = '{LEAD}' GROUP BY 1, 2
"""  # noqa: S608 -- our own names


_LEGS: Final = """
SELECT coalesce(unit, '') AS unit, hour, leg, bucket, count(*)::bigint AS legs FROM read.leg
GROUP BY GROUPING SETS ((unit, hour, leg, bucket), (hour, leg, bucket))
"""


class Sum(NamedTuple):
    """A table of sums, and the statement that makes it of the rows."""

    name: str
    made: str
    size: str
    """The column that is 0 where a sum is of nothing."""


SUMS: Final = (
    Sum("count", _COUNT, "complaints"),
    Sum("total", _TOTAL, "complaints"),
    Sum("received", _RECEIVED, "complaints"),
    Sum("call_minute", _MINUTE, "calls"),
    Sum("call_hour", _HOUR, "calls"),
    Sum("call_total", _CALLS, "calls"),
    Sum("lead", _LEADS, "orders"),
    Sum("leg_hour", _LEGS, "legs"),
)
_DIFFERS: Final = """
WITH made AS MATERIALIZED ({made}), there AS MATERIALIZED (SELECT * FROM read.{name} WHERE {size} <> 0)
SELECT (SELECT count(*) FROM (TABLE there EXCEPT TABLE made) x),
       (SELECT count(*) FROM (TABLE made EXCEPT TABLE there) x)
"""


class Differs(NamedTuple):
    """How the rows of a stretch differ from what they must be."""

    streams: set[str]
    """The complaints whose rows are to be written again."""
    unknown: set[str]
    """Complaints that have rows, and should have none."""
    removed: int
    """Rows that are there and should not be like this."""
    added: int
    """Rows that should be there and are not like this."""


async def differing(
    connection: asyncpg.Connection[Any],
    stretch: Stretch,
    made: MadeRows,
    passed_over: Collection[str] = (),
    *,
    away: Collection[str] = (),
) -> Differs:
    """The rows of a stretch, held against these, which are all that it must have but for some complaints.

    `away`: the complaints whose facts are not there; what follows from facts alone is not compared of them.
    """
    wanted: Mapping[str, Sequence[Any]] = {
        COMPLAINT.name: [one.complaint for one in made.rows],
        WORDING.name: [one.wording for one in made.rows],
        WAITING.name: [row for one in made.rows for row in one.waiting],
        MESSAGE.name: made.messages,
        FOLLOWED.name: made.followed,
        LEG.name: made.legs,
    }
    known = {one.complaint.stream_id for one in made.rows}
    streams: set[str] = set()
    unknown: set[str] = set()
    removed = added = 0
    for table in TABLES:
        place = table.columns.index("stream_id")
        stored = await connection.fetch(_STORED[table.name], *stretch)
        left = {*passed_over, *away} if table in OF_FACTS else passed_over
        there = {tuple(row) for row in stored if row["stream_id"] not in left}
        needed = {tuple(row) for row in wanted[table.name]}
        for row in there - needed:
            removed += 1
            (streams if row[place] in known else unknown).add(row[place])
        for row in needed - there:
            added += 1
            streams.add(row[place])
    return Differs(streams, unknown, removed, added)


async def sums_differing(connection: asyncpg.Connection[Any], only: Iterable[Sum] = SUMS) -> dict[str, int]:
    """The sums that are not what the rows add up to: by table, how many of its rows."""
    found: dict[str, int] = {}
    for one in only:
        row = await connection.fetchrow(_DIFFERS.format(**one._asdict()))
        assert row is not None  # noqa: S101 -- one row, always
        if number := max(row[0], row[1]):
            found[one.name] = number
    return found
