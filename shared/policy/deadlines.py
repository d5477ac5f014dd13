"""When a limit ends: the last instant that is still in time.

Hours and minutes are exact. A limit in days ends at 24:00 local of its last day, and the start day does not
count. So a start one second before midnight ends a whole day sooner than a start at midnight (C3, T15).
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from shared.policy.calendar import Calendar
from shared.policy.limits import DayKind, Days, Limit
from shared.policy.ruleset import RuleSet

_DAY: Final = timedelta(days=1)
# The clock's grain, in Python and in PostgreSQL alike: the last instant before midnight.
_INSTANT: Final = timedelta(microseconds=1)


class Due(NamedTuple):
    """The end of a limit."""

    at: datetime
    """The last instant still in time, in UTC: what is done at t is in time if and only if t <= at."""
    provisional: bool
    """True where it rests on days of a year that is not announced yet (T16)."""


def due_at(start: datetime, limit: Limit, rules: RuleSet, calendar: Calendar) -> Due:
    """Say when a limit that starts then ends; `ValueError`: a naive start, or an end after the year 9999."""
    if start.utcoffset() is None:
        raise ValueError(f"a limit needs an aware start, and {start.isoformat()} has no time zone")
    try:
        if isinstance(limit, Days):
            return _end_of(start.astimezone(ZoneInfo(rules.timezone)).date(), limit.n, rules, calendar)
        # In UTC: within one zone Python adds wall-clock time, which is an hour wrong over a clock change.
        return Due(start.astimezone(UTC) + limit, provisional=False)
    except OverflowError as error:
        raise ValueError(f"a limit of {limit} from {start.isoformat()} ends after the year 9999") from error


# A desk asks for a handful of limits from the days of one week; this holds some years of them.
@lru_cache(maxsize=8192)
def _end_of(start_day: date, days: int, rules: RuleSet, calendar: Calendar) -> Due:
    last_day, provisional = start_day + days * _DAY, False
    if rules.day_kind is DayKind.WORKING:
        last_day, provisional = calendar.after_workdays(start_day, days)
    elif rules.roll_if_holiday:
        last_day, provisional = calendar.rolled(last_day)
    midnight = datetime.combine(last_day + _DAY, time.min, tzinfo=ZoneInfo(rules.timezone))
    return Due(midnight.astimezone(UTC) - _INSTANT, provisional)
