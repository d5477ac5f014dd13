"""One run of the part `latency`: the services are started, one load is offered, and what came of it is read."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from deploy.city.endpoints import PROJECTOR, CityEndpoints
from deploy.city.served import projector
from deploy.city.served import services as services_of
from deploy.supervision.supervisor import Service, Supervisor
from hotline.lab.bench.meter import Meter, Spent, spent
from hotline.lab.bench.pace import Demand, Paced
from hotline.lab.bench.result import Wait, wait_of
from hotline.lab.bench.stage import TRACES_RATIO, BenchCity
from hotline.readside.standing import as_of
from shared.runtime.errors import UserError

PACE: Final = "outside"
"""Name of the process that plays everybody outside: its CPU is not the system's."""
SILENCE_SECONDS_MAX: Final = 240.0
LAG_EVERY_SECONDS: Final = 0.25
"""How often the projector is asked how far behind it is."""
CAUGHT_UP_SECONDS_MAX: Final = 240.0

_MISSED: Final = """
SELECT (SELECT count(DISTINCT stream_id) FROM es.event), count(*), count(DISTINCT stream_id),
       count(*) FILTER (WHERE h.noticed_at <= h.due_at)
FROM es.event e, LATERAL (
    SELECT (convert_from(e.body, 'UTF8')::jsonb ->> 'noticed_at')::timestamptz AS noticed_at,
           (SELECT (convert_from(d.body, 'UTF8')::jsonb ->> 'given_due_at')::timestamptz
            FROM es.event d WHERE d.stream_id = e.stream_id AND d.version = 1) AS due_at
) h WHERE type = 'ComplaintEscalated'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedLoad:
    """The load that is offered, and how long."""

    rate: float
    warm_up_seconds: float
    seconds: float
    units_measured: int


class LatencyRun(msgspec.Struct, frozen=True, kw_only=True):
    """One load, once."""

    load: str
    waits: dict[str, Wait]
    cores: dict[str, float]
    """Processors each process kept busy while requests were offered."""
    spent: Spent
    sent_late: Wait
    """How late the requests themselves were sent; it is in the waits."""
    gc_threshold: tuple[int, int, int]
    wrong: list[str]
    lag: Wait | None = None
    """How far the lists were behind the log, in milliseconds; None where no projector ran."""

    @property
    def system_cores(self) -> float:
        """All but the process that plays everybody outside."""
        return sum(cores for name, cores in self.cores.items() if name != PACE)


@asynccontextmanager
async def served(
    here: BenchCity, endpoints: CityEndpoints, ruleset: str, say: Callable[[str], None]
) -> AsyncIterator[dict[str, int]]:
    """The city's processes at work; gives their ids."""
    logs = here.stack.folder / "logs" / endpoints.name
    services = services_of(
        endpoints, logs, traces_ratio=TRACES_RATIO, ruleset=ruleset, catalogue=str(here.catalogue)
    )
    async with supervised(services, logs, say) as pids:
        yield pids


@asynccontextmanager
async def beside_projector(
    here: BenchCity, endpoints: CityEndpoints, say: Callable[[str], None], *, wanted: bool
) -> AsyncIterator[dict[str, int]]:
    """The city's projector at work, once it has caught up; gives its id. None where it is not `wanted`."""
    if not wanted:
        yield {}
        return
    logs = here.stack.folder / "logs" / endpoints.name
    async with supervised([projector(endpoints, logs)], logs, say) as pids:
        async with _reading(endpoints) as reader, asyncio.timeout(CAUGHT_UP_SECONDS_MAX):
            await _caught_up(reader)
        yield pids


async def _caught_up(reader: asyncpg.Connection[Any]) -> None:
    """Wait until the lists hold the whole log."""
    while True:
        with suppress(UserError):  # nothing has made them yet
            standing = await as_of(reader)
            if not (standing.going or standing.behind):
                return
        await asyncio.sleep(LAG_EVERY_SECONDS)


@asynccontextmanager
async def _reading(endpoints: CityEndpoints) -> AsyncIterator[asyncpg.Connection[Any]]:
    reader = await asyncpg.connect(endpoints.login("reader"))
    try:
        yield reader
    finally:
        await reader.close()


@asynccontextmanager
async def _lags(endpoints: CityEndpoints, *, noted: bool) -> AsyncIterator[list[float]]:
    """A list that grows meanwhile: how far the lists are behind the log, in milliseconds; empty if not `noted`."""
    lags: list[float] = []
    if not noted:
        yield lags
        return

    async def note() -> None:
        async with _reading(endpoints) as reader:
            while True:
                lags.append(1000 * (await as_of(reader)).behind.total_seconds())
                await asyncio.sleep(LAG_EVERY_SECONDS)

    noting = asyncio.ensure_future(note())
    try:
        yield lags
    finally:
        noting.cancel()
        await asyncio.gather(noting, return_exceptions=True)


