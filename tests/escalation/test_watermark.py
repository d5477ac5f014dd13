"""The clock finds what became known late at the next tick, and what fired costs it next to nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import pytest

from hotline.upkeep.rebuild import rebuild
from services.escalation import watermark
from services.escalation.due import PASSED_OVER_SECONDS, TimersByTheLog
from services.escalation.settings import Settings
from services.escalation.ticker import Ticker
from services.escalation.watermark import Watermark
from shared.complaint import Case
from shared.desk import Desk
from shared.events import Fact
from shared.ids import ComplaintId
from shared.log import timer_shard
from shared.log.postgres import PostgresLog, connect
from shared.work import Batch
from tests.desks import decide_of, desk_on, dispatch_of, lives

connected = pytest.mark.connected

FIRED = 20_000
FIRED_OVER = timedelta(minutes=4)
DAYS_LATE = timedelta(days=3)


# -- the rule by itself


@dataclass
class _Transaction:
    """One that writes a timer: it takes its lock, then reads the clock, then commits."""

    begins_at: int
    reads_at: int
    commits_at: int
    due_at: int

    @property
    def look_at(self) -> int:
        return max(self.due_at, self.reads_at)


def _missed(seed: int, *, blind: bool) -> list[_Transaction]:
    """Timers a random day leaves below the watermark; `blind`: nobody says who is writing."""
    random = Random(seed)
    day = [
        _Transaction(begin, read, random.randint(read, read + 40), random.randint(read - 60, read + 60))
        for begin in random.sample(range(300), 60)
        for read in (random.randint(begin, begin + 20),)
    ]
    mark, fired = Watermark(), set[int]()
    start = datetime(2026, 1, 1, tzinfo=UTC)

    def instant(tick: int) -> datetime:
        return start + timedelta(minutes=tick)  # so that the slack is nothing

    def tick(now: int, looks_at: int) -> list[_Transaction]:
        writers = {str(n) for n, one in enumerate(day) if one.begins_at <= now < one.commits_at}
        asked = None if random.random() < 0.3 else frozenset() if blind else frozenset(writers)
        mark.reached(instant(now), asked, now * 60.0)
        due = [n for n, one in enumerate(day) if one.commits_at <= looks_at and one.look_at < now]
        due = [n for n in due if n not in fired]
        seen = [n for n in due if instant(day[n].look_at) >= mark.low]
        mark.looked(min((instant(day[n].look_at) for n in seen), default=None))
        fired.update(seen)
        return [day[n] for n in due if n not in fired]

    missed: list[_Transaction] = []
    now = 0
    while now < 500:
        missed += tick(now, now + random.randint(0, 3))
        now += random.randint(4, 12)
    return missed


@pytest.mark.parametrize("seed", range(50))
def test_whatever_commits_whenever_the_next_look_finds_it(seed: int) -> None:
    assert _missed(seed, blind=False) == []


def test_without_knowing_who_writes_timers_would_be_lost() -> None:
    """The control: the days above hold the case."""
    assert any(_missed(seed, blind=True) for seed in range(50))


def test_a_clock_that_was_set_back_is_looked_at_from_the_beginning() -> None:
    mark, now = Watermark(), datetime(2026, 1, 1, tzinfo=UTC)
    mark.reached(now, frozenset(), 100.0)
    mark.looked(None)
    assert mark.low == now - watermark.SLACK
    mark.reached(now + timedelta(seconds=1), frozenset(), 100.0 + 3600)
    assert mark.low == watermark.BEGINNING


def test_what_was_found_and_not_fired_yet_keeps_the_watermark_below_it() -> None:
    mark, now = Watermark(), datetime(2026, 1, 1, tzinfo=UTC)
    mark.reached(now, frozenset(), 0.0)
    mark.looked(now - timedelta(hours=2))
    assert mark.low < now - timedelta(hours=2)


# -- on PostgreSQL


class Clock:
    """A ticker that has looked through everything, and complaints whose limits are far."""

    def __init__(self, dsn: str, owner: asyncpg.Connection[Any], connection: asyncpg.Connection[Any]) -> None:
        self.dsn = dsn
        self.owner = owner
        self.connection = connection
        self.log = PostgresLog(dsn, "escalation", "escalation.tick")
        self.due = TimersByTheLog()
        self.ticker = Ticker(Settings(kafka="", postgres=dsn), desk_on("escalation", self.log), self.due)
        self.desks = {name: desk_on(name, PostgresLog(dsn, name, name)) for name in ("intake", "dispatch")}

    async def dispatched(self, name: str, *, at: datetime) -> ComplaintId:
        """A complaint that was received then, known now."""
        (stream,) = await lives(self.desks["intake"], [name], at=at)
        await self.desks["dispatch"].obey(Batch(work=[dispatch_of(stream, at=at)]))
        return stream

    async def tick(self) -> int:
        return await self.ticker.tick(self.connection)

    async def missed(self) -> set[str]:
        rows = await self.owner.fetch("SELECT stream_id::text FROM es.event WHERE type = 'SignLimitMissed'")
        return {row[0] for row in rows}

    async def close(self) -> None:
        for log in (self.log, *(desk.log for desk in self.desks.values())):
            assert isinstance(log, PostgresLog)
            await log.close()
        await self.connection.close()
        await self.owner.close()


@pytest.fixture
async def clock(database: str) -> AsyncIterator[Clock]:
    made = Clock(database, await connect(database, "owner"), await connect(database, "escalation.tick"))
    await made.ticker.own(made.connection)
    assert await made.tick() == 0
    assert made.due._watermark.low > datetime.now(UTC) - timedelta(hours=1), "it looks from there on"
    try:
        yield made
    finally:
        await made.close()


MOVED = "UPDATE es.timer SET due_at = $2 WHERE stream_id = $1 AND kind = 1"


async def _recorded_late(clock: Clock) -> ComplaintId:
    return await clock.dispatched("letter", at=datetime.now(UTC) - DAYS_LATE)


async def _moved_into_the_past(clock: Clock) -> ComplaintId:
    stream = await clock.dispatched("moved", at=datetime.now(UTC))
    await clock.owner.execute(MOVED, stream, datetime.now(UTC) - DAYS_LATE)
    return stream


async def _moved_into_the_future_and_back(clock: Clock) -> ComplaintId:
    """What was said of its first limit does not stick to the next."""
    stream = await _moved_into_the_past(clock)
    await clock.owner.execute(MOVED, stream, datetime.now(UTC) + DAYS_LATE)
    assert await clock.tick() == 0
    await clock.owner.execute(MOVED, stream, datetime.now(UTC) - DAYS_LATE)
    return stream


async def _by_the_statement_of_append(clock: Clock) -> ComplaintId:
    """A row that stands is moved by `ON CONFLICT`."""
    stream = await clock.dispatched("again", at=datetime.now(UTC))
    await clock.owner.execute(
        "INSERT INTO es.timer (stream_id, kind, shard, due_at) SELECT stream_id, kind, shard, $2 FROM es.timer"
        " WHERE stream_id = $1 AND kind = 1 ON CONFLICT (stream_id, kind) DO UPDATE SET due_at = excluded.due_at",
        stream,
        datetime.now(UTC) - DAYS_LATE,
    )
    return stream


async def _rebuilt(clock: Clock) -> ComplaintId:
    stream = await clock.dispatched("lost", at=datetime.now(UTC) - DAYS_LATE)
    await clock.owner.execute("DELETE FROM es.timer")
    assert await clock.tick() == 0
    await rebuild(clock.dsn, "timers")
    return stream


@connected
@pytest.mark.parametrize(
    "becomes_known",
    [
        _recorded_late,
        _moved_into_the_past,
        _moved_into_the_future_and_back,
        _by_the_statement_of_append,
        _rebuilt,
    ],
)
async def test_a_limit_that_is_over_when_it_becomes_known_is_found_by_the_next_tick(
    clock: Clock, becomes_known: Callable[[Clock], Awaitable[ComplaintId]]
) -> None:
    stream = await becomes_known(clock)
    found = await clock.due._due(clock.connection, clock.ticker._owned, datetime.now(UTC))
    assert [timer.stream for timer in found] == [stream]
    assert await clock.tick() == 1


@connected
async def test_a_letter_of_three_days_ago_is_stated_at_the_next_tick(clock: Clock) -> None:
    stream = await _recorded_late(clock)
    assert await clock.tick() == 1
    assert await clock.missed() == {stream}
    assert await clock.tick() == 0


@connected
async def test_a_transaction_that_commits_late_hides_its_timer_from_no_tick_after_it(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It judged its limit to lie ahead; the clock has gone past that before it commits."""
    monkeypatch.setattr(watermark, "SLACK", timedelta(0))
    monkeypatch.setattr(watermark, "WRITERS_SECONDS", 0.0)
    stream = await clock.dispatched("slow", at=datetime.now(UTC) - DAYS_LATE)
    await clock.owner.execute("DELETE FROM es.timer")
    slow = await connect(clock.dsn, "slow")
    try:
        writing = slow.transaction()
        await writing.start()
        due_at = await slow.fetchval(
            "INSERT INTO es.timer VALUES ($1, 1, $2, clock_timestamp() + interval '200 ms') RETURNING due_at",
            stream,
            timer_shard(stream),
        )
        # Where nobody else writes, each look would go up to its own present.
        while await slow.fetchval("SELECT clock_timestamp()") < due_at + timedelta(milliseconds=200):
            assert await clock.tick() == 0
            await asyncio.sleep(0.02)
        assert await clock.tick() == 0
        await writing.commit()
    finally:
        await slow.close()
    assert await clock.tick() == 1
    assert await clock.missed() == {stream}


