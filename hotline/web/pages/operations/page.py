"""The operations page, and the stream that keeps it up."""

from __future__ import annotations

import time
from collections.abc import Hashable
from typing import Any, Final, NamedTuple

from markupsafe import Markup
from starlette.responses import Response

from hotline.readside.troubled import TroubledLife, failing_lives, slowest_lives
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.catalogues import N_
from hotline.web.pages.live import Render, RenderedRegion
from hotline.web.pages.naming import unit_name
from hotline.web.pages.operations.graph import DrawnEdge, DrawnStation, graph_svg
from hotline.web.pages.operations.legs import (
    SPANS,
    LegChoice,
    choice_of,
    leg_stamp_values,
    leg_values,
    units_of,
)
from hotline.web.pages.operations.readings import Quantile
from hotline.web.pages.operations.stations import (
    Edge,
    EdgeFigures,
    Station,
    stations_of,
)
from hotline.web.pages.operations.work import ProcessWork, work_of
from hotline.web.pages.rendering import block
from hotline.web.pages.streaming import streamed_parts
from hotline.web.pages.telling_time import Text, clock, instant
from hotline.web.reading import lent
from shared.runtime.processor_time import ProcessorWork

TEMPLATE: Final = "operations.html"
GRAPH, AWAY, TABLE, WORK, LIVES, LEGS, STAMP = REGIONS = (
    "graph",
    "away",
    "table",
    "work",
    "lives",
    "legs",
    "stamp",
)
"""The parts that change; each is a block of the template, in an element `operations-…`."""
LIVES_MAX: Final = 10
"""Rows of the slowest lives, and of the failing ones."""
UNKNOWN: Final = "–"
BAR_FULL: Final = 100
REST: Final = "rest"
WORK_NAMES: Final = {
    ProcessorWork.UNPACKING: N_("unpacking"),
    ProcessorWork.RULES: N_("rules"),
    ProcessorWork.POSTGRES: N_("PostgreSQL"),
    REST: N_("rest"),
}
TWO_DIGITS: Final = 10
"""From here on a number is shown without a part after the point."""


class EdgeRow(NamedTuple):
    """A line of the table: an edge in figures."""

    begin: str
    end: str
    rate: str
    p95: str
    errors: str
    lag: str
    hour_rate: str
    hour_p95: str
    hour_errors: str


class WorkRow(NamedTuple):
    """A line of the table of processors."""

    name: str
    processor: str
    percent: int
    """Of one processor, 100 at most: the bar."""
    working: str
    postgres: str
    kafka: str
    memory: str
    half: str
    most: str
    parts: list[WorkPart]
    """In what the processor's seconds are told apart; empty where they are not."""


class WorkPart(NamedTuple):
    """A part of a process's seconds."""

    kind: str
    """The class of its colour."""
    name: str
    percent: str
    begin: float
    width: float
    """Where it lies on the bar, in hundredths of the process's own seconds."""


class LifeRow(NamedTuple):
    """A life in words."""

    number: str
    stage: str
    unit: str
    subject: str
    why: str
    since: str
    trace: str
    """The address of its trace; empty where there is none."""


class LifeTable(NamedTuple):
    """Some lives, what they are, and what stands there where there are none."""

    key: str
    heading: str
    none: str
    rows: list[LifeRow]


async def operations(ask: PageAsk) -> PageView:
    """All figures, as they were read last."""
    choice = choice_of(ask)
    values: dict[str, Any] = {
        "reads": bool(ask.rooms.operations.targets),
        "read_at": _as_of(ask),
        "leg_query": choice.query,
        "leg_span": choice.span,
        "leg_unit": choice.unit,
        "leg_spans": [(span, ask.text(word)) for span, word in SPANS.items()],
        "leg_units": units_of(ask),
    }
    for region in REGIONS:
        values |= await _values(ask, region, choice)
    return PageView(TEMPLATE, values)


