"""Escalation's door: the tick. Timers are rows beside the log, set by whoever states the facts they follow.

A shard has one owner at a time, so that nobody works in vain; should there be two, the complaint's head
lets only one of them state the miss.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from services.escalation.commands import FireDeadlines
from services.escalation.settings import Settings
from shared.broker import AWAY
from shared.desk import Batch, Desk, Work
from shared.ids import ComplaintId
from shared.log import TIMER_SHARDS
from shared.log.postgres import connect

DUE_MAX: Final = 2000
"""Timers fired in one transaction."""

WATERMARK_SLACK: Final = timedelta(minutes=5)
"""How far below the last tick the next one looks: a timer committed meanwhile may lie there."""

_BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)
_LOCK: Final = "SELECT pg_try_advisory_lock($1, hashint4($2) # hashtext(current_database()))"
_LOCK_CLASS: Final = 12346
_UNTIL: Final = "SELECT coalesce((SELECT settled FROM es.city_time()), clock_timestamp())"
_DUE: Final = "SELECT stream_id, due_at FROM es.due($1, $2, $3, $4)"


class Ticker:
    """Looks for due timers in the shards it owns and has the desk state what they mean."""

    def __init__(self, settings: Settings, desk: Desk) -> None:
        """Nothing is owned yet."""
        self._settings = settings
        self._desk = desk
        self._telemetry = desk.telemetry
        self._owned: list[int] = []
        self._low = _BEGINNING
        self._scanned_at = 0.0
        self._owning_at = 0.0
        self._silent: set[tuple[str, datetime]] = set()

    async def run(self) -> None:
        """Tick until cancelled; PostgreSQL may go and come back."""
        while True:
            try:
                connection = await connect(self._settings.postgres, "escalation.tick")
                try:
                    self._owned = []
                    await self._tick_on(connection)
                finally:
                    with suppress(Exception):
                        await connection.close(timeout=5)
            except AWAY as error:
                self._telemetry.log.warning("waiting_for_postgres", error=repr(error)[:200])
                await asyncio.sleep(0.2)

    async def _tick_on(self, connection: asyncpg.Connection[Any]) -> None:
        while True:
            await self.own(connection)
            fired = await self.tick(connection)
            self._telemetry.progressed()
            if not fired:
                await asyncio.sleep(self._settings.tick_ms / 1000)

    async def own(self, connection: asyncpg.Connection[Any]) -> None:
        """Take the shards nobody owns; their owner's connection held the lock."""
        if len(self._owned) == TIMER_SHARDS or time.monotonic() - self._owning_at < 1:
            return
        self._owning_at = time.monotonic()
        for shard in range(TIMER_SHARDS):
            if shard not in self._owned and await connection.fetchval(_LOCK, _LOCK_CLASS, shard):
                self._owned.append(shard)
                self._low = _BEGINNING
                self._telemetry.log.info("timer_shard_owned", shard=shard)

    async def tick(self, connection: asyncpg.Connection[Any]) -> int:
        """Fire what is due; returns how many. A timer fires when the clock is past its limit, never early."""
        if not self._owned:
            return 0
        until: datetime = await connection.fetchval(_UNTIL)
        rows = await connection.fetch(_DUE, self._owned, self._low, until, DUE_MAX)
        if not rows:
            if time.monotonic() - self._scanned_at < self._settings.full_scan_seconds:
                return 0
            self._scanned_at = time.monotonic()
            rows = await connection.fetch(_DUE, self._owned, _BEGINNING, until, DUE_MAX)
            if not rows:
                self._low = max(self._low, until - WATERMARK_SLACK)
                return 0
        else:
            self._low = max(self._low, rows[0]["due_at"] - WATERMARK_SLACK)
        due = [(str(stream), due_at) for stream, due_at in rows]
        fresh = dict(timer for timer in due if timer not in self._silent)
        if not fresh:
            return 0
        batch = Batch(
            work=[
                Work(
                    FireDeadlines(complaint_id=ComplaintId(stream), until=until),
                    ComplaintId(stream),
                    f"clock/{due_at.isoformat()}",
                )
                for stream, due_at in fresh.items()
            ]
        )
        with self._telemetry.batch("escalation tick"):
            said = await self._desk.obey(batch)
        self._telemetry.count("timer.fired", len(fresh))
        for due_at in fresh.values():
            self._telemetry.observe("timer.lateness_seconds", (until - due_at).total_seconds())
        if said.facts == 0:
            # A timer that says nothing would be found for ever: rows and heads have parted. Or the act it
            # waits for came between our two reads; then its complaint's other timers must still fire.
            self._silent |= set(fresh.items())
            self._telemetry.log.error("timers_without_effect", complaints=list(fresh)[:10])
        return len(fresh)
