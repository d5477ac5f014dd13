"""Escalation's door: the tick. Timers are rows beside the log, set by whoever states the facts they follow.

A shard has one owner at a time, so that nobody works in vain; should there be two, the complaint's head
lets only one of them state the miss.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from services.escalation.commands import FireDeadlines
from services.escalation.settings import Settings
from shared.broker import AWAY, is_away
from shared.desk import Batch, Desk, Work
from shared.errors import told
from shared.ids import ComplaintId
from shared.log import TIMER_SHARDS
from shared.log.instants import FIRST, reads_any_instant
from shared.log.postgres import connect

DUE_MAX: Final = 2000
"""Timers fired in one transaction."""

WATERMARK_SLACK: Final = timedelta(seconds=5)
"""How far below the last tick the next one looks: a timer committed meanwhile may lie there. While an old
snapshot is held, every tick wades through all that fired in this time, so it is short; what is set further
into the past waits for the next look below the watermark."""

FULL_LOOK_SECONDS: Final = 0.6
"""A look below the watermark that takes longer than this is made rarer in proportion: by default it takes
a hundredth of the time at most, however much lies there that fired and cannot be cleared away."""

PASSED_OVER_SECONDS: Final = 60.0
"""How long a timer is left alone that could not be decided or had no effect; other timers do not wait for it."""

_SLACK_FROM: Final = FIRST + WATERMARK_SLACK
_BEGINNING: Final = FIRST
"""Below every timer, also one whose limit is no time at all."""
_LOCK: Final = "SELECT pg_try_advisory_lock($1, hashint4($2) # hashtext(current_database()))"
_LOCK_CLASS: Final = 12346
_UNTIL: Final = "SELECT coalesce((SELECT settled FROM es.city_time()), clock_timestamp())"
_DUE: Final = "SELECT stream_id, due_at FROM es.due($1, $2, $3, $4, $5)"
_CITY_DUE: Final = "SELECT stream_id, due_at, until FROM es.city_due($1, $2)"
_NOBODY: Final = UUID(int=0)
"""Sorts before every complaint."""


class Ticker:
    """Looks for due timers in the shards it owns and has the desk state what they mean."""

    def __init__(self, settings: Settings, desk: Desk) -> None:
        """Nothing is owned yet."""
        self._settings = settings
        self._desk = desk
        self._telemetry = desk.telemetry
        self._telemetry.health.expects("tick")
        self._owned: list[int] = []
        self._low = _BEGINNING
        self._full_look_at = 0.0
        self._owning_at = 0.0
        self._passed_over: dict[tuple[str, datetime], float] = {}
        """Timers that led to nothing, and until when (monotonic seconds) they are left alone."""

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
                self._telemetry.health.waits("PostgreSQL", "tick")
                await asyncio.sleep(0.2)

    async def _tick_on(self, connection: asyncpg.Connection[Any]) -> None:
        while True:
            await self.own(connection)
            fired = await self.tick(connection)
            if self._settings.time == "rehearsal":
                fired += await self.tick_each(connection)
            self._telemetry.progressed("tick")
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
        began = time.monotonic()
        whole = began >= self._full_look_at
        if whole:
            passed_over = self._passed_over.items()
            self._passed_over = {timer: again for timer, again in passed_over if again > began}
        due = await self._due(connection, _BEGINNING if whole else self._low, until)
        if whole and len(due) < DUE_MAX:  # else there is more down there than one tick fires
            now = time.monotonic()
            rarer = max(1.0, (now - began) / FULL_LOOK_SECONDS)
            self._full_look_at = now + self._settings.full_scan_seconds * rarer
        self._low = max(self._low, max(min(due.values(), default=until), _SLACK_FROM) - WATERMARK_SLACK)
        if not due:
            return 0
        with self._telemetry.batch("escalation tick"):
            facts = await self._fire(due, dict.fromkeys(due, until))
        for due_at in due.values():
            self._telemetry.observe("timer.lateness_seconds", (until - due_at).total_seconds())
        if facts == 0:
            # A timer that says nothing would be found again and again: rows and heads have parted. Or the act
            # it waits for came between our two reads; then its complaint's other timers must still fire.
            self._pass_over(due)
            self._telemetry.log.error("timers_without_effect", complaints=list(due)[:10])
        return len(due)

    async def tick_each(self, connection: asyncpg.Connection[Any]) -> int:
        """Fire what a conductor lets fire, each complaint up to its own instant; returns how many.

        In one statement: what it finds is due by what the conductor knew, however long ago that was.
        """
        rows = await connection.fetch(_CITY_DUE, self._owned, DUE_MAX)
        timers = {str(stream): (due_at, until) for stream, due_at, until in rows}
        due = {stream: at for stream, (at, _) in timers.items() if (stream, at) not in self._passed_over}
        if not due:
            return 0
        with self._telemetry.batch("escalation tick"):
            await self._fire(due, {stream: timers[stream][1] for stream in due})
        return len(due)

    async def _due(
        self, connection: asyncpg.Connection[Any], low: datetime, until: datetime
    ) -> dict[str, datetime]:
        """Whose timers to fire, the earliest first: page by page, since all of a page may have to be passed over."""
        behind = _NOBODY
        while True:
            rows = await connection.fetch(_DUE, self._owned, low, until, DUE_MAX, behind)
            timers = [(str(stream), due_at) for stream, due_at in rows]
            due = dict(timer for timer in timers if timer not in self._passed_over)
            if due or len(rows) < DUE_MAX:
                return due
            low, behind = rows[-1]["due_at"], rows[-1]["stream_id"]

    async def _fire(self, due: dict[str, datetime], until: Mapping[str, datetime]) -> int:
        """Have the desk state what these timers mean, each up to its instant; returns how many facts that were.

        Where it cannot be done for all of them at once, half by half: what cannot be done for one complaint is
        left to an operator, who hears of it, and stops no other complaint's clock.
        """
        work = [
            Work(
                FireDeadlines(complaint_id=ComplaintId(stream), until=until[stream]),
                ComplaintId(stream),
                f"clock/{due_at.isoformat()}",
            )
            for stream, due_at in due.items()
        ]
        try:
            said = await self._desk.obey(Batch(work=work))
        except Exception as error:
            if is_away(error):
                raise
            timers = list(due.items())
            if len(timers) > 1:
                half = len(timers) // 2
                return await self._fire(dict(timers[:half]), until) + await self._fire(
                    dict(timers[half:]), until
                )
            self._pass_over(due)
            self._telemetry.count("timer.passed_over")
            self._telemetry.log.error(  # noqa: TRY400 -- a trace would quote the complaint
                "timer_passed_over",
                complaint_id=timers[0][0],
                due_at=timers[0][1].isoformat(),
                again_in_seconds=PASSED_OVER_SECONDS,
                error=told(error),
            )
            return 0
        self._telemetry.count("timer.fired", len(due))
        return said.facts

    def _pass_over(self, due: dict[str, datetime]) -> None:
        again = time.monotonic() + PASSED_OVER_SECONDS
        self._passed_over |= dict.fromkeys(due.items(), again)
