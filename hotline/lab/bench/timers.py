"""Part `timers`: what open timers cost, and whether a thousand a second fire in time, once, never early.

Open timers are copied into `es.timer`; everything else goes the system's own way: the tick is escalation's
`Ticker`, timers are set and cancelled by `es.append`, those that fire belong to complaints that the desks'
own rules have recorded and dispatched, and `python -m services.escalation` fires them.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
import msgspec

from deploy.city import city
from deploy.city.city import Realm
from deploy.supervision.supervisor import Supervisor
from hotline.lab.bench import picture
from hotline.lab.bench.city import Target, catalogue_of, request_of
from hotline.lab.bench.meter import Meter, Spent, spent
from hotline.lab.bench.place import Place
from hotline.lab.bench.report import print_line, print_table, print_verdict, print_where, told
from hotline.lab.bench.result import Fixed, Spread, Wait, spread_of, wait_of, warnings_of
from hotline.lab.bench.result import Result as Base
from hotline.lab.bench.stage import TRACES_RATIO, Stage, stage
from services.dispatch import rules as dispatch
from services.dispatch.commands import DispatchComplaint
from services.escalation import rules as escalation
from services.escalation.inbound import Ticker
from services.escalation.settings import Settings
from services.intake import rules as intake
from services.intake.commands import RecordRequest
from shared.desk import Desk
from shared.events import Urgency
from shared.ids import complaint_id, derived
from shared.log import TIMER_SHARDS, Append, timer_shard
from shared.log.postgres import SETTINGS, PostgresLog, connect
from shared.policy.calendar import calendar
from shared.policy.catalogue import Catalogue
from shared.policy.deadlines import due_at
from shared.policy.limits import DayKind
from shared.policy.ruleset import ruleset
from shared.runtime.garbage import tune_gc
from shared.runtime.telemetry import Telemetry, set_up_logs
from shared.versions import RULESET
from shared.work import Batch, Work

TICKS: Final = 200
"""Ticks in one reading; five readings at each size."""
READINGS: Final = 5
AT_ONCE: Final = 100
"""Timers set, or cancelled, in one transaction."""
PREPARED_AT_ONCE: Final = 2000
SIGN_LIMIT: Final = timedelta(minutes=15)
"""Of the class CRITICAL_2H of the rule set: the limit that is let pass."""
CALENDAR: Final = "cn-1"
TICK_GROWTH_MAX: Final = 1.2
DELAY_P99_MS_MAX: Final = 1000.0
DRAIN_SECONDS_MAX: Final = 120.0
DEADLINES_PER_SECOND_MIN: Final = 200_000
DEADLINE_YEARS: Final = (2021, 2022, 2023)
STARTS: Final = 50_000
PREPARED_SPARE: Final = 1.6
"""By how much longer than foreseen preparing may take before limits pass too soon."""
STARTS_SECONDS: Final = 10.0
"""What escalation needs to start."""

PLAIN: Final = "as it is"
HELD: Final = "an old snapshot held"

_OPEN: Final = "SELECT count(*) FROM es.timer"
_DUE: Final = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM es.due($1, $2, $3, 2000)"
_MISSED: Final = """
SELECT stream_id, occurred_at AS due_at,
       extract(epoch FROM recorded_at - occurred_at)::float * 1000 AS late_ms,
       (convert_from(body, 'UTF8')::jsonb ->> 'noticed_at')::timestamptz <= occurred_at AS early
