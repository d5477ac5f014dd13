"""City time: the only place that reads a clock.

Rules take time from their command. A desk asks its clock what time an input counts as, what time a
reaction to a fact counts as, and how late an input may claim to be. In a rehearsal the first two are the
time the message itself carries, so the same day gives the same facts at any speed; how far city time has
come is the conductor's matter (es.city_clock), and only timers look at it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

AHEAD_MAX: Final = timedelta(minutes=5)
"""How far ahead of ours a sender's clock may be."""


class Clock(Protocol):
    """What a desk may ask about time. All instants are aware."""

    def latest_input(self, arrived_at: datetime) -> datetime:
        """The latest time an input may carry; one beyond it comes from a clock that is wrong.

        `arrived_at` is the broker's stamp: should our own clock be behind, it is not the sender who is wrong.
        """
        ...

    def of_input(self, said_at: datetime, arrived_at: datetime) -> datetime:
        """The time an input counts as: when it reached the broker, in a rehearsal what it says."""
        ...

    def of_reaction(self, fact_at: datetime) -> datetime:
        """The time a reaction to a fact counts as: now, in a rehearsal the fact's own."""
        ...


class SystemClock:
    """See `Clock`: real time."""

    def now(self) -> datetime:
        """The present, in UTC."""
        return datetime.now(UTC)

    def latest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.latest_input`."""
        return max(self.now(), arrived_at) + AHEAD_MAX

    def of_input(self, said_at: datetime, arrived_at: datetime) -> datetime:
        """See `Clock.of_input`."""
        del said_at  # a unit's own clock is no evidence of being in time
        return arrived_at

    def of_reaction(self, fact_at: datetime) -> datetime:
        """See `Clock.of_reaction`; never before the fact itself, should two machines' clocks differ."""
        return max(self.now(), fact_at)


class RehearsalClock:
    """See `Clock`: everything happens when it says; the conductor hands in nothing before its time."""

    def latest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.latest_input`."""
        del arrived_at
        return datetime.max.replace(tzinfo=UTC)

    def of_input(self, said_at: datetime, arrived_at: datetime) -> datetime:
        """See `Clock.of_input`."""
        del arrived_at
        return said_at

    def of_reaction(self, fact_at: datetime) -> datetime:
        """See `Clock.of_reaction`."""
        return fact_at


class HandClock(RehearsalClock):
    """See `Clock`: a rehearsal's, with a present moved by hand in a test."""

    def __init__(self, now: datetime) -> None:
        """Start at `now`."""
        self._now = now

    def now(self) -> datetime:
        """Where the hand stands."""
        return self._now

    def move_to(self, now: datetime) -> None:
        """Set the time; it never goes back."""
        self._now = max(self._now, now)

    def latest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.latest_input`."""
        del arrived_at
        return self._now + AHEAD_MAX
