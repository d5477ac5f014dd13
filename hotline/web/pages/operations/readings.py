"""The metrics of one process over the last hour: totals that restarts do not set back. Pure."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from shared.runtime.metric_names import COUNTERS, FIGURES, GAUGES, HISTOGRAMS, shown_as

KEPT_SECONDS: Final = 3600.0
"""So long readings are kept; older ones are forgotten."""
RECENT_SECONDS: Final = 60.0
"""A rate of now is one over so long."""
STALE_SECONDS: Final = 20.0
"""Where the last reading is older, there is no figure of now."""
KEYS_MAX: Final = 2_000
"""Series of one process that are kept; ours have some 150. More are left out."""
MEMORY: Final = "process_resident_memory_bytes"
PROCESSOR: Final = "process_cpu_seconds_total"
STARTED: Final = "process_start_time_seconds"
_FLOWING: Final = frozenset(
    {
        PROCESSOR,
        *(f"{shown_as(name)}_total" for name in COUNTERS if name != "desk.facts"),
        *(shown_as(name) + end for name in HISTOGRAMS for end in ("_bucket", "_count", "_sum")),
    }
)
"""The samples that only grow while a process lives."""
_STANDING: Final = frozenset(
    {MEMORY, STARTED, *(shown_as(name) for name in GAUGES), *(shown_as(name) for name in FIGURES)}
)
"""The samples of which the last value counts."""


class SeriesKey(NamedTuple):
    """Which series of a process."""

    name: str
    label: str = ""
    """The value of its one label; empty where it has none."""
    bound: str = ""
    """Of a bucket, its upper bound as it is written."""


class Quantile(NamedTuple):
    """A duration in seconds that a share of observations stays below."""

    seconds: float
    beyond: bool = False
    """It lies beyond the last bound, which is told instead."""


def read(text: str) -> dict[SeriesKey, float]:
    """The series that the page uses, of one process's metrics; `ValueError` where they cannot be read."""
    found: dict[SeriesKey, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in _FLOWING or sample.name in _STANDING:
                labels = dict(sample.labels)
                bound = labels.pop("le", "")
                found[SeriesKey(sample.name, next(iter(labels.values()), ""), bound)] = float(sample.value)
    return found


class _Totals(NamedTuple):
    """The totals of all series at one instant, in the order in which the series were first seen."""

    at: float
    values: array[float]


class SourceHistory:
    """The readings of one process, under its lasting name."""

    def __init__(self) -> None:
        """Nothing was read yet."""
        self._place: dict[SeriesKey, int] = {}
        self._totals: deque[_Totals] = deque()
        self._last: Mapping[SeriesKey, float] = {}

    def add(self, at: float, told: Mapping[SeriesKey, float]) -> None:
        """Take in a reading; `at`: seconds of a clock that only goes forward.

        A counter that is lower than before belongs to a process that was started again: all it tells is new.
        """
        first = not self._totals
        known = {} if _restarted(self._last, told) else self._last
        totals = array("d", self._totals[-1].values if self._totals else ())
        for key, value in told.items():
            if key.name not in _FLOWING or not math.isfinite(value):
                continue
            if key not in self._place:
                if len(self._place) >= KEYS_MAX:
                    continue
                self._place[key] = len(totals)
                totals.append(0.0)
            before = known.get(key, 0.0)
            if not first:
                totals[self._place[key]] += value - before if value >= before else value
        self._totals.append(_Totals(at, totals))
        self._last = {**known, **told}
        while self._totals[0].at < at - KEPT_SECONDS:
            self._totals.popleft()

    def over(self, now: float, seconds: float) -> SpanOfReadings | None:
        """The last seconds; None where fewer than two readings tell of it, or none of now."""
        if not self._totals or now - self._totals[-1].at > STALE_SECONDS:
            return None
        first = bisect_left(self._totals, now - seconds, key=lambda one: one.at)
        if first >= len(self._totals) - 1:
            return None
        return SpanOfReadings(self._place, self._totals[first], self._totals[-1])

    def standing(self, name: str, label: str = "") -> float | None:
        """The last value of a gauge; None where the process shows none."""
        return self._last.get(SeriesKey(name, label))

    def labels(self, name: str) -> list[str]:
        """The values of the label of these series."""
        return sorted({key.label for key in self._last if key.name == name})


def _restarted(before: Mapping[SeriesKey, float], told: Mapping[SeriesKey, float]) -> bool:
    started = SeriesKey(STARTED)
    return started in before and before[started] != told.get(started)


class SpanOfReadings:
    """The growth of the series of one process between two readings."""

    def __init__(self, place: Mapping[SeriesKey, int], first: _Totals, last: _Totals) -> None:
        """`place`: where each series stands in the totals."""
        self._place = place
        self._first = first
        self._last = last
        self.seconds: Final = last.at - first.at

    def increase(self, name: str, label: str = "", bound: str = "") -> float:
        """By how much a counter grew; nothing where the process does not show it."""
        at = self._place.get(SeriesKey(name, label, bound))
        if at is None or at >= len(self._last.values):
            return 0.0
        return self._last.values[at] - (self._first.values[at] if at < len(self._first.values) else 0.0)

    def rate(self, name: str, label: str = "") -> float:
        """The same for each second."""
        return self.increase(name, label) / self.seconds

    def buckets(self, name: str, label: str = "") -> dict[float, float]:
        """How many observations each bound of a histogram got, with those of lower bounds; `name` without an end."""
        keys = [key for key in self._place if key.name == f"{name}_bucket" and key.label == label]
        return {float(key.bound): self.increase(*key) for key in keys}


def quantile(share: float, all_buckets: Iterable[Mapping[float, float]]) -> Quantile | None:
    """The duration that this share stays below, as Prometheus reckons it; None without an observation."""
    summed: dict[float, float] = {}
    for buckets in all_buckets:
        for bound, count in buckets.items():
            summed[bound] = summed.get(bound, 0.0) + count
    bounds = sorted(summed)
    if not bounds or summed[bounds[-1]] <= 0:
        return None
    wanted, low, below = share * summed[bounds[-1]], 0.0, 0.0
    for bound in bounds:
        if summed[bound] >= wanted:
            if math.isinf(bound):
                return Quantile(low, beyond=True)
            within = summed[bound] - below
            return Quantile(low + (bound - low) * ((wanted - below) / within if within else 1.0))
        low, below = bound, summed[bound]
    return Quantile(low)
