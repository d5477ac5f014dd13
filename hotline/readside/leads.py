"""The open orders of all units together, by their limit: a page at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from hotline.readside.lists import PAGE, PAGE_MAX, SHOWN, Listed, listed_of, place_in
from hotline.readside.rows import LEAD, ORDERS

_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)
# Both ends of the time are always given: without an upper one, a page that is not full would go through all orders.
_STATEMENT: Final = """
SELECT w.due_at, '{lead}' AS role, 0 AS number, w.unit AS about, {shown}
FROM (
    SELECT due_at, stream_id, unit FROM read.waiting
    WHERE list = '{orders}' AND role = '{lead}' AND {whose} AND (due_at, stream_id) > ($1, $2)
      AND due_at >= $3 AND due_at < $4 AND ($5 = '' OR district = $5)
      AND ($8 = '' OR $8 = (SELECT o.stage FROM read.complaint o WHERE o.stream_id = waiting.stream_id))
    ORDER BY due_at, stream_id LIMIT $7
) w
JOIN read.complaint c ON c.stream_id = w.stream_id JOIN read.wording t ON t.stream_id = w.stream_id
ORDER BY w.due_at, w.stream_id
"""
# A unit's own orders are found by the index of its list.
_ALL, _OF_UNIT = (
    _STATEMENT.format(lead=LEAD, orders=ORDERS, shown=SHOWN, whose=whose)
    for whose in ("$6 = ''", "party = $6")
)


async def leads_page(
    connection: asyncpg.Connection[Any],
    *,
    district: str = "",
    unit: str = "",
    stage: str = "",
    due_from: datetime | None = None,
    due_before: datetime | None = None,
    after: str = "",
    most: int = PAGE,
) -> list[Listed]:
    """A page of the open orders of all units, the earliest due first, each with the unit that has it.

    Raises `UserError` where `after` is no place in a list.
    """
    due_at, complaint, _, __ = place_in(after)
    first, last = due_from or _FIRST, due_before or _LAST
    rows = await connection.fetch(
        _OF_UNIT if unit else _ALL, due_at, complaint, first, last, district, unit, min(most, PAGE_MAX), stage
    )
    return [listed_of(row) for row in rows]
