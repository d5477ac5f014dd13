"""A unit's list by what is due: a tab for each thing it has to do, the count of each, and a page of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

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

CHOICES_MAX: Final = 300
"""Subjects with their places that a filter offers, the most frequent first."""

# A unit's rows are found by its list's index; whatever else is asked of them is asked of these rows alone.
_FROM: Final = """
FROM read.waiting w JOIN read.complaint c ON c.stream_id = w.stream_id
WHERE w.list = $1 AND w.party = $2
"""
_ONLY: Final = """
AND $3::timestamptz IS NOT NULL AND $4::timestamptz IS NOT NULL
AND ($5 = '' OR w.subject = $5) AND ($6 = '' OR w.district = $6) AND ($7 = '' OR c.street = $7)
AND ($8::timestamptz IS NULL OR w.due_at < $8)
AND (cardinality($9::text[]) = 0 OR (
    SELECT o.words @> read.month_words(o.received_at, $9) FROM read.wording o WHERE o.stream_id = w.stream_id))
AND ($10::uuid IS NULL OR w.stream_id BETWEEN $10 AND $11)
"""
_COUNTS: Final = (
    "SELECT "
    + ", ".join(f'count(*) FILTER (WHERE {holds}) AS "{tab}"' for tab, holds in TABS.items())
    + _FROM
    + _ONLY
)
_PAGE: Final = f"""
SELECT w.due_at, w.role, w.number, w.unit AS about, {SHOWN}
FROM (
    SELECT w.* {_FROM} {_ONLY} AND (w.due_at, w.stream_id, w.role, w.number) > ($12, $13, $14, $15) AND {{}}
    ORDER BY w.due_at, w.stream_id, w.role, w.number LIMIT $16
) w
JOIN read.complaint c ON c.stream_id = w.stream_id JOIN read.wording t ON t.stream_id = w.stream_id
ORDER BY w.due_at, w.stream_id, w.role, w.number
"""  # noqa: S608 -- our own names
_CHOICES: Final = f"""
SELECT w.subject, w.district, c.street, count(*) {_FROM} GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT $3
"""


class UnitFilter(NamedTuple):
    """The part of a unit's list that is asked for; an empty value leaves nothing out."""

    subject: str = ""
    district: str = ""
    street: str = ""
    due_before: datetime | None = None
    words: Sequence[str] = ()
    """Words of the title (`words.words_in`)."""
    first_id: str | None = None
    """The ids that a number names, from the least to the greatest."""
    last_id: str | None = None


EVERY_ROW: Final = UnitFilter()


class Choice(NamedTuple):
    """A subject and a place of the list, and how many rows have both."""

    subject: str
    district: str
    street: str
    rows: int


async def choices_of(connection: asyncpg.Connection[Any], unit: str) -> list[Choice]:
    """The subjects and places of the unit's whole list, the most frequent first."""
    return [Choice(*row) for row in await connection.fetch(_CHOICES, ORDERS, unit, CHOICES_MAX)]


async def counts_of(
    connection: asyncpg.Connection[Any],
    unit: str,
    now: datetime,
    tomorrow: datetime,
    only: UnitFilter = EVERY_ROW,
) -> dict[str, int]:
    """So many rows are in each tab; `tomorrow`: when the day ends for the unit."""
    row = await connection.fetchrow(_COUNTS, ORDERS, unit, now, tomorrow, *only)
    return dict(row or {})


async def page_of_tab(
    connection: asyncpg.Connection[Any],
    unit: str,
    tab: str,
    now: datetime,
    tomorrow: datetime,
    *,
    only: UnitFilter = EVERY_ROW,
    after: str = "",
    most: int,
) -> list[Listed]:
    """A page of a tab, the earliest due first; `after` as in `lists.page_of`."""
    statement = _PAGE.format(TABS[tab])
    rows = await connection.fetch(statement, ORDERS, unit, now, tomorrow, *only, *place_in(after), most)
    return [listed_of(row) for row in rows]
