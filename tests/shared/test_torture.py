"""Which way of following the log loses nothing, under writers that commit late, roll back and overtake.

A sequence hands out positions before the commit, so a reader that remembers "the last position" skips
whatever commits late. The same load is followed by several cursors at once: the naive one is the control
and must lose, or the run proves nothing; the snapshot difference, and the relay's own class on the real
tables, must lose nothing, invert nothing, and repeat no more than what their crashes explain.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import asyncpg
import pytest

from deploy.embedded.stack import Addresses
from shared.log.postgres import connect
from shared.log.relay.cursor import FactRow, RelayCursor
from shared.log.relay.loop import Relay
from shared.runtime.settings import CommonSettings
from shared.runtime.telemetry import Telemetry
from tests.sources import Databases

pytestmark = pytest.mark.connected

Mode = Literal["inbox first", "lock first"]
MODES: Final[tuple[Mode, ...]] = ("inbox first", "lock first")
both_modes = pytest.mark.parametrize("mode", MODES)

WRITERS: Final = 16
STREAMS: Final = 12
LOAD_SECONDS: Final = 10.0
LOAD_SECONDS_MAX: Final = 140.0
COMMITTED_MIN: Final = 5000
POLL_SECONDS: Final = 0.005
POLLS_AFTER: Final = 60
LONG_AFTER_SECONDS: Final = 3.0
LONG_SECONDS: Final = 3.0
PAGE: Final = 40
CRASH_SHARE: Final = 0.05

Connection = Any  # asyncpg.Connection, which cannot be subscripted at run time
Seen = list[tuple[int, int]]

TABLES: Final = """
CREATE SEQUENCE t_seq;
CREATE TABLE t_event (xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    position bigint PRIMARY KEY DEFAULT nextval('t_seq'), sid int NOT NULL, v int NOT NULL, UNIQUE (sid, v));
CREATE INDEX t_event_xid_position ON t_event (xid, position);
CREATE TABLE t_inbox (id bigint PRIMARY KEY);
CREATE TABLE t_other (x int);
"""

DIFFERENCE: Final = """
WITH s AS MATERIALIZED (SELECT $1::text::pg_snapshot AS a, $2::text::pg_snapshot AS b)
SELECT position, sid, v FROM (
    SELECT e.* FROM t_event e, s WHERE e.xid >= pg_snapshot_xmax(a) AND e.xid < pg_snapshot_xmax(b)
        AND pg_visible_in_snapshot(e.xid, b) AND e.position > $3
    UNION ALL
    SELECT e.* FROM t_event e, s WHERE e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(a)))
        AND pg_visible_in_snapshot(e.xid, b) AND e.position > $3
) u ORDER BY position LIMIT $4
"""


@dataclass(slots=True)
class Sink:
    """What a cursor brought, in the order it came."""

    committed: dict[tuple[int, int], float]
    """When each (stream, version) was committed; the writers' own notes."""
    sightings: Counter[tuple[int, int]] = field(default_factory=Counter)
    last: dict[int, int] = field(default_factory=dict)
    inversions: int = 0
    delays: list[float] = field(default_factory=list)
    crashes: int = 0

    def take(self, seen: Seen) -> None:
        now = time.monotonic()
        for sid, version in seen:
            self.sightings[sid, version] += 1
            if self.sightings[sid, version] > 1:
                continue
            if version != self.last.get(sid, 0) + 1:
                self.inversions += 1
            self.last[sid] = max(self.last.get(sid, 0), version)
            self.delays.append(max(0.0, now - self.committed.get((sid, version), now)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """A cursor after the run, against the truth."""

    lost: int
    inversions: int
    repeats: int
    crashes: int
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Run:
    """One mode's load and what each cursor made of it."""

    committed: int
    numbers_used: int
    outcomes: dict[str, Outcome]


# -- cursors: each a poll that brings what is new to it


async def naive(connection: Connection, sink: Sink) -> Callable[[], Awaitable[int]]:
    position = 0

    async def poll() -> int:
        nonlocal position
        rows = await connection.fetch(
            "SELECT position, sid, v FROM t_event WHERE position > $1 ORDER BY position LIMIT 500", position
        )
        if rows:
            position = rows[-1][0]
        sink.take([(row[1], row[2]) for row in rows])
        return len(rows)

    return poll


async def below_xmin(connection: Connection, sink: Sink) -> Callable[[], Awaitable[int]]:
    xid, position = "0", 0

    async def poll() -> int:
        nonlocal xid, position
        rows = await connection.fetch(
            "SELECT e.xid::text, e.position, e.sid, e.v FROM t_event e"
            " WHERE (e.xid, e.position) > ($1::text::xid8, $2) AND e.xid < pg_snapshot_xmin(pg_current_snapshot())"
            " ORDER BY e.xid, e.position LIMIT 500",
            xid,
            position,
        )
        if rows:
            xid, position = rows[-1][0], rows[-1][1]
        sink.take([(row[2], row[3]) for row in rows])
        return len(rows)

    return poll


def high_water(*, own_xid: bool) -> Any:
    """Wait until everybody who could hold a lower position is gone: 3a by xmax, 3b by a fresh xid."""

    async def cursor(connection: Connection, sink: Sink) -> Callable[[], Awaitable[int]]:
        position = water = high = 0
        waiting: list[tuple[int, int]] = []

        async def poll() -> int:
            nonlocal position, water, high
            found = await connection.fetchval(
                "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM t_seq"
            )
            mine = 0
            if own_xid and found != high:
                mine = int(await connection.fetchval("SELECT pg_current_xact_id()::text"))
            xmin, xmax = await connection.fetchrow(
                "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint"
                " FROM pg_current_snapshot() s"
            )
            if found != high:
                high = found
                waiting.append((found, mine if own_xid else xmax))
            while waiting and waiting[0][1] <= xmin:
                water = waiting.pop(0)[0]
            rows = await connection.fetch(
                "SELECT position, sid, v FROM t_event WHERE position > $1 AND position <= $2"
                " ORDER BY position LIMIT 500",
                position,
                water,
            )
            position = rows[-1][0] if len(rows) == 500 else max(position, water)
            sink.take([(row[1], row[2]) for row in rows])
            return len(rows)

        return poll

    return cursor


async def difference(connection: Connection, sink: Sink) -> Callable[[], Awaitable[int]]:
    before = "1:1:"

    async def poll() -> int:
        nonlocal before
        now = await connection.fetchval("SELECT pg_current_snapshot()::text")
        rows = await connection.fetch(DIFFERENCE, before, now, 0, None)
        before = now
        sink.take([(row[1], row[2]) for row in rows])
        return len(rows)

    return poll


async def difference_by_pages(connection: Connection, sink: Sink) -> Callable[[], Awaitable[int]]:
    chance = random.Random("4p")
    saved: tuple[str, str | None, int] = ("1:1:", None, 0)

    async def poll() -> int:
        nonlocal saved
        a, b, position = saved
        if b is None:
            b = await connection.fetchval("SELECT pg_current_snapshot()::text")
            saved = (a, b, 0)
        rows = await connection.fetch(DIFFERENCE, a, b, position, PAGE)
        sink.take([(row[1], row[2]) for row in rows])
        if rows and chance.random() < CRASH_SHARE:
            sink.crashes += 1  # the page is out, the cursor is not saved
            return len(rows)
        saved = (a, b, rows[-1][0]) if len(rows) == PAGE else (b, None, 0)
        return len(rows)

    return poll


CURSORS: Final = {
    "1": naive,
    "2": below_xmin,
    "3a": high_water(own_xid=False),
    "3b": high_water(own_xid=True),
    "4": difference,
    "4p": difference_by_pages,
}

# -- load


class Load:
    """Sixteen writers and one long unrelated transaction; `done` when all have ended."""

    def __init__(self, mode: Mode, committed: dict[tuple[int, int], float], write: Any) -> None:
        self.mode = mode
        self.committed = committed
        self.done = False
        self._write = write
        self._began = time.monotonic()

    async def run(self, dsn: str) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._long(dsn))
                for number in range(WRITERS):
                    group.create_task(self._writer(dsn, number))
        finally:
            self.done = True

    def _goes_on(self) -> bool:
        # Ten seconds; longer only where the machine is too busy for the load the proof needs.
        seconds = time.monotonic() - self._began
        return seconds < LOAD_SECONDS or (len(self.committed) < COMMITTED_MIN and seconds < LOAD_SECONDS_MAX)

    async def _writer(self, dsn: str, number: int) -> None:
        chance = random.Random(number)
        connection = await asyncpg.connect(dsn)
        try:
            message = 0
            while self._goes_on():
                message += 1
                sid = chance.randrange(STREAMS)
                transaction = connection.transaction()
                await transaction.start()
                try:
                    versions = await self._write(
                        connection, self.mode, sid, number * 1_000_000 + message, chance
                    )
                except asyncpg.UniqueViolationError:
                    await transaction.rollback()
                    continue
                if chance.random() < 0.1:
                    await transaction.rollback()
                    continue
                await transaction.commit()
                now = time.monotonic()
                for version in versions:
                    self.committed[sid, version] = now
        finally:
            await connection.close()

    async def _long(self, dsn: str) -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await asyncio.sleep(LONG_AFTER_SECONDS)
            async with connection.transaction():
                await connection.execute("INSERT INTO t_other VALUES (1)")
                await asyncio.sleep(LONG_SECONDS)
        finally:
            await connection.close()


async def _pause(chance: random.Random, share: float) -> None:
    if chance.random() < share:
        await asyncio.sleep(chance.random() / 100)


async def write_plain(
    connection: Connection, mode: Mode, sid: int, message: int, chance: random.Random
) -> range:
    """The textbook consumer: inbox row, load, append; locked first or not at all."""
    if mode == "lock first":
        await connection.execute("SELECT pg_advisory_xact_lock(77, $1)", sid)
    await connection.execute("INSERT INTO t_inbox VALUES ($1)", message)
    await _pause(chance, 0.5)
    version = await connection.fetchval("SELECT coalesce(max(v), 0) FROM t_event WHERE sid = $1", sid)
    count = chance.randint(1, 3)
    await connection.execute(
        "INSERT INTO t_event (sid, v) SELECT $1, $2::int + g FROM generate_series(1, $3::int) g",
        sid,
        version,
        count,
    )
    await _pause(chance, 0.3)
    return range(version + 1, version + 1 + count)


async def write_log(
    connection: Connection, mode: Mode, sid: int, message: int, chance: random.Random
) -> range:
    """The same on the tables of the log itself."""
    stream = f"00000000-0000-8000-8000-{sid:012d}"
    if mode == "lock first":
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))", stream)
    inbox = f"00000000-0000-8000-9000-{message:012d}"
    await connection.execute("INSERT INTO es.inbox (consumer, message_id) VALUES ('torture', $1)", inbox)
    await _pause(chance, 0.5)
    version = await connection.fetchval(
        "SELECT coalesce(max(version), 0) FROM es.event WHERE stream_id = $1", stream
    )
    count = chance.randint(1, 3)
    await connection.execute(
        "INSERT INTO es.event (stream_id, version, event_id, type, schema_version, occurred_at, caused_by, actor,"
        " body, hash) SELECT $1, $2::int + g, gen_random_uuid(), 'OrderSigned', 1, now(), 'torture', 'torture',"
        " '{}', sha256('') FROM generate_series(1, $3::int) g",
        stream,
        version,
        count,
    )
    await _pause(chance, 0.3)
    return range(version + 1, version + 1 + count)


