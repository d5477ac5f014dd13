"""The services of the graph, each with what flows in and out, and the figures of each edge. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from deploy.city.endpoints import DESKS, PROJECTOR, STAFF, WEB
from hotline.web.pages.catalogues import N_
from hotline.web.pages.operations.readings import (
    KEPT_SECONDS,
    RECENT_SECONDS,
    Quantile,
    SourceHistory,
    SpanOfReadings,
    quantile,
)
from hotline.web.pages.operations.watch import SourceAtWork
from shared.doors.heard import door_of
from shared.runtime.metric_names import (
    CounterName,
    FigureName,
    GaugeName,
    HistogramName,
    shown_as,
)
from shared.topics import COMPLAINTS_LOG, TOPICS

P95: Final = 0.95
RELAY, ESCALATION = ("relay", "escalation")
WEBS: Final = (WEB, STAFF)
"""Both listeners of the HTTP door: in containers each is a process of its own."""
ORDER: Final = (*WEBS, *DESKS, RELAY, PROJECTOR)
"""From above; processes of other names come last."""
LOG_PLACE: Final = N_("log (PostgreSQL)")
LISTS_PLACE: Final = N_("lists (PostgreSQL)")
TIMERS_PLACE: Final = N_("limits that are due")
SAID_PLACE: Final = N_("topics of inputs")
OUT_PLACE: Final = N_("topics of the relay")
HTTP_PLACES: Final = {
    "hotline": N_("systems over HTTP"),
    "open311": N_("Open311"),
    "webhook": N_("signed events"),
    "pages": N_("pages"),
}
DOOR_ERRORS: Final[tuple[CounterName, ...]] = (
    "door.retries",
    "door.unreadable",
    "door.stopped",
    "door.fenced",
    "door.set_apart",
    "door.offsets_skipped",
)


class EdgeShape(NamedTuple):
    """The series that an edge is drawn from, of the process at one of its ends."""

    place: str
    """The other end: a topic as it is called, or a word of the catalogues."""
    counted: CounterName
    label: str = ""
    errors: tuple[CounterName, ...] = ()
    seconds: HistogramName | None = None
    lag: GaugeName | FigureName | None = None
    lag_seconds: bool = False
    """The lag is a time, shown by whichever process keeps the city's figures; else messages of this process."""


class EdgeFigures(NamedTuple):
    """The flow on an edge in a while."""

    rate: float
    """A second."""
    errors: int
    p95: Quantile | None


class Edge(NamedTuple):
    """An edge with its figures; those of a while that nothing was read of are None."""

    place: str
    now: EdgeFigures | None
    hour: EdgeFigures | None
    lag: float | None
    lag_seconds: bool


class AwaySource(NamedTuple):
    """A process that does not answer."""

    name: str
    since: datetime


class Station(NamedTuple):
    """All processes of one job, and its edges."""

    job: str
    answering: int
    away: list[AwaySource]
    into: list[Edge]
    out: list[Edge]


def stations_of(sources: Sequence[SourceAtWork], now: float) -> list[Station]:
    """A station for each job that the list names; `now` by the clock of the readings, in seconds."""
    jobs = {one.source.job for one in sources}
    order = {job: number for number, job in enumerate(ORDER)}
    every = [one.history for one in sources if one.away_since is None]
    found = []
    for job in sorted(jobs, key=lambda one: (order.get(one, len(order)), one)):
        mine = [one for one in sources if one.source.job == job]
        histories = [one.history for one in mine if one.away_since is None]

        def edge(shape: EdgeShape, histories: list[SourceHistory] = histories) -> Edge:
            return _edge(shape, histories, every, now)

        found.append(
            Station(
                job,
                len(histories),
                [AwaySource(one.source.instance, one.away_since) for one in mine if one.away_since],
                list(map(edge, _into(job, mine))),
                list(map(edge, _out(job))),
            )
        )
    return found


