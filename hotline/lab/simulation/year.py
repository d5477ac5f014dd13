"""The load of a year: how many requests come on each day, and the city that lives through some of its days.

The years' sums are the city's own (25 million requests in 2025, of which 10 million become work orders). How they
divide by weekday, holiday and season is not published: `DAY_OFF` and `SEASON` are assumptions of the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from hotline.lab.simulation.planned_input import PlannedInput
from hotline.lab.simulation.population import Beijing
from hotline.lab.simulation.telephony import ABANDONED, CALLS_A_DAY, WORK_ORDERS, WRITTEN_SHARE, Telephony
from hotline.parsing import day_of, number_of
from shared.policy.calendar import calendar
from shared.policy.catalogue import Catalogue

YEAR: Final = 2025
REQUESTS: Final = 25_000_000
"""Received in 2025: about 2,500万, more than 70,000 calls a day."""
ORDERS: Final = round(REQUESTS * WORK_ORDERS)
"""Requests of the year that become work orders."""
REQUESTS_OF: Final = {
    2019: 6_960_000,
    2020: 11_039_400,
    2021: 14_850_000,
    2022: 75_920_000,
    2023: 21_430_000,
    2024: 24_000_000,
    YEAR: REQUESTS,
    2026: REQUESTS,
}
"""Received in each year (§10): 2021 and 2022 are general knowledge, 2024 was expected, 2026 is taken for 2025."""
CALENDAR: Final = "cn-1"
DAY_OFF: Final = 0.8
"""Assumption: what comes on a weekend or holiday, against a working day."""
SEASON: Final = {11: 1.15, 12: 1.15, 1: 1.1, 2: 1.05, 3: 1.05, 7: 1.05, 8: 1.05}
"""Assumption: months of heating and of rain against the others."""

AT_ONCE: Final = 30_000
"""Requests in a step of the conductor, about: enough to fill its waves, and few enough to be held in memory."""

_ZONE: Final = ZoneInfo("Asia/Shanghai")
_REQUESTS_A_CALL: Final = 1 - ABANDONED + WRITTEN_SHARE


def requests_by_day(year: int = YEAR) -> dict[date, float]:
    """Requests of each day of the year; together they are the year's."""
    known = calendar(CALENDAR)
    days = [
        date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)
    ]
    weights = {day: SEASON.get(day.month, 1.0) * (1.0 if known.is_workday(day) else DAY_OFF) for day in days}
    each = REQUESTS_OF[year] / sum(weights.values())
    return {day: weight * each for day, weight in weights.items()}


class Surge(NamedTuple):
    """Days on which more comes than the calendar lets expect: a lockdown, a storm (§1.1)."""

    first: date
    last: date
    times: float


class SurgeInvalid(ValueError):  # noqa: N818 -- reads as the sentence it reports
    """A surge that cannot be read; the text says what was expected."""


def surge_of(text: str) -> Surge:
    """`2021-01-10/2021-01-20:3`: three times as much on these days, both included."""
    days, _, times = text.partition(":")
    first, _, last = days.partition("/")
    begin, end, often = day_of(first), day_of(last or first), number_of(times)
    if begin is None or end is None or often is None or end < begin or not 0 < often <= SURGE_MAX:
        expected = f"expected FIRST/LAST:TIMES with TIMES up to {SURGE_MAX}, such as 2021-01-10/2021-01-20:3"
        raise SurgeInvalid(f"'{text}', {expected}")
    return Surge(begin, end, float(often))


SURGE_MAX: Final = 100


def period(first: date, days: int, surges: Sequence[Surge] = ()) -> dict[date, float]:
    """Requests of each day of any period; `SurgeInvalid` names a year whose sum or calendar is not known."""
    load: dict[date, float] = {}
    for number in range(days):
        day = first + timedelta(days=number)
        if day.year not in REQUESTS_OF:
            known = f"{min(REQUESTS_OF)} to {max(REQUESTS_OF)}"
            raise SurgeInvalid(f"{day}: how much came in {day.year} is not known, only {known}")
        load[day] = _of_year(day.year)[day]
        for surge in surges:
            if surge.first <= day <= surge.last:
                load[day] *= surge.times
    return load


_of_year = cache(requests_by_day)


def span(month: int, days: int | None) -> list[date]:
    """The days from the first of a month on: that month, or as many as are asked for, to the end of the year."""
    every = [day for day in requests_by_day() if day.month >= month]
    return [day for day in every if day.month == month] if days is None else every[:days]


def midnight(day: date) -> datetime:
    """When a day of the city begins."""
    return datetime.combine(day, time.min, tzinfo=_ZONE)


def step_of(scale: float, requests_a_day: float = REQUESTS / 365) -> timedelta:
    """How far city time should move at a step: a day of the whole city, more days of a small one."""
    return timedelta(days=min(max(round(AT_ONCE / requests_a_day / scale), 1), 30))


class Comings:
    """The telephones of several days, one after the other; only one day is held at a time."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        seed: int,
        scale: float,
        days: Sequence[date],
        load: Mapping[date, float] | None = None,
    ) -> None:
        """`scale` 1 is the whole city; see `Telephony`. `load`: requests of each day, the year's without it."""
        self._catalogue, self._seed = catalogue, seed
        load = load or requests_by_day()
        self._days = [(day, scale * load[day] / _REQUESTS_A_CALL / CALLS_A_DAY) for day in reversed(days)]
        self._today: Telephony | None = None

    def next_at(self) -> datetime | None:
        """When the next call or request comes."""
        while True:
            at = self._today.next_at() if self._today is not None else None
            if at is not None or not self._days:
                return at
            day, scale = self._days.pop()
            self._today = Telephony(self._catalogue, seed=self._seed, scale=scale, day=midnight(day))

    def until(self, until: datetime) -> Iterator[PlannedInput]:
        """Everything that follows from the calls and requests up to this instant and not yet handed out."""
        while (at := self.next_at()) is not None and at <= until:
            assert self._today is not None  # noqa: S101 -- who has a next call has a day
            yield from self._today.until(until)


class BeijingYear(Beijing):
    """See `Population`: some days of the year, followed until the last complaint ends."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        seed: int,
        scale: float,
        days: Sequence[date],
        load: Mapping[date, float] | None = None,
    ) -> None:
        """The same seed, scale, days, load and catalogue give the same facts."""
        super().__init__(catalogue, seed=seed, scale=0, day=midnight(days[0]))
        self._comings = Comings(catalogue, seed=seed, scale=scale, days=days, load=load)

    def next_at(self) -> datetime | None:
        """See `Population.next_at`."""
        return self._comings.next_at()

    def first_inputs(self, until: datetime) -> Iterable[PlannedInput]:
        """See `Population.first_inputs`."""
        return self._comings.until(until)
