"""The complaints behind a subject in a period, and those that may be in the position of another."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from hotline.readside.lists import Listed, some
from hotline.readside.search import since
from shared.text import folded

NEAR_MAX: Final = 2000
"""Complaints of the same subject, and of the same district, that are compared with one: the nearest in time."""

# The day is the complaint's own, by its rules; two days of receipt more let the index narrow it, whatever the zone.
_BEHIND: Final = """
SELECT stream_id::text FROM read.complaint
WHERE subject = $1 AND ($2 = '' OR district = $2) AND day >= $3 AND day < $4
  AND received_at >= $5 AND (received_at, stream_id) < ($6, $7)
ORDER BY received_at DESC, stream_id DESC LIMIT $8
"""
_NEAR: Final = """
SELECT stream_id::text FROM (
    (SELECT stream_id, received_at FROM read.complaint WHERE {0} = $1 AND received_at >= $3 AND received_at <= $2
     ORDER BY received_at DESC, stream_id DESC LIMIT $5)
    UNION ALL
    (SELECT stream_id, received_at FROM read.complaint WHERE {0} = $1 AND received_at > $2 AND received_at <= $4
     ORDER BY received_at, stream_id LIMIT $5)
) AS near
"""
_ANY_ZONE: Final = timedelta(days=2)
_EARLIEST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 12, 31, tzinfo=UTC)
_AFTER_ALL: Final = (_LATEST, UUID(int=2**128 - 1))


async def behind(
    connection: asyncpg.Connection[Any],
    subject: str,
    district: str,
    period: tuple[date, date],
    *,
    before: str = "",
    most: int,
) -> list[Listed]:
    """The complaints of this subject, in one district or in all, received from a day on and before another.

    The newest first; `before` is the place of the last one of the page before. Raises `UserError` where it is none.
    """
    first, until = period
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    rows = await connection.fetch(
        _BEHIND,
        folded(subject),
        folded(district),
        first,
        until,
        begin - _ANY_ZONE if begin > _EARLIEST + _ANY_ZONE else _EARLIEST,
        *(since(before) if before else _AFTER_ALL),
        most,
    )
    return await some(connection, [row[0] for row in rows])


async def near(connection: asyncpg.Connection[Any], first: Listed, days: int) -> list[Listed]:
    """The complaints of the same subject or the same district within so many days of this one, the nearest ones."""
    span = timedelta(days=days)
    at = first.received_at
    begin = at - span if at - _EARLIEST > span else _EARLIEST
    end = at + span if _LATEST - at > span else _LATEST
    ids: dict[str, None] = {}
    for column, value in (("subject", first.subject), ("district", first.district)):
        if value:
            rows = await connection.fetch(_NEAR.format(column), value, at, begin, end, NEAR_MAX)
            ids.update(dict.fromkeys(row[0] for row in rows))
    return await some(connection, list(ids))
