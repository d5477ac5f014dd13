"""Questions intake answers: what the register of calls holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from services.intake.telephone import CallRecord

_CALLS: Final = """
SELECT offered_at, answered_at, ended_at, outcome FROM intake.call_outcome
WHERE offered_at > $1 AND offered_at <= $2 ORDER BY offered_at
"""
_CALL: Final = "SELECT offered_at, answered_at, ended_at, outcome FROM intake.call_outcome WHERE call_id = $1"


class Call(NamedTuple):
    """One call."""

    offered_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: str | None
    """Exactly one terminal state once it is over (T1)."""


async def calls(connection: asyncpg.Connection[Any], since: datetime, until: datetime) -> list[CallRecord]:
    """The calls offered in (since, until], in order; one whose offering nobody told is in none."""
    return [CallRecord(*row) for row in await connection.fetch(_CALLS, since, until)]


async def call(connection: asyncpg.Connection[Any], call_id: str) -> Call | None:
    """One call, or None where the telephone system told nothing of it."""
    row = await connection.fetchrow(_CALL, call_id)
    return None if row is None else Call(*row)