def _into(job: str, sources: Iterable[SourceAtWork]) -> list[EdgeShape]:
    """The edges that lead to a job: its doors, its surfaces, its clock, the log."""
    if job in WEBS:
        return [
            EdgeShape(place, "web.requests", surface, ("web.unavailable",), "web.seconds")
            for surface, place in HTTP_PLACES.items()
        ]
    if job == RELAY:
        lag: FigureName = "relay.behind_seconds"
        return [EdgeShape(LOG_PLACE, "relay.messages", errors=("relay.retries",), lag=lag, lag_seconds=True)]
    if job == PROJECTOR:
        return [
            EdgeShape(
                LOG_PLACE,
                "projector.taken",
                errors=("projector.retries",),
                lag="projector.behind_seconds",
                lag_seconds=True,
            )
        ]
    doors = sorted(
        {label for one in sources for label in one.history.labels(f"{shown_as('door.messages')}_total")}
    )
    topics = _topics_of(job)
    found = [
        EdgeShape(
            topics.get(door, door),
            "door.messages",
            door,
            DOOR_ERRORS,
            "door.batch_seconds",
            "door.behind_messages",
        )
        for door in doors
    ]
    if job == ESCALATION:
        found.append(
            EdgeShape(
                TIMERS_PLACE,
                "timer.fired",
                errors=("timer.passed_over", "timer.retries"),
                seconds="timer.lateness_seconds",
                lag="timer.behind_seconds",
                lag_seconds=True,
            )
        )
    return found


def _out(job: str) -> list[EdgeShape]:
    """The edges that lead away from a job."""
    if job in WEBS:
        return [EdgeShape(SAID_PLACE, "web.events", errors=("web.producers_rebuilt",))]
    if job == RELAY:
        errors: tuple[CounterName, ...] = ("relay.producers_rebuilt",)
        return [EdgeShape(OUT_PLACE, "relay.messages", errors=errors, seconds="relay.send_seconds")]
    if job == PROJECTOR:
        return [EdgeShape(LISTS_PLACE, "projector.taken", seconds="projector.step_seconds")]
    if job in DESKS:
        parked: tuple[CounterName, ...] = ("door.parked",)
        return [EdgeShape(LOG_PLACE, "desk.batches", errors=parked, seconds="desk.append_seconds")]
    return []


def _topics_of(job: str) -> dict[str, str]:
    """The topic of each door of a desk, as the table calls it."""
    return {door_of(line): line.name for line in (COMPLAINTS_LOG, *TOPICS) if job in line.hearers}


def _edge(
    shape: EdgeShape, histories: Sequence[SourceHistory], every: Sequence[SourceHistory], now: float
) -> Edge:
    lag = None
    if shape.lag is not None:
        asked = every if shape.lag_seconds else histories
        label = "" if shape.lag_seconds else shape.label
        told = [one.standing(shown_as(shape.lag), label) for one in asked]
        known = [value for value in told if value is not None]
        lag = (max(known) if shape.lag_seconds else sum(known)) if known else None
    return Edge(
        shape.place,
        _figures(shape, histories, now, RECENT_SECONDS),
        _figures(shape, histories, now, KEPT_SECONDS),
        lag,
        shape.lag_seconds,
    )


def _figures(
    shape: EdgeShape, histories: Sequence[SourceHistory], now: float, seconds: float
) -> EdgeFigures | None:
    spans = [span for one in histories if (span := one.over(now, seconds)) is not None]
    if not spans:
        return None
    errors = _summed(
        spans,
        lambda span: sum(
            span.increase(
                f"{shown_as(name)}_total", shape.label if name.startswith(("door.", "web.")) else ""
            )
            for name in shape.errors
        ),
    )
    p95 = None
    if shape.seconds is not None:
        name = shown_as(shape.seconds)
        p95 = quantile(P95, [span.buckets(name, shape.label) for span in spans])
    rate = _summed(spans, lambda span: span.rate(f"{shown_as(shape.counted)}_total", shape.label))
    return EdgeFigures(rate, round(errors), p95)


def _summed(spans: Iterable[SpanOfReadings], value: Callable[[SpanOfReadings], float]) -> float:
    return sum(map(value, spans))
