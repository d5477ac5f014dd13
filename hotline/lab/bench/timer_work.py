"""Work with open timers: they are made, ticked over, set and cancelled, and fired by escalation."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
import msgspec

from deploy.city import served
from deploy.city.endpoints import CityEndpoints
from deploy.supervision.supervisor import Supervisor
from hotline.lab.bench.city import Target, catalogue_of, request_of
from hotline.lab.bench.meter import Meter, Spent, spent
from hotline.lab.bench.result import Spread, Wait, spread_of, wait_of
from hotline.lab.bench.stage import TRACES_RATIO, BenchCity
from services.dispatch import rules as dispatch
from services.dispatch.decisions.dispatching import DispatchComplaint
from services.escalation import rules as escalation
from services.escalation.settings import Settings
from services.escalation.ticker import Ticker
from services.intake import rules as intake
from services.intake.decisions.recording import AskedToRecord
from shared.desk import Desk
from shared.events import Urgency
from shared.ids import complaint_id, derived
from shared.log import TIMER_SHARDS, Append, timer_shard
from shared.log.postgres import PostgresLog, connect
from shared.policy.catalogue import Catalogue
from shared.runtime.telemetry import Telemetry
from shared.versions import RULESET
from shared.work import Batch, Work

READINGS: Final = 5
AT_ONCE: Final = 100
"""Timers set, or cancelled, in one transaction."""
PREPARED_AT_ONCE: Final = 2000
SIGN_LIMIT: Final = timedelta(minutes=15)
"""Of the class CRITICAL_2H of the rule set: the limit that is let pass."""
CALENDAR: Final = "cn-1"
PREPARED_SPARE: Final = 1.6
"""By how much longer than foreseen preparing may take before limits pass too soon."""
STARTS_SECONDS: Final = 10.0
"""The settings with which escalation starts."""
_MISSED: Final = """
SELECT stream_id, occurred_at AS due_at,
       extract(epoch FROM recorded_at - occurred_at)::float * 1000 AS late_ms,
       (convert_from(body, 'UTF8')::jsonb ->> 'noticed_at')::timestamptz <= occurred_at AS early
FROM es.event WHERE type = 'SignLimitMissed' AND position > $1
"""
_FIRED: Final = "SELECT count(*) FROM es.event WHERE type = 'SignLimitMissed' AND position > $1"
_DEAD: Final = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE schemaname = 'es' AND relname = 'timer'"


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


def wrong_with_fires(fired: Fired) -> list[str]:
    """Facts that were lost, doubled or early."""
    wrong: list[str] = []
    if fired.lost:
        wrong.append(f"{fired.how}: {fired.lost} of {fired.asked} limits that passed were never stated")
    if fired.twice:
        wrong.append(f"{fired.how}: {fired.twice} misses were stated twice")
    if fired.early:
        wrong.append(f"{fired.how}: {fired.early} misses were stated before their limit had passed")
    return wrong


class _Prepared:
    """Complaints recorded and dispatched by the desks' own rules, each with a sign limit that will pass."""

    def __init__(self, endpoints: CityEndpoints, catalogue: Catalogue, targets: Sequence[Target]) -> None:
        self._targets = targets[2:]  # a limit that a municipal unit misses has nobody above it to be told
        telemetry = Telemetry("bench")
        self._logs = [PostgresLog(endpoints.logins[desk], desk, "bench") for desk in ("intake", "dispatch")]
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
                record = AskedToRecord(
                    complaint_id=complaint, command=request, ruleset=RULESET, calendar=CALENDAR, at=at
                )
                recorded.append(Work(record, complaint, f"bench/{request_id}"))
                order = DispatchComplaint(complaint_id=complaint, at=at)
                dispatched.append(Work(order, complaint, f"bench/{request_id}/order"))
            await self._intake.obey(Batch(work=recorded))
            await self._dispatch.obey(Batch(work=dispatched))

    async def close(self) -> None:
        for log in self._logs:
            await log.close()


