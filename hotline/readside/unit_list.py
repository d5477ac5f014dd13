"""A unit's list by what is due: a tab for each thing it has to do, the count of each, and a page of one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import asyncpg

from hotline.readside.lists import SHOWN, Listed, listed_of, place_in
from hotline.readside.rows import ORDERS

TO_SIGN, IN_WORK, DUE_TODAY, OVERDUE, IN_REVIEW, AGAIN, HELPING, WHISTLED, ALL = (
    "to-sign",
    "in-work",
    "due-today",
    "overdue",
    "in-review",
    "again",
    "helping",
    "whistled",
    "all",
)
TABS: Final[Mapping[str, str]] = MappingProxyType(
    {
        TO_SIGN: "w.role = 'lead' AND c.standing = 'new'",
        IN_WORK: "w.role = 'lead' AND c.standing = 'signed'",
        DUE_TODAY: "w.role <> 'arrived' AND w.due_at >= $3 AND w.due_at < $4",
        OVERDUE: "w.role <> 'arrived' AND w.due_at < $3 AND c.standing <> 'answered'",
        IN_REVIEW: "w.role = 'lead' AND c.standing IN ('in review', 'disputed')",
        AGAIN: "w.role = 'lead' AND c.round > 1",
        HELPING: "w.role = 'help'",
        WHISTLED: "w.role IN ('called', 'arrived')",
        ALL: "true",
    }
)
"""The condition of each tab; one row may stand in several."""

_FROM: Final = """
FROM read.waiting w JOIN read.complaint c ON c.stream_id = w.stream_id
WHERE w.list = $1 AND w.party = $2
"""
_COUNTS: Final = (
    "SELECT "
    + ", ".join(f'count(*) FILTER (WHERE {holds}) AS "{tab}"' for tab, holds in TABS.items())
    + _FROM
    + " AND $3::timestamptz IS NOT NULL AND $4::timestamptz IS NOT NULL"
)
_PAGE: Final = f"""
SELECT w.due_at, w.role, w.number, w.unit AS about, {SHOWN}
FROM (
    SELECT w.* {_FROM} AND (w.due_at, w.stream_id, w.role, w.number) > ($5, $6, $7, $8)
      AND $3::timestamptz IS NOT NULL AND $4::timestamptz IS NOT NULL AND {{}}
    ORDER BY w.due_at, w.stream_id, w.role, w.number LIMIT $9
) w
JOIN read.complaint c ON c.stream_id = w.stream_id JOIN read.wording t ON t.stream_id = w.stream_id
ORDER BY w.due_at, w.stream_id, w.role, w.number
"""  # noqa: S608 -- our own names


async def counts_of(
    connection: asyncpg.Connection[Any], unit: str, now: datetime, tomorrow: datetime
) -> dict[str, int]:
    """So many rows are in each tab; `tomorrow`: when the day ends for the unit."""
    row = await connection.fetchrow(_COUNTS, ORDERS, unit, now, tomorrow)
    return dict(row or {})


async def page_of_tab(
    connection: asyncpg.Connection[Any],
    unit: str,
    tab: str,
    now: datetime,
    tomorrow: datetime,
    *,
    after: str = "",
    most: int,
) -> list[Listed]:
    """A page of a tab, the earliest due first; `after` as in `lists.page_of`."""
    statement = _PAGE.format(TABS[tab])
    rows = await connection.fetch(statement, ORDERS, unit, now, tomorrow, *place_in(after), most)
    return [listed_of(row) for row in rows]
