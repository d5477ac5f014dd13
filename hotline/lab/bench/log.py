"""Part `log`: what a long log costs: appending, reading, rebuilding, verifying, and the life rate as it grows.

`hotline.lab.bench.generator` grows the log, in a city of its own for each size. The running system then lives
the same lives on top of it. The empty log is measured first and last, so a machine that became slower
meanwhile shows. If the disk has no room for a size, the part says so and leaves that size out.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg
import msgspec
import psutil

from deploy.city import making
from deploy.city.endpoints import CityEndpoints
from hotline.audit.verify import verify
from hotline.lab.bench import picture
from hotline.lab.bench.city import Target, request_of
from hotline.lab.bench.generator import grow
from hotline.lab.bench.meter import Meter, Spent, spent
from hotline.lab.bench.report import median_text, print_line, print_table, print_verdict, print_where
from hotline.lab.bench.result import Result as Base
from hotline.lab.bench.result import Spread, spread_of, warnings_of
from hotline.lab.bench.stage import BenchCity, stage
from hotline.lab.bench.whole import Load, MeasuredLives, lived
from hotline.upkeep.rebuild import VIEWS, rebuild
from services.intake import rules as intake
from services.intake.decisions.recording import AskedToRecord
from shared.desk import Desk
from shared.ids import complaint_id
from shared.log.postgres import PostgresLog
from shared.runtime.telemetry import Telemetry
from shared.versions import RULESET
from shared.work import Batch, Work

BYTES_A_FACT: Final = 900
"""Of a grown log on the disk: 600 for the fact and its three indexes, 200 for its share of the head, and WAL."""
SPARE_BYTES: Final = 6 * 10**9
UNDER_WAY: Final = 30_000
CALENDAR: Final = "cn-1"
RECORDED_AT: Final = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
SHARE_MIN: Final = 0.9
RATE_MIN: Final = 100_000.0
_PAGE: Final = 5000
_READ: Final = """
SELECT position, stream_id, version, event_id, type, schema_version, occurred_at, caused_by, actor, body, hash
FROM es.event ORDER BY position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSize:
    """How much is measured."""

    grown: Sequence[int]
    """Facts in the log before the lives are lived, ascending; the first is 0."""
    verified: int
    """Facts that are read, rebuilt from and verified: one of `grown`."""
    lives: int
    warm_up: int
    batches: Sequence[int] = (1, 10, 100, 1000)
    """Requests recorded in one transaction."""
    seconds: float = 5.0
    """How long each of them is measured."""

    @classmethod
    def of(cls, *, quick: bool) -> LogSize:
        """Up to 50 million facts, or 200 thousand."""
        if quick:
            return cls(grown=(0, 200_000), verified=200_000, lives=4000, warm_up=2000, seconds=1.0)
        return cls(grown=(0, 10**6, 10**7, 5 * 10**7), verified=10**7, lives=20_000, warm_up=6000)


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """Requests recorded by intake's own desk: heads read, decided, written, so many in a transaction."""

    requests: int
    facts_per_second: float
    transaction_ms: float
    """On average."""


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """The whole log gone through once."""

    what: str
    facts: int
    spent: Spent

    @property
    def facts_per_second(self) -> float:
        """The rate."""
        return self.facts / self.spent.seconds

    @property
    def cpu_us(self) -> float:
        """Processor time a fact, ours and PostgreSQL's: what others on the machine take is not in it."""
        return sum(self.spent.cpu_seconds.values()) / self.facts * 1e6


class Grew(msgspec.Struct, frozen=True, kw_only=True):
    """The lives lived on top of a log of some size."""

    facts: int
    """In the log before."""
    bytes: int
    """Of the database before."""
    lived: MeasuredLives

    @property
    def cpu_us(self) -> float:
        """Processor time a life of all processes."""
        return sum(self.lived.spent.cpu_seconds.values()) / self.lived.closed * 1e6


class LogResult(Base, frozen=True, kw_only=True):
    """All that was measured."""

    appends: list[Appended]
    reads: list[Read]
    growth: list[Grew]
    """In the order in which it was measured: the empty log first and last."""
    empty_lives_per_second: Spread
    share_of_empty: float
    """Lives a second at the largest log by those at an empty one."""
    share_of_empty_cpu: float
    """Processor time of a life at an empty log by that at the largest."""


async def measured(*, quick: bool, folder: Path, say: Callable[[str], None]) -> LogResult:
    """See `Part.measured`; `quick` grows the log to 200 thousand facts."""
    async with stage(folder, say=say) as here:
        return await run(here, LogSize.of(quick=quick), say)


