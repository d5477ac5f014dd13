"""The seconds of each process: how long its batches take, and what its processor's seconds went to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from hotline.web.pages.operations.readings import (
    MEMORY,
    PROCESSOR,
    RECENT_SECONDS,
    Quantile,
    SpanOfReadings,
    quantile,
)
from hotline.web.pages.operations.stations import P95
from hotline.web.pages.operations.watch import SourceAtWork
from shared.runtime.metric_names import HistogramName, shown_as
from shared.runtime.processor_time import ProcessorWork


class ProcessWork(NamedTuple):
    """The seconds of a process in a while, by what they went to; each figure a share of that while."""

    name: str
    processor: float
    """Seconds of a processor a second: 1 is a whole one."""
    working: float
    """Of its work (batches, pages of the relay, steps of the projector, requests) how much went on at a time."""
    postgres: float | None
    """Of that, how much PostgreSQL took to write batches; None where the process writes none."""
    kafka: float | None
    """Of that, how much Kafka took to acknowledge; None where the process sends nothing."""
    memory: float | None
    """Bytes it holds now."""
    half: Quantile | None
    """The time by the clock that half of its batches took no longer than."""
    most: Quantile | None
    """The same of 19 of 20."""
    split: Mapping[ProcessorWork, float]
    """Of `processor`, how much went into what the process tells apart; empty where it tells nothing apart."""

    @property
    def rest(self) -> float:
        """Of `processor`, what is left: Kafka's client, reading sockets, and what is told apart nowhere."""
        return max(self.processor - sum(self.split.values()), 0.0)


HALF: Final = 0.5
_BATCH: Final = shown_as("door.batch_seconds")
_SPENT: Final = f"{shown_as('desk.processor_seconds')}_total"
_WORKING: Final[tuple[HistogramName, ...]] = (
    "door.batch_seconds",
    "relay.send_seconds",
    "projector.step_seconds",
    "web.seconds",
)


def work_of(
    sources: Iterable[SourceAtWork], now: float, seconds: float = RECENT_SECONDS
) -> list[ProcessWork]:
    """The work of each process that answers, the busiest first."""
    found = []
    for one in sources:
        span = None if one.away_since else one.history.over(now, seconds)
        if span is not None:
            found.append(_work(one, span))
    return sorted(found, key=lambda one: (-one.processor, one.name))


def _work(one: SourceAtWork, span: SpanOfReadings) -> ProcessWork:
    history = one.history

    def spent(name: HistogramName) -> float | None:
        labels = history.labels(f"{shown_as(name)}_sum")
        if not labels:
            return None
        return sum(span.rate(f"{shown_as(name)}_sum", label) for label in labels)

    batches = [span.buckets(_BATCH, door) for door in history.labels(f"{_BATCH}_sum")]
    told_apart = set(history.labels(_SPENT))
    return ProcessWork(
        one.source.instance,
        span.rate(PROCESSOR),
        sum(spent(name) or 0.0 for name in _WORKING),
        spent("desk.append_seconds"),
        spent("relay.send_seconds"),
        history.standing(MEMORY),
        quantile(HALF, batches),
        quantile(P95, batches),
        {work: span.rate(_SPENT, work) for work in ProcessorWork if work in told_apart},
    )