@connected
async def test_the_second_owner_and_a_new_one_find_it_too(clock: Clock) -> None:
    second = Ticker(Settings(kafka="", postgres=clock.dsn), clock.ticker._desk)
    second._owned = list(clock.ticker._owned)
    connection = await connect(clock.dsn, "second")
    try:
        assert await second.tick(connection) == 0
        first = await _recorded_late(clock)
        assert await second.tick(connection) == 1
        assert await clock.tick() == 0
        other = await clock.dispatched("other letter", at=datetime.now(UTC) - DAYS_LATE)
        anew = Ticker(Settings(kafka="", postgres=clock.dsn), clock.ticker._desk)
        anew._owned = list(clock.ticker._owned)
        assert await anew.tick(connection) == 1
        assert await clock.missed() == {first, other}
    finally:
        await connection.close()


@connected
async def test_what_cannot_be_decided_is_not_due_for_a_while_and_then_is(clock: Clock) -> None:
    stream = await _recorded_late(clock)
    good = clock.ticker._desk

    def broken(command: Any, case: Case) -> list[Fact]:
        raise ZeroDivisionError

    clock.ticker._desk = Desk("escalation", broken, clock.log, good.telemetry)
    assert await clock.tick() == 1
    due, look, now = await clock.owner.fetchrow(
        "SELECT due_at, look_at, clock_timestamp() FROM es.timer WHERE stream_id = $1 AND look_at > now()",
        stream,
    )
    assert due < now < look <= now + timedelta(seconds=PASSED_OVER_SECONDS)
    clock.ticker._desk = desk_on("escalation", clock.log, decide_of("escalation"))
    assert await clock.tick() == 0, "left alone"
    await clock.owner.execute("UPDATE es.timer SET look_at = clock_timestamp() WHERE stream_id = $1", stream)
    assert await clock.tick() == 1, "its time has come"
    assert await clock.missed() == {stream}


