"""From where on the clock looks for due timers; pure.

A timer that fired leaves a dead row behind. While somebody holds an old snapshot PostgreSQL cannot clear it
away, and a look from the beginning wades through all of them. So a look begins at a watermark. Below it
nothing may lie that is still to fire, and nothing may come to lie there.

A timer that becomes known late is looked at when it becomes known (`es.timer.look_at`), by the server's
clock. A transaction may read that clock and commit long after. Therefore the watermark passes an instant only
once every transaction has ended that was writing timers then, and a look has taken place since.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

BEGINNING: Final = datetime(1, 1, 1, tzinfo=UTC)

SLACK: Final = timedelta(seconds=5)
"""How far the server's clock may be set back unnoticed. While an old snapshot is held, every tick wades through all
that fired in this time, so it is short."""


WRITERS_SECONDS: Final = 1.0
"""How often it is asked who is writing timers. The server goes through all its locks for it; a tick is a fraction of
that."""


class _Waiting(NamedTuple):
    """An instant that the watermark may pass once these have ended."""

    at: datetime
    writers: frozenset[str]


class Watermark:
    """Below `low` nothing is left to fire."""

    def __init__(self) -> None:
        """Nothing has been looked through."""
        self.begins_anew()

    def begins_anew(self) -> None:
        """Look from the beginning: after a start, for a shard taken over, where the clock was set back."""
        self.low = BEGINNING
        self._waiting: _Waiting | None = None
        self._sealed: datetime | None = None
        self._read: tuple[datetime, float] | None = None
        self._asked_at = float("-inf")

    def wants_writers(self, seconds: float) -> bool:
        """Whether it is time to ask who is writing timers."""
        return seconds - self._asked_at >= WRITERS_SECONDS

    def reached(self, now: datetime, writers: frozenset[str] | None, seconds: float) -> None:
        """The server's clock stood at `now`; then these were writing timers, None where nobody asked.

        `seconds` is what a clock says that never goes back.
        """
        if self._read is not None:
            before, then = self._read
            if now < before + timedelta(seconds=seconds - then) - SLACK:
                self.begins_anew()
        self._read = (now, seconds)
        self._sealed = None
        if writers is None:
            return
        self._asked_at = seconds
        waiting = self._waiting
        if not writers:
            self._sealed, self._waiting = now, None
        elif waiting is None or not waiting.writers & writers:
            self._sealed = None if waiting is None else waiting.at
            self._waiting = _Waiting(now, writers)
        else:
            self._waiting = waiting._replace(writers=waiting.writers & writers)

    def looked(self, earliest: datetime | None) -> None:
        """A look from `low` on has taken place since; `earliest`: where the first lies that it found."""
        if self._sealed is not None:
            to = self._sealed if earliest is None else min(self._sealed, earliest)
            self.low = max(self.low, max(to, BEGINNING + SLACK) - SLACK)
