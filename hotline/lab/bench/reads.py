"""Part `reads`: what a list, a count or a search costs on a long log, and what it costs to keep them up.

A log of a million complaints is grown, 400 thousand of them open. The projector goes through it. Of a smaller log it
takes the facts in one by one. Then every question of `asked` is put, again and again. Last, whole lives are lived with
and without the projector, in turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec
import psutil

from deploy.city import making
from deploy.city.endpoints import PROJECTOR, CityEndpoints
from hotline.lab.bench import picture
from hotline.lab.bench.asked import Answer, answered
from hotline.lab.bench.generator import grow_lives
from hotline.lab.bench.lives import UNDER_WAY
from hotline.lab.bench.report import median_text, print_line, print_table, print_verdict, print_where
from hotline.lab.bench.result import Fixed, Spread, spread_of, warnings_of
from hotline.lab.bench.result import Result as Base
from hotline.lab.bench.stage import BenchCity, stage
from hotline.lab.bench.whole import Load, MeasuredLives, lived
from hotline.readside.calls import Calls
from hotline.readside.comparing import SUMS
from hotline.readside.complaints import TABLES, Complaints, prepared
from hotline.upkeep.lists import rebuild_lists
from shared.log.instants import reads_any_instant
from shared.log.postgres import connect
from shared.log.projection.projector import Projection, Projector

P95_MS_MAX: Final = 50.0
FACTS_PER_SECOND_MIN: Final = 60_000.0
LIVES_SHARE_MIN: Final = 0.85
CAUGHT_UP_SECONDS_MAX: Final = 5.0
OPEN_OF_TEN: Final = 4
CALLS_A_DAY: Final = 68_000
"""As many as a city of 22 million has (A1)."""

# Two days of calls up to the last instant of the log, answered nine times in ten, at hours as they come.
_CALLS: Final = """
INSERT INTO intake.call (call_id, told)
SELECT 'call-' || n, ARRAY[intake.told(at, 'offered'), intake.told(at + n % 40 * interval '1 s', CASE
    WHEN hashint4(n) % 10 = 0 THEN 'ended hangup' ELSE 'answered' END)]
FROM (SELECT max(received_at) AS last FROM read.complaint) AS e, generate_series(1, $1::int) AS n,
    LATERAL (SELECT e.last - n * interval '1 day' / $2::int + hashint4(-n) % 1800 * interval '1 s') AS a (at)
"""
_FACTS: Final = "SELECT coalesce(sum(facts), 0)::bigint FROM read.total"
_OPEN: Final = "SELECT coalesce(sum(complaints), 0)::bigint FROM read.total WHERE stage <> 'ENDED'"
_EMPTY: Final = "TRUNCATE {}; DELETE FROM read.unread"
_FROM_THE_BEGINNING: Final = "UPDATE read.projection SET seen = '1:1:', going = NULL WHERE name = 'lists'"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadsSize:
    """How much is measured."""

    complaints: int
    calls: int
    rounds: int
    """How often each question is put."""
    caught_up: int
    """Complaints of a log of its own whose facts are taken in one by one."""
    lives: int
    warm_up: int
    pairs: int
    """How often lives are lived without the projector and with it."""

    @classmethod
    def of(cls, *, quick: bool) -> ReadsSize:
        """A million complaints, or five thousand."""
        if quick:
            return cls(
                complaints=5000, calls=2000, rounds=20, caught_up=5000, lives=3000, warm_up=1500, pairs=1
            )
        return cls(
            complaints=10**6,
            calls=2 * CALLS_A_DAY,
            rounds=200,
            caught_up=10**5,
            lives=20_000,
            warm_up=6000,
            pairs=3,
        )


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """The projector at work on what it had not taken in."""

    what: str
    facts: int
    seconds: float
    cpu_seconds: float
    """Of the projector alone."""
    postgres_cpu_seconds: float
    """Of its backend in PostgreSQL."""

    @property
    def facts_per_second(self) -> float:
        """On one core of the projector's own."""
        return self.facts / max(self.cpu_seconds, 1e-9)


class ReadsResult(Base, frozen=True, kw_only=True):
    """All that was measured."""

    complaints: int
    open: int
    answers: list[Answer]
    taken: list[Taken]
    without: list[MeasuredLives]
    beside: list[MeasuredLives]
    """The same lives with the projector at work."""
    lives_share: float
    """Lives a second with the projector by those without, of the medians."""
    caught_up_seconds: Spread


async def measured(*, quick: bool, folder: Path, say: Callable[[str], None]) -> ReadsResult:
    """See `Part.measured`; `quick` is five thousand complaints."""
    async with stage(folder, say=say, zipkin=False) as here:
        return await run(here, ReadsSize.of(quick=quick), say)


