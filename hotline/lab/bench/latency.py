"""Part `latency`: how long each step takes at a steady rate, and what the whole system spends on it.

The system runs as in production, four desks and the relay as processes of their own, 200 units, everything
switched on. Requests are offered at their instants whatever the system does, and waits count from those
instants (`hotline.lab.bench.pace`): a stall shows in all that waited behind it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from deploy.city import city
from deploy.city.city import Realm
from deploy.supervision.supervisor import Supervisor
from hotline.lab.bench import picture
from hotline.lab.bench.check import wrong_with
from hotline.lab.bench.meter import Meter, Spent, spent
from hotline.lab.bench.pace import Asked, Paced
from hotline.lab.bench.report import print_table, print_verdict, print_where, told
from hotline.lab.bench.result import Result as Base
from hotline.lab.bench.result import Spread, Wait, spread_of, wait_of, warnings_of
from hotline.lab.bench.stage import TRACES_RATIO, Stage, stage
from shared.runtime.errors import UserError
from shared.versions import RULESET

PACE: Final = "outside"
"""Name of the process that plays everybody outside: its CPU is not the system's."""
CALM: Final = "50 requests/s"
BUSY: Final = "1,500 requests/s"
LIMITS: Final = "50 limits/s"
SILENCE_SECONDS_MAX: Final = 240.0

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
class Load:
    """What is offered, and for how long."""

    rate: float
    warm_up_seconds: float
    seconds: float
    units_measured: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured: each load so many times."""

    rounds: int
    warm_up: Load
    """Offered first and lived to its end: doors are open then, topics known, Kafka's code compiled."""
    calm: Load
    busy: Load
    limits: Load
    limit_seconds: float = 3.0

    @classmethod
    def of(cls, *, quick: bool) -> Size:
        """Orders are looked for at a tenth of the units: who plays more pays by topics, a unit asks for its own."""
        calm, busy, limits = ((3, 10), (3, 5), (2, 6)) if quick else ((5, 40), (10, 20), (5, 20))
        return cls(
            rounds=1 if quick else 3,
            warm_up=Load(rate=300, warm_up_seconds=0, seconds=4 if quick else 20, units_measured=1),
            calm=Load(rate=50, warm_up_seconds=calm[0], seconds=calm[1], units_measured=20),
            busy=Load(rate=1500, warm_up_seconds=busy[0], seconds=busy[1], units_measured=20),
            limits=Load(rate=50, warm_up_seconds=limits[0], seconds=limits[1], units_measured=1),
        )


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """What a wait must keep to."""

    p50_max: float | None
    p99_max: float


