"""Questions dispatch answers: what lies with a unit, and what with the reviewers."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from shared.complaint import Complaint, head_of, order_open
from shared.ids import ComplaintId

_HEADS: Final = """
SELECT state FROM es.stream
WHERE state::json #>> '{order,unit}' = $1 AND state::json -> 'ended' IS NULL
"""


_ASKED: Final = """
SELECT state FROM es.stream
WHERE ((state::json #>> '{order,review_since}' IS NOT NULL
        OR state::json #>> '{order,extension_days}' IS NOT NULL
        OR state::json #>> '{order,pause_days}' IS NOT NULL
        OR state::json #>> '{order,termination}' IS NOT NULL)
       AND state::json -> 'ended' IS NULL)
   OR (state::json -> 'exclusion' IS NOT NULL AND state::json #>> '{exclusion,approved}' IS NULL)
"""


async def to_review(connection: asyncpg.Connection[Any]) -> list[Complaint]:
    """The complaints about which a reviewer or a council must decide, the earliest due first."""
    cases = [head_of(row[0]) for row in await connection.fetch(_ASKED)]
    return sorted(cases, key=lambda case: case.order.feedback_due_at if case.order else case.received_at)


_OTHER_CALENDAR: Final = """
SELECT stream_id::text FROM es.stream
WHERE state::json ->> 'calendar' <> $1 AND state::json -> 'ended' IS NULL AND state::json -> 'order' IS NOT NULL
ORDER BY stream_id
"""


async def by_other_calendar(connection: asyncpg.Connection[Any], version: str) -> list[ComplaintId]:
    """The open, dispatched complaints that go by another calendar than this one."""
    return [ComplaintId(row[0]) for row in await connection.fetch(_OTHER_CALENDAR, version)]


async def open_orders(connection: asyncpg.Connection[Any], unit: str) -> list[Complaint]:
    """The complaints whose open order lies with this unit, the earliest due first."""
    cases = [head_of(row[0]) for row in await connection.fetch(_HEADS, unit)]
    held = [case for case in cases if order_open(case)]
    return sorted(held, key=lambda case: case.order.feedback_due_at if case.order else case.received_at)
