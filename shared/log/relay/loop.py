"""The loop of a relay: own the shard, send what is new, remember how far; forever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import asyncpg
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from shared.log.away import AWAY
from shared.log.postgres import connect
from shared.log.relay.cursor import RelayCursor, RelayFenced
from shared.log.relay.notice_cursor import SHARD, NoticeCursor
from shared.log.relay.notices import PARKINGS
from shared.log.relay.programmes import PROGRAMMES
from shared.log.relay.sink import KafkaSink
from shared.runtime.errors import told
from shared.runtime.settings import CommonSettings
from shared.runtime.telemetry import Telemetry

PAGE_MAX: Final = 8000
"""Facts read and sent at once; 8,000 instead of 1,000 cost a fifth less CPU in the spike."""

POLL_SECONDS: Final = 0.005
"""How long a relay that had nothing for `BUSY_SECONDS` waits before it looks again."""

POLL_BUSY_SECONDS: Final = 0.001
"""The same while there is something every moment: a request waits for two looks until its order is out."""

BUSY_SECONDS: Final = 0.25

POLL_QUIET_SECONDS: Final = 0.025
"""The same once there was nothing for `QUIET_SECONDS`: a look each 5 ms costs a quiet city an eighth of a core."""

QUIET_SECONDS: Final = 2.0

NOTICE_SECONDS: Final = 0.25
"""How often the owner of shard 0 looks for notices: they are rare, and nobody's limit waits for one."""

SETTLE_SECONDS: Final = 2.0
"""An idle relay writes its snapshot down this often, so a restart has little to look through."""


class Relay:
    """The loop: own the shard, send what is new, remember how far; forever."""

    def __init__(
        self,
        settings: CommonSettings,
        telemetry: Telemetry,
        *,
        page_max: int = PAGE_MAX,
        poll_seconds: float = POLL_SECONDS,
        shards: int = 1,
    ) -> None:
        """`poll_seconds`: how long an idle relay waits before it looks again; `shards`: how many share the log."""
        self._settings = settings
        self._telemetry = telemetry
        self._page_max = page_max
        self._poll_seconds = poll_seconds
        self._shards = shards
        telemetry.health.expects("relay")
        telemetry.keeps("relay")

    async def run(self) -> None:
        """Relay until cancelled; PostgreSQL or Kafka may go and come back. Raises `WrongShards`."""
        sink = KafkaSink(self._settings, self._telemetry)
        try:
            while True:
                try:
                    await self._own_and_send(sink)
                except RelayFenced as fenced:
                    self._telemetry.log.warning("relay_fenced", reason=str(fenced))
                except AWAY as error:
                    self._telemetry.log.warning("waiting_for_postgres", error=told(error))
                    self._telemetry.count("relay.retries")
                    self._telemetry.health.waits("PostgreSQL", "relay")
                await asyncio.sleep(0.2)
        finally:
            await sink.close()

    async def _own_and_send(self, sink: KafkaSink) -> None:
        connection = await connect(self._settings.postgres, "relay")
        try:
            while (cursor := await self._owned(connection)) is None:
                self._telemetry.progressed("relay")
                await asyncio.sleep(0.5)
            self._telemetry.log.info("relay_owns", shard=cursor.shard, epoch=cursor.epoch)
            notices = _notices(cursor)
            sent_at = settled_at = time.monotonic()
            told_at = 0.0
            while True:
                if notices and time.monotonic() - told_at > NOTICE_SECONDS:
                    for one in notices:
                        await self.tell(one, sink)
                    told_at = time.monotonic()
                if await self.step(cursor, sink):
                    sent_at = settled_at = time.monotonic()
                    continue
                now = time.monotonic()
                if now - settled_at > SETTLE_SECONDS:
                    await cursor.idle(cursor.snap_a)
                    settled_at = now
                self._telemetry.progressed("relay")
                await asyncio.sleep(self._pause(now - sent_at))
        finally:
            with suppress(Exception):
                await connection.close(timeout=5)

    def _pause(self, quiet: float) -> float:
        """Seconds until the next look, where nothing was there for `quiet` seconds."""
        if quiet < BUSY_SECONDS:
            return min(POLL_BUSY_SECONDS, self._poll_seconds)
        return self._poll_seconds if quiet < QUIET_SECONDS else max(POLL_QUIET_SECONDS, self._poll_seconds)

    async def _owned(self, connection: asyncpg.Connection[Any]) -> RelayCursor | None:
        """The first shard nobody owns; a relay has one, so there must run as many, and one more to stand by."""
        for shard in range(self._shards):
            cursor = RelayCursor(connection, shard, self._shards)
            if await cursor.try_own():
                return cursor
        return None

    async def step(self, cursor: RelayCursor, sink: KafkaSink) -> bool:
        """One page, if anything is new; says whether there was."""
        if cursor.snap_b is not None:
            rows = await cursor.page(cursor.snap_b, self._page_max)
        else:
            snap_b = await cursor.look()
            rows = await cursor.open(snap_b, self._page_max) if snap_b != cursor.snap_a else []
            if not rows:
                if cursor.owes:
                    await cursor.settle()
                cursor.snap_a = snap_b
                return False
        if rows:
            rows = await cursor.with_beside(rows)
            await self._send(lambda: sink.send(rows, cursor.batch), sink)
        if len(rows) == self._page_max:
            await cursor.page_done(rows[-1].position)
        else:
            cursor.batch_done()
        return True

    async def tell(self, notices: NoticeCursor[Any], sink: KafkaSink) -> None:
        """Tell what stands in a table of notices since the last time."""
        while rows := await notices.new():
            messages = [
                message
                for row in rows
                for message in notices.source.messages(row, self._settings.topic_prefix)
            ]
            await self._send(lambda messages=messages: sink.send_notices(messages), sink)  # type: ignore[misc]
            await notices.sent(rows)

    async def _send(self, send: Callable[[], Awaitable[int]], sink: KafkaSink) -> None:
        """Send a page until Kafka has it, however long Kafka is away."""
        warned = False
        while True:
            began_at = time.monotonic()
            try:
                sent = await send()
            except (KafkaError, KafkaException, TimeoutError, OSError) as error:
                if not warned:
                    self._telemetry.log.warning("waiting_for_kafka", error=told(error))
                    warned = True
                self._telemetry.count("relay.producers_rebuilt")
                self._telemetry.health.waits("Kafka", "relay")
                await sink.close()
                await asyncio.sleep(0.2)
            else:
                self._telemetry.observe("relay.send_seconds", time.monotonic() - began_at)
                self._telemetry.count("relay.messages", sent)
                self._telemetry.progressed("relay")
                return


def _notices(cursor: RelayCursor) -> tuple[NoticeCursor[Any], ...]:
    """The tables of notices that the owner of this shard tells of."""
    if cursor.shard != SHARD:
        return ()
    return NoticeCursor(cursor, PARKINGS), NoticeCursor(cursor, PROGRAMMES)