async def _follow(load: Load, poll: Callable[[], Awaitable[int]]) -> None:
    """Poll while the load runs, and then often enough that a slow cursor does not count as a lossy one."""
    while not load.done:
        if not await poll():
            await asyncio.sleep(POLL_SECONDS)
    await asyncio.sleep(0.3)
    for _ in range(POLLS_AFTER):
        while await poll():
            pass
        await asyncio.sleep(POLL_SECONDS)


def _outcome(sink: Sink, truth: set[tuple[int, int]]) -> Outcome:
    delays = sorted(sink.delays) or [0.0]
    return Outcome(
        lost=len(truth - set(sink.sightings)),
        inversions=sink.inversions,
        repeats=sum(sink.sightings.values()) - len(sink.sightings),
        crashes=sink.crashes,
        p50_ms=statistics.median(delays) * 1000,
        p99_ms=delays[int(len(delays) * 0.99) - 1] * 1000,
    )


async def _tortured(dsn: str, mode: Mode) -> Run:
    """Every cursor on the plain tables."""
    owner = await asyncpg.connect(dsn)
    try:
        await owner.execute(TABLES)
        committed: dict[tuple[int, int], float] = {}
        load = Load(mode, committed, write_plain)
        sinks = {name: Sink(committed) for name in CURSORS}
        async with AsyncExitStack() as open_connections, asyncio.TaskGroup() as group:
            for name, cursor in CURSORS.items():
                connection = await asyncpg.connect(dsn)
                open_connections.push_async_callback(connection.close)
                group.create_task(_follow(load, await cursor(connection, sinks[name])))
            await load.run(dsn)
        truth = {(row[0], row[1]) for row in await owner.fetch("SELECT sid, v FROM t_event")}
        used = await owner.fetchval("SELECT last_value FROM t_seq")
        return Run(len(truth), used, {name: _outcome(sink, truth) for name, sink in sinks.items()})
    finally:
        await owner.close()


