"""Questions intake answers: what the register holds of a call, which articles there are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, Self

import asyncpg

from services.intake.call_statistics import CallRecord
from services.intake.decisions.recording import AskedToRecord
from services.intake.knowledge.rule import NO_BASE, Articles, Valid
from services.intake.register import call_of, read
from shared.log.instants import reads_any_instant
from shared.log.postgres import connect
from shared.work import Work

_CALL: Final = "SELECT told FROM intake.call WHERE call_id = $1"
_ARTICLES: Final = "SELECT article_id, version, valid_from, withdrawn_at FROM intake.articles()"


async def call(connection: asyncpg.Connection[Any], call_id: str) -> CallRecord | None:
    """One call, or None where the telephone system told nothing of it."""
    row = await connection.fetchrow(_CALL, call_id)
    return None if row is None else _record(row["told"])


def _record(told: Sequence[str]) -> CallRecord:
    return call_of(read(thing) for thing in told)


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
            if isinstance(one.command, AskedToRecord)
            and (request := one.command.command).article_id is not None
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