async def run(here: BenchCity, size: LogSize, say: Callable[[str], None]) -> LogResult:
    """Measure so much."""
    appends: list[Appended] = []
    reads: list[Read] = []
    growth: list[Grew] = []
    wrong: list[str] = []
    fits = [facts for facts in size.grown if facts * BYTES_A_FACT + SPARE_BYTES < _free(here.stack.folder)]
    for number, facts in enumerate((*fits, 0)):
        endpoints = await making.create(here.addresses, f"log{number}", here.units, simulated=True)
        say(f"the log is grown to {facts:,} facts")
        if facts:
            await grow(endpoints.owner_dsn, facts, say=say)
        done = await _lived_on(here, endpoints, facts, size, say)
        growth.append(done)
        wrong += [f"at {facts:,} facts: {what}" for what in done.lived.wrong]
        if facts == size.verified:
            for what in ("a bare read", *VIEWS, "verify"):
                one, problems = await _read(here, endpoints, what)
                say(f"  {what}: {one.facts_per_second:,.0f} facts/s, {one.cpu_us:.1f} us a fact")
                reads.append(one)
                wrong += problems
        if number == len(fits):
            fixed = await here.fixed(endpoints, done.lived.gc_threshold)
            appends = [
                await _appended(endpoints, here.targets, batch, size.seconds) for batch in size.batches
            ]
        await here.drop(endpoints)
    machine = here.machine()
    empty, largest = [one for one in growth if not one.facts], max(growth, key=lambda one: one.facts)
    rate = spread_of(one.lived.lives_per_second for one in empty)
    windows = {f"the lives at {one.facts:,} facts": one.lived.spent for one in growth}
    windows |= {one.what: one.spent for one in reads}
    result = LogResult(
        machine=machine,
        fixed=fixed,
        others_share=max(window.others_share for window in windows.values()),
        warnings=warnings_of(machine, windows),
        wrong=wrong,
        appends=appends,
        reads=reads,
        growth=growth,
        empty_lives_per_second=rate,
        share_of_empty=largest.lived.lives_per_second / rate.median,
        share_of_empty_cpu=spread_of(one.cpu_us for one in empty).median / largest.cpu_us,
    )
    result.warnings.extend(
        f"{facts:,} facts need {(facts * BYTES_A_FACT + SPARE_BYTES) / 1e9:,.0f} GB, "
        f"which are not free here: not measured"
        for facts in size.grown
        if facts not in fits
    )
    result.warnings.extend(bars_missed(result))
    return result


def bars_missed(result: LogResult) -> list[str]:
    """Which bars are missed."""
    missed: list[str] = []
    if result.share_of_empty < SHARE_MIN:
        largest = max(one.facts for one in result.growth)
        missed.append(
            f"at {largest:,} facts {result.share_of_empty:.0%} of an empty log's lives a second, "
            f"the bar is {SHARE_MIN:.0%}"
        )
    missed.extend(
        f"{one.what}: {one.facts_per_second:,.0f} facts a second, the bar is {RATE_MIN:,.0f}"
        for one in result.reads
        if one.facts_per_second < RATE_MIN
    )
    return missed


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


async def _lived_on(
    here: BenchCity, endpoints: CityEndpoints, facts: int, size: LogSize, say: Callable[[str], None]
) -> Grew:
    database = await asyncpg.connect(endpoints.owner_dsn)
    try:
        held: int = await database.fetchval("SELECT pg_database_size(current_database())")
        await database.execute(
            "CHECKPOINT"
        )  # the growth's own dirty pages are not written at the lives' cost
    finally:
        await database.close()
    load = Load(
        lives=size.warm_up + size.lives,
        warm_up=size.warm_up,
        under_way=min(UNDER_WAY, size.warm_up + size.lives),
    )
    done = await lived(here, endpoints, load, say=say)
    say(f"  {done.lives_per_second:,.0f} lives/s; every life is checked")
    return Grew(facts=facts, bytes=held, lived=done)


async def _read(here: BenchCity, endpoints: CityEndpoints, what: str) -> tuple[Read, list[str]]:
    """Go through the whole log in one of the ways; what was found wrong."""
    database = await asyncpg.connect(endpoints.owner_dsn)
    try:
        meter = Meter({"bench": psutil.Process().pid, **here.servers}, database)
        first = await meter.read()
        problems: list[str] = []
        if what == "verify":
            report = await verify(endpoints.logins["reader"])
            facts = report.facts
            problems = [f"verify: {one.complaint_id} {one.what}" for one in report.problems[:5]]
        elif what in VIEWS:
            rebuilt = await rebuild(endpoints.owner_dsn, what)
            facts = rebuilt.facts
            if rebuilt.removed or rebuilt.added:
                problems = [f"rebuild of {what}: {rebuilt.removed} rows were wrong, {rebuilt.added} missing"]
        else:
            facts = await _bare(endpoints)
        return Read(what=what, facts=facts, spent=spent(first, await meter.read())), problems
    finally:
        await database.close()


