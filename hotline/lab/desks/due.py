"""Which timers are due where a conductor moves the time."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg

from services.escalation.due import (
    DUE,
    DUE_MAX,
    NOBODY,
    PASSED_OVER_SECONDS,
    DueTimer,
    Firing,
    TimersDue,
    told_apart,
)
from services.escalation.watermark import BEGINNING

_UNTIL: Final = "SELECT es.timers_until()"
_CONDUCTED: Final = "SELECT stream_id, due_at, until FROM lab.due($1, $2)"


class ConductedTimers:
    """See `DueTimers`: those before the settled time, then those the conductor lets fire, each up to its instant.

    City time stands still meanwhile, so what is left alone for a while is remembered here and not in the log.
    """

    def __init__(self) -> None:
        """Nothing was looked at."""
        self._fired: frozenset[DueTimer] = frozenset()
        self._settled = False
        """Whether what the last look found was due by the settled time."""
        self._left_alone: dict[DueTimer, float] = {}
        """Timers that led to nothing, and until when (monotonic seconds) they are left alone."""

    def begins_anew(self) -> None:
        """See `DueTimers.begins_anew`: it looks from the beginning each time."""

    async def look(self, connection: asyncpg.Connection[Any], shards: Sequence[int]) -> TimersDue:
        """See `DueTimers.look`."""
        until: datetime = await connection.fetchval(_UNTIL)
        due, silent = told_apart(await self._due(connection, shards, until), self._fired)
        self._fired, self._settled = frozenset(), bool(due)
        if due:
            return TimersDue([Firing(timer, until) for timer in due], silent)
        return TimersDue(await self._conducted(connection, shards), silent)

    async def _due(
        self, connection: asyncpg.Connection[Any], shards: Sequence[int], until: datetime
    ) -> list[DueTimer]:
        """Page by page: all of a page may have to be left alone."""
        low, behind = BEGINNING, NOBODY
        while True:
            rows = await connection.fetch(DUE, shards, low, until, DUE_MAX, behind)
            timers = [DueTimer(str(stream), due_at, look_at) for stream, due_at, look_at in rows]
            due = [timer for timer in timers if not self._is_left_alone(timer)]
            if due or len(rows) < DUE_MAX:
                return due
            low, behind = rows[-1]["look_at"], rows[-1]["stream_id"]

    async def _conducted(self, connection: asyncpg.Connection[Any], shards: Sequence[int]) -> list[Firing]:
        """In one statement: what it finds is due by what the conductor knew, however long ago that was."""
        rows = await connection.fetch(_CONDUCTED, shards, DUE_MAX)
        due = [Firing(DueTimer(str(stream), due_at, due_at), until) for stream, due_at, until in rows]
        return [one for one in due if not self._is_left_alone(one.timer)]

    def fired(self, timers: Collection[DueTimer], facts: int) -> None:
        """See `DueTimers.fired`. A timer set anew to the same limit looks the same, so one that led to facts is new."""
        if facts == 0 and self._settled:
            self._fired = frozenset(timers)

    async def leave_alone(self, connection: asyncpg.Connection[Any], timer: DueTimer) -> None:
        """See `DueTimers.leave_alone`."""
        del connection
        self._left_alone[timer] = time.monotonic() + PASSED_OVER_SECONDS

    def _is_left_alone(self, timer: DueTimer) -> bool:
        until = self._left_alone.get(timer)
        if until is None or time.monotonic() < until:
            return until is not None
        del self._left_alone[timer]
        return False
