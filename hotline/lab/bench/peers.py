"""Part `peers`: the same life in our system and in two libraries from PyPI, on one PostgreSQL, in the same run.

Each peer lives it as its own documentation would write it (`peer_eventsourcing`, `peer_dbos`). The bodies are
those of lives our system has just lived. The peers do without Kafka, which they do not need. DIGIT cannot run
here: its published figures stand beside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from deploy.city import endpoints as own
from deploy.city import making
from deploy.city.endpoints import CityEndpoints
from hotline.lab.bench import picture
from hotline.lab.bench.check import LIFE
from hotline.lab.bench.lives import UNDER_WAY, WARM_UP_LIVES_MIN
from hotline.lab.bench.machine import Machine
from hotline.lab.bench.meter import Meter, Spent, spent
from hotline.lab.bench.peer import Body
from hotline.lab.bench.peer_processes import AT_ONCE, PROCESSES, PeerLived, started
from hotline.lab.bench.report import median_text, print_line, print_table, print_verdict, print_where
from hotline.lab.bench.result import Fixed, Spread, spread_of, warnings_of
from hotline.lab.bench.result import Result as Base
from hotline.lab.bench.stage import BenchCity, stage
from hotline.lab.bench.whole import Load, MeasuredLives, lived
from shared.runtime.errors import UserError

OURS: Final = "hotline"
PEERS: Final = {
    "eventsourcing": "hotline.lab.bench.peer_eventsourcing",
    "dbos": "hotline.lab.bench.peer_dbos",
}
"""Each peer, as PyPI knows it, and the module that is a process of it."""

MODELS: Final = 50
"""Lives of ours whose bodies the peers tell."""

DIGIT: Final = (
    "DIGIT (published, not run here): 37 lives a second with 0 to 100,000 complaints, 6.3 with a million, on "
    "16 vCPU and 32 GB (one EC2 machine, k6, March 2026); a life there is create, assign, resolve. "
    "egovernments/Citizen-Complaint-Resolution-System, performance/docs/findings.md"
)
"""Its own account; the raw output behind these rows was not published with it."""

_BODIES: Final = """
SELECT array_agg(body ORDER BY version) FROM es.event GROUP BY stream_id HAVING count(*) = $1 LIMIT $2
"""


class PeersRound(msgspec.Struct, frozen=True, kw_only=True):
    """All, measured once."""

    ours: MeasuredLives
    peers: dict[str, PeerLived]


class PeerFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One system over all rounds."""

    version: str
    lives: int
    lives_per_second: Spread
    cpu_us_a_life: Spread
    """Processor time of its processes, its outside and PostgreSQL (ours: Kafka too) for one life."""
    wal_bytes_a_life: Spread
    memory_bytes: int
    """Of its processes together, the most of all rounds."""
    times_rate: Spread
    """Our lives a second by its."""
    times_cpu: Spread
    """Its processor time for a life by ours: what others on the machine take is not in it."""


