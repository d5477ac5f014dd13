"""A database with writers of notices and a relay that sends them; what is sent is kept in a list, as Kafka has it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, Generic

import asyncpg

from shared.log.postgres import connect
from shared.log.relay.cursor import RelayCursor
from shared.log.relay.notice_cursor import NoticeCursor, NoticeSource, RowT


class NoticePlace(Generic[RowT]):
    """The database, and all that is open there."""

    def __init__(self, dsn: str, source: NoticeSource[RowT]) -> None:
        self.dsn = dsn
        self.open: list[Any] = []
        self._source = source

    async def connection(self) -> asyncpg.Connection[Any]:
        made = await connect(self.dsn, "other")
        self.open.append(made)
        return made

    async def cursor(self) -> NoticeCursor[RowT]:
        """As a relay that has just started has it; any from before is fenced."""
        relay = RelayCursor(await self.connection())
        await relay.own()
        return NoticeCursor(relay, self._source)

    async def close(self) -> None:
        for one in self.open:
            await one.close()

    async def relayed(
        self, told: list[RowT], writing: Callable[[], bool], chosen: random.Random, *, dies: float
    ) -> None:
        """Relay until nobody writes any more and all is told; it dies at this share of pages."""
        cursor = await self.cursor()
        while True:
            await looked(cursor)
            rows = await cursor.new()
            told.extend(rows)
            if rows and chosen.random() < dies:  # sent, and dead before it is written down
                cursor = await self.cursor()
                continue
            if rows:
                await cursor.sent(rows)
            elif not writing():
                return
            await asyncio.sleep(0.002)


async def looked(cursor: NoticeCursor[Any]) -> None:
    """The relay itself has looked for facts since, and found none."""
    cursor._relay.snap_a = await cursor._relay.look()


async def all_of(cursor: NoticeCursor[RowT]) -> list[RowT]:
    await looked(cursor)
    found: list[RowT] = []
    while rows := await cursor.new():
        found += rows
        await cursor.sent(rows)
    return found