FROM es.event WHERE type = 'SignLimitMissed' AND position > $1
"""
_FIRED: Final = "SELECT count(*) FROM es.event WHERE type = 'SignLimitMissed' AND position > $1"
_DEAD: Final = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE schemaname = 'es' AND relname = 'timer'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    open_timers: Sequence[int]
    """Ascending."""
    rate: int
    """Fires a second."""
    seconds: int
    rounds: int = 20
    """Transactions that set, and that cancel, at each size."""

    @classmethod
    def of(cls, *, quick: bool) -> Size:
        """10 million open timers and five minutes, or 100 thousand and twenty seconds."""
        if quick:
            return cls(open_timers=(10_000, 100_000), rate=1000, seconds=20)
        return cls(open_timers=(10_000, 100_000, 1_000_000, 10_000_000), rate=1000, seconds=300)


class AtSize(msgspec.Struct, frozen=True, kw_only=True):
    """What things cost with so many timers open."""

    open_timers: int
    tick_ms: Spread
    """A tick in which nothing is due: both statements, from Python."""
    tick_pages: int
    """Pages PostgreSQL looks at to find that nothing is due: no other load changes this."""
    set_us: Spread
    """One timer of a hundred set in one transaction."""
    cancel_us: Spread
    spent: Spent


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """Limits that passed at a steady rate, once."""

    how: str
    asked: int
    fired: int
    """Misses stated: as many as asked for, or something is wrong."""
    delay: Wait
    """From the limit to the fact in the log."""
    early: int
    twice: int
    lost: int
    due_before_start: int
    """Limits that had passed when escalation started: checked, but not in `delay`."""
    tick_after_ms: Spread
    """A tick in which nothing is due, right behind the last fire (the old snapshot still held)."""
    dead_rows: int
    """Rows of fired timers that PostgreSQL had not yet cleared away by then, as it estimates."""
    cores: dict[str, float]
    spent: Spent


class Result(Base, frozen=True, kw_only=True):
    """Costs by number of open timers, and the fires."""

    sizes: list[AtSize]
    tick_growth: float
    """A tick at the largest number by one at the smallest."""
    rate: int
    fires: list[Fired]
    deadlines_per_second: Spread
    """Limits computed on one core, by the calendar, on days asked for the first time."""


async def measured(*, quick: bool, folder: Path, say: Callable[[str], None]) -> Result:
    """See `Part.measured`; `quick` is 100 thousand open timers and twenty seconds."""
    tune_gc()
    set_up_logs("ERROR")  # what a Ticker here says of itself is no part of the result
    async with stage(folder, say=say, zipkin=False) as here:
        return await run(here, Size.of(quick=quick), say)


async def run(here: Stage, size: Size, say: Callable[[str], None]) -> Result:
    """Measure so much."""
    realm = await city.create(here.addresses, "timers", here.units)
    catalogue, targets = catalogue_of(len(here.units))
    owner = await asyncpg.connect(realm.owner_dsn, server_settings=SETTINGS, command_timeout=3600)
    sizes: list[AtSize] = []
    fires: list[Fired] = []
    wrong: list[str] = []
    try:
        held = 0
        for number in size.open_timers:
            say(f"{number:,} open timers")
            await _open(owner, number - held)
            held = number
            sizes.append(await _at_size(here, realm, owner, number, size.rounds))
            say(f"  a tick {sizes[-1].tick_ms.median:.2f} ms, {sizes[-1].tick_pages} pages")
            if (now := await owner.fetchval(_OPEN)) != number:
                wrong.append(f"{number:,} timers were open, after setting and cancelling {now:,} are")
        for how in (PLAIN, HELD):
            say(f"{size.rate * size.seconds:,} limits pass, {size.rate:,} a second: {how}")
            done = await _fires(here, realm, owner, catalogue, targets, size, how, say)
            say(f"  p50 {done.delay.p50:.0f} ms, p99 {done.delay.p99:.0f} ms")
            fires.append(done)
    finally:
        await owner.close()
    fixed = await here.fixed(realm, gc.get_threshold())
    place = here.place()
    return judged(place, fixed, size, sizes, fires, wrong)


def judged(
    place: Place, fixed: Fixed, size: Size, sizes: list[AtSize], fires: list[Fired], wrong: list[str]
) -> Result:
    """What is to be said about them."""
    growth = sizes[-1].tick_ms.median / sizes[0].tick_ms.median
    windows = {f"{one.open_timers:,} open timers": one.spent for one in sizes}
    windows |= {f"the fires ({one.how})": one.spent for one in fires}
    warnings = warnings_of(place, windows)
    computed = deadlines_per_second()
    if computed.median < DEADLINES_PER_SECOND_MIN:
        warnings.append(
            f"{computed.median:,.0f} limits are computed a second, the bar is {DEADLINES_PER_SECOND_MIN:,}"
        )
    if growth > TICK_GROWTH_MAX:
        warnings.append(
            f"a tick at {sizes[-1].open_timers:,} open timers takes {growth:.2f} times as long as at "
            f"{sizes[0].open_timers:,}, the bar is {TICK_GROWTH_MAX:g}"
        )
    for one in fires:
        if one.delay.p99 > DELAY_P99_MS_MAX:
            warnings.append(
                f"{one.how}: p99 of {one.delay.p99:,.0f} ms from limit to fact, the bar is "
                f"{DELAY_P99_MS_MAX:g}"
            )
        if one.due_before_start:
            warnings.append(
                f"{one.how}: {one.due_before_start:,} limits had passed before escalation started; their "
                f"delays are not counted"
            )
    return Result(
        place=place,
        fixed=fixed,
        others_share=max(one.others_share for one in windows.values()),
        warnings=warnings,
        wrong=[*wrong, *(what for one in fires for what in wrong_with_fires(one))],
        sizes=sizes,
        tick_growth=growth,
        rate=size.rate,
        fires=fires,
        deadlines_per_second=computed,
    )


def deadlines_per_second() -> Spread:
    """How many limits one core computes: the four classes' by natural and by working days, as many starts as a day has.

    A desk asks about the days of one week again and again; each run here is about a year of its own, so that at its
    beginning nothing of it is known.
    """
    natural, days = ruleset(RULESET), calendar("cn-1")
    working = msgspec.structs.replace(natural, day_kind=DayKind.WORKING)
    asked = [
        (limits.feedback, rules)
        for rules in (natural, working)
        for limits in natural.classes.values()
        if limits.feedback is not None
    ]
    runs: list[float] = []
    for year in DEADLINE_YEARS:
        starts = [
            datetime(year, 1, 1, tzinfo=UTC) + timedelta(seconds=number * 97) for number in range(STARTS)
        ]
        began_at = time.process_time()
        for start in starts:
            for limit, rules in asked:
                due_at(start, limit, rules, days)
        runs.append(STARTS * len(asked) / (time.process_time() - began_at))
    return spread_of(runs)


def wrong_with_fires(fired: Fired) -> list[str]:
    """What was lost, doubled or early."""
    wrong: list[str] = []
    if fired.lost:
        wrong.append(f"{fired.how}: {fired.lost} of {fired.asked} limits that passed were never stated")
    if fired.twice:
        wrong.append(f"{fired.how}: {fired.twice} misses were stated twice")
    if fired.early:
        wrong.append(f"{fired.how}: {fired.early} misses were stated before their limit had passed")
    return wrong


# -- open timers


async def _open(owner: asyncpg.Connection[Any], number: int) -> None:
    """Copy so many timers, due over the months to come."""
    far = datetime.now(UTC) + timedelta(days=30)

    def rows() -> Iterator[tuple[UUID, int, int, datetime]]:
        for count in range(number):
            stream = uuid4()
            yield stream, 2, timer_shard(stream.hex), far + timedelta(seconds=count % 8_000_000)

    await owner.copy_records_to_table(
        "timer",
        schema_name="es",
        columns=("stream_id", "kind", "shard", "due_at"),
        records=rows(),
    )
    await owner.execute("VACUUM (ANALYZE) es.timer")


async def _at_size(
    here: Stage, realm: Realm, owner: asyncpg.Connection[Any], number: int, rounds: int
) -> AtSize:
    meter = Meter({"bench": os.getpid(), **here.servers}, owner)
    first = await meter.read()
    tick = await _tick_ms(realm)
    until = datetime.now(UTC)
    pages = 0
    for _ in range(2):  # the first look settles hints
        plan = await owner.fetchval(_DUE, list(range(TIMER_SHARDS)), until - timedelta(minutes=5), until)
        node = json.loads(plan)[0]["Plan"]
        pages = node["Shared Hit Blocks"] + node["Shared Read Blocks"]
    setting, cancelling = await _set_and_cancel_us(realm, rounds)
    return AtSize(
        open_timers=number,
        tick_ms=tick,
        tick_pages=pages,
        set_us=setting,
        cancel_us=cancelling,
        spent=spent(first, await meter.read()),
    )


async def _tick_ms(realm: Realm) -> Spread:
    """Escalation's own tick, nothing being due."""
    dsn = realm.logins["escalation"]
    log = PostgresLog(dsn, "escalation", "bench.tick")
    desk = Desk(
        "escalation", partial(escalation.decide, catalogue=catalogue_of(34)[0]), log, Telemetry("bench")
    )
    ticker = Ticker(Settings(kafka=realm.kafka, postgres=dsn), desk)
    connection = await connect(dsn, "bench.tick")
    readings: list[float] = []
    try:
        await ticker.own(connection)
        for _ in range(20):
            await ticker.tick(connection)
        for _ in range(READINGS):
            began = time.perf_counter()
            for _ in range(TICKS):
                await ticker.tick(connection)
            readings.append((time.perf_counter() - began) / TICKS * 1e3)
    finally:
        await connection.close()
        await log.close()
    return spread_of(readings)


