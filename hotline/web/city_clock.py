"""The clock of the city that the door serves: the machine's, or where its database says another time, that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from shared.runtime.clock import INPUT_AGE_DAYS_MAX, Clock, ClockAt, SystemClock

SAME: Final = timedelta(seconds=60)
"""So far apart two machines' clocks may be; a city whose time is moved is further from ours."""


class CityClock:
    """See `Clock`. A rehearsed city keeps a time of its own, which its database tells."""

    def __init__(self, input_age_days_max: int = INPUT_AGE_DAYS_MAX) -> None:
        """Real time, until somebody says otherwise."""
        self._system = SystemClock(timedelta(days=input_age_days_max))
        self._now: Clock = self._system
        self._moved: ClockAt | None = None

    def told(self, present: datetime) -> None:
        """The database says that it is this time in the city."""
        near = abs(present - datetime.now(UTC)) < SAME
        self._moved = None if near else ClockAt(present)
        self._now = self._moved or self._system

    def now(self) -> datetime:
        """The present of the city."""
        return self._system.now() if self._moved is None else self._moved.now()

    async def catch_up(self) -> None:
        """See `Clock.catch_up`: the process tells it the time."""

    def earliest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.earliest_input`."""
        return self._now.earliest_input(arrived_at)

    def latest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.latest_input`."""
        return self._now.latest_input(arrived_at)

    def stamps(self) -> tuple[datetime, datetime]:
        """See `Clock.stamps`."""
        return self._now.stamps()

    def of_input(self, said_at: datetime, arrived_at: datetime) -> datetime:
        """See `Clock.of_input`."""
        return self._now.of_input(said_at, arrived_at)

    def of_reaction(self, fact_at: datetime) -> datetime:
        """See `Clock.of_reaction`."""
        return self._now.of_reaction(fact_at)