async def run(here: BenchCity, size: ReadsSize, say: Callable[[str], None]) -> ReadsResult:
    """Measure so much."""
    wrong: list[str] = []
    answers, taken, open_now = await _asked(here, size, wrong, say)
    without, beside, fixed = await _lived(here, size, say)
    wrong += [what for one in (*without, *beside) for what in one.wrong]
    machine = here.machine()
    windows = {"lives without the projector": without[-1].spent, "lives with it": beside[-1].spent}
    result = ReadsResult(
        machine=machine,
        fixed=fixed,
        others_share=max(one.others_share for one in windows.values()),
        warnings=warnings_of(machine, windows),
        wrong=wrong,
        complaints=size.complaints,
        open=open_now,
        answers=answers,
        taken=taken,
        without=without,
        beside=beside,
        lives_share=spread_of(one.lives_per_second for one in beside).median
        / spread_of(one.lives_per_second for one in without).median,
        caught_up_seconds=spread_of(one.caught_up_seconds or 0.0 for one in beside),
    )
    result.warnings.extend(bars_missed(result))
    return result


async def _asked(
    here: BenchCity, size: ReadsSize, wrong: list[str], say: Callable[[str], None]
) -> tuple[list[Answer], list[Taken], int]:
    """The answers on a long log, what the projector took for it, and how many complaints are open."""
    small = await making.create(here.addresses, "reads0", here.units, simulated=True)
    await grow_lives(small.owner_dsn, size.caught_up, open_of_ten=OPEN_OF_TEN, say=say)
    taken = [await _caught_up(small)]
    say(f"  {taken[0].facts_per_second:,.0f} facts a second of processor time are caught up with")
    await here.drop(small)
    endpoints = await making.create(here.addresses, "reads", here.units, simulated=True)
    say(f"a log is grown to {size.complaints:,} complaints")
    await grow_lives(endpoints.owner_dsn, size.complaints, open_of_ten=OPEN_OF_TEN, say=say)
    taken.append(await gone_through(endpoints, size.calls))
    say("every question is put")
    answers = await answered(
        endpoints.login("reader"), endpoints.owner_dsn, size.rounds, lives=size.complaints
    )
    wrong += [f"{one.question}: reads the whole of {', '.join(one.scans)}" for one in answers if one.scans]
    say("the lists are compared with their rebuild")
    done = await rebuild_lists(endpoints.login("operator"))
    if done.removed or done.added:
        wrong.append(f"{done.removed:,} rows were not what the facts say, {done.added:,} were missing")
    open_now = await _open(endpoints)
    await here.drop(endpoints)
    return answers, taken, open_now


async def _lived(
    here: BenchCity, size: ReadsSize, say: Callable[[str], None]
) -> tuple[list[MeasuredLives], list[MeasuredLives], Fixed]:
    """Whole lives without the projector and beside it, in turn; and by which settings they were served."""
    without: list[MeasuredLives] = []
    beside: list[MeasuredLives] = []
    for number in range(size.pairs):
        for projector, lot in ((False, without), (True, beside)):
            name = f"reads{number}{'on' if projector else 'off'}"
            endpoints = await making.create(here.addresses, name, here.units, simulated=True)
            load = Load(
                lives=size.warm_up + size.lives,
                warm_up=size.warm_up,
                under_way=UNDER_WAY,
                projector=projector,
            )
            lot.append(await lived(here, endpoints, load, say=say))
            which = "with" if projector else "without"
            say(f"  {lot[-1].lives_per_second:,.0f} lives/s {which} the projector")
            fixed = await here.fixed(endpoints, lot[-1].gc_threshold)
            await here.drop(endpoints)
    return without, beside, fixed


def bars_missed(result: ReadsResult) -> list[str]:
    """Which bars are missed."""
    missed = [
        f"{one.question}: p95 of {one.p95:,.0f} ms, the bar is {P95_MS_MAX:.0f}"
        for one in result.answers
        if one.p95 > P95_MS_MAX
    ]
    rate = result.taken[0].facts_per_second
    if rate < FACTS_PER_SECOND_MIN:
        missed.append(f"{rate:,.0f} facts/s are caught up with, the bar is {FACTS_PER_SECOND_MIN:,.0f}")
    if result.lives_share < LIVES_SHARE_MIN:
        missed.append(
            f"{result.lives_share:.0%} of the lives with the projector, the bar is {LIVES_SHARE_MIN:.0%}"
        )
    late = result.caught_up_seconds.high
    if late > CAUGHT_UP_SECONDS_MAX:
        missed.append(f"caught up {late:.1f} s after the last life, the bar is {CAUGHT_UP_SECONDS_MAX:.0f}")
    return missed