@asynccontextmanager
async def supervised(
    services: list[Service], logs: Path, say: Callable[[str], None]
) -> AsyncIterator[dict[str, int]]:
    """These processes at work; `UserError` where one of them died."""
    supervisor = Supervisor(services, stack=None, say=say)
    await supervisor.start()
    watching = asyncio.ensure_future(supervisor.watch())
    try:
        yield supervisor.pids()
        restarts = {name: times for name, times in supervisor.restarts.items() if times}
        if restarts:
            raise UserError(f"services died and were started again: {restarts}; their logs: {logs}.")
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await supervisor.stop()


async def paced(
    here: BenchCity,
    endpoints: CityEndpoints,
    pids: dict[str, int],
    name: str,
    load: OfferedLoad,
    number: int,
    limit_seconds: float | None,
    say: Callable[[str], None],
) -> tuple[LatencyRun, int]:
    """Offer one load once; the run, and how many requests that were."""
    asked = Demand(
        kafka=endpoints.outside,
        prefix=endpoints.prefix,
        name=f"{number}-{load.rate:g}" + ("-listed" if PROJECTOR in pids else ""),
        units=here.units,
        # A limit that a municipal unit misses has nobody above it to be told.
        targets=here.targets if limit_seconds is None else here.targets[2:],
        rate=load.rate,
        warm_up_seconds=load.warm_up_seconds,
        seconds=load.seconds,
        units_measured=load.units_measured,
        limit_seconds=limit_seconds,
    )
    async with _lags(endpoints, noted=PROJECTOR in pids) as lags:
        used, seen = await _offered(here, endpoints, pids, asked)
    waits = {
        what: wait
        for what, wait in (
            ("request to order", wait_of(seen.orders)),
            ("reply to fact", wait_of(seen.replies)),
            ("citizen's word to closed", wait_of(seen.closings)),
            ("limit to notice", wait_of(seen.notices)),
        )
        if wait.count
    }
    done = LatencyRun(
        load=name,
        waits=waits,
        cores={process: seconds / used.seconds for process, seconds in used.cpu_seconds.items()},
        spent=used,
        sent_late=wait_of(seen.sent_late),
        gc_threshold=seen.gc_threshold,
        wrong=wrong_with_what_was_seen(seen),
        lag=wait_of(lags) if lags else None,
    )
    say(
        "  "
        + "; ".join(f"{what} {w.p50:.1f} / {w.p99:.1f} / {w.highest:.1f} ms" for what, w in waits.items())
        + f"; {done.system_cores:.2f} cores, others {used.others_share:.0%}"
    )
    return done, seen.asked


async def _offered(
    here: BenchCity, endpoints: CityEndpoints, pids: dict[str, int], asked: Demand
) -> tuple[Spent, Paced]:
    """Have a process of its own offer it; what that took of the processors meanwhile, and what was seen."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hotline.lab.bench.pace",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=64 * 1024 * 1024,
    )
    database = await asyncpg.connect(endpoints.owner_dsn)
    try:
        meter = Meter({**pids, PACE: child.pid, **here.servers}, database)
        _tell(child, msgspec.json.encode(asked))
        await _says(child, "ready")
        _tell(child, b"go on")
        await _says(child, "measuring")
        first = await meter.read()
        await _says(child, "offered")
        used = spent(first, await meter.read())
        seen = msgspec.json.decode(await _line(child), type=Paced)
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()
        await database.close()
    return used, seen


def wrong_with_what_was_seen(seen: Paced) -> list[str]:
    """Messages that came to the outside too early, twice or not at all."""
    wrong: list[str] = []
    if seen.ended != seen.asked:
        wrong.append(f"{seen.asked - seen.ended} of {seen.asked} lives were not seen to their end")
    if seen.notices_early:
        wrong.append(f"{seen.notices_early} notices came before their limit")
    if seen.notices_again:
        wrong.append(f"{seen.notices_again} notices came twice")
    return wrong


async def wrong_with_limits(dsn: str, limits: int) -> list[str]:
    """Each complaint must have been escalated once, and not before its limit."""
    database = await asyncpg.connect(dsn)
    try:
        ((complaints, escalated, distinct, early),) = await database.fetch(_MISSED)
    finally:
        await database.close()
    if (complaints, escalated, distinct, early) == (limits, limits, limits, 0):
        return []
    wrong = (
        f"{limits} limits were set: {complaints} complaints are in the log, {distinct} of them escalated, "
        f"{escalated - distinct} more than once, {early} early"
    )
    return [wrong]


def _tell(child: asyncio.subprocess.Process, line: bytes) -> None:
    assert child.stdin is not None  # noqa: S101 -- it was asked for
    child.stdin.write(line + b"\n")


async def _line(child: asyncio.subprocess.Process) -> bytes:
    assert child.stdout is not None  # noqa: S101 -- it was asked for
    try:
        async with asyncio.timeout(SILENCE_SECONDS_MAX):
            line = await child.stdout.readline()
    except TimeoutError:
        raise UserError("the process that plays everybody outside has gone silent.") from None
    if not line:
        raise UserError("the process that plays everybody outside ended; what it said stands above.")
    return line


async def _says(child: asyncio.subprocess.Process, word: str) -> None:
    line = (await _line(child)).decode().strip()
    if line != word:
        raise UserError(f"the process that plays everybody outside said '{line[:80]}', not '{word}'.")