async def _set_and_cancel_us(realm: Realm, rounds: int) -> tuple[Spread, Spread]:
    """A hundred timers a transaction, as a desk writes them; all are gone again afterwards."""
    log = PostgresLog(realm.logins["escalation"], "escalation", "bench.set")
    far = datetime.now(UTC) + timedelta(days=60)
    setting: list[float] = []
    cancelling: list[float] = []
    try:
        for number in range(rounds):
            streams = [derived("bench timer", str(number), str(n), str(time.time())) for n in range(AT_ONCE)]
            append = Append(
                timer_stream=streams,
                timer_kind=[2] * AT_ONCE,
                timer_shard=[timer_shard(stream) for stream in streams],
                timer_due=[far] * AT_ONCE,
            )
            cancel = Append(cancel_stream=streams, cancel_kind=[2] * AT_ONCE)
            for readings, written in ((setting, append), (cancelling, cancel)):
                began = time.perf_counter()
                await log.append(written)
                readings.append((time.perf_counter() - began) / AT_ONCE * 1e6)
    finally:
        await log.close()
    return spread_of(setting), spread_of(cancelling)


# -- fires


class _Prepared:
    """Complaints recorded and dispatched by the desks' own rules, each with a sign limit that will pass."""

    def __init__(self, realm: Realm, catalogue: Catalogue, targets: Sequence[Target]) -> None:
        self._targets = targets[2:]  # a limit that a municipal unit misses has nobody above it to be told
        telemetry = Telemetry("bench")
        self._logs = [PostgresLog(realm.logins[desk], desk, "bench") for desk in ("intake", "dispatch")]
        self._intake = Desk("intake", intake.decide, self._logs[0], telemetry)
        self._dispatch = Desk(
            "dispatch", partial(dispatch.decide, catalogue=catalogue), self._logs[1], telemetry
        )

    async def make(self, name: str, dues: Sequence[datetime]) -> None:
        """One complaint for each of these limits."""
        for start in range(0, len(dues), PREPARED_AT_ONCE):
            recorded: list[Work] = []
            dispatched: list[Work] = []
            for number, due in enumerate(dues[start : start + PREPARED_AT_ONCE], start):
                request_id = f"{name}-{number}"
                complaint, at = complaint_id(request_id), due - SIGN_LIMIT
                target = self._targets[number % len(self._targets)]
                request = request_of(request_id, target, urgency=Urgency.CRITICAL_2H)
                record = RecordRequest(
                    complaint_id=complaint, request=request, ruleset=RULESET, calendar=CALENDAR, at=at
                )
                recorded.append(Work(record, complaint, f"bench/{request_id}"))
                order = DispatchComplaint(complaint_id=complaint, at=at)
                dispatched.append(Work(order, complaint, f"bench/{request_id}/order"))
            await self._intake.obey(Batch(work=recorded))
            await self._dispatch.obey(Batch(work=dispatched))

    async def close(self) -> None:
        for log in self._logs:
            await log.close()


