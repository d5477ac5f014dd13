"""Questions intake answers: what the register of calls holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

_CALLS: Final = """
SELECT count(*) AS offered, count(*) FILTER (WHERE outcome = 'ANSWERED') AS answered,
       count(*) FILTER (WHERE outcome IS NOT NULL AND outcome <> 'ANSWERED') AS unanswered,
       count(*) FILTER (WHERE wait <= interval '15 seconds') AS within_15s
FROM intake.call_outcome
"""
_CALL: Final = "SELECT offered_at, answered_at, ended_at, outcome FROM intake.call_outcome WHERE call_id = $1"


class Calls(NamedTuple):
    """How many calls came and what became of them."""

    offered: int
    answered: int
    unanswered: int
    within_15s: int
    """15.000 seconds count (T11)."""


class Call(NamedTuple):
    """One call."""

    offered_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    """Exactly one terminal state once it is over (T1)."""


async def calls(connection: asyncpg.Connection[Any]) -> Calls:
    """All calls of the register."""
    row = await connection.fetchrow(_CALLS)
    return Calls(*row) if row is not None else Calls(0, 0, 0, 0)


async def call(connection: asyncpg.Connection[Any], call_id: str) -> Call | None:
    """One call, or None where the telephone system told nothing of it."""
    row = await connection.fetchrow(_CALL, call_id)
    return None if row is None else Call(*row)