async def gone_through(endpoints: CityEndpoints, calls: int) -> Taken:
    """The whole log, for the first time, and so many calls up to its last instant; what the log took."""
    owner = await asyncpg.connect(endpoints.owner_dsn, command_timeout=3600)
    try:
        done = await _took("going through everything", endpoints, Complaints(), owner)
        await owner.execute(_CALLS, calls, CALLS_A_DAY)
        await _took("calls", endpoints, Calls(), owner)
        await owner.execute("VACUUM (ANALYZE)")  # as autovacuum would, but not while something is measured
        return done
    finally:
        await owner.close()


async def _caught_up(endpoints: CityEndpoints) -> Taken:
    """Every fact of a log, taken in as after a long stop of the projector."""
    owner = await asyncpg.connect(endpoints.owner_dsn)
    try:
        await _took("nothing", endpoints, Complaints(), owner)
        names = [f"read.{table.name}" for table in TABLES] + [f"read.{one.name}" for one in SUMS]
        await owner.execute(_EMPTY.format(", ".join(names)))
        await owner.execute(_FROM_THE_BEGINNING)
        return await _took("catching up", endpoints, Complaints(), owner)
    finally:
        await owner.close()


async def _took(
    what: str, endpoints: CityEndpoints, projection: Projection, owner: asyncpg.Connection[Any]
) -> Taken:
    """Take in all there is, in this process; what it cost."""
    connection = await connect(endpoints.login(PROJECTOR), "projector")
    try:
        await reads_any_instant(connection)
        await prepared(connection)
        backend = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
        work = Projector(connection, projection)
        began, cpu, theirs = time.monotonic(), time.process_time(), sum(backend.cpu_times()[:2])
        while (await work.step()).more:
            pass
        seconds, ours = time.monotonic() - began, time.process_time() - cpu
        return Taken(
            what=what,
            facts=await owner.fetchval(_FACTS),
            seconds=seconds,
            cpu_seconds=ours,
            postgres_cpu_seconds=sum(backend.cpu_times()[:2]) - theirs,
        )
    finally:
        await connection.close()


async def _open(endpoints: CityEndpoints) -> int:
    owner = await asyncpg.connect(endpoints.owner_dsn)
    try:
        found: int = await owner.fetchval(_OPEN)
        return found
    finally:
        await owner.close()


def show(result: ReadsResult) -> None:
    """See `Part.show`."""
    print_table(
        f"Answers at {result.complaints:,} complaints, {result.open:,} open: milliseconds, warm",
        ("", "p50", "p95", "highest", "rows"),
        [
            (
                one.question,
                f"{one.wait.p50:.1f}",
                f"{one.p95:.1f}",
                f"{one.wait.highest:.1f}",
                f"{one.rows:,}",
            )
            for one in result.answers
        ],
    )
    print_table(
        "By which plans, with the rows each node read",
        ("", "plan"),
        [(one.question, one.plan) for one in result.answers],
    )
    print_table(
        "The projector behind a log: facts a second of its own processor time",
        ("", "facts/s", "facts", "seconds", "CPU s", "its backend's CPU s"),
        [
            (
                one.what,
                f"{one.facts_per_second:,.0f}",
                f"{one.facts:,}",
                f"{one.seconds:,.1f}",
                f"{one.cpu_seconds:,.1f}",
                f"{one.postgres_cpu_seconds:,.1f}",
            )
            for one in result.taken
        ],
    )
    print_line(
        f"With the projector {result.lives_share:.0%} of the lives a second without it "
        f"({median_text(spread_of(one.lives_per_second for one in result.beside), ',.0f')} and "
        f"{median_text(spread_of(one.lives_per_second for one in result.without), ',.0f')}); caught up "
        f"{median_text(result.caught_up_seconds, '.1f')} s after the last life."
    )
    print_where(result)
    print_verdict(result, "The lists are what their rebuild says, and no answer reads a table of the log.")


def plot(result: ReadsResult, path: Path) -> None:
    """See `Part.plot`: the p95 of each answer."""
    drawn = picture.figure("Lists, counts and searches: p95 of each answer")
    axes = drawn.subplots()
    names = [one.question for one in result.answers]
    bars = axes.barh(names[::-1], [one.p95 for one in result.answers][::-1])
    axes.bar_label(bars, fmt="{:,.1f}")
    axes.set_xlabel("milliseconds")
    axes.axvline(P95_MS_MAX, linestyle="--")
    picture.save(drawn, result, path)
