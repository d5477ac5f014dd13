"""The telephone over time: how many calls there were in each hour, and how the rate over a window went."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, Final, NamedTuple

import asyncpg

from hotline.readside.calls import MINUTE, end_of
from hotline.readside.telephone import HOUR
from services.intake.call_statistics import ANSWERED
from shared.policy.ruleset import TelephoneRules

POINTS_MAX: Final = 1_000
"""Points of one series; a longer time needs a longer step."""

_STEPS: Final = """
SELECT floor(extract(epoch FROM minute - $1 - interval '1 microsecond')::float8 / $3::float8)::int,
       sum(calls)::bigint, coalesce(sum(calls) FILTER (WHERE outcome = $5), 0)::bigint
FROM read.call_minute WHERE minute > $1 AND minute <= $2 AND outcome <> '' AND outcome <> ALL ($4::text[]) AND reached
GROUP BY 1
"""
_HOURS: Final = """
SELECT hour, sum(calls)::bigint AS offered, coalesce(sum(calls) FILTER (WHERE outcome = $4), 0)::bigint AS answered,
       coalesce(sum(waits) FILTER (WHERE outcome = $4 AND seconds BETWEEN 0 AND $5), 0)::bigint AS within
FROM read.call_hour WHERE hour > $1 AND hour <= $2 AND outcome <> '' AND outcome <> ALL ($3::text[]) AND reached
GROUP BY hour
"""


class RollingRate(NamedTuple):
    """The connection rate of the window that ends at an instant."""

    at: datetime
    offered: int
    answered: int

    @property
    def rate(self) -> float | None:
        """Answered of offered; None where nothing was."""
        return self.answered / self.offered if self.offered else None


class HourOfCalls(NamedTuple):
    """The calls of the hour that ends at an instant; those of now are not all of theirs yet."""

    end: datetime
    offered: int
    answered: int
    within: int
    """Answered within the time of the rules, rounded up to whole seconds."""


async def rolling_rates(
    connection: asyncpg.Connection[Any],
    since: datetime,
    until: datetime,
    step: timedelta,
    rules: TelephoneRules,
) -> list[RollingRate]:
    """The rate of each window (t - window, t], for instants t a step apart from `since` to `until`.

    Minutes are its smallest part: a window begins and ends with a whole one.
    """
    last = end_of(until, MINUTE)
    points = min((until - since) // step, POINTS_MAX) + 1
    width = -(-rules.window // step)
    begin = last - (points - 1 + width) * step
    offered = [0] * (points - 1 + width)
    answered = offered.copy()
    rows = await connection.fetch(_STEPS, begin, last, step.total_seconds(), sorted(rules.excluded), ANSWERED)
    for number, calls, taken in rows:
        offered[number], answered[number] = calls, taken
    offered_before, answered_before = [0, *accumulate(offered)], [0, *accumulate(answered)]
    return [
        RollingRate(
            begin + (end * step),
            offered_before[end] - offered_before[end - width],
            answered_before[end] - answered_before[end - width],
        )
        for end in range(width, points + width)
    ]


async def hours_of_calls(
    connection: asyncpg.Connection[Any], since: datetime, until: datetime, rules: TelephoneRules
) -> list[HourOfCalls]:
    """Each hour that ends after `since` and does not begin after `until`, also those without a call."""
    first, last = end_of(since, HOUR), end_of(until, HOUR)
    if first == since:  # an hour holds its end: this one ends where the time begins
        first += HOUR
    hours = min((last - first) // HOUR, POINTS_MAX)
    within = rules.answer_within.total_seconds()
    rows = await connection.fetch(_HOURS, first - HOUR, last, sorted(rules.excluded), ANSWERED, int(within))
    found = {row["hour"]: row for row in rows}
    made: list[HourOfCalls] = []
    for number in range(hours + 1):
        end = first + number * HOUR
        row = found.get(end)
        counts = (0, 0, 0) if row is None else (row["offered"], row["answered"], row["within"])
        made.append(HourOfCalls(end, *counts))
    return made