async def _fires(
    here: Stage,
    realm: Realm,
    owner: asyncpg.Connection[Any],
    catalogue: Catalogue,
    targets: Sequence[Target],
    size: Size,
    how: str,
    say: Callable[[str], None],
) -> Fired:
    """Let limits pass at a steady rate, and count what escalation says of them."""
    asked = size.rate * size.seconds
    position: int = await owner.fetchval("SELECT coalesce(max(position), 0) FROM es.event")
    begins = await _prepare(realm, catalogue, targets, size, how)
    ends = begins + timedelta(seconds=size.seconds)
    say(f"  {asked:,} complaints stand in the log; the first limit passes at {begins:%H:%M:%S} UTC")
    async with _old_snapshot(realm, held=how == HELD):
        async with _escalation(here, realm, say) as pids:
            started: datetime = await owner.fetchval("SELECT clock_timestamp()")
            await _until(owner, begins)
            meter = Meter({**pids, **here.servers}, owner)
            first = await meter.read()
            await _until(owner, ends)
            used = spent(first, await meter.read())
            await _all_fired(owner, position, asked)
        tick_after = await _tick_ms(realm)
        dead: int = await owner.fetchval(_DEAD)
    rows = await owner.fetch(_MISSED, position)
    distinct = len({row["stream_id"] for row in rows})
    return Fired(
        how=how,
        asked=asked,
        fired=len(rows),
        delay=wait_of([row["late_ms"] for row in rows if row["due_at"] > started]),
        early=sum(row["early"] for row in rows),
        twice=len(rows) - distinct,
        lost=asked - distinct,
        due_before_start=sum(row["due_at"] <= started for row in rows),
        tick_after_ms=tick_after,
        dead_rows=dead,
        cores={name: seconds / used.seconds for name, seconds in used.cpu_seconds.items()},
        spent=used,
    )


