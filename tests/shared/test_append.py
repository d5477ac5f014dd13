"""The only way into the log: what it refuses, to whom, and that it writes all of a batch or nothing."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.city.endpoints import DESKS
from deploy.embedded.stack import Addresses
from shared.desk import Desk
from shared.ids import ComplaintId, UnitId, derived
from shared.inputs import SignOrder
from shared.log import (
    Append,
    EventLog,
    Fenced,
    HeadMoved,
    Incoming,
    Known,
    Moved,
    Parked,
    Place,
    RefusedInput,
)
from shared.log.postgres import PostgresLog
from shared.log.through import Through
from shared.work import Batch, Work
from tests.city import City, open_city, until
from tests.desks import NOW, counted, desk_on, dispatch_of, lives, record, withdraw
from tests.examples import asks
from tests.sources import Databases

pytestmark = pytest.mark.connected

TABLES: Final = (
    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
    " WHERE schemaname IN ('es', 'intake') ORDER BY 1"
)


@pytest.fixture(scope="module")
async def city_made(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[City]:
    """A city with logins, in which nothing runs."""
    async with open_city(stack, databases, tmp_path_factory.mktemp("append")) as made:
        intake = PostgresLog(made.endpoints.logins["intake"], "intake", "test")
        await lives(desk_on("intake", intake), ["rights"])
        await intake.close()
        yield made


async def _refused(connection: Any, statement: str) -> type[BaseException] | None:
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(statement)
    except asyncpg.PostgresError as error:
        return type(error)
    finally:
        await transaction.rollback()
    return None


def _touches(table: str, column: str) -> dict[str, str]:
    return {
        "SELECT": f"SELECT 1 FROM {table} LIMIT 1",
        "INSERT": f"INSERT INTO {table} DEFAULT VALUES",
        "UPDATE": f"UPDATE {table} SET {column} = {column}",
        "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table}",
        "ALTER": f"ALTER TABLE {table} DISABLE TRIGGER ALL",
        "DROP": f"DROP TABLE {table}",
    }


async def _touched(city: City, login: str) -> set[tuple[str, str]]:
    """What a login was not refused, tried on every table."""
    tables = [row[0] for row in await city.sql(TABLES)]
    assert {"es.event", "es.stream", "es.timer", "es.inbox", "es.consumer_offset", "intake.call"} <= set(
        tables
    )
    connection = await asyncpg.connect(city.endpoints.logins[login])
    try:
        allowed = set()
        for table in tables:
            column = await city.value(
                "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND"
                " attidentity = '' ORDER BY attnum LIMIT 1",
                table,
            )
            for verb, statement in _touches(table, column).items():
                if await _refused(connection, statement) is not asyncpg.InsufficientPrivilegeError:
                    allowed.add((verb, table))
        return allowed
    finally:
        await connection.close()


@pytest.mark.parametrize("desk", DESKS)
async def test_a_desk_touches_no_table_directly(city_made: City, desk: str) -> None:
    assert await _touched(city_made, desk) == set()


async def test_the_relay_reads_what_it_sends_moves_its_cursors_writes_anchors_and_nothing_else(
    city_made: City,
) -> None:
    assert await _touched(city_made, "relay") == {
        ("SELECT", "es.event"),
        ("SELECT", "es.relay"),
        ("UPDATE", "es.relay"),
        ("SELECT", "es.anchor"),
        ("INSERT", "es.anchor"),
        ("SELECT", "es.stream"),
        ("SELECT", "es.refused_input"),
        ("SELECT", "es.parking_notice"),
        ("SELECT", "es.parking_relay"),
        ("UPDATE", "es.parking_relay"),
        ("SELECT", "es.programme_fact"),
        ("SELECT", "es.programme_relay"),
        ("UPDATE", "es.programme_relay"),
    }


async def test_a_reader_only_reads(city_made: City) -> None:
    assert {verb for verb, _ in await _touched(city_made, "reader")} == {"SELECT"}


@pytest.mark.parametrize("login", ["relay", "reader"])
async def test_only_desks_may_append(city_made: City, login: str) -> None:
    log = PostgresLog(city_made.endpoints.logins[login], "intake", "test")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await log.append(Append(inbox=[derived("nobody")]))
    finally:
        await log.close()


@pytest.mark.parametrize("login", [*DESKS, "relay", "reader"])
async def test_no_login_is_more_than_it_seems(city_made: City, login: str) -> None:
    role = await city_made.sql(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = $1",
        urlsplit(city_made.endpoints.logins[login]).username,
    )
    assert list(role[0]) == [False] * 4
    connection = await asyncpg.connect(city_made.endpoints.logins[login])
    try:
        for statement in (
            "CREATE TABLE es.mine (x int)",
            "CREATE FUNCTION es.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "SET ROLE hotline",
            "ALTER FUNCTION es.refuse() RENAME TO accept",
        ):
            assert await _refused(connection, statement) is asyncpg.InsufficientPrivilegeError, statement
        if login not in DESKS:
            assert await _refused(connection, "SET ROLE hotline_desk") is asyncpg.InsufficientPrivilegeError
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE es.event SET body = '{}'",
        "UPDATE es.event SET actor = actor WHERE false",
        "DELETE FROM es.event",
        "DELETE FROM es.event WHERE version = 1",
        "TRUNCATE es.event",
        "TRUNCATE es.event, es.stream CASCADE",
        "MERGE INTO es.event e USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    ],
)
async def test_the_trigger_refuses_the_owner_too(city_made: City, statement: str) -> None:
    before = await city_made.sql("SELECT * FROM es.event ORDER BY position")
    assert len(before) >= 2
    connection = await asyncpg.connect(city_made.endpoints.owner_dsn)
    try:
        with pytest.raises(asyncpg.PostgresError, match="es.event|event is append-only") as refused:
            await connection.execute(statement)
        assert refused.value.sqlstate == "HL003"
    finally:
        await connection.close()
    assert await city_made.sql("SELECT * FROM es.event ORDER BY position") == before


# -- all or nothing


class Tampering(Through):
    """See `EventLog`: a real one that changes what is about to be appended."""

    def __init__(self, log: EventLog, change: Callable[[Append], Append]) -> None:
        super().__init__(log)
        self._change = change
        self.appended = 0

    async def append(self, append: Append) -> None:
        self.appended += 1
        await self._log.append(self._change(append))


@pytest.fixture
async def logs(database: str) -> AsyncIterator[Callable[[str], PostgresLog]]:
    """Logs by consumer, each on a connection of its own to a fresh database."""
    opened: list[PostgresLog] = []

    def make(consumer: str) -> PostgresLog:
        opened.append(PostgresLog(database, consumer, consumer))
        return opened[-1]

    yield make
    for log in opened:
        await log.close()


Logs = Callable[[str], PostgresLog]


async def _everything(dsn: str) -> dict[str, list[Any]]:
    connection = await asyncpg.connect(dsn)
    try:
        return {
            row[0]: sorted(map(repr, await connection.fetch(f"SELECT * FROM {row[0]}")))
            for row in await connection.fetch(TABLES)
        }
    finally:
        await connection.close()


def _stale(append: Append) -> Append:
    return replace(append, head_old=[old + 1 for old in append.head_old])


def _fenced(append: Append) -> Append:
    return replace(append, moved=[move._replace(old=move.old + 1) for move in append.moved])


def _told_before(append: Append) -> Append:
    return replace(append, inbox=[*append.inbox, derived("told before")])


def _same_version_twice(append: Append) -> Append:
    return replace(append, fact_version=[1] * len(append.fact_version))


def _no_hash(append: Append) -> Append:
    return replace(append, fact_hash=[b"short"] * len(append.fact_hash))


def _timer_without_time(append: Append) -> Append:
    return replace(append, timer_due=[None] * len(append.timer_due))  # type: ignore[list-item]


def _parked_without_reason(append: Append) -> Append:
    return replace(append, parked=[append.parked[0]._replace(reason=None)])  # type: ignore[arg-type]


def _effect_fails(append: Append) -> Append:
    return replace(append, effect=("SELECT 1 / $1::int", (0,)))


@pytest.mark.parametrize(
    ("change", "raises"),
    [
        (_stale, HeadMoved),
        (_fenced, Fenced),
        (_told_before, HeadMoved),
        (_same_version_twice, HeadMoved),
        (_no_hash, asyncpg.CheckViolationError),
        (_timer_without_time, asyncpg.NotNullViolationError),
        (_parked_without_reason, asyncpg.NotNullViolationError),
        (_effect_fails, asyncpg.DivisionByZeroError),
    ],
)
async def test_a_batch_is_written_whole_or_not_at_all(
    database: str, logs: Logs, change: Callable[[Append], Append], raises: type[BaseException]
) -> None:
    """Each failure comes at another place of the transaction, and the batch holds something of everything."""
    intake, real = desk_on("intake", logs("intake")), logs("dispatch")
    old = await lives(intake, ["old"])
    await real.append(Append(inbox=[derived("told before")]))
    await real.places([("t", 0)])
    parked = Incoming("t", 0, 7, 0, None, (("ce_id", None),), b"?")
    told = Incoming("t", 0, 6, 0, None, (("ce_source", b"/desk"), ("ce_id", b"1")), b"{}")

    def batch() -> Append:
        return Append(
            moved=[Moved("t", 0, 0, Place(8))],
            inbox=[derived("first told")],
            parked=[Parked(parked, None, "not JSON")],
            refused=[RefusedInput("first told", told)],
        )

    async def write(log: EventLog) -> None:
        given = batch()
        desk = desk_on("dispatch", log)
        await desk._decided(log, Batch(work=[dispatch_of(old[0])]), old, given, [])
        assert given.fact_id
        assert given.timer_due
        await log.append(given)

    before = await _everything(database)
    tampering = Tampering(real, change)
    with pytest.raises(raises):
        await write(tampering)
    assert tampering.appended == 1
    assert await _everything(database) == before

    await write(real)  # the very same batch is fine when nothing is wrong with it
    after = await _everything(database)
    assert {table for table in after if after[table] != before[table]} == {
        "es.consumer_offset",
        "es.event",
        "es.inbox",
        "es.parked",
        "es.parking_notice",
        "es.refused_input",
        "es.stream",
        "es.timer",
    }


async def test_an_effect_of_the_desks_own_is_in_the_same_transaction(database: str, logs: Logs) -> None:
    log = logs("intake")
    stale = Append(
        effect=("SELECT intake.note_calls($1, $2, $3)", (["c1"], [NOW], ["offered"])),
        head_stream=[derived("x")],
        head_old=[3],
        head_new=[4],
        head_hash=[bytes(32)],
        head_state=["{}"],
    )
    before = await _everything(database)
    with pytest.raises(HeadMoved):
        await log.append(stale)
    assert await _everything(database) == before
    await log.append(Append(effect=stale.effect))
    assert (await _everything(database))["intake.call"] != before["intake.call"]


# -- many at once


async def _overlapping(desk: Desk, streams: list[ComplaintId], seed: int, rounds: int) -> int:
    """Sign orders of random overlapping sets, in random order; each time it is another message."""
    chance = random.Random(seed)
    facts = 0
    for number in range(rounds):
        chosen = chance.sample(streams, 30)
        said = await desk.obey(
            Batch(
                work=[
                    Work(
                        asks(SignOrder, complaint_id=stream, unit=UnitId("nobody"), assignment=1, at=NOW),
                        stream,
                        f"{desk.name}/{seed}/{number}",
                    )
                    for stream in chosen
                ]
            )
        )
        facts += said.facts
        await asyncio.sleep(chance.random() / 200)  # not in step: one would always win
    return facts


async def test_desks_that_append_to_overlapping_complaints_never_deadlock(database: str, logs: Logs) -> None:
    streams = await lives(desk_on("intake", logs("intake")), range(60))
    opened = [logs(f"dispatch-{number}") for number in range(2)]
    desks = [desk_on("dispatch", log) for log in opened]
    facts = await asyncio.gather(
        *(_overlapping(desk, streams, number, rounds=50) for number, desk in enumerate(desks))
    )
    assert facts == [50 * 30] * 2  # a refusal each: none lost, none twice
    assert sum(counted(desk, "desk.decided_again") for desk in desks) > 0, "they never met: it proves nothing"
    for log in opened:
        await log.close()  # or the server may not have counted yet
    connection = await asyncpg.connect(database)
    try:
        assert (
            await connection.fetchval(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            )
            == 0
        )
        rows = await connection.fetch("SELECT stream_id, version FROM es.event ORDER BY position")
    finally:
        await connection.close()
    last: Counter[str] = Counter()
    for stream, version in rows:
        last[stream] += 1
        assert version == last[stream]
    assert sum(last.values()) == 60 * 2 + 2 * 50 * 30


class Overtaken(Through):
    """See `EventLog`: a real one in which another desk is always quicker, between heads and append."""

    def __init__(self, log: EventLog, overtake: Callable[[], Awaitable[object]]) -> None:
        super().__init__(log)
        self._overtake = overtake

    async def heads(self, streams: Sequence[str], inbox: Sequence[str]) -> Known:
        known = await self._log.heads(streams, inbox)
        await self._overtake()
        return known

    @asynccontextmanager
    async def holding(self, streams: Sequence[str]) -> AsyncIterator[EventLog]:
        async with self._log.holding(streams) as held:
            yield Overtaken(held, self._overtake)


async def test_who_is_overtaken_every_time_takes_the_locks_and_gets_through(
    database: str, logs: Logs
) -> None:
    """A large batch among many small ones: without the locks it could lose for ever."""
    streams = await lives(desk_on("intake", logs("intake")), range(3))
    quick, rounds = desk_on("dispatch", logs("quick")), 0
    waiting: list[asyncio.Task[Any]] = []

    async def overtake() -> None:
        nonlocal rounds
        rounds += 1
        work = Work(
            asks(SignOrder, complaint_id=streams[0], unit=UnitId("nobody"), assignment=1, at=NOW),
            streams[0],
            f"q/{rounds}",
        )
        quicker = asyncio.create_task(quick.obey(Batch(work=[work])))
        done, _ = await asyncio.wait([quicker], timeout=0.3)
        waiting.extend({quicker} - done)

    slow = desk_on("dispatch", Overtaken(logs("slow"), overtake))
    said = await slow.obey(Batch(work=[dispatch_of(stream) for stream in streams]))
    assert said.facts == len(streams)
    assert counted(slow, "desk.decided_again") == 3
    assert rounds == 4
    assert len(waiting) == 1  # the fourth time the quick one had to wait; then it saw what was decided
    assert (await waiting[0]).facts == 1
    connection = await asyncpg.connect(database)
    try:
        rows = await connection.fetch(
            "SELECT type FROM es.event WHERE stream_id = $1 ORDER BY version", streams[0]
        )
    finally:
        await connection.close()
    assert [row[0] for row in rows[2:]] == ["ReplyRefused"] * 3 + ["ComplaintDispatched", "ReplyRefused"]


async def test_whoever_waits_for_a_complaint_holds_no_other_before_it_in_the_common_order(
    database: str, logs: Logs
) -> None:
    """That is why two desks cannot deadlock, whatever order their batches are in."""
    streams = await lives(desk_on("intake", logs("intake")), range(12))
    gate = await asyncpg.connect(database)
    try:
        keys = dict(
            await gate.fetch(
                "SELECT x, hashtextextended(x::uuid::text, 0) FROM unnest($1::text[]) AS x", streams
            )
        )
        by_key = sorted(streams, key=keys.__getitem__)
        backwards, shuffled = by_key[::-1], random.Random(1).sample(streams, len(streams))
        transaction = gate.transaction()
        await transaction.start()
        await gate.execute("SELECT pg_advisory_xact_lock($1)", keys[by_key[0]])
        waiting = [
            asyncio.create_task(
                desk_on("dispatch", logs("dispatch")).obey(Batch(work=list(map(dispatch_of, order))))
            )
            for order in (backwards, shuffled)
        ]
        held = (
            "SELECT count(*) FILTER (WHERE granted), count(*) FILTER (WHERE NOT granted) FROM pg_locks"
            " WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )

        async def both_wait() -> bool:
            return list(await gate.fetchrow(held)) == [0, 2]

        await until(both_wait, what="two batches that wait and hold nothing")
        await transaction.commit()
        said = await asyncio.gather(*waiting)
        assert sorted(one.facts for one in said) == [
            0,
            len(streams),
        ]  # the second finds everything dispatched
    finally:
        await gate.close()


async def test_who_acts_the_instant_a_complaint_exists_is_never_refused(
    logs: Logs, measured: Callable[[str], None]
) -> None:
    """One desk records, another acts at once on what it was just told: no waiting, no second try, no error."""
    pairs = [(desk_on("intake", logs("intake")), desk_on("dispatch", logs("dispatch"))) for _ in range(8)]
    began = time.monotonic()

    async def live(intake: Desk, dispatch: Desk, numbers: range) -> None:
        for number in numbers:
            work = record(number)
            assert (await intake.obey(Batch(work=[work]))).facts == 2
            said = await dispatch.obey(
                Batch(work=[dispatch_of(work.complaint_id, at=NOW + timedelta(seconds=1))])
            )
            assert said[:3] == (1, 0, 0)
            said = await intake.obey(Batch(work=[withdraw(work.complaint_id, at=NOW + timedelta(seconds=2))]))
            assert said[:3] == (1, 0, 0)

    await asyncio.gather(
        *(live(intake, dispatch, range(n * 125, (n + 1) * 125)) for n, (intake, dispatch) in enumerate(pairs))
    )
    assert [counted(desk, "desk.decided_again") for pair in pairs for desk in pair] == [0] * 16
    measured(f"append: 1,000 complaints recorded, dispatched, withdrawn in {time.monotonic() - began:.1f} s")
