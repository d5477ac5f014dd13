"""Questions dispatch answers: what lies with a unit, and what with the reviewers."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from shared.complaint import Complaint, asked_for, order_open, stored_head
from shared.ids import ComplaintId
from shared.log.heads import Statement, fetch, over_heads
from shared.unreadable import UnreadableRows

_HELD: Final = over_heads(
    """
SELECT stream_id::text, text, state_schema FROM {heads}
WHERE state #>> '{order,unit}' = $1 AND state -> 'ended' IS NULL
"""
)


# Leaves out most of what `asked_for` would say nothing of.
_ASKED: Final = over_heads(
    """
SELECT stream_id::text, text, state_schema FROM {heads}
WHERE (state #> '{order,asked}' IS NOT NULL AND state -> 'ended' IS NULL)
   OR (state -> 'exclusion' IS NOT NULL AND state #>> '{exclusion,approved}' IS NULL)
"""
)


async def to_review(connection: asyncpg.Connection[Any], unread: UnreadableRows) -> list[Complaint]:
    """The complaints about which a reviewer or a council must decide, the earliest due first."""
    return [case for case in await _cases(connection, _ASKED, unread=unread) if asked_for(case)]


_UNLISTED: Final = over_heads(
    """
SELECT stream_id::text, text, state_schema FROM {heads}
WHERE state #>> '{order,unlisted}' IS NOT NULL AND state -> 'ended' IS NULL
"""
)


async def to_correct(connection: asyncpg.Connection[Any], unread: UnreadableRows) -> list[Complaint]:
    """The open complaints whose subject or place the catalogue does not know, the earliest due first."""
    return await _cases(connection, _UNLISTED, unread=unread)


_OTHER_CALENDAR: Final = over_heads(
    """
SELECT stream_id::text FROM {heads}
WHERE state ->> 'calendar' <> $1 AND state -> 'ended' IS NULL AND state -> 'order' IS NOT NULL
ORDER BY stream_id
"""
)


async def by_other_calendar(
    connection: asyncpg.Connection[Any], version: str, unread: UnreadableRows
) -> list[ComplaintId]:
    """The open, dispatched complaints that go by another calendar than this one."""
    rows = await fetch(connection, _OTHER_CALENDAR, version, unread=unread)
    return [ComplaintId(row[0]) for row in rows]


async def open_orders(
    connection: asyncpg.Connection[Any], unit: str, unread: UnreadableRows
) -> list[Complaint]:
    """The complaints whose open order lies with this unit, the earliest due first."""
    return [case for case in await _cases(connection, _HELD, unit, unread=unread) if order_open(case)]


async def _cases(
    connection: asyncpg.Connection[Any], statement: Statement, *arguments: object, unread: UnreadableRows
) -> list[Complaint]:
    """The heads a statement finds, the earliest due first; those that cannot be read are noted."""
    cases = unread.each(
        await fetch(connection, statement, *arguments, unread=unread),
        lambda row: f"the head of complaint {row[0]}",
        lambda row: stored_head(*row),
    )
    return sorted(cases, key=lambda case: case.order.feedback_due_at if case.order else case.received_at)