async def fire_all(
    here: BenchCity,
    endpoints: CityEndpoints,
    owner: asyncpg.Connection[Any],
    catalogue: Catalogue,
    targets: Sequence[Target],
    size: TimerSize,
    how: str,
    say: Callable[[str], None],
) -> Fired:
    """Let limits pass at a steady rate, and count what escalation says of them."""
    asked = size.rate * size.seconds
    position: int = await owner.fetchval("SELECT coalesce(max(position), 0) FROM es.event")
    begins = await _prepare(endpoints, catalogue, targets, size, how)
    ends = begins + timedelta(seconds=size.seconds)
    say(f"  {asked:,} complaints stand in the log; the first limit passes at {begins:%H:%M:%S} UTC")
    async with _old_snapshot(endpoints, held=how == HELD):
        async with _escalation(here, endpoints, say) as pids:
            started: datetime = await owner.fetchval("SELECT clock_timestamp()")
            await _until(owner, begins)
            meter = Meter({**pids, **here.servers}, owner)
            first = await meter.read()
            await _until(owner, ends)
            used = spent(first, await meter.read())
            await _all_fired(owner, position, asked)
        tick_after = await _tick_ms(endpoints)
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
    endpoints: CityEndpoints, catalogue: Catalogue, targets: Sequence[Target], size: TimerSize, how: str
) -> datetime:
    """Make the complaints whose limits pass; gives when the first one does, after all have been made."""
    prepared = _Prepared(endpoints, catalogue, targets)
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
async def _escalation(
    here: BenchCity, endpoints: CityEndpoints, say: Callable[[str], None]
) -> AsyncIterator[dict[str, int]]:
    """Escalation alone, as in production: what it writes is what is measured, nobody reads it meanwhile."""
    services = served.services(
        endpoints,
        here.stack.folder / "logs" / endpoints.name,
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


TICKS: Final = 200
"""Ticks in one reading; five readings at each size."""
DRAIN_SECONDS_MAX: Final = 120.0
HELD: Final = "an old snapshot held"

OPEN: Final = "SELECT count(*) FROM es.timer"
_DUE: Final = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM es.due($1, $2, $3, 2000)"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerSize:
    """How much is measured."""

    open_timers: Sequence[int]
    """Ascending."""
    rate: int
    """Fires a second."""
    seconds: int
    rounds: int = 20
    """Transactions that set, and that cancel, at each size."""

    @classmethod
    def of(cls, *, quick: bool) -> TimerSize:
        """10 million open timers and five minutes, or 100 thousand and twenty seconds."""
        if quick:
            return cls(open_timers=(10_000, 100_000), rate=1000, seconds=20)
        return cls(open_timers=(10_000, 100_000, 1_000_000, 10_000_000), rate=1000, seconds=300)


class AtSize(msgspec.Struct, frozen=True, kw_only=True):
    """The cost of each step with so many timers open."""

    open_timers: int
    tick_ms: Spread
    """A tick in which nothing is due: both statements, from Python."""
    tick_pages: int
    """Pages PostgreSQL looks at to find that nothing is due: no other load changes this."""
    set_us: Spread
    """One timer of a hundred set in one transaction."""
    cancel_us: Spread
    spent: Spent


async def open_timers(owner: asyncpg.Connection[Any], number: int) -> None:
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


async def at_size(
    here: BenchCity, endpoints: CityEndpoints, owner: asyncpg.Connection[Any], number: int, rounds: int
) -> AtSize:
    """The cost of a tick, a setting and a cancelling beside so many open timers."""
    meter = Meter({"bench": os.getpid(), **here.servers}, owner)
    first = await meter.read()
    tick = await _tick_ms(endpoints)
    until = datetime.now(UTC)
    pages = 0
    for _ in range(2):  # the first look settles hints
        plan = await owner.fetchval(_DUE, list(range(TIMER_SHARDS)), until - timedelta(minutes=5), until)
        node = json.loads(plan)[0]["Plan"]
        pages = node["Shared Hit Blocks"] + node["Shared Read Blocks"]
    setting, cancelling = await _set_and_cancel_us(endpoints, rounds)
    return AtSize(
        open_timers=number,
        tick_ms=tick,
        tick_pages=pages,
        set_us=setting,
        cancel_us=cancelling,
        spent=spent(first, await meter.read()),
    )


async def _tick_ms(endpoints: CityEndpoints) -> Spread:
    """Escalation's own tick, nothing being due."""
    dsn = endpoints.logins["escalation"]
    log = PostgresLog(dsn, "escalation", "bench.tick")
    desk = Desk(
        "escalation", partial(escalation.decide, catalogue=catalogue_of(34)[0]), log, Telemetry("bench")
    )
    ticker = Ticker(Settings(kafka=endpoints.kafka, postgres=dsn), desk)
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


async def _set_and_cancel_us(endpoints: CityEndpoints, rounds: int) -> tuple[Spread, Spread]:
    """A hundred timers a transaction, as a desk writes them; all are gone again afterwards."""
    log = PostgresLog(endpoints.logins["escalation"], "escalation", "bench.set")
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


@asynccontextmanager
async def _old_snapshot(endpoints: CityEndpoints, *, held: bool) -> AsyncIterator[None]:
    """A session that forgets to end its transaction: no fired timer's row can be cleared away meanwhile."""
    if not held:
        yield
        return
    session = await asyncpg.connect(endpoints.owner_dsn)
    try:
        async with session.transaction(isolation="repeatable_read", readonly=True):
            await session.fetchval(OPEN + " WHERE stream_id = $1", uuid4())
            yield
    finally:
        await session.close()
