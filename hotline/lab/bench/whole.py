"""Whole lives through the running system: from the first request handed in until the last life has closed."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from deploy.city import served
from deploy.city.endpoints import CityEndpoints
from deploy.city.processes import behind
from deploy.supervision.supervisor import Service, Supervisor
from hotline.lab.bench.check import wrong_with
from hotline.lab.bench.clients import consumer_of, ends_of, partitions_of
from hotline.lab.bench.meter import Meter, Spent, spent
from hotline.lab.bench.simulator import SimulatorOrders, SimulatorProgress
from hotline.lab.bench.stage import BATCH_MAX, TRACES_RATIO, BenchCity
from hotline.readside.standing import caught_up
from shared.policy.catalogue import catalogue as catalogue_at
from shared.runtime.errors import UserError
from shared.topics import TOPICS

SILENCE_SECONDS_MAX: Final = 60.0
"""A run in which nothing moves for this long has lost something."""

_LAST: Final = "SELECT coalesce(max(position), 0) FROM es.event"
_CLOSED: Final = """
SELECT count(*) FILTER (WHERE type = 'ComplaintClosed') AS closed, count(*) AS facts
FROM es.event WHERE recorded_at > $1 AND recorded_at <= $2 AND position > $3
"""
# Asked often while the system works: how many visits' outcomes feedback has taken in, not what the log holds.
_ALL_CLOSED: Final = """
SELECT coalesce(sum(next_offset), 0), es.drained()
FROM es.consumer_offset WHERE consumer = 'feedback' AND topic LIKE '%feedback.visit-results'
"""

_BATCHES: Final = """
SELECT actor, count(*)::float / count(DISTINCT xid) FROM es.event WHERE position > $1 GROUP BY actor
UNION ALL
SELECT 'relay', (SELECT count(*) FROM es.event WHERE position > $1)::float / greatest(sum(batch), 1) FROM es.relay
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much life, and how dense."""

    lives: int
    warm_up: int
    """How many of them are lived before the clock starts."""
    under_way: int
    extra: Mapping[str, str] = field(default_factory=dict)
    """Settings of services by their full name."""
    one_process: bool = False
    """All desks in one process."""
    projector: bool = False
    """Whether the read side is kept up meanwhile."""


class MeasuredLives(msgspec.Struct, frozen=True, kw_only=True):
    """One measured run."""

    lives: int
    """All of them, the warm-up too."""
    closed: int
    """Lives that closed inside the window: all that were measured."""
    facts: int
    """Facts recorded inside the window."""
    spent: Spent
    memory_bytes: dict[str, int]
    messages: dict[str, int]
    """Messages on each line of the table of topics after the run."""
    batches: dict[str, float]
    """Facts in a transaction of each desk, and in a page of the relay, on average."""
    gc_threshold: tuple[int, int, int]
    caught_up_seconds: float | None = None
    """From the last life's end until the lists held all of it; None where no projector ran."""
    wrong: list[str] = []

    @property
    def lives_per_second(self) -> float:
        """The rate inside the window."""
        return self.closed / self.spent.seconds


Beside = Callable[[Mapping[str, int]], Coroutine[Any, Any, None]]
"""A task that runs beside the lives until they end. Its argument gives the services' process ids by name."""


async def lived(
    here: BenchCity,
    endpoints: CityEndpoints,
    load: Load,
    *,
    say: Callable[[str], None],
    beside: Beside | None = None,
) -> MeasuredLives:
    """Start the services, live all lives, measure all but the warm-up, stop the services, check every life.

    `wrong` names lives that were lost, are not whole, or are still open after a minute without movement. The
    log may hold facts already: they are counted nowhere.
    """
    database = await asyncpg.connect(endpoints.owner_dsn)
    try:
        before: int = await database.fetchval(_LAST)
        done = await _lived(here, endpoints, load, database, before, say, beside)
    finally:
        await database.close()
    wrong = await wrong_with(endpoints.owner_dsn, load.lives, after=before)
    return msgspec.structs.replace(done, wrong=[*done.wrong, *wrong])


async def _lived(
    here: BenchCity,
    endpoints: CityEndpoints,
    load: Load,
    database: asyncpg.Connection[asyncpg.Record],
    before: int,
    say: Callable[[str], None],
    beside: Beside | None,
) -> MeasuredLives:
    logs = here.catalogue.parent / "logs" / endpoints.name
    services = _services(here, endpoints, load, logs)
    supervisor = Supervisor(services, stack=None, say=say)
    await supervisor.start()
    watching = asyncio.ensure_future(supervisor.watch())
    simulator = await _started(here, endpoints, load)
    aside = None if beside is None else asyncio.ensure_future(beside(supervisor.pids()))
    try:
        meter = Meter({**supervisor.pids(), "simulator": simulator.pid, **here.servers}, database)
        feed = _Feed(simulator)
        await feed.until(lambda said: said.visited >= load.warm_up)
        wrong = await _closed(database, load.warm_up)
        first = await meter.read()
        await feed.go_on()
        await feed.until(lambda said: said.visited == load.lives)
        wrong += await _closed(database, load.lives)
        last = await meter.read()
        caught_up_seconds = await _listed(database) if load.projector else None
        wrong += await _heard(endpoints, here.catalogue)
        memory = meter.memory_bytes()
        if aside is not None and aside.done():
            await aside  # it ended early: what it raised counts
        wrong += _restarted(supervisor, logs)
        ((closed, facts),) = await database.fetch(_CLOSED, first.at, last.at, before)
        return MeasuredLives(
            lives=load.lives,
            closed=closed,
            facts=facts,
            spent=spent(first, last),
            memory_bytes=memory,
            messages=await _messages(endpoints, here.units),
            batches={row[0]: float(row[1]) for row in await database.fetch(_BATCHES, before)},
            gc_threshold=feed.last.gc_threshold,
            caught_up_seconds=caught_up_seconds,
            wrong=wrong,
        )
    finally:
        with suppress(ProcessLookupError):
            simulator.kill()
        await simulator.wait()
        tasks = [watching] if aside is None else [watching, aside]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await supervisor.stop()