BARS: Final = {
    CALM: Bar(p50_max=10.0, p99_max=30.0),
    BUSY: Bar(p50_max=None, p99_max=100.0),
}
"""For request to order, in milliseconds."""
CORES_MAX: Final = 1.0
"""For the whole system at 50 requests a second."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
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

    @property
    def system_cores(self) -> float:
        """All but the process that plays everybody outside."""
        return sum(cores for name, cores in self.cores.items() if name != PACE)


class Result(Base, frozen=True, kw_only=True):
    """All runs of all loads."""

    runs: list[Run]
    lives: int
    """Whole lives lived and checked."""
    limits: int
    """Limits missed and checked."""
    system_cores: dict[str, Spread]
    """By load."""

    def of(self, load: str) -> list[Run]:
        """The runs of one load."""
        return [run for run in self.runs if run.load == load]


async def measured(*, quick: bool, folder: Path, say: Callable[[str], None]) -> Result:
    """See `Part.measured`; `quick` is one run of each load, of seconds."""
    async with stage(folder, say=say) as here:
        return await run(here, Size.of(quick=quick), say)


async def run(here: Stage, size: Size, say: Callable[[str], None]) -> Result:
    """Measure so much."""
    runs: list[Run] = []
    whole = await city.create(here.addresses, "latency", here.units)
    async with _served(here, whole, RULESET, say) as pids:
        say("warming up")
        warm, lives = await _paced(here, whole, pids, "warming up", size.warm_up, 0, None, say)
        for number in range(1, size.rounds + 1):
            for name, load in ((CALM, size.calm), (BUSY, size.busy)):
                say(f"round {number} of {size.rounds}: {name} for {load.seconds:g} s")
                done, asked = await _paced(here, whole, pids, name, load, number, None, say)
                runs.append(done)
                lives += asked
    wrong = await wrong_with(whole.owner_dsn, lives)
    late = await city.create(here.addresses, "limits", here.units)
    async with _served(here, late, "boston-311-2011", say) as pids:
        say("warming up")
        limits_load = replace(size.limits, seconds=1.0)
        cold, limits = await _paced(here, late, pids, "warming up", limits_load, 0, size.limit_seconds, say)
        for number in range(1, size.rounds + 1):
            say(f"round {number} of {size.rounds}: {LIMITS} for {size.limits.seconds:g} s")
            done, asked = await _paced(here, late, pids, LIMITS, size.limits, number, size.limit_seconds, say)
            runs.append(done)
            limits += asked
    wrong += await _wrong_with_limits(late.owner_dsn, limits)
    fixed = await here.fixed(whole, runs[0].gc_threshold)
    place = here.place()
    wrong += [f"{one.load}: {what}" for one in (warm, cold, *runs) for what in one.wrong]
    warnings = warnings_of(place, {f"run {n} of {one.load}": one.spent for n, one in enumerate(runs, 1)})
    if fixed.traces == "none":
        warnings.append("no trace viewer ran and no life was traced")
    result = Result(
        place=place,
        fixed=fixed,
        others_share=max(one.spent.others_share for one in runs),
        warnings=warnings,
        wrong=wrong,
        runs=runs,
        lives=lives,
        limits=limits,
        system_cores={
            load: spread_of(one.system_cores for one in runs if one.load == load)
            for load in (CALM, BUSY, LIMITS)
        },
    )
    result.warnings.extend(bars_missed(result))
    return result


def bars_missed(result: Result) -> list[str]:
    """Which bars the medians of the runs miss."""
    missed: list[str] = []
    for load, bar in BARS.items():
        orders = [one.waits["request to order"] for one in result.of(load)]
        p50, p99 = spread_of(w.p50 for w in orders).median, spread_of(w.p99 for w in orders).median
        if bar.p50_max is not None and p50 > bar.p50_max:
            missed.append(f"{load}: p50 of {p50:.1f} ms from request to order, the bar is {bar.p50_max:g}")
        if p99 > bar.p99_max:
            missed.append(f"{load}: p99 of {p99:.1f} ms from request to order, the bar is {bar.p99_max:g}")
    cores = result.system_cores[CALM].median
    if cores > CORES_MAX:
        missed.append(f"{CALM}: the whole system takes {cores:.2f} cores, the bar is {CORES_MAX:g}")
    return missed


@asynccontextmanager
async def _served(
    here: Stage, realm: Realm, ruleset: str, say: Callable[[str], None]
) -> AsyncIterator[dict[str, int]]:
    """The city's processes at work; gives their ids."""
    logs = here.stack.folder / "logs" / realm.name
    services = city.services(
        realm, logs, traces_ratio=TRACES_RATIO, ruleset=ruleset, catalogue=str(here.catalogue)
    )
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


async def _paced(
    here: Stage,
    realm: Realm,
    pids: dict[str, int],
    name: str,
    load: Load,
    number: int,
    limit_seconds: float | None,
    say: Callable[[str], None],
) -> tuple[Run, int]:
    """Offer one load once; the run, and how many requests that were."""
    asked = Asked(
        kafka=realm.outside,
        prefix=realm.prefix,
        name=f"{number}-{load.rate:g}",
        units=here.units,
        # A limit that a municipal unit misses has nobody above it to be told.
        targets=here.targets if limit_seconds is None else here.targets[2:],
        rate=load.rate,
        warm_up_seconds=load.warm_up_seconds,
        seconds=load.seconds,
        units_measured=load.units_measured,
        limit_seconds=limit_seconds,
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hotline.lab.bench.pace",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=64 * 1024 * 1024,
    )
    database = await asyncpg.connect(realm.owner_dsn)
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
    done = Run(
        load=name,
        waits=waits,
        cores={process: seconds / used.seconds for process, seconds in used.cpu_seconds.items()},
        spent=used,
        sent_late=wait_of(seen.sent_late),
        gc_threshold=seen.gc_threshold,
        wrong=wrong_with_what_was_seen(seen),
    )
    say(
        "  "
        + "; ".join(f"{what} {w.p50:.1f} / {w.p99:.1f} / {w.highest:.1f} ms" for what, w in waits.items())
        + f"; {done.system_cores:.2f} cores, others {used.others_share:.0%}"
    )
    return done, seen.asked


