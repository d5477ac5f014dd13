"""Questions intake answers: the register of calls, how soon messages were taken up, which articles there are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Self

import asyncpg
from msgspec import UNSET

from services.intake.commands import RecordRequest
from services.intake.knowledge import NO_BASE, Articles, Valid
from services.intake.messages import Message
from services.intake.telephone import CallRecord
from shared.codec import decoded
from shared.desk import Work
from shared.events import ComplaintReceived
from shared.log.instants import plausible, reads_any_instant
from shared.log.postgres import connect
from shared.unreadable import UnreadableRows

_CALLS: Final = """
SELECT call_id, offered_at, answered_at, ended_at, outcome FROM intake.call_outcome
WHERE offered_at > $1 AND offered_at <= $2 ORDER BY offered_at
"""
_CALL: Final = "SELECT offered_at, answered_at, ended_at, outcome FROM intake.call_outcome WHERE call_id = $1"
_ARTICLES: Final = "SELECT article_id, version, valid_from, withdrawn_at FROM intake.articles()"


_AT_POSITION: Final = "SELECT occurred_at FROM es.event WHERE position >= $1 ORDER BY position LIMIT 1"
_RECEIVED: Final = """
SELECT stream_id, type, schema_version, body FROM es.fact
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


async def calls(
    connection: asyncpg.Connection[Any], since: datetime, until: datetime, unread: UnreadableRows
) -> list[CallRecord]:
    """The calls offered in (since, until], in order; one whose offering nobody told is in none."""
    found: list[CallRecord] = []
    for call_id, *told in await connection.fetch(_CALLS, since, until):
        odd = [at for at in told if isinstance(at, datetime) and not plausible(at)]
        if odd:
            unread.note(f"call {call_id}", f"no city has seen {odd[0].isoformat()}")
        else:
            found.append(CallRecord(*told))
    return found


async def call(connection: asyncpg.Connection[Any], call_id: str) -> Call | None:
    """One call, or None where the telephone system told nothing of it."""
    row = await connection.fetchrow(_CALL, call_id)
    return None if row is None else Call(*row)


async def messages(
    connection: asyncpg.Connection[Any],
    since: datetime,
    until: datetime,
    unread: UnreadableRows | None = None,
) -> list[Message]:
    """The messages taken up in (since, until], in order; a fact that cannot be read is noted in `unread`.

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
    unread = UnreadableRows() if unread is None else unread
    rows = await connection.fetch(_RECEIVED, low, since, until)
    facts = unread.each(rows, lambda row: f"complaint {row[0]}, version 1", lambda row: decoded(*row[1:]))
    return [
        Message(fact.channel, fact.sent_at, fact.received_at)
        for fact in facts
        if isinstance(fact, ComplaintReceived) and fact.sent_at is not UNSET
    ]


class KnowledgeBase:
    """The knowledge base as intake knows it (B2): read when a batch needs it, and at most so many seconds old then.

    A batch in which nobody answers from an article costs nothing.
    """

    def __init__(self, dsn: str, seconds: float) -> None:
        """Nothing is known yet."""
        self.articles: Articles = NO_BASE
        self._dsn = dsn
        self._seconds = seconds
        self._read_at: float | None = None
        self._connection: asyncpg.Connection[Any] | None = None

    async def look(self, work: Sequence[Work]) -> None:
        """Read it again where these commands name articles, and it is too old or has not got one of them."""
        named = {
            (request.article_id, request.article_version)
            for one in work
            if isinstance(one.command, RecordRequest)
            and (request := one.command.request).article_id is not None
            and request.turned_away is None
        }
        if not named:
            return
        old = self._read_at is None or time.monotonic() - self._read_at >= self._seconds
        # An empty one has none of them, and is not read for each: that would be dear where nobody keeps one.
        if old or (self.articles and not named <= self.articles.keys()):
            began_at = time.monotonic()
            self.articles = await self._read()
            self._read_at = began_at

    async def _read(self) -> Articles:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._dsn, "intake.knowledge")
            await reads_any_instant(self._connection)
        rows = await self._connection.fetch(_ARTICLES)
        return {(row[0], row[1]): Valid(row[2], row[3]) for row in rows}

    async def __aenter__(self) -> Self:
        """Ready to be asked."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give the connection back."""
        if self._connection is not None:
            with suppress(Exception):
                await self._connection.close(timeout=5)
