"""Escalation's door: the tick. Timers are rows beside the log, written with the facts they follow.

A shard has one owner at a time, so that no two tickers do the same work. Should there be two owners, the
complaint's head lets only one of them state the miss.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from services.escalation.due import PASSED_OVER_SECONDS, DueTimers, Firing, TimersByTheLog
from services.escalation.rules import FireDeadlines
from services.escalation.settings import Settings
from shared.desk import Desk
from shared.ids import ComplaintId
from shared.log import TIMER_SHARDS
from shared.log.away import AWAY, is_away
from shared.log.instants import reads_any_instant
from shared.log.locks import TIMERS, TRY_SHARD
from shared.log.postgres import connect
from shared.runtime.errors import told
from shared.work import Batch, Work


class Ticker:
    """Looks for due timers in the shards it owns and has the desk state what they mean."""

    def __init__(self, settings: Settings, desk: Desk, due: DueTimers | None = None) -> None:
        """Nothing is owned yet. `due` says which timers are due, the log's own present where it is not given."""
        self._settings = settings
        self._desk = desk
        self._due = due or TimersByTheLog()
        self._telemetry = desk.telemetry
        self._telemetry.health.expects("tick")
        self._telemetry.keeps("timer")
        self._owned: list[int] = []
        self._owning_at = 0.0

    async def run(self) -> None:
        """Tick until cancelled; PostgreSQL may go and come back."""
        while True:
            try:
                connection = await connect(self._settings.postgres, "escalation.tick")
                try:
                    await reads_any_instant(connection)
                    self._owned = []
                    await self._tick_on(connection)
                finally:
                    with suppress(Exception):
                        await connection.close(timeout=5)
            except AWAY as error:
                self._telemetry.log.warning("waiting_for_postgres", error=told(error))
                self._telemetry.count("timer.retries")
                self._telemetry.health.waits("PostgreSQL", "tick")
                await asyncio.sleep(0.2)

    async def _tick_on(self, connection: asyncpg.Connection[Any]) -> None:
        while True:
            await self.own(connection)
            fired = await self.tick(connection)
            self._telemetry.progressed("tick")
            if not fired:
                await asyncio.sleep(self._settings.tick_ms / 1000)

    async def own(self, connection: asyncpg.Connection[Any]) -> None:
        """Take the shards nobody owns; their owner's connection held the lock."""
        if len(self._owned) == TIMER_SHARDS or time.monotonic() - self._owning_at < 1:
            return
        self._owning_at = time.monotonic()
        for shard in range(TIMER_SHARDS):
            if shard not in self._owned and await connection.fetchval(TRY_SHARD, TIMERS, shard):
                self._owned.append(shard)
                self._due.begins_anew()
                self._telemetry.log.info("timer_shard_owned", shard=shard)

    async def tick(self, connection: asyncpg.Connection[Any]) -> int:
        """Fire what is due; returns how many."""
        if not self._owned:
            return 0
        due, silent = await self._due.look(connection, self._owned)
        for timer in silent:
            # It would be found again and again: rows and heads have parted.
            await self._due.leave_alone(connection, timer)
        if silent:
            self._telemetry.log.error(
                "timers_without_effect", complaints=sorted(timer.stream for timer in silent)[:10]
            )
        if not due:
            return 0
        with self._telemetry.spans.batch("escalation tick"):
            facts = await self._fire(connection, due)
        for timer, until in due:
            self._telemetry.observe("timer.lateness_seconds", (until - timer.due_at).total_seconds())
        self._due.fired([timer for timer, _ in due], facts)
        return len(due)

    async def _fire(self, connection: asyncpg.Connection[Any], due: Sequence[Firing]) -> int:
        """Have the desk state the misses of these timers, each up to its instant; returns how many facts that were.

        If it cannot be done for all at once, it is done half by half. A complaint that fails is left to an
        operator, who hears of it. It stops no other complaint's clock.
        """
        work = [
            Work(
                FireDeadlines(complaint_id=ComplaintId(timer.stream), until=until),
                ComplaintId(timer.stream),
                f"clock/{timer.due_at.isoformat()}",
            )
            for timer, until in due
        ]
        try:
            said = await self._desk.obey(Batch(work=work))
        except Exception as error:
            if is_away(error):
                raise
            if len(due) > 1:
                half = len(due) // 2
                return await self._fire(connection, due[:half]) + await self._fire(connection, due[half:])
            timer = due[0].timer
            await self._due.leave_alone(connection, timer)
            self._telemetry.count("timer.passed_over")
            self._telemetry.log.error(  # noqa: TRY400 -- a trace would quote the complaint
                "timer_passed_over",
                complaint_id=timer.stream,
                due_at=timer.due_at.isoformat(),
                again_in_seconds=PASSED_OVER_SECONDS,
                error=told(error),
            )
            return 0
        self._telemetry.count("timer.fired", len(due))
        return said.facts