def _services(here: BenchCity, endpoints: CityEndpoints, load: Load, logs: Path) -> list[Service]:
    services = served.services(
        endpoints,
        logs,
        traces_ratio=TRACES_RATIO,
        catalogue=str(here.catalogue),
        extra=load.extra,
        one_process=load.one_process,
    )
    if load.projector:
        services.append(served.projector(endpoints, logs, traces_ratio=TRACES_RATIO))
    return services


def _restarted(supervisor: Supervisor, logs: Path) -> list[str]:
    restarts = {name: times for name, times in supervisor.restarts.items() if times}
    return [f"services died and were started again: {restarts}; their logs: {logs}"] if restarts else []


async def _started(here: BenchCity, endpoints: CityEndpoints, load: Load) -> asyncio.subprocess.Process:
    simulator = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hotline.lab.bench.simulator",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert simulator.stdin is not None  # noqa: S101 -- it was asked for
    orders = SimulatorOrders(
        kafka=endpoints.outside,
        prefix=endpoints.prefix,
        units=here.units,
        targets=here.targets,
        lives=load.lives,
        warm_up=load.warm_up,
        under_way=load.under_way,
        batch_max=BATCH_MAX,
    )
    simulator.stdin.write(msgspec.json.encode(orders) + b"\n")
    await simulator.stdin.drain()
    return simulator


class _Feed:
    """The simulator's reports, line by line."""

    def __init__(self, simulator: asyncio.subprocess.Process) -> None:
        self._simulator = simulator
        self._moved_at = time.monotonic()
        self.last = SimulatorProgress()

    async def go_on(self) -> None:
        """Let it begin with the lives that are measured."""
        stdin = self._simulator.stdin
        assert stdin is not None  # noqa: S101 -- it was asked for
        stdin.write(b"go on\n")
        await stdin.drain()

    async def until(self, reached: Callable[[SimulatorProgress], bool]) -> None:
        """Wait until the simulator is that far; `UserError` when it ends or nothing moves any more."""
        output = self._simulator.stdout
        assert output is not None  # noqa: S101 -- it was asked for
        while not reached(self.last):
            line = await output.readline()
            if not line:
                raise UserError(
                    f"the simulator ended after {self.last.visited} visits; what it said stands above."
                )
            said = msgspec.json.decode(line, type=SimulatorProgress)
            if (said.sent, said.visited) != (self.last.sent, self.last.visited):
                self._moved_at = time.monotonic()
            self.last = said
            if time.monotonic() - self._moved_at > SILENCE_SECONDS_MAX:
                raise UserError(
                    f"nothing has moved for {SILENCE_SECONDS_MAX:.0f} s: {said.sent} requests sent, "
                    f"{said.visited} visits asked for; look into the services' logs (--keep)."
                )


async def _listed(database: asyncpg.Connection[asyncpg.Record]) -> float:
    """How long it takes until the lists hold what is in the log now."""
    began = time.monotonic()
    await caught_up(database, SILENCE_SECONDS_MAX)
    return time.monotonic() - began


async def _messages(endpoints: CityEndpoints, units: Sequence[str]) -> dict[str, int]:
    wanted = {tp: line.name for line in TOPICS for tp in partitions_of(endpoints.prefix, line, units)}
    found = dict.fromkeys((line.name for line in TOPICS), 0)
    async with consumer_of(endpoints.kafka, "bench", list(wanted)) as consumer:
        for tp, end in (await ends_of(consumer)).items():
            found[wanted[tp]] += end
    return {name: number for name, number in found.items() if number}


async def _heard(endpoints: CityEndpoints, units: Path) -> list[str]:
    """Wait until every desk has passed over what it does not react to as well; who does not, if any."""
    known = catalogue_at(str(units))
    give_up_at = time.monotonic() + SILENCE_SECONDS_MAX
    while left := {desk: number for desk, number in (await behind(endpoints, known)).items() if number}:
        if time.monotonic() > give_up_at:
            return [f"{desk} has not taken in {number} messages" for desk, number in left.items()]
        await asyncio.sleep(0.1)
    return []


async def _closed(database: asyncpg.Connection[asyncpg.Record], lives: int) -> list[str]:
    """Wait until the last life has closed and the relay has sent it; what is missing where that does not come."""
    seen, moved_at = -1, time.monotonic()
    while True:
        ((closed, drained),) = await database.fetch(_ALL_CLOSED)
        if closed >= lives and drained:
            return []
        if closed != seen:
            seen, moved_at = closed, time.monotonic()
        if time.monotonic() - moved_at > SILENCE_SECONDS_MAX:
            if closed >= lives:
                return ["the relay did not send all facts"]
            return [f"{lives - closed} of {lives} lives did not close"]
        await asyncio.sleep(0.02)