async def _bare(endpoints: CityEndpoints) -> int:
    """Every column of every fact into Python, in order of position, and nothing done with it."""
    database = await asyncpg.connect(endpoints.logins["reader"])
    try:
        facts = 0
        async with database.transaction(readonly=True):
            cursor = await database.cursor(_READ)
            while page := await cursor.fetch(_PAGE):
                facts += len(page)
        return facts
    finally:
        await database.close()


async def _appended(
    endpoints: CityEndpoints, targets: Sequence[Target], requests: int, seconds: float
) -> Appended:
    """Requests recorded one transaction after another, on one connection."""
    log = PostgresLog(endpoints.logins["intake"], "intake", "bench.log")
    desk = Desk("intake", intake.decide, log, Telemetry("intake"))
    batches = _batches(targets, requests)
    try:
        await desk.obey(next(batches))
        transactions = facts = 0
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            facts += (await desk.obey(next(batches))).facts
            transactions += 1
        lasted = time.monotonic() - began
    finally:
        await log.close()
    return Appended(
        requests=requests, facts_per_second=facts / lasted, transaction_ms=lasted / transactions * 1e3
    )


def _batches(targets: Sequence[Target], requests: int) -> Iterator[Batch]:
    """New requests, so many at a time, without end."""
    number = 0
    while True:
        work: list[Work] = []
        for _ in range(requests):
            number += 1
            request_id = f"append-{requests}-{number}"
            identity = complaint_id(request_id)
            target = targets[number % len(targets)]
            request = request_of(request_id, target)
            record = AskedToRecord(
                complaint_id=identity, command=request, ruleset=RULESET, calendar=CALENDAR, at=RECORDED_AT
            )
            work.append(Work(record, identity, f"bench/{request_id}"))
        yield Batch(work=work)


# -- telling


def show(result: LogResult) -> None:
    """See `Part.show`."""
    print_table(
        "Lives on top of a log that has grown",
        ("facts in the log", "GB", "lives/s", "CPU us/life", "WAL kB/life", "others"),
        [
            (
                f"{one.facts:,}",
                f"{one.bytes / 1e9:,.2f}",
                f"{one.lived.lives_per_second:,.0f}",
                f"{one.cpu_us:,.0f}",
                f"{one.lived.spent.wal_bytes / one.lived.closed / 1e3:,.1f}",
                f"{one.lived.spent.others_share:.0%}",
            )
            for one in result.growth
        ],
    )
    largest = max(one.facts for one in result.growth)
    print_line(
        f"At {largest:,} facts {result.share_of_empty:.0%} of the "
        f"{median_text(result.empty_lives_per_second, ',.0f')} lives a second of an empty log "
        f"({result.share_of_empty_cpu:.0%} by processor time a life)."
    )
    if result.reads:
        print_table(
            f"The whole log gone through: {result.reads[0].facts:,} facts",
            ("", "facts/s", "CPU us a fact", "others"),
            [
                (
                    one.what,
                    f"{one.facts_per_second:,.0f}",
                    f"{one.cpu_us:.1f}",
                    f"{one.spent.others_share:.0%}",
                )
                for one in result.reads
            ],
        )
    print_table(
        "Requests recorded, two facts each: heads read, decided, written",
        ("in one transaction", "facts/s", "ms a transaction"),
        [
            (f"{one.requests:,}", f"{one.facts_per_second:,.0f}", f"{one.transaction_ms:.2f}")
            for one in result.appends
        ],
    )
    print_where(result, {"lives": f"{result.growth[0].lived.lives:,} at each size, the warm-up among them"})
    lives = sum(one.lived.lives for one in result.growth)
    print_verdict(
        result, f"All {lives:,} lives are whole, and verify found nothing wrong in what it went through."
    )


def plot(result: LogResult, path: Path) -> None:
    """See `Part.plot`: the life rate by size of the log, and the rates of going through it."""
    drawn = picture.figure("The log: lives a second as it grows, and going through it")
    growth, reads = drawn.subplots(1, 2)
    growth.plot(
        [max(one.facts, 1) for one in result.growth[:-1]],
        [one.lived.lives_per_second for one in result.growth[:-1]],
        marker="o",
        label="empty first",
    )
    growth.plot([1], [result.growth[-1].lived.lives_per_second], marker="x", label="empty again, last")
    growth.axhline(result.empty_lives_per_second.median * SHARE_MIN, linestyle=":", label="bar")
    growth.set_xscale("symlog", linthresh=1000)
    growth.set_ylim(bottom=0)
    growth.set_xlabel("facts in the log")
    growth.set_ylabel("lives a second")
    growth.legend(fontsize=7)
    bars = reads.bar([one.what for one in result.reads], [one.facts_per_second for one in result.reads])
    reads.bar_label(bars, fmt="{:,.0f}")
    reads.axhline(RATE_MIN, linestyle=":")
    reads.set_ylabel("facts a second")
    picture.save(drawn, result, path)
