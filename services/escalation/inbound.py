"""Escalation's door: the tick. Timers are rows beside the log, set by whoever states the facts they follow.

A shard has one owner at a time, so that nobody works in vain; should there be two, the complaint's head
lets only one of them state the miss.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from services.escalation.commands import FireDeadlines
from services.escalation.settings import Settings
from services.escalation.watermark import BEGINNING, Watermark
from shared.desk import Desk
from shared.ids import ComplaintId
from shared.log import TIMER_SHARDS
from shared.log.away import AWAY, is_away
from shared.log.instants import reads_any_instant
from shared.log.locks import TIMERS, TRY_SHARD
from shared.log.postgres import connect
from shared.runtime.errors import told
from shared.work import Batch, Work

DUE_MAX: Final = 2000
"""Timers fired in one transaction."""

PASSED_OVER_SECONDS: Final = 60.0
"""How long a timer is left alone that could not be decided or had no effect; other timers do not wait for it. In the
log it is not due meanwhile (`es.timer.look_at`), so it is nobody's sign that the clock stands still."""

_CLOCK: Final = "SELECT now, rehearsed FROM es.timer_clock()"
_WRITERS: Final = "SELECT es.timer_writers()"
_DUE: Final = "SELECT stream_id, due_at, look_at FROM es.due($1, $2, $3, $4, $5)"
_CITY_DUE: Final = "SELECT stream_id, due_at, until FROM es.city_due($1, $2)"
_LEAVE_ALONE: Final = "SELECT es.pass_over($1, $2, $3, $4)"
_NOBODY: Final = UUID(int=0)
"""Sorts before every complaint."""


class _Timer(NamedTuple):
    """A timer that is due."""

    stream: str
    due_at: datetime
    look_at: datetime
    """Where it lies for the clock: at its limit, or when it became known that this was over."""


class Ticker:
    """Looks for due timers in the shards it owns and has the desk state what they mean."""

    def __init__(self, settings: Settings, desk: Desk) -> None:
        """Nothing is owned yet."""
        self._settings = settings
        self._desk = desk
        self._telemetry = desk.telemetry
        self._telemetry.health.expects("tick")
        self._owned: list[int] = []
        self._watermark = Watermark()
        self._owning_at = 0.0
        self._fired: frozenset[_Timer] = frozenset()
        """What the last tick fired: a timer of these that is due again, the very same, said nothing."""
        self._left_alone: dict[_Timer, float] = {}
        """In a rehearsal, timers that led to nothing, and until when (monotonic seconds) they are left alone."""

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
            if shard not in self._owned and await connection.fetchval(TRY_SHARD, TIMERS, shard):
                self._owned.append(shard)
                self._watermark.begins_anew()
                self._telemetry.log.info("timer_shard_owned", shard=shard)

    async def tick(self, connection: asyncpg.Connection[Any]) -> int:
        """Fire what is due; returns how many. A timer fires when the clock is past it, never early."""
        if not self._owned:
            return 0
        row = await connection.fetchrow(_CLOCK)
        assert row is not None  # noqa: S101 -- one row always
        until, rehearsed = row
        seconds = time.monotonic()
        writers = None
        if not rehearsed and self._watermark.wants_writers(seconds):
            writers = frozenset(await connection.fetchval(_WRITERS))
        self._watermark.reached(until, writers, seconds)
        # City time goes forward as its conductor likes, and a rehearsal holds no old snapshots.
        low = BEGINNING if rehearsed else self._watermark.low
        found = await self._due(connection, low, until)
        self._watermark.looked(found[0].look_at if found else None)
        silent = [timer for timer in found if timer in self._fired]
        for timer in silent:
            # It would be found again and again: rows and heads have parted.
            await self._pass_over(connection, timer)
        if silent:
            self._telemetry.log.error(
                "timers_without_effect", complaints=sorted(timer.stream for timer in silent)[:10]
            )
        due = {timer.stream: timer for timer in found if timer not in self._fired}
        self._fired = frozenset()
        if not due:
            return 0
        with self._telemetry.batch("escalation tick"):
            facts = await self._fire(connection, list(due.values()), dict.fromkeys(due, until))
        for timer in due.values():
            self._telemetry.observe("timer.lateness_seconds", (until - timer.due_at).total_seconds())
        if facts == 0 or not rehearsed:  # there a timer set anew to the same limit looks the same
            self._fired = frozenset(due.values())
        return len(due)

    async def tick_each(self, connection: asyncpg.Connection[Any]) -> int:
        """Fire what a conductor lets fire, each complaint up to its own instant; returns how many.

        In one statement: what it finds is due by what the conductor knew, however long ago that was.
        """
        rows = await connection.fetch(_CITY_DUE, self._owned, DUE_MAX)
        timers = [(_Timer(str(stream), due_at, due_at), until) for stream, due_at, until in rows]
        due = {timer: until for timer, until in timers if not self._is_left_alone(timer)}
        if not due:
            return 0
        with self._telemetry.batch("escalation tick"):
            await self._fire(connection, list(due), {timer.stream: until for timer, until in due.items()})
        return len(due)

    async def _due(self, connection: asyncpg.Connection[Any], low: datetime, until: datetime) -> list[_Timer]:
        """Which timers are due, the first to be looked at first.

        Page by page: in a rehearsal all of a page may have to be left alone.
        """
        behind = _NOBODY
        while True:
            rows = await connection.fetch(_DUE, self._owned, low, until, DUE_MAX, behind)
            timers = [_Timer(str(stream), due_at, look_at) for stream, due_at, look_at in rows]
            due = [timer for timer in timers if not self._is_left_alone(timer)]
            if due or len(rows) < DUE_MAX:
                return due
            low, behind = rows[-1]["look_at"], rows[-1]["stream_id"]

    async def _fire(
        self, connection: asyncpg.Connection[Any], due: Sequence[_Timer], until: Mapping[str, datetime]
    ) -> int:
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
            for stream, due_at, _ in due
        ]
        try:
            said = await self._desk.obey(Batch(work=work))
        except Exception as error:
            if is_away(error):
                raise
            if len(due) > 1:
                half = len(due) // 2
                return await self._fire(connection, due[:half], until) + await self._fire(
                    connection, due[half:], until
                )
            await self._pass_over(connection, due[0])
            self._telemetry.count("timer.passed_over")
            self._telemetry.log.error(  # noqa: TRY400 -- a trace would quote the complaint
                "timer_passed_over",
                complaint_id=due[0].stream,
                due_at=due[0].due_at.isoformat(),
                again_in_seconds=PASSED_OVER_SECONDS,
                error=told(error),
            )
            return 0
        self._telemetry.count("timer.fired", len(due))
        return said.facts

    async def _pass_over(self, connection: asyncpg.Connection[Any], timer: _Timer) -> None:
        """Leave it alone for a while, where everybody can see it."""
        if not await connection.fetchval(_LEAVE_ALONE, *timer, PASSED_OVER_SECONDS):
            self._left_alone[timer] = time.monotonic() + PASSED_OVER_SECONDS

    def _is_left_alone(self, timer: _Timer) -> bool:
        """In a rehearsal; by the clock on the wall it is not due meanwhile."""
        until = self._left_alone.get(timer)
        if until is None or time.monotonic() < until:
            return until is not None
        del self._left_alone[timer]
        return False
