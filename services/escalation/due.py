"""Which timers are due: the port that the clock asks, and its answer by the log's own present."""

from __future__ import annotations

import time
from collections.abc import Collection, Container, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import asyncpg

from services.escalation.watermark import Watermark

DUE_MAX: Final = 2000
"""Timers fired in one transaction."""

PASSED_OVER_SECONDS: Final = 60.0
"""How long a timer is left alone that could not be decided or had no effect; other timers do not wait for it."""

DUE: Final = "SELECT stream_id, due_at, look_at FROM es.due($1, $2, $3, $4, $5)"
NOBODY: Final = UUID(int=0)
"""Sorts before every complaint."""

PRESENT: Final = "SELECT es.present()"
_WRITERS: Final = "SELECT es.timer_writers()"
_LEAVE_ALONE: Final = "SELECT es.pass_over($1, $2, $3, $4)"


class DueTimer(NamedTuple):
    """A timer that is due."""

    stream: str
    due_at: datetime
    look_at: datetime
    """Where it lies for the clock: at its limit, or when it became known that this was over."""


class Firing(NamedTuple):
    """A timer that may fire."""

    timer: DueTimer
    until: datetime
    """Every limit of its complaint that ended before this instant is stated with it."""


class TimersDue(NamedTuple):
    """The findings of one look at the timers."""

    due: Sequence[Firing]
    """Each complaint once, the first to be looked at first."""
    silent: Sequence[DueTimer]
    """These were fired the last time and are due again, the very same: firing them said nothing."""


class DueTimers(Protocol):
    """Which timers are due. Every question goes over the connection that owns the shards."""

    def begins_anew(self) -> None:
        """Look from the beginning: a shard was taken over."""
        ...

    async def look(self, connection: asyncpg.Connection[Any], shards: Sequence[int]) -> TimersDue:
        """The timers that are due in these shards. A timer is due when the clock is past it, never early."""
        ...

    def fired(self, timers: Collection[DueTimer], facts: int) -> None:
        """These of the last look were fired, and so many facts came of it."""
        ...

    async def leave_alone(self, connection: asyncpg.Connection[Any], timer: DueTimer) -> None:
        """Find it again only after `PASSED_OVER_SECONDS`."""
        ...


def told_apart(
    found: Iterable[DueTimer], fired: Container[DueTimer]
) -> tuple[list[DueTimer], list[DueTimer]]:
    """The due timers, each complaint once, and the silent ones: those that were fired the last time."""
    due: dict[str, DueTimer] = {}
    silent: list[DueTimer] = []
    for timer in found:
        if timer in fired:
            silent.append(timer)
        else:
            due[timer.stream] = timer
    return list(due.values()), silent


class TimersByTheLog:
    """See `DueTimers`: by `es.present()`, from a watermark on.

    The log says which timers are left alone (`es.timer.look_at`), so nobody takes them for a clock that stands still.
    """

    def __init__(self) -> None:
        """Nothing was looked through."""
        self._watermark = Watermark()
        self._fired: frozenset[DueTimer] = frozenset()
        """The timers of the last firing. One of these that is due again, the very same, said nothing."""

    def begins_anew(self) -> None:
        """See `DueTimers.begins_anew`."""
        self._watermark.begins_anew()

    async def look(self, connection: asyncpg.Connection[Any], shards: Sequence[int]) -> TimersDue:
        """See `DueTimers.look`."""
        until: datetime = await connection.fetchval(PRESENT)
        seconds = time.monotonic()
        writers = None
        if self._watermark.wants_writers(seconds):
            writers = frozenset(await connection.fetchval(_WRITERS))
        self._watermark.reached(until, writers, seconds)
        found = await self._due(connection, shards, until)
        self._watermark.looked(found[0].look_at if found else None)
        due, silent = told_apart(found, self._fired)
        self._fired = frozenset()
        return TimersDue([Firing(timer, until) for timer in due], silent)

    async def _due(
        self, connection: asyncpg.Connection[Any], shards: Sequence[int], until: datetime
    ) -> list[DueTimer]:
        rows = await connection.fetch(DUE, shards, self._watermark.low, until, DUE_MAX, NOBODY)
        return [DueTimer(str(stream), due_at, look_at) for stream, due_at, look_at in rows]

    def fired(self, timers: Collection[DueTimer], facts: int) -> None:
        """See `DueTimers.fired`."""
        del facts  # a timer set anew to the same limit is known late, and looks another
        self._fired = frozenset(timers)

    async def leave_alone(self, connection: asyncpg.Connection[Any], timer: DueTimer) -> None:
        """See `DueTimers.leave_alone`."""
        await connection.execute(_LEAVE_ALONE, *timer, PASSED_OVER_SECONDS)
