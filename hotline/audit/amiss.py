"""Whether every head can be read by every view, by the views' own means: PostgreSQL's JSON and their own functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import asyncpg

from hotline.casefile import orders
from hotline.readside.lists import listed
from shared.complaint import Complaint, open_questions, stage_of, stored_head, waits_for
from shared.log.heads import CANNOT_BE_READ
from shared.policy.ruleset import ruleset
from shared.runtime.clock import LAST
from shared.unreadable import UnreadableRows

# The reads that the statements over heads do on each: `es.head_amiss` does the same on one (migration 0029).
_ALL: Final = """
SELECT count((state ->> 'received_at')::timestamptz), count((state #>> '{ended,at}')::timestamptz)
FROM es.head WHERE stream_id BETWEEN $1 AND $2
"""
_EACH: Final = """
SELECT stream_id, amiss FROM (
    SELECT stream_id, es.head_amiss(state) AS amiss FROM es.stream WHERE stream_id BETWEEN $1 AND $2 OFFSET 0
) s WHERE amiss IS NOT NULL
"""

_SHOWS: Final[tuple[Callable[[Complaint], object], ...]] = (
    lambda case: ruleset(case.ruleset).contact_days,
    stage_of,
    waits_for,
    open_questions,
    lambda case: orders.row(listed(case), LAST) if case.order is not None else None,
    lambda case: orders.line(listed(case), LAST) if case.order is not None else None,
)
"""How the lists of units and reviewers, `show`, `status` and the shredding of contacts read a head."""


async def unreadable_heads(connection: asyncpg.Connection[Any], first: UUID, last: UUID) -> dict[UUID, str]:
    """The heads from the first complaint to the last that PostgreSQL reads no field of, and why; in a transaction."""
    try:
        async with connection.transaction():
            await connection.fetchrow(_ALL, first, last)
    except CANNOT_BE_READ:
        return {row[0]: row[1] for row in await connection.fetch(_EACH, first, last)}
    return {}


def why_not_shown(complaint_id: str, text: str, state_schema: int) -> str | None:
    """Why a view cannot show this head; None where all can."""
    unread = UnreadableRows()
    case = unread.read(complaint_id, lambda: stored_head(complaint_id, text, state_schema))
    if case is not None and case.ended is None:
        for shows in _SHOWS:
            unread.read(complaint_id, lambda shows=shows: shows(case))  # type: ignore[misc]
    return next((one.why for one in unread), None)