class Crash(Exception):  # noqa: N818 -- thrown on purpose
    """The relay dies here."""


class ListSink:
    """Takes pages like Kafka does; dies now and then after it has taken one, before the cursor is saved."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.marks: dict[tuple[str, int], set[tuple[int, int]]] = {}
        self._chance = random.Random("relay")

    async def send(self, rows: list[FactRow], batch: int) -> int:
        self.sink.take([(int(row.stream_id[-12:]), row.version) for row in rows])
        for row in rows:
            self.marks.setdefault((row.stream_id, row.version), set()).add((batch, row.position))
        if self._chance.random() < CRASH_SHARE:
            self.sink.crashes += 1
            raise Crash
        return len(rows)

    async def close(self) -> None:
        """Nothing is open."""


async def _relayed(dsn: str, mode: Mode) -> tuple[Run, ListSink]:
    """The relay's own classes on the real tables, with crashes between a page and its cursor."""
    settings = CommonSettings(kafka="none:0", postgres=dsn)
    relay = Relay(settings, Telemetry("relay"), page_max=PAGE)
    owner = await asyncpg.connect(dsn)
    connection = await connect(dsn, "relay")
    try:
        await owner.execute("CREATE TABLE t_other (x int)")
        committed: dict[tuple[int, int], float] = {}
        load = Load(mode, committed, write_log)
        sink = ListSink(Sink(committed))
        log = RelayCursor(connection)
        await log.own()

        async def poll() -> int:
            nonlocal log
            try:
                return int(await relay.step(log, sink))  # type: ignore[arg-type]  # a sink by its two methods
            except Crash:
                log = RelayCursor(connection)
                await log.own()
                return 1

        following = asyncio.create_task(_follow(load, poll))
        try:
            await load.run(dsn)
            await following
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
        rows = await owner.fetch("SELECT stream_id::text, version FROM es.event")
        truth = {(int(row[0][-12:]), row[1]) for row in rows}
        used = await owner.fetchval("SELECT last_value FROM es.position_seq")
        return Run(len(truth), used, {"relay": _outcome(sink.sink, truth)}), sink
    finally:
        await connection.close()
        await owner.close()


