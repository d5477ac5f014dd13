"""The figures of the whole city, for Prometheus: how much is open, waits, is late, is parked; how far everybody is.

The projector shows them while it owns the read side, so no two processes ever show the same. They are read every few
seconds over a connection of their own. Figures that could not be read for a minute are shown no more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from hotline.readside.rows import LISTS
from shared.events.base import DeskName
from shared.log import TIMER_SHARDS
from shared.log.away import AWAY, is_away
from shared.log.instants import reads_any_instant
from shared.log.postgres import connect
from shared.policy.ruleset import ruleset
from shared.runtime.errors import told
from shared.runtime.metric_names import COUNTED, FIGURES, FigureName, shown_as
from shared.runtime.telemetry import Telemetry
from shared.versions import RULESET

LOOK_SECONDS: Final = 5.0
"""How long it rests between two looks."""
REST: Final = 20.0
"""It rests so many times as long as its last look took: no more than a twentieth of a processor goes into figures."""
OLD_SECONDS: Final = 60.0
"""Figures of before are shown no longer."""
SETTLED: Final = timedelta(hours=48)
"""After so long an hour's calls have their outcome: a sum over all hours before is remembered, not made anew."""
RELAY_SECONDS_MAX: Final = 5.0
"""A fact that has waited longer to be sent is late: the objective `relay_in_time` counts such looks."""
SOON: Final = timedelta(hours=1)
IN_TIME: Final = "in_time"
LATE: Final = "late"
WAITS: Final = ""
"""The outcome of a call that has none."""

_STAGES: Final = "SELECT stage, complaints FROM read.total WHERE stage <> 'ENDED'"
_LISTS: Final = """
SELECT list, count(*), count(*) FILTER (WHERE due_at < $1), count(*) FILTER (WHERE due_at >= $1 AND due_at < $2)
FROM read.waiting GROUP BY list
"""
_PARKED: Final = (
    "SELECT consumer, count(*), extract(epoch FROM min(parked_at))::float8 FROM es.parked GROUP BY consumer"
)
_STOPPED: Final = "SELECT consumer, count(*) FROM es.door_stopped WHERE resumed_at IS NULL GROUP BY consumer"
_BEHIND: Final = """
SELECT extract(epoch FROM h.unsent)::float8, extract(epoch FROM h.late)::float8, extract(epoch FROM s.behind)::float8
FROM es.lateness($1) h LEFT JOIN read.standing() s ON true
"""
_CALLS: Final = """
SELECT CASE WHEN outcome = 'ANSWERED' THEN CASE WHEN seconds BETWEEN 0 AND $3 THEN 'in_time' ELSE 'late' END
            ELSE lower(outcome) END, sum(calls)::bigint
FROM read.call_hour WHERE hour > $1 AND hour <= $2 GROUP BY 1
"""
OUTCOMES: Final = (IN_TIME, LATE, "abandoned", "busy", "timeout", "system_fail")
_BEGINNING: Final = datetime.fromisoformat("0001-01-02T00:00:00+00:00")
_END: Final = datetime.fromisoformat("9999-12-30T00:00:00+00:00")

Figures = Mapping[FigureName, Mapping[str, float]]
"""Of each figure its values by label; "" where it has none."""


class CityFigures(Collector):
    """Shows the figures that were read last; nothing where none were read, or long ago."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Nothing is shown yet."""
        self._figures: Figures = {}
        self._read_at = 0.0
        telemetry.registry.register(self)

    def put(self, figures: Figures) -> None:
        """Show these from now on."""
        self._figures, self._read_at = figures, time.monotonic()

    def forget(self) -> None:
        """Show none: another process does."""
        self._figures = {}

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """See `Collector`."""
        if time.monotonic() - self._read_at > OLD_SECONDS:
            return
        for name, values in self._figures.items():
            text, label = FIGURES[name]
            kind = CounterMetricFamily if name in COUNTED else GaugeMetricFamily
            family = kind(shown_as(name), text, labels=[label] if label else [])
            for value, number in values.items():
                family.add_metric([value] if label else [], number)
            yield family