# -- what a look costs


async def _pages(connection: asyncpg.Connection[Any], low: datetime) -> int:
    plan = await connection.fetchval(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM es.due('{0,1,2,3}', $1, clock_timestamp(), 2000)",
        low,
    )
    node = json.loads(plan)[0]["Plan"]
    return int(node["Shared Hit Blocks"] + node["Shared Read Blocks"])


@connected
async def test_a_tick_does_not_wade_through_what_fired_while_an_old_snapshot_is_held(database: str) -> None:
    """20,000 timers that fired over the last minutes, none of which PostgreSQL may clear away."""
    owner = await connect(database, "owner")
    old = await connect(database, "old")
    log = PostgresLog(database, "escalation", "escalation.tick")
    try:
        begin = datetime.now(UTC) - FIRED_OVER
        await owner.execute(
            "INSERT INTO es.timer SELECT md5('t' || n)::uuid, 1, n % 4, at, at"
            " FROM generate_series(1, $3) AS n, LATERAL (SELECT $1::timestamptz + $2::interval * n) x (at)",
            begin,
            FIRED_OVER / FIRED,
            FIRED,
        )
        async with old.transaction(isolation="repeatable_read", readonly=True):
            assert await old.fetchval("SELECT count(*) FROM es.timer") == FIRED
            await owner.execute("DELETE FROM es.timer")
            due = TimersByTheLog()
            ticker = Ticker(Settings(kafka="", postgres=database), desk_on("escalation", log), due)
            await ticker.own(owner)
            assert await ticker.tick(owner) == 0
            everything = await _pages(owner, begin)
            assert everything > FIRED / 100, "the control: these rows are there to be waded through"
            assert await _pages(owner, due._watermark.low) < everything / 10
    finally:
        for one in (owner, old, log):
            await one.close()
