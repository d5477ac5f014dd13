"""The outcomes of acts: waited for by the event's identity, in one statement for all who wait."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from shared.ids import MessageId
from shared.log.away import is_away

POLL_SECONDS: Final = 0.008
"""How often it is looked for. A desk decides on a quiet machine within some 10 ms."""
_CAME: Final = """
SELECT w.number, i.message_id IS NOT NULL AS done, i.content, p.reason
FROM unnest($1::text[], $2::uuid[], $3::text[], $4::int[], $5::bigint[])
    WITH ORDINALITY AS w (consumer, message_id, topic, part, kafka_offset, number)
LEFT JOIN es.inbox i ON i.consumer = w.consumer AND i.message_id = w.message_id
LEFT JOIN es.parked p ON p.consumer = w.consumer AND p.topic = w.topic AND p.part = w.part
    AND p.kafka_offset = w.kafka_offset
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedAct:
    """An act in Kafka: who it is, and where it lies."""

    consumer: str
    """The desk that takes it in."""
    identity: MessageId
    topic: str
    """Its full name."""
    partition: int
    offset: int
    content: str | None = None
    """See `shared.identity.content_of`; None where it is not known any more what was said."""


@dataclass(frozen=True, slots=True)
class CameOfIt:
    """The desk has handled the act."""

    parked: str | None = None
    """Why it was set aside; None where it had its effect."""


class OutcomeWatch:
    """Looks for all acts that somebody waits for, as long as somebody does."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        """Nobody waits yet."""
        self._pool = pool
        self._waiting: dict[asyncio.Future[CameOfIt], AwaitedAct] = {}
        self._task: asyncio.Task[None] | None = None

    async def wait(self, act: AwaitedAct, within: float) -> CameOfIt | None:
        """The outcome; None where there was none within these seconds, or PostgreSQL is away."""
        future: asyncio.Future[CameOfIt] = asyncio.get_running_loop().create_future()
        self._waiting[future] = act
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._look())
        try:
            async with asyncio.timeout(within):
                return await future
        except TimeoutError:
            return None
        finally:
            self._waiting.pop(future, None)

    async def now(self, act: AwaitedAct) -> CameOfIt | None:
        """The outcome until now; None where there is none. Errors as those of asyncpg."""
        rows = await self._pool.fetch(_CAME, *_columns([act]))
        return _said(act, rows[0])

    async def close(self) -> None:
        """Nobody is told any more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        while self._waiting:
            asked = list(self._waiting.items())
            try:
                rows = await self._pool.fetch(_CAME, *_columns([act for _, act in asked]))
            except Exception as error:
                if not is_away(error):
                    self._fail(error)
                    raise
                await asyncio.sleep(0.2)
                continue
            for row in rows:
                future, act = asked[row["number"] - 1]
                came = _said(act, row)
                if came is not None and not future.done():
                    future.set_result(came)
            await asyncio.sleep(POLL_SECONDS)

    def _fail(self, error: Exception) -> None:
        for future in list(self._waiting):
            if not future.done():
                future.set_exception(error)


def _columns(acts: list[AwaitedAct]) -> tuple[list[Any], ...]:
    return (
        [act.consumer for act in acts],
        [act.identity for act in acts],
        [act.topic for act in acts],
        [act.partition for act in acts],
        [act.offset for act in acts],
    )


def _said(act: AwaitedAct, row: Any) -> CameOfIt | None:
    if row["reason"] is not None:
        return CameOfIt(row["reason"])
    if not row["done"]:
        return None
    # The id of an earlier event with other content: its desk will set this one aside, and say so.
    if act.content is not None and row["content"] is not None and row["content"].hex != act.content:
        return None
    return CameOfIt()