async def _prepare(
    realm: Realm, catalogue: Catalogue, targets: Sequence[Target], size: Size, how: str
) -> datetime:
    """Make the complaints whose limits pass; gives when the first one does, after all have been made."""
    prepared = _Prepared(realm, catalogue, targets)
    asked = size.rate * size.seconds
    try:
        began, tried = time.monotonic(), min(asked, PREPARED_AT_ONCE)
        far = datetime.now(UTC) + timedelta(days=90)
        await prepared.make(f"{how} trial", [far] * tried)
        needed = (time.monotonic() - began) * asked / tried
        begins = datetime.now(UTC) + timedelta(seconds=needed * PREPARED_SPARE + STARTS_SECONDS)
        await prepared.make(how, [begins + timedelta(seconds=n / size.rate) for n in range(asked)])
    finally:
        await prepared.close()
    return begins


async def _until(owner: asyncpg.Connection[Any], instant: datetime) -> None:
    """Wait until PostgreSQL's clock, by which timers fire, is there."""
    now: datetime = await owner.fetchval("SELECT clock_timestamp()")
    await asyncio.sleep(max(0.0, (instant - now).total_seconds()))


async def _all_fired(owner: asyncpg.Connection[Any], position: int, asked: int) -> None:
    """Wait until all have fired, or no more is to be hoped for; what would be stated twice has its time."""
    deadline = time.monotonic() + DRAIN_SECONDS_MAX
    while time.monotonic() < deadline:
        if await owner.fetchval(_FIRED, position) >= asked:
            break
        await asyncio.sleep(0.5)
    await asyncio.sleep(1.0)


@asynccontextmanager
async def _old_snapshot(realm: Realm, *, held: bool) -> AsyncIterator[None]:
    """A session that forgets to end its transaction: no fired timer's row can be cleared away meanwhile."""
    if not held:
        yield
        return
    session = await asyncpg.connect(realm.owner_dsn)
    try:
        async with session.transaction(isolation="repeatable_read", readonly=True):
            await session.fetchval(_OPEN + " WHERE stream_id = $1", uuid4())
            yield
    finally:
        await session.close()


