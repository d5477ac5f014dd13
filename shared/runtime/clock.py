"""The clock of a desk: the only place that reads the machine's.

Rules take time from their command. A desk asks its clock for the time of an input and for the time of a
reaction to a fact. It also asks between which instants an input may claim to be. Programs and statements that
ask for the city's present ask its database (`es.present()`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

AHEAD_MAX: Final = timedelta(minutes=5)
"""How far ahead of ours a sender's clock may be."""

INPUT_AGE_DAYS_MAX: Final = 1_096
"""How long ago what an input tells of may have happened, where no setting says otherwise: three years. A letter may be
weeks old, and a switch's recorded calls may be read in when the year is over. An instant before
that is a driver's zero time or a date of birth."""

STAMPED_SINCE: Final = datetime(2016, 5, 24, tzinfo=UTC)
"""Kafka 0.10.0, the first whose records bear a time: a record with an earlier one was stamped by no broker."""

STAMP_AHEAD_MAX: Final = timedelta(days=366)
"""How far ahead of our clock a record's time may be. Ours may be behind by days; a year is no clock that is wrong."""

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)


class Clock(Protocol):
    """The questions a desk may ask about time. All instants are aware."""

    async def catch_up(self) -> None:
        """Be at the present: a door calls this before each batch. May raise what asking PostgreSQL raises."""
        ...

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
        """The time an input counts as."""
        ...

    def of_reaction(self, fact_at: datetime) -> datetime:
        """The time a reaction to a fact counts as."""
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

    async def catch_up(self) -> None:
        """See `Clock.catch_up`: it always is."""

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
        """See `Clock.of_input`: when it reached the broker."""
        del said_at  # a unit's own clock is no evidence of being in time
        return arrived_at

    def of_reaction(self, fact_at: datetime) -> datetime:
        """See `Clock.of_reaction`: now; never before the fact itself, should two machines' clocks differ."""
        return max(self.now(), fact_at)


class ClockAt:
    """See `Clock`: it stands at an instant until it is moved; what is said is said then.

    A command goes by it: the city's database says what time it is there.
    """

    def __init__(self, now: datetime) -> None:
        """Stand at `now`."""
        self._now = now

    def now(self) -> datetime:
        """Where it stands."""
        return self._now

    def move_to(self, now: datetime) -> None:
        """Set the time; it never goes back."""
        self._now = max(self._now, now)

    async def catch_up(self) -> None:
        """See `Clock.catch_up`: it stands."""

    def earliest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.earliest_input`."""
        del arrived_at
        return shifted(self._now, -timedelta(days=INPUT_AGE_DAYS_MAX))

    def latest_input(self, arrived_at: datetime) -> datetime:
        """See `Clock.latest_input`."""
        del arrived_at
        return shifted(self._now, AHEAD_MAX)

    def stamps(self) -> tuple[datetime, datetime]:
        """See `Clock.stamps`: any, for the broker goes by another clock."""
        return FIRST, LAST

    def of_input(self, said_at: datetime, arrived_at: datetime) -> datetime:
        """See `Clock.of_input`: when it says."""
        del arrived_at
        return said_at

    def of_reaction(self, fact_at: datetime) -> datetime:
        """See `Clock.of_reaction`: the fact's own time."""
        return fact_at
