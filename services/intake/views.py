"""Questions intake answers: what the register of calls holds, and how soon messages were taken up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import asyncpg
from msgspec import UNSET

from services.intake.messages import Message
from services.intake.telephone import CallRecord
from shared.codec import decoded
from shared.events import ComplaintReceived

_CALLS: Final = """
SELECT offered_at, answered_at, ended_at, outcome FROM intake.call_outcome
WHERE offered_at > $1 AND offered_at <= $2 ORDER BY offered_at
"""
_CALL: Final = "SELECT offered_at, answered_at, ended_at, outcome FROM intake.call_outcome WHERE call_id = $1"


_AT_POSITION: Final = "SELECT occurred_at FROM es.event WHERE position >= $1 ORDER BY position LIMIT 1"
_RECEIVED: Final = """
SELECT type, schema_version, body FROM es.fact
WHERE position >= $1 AND type = 'ComplaintReceived' AND occurred_at > $2 AND occurred_at <= $3
ORDER BY occurred_at, position
"""
_STRAY: Final = timedelta(days=1)


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


async def messages(connection: asyncpg.Connection[Any], since: datetime, until: datetime) -> list[Message]:
    """The messages taken up in (since, until], in order.

    The log has no index by time: where to begin is found by halving the positions, and a fact may lie at most a day
    of the city's before its neighbours there.
    """
    low, high = 0, await connection.fetchval("SELECT coalesce(max(position), 0) FROM es.event")
    while low < high:
        middle = (low + high) // 2
        at = await connection.fetchval(_AT_POSITION, middle)
        if at is None or at >= since - _STRAY:
            high = middle
        else:
            low = middle + 1
    found: list[Message] = []
    for row in await connection.fetch(_RECEIVED, low, since, until):
        fact = decoded(*row)
        if isinstance(fact, ComplaintReceived) and fact.sent_at is not UNSET:
            found.append(Message(fact.channel, fact.sent_at, fact.received_at))
    return found