def wrong_with_what_was_seen(seen: Paced) -> list[str]:
    """What the outside missed, or was told too early or twice."""
    wrong: list[str] = []
    if seen.ended != seen.asked:
        wrong.append(f"{seen.asked - seen.ended} of {seen.asked} lives were not seen to their end")
    if seen.notices_early:
        wrong.append(f"{seen.notices_early} notices came before their limit")
    if seen.notices_again:
        wrong.append(f"{seen.notices_again} notices came twice")
    return wrong


async def _wrong_with_limits(dsn: str, limits: int) -> list[str]:
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
        raise UserError(f"the process that plays everybody outside said {line[:80]!r}, not {word!r}.")


def show(result: Result) -> None:
    """See `Part.show`."""
    rows: list[tuple[str, ...]] = []
    for load in (CALM, BUSY, LIMITS):
        runs = result.of(load)
        for what in runs[0].waits:
            waits = [one.waits[what] for one in runs]
            rows.append(
                (
                    f"{load}: {what}",
                    told(spread_of(w.p50 for w in waits), ".1f"),
                    told(spread_of(w.p99 for w in waits), ".1f"),
                    told(spread_of(w.highest for w in waits), ".1f"),
                    f"{sum(w.count for w in waits):,}",
                )
            )
    print_table(
        f"Latency in milliseconds, from the intended instant; medians of {len(result.of(CALM))} runs",
        ("", "p50", "p99", "highest", "counted"),
        rows,
    )
    names = list(result.runs[0].cores)
    print_table(
        "Cores kept busy, by process",
        ("", CALM, BUSY, LIMITS),
        [
            (
                "the whole system",
                *(told(result.system_cores[load], ".2f") for load in (CALM, BUSY, LIMITS)),
            ),
            *(
                (
                    name,
                    *(
                        f"{spread_of(one.cores[name] for one in result.of(load)).median:.2f}"
                        for load in (CALM, BUSY, LIMITS)
                    ),
                )
                for name in names
            ),
        ],
    )
    print_where(
        result,
        {
            "requests sent late": ", ".join(
                f"{load} p99 {spread_of(one.sent_late.p99 for one in result.of(load)).median:.1f} ms"
                for load in (CALM, BUSY, LIMITS)
            )
        },
    )
    print_verdict(
        result,
        f"All {result.lives:,} lives are whole; all {result.limits:,} limits were noticed once, none early.",
    )


def plot(result: Result, path: Path) -> None:
    """See `Part.plot`: waits beside their bars, and who spends the processor."""
    drawn = picture.figure("Latency from the intended instant, and what it costs")
    waits, cores = drawn.subplots(1, 2)
    names: list[str] = []
    p50: list[float] = []
    p99: list[float] = []
    for load in (CALM, BUSY, LIMITS):
        for what in result.of(load)[0].waits:
            names.append(f"{what}\n{load}")
            p50.append(spread_of(one.waits[what].p50 for one in result.of(load)).median)
            p99.append(spread_of(one.waits[what].p99 for one in result.of(load)).median)
    places = list(range(len(names)))
    waits.barh([y + 0.2 for y in places], p50, height=0.4, label="p50")
    waits.barh([y - 0.2 for y in places], p99, height=0.4, label="p99")
    waits.set_yticks(places, names, fontsize=7)
    waits.invert_yaxis()
    waits.set_xlabel("milliseconds")
    waits.legend(fontsize=7)
    loads = (CALM, BUSY, LIMITS)
    below = [0.0] * len(loads)
    for name in result.runs[0].cores:
        share = [spread_of(one.cores[name] for one in result.of(load)).median for load in loads]
        cores.bar(loads, share, bottom=below, label=name)
        below = [low + more for low, more in zip(below, share, strict=True)]
    cores.set_ylabel("cores kept busy")
    cores.legend(fontsize=7)
    picture.save(drawn, result, path)