def _told(measured: Callable[[str], None], mode: Mode, run: Run) -> None:
    for name, o in run.outcomes.items():
        measured(
            f"torture, {mode}, cursor {name}: of {run.committed} lost {o.lost}, inverted {o.inversions},"
            f" repeated {o.repeats} after {o.crashes} crashes, p50 {o.p50_ms:.0f} ms, p99 {o.p99_ms:.0f} ms"
        )


@pytest.fixture(scope="module")
async def runs(
    stack: Addresses, databases: Databases, measured: Callable[[str], None]
) -> AsyncIterator[dict[Mode, Run]]:
    """Both modes at once, each in a database of its own, every cursor following."""
    names = [await databases.make() for _ in MODES]
    try:
        done = await asyncio.gather(
            *(_tortured(stack.database(name), mode) for name, mode in zip(names, MODES, strict=True))
        )
        for mode, run in zip(MODES, done, strict=True):
            _told(measured, mode, run)
        yield dict(zip(MODES, done, strict=True))
    finally:
        for name in names:
            await databases.drop(name)


@pytest.fixture(scope="module")
async def relayed(
    stack: Addresses, databases: Databases, measured: Callable[[str], None]
) -> AsyncIterator[dict[Mode, tuple[Run, ListSink]]]:
    """Both modes at once on the real tables, followed by the relay's classes."""
    names = [await databases.make() for _ in MODES]
    try:
        done = await asyncio.gather(
            *(_relayed(stack.database(name), mode) for name, mode in zip(names, MODES, strict=True))
        )
        for mode, (run, _) in zip(MODES, done, strict=True):
            _told(measured, mode, run)
        yield dict(zip(MODES, done, strict=True))
    finally:
        for name in names:
            await databases.drop(name)


