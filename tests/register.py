"""The figures' calls and messages straight from the register and the log: what the read side is held against."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import asyncpg
from msgspec import UNSET

from services.intake.call_statistics import CallRecord
from services.intake.register import call_of, read
from services.intake.response_times import Message
from shared.events import ComplaintReceived
from shared.log.codec import decoded

_CALLS: Final = """
SELECT told FROM intake.call WHERE counted_at > $1 AND counted_at <= $2 ORDER BY counted_at, call_id
"""
_RECEIVED: Final = """
SELECT type, schema_version, body FROM es.fact
WHERE type = 'ComplaintReceived' AND occurred_at > $1 AND occurred_at <= $2 ORDER BY occurred_at, position
"""


async def calls(connection: asyncpg.Connection[Any], since: datetime, until: datetime) -> list[CallRecord]:
    """The calls that belong to (since, until], in order."""
    rows = await connection.fetch(_CALLS, since, until)
    return [call_of(read(thing) for thing in row["told"]) for row in rows]


async def messages(connection: asyncpg.Connection[Any], since: datetime, until: datetime) -> list[Message]:
    """The messages taken up in (since, until], in order."""
    facts = [decoded(*row) for row in await connection.fetch(_RECEIVED, since, until)]
    return [
        Message(fact.channel, fact.sent_at, fact.received_at)
        for fact in facts
        if isinstance(fact, ComplaintReceived) and fact.sent_at is not UNSET
    ]
