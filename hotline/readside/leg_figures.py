"""How long legs took over some hours: histograms of hours merged, and the quantiles they give."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Any, Final, NamedTuple

import asyncpg

from hotline.readside.leg_edges import BUCKETS, bounds_of
from hotline.readside.legs import Leg, hour_of

_HOUR: Final = timedelta(hours=1)
EVERY_UNIT: Final = ""
"""The name under which the sums of all units together stand."""
_FIGURES: Final = """
SELECT leg, bucket, sum(legs)::bigint FROM read.leg_hour WHERE unit = $1 AND hour > $2 AND hour <= $3
GROUP BY leg, bucket HAVING sum(legs) > 0
"""


class LegSpan(StrEnum):
    """How far back a look goes."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"

    @property
    def hours(self) -> int:
        """Whole hours before the one that runs."""
        return {LegSpan.HOUR: 1, LegSpan.DAY: 24, LegSpan.WEEK: 168}[self]


class LegQuantile(NamedTuple):
    """A duration that a share of legs did not pass."""

    seconds: float
    beyond: bool = False
    """It lies behind the last edge: it is longer than `seconds`."""


class LegFigures(NamedTuple):
    """How long one leg took."""

    leg: Leg
    buckets: Sequence[int]
    """How many lives ended it in each bucket of `hotline.readside.leg_edges`."""

    @property
    def lives(self) -> int:
        """How many there were."""
        return sum(self.buckets)

    def quantile(self, share: float) -> LegQuantile | None:
        """The duration that this share did not pass, within its bucket as if all were spread evenly; None of none."""
        if not self.lives:
            return None
        wanted = share * self.lives
        through = list(accumulate(self.buckets))
        bucket = next(number for number, reached in enumerate(through) if reached >= wanted and reached > 0)
        begins, ends = bounds_of(bucket)
        if ends is None:
            return LegQuantile(begins, beyond=True)
        within = wanted - (through[bucket] - self.buckets[bucket])
        return LegQuantile(begins + (ends - begins) * within / self.buckets[bucket])


def since(span: LegSpan, present: datetime) -> datetime:
    """From when on legs count: so many whole hours before the hour of `present`, the city's time."""
    return hour_of(present) - _HOUR * (span.hours + 1)


async def leg_figures(
    connection: asyncpg.Connection[Any], unit: str, span: LegSpan, present: datetime
) -> list[LegFigures]:
    """The figures of all legs in their order; `unit`: its id, or `EVERY_UNIT`."""
    rows = await connection.fetch(_FIGURES, unit, since(span, present), hour_of(present))
    buckets = {leg: [0] * BUCKETS for leg in Leg}
    for leg, bucket, number in rows:
        buckets[Leg(leg)][bucket] = number
    return [LegFigures(leg, buckets[leg]) for leg in Leg]