async def operations_events(ask: PageAsk) -> Response:
    """The parts that have changed, as long as somebody looks."""
    choice = choice_of(ask)
    return streamed_parts(ask, {f"operations-{region}": _part(ask, region, choice) for region in REGIONS})


def _part(ask: PageAsk, region: str, choice: LegChoice) -> tuple[Hashable, Render]:
    async def render() -> RenderedRegion:
        html = block(ask.look, TEMPLATE, region, **await _values(ask, region, choice))
        return RenderedRegion(str(html), _as_of(ask), late=False)

    return ("operations", region, choice if region == LEGS else "", ask.look.language), render


def _as_of(ask: PageAsk) -> str:
    """When the processes were asked, and how many answered, in a sentence."""
    watch = ask.rooms.operations
    if watch.looked_at is None:
        return ask.text(N_("No process was asked yet."))
    sources = watch.sources
    answered = sum(one.away_since is None for one in sources)
    told = {"time": clock(watch.looked_at), "answered": answered, "all": len(sources)}
    return ask.text(N_("As of %(time)s: %(answered)s of %(all)s processes answer")) % told


async def _values(ask: PageAsk, region: str, choice: LegChoice) -> dict[str, Any]:
    """The values that a part shows."""
    if region == LIVES:
        return {LIVES: await _lives(ask)}
    if region == LEGS:
        return await leg_values(ask, choice)
    if region == STAMP:
        return await leg_stamp_values(ask)
    return _figures(ask, region)


async def _lives(ask: PageAsk) -> list[LifeTable]:
    """The slowest and the failing lives, from the lists."""
    async with lent(ask.rooms.pool) as connection:
        slowest = await slowest_lives(connection, LIVES_MAX)
        failing = await failing_lives(connection, LIVES_MAX)
    return [
        LifeTable(
            "failing",
            ask.text(N_("Lives in which something went wrong, the last ones")),
            ask.text(N_("Nothing went wrong, or no process states traces.")),
            [_life_row(ask, one) for one in failing],
        ),
        LifeTable(
            "slowest",
            ask.text(N_("Lives that are open the longest")),
            ask.text(N_("No complaint is open.")),
            [_life_row(ask, one) for one in slowest],
        ),
    ]


def _life_row(ask: PageAsk, one: TroubledLife) -> LifeRow:
    return LifeRow(
        one.complaint_number,
        ask.name("stage", one.stage),
        unit_name(ask.rooms.catalogue, one.unit),
        one.subject,
        ask.name("why", one.why) if one.why else "",
        instant(one.since, one.ruleset, ask.now),
        ask.rooms.traces.address_of(one.complaint_id, noted=bool(one.why)),
    )


def _figures(ask: PageAsk, region: str) -> dict[str, Any]:
    """The values of a part that shows what the processes said."""
    watch, text, now = ask.rooms.operations, ask.text, time.monotonic()
    if region == WORK:
        return {WORK: [_work_row(one, text) for one in watch.reckoned(work_of, now)]}
    stations = watch.reckoned(stations_of, now)
    if region == GRAPH:
        label = text(N_("Services and topics: what flows between them, how fast, and how far behind"))
        drawn = [_drawn(one, text) for one in stations]
        return {GRAPH: Markup(graph_svg(drawn, label)) if drawn else ""}  # noqa: S704 -- escaped where drawn
    if region == AWAY:
        away = [one for station in stations for one in station.away]
        return {AWAY: [(one.name, clock(one.since)) for one in away]}
    return {TABLE: [row for one in stations for row in _rows(one, text)]}


def _drawn(one: Station, text: Text) -> DrawnStation:
    note = ""
    if one.away:
        told = text(N_("▲ away since %(time)s"))
        note = told % {"time": clock(min(away.since for away in one.away))}
    elif one.answering > 1:
        note = text(N_("%(n)s processes")) % {"n": one.answering}
    return DrawnStation(
        one.job,
        note,
        bool(one.away),
        [_drawn_edge(edge, text) for edge in one.into],
        [_drawn_edge(edge, text) for edge in one.out],
    )