@asynccontextmanager
async def _escalation(here: Stage, realm: Realm, say: Callable[[str], None]) -> AsyncIterator[dict[str, int]]:
    """Escalation alone, as in production: what it writes is what is measured, nobody reads it meanwhile."""
    services = city.services(
        realm,
        here.stack.folder / "logs" / realm.name,
        traces_ratio=TRACES_RATIO,
        ruleset=RULESET,
        catalogue=str(here.catalogue),
    )
    supervisor = Supervisor([s for s in services if s.name == "escalation"], stack=None, say=say)
    await supervisor.start()
    watching = asyncio.ensure_future(supervisor.watch())
    try:
        yield supervisor.pids()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await supervisor.stop()


# -- telling


def show(result: Result) -> None:
    """See `Part.show`."""
    print_table(
        "What open timers cost",
        ("open timers", "tick ms", "pages a tick", "set us", "cancel us", "others"),
        [
            (
                f"{one.open_timers:,}",
                told(one.tick_ms, ".2f"),
                str(one.tick_pages),
                f"{one.set_us.median:.0f}",
                f"{one.cancel_us.median:.0f}",
                f"{one.spent.others_share:.0%}",
            )
            for one in result.sizes
        ],
    )
    print_line(
        f"A tick at {result.sizes[-1].open_timers:,} open timers takes {result.tick_growth:.2f} times as long "
        f"as at {result.sizes[0].open_timers:,}."
    )
    print_table(
        f"{result.rate:,} limits pass a second, {result.fires[0].asked:,} in all, "
        f"{result.sizes[-1].open_timers:,} others open",
        ("", "p50 ms", "p99 ms", "highest", "early", "twice", "lost", "tick after ms", "dead rows", "others"),
        [
            (
                one.how,
                f"{one.delay.p50:,.0f}",
                f"{one.delay.p99:,.0f}",
                f"{one.delay.highest:,.0f}",
                str(one.early),
                str(one.twice),
                str(one.lost),
                told(one.tick_after_ms, ".2f"),
                f"{one.dead_rows:,}",
                f"{one.spent.others_share:.0%}",
            )
            for one in result.fires
        ],
    )
    print_table(
        "Cores kept busy while they fire",
        ("", *(one.how for one in result.fires)),
        [(name, *(f"{one.cores[name]:.2f}" for one in result.fires)) for name in result.fires[0].cores],
    )
    print_line(
        f"One core computes {told(result.deadlines_per_second, ',.0f')} limits a second "
        f"(bar {DEADLINES_PER_SECOND_MIN:,})."
    )
    print_where(result, {"timers in a transaction": f"{AT_ONCE} set or cancelled"})
    fired = sum(one.fired for one in result.fires)
    print_verdict(result, f"All {fired:,} limits that passed were stated once, none early.")


def plot(result: Result, path: Path) -> None:
    """See `Part.plot`: cost by number of open timers, and the delays of the fires."""
    drawn = picture.figure("Timers: what open ones cost, and how late a thousand a second fire")
    costs, delays = drawn.subplots(1, 2)
    counts = [one.open_timers for one in result.sizes]
    for name, values in (
        ("an empty tick, us", [one.tick_ms.median * 1e3 for one in result.sizes]),
        ("setting one of a hundred, us", [one.set_us.median for one in result.sizes]),
        ("cancelling one of a hundred, us", [one.cancel_us.median for one in result.sizes]),
    ):
        costs.plot(counts, values, marker="o", label=name)
    costs.set_xscale("log")
    costs.set_ylim(bottom=0)
    costs.set_xlabel("open timers")
    costs.legend(fontsize=7)
    names = [one.how for one in result.fires]
    places = list(range(len(names)))
    delays.bar([x - 0.2 for x in places], [one.delay.p50 for one in result.fires], width=0.4, label="p50")
    delays.bar([x + 0.2 for x in places], [one.delay.p99 for one in result.fires], width=0.4, label="p99")
    delays.axhline(DELAY_P99_MS_MAX, linestyle=":", label="bar for p99")
    delays.set_xticks(places, names)
    delays.set_ylabel("ms from limit to fact")
    delays.legend(fontsize=7)
    picture.save(drawn, result, path)