class FigureReader:
    """Reads the figures again and again; see the module."""

    def __init__(self, dsn: str, telemetry: Telemetry, figures: CityFigures) -> None:
        """`dsn`: the projector's login."""
        self._dsn = dsn
        self._telemetry = telemetry
        self._figures = figures
        telemetry.keeps("city")

    async def run(self) -> None:
        """Until cancelled; PostgreSQL may go and come back."""
        try:
            while True:
                try:
                    await self._read_on()
                except AWAY as error:
                    if not is_away(error):
                        raise
                    self._telemetry.log.warning("figures_wait_for_postgres", error=told(error))
                    await asyncio.sleep(1.0)
        finally:
            self._figures.forget()

    async def _read_on(self) -> None:
        connection = await connect(self._dsn, "projector.figures")
        try:
            await reads_any_instant(connection)
            calls = CallTotals()
            while True:
                began_at = time.monotonic()
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    figures = await city_figures(connection, calls)
                self._figures.put(figures)
                self._telemetry.count("relay.looks")
                if figures["relay.behind_seconds"][""] > RELAY_SECONDS_MAX:
                    self._telemetry.count("relay.late_looks")
                await asyncio.sleep(max(LOOK_SECONDS, REST * (time.monotonic() - began_at)))
        finally:
            with suppress(Exception):
                await connection.close(timeout=5)


class CallTotals:
    """How many calls there ever were, by outcome; the hours that are settled are added up once."""

    def __init__(self) -> None:
        """Nothing is added up yet."""
        self._until = _BEGINNING
        self._settled: dict[str, int] = {}
        self._within = ruleset(RULESET).telephone.answer_within.total_seconds()

    async def read(self, connection: asyncpg.Connection[Any], present: datetime) -> dict[str, float]:
        """The counts as of now; `present`: the city's."""
        until = (present - SETTLED).replace(minute=0, second=0, microsecond=0)
        if until > self._until:
            for outcome, calls in await self._between(connection, self._until, until):
                self._settled[outcome] = self._settled.get(outcome, 0) + calls
            self._until = until
        counts: dict[str, float] = dict.fromkeys((*OUTCOMES, WAITS), 0.0) | self._settled
        for outcome, calls in await self._between(connection, self._until, _END):
            counts[outcome] = counts.get(outcome, 0) + calls
        return counts

    async def _between(
        self, connection: asyncpg.Connection[Any], after: datetime, until: datetime
    ) -> list[Any]:
        return list(await connection.fetch(_CALLS, after, until, round(self._within)))


async def city_figures(connection: asyncpg.Connection[Any], calls: CallTotals) -> Figures:
    """The figures of now, by the projector's login or a reader's."""
    present: datetime = await connection.fetchval("SELECT es.present()")
    lists = dict.fromkeys(LISTS, (0, 0, 0))
    lists |= {row[0]: tuple(row)[1:] for row in await connection.fetch(_LISTS, present, present + SOON)}
    parked = await connection.fetch(_PARKED)
    stopped = dict(await connection.fetch(_STOPPED))
    behind = await connection.fetchrow(_BEHIND, TIMER_SHARDS)
    assert behind is not None  # noqa: S101 -- one row, always
    counts = await calls.read(connection, present)
    waiting = counts.pop(WAITS)
    nothing = {str(desk): 0.0 for desk in DeskName}
    return {
        "complaints.open": {row[0]: float(row[1]) for row in await connection.fetch(_STAGES)},
        "list.waiting": {name: float(found[0]) for name, found in lists.items()},
        "list.overdue": {name: float(found[1]) for name, found in lists.items()},
        "list.due_within_hour": {name: float(found[2]) for name, found in lists.items()},
        "parked.messages": nothing | {row[0]: float(row[1]) for row in parked},
        "parked.oldest_timestamp_seconds": {row[0]: float(row[2]) for row in parked},
        "stopped.topics": nothing | {name: float(number) for name, number in stopped.items()},
        "relay.behind_seconds": {"": behind[0] or 0.0},
        "timer.behind_seconds": {"": max(behind[1] or 0.0, 0.0)},
        "projector.behind_seconds": {"": behind[2] or 0.0},
        "calls": counts,
        "calls.waiting": {"": waiting},
    }