@both_modes
def test_the_load_is_heavy_enough_and_rolls_back(runs: dict[Mode, Run], mode: Mode) -> None:
    assert runs[mode].committed >= COMMITTED_MIN
    assert runs[mode].numbers_used > runs[mode].committed


@both_modes
def test_the_control_loses_or_the_run_proves_nothing(runs: dict[Mode, Run], mode: Mode) -> None:
    assert runs[mode].outcomes["1"].lost > 0


def test_a_cursor_below_xmin_loses_nothing_but_tells_versions_in_the_wrong_order(
    runs: dict[Mode, Run],
) -> None:
    inbox_first, lock_first = runs["inbox first"].outcomes["2"], runs["lock first"].outcomes["2"]
    assert (inbox_first.lost, lock_first.lost) == (0, 0)
    assert inbox_first.inversions > 0
    assert lock_first.inversions == 0


@both_modes
def test_a_cursor_below_xmin_stands_still_behind_an_unrelated_transaction(
    runs: dict[Mode, Run], mode: Mode
) -> None:
    assert runs[mode].outcomes["2"].p99_ms > 2000  # it stood for three of the ten seconds


@both_modes
def test_a_high_water_mark_with_an_xid_of_its_own_loses_nothing(runs: dict[Mode, Run], mode: Mode) -> None:
    outcome = runs[mode].outcomes["3b"]
    assert (outcome.lost, outcome.inversions) == (0, 0)


@both_modes
def test_the_snapshot_difference_loses_inverts_and_repeats_nothing(runs: dict[Mode, Run], mode: Mode) -> None:
    outcome = runs[mode].outcomes["4"]
    assert (outcome.lost, outcome.inversions, outcome.repeats) == (0, 0, 0)


@both_modes
def test_by_pages_it_repeats_no_more_than_a_page_a_crash(runs: dict[Mode, Run], mode: Mode) -> None:
    outcome = runs[mode].outcomes["4p"]
    assert (outcome.lost, outcome.inversions) == (0, 0)
    assert 0 < outcome.repeats <= outcome.crashes * PAGE


@both_modes
def test_the_relay_on_the_real_log_loses_and_inverts_nothing_through_its_crashes(
    relayed: dict[Mode, tuple[Run, ListSink]], mode: Mode
) -> None:
    run, _ = relayed[mode]
    outcome = run.outcomes["relay"]
    assert run.committed >= COMMITTED_MIN
    assert run.numbers_used > run.committed
    assert (outcome.lost, outcome.inversions) == (0, 0)
    assert 0 < outcome.repeats <= outcome.crashes * PAGE


@both_modes
def test_a_fact_the_relay_repeats_carries_the_same_mark(
    relayed: dict[Mode, tuple[Run, ListSink]], mode: Mode
) -> None:
    _, sink = relayed[mode]
    assert {len(marks) for marks in sink.marks.values()} == {1}  # by it every desk knows the repeat


# -- the same, with two or three connections and no chance


@pytest.fixture
async def opened(database: str) -> AsyncIterator[Callable[[], Awaitable[Connection]]]:
    """Connections to a fresh database with the plain tables."""
    async with AsyncExitStack() as connections:

        async def make() -> Connection:
            connection: Connection = await asyncpg.connect(database)
            connections.push_async_callback(connection.close)
            return connection

        await (await make()).execute(TABLES)
        yield make


INSERT: Final = "INSERT INTO t_event (sid, v) VALUES ($1, $2)"
Open = Callable[[], Awaitable[Connection]]