def _drawn_edge(edge: Edge, text: Text) -> DrawnEdge:
    place = text(edge.place)
    if edge.now is None:
        return DrawnEdge(place, "", text(N_("nothing known")), bad=False, idle=True)
    above = [f"{_rate(edge.now)}/s"]
    if edge.now.p95 is not None:
        above.append(f"p95 {_duration(edge.now.p95)}")
    errors = text(N_("errors %(n)s")) % {"n": f"{edge.now.errors:,}"}
    below = [f"▲ {errors}" if edge.now.errors else errors]
    if edge.lag is not None:
        below.append(text(N_("behind %(lag)s")) % {"lag": _lag(edge)})
    return DrawnEdge(place, " · ".join(above), " · ".join(below), edge.now.errors > 0, edge.now.rate == 0)


def _rows(one: Station, text: Text) -> list[EdgeRow]:
    into = [_row(edge, text(edge.place), one.job) for edge in one.into]
    return [*into, *(_row(edge, one.job, text(edge.place)) for edge in one.out)]


def _row(edge: Edge, begin: str, end: str) -> EdgeRow:
    return EdgeRow(
        begin,
        end,
        _rate(edge.now),
        _p95(edge.now),
        _errors(edge.now),
        UNKNOWN if edge.lag is None else _lag(edge),
        _rate(edge.hour),
        _p95(edge.hour),
        _errors(edge.hour),
    )


def _work_parts(one: ProcessWork, text: Text) -> list[WorkPart]:
    if not one.split or one.processor <= 0:
        return []
    whole = max(one.processor, sum(one.split.values()))
    begin, found = 0.0, []
    for kind, seconds in (*one.split.items(), (REST, one.rest)):
        width = BAR_FULL * seconds / whole
        found.append(
            WorkPart(kind, text(WORK_NAMES[kind]), f"{seconds / whole:.0%}", round(begin, 1), round(width, 1))
        )
        begin += width
    return found


def _work_row(one: ProcessWork, text: Text) -> WorkRow:
    return WorkRow(
        one.name,
        f"{one.processor:.1%}",
        min(round(BAR_FULL * one.processor), BAR_FULL),
        f"{one.working:.1%}",
        UNKNOWN if one.postgres is None else f"{one.postgres:.1%}",
        UNKNOWN if one.kafka is None else f"{one.kafka:.1%}",
        UNKNOWN if one.memory is None else f"{one.memory / 2**20:,.0f} MB",
        UNKNOWN if one.half is None else _duration(one.half),
        UNKNOWN if one.most is None else _duration(one.most),
        _work_parts(one, text),
    )


def _rate(figures: EdgeFigures | None) -> str:
    if figures is None:
        return UNKNOWN
    return f"{figures.rate:,.0f}" if figures.rate >= TWO_DIGITS else f"{figures.rate:.2g}"


def _p95(figures: EdgeFigures | None) -> str:
    return UNKNOWN if figures is None or figures.p95 is None else _duration(figures.p95)


def _errors(figures: EdgeFigures | None) -> str:
    return UNKNOWN if figures is None else f"{figures.errors:,}"


def _lag(edge: Edge) -> str:
    lag = edge.lag or 0.0
    return f"{lag:,.1f} s" if edge.lag_seconds else f"{lag:,.0f}"


def _duration(one: Quantile) -> str:
    """A duration in about two digits; one beyond the last bound says so."""
    if one.seconds < 1:
        milliseconds = 1000 * one.seconds
        said = f"{milliseconds:.1f} ms" if milliseconds < TWO_DIGITS else f"{milliseconds:.0f} ms"
    else:
        said = f"{one.seconds:,.1f} s"
    return f"> {said}" if one.beyond else said