class PeersResult(Base, frozen=True, kw_only=True):
    """All that was measured, and what is to be thought of it."""

    rounds: list[PeersRound]
    systems: dict[str, PeerFigures]
    processes: int
    at_once: int
    published: str
    """Figures that others measured elsewhere and published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeersSize:
    """How much is lived."""

    ours: int
    ours_warm_up: int
    peer: int
    peer_warm_up: int
    rounds: int


async def measured(*, quick: bool, folder: Path, say: Callable[[str], None]) -> PeersResult:
    """See `Part.measured`; `quick` is one round of 2,000 lives of ours and 200 of each peer."""
    size = (
        PeersSize(ours=2000, ours_warm_up=2000, peer=200, peer_warm_up=40, rounds=1)
        if quick
        else PeersSize(ours=12_000, ours_warm_up=6000, peer=2000, peer_warm_up=300, rounds=3)
    )
    if absent := missing():
        raise UserError(
            f"not installed: {', '.join(absent)} (`uv sync --inexact --group bench` brings the peers)."
        )
    async with stage(folder, say=say, zipkin=False) as here:
        return await run(here, size, say)


def missing() -> list[str]:
    """The peers that are not installed."""
    found = []
    for name in PEERS:
        try:
            version(name)
        except PackageNotFoundError:
            found.append(name)
    return found


async def run(here: BenchCity, size: PeersSize, say: Callable[[str], None]) -> PeersResult:
    """Measure so much."""
    rounds: list[PeersRound] = []
    for number in range(1, size.rounds + 1):
        endpoints = await making.create(here.addresses, f"peers{number}", here.units, simulated=True)
        say(f"round {number} of {size.rounds}: {size.ours} lives of ours after {size.ours_warm_up}")
        ours = await _ours(here, endpoints, size, say)
        models = await _models(endpoints)
        peers = {}
        for name, module in PEERS.items():
            say(f"  {size.peer} lives of {name} after {size.peer_warm_up}")
            database = await _database(here, f"peers{number}_{name}")
            peers[name] = await _peer(here, name, module, database, models, size)
        rounds.append(PeersRound(ours=ours, peers=peers))
    return judged(here.machine(), await here.fixed(endpoints, ours.gc_threshold), size, rounds)


async def _ours(
    here: BenchCity, endpoints: CityEndpoints, size: PeersSize, say: Callable[[str], None]
) -> MeasuredLives:
    load = Load(
        lives=size.ours_warm_up + size.ours,
        warm_up=size.ours_warm_up,
        under_way=UNDER_WAY,
    )
    return await lived(here, endpoints, load, say=say)


async def _models(endpoints: CityEndpoints) -> list[list[Body]]:
    database = await asyncpg.connect(endpoints.owner_dsn)
    try:
        rows = await database.fetch(_BODIES, len(LIFE), MODELS)
    finally:
        await database.close()
    return [[msgspec.json.decode(body, type=Body) for body in row[0]] for row in rows]


async def _database(here: BenchCity, name: str) -> str:
    admin = await asyncpg.connect(here.addresses.database("postgres"))
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
    finally:
        await admin.close()
    return here.addresses.database(name)


async def _peer(
    here: BenchCity, name: str, module: str, postgres: str, models: list[list[Body]], size: PeersSize
) -> PeerLived:
    """Start its processes, live the warm-up and the measured lives, and have all of them read back."""
    async with started(name, module, postgres, models) as children:
        await children.live(size.peer_warm_up)
        database = await asyncpg.connect(here.addresses.database("postgres"))
        try:
            pids = {**children.pids(), "postgres": here.servers["postgres"]}
            meter = Meter(pids, database)
            first = await meter.read()
            await children.live(size.peer)
            last = await meter.read()
        finally:
            await database.close()
        memory = sum(bytes_ for part, bytes_ in meter.memory_bytes().items() if part != "postgres")
        found = await children.found()
    asked = size.peer_warm_up + size.peer
    lives, whole = sum(one.lives for one in found), sum(one.whole for one in found)
    wrong = (
        []
        if lives == whole == asked
        else [f"{name}: {asked} lives were asked for, {lives} were lived, {whole} of them are whole"]
    )
    return PeerLived(
        lives=size.peer, checked=lives, spent=spent(first, last), memory_bytes=memory, wrong=wrong
    )


def judged(machine: Machine, fixed: Fixed, size: PeersSize, rounds: list[PeersRound]) -> PeersResult:
    """The figures over all rounds, and what is to be said about them."""
    windows = {f"the whole lives of round {n}": one.ours.spent for n, one in enumerate(rounds, 1)}
    warnings = warnings_of(machine, windows)
    for number, one in enumerate(rounds, 1):
        # Kafka runs beside the peers without work; its idling is no stranger's.
        warnings += warnings_of(
            msgspec.structs.replace(machine, file_system=""),
            {f"{name} of round {number}": peer.spent for name, peer in one.peers.items()},
        )
    if size.ours_warm_up < WARM_UP_LIVES_MIN:
        warnings.append(
            f"only {size.ours_warm_up} lives of ours to warm up: Kafka is still being compiled, "
            f"so ours comes out too slow"
        )
    systems = {
        OURS: _figures([(one.ours.closed, one.ours.spent, _memory(one.ours)) for one in rounds], rounds)
    }
    for name in PEERS:
        runs = [
            (one.peers[name].lives, one.peers[name].spent, one.peers[name].memory_bytes) for one in rounds
        ]
        systems[name] = _figures(runs, rounds, version(name))
    return PeersResult(
        machine=machine,
        fixed=fixed,
        others_share=max(
            spent.others_share
            for one in rounds
            for spent in (one.ours.spent, *(peer.spent for peer in one.peers.values()))
        ),
        warnings=warnings,
        wrong=[
            what
            for one in rounds
            for what in (*one.ours.wrong, *(what for peer in one.peers.values() for what in peer.wrong))
        ],
        rounds=rounds,
        systems=systems,
        processes=PROCESSES,
        at_once=AT_ONCE,
        published=DIGIT,
    )


def _figures(runs: list[tuple[int, Spent, int]], rounds: list[PeersRound], which: str = "") -> PeerFigures:
    rates = [lives / spent.seconds for lives, spent, _ in runs]
    cpu = [_cpu_us(lives, spent) for lives, spent, _ in runs]
    ours = [one.ours for one in rounds]
    return PeerFigures(
        version=which,
        lives=runs[0][0],
        lives_per_second=spread_of(rates),
        cpu_us_a_life=spread_of(cpu),
        wal_bytes_a_life=spread_of(spent.wal_bytes / lives for lives, spent, _ in runs),
        memory_bytes=max(memory for _, _, memory in runs),
        times_rate=spread_of(one.lives_per_second / rate for one, rate in zip(ours, rates, strict=True)),
        times_cpu=spread_of(
            each / _cpu_us(one.closed, one.spent) for one, each in zip(ours, cpu, strict=True)
        ),
    )


def _cpu_us(lives: int, spent: Spent) -> float:
    return sum(spent.cpu_seconds.values()) / lives * 1e6


def _memory(ours: MeasuredLives) -> int:
    return sum(bytes_ for name, bytes_ in ours.memory_bytes.items() if name in own.PROCESSES)


def show(result: PeersResult) -> None:
    """See `Part.show`."""
    print_table(
        "The same life, eight facts, on the same PostgreSQL: medians",
        (
            "",
            "lives",
            "lives/s",
            "CPU us/life",
            "WAL kB/life",
            "memory MB",
            "ours is faster",
            "ours takes less CPU",
        ),
        [
            (
                f"{name} {one.version}".strip(),
                f"{one.lives:,}",
                median_text(one.lives_per_second, ",.0f"),
                median_text(one.cpu_us_a_life, ",.0f"),
                median_text(
                    Spread(
                        median=one.wal_bytes_a_life.median / 1e3,
                        low=one.wal_bytes_a_life.low / 1e3,
                        high=one.wal_bytes_a_life.high / 1e3,
                    ),
                    ",.1f",
                ),
                f"{one.memory_bytes / 1e6:,.0f}",
                "" if name == OURS else f"{median_text(one.times_rate, ',.0f')} times",
                "" if name == OURS else f"{median_text(one.times_cpu, ',.0f')} times",
            )
            for name, one in result.systems.items()
        ],
    )
    print_line(result.published)
    print_where(
        result,
        {
            "peers": f"{result.processes} processes of each with {result.at_once} lives at once, their own defaults; "
            "no Kafka, no outside, no deadlines, no hash chain",
        },
    )
    checked = sum(one.ours.lives + sum(peer.checked for peer in one.peers.values()) for one in result.rounds)
    print_verdict(
        result, f"All {checked:,} lives are closed with their eight facts, in ours and in the peers."
    )


def plot(result: PeersResult, path: Path) -> None:
    """See `Part.plot`: rates and processor time a life, on logarithmic scales."""
    drawn = picture.figure("The same life in our system and in two libraries, one PostgreSQL, one run")
    rates, times = drawn.subplots(1, 2)
    names = list(result.systems)
    for axes, field, label in (
        (rates, "lives_per_second", "lives a second"),
        (times, "cpu_us_a_life", "CPU microseconds a life"),
    ):
        spreads: list[Spread] = [getattr(result.systems[name], field) for name in names]
        bars = axes.bar(
            names,
            [one.median for one in spreads],
            yerr=[[one.median - one.low for one in spreads], [one.high - one.median for one in spreads]],
            capsize=4,
        )
        axes.bar_label(bars, fmt="{:,.0f}")
        axes.set_yscale("log")
        axes.set_ylabel(label)
    picture.save(drawn, result, path)
