"""The edges of the histograms of legs: each a duration with the reason why it is one.

A leg lies in the first bucket whose edge it does not pass. So how many took no longer than an edge is exact. A quantile
is as exact as its bucket is narrow. It does not say how many kept the limit of an answer. A leg runs from the
signature, and on through pauses and extensions. A limit runs from another instant, over days of the calendar. Raise
`hotline.readside.rows.VERSION` with every change: stored rows hold the number of a bucket.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta
from typing import Final, NamedTuple


class LegEdge(NamedTuple):
    """The end of a bucket, which belongs to it."""

    until: timedelta
    why: str
    """The limit of a rule set, by its key there; or the step that lies between two such limits."""


def _seconds(number: float, why: str) -> LegEdge:
    return LegEdge(timedelta(seconds=number), why)


def _minutes(number: float, why: str) -> LegEdge:
    return LegEdge(timedelta(minutes=number), why)


def _hours(number: float, why: str) -> LegEdge:
    return LegEdge(timedelta(hours=number), why)


def _days(number: float, why: str) -> LegEdge:
    return LegEdge(timedelta(days=number), why)


STEP: Final = "a step between"
_MIDNIGHT: Final = ": it ends at 24:00, so a day may come on top"
EDGES: Final = (
    _seconds(1, "a desk of ours decides at once (docs/performance.md)"),
    _seconds(3, STEP),
    _seconds(10, "a desk of ours that has a backlog"),
    _seconds(30, STEP),
    _minutes(1, "the finest time that lists show"),
    _minutes(2, STEP),
    _minutes(5, STEP),
    _minutes(10, STEP),
    _minutes(15, "classes.CRITICAL_2H.sign"),
    _minutes(30, STEP),
    _hours(1, "classes.CRITICAL_2H.dispatch, classes.TIMELY_24H.sign"),
    _hours(2, "classes.CRITICAL_2H.feedback, classes.TIMELY_24H.dispatch"),
    _hours(4, "visit_spacing"),
    _hours(8, "classes.GENERAL_7D.sign, classes.COMPLEX_15D.sign"),
    _hours(12, STEP),
    _hours(24, "classes.TIMELY_24H.feedback, classes.GENERAL_7D.dispatch, classes.COMPLEX_15D.dispatch"),
    _hours(36, STEP),
    _hours(48, STEP),
    _hours(72, "visit_within"),
    _days(5, STEP),
    _days(7, "classes.GENERAL_7D.feedback"),
    _days(8, "classes.GENERAL_7D.feedback" + _MIDNIGHT),
    _days(10, "extension_days_max"),
    _days(12, STEP),
    _days(15, "classes.COMPLEX_15D.feedback"),
    _days(16, "classes.COMPLEX_15D.feedback" + _MIDNIGHT),
    _days(20, STEP),
    _days(30, "pause_days_max"),
    _days(45, STEP),
    _days(60, STEP),
    _days(90, STEP),
    _days(180, "contact_days"),
)
"""In order; the bucket behind the last has no end."""
BUCKETS: Final = len(EDGES) + 1
_UNTIL: Final = [one.until for one in EDGES]


def bucket_of(duration: timedelta) -> int:
    """The number of the bucket in which a leg lies, from 0; one that ended before it began lies in the first."""
    return bisect_left(_UNTIL, duration)


def bounds_of(bucket: int) -> tuple[float, float | None]:
    """The seconds behind which a bucket begins, and those with which it ends; None of the last."""
    begins = _UNTIL[bucket - 1].total_seconds() if bucket else 0.0
    return begins, _UNTIL[bucket].total_seconds() if bucket < len(_UNTIL) else None
