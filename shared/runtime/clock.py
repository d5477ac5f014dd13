"""City time: the only place that reads a clock.

Rules take time from their command. A desk asks its clock what time an input counts as, what time a
reaction to a fact counts as, and between which instants an input may claim to be. In a rehearsal the first two
are the time the message itself carries, so the same day gives the same facts at any speed. How far city time has
come is the conductor's matter (es.city_clock): timers look at it, and the bounds of what an input may claim.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

AHEAD_MAX: Final = timedelta(minutes=5)
"""How far ahead of ours a sender's clock may be."""

INPUT_AGE_DAYS_MAX: Final = 1_096
"""How long ago what an input tells of may have happened, where no setting says otherwise: three years. A letter may be
weeks old, and a switch's recorded calls may be read in when the year is over. What lies before that is a driver's zero
time or a date of birth."""

REHEARSED_AHEAD_MAX: Final = timedelta(days=366)
"""How far ahead of its conductor's present an input may be in a rehearsed city. The conductor hands in nothing before
its time. The bound is this wide so that no message is taken in at one speed of a rehearsal and parked at another."""

REHEARSED_SINCE: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""The earliest time an input may carry in a rehearsed city whose conductor has not begun: no rehearsal is of a year
before."""

STAMPED_SINCE: Final = datetime(2016, 5, 24, tzinfo=UTC)
"""Kafka 0.10.0, the first whose records bear a time: a record with an earlier one was stamped by no broker."""

STAMP_AHEAD_MAX: Final = timedelta(days=366)
"""How far ahead of our clock a record's time may be. Ours may be behind by days; a year is no clock that is wrong."""

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)


class Clock(Protocol):
    """What a desk may ask about time. All instants are aware."""

    def earliest_input(self, arrived_at: datetime) -> datetime:
        """The earliest time an input may carry; before it nothing happened that somebody tells us now.

        `arrived_at` is the broker's stamp: what was parked for a year is no older for it when it comes back.
        """
        ...

    def latest_input(self, arrived_at: datetime) -> datetime:
        """The latest time an input may carry; one beyond it comes from a clock that is wrong.

        `arrived_at` is the broker's stamp: should our own clock be behind, it is not the sender who is wrong.
        """
        ...

    def stamps(self) -> tuple[datetime, datetime]:
        """The earliest and the latest time a record may bear, whoever stamped it."""
        ...

    def of_input(self, said_at: datetime, arrived_at: datetime) -> datetime:
        """The time an input counts as: when it reached the broker, in a rehearsal what it says."""
        ...

    def of_reaction(self, fact_at: datetime) -> datetime:
        """The time a reaction to a fact counts as: now, in a rehearsal the fact's own."""
        ...


def shifted(at: datetime, by: timedelta) -> datetime:
    """So much earlier or later, at most to the ends of all time."""
    try:
        return at + by
    except OverflowError:
        return LAST if by > timedelta() else FIRST


class SystemClock:
    """See `Clock`: real time."""

    def __init__(self, input_age_max: timedelta = timedelta(days=INPUT_AGE_DAYS_MAX)) -> None:
        """`input_age_max`: how long ago what an input tells of may have happened."""
        self._input_age_max = input_age_max

    def now(self) -> datetime:
        """The present, in UTC."""
        return datetime.now(UTC)

    def earliest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.earliest_input`."""
        return shifted(min(self.now(), arrived_at), -self._input_age_max)

    def latest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.latest_input`."""
        return max(self.now(), arrived_at) + AHEAD_MAX

    def stamps(self) -> tuple[datetime, datetime]:
        """See `Clock.stamps`."""
        return STAMPED_SINCE, self.now() + STAMP_AHEAD_MAX

    def of_input(self, said_at: datetime, arrived_at: datetime) -> datetime:
        """See `Clock.of_input`."""
        del said_at  # a unit's own clock is no evidence of being in time
        return arrived_at

    def of_reaction(self, fact_at: datetime) -> datetime:
        """See `Clock.of_reaction`; never before the fact itself, should two machines' clocks differ."""
        return max(self.now(), fact_at)


class RehearsalClock:
    """See `Clock`: everything happens when it says; the conductor hands in nothing before its time.

    Its present is its conductor's. Whoever has the clock moves it before it is asked.
    """

    def __init__(
        self, now: datetime | None = None, *, input_age_max: timedelta = timedelta(days=INPUT_AGE_DAYS_MAX)
    ) -> None:
        """`now`: how far city time has come; None as long as nobody conducts."""
        self._now = now
        self._input_age_max = input_age_max

    def move_to(self, now: datetime) -> None:
        """Set the time; it never goes back."""
        self._now = now if self._now is None else max(self._now, now)

    def earliest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.earliest_input`."""
        del arrived_at
        return REHEARSED_SINCE if self._now is None else shifted(self._now, -self._input_age_max)

    def latest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.latest_input`."""
        del arrived_at
        return shifted(self._now or SystemClock().now(), REHEARSED_AHEAD_MAX)

    def stamps(self) -> tuple[datetime, datetime]:
        """See `Clock.stamps`: nothing is decided by them here."""
        return FIRST, LAST

    def of_input(self, said_at: datetime, arrived_at: datetime) -> datetime:
        """See `Clock.of_input`."""
        del arrived_at
        return said_at

    def of_reaction(self, fact_at: datetime) -> datetime:
        """See `Clock.of_reaction`."""
        return fact_at


class HandClock(RehearsalClock):
    """See `Clock`: a rehearsal's, with a present moved by hand in a test and senders as near to it as real ones."""

    def __init__(self, now: datetime) -> None:
        """Start at `now`."""
        super().__init__(now)

    def now(self) -> datetime:
        """Where the hand stands."""
        return self._now or FIRST

    def latest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.latest_input`."""
        del arrived_at
        return shifted(self.now(), AHEAD_MAX)