async def test_gap_what_commits_late_is_passed_over_by_position_and_not_by_snapshot(opened: Open) -> None:
    late, early, reader = await opened(), await opened(), await opened()
    by_position, by_snapshot = Sink({}), Sink({})
    position, snapshot = await naive(reader, by_position), await difference(reader, by_snapshot)
    transaction = late.transaction()
    await transaction.start()
    await late.execute(INSERT, 1, 1)
    await early.execute(INSERT, 2, 1)

    await position()
    await snapshot()
    assert list(by_position.sightings) == list(by_snapshot.sightings) == [(2, 1)]

    await transaction.commit()
    assert await position() == 0
    assert await snapshot() == 1
    assert list(by_snapshot.sightings) == [(2, 1), (1, 1)]


async def test_inversion_an_earlier_xid_can_write_the_later_version(opened: Open) -> None:
    first, second, reader = await opened(), await opened(), await opened()
    by_xid, by_snapshot = Sink({}), Sink({})
    below, snapshot = await below_xmin(reader, by_xid), await difference(reader, by_snapshot)
    transaction = first.transaction()
    await transaction.start()
    await first.execute("INSERT INTO t_inbox VALUES (1)")  # the earlier xid
    await second.execute(INSERT, 1, 1)
    await first.execute(INSERT, 1, 2)
    await snapshot()
    await transaction.commit()

    await below()
    await snapshot()
    assert list(by_xid.sightings) == [(1, 2), (1, 1)]
    assert list(by_snapshot.sightings) == [(1, 1), (1, 2)]


async def test_lock_first_a_waiting_writer_has_no_xid_so_order_by_xid_is_right(opened: Open) -> None:
    handlers = [await opened() for _ in range(3)]
    reader = await opened()

    async def handle(connection: Connection, message: int) -> object:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(77, 1)")
            xid = await connection.fetchval("SELECT pg_current_xact_id_if_assigned()::text")
            await connection.execute("INSERT INTO t_inbox VALUES ($1)", message)
            await asyncio.sleep(0.02)  # the others come meanwhile
            version = await connection.fetchval("SELECT coalesce(max(v), 0) FROM t_event WHERE sid = 1")
            await connection.execute(INSERT, 1, version + 1)
            return xid

    xids = await asyncio.gather(*(handle(connection, number) for number, connection in enumerate(handlers)))
    assert xids == [None, None, None]
    sink = Sink({})
    await (await below_xmin(reader, sink))()
    assert list(sink.sightings) == [(1, 1), (1, 2), (1, 3)]


async def test_stall_a_write_in_another_database_hides_new_rows_below_xmin_and_a_read_does_not(
    opened: Open, stack: Addresses
) -> None:
    writer, reader = await opened(), await opened()
    elsewhere = await asyncpg.connect(stack.database("postgres"))
    by_xid, by_snapshot = Sink({}), Sink({})
    below, snapshot = await below_xmin(reader, by_xid), await difference(reader, by_snapshot)
    try:
        async with elsewhere.transaction(readonly=True, isolation="repeatable_read"):
            await elsewhere.fetchval("SELECT count(*) FROM pg_class")
            await writer.execute(INSERT, 1, 1)
            assert await below() == 1
        async with elsewhere.transaction():
            await elsewhere.fetchval("SELECT pg_current_xact_id()::text")
            await writer.execute(INSERT, 1, 2)
            assert await below() == 0
            assert await snapshot() == 2
        assert await below() == 1
    finally:
        await elsewhere.close()


async def test_cache_a_sequence_that_caches_breaks_the_order_of_versions(opened: Open) -> None:
    one, other = await opened(), await opened()
    await one.execute("ALTER SEQUENCE t_seq CACHE 20")
    for version in range(1, 5):
        await (one if version % 2 else other).execute(INSERT, 1, version)
    versions = [row[0] for row in await one.fetch("SELECT v FROM t_event ORDER BY position")]
    assert versions == [1, 3, 2, 4]


async def test_the_log_hands_out_positions_one_by_one(opened: Open) -> None:
    connection = await opened()
    assert await connection.fetchval("SELECT cache_size FROM pg_sequences WHERE schemaname = 'es'") == 1
