"""Desks and the clock die at every point between hearing and having written; each input has its one effect.

A kill at a point is a `Crash` there; then a new door or ticker goes on with the same database and broker.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

import asyncpg
import pytest
from confluent_kafka import TopicPartition as KafkaPlace
from confluent_kafka.admin import AdminClient

from deploy.embedded.stack import Addresses
from services.escalation.due import PRESENT
from services.escalation.settings import Settings as EscalationSettings
from services.escalation.ticker import Ticker
from shared.complaint import head_of
from shared.desk import Desk
from shared.events import ComplaintReceived
from shared.ids import ComplaintId
from shared.log import TIMER_SHARDS, timer_shard, timers_of
from shared.log.postgres import PostgresLog, connect
from shared.runtime import kafka_address
from shared.topics import INTAKE_REQUESTS
from shared.work import Batch
from tests.city import City, open_city, until
from tests.desks import (
    NOW,
    Crash,
    DoorReader,
    Faults,
    FaultyLog,
    Pause,
    counted,
    desk_on,
    dispatch_of,
    door_of_intake,
    lives,
)
from tests.present import present_is, present_runs_from
from tests.shell import PATIENCE
from tests.sources import Databases

pytestmark = pytest.mark.connected

# -- consumers: intake's own door, on a real consumer

CONSUMER_POINTS: Final = ("before heads", "after heads", "before append", "after append")
MESSAGES: Final = 12


@pytest.fixture(scope="module")
async def hall(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[City]:
    """A city in which no process runs."""
    async with open_city(stack, databases, tmp_path_factory.mktemp("hall")) as made:
        yield made


async def _told(city: City, mark: str, count: int = MESSAGES) -> list[ComplaintId]:
    return [await city.record(f"{mark}-{number}") for number in range(count)]


async def _each_once(city: City, streams: Sequence[ComplaintId]) -> None:
    """Every request told so far is one complaint, and the offsets say that all was taken."""
    received = Counter(
        told.complaint_id for told in await city.facts() if told.type == ComplaintReceived.__name__
    )
    assert {stream: received[stream] for stream in streams} == dict.fromkeys(streams, 1)
    topic = city.topic(INTAKE_REQUESTS)
    ends = await city.ends([(topic, number) for number in range(INTAKE_REQUESTS.partitions)])

    async def stored() -> dict[tuple[str, int], int]:
        rows = await city.sql("SELECT part, next_offset FROM es.consumer_offset WHERE topic = $1", topic)
        return {(topic, row[0]): row[1] for row in rows}

    async def at_end() -> bool:
        return await stored() == ends

    await until(at_end, within=5, what="offsets at the end")
    assert await city.value("SELECT count(*) FROM es.inbox WHERE consumer = 'intake'") == sum(ends.values())
    assert await city.parked() == []
    await city.verify(from_kafka=False)


async def test_a_batch_passes_the_points_that_are_tried_here_and_no_others(hall: City) -> None:
    streams = await _told(hall, "none")
    faults = Faults()
    async with door_of_intake(hall, faults) as (door_reader, _):
        await door_reader.take_all()
        await _each_once(hall, streams)
    assert set(faults.reached) == set(CONSUMER_POINTS)


@pytest.mark.parametrize("point", CONSUMER_POINTS)
async def test_a_desk_killed_at_any_point_of_a_batch_gives_each_message_its_one_effect(
    hall: City, point: str
) -> None:
    streams = await _told(hall, point)
    faults = Faults(point)
    async with door_of_intake(hall, faults) as (door_reader, _):
        with pytest.raises(Crash):
            await door_reader.take_all()
    async with door_of_intake(hall, Faults()) as (door_reader, _):
        await door_reader.take_all()
        await _each_once(hall, streams)


async def test_killed_before_kafka_knows_its_offsets_a_desk_goes_on_by_its_own(hall: City) -> None:
    """Kafka's offsets are for lag tools: what they say at the start does not matter."""
    streams = await _told(hall, "commit")
    group = f"{hall.endpoints.prefix}intake.requests"
    async with door_of_intake(hall, Faults(), group=group) as (door_reader, _):
        real, pause = door_reader.consumer, Pause("before commit")

        async def commit(offsets: Any) -> None:
            await pause.around("commit", lambda: real.commit(offsets))

        door_reader.door.hears_by(
            SimpleNamespace(
                consumer=SimpleNamespace(commit=commit, assignment=real.assignment, seek=real.seek)
            )
        )
        await asyncio.wait_for(door_reader.take_all(), PATIENCE * 20)
        await asyncio.wait_for(pause.arrived.wait(), PATIENCE * 5)
    async with door_of_intake(hall, Faults(), group=group) as (door_reader, _):
        assert (
            await asyncio.wait_for(door_reader.take_all(), PATIENCE * 20) == 0
        )  # everything was written: nothing comes again
        streams += await _told(hall, "after commit")
        assert await asyncio.wait_for(door_reader.take_all(), PATIENCE * 20) == MESSAGES
        await _each_once(hall, streams)


async def _cancelled_at(door_reader: DoorReader, pause: Pause) -> None:
    """Cancel a batch that has come to this point, then give the door's own flush the time to write."""
    taking = asyncio.create_task(door_reader.door.take(await door_reader.fetch()))
    await asyncio.wait_for(pause.arrived.wait(), PATIENCE * 10)
    taking.cancel()
    await asyncio.wait([taking], timeout=5)
    assert taking.cancelled()
    door_reader.door._later()
    await asyncio.sleep(0.2)


@pytest.mark.parametrize("point", CONSUMER_POINTS)
async def test_a_batch_cancelled_at_any_point_is_taken_again_by_a_new_process(hall: City, point: str) -> None:
    streams = await _told(hall, f"cancelled {point}")
    pause = Pause(point)
    async with door_of_intake(hall, pause) as (door_reader, _):
        await _cancelled_at(door_reader, pause)
    async with door_of_intake(hall, Faults()) as (door_reader, _):
        await door_reader.take_all()
        await _each_once(hall, streams)


@pytest.mark.parametrize("point", CONSUMER_POINTS)
async def test_a_door_that_lives_on_takes_a_cancelled_batch_again(hall: City, point: str) -> None:
    streams = await _told(hall, f"goes on {point}")
    pause = Pause(point)
    async with door_of_intake(hall, pause) as (door_reader, _):
        await _cancelled_at(door_reader, pause)
        streams += await _told(hall, f"behind {point}")
        await door_reader.take_all()
        await _each_once(hall, streams)


class PauseOneByOne(Pause):
    """The batch cannot be written as a whole; the second message taken by itself waits at the point."""

    async def around(self, name: str, call: Any) -> Any:
        if name == "append":
            self.appends += 1
            if self.appends == 1:
                message = "not as a whole"
                raise ValueError(message)
        if self.appends < 2:
            return await call()
        return await super().around(name, call)

    appends = 0


@pytest.mark.parametrize("point", CONSUMER_POINTS)
async def test_cancelled_message_by_message_a_door_skips_none_and_parks_none(hall: City, point: str) -> None:
    streams = await _told(hall, f"each {point}")
    pause = PauseOneByOne(point)
    async with door_of_intake(hall, pause) as (door_reader, _):
        await _cancelled_at(door_reader, pause)
    async with door_of_intake(hall, Faults()) as (door_reader, _):
        await door_reader.take_all()
        await _each_once(hall, streams)


async def test_cancelled_while_another_batch_is_in_hand_a_batch_comes_again(hall: City) -> None:
    streams = await _told(hall, "in hand")
    pause = Pause("before append")
    async with door_of_intake(hall, pause) as (door_reader, _):
        first = asyncio.create_task(door_reader.door.take(await door_reader.fetch()))
        await asyncio.wait_for(pause.arrived.wait(), PATIENCE * 10)
        streams += await _told(hall, "waits")
        second = asyncio.create_task(door_reader.door.take(await door_reader.fetch()))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait([second])
        pause.go_on.set()
        await first
        streams += await _told(hall, "behind both")
        await door_reader.take_all()
        await _each_once(hall, streams)


@pytest.mark.parametrize("point", CONSUMER_POINTS)
async def test_a_connection_lost_at_any_point_is_tried_again_and_has_one_effect(
    hall: City, point: str
) -> None:
    """The answer to a commit can be lost with the connection: then the offset row refuses the repeat."""
    streams = await _told(hall, f"lost {point}")
    faults = Faults(point, error=asyncpg.ConnectionDoesNotExistError("connection was closed"))
    async with door_of_intake(hall, faults) as (door_reader, desk):
        await door_reader.take_all()
        await _each_once(hall, streams)
        assert faults.happened
        assert counted(desk, "door.retries") == 1
        assert counted(desk, "door.fenced") == (1 if point == "after append" else 0)


async def test_a_consumer_that_lost_its_partitions_writes_nothing(hall: City) -> None:
    """The old one sleeps with a batch in hand, another takes it and more, the old one wakes."""
    streams = await _told(hall, "zombie")
    pause = Pause("before append")
    async with door_of_intake(hall, pause) as (old, old_desk), door_of_intake(hall, Faults()) as (new, _):
        sleeping = asyncio.create_task(old.door.take(await old.fetch()))
        await asyncio.wait_for(pause.arrived.wait(), PATIENCE * 10)
        await new.take_all()
        streams += await _told(hall, "meanwhile")
        await new.take_all()
        before = await hall.sql("SELECT * FROM es.event ORDER BY position")
        stands = await hall.sql("SELECT * FROM es.consumer_offset ORDER BY 1, 2, 3")

        pause.go_on.set()
        await sleeping
        assert counted(old_desk, "door.fenced") == 1
        assert await hall.sql("SELECT * FROM es.event ORDER BY position") == before
        assert await hall.sql("SELECT * FROM es.consumer_offset ORDER BY 1, 2, 3") == stands

        await old.take_all()  # it has been sent back to where the log says it is
        await _each_once(hall, streams)


async def test_partitions_that_go_to_another_between_two_batches_lose_and_repeat_nothing(hall: City) -> None:
    group = f"{hall.endpoints.prefix}intake.requests"
    stop = asyncio.Event()

    async def work(door_reader: DoorReader) -> None:
        while not stop.is_set():
            await door_reader.door.take(await door_reader.fetch(within_ms=50))

    async with AsyncExitStack() as doors:
        first, _ = await doors.enter_async_context(door_of_intake(hall, Faults(), group=group))
        tasks = [asyncio.create_task(work(first))]
        streams = await _told(hall, "alone")
        second, _ = await doors.enter_async_context(door_of_intake(hall, Faults(), group=group))
        tasks.append(asyncio.create_task(work(second)))
        number = 0

        async def shared() -> bool:
            nonlocal number, streams
            number += 1
            streams += await _told(hall, f"moving {number}", 2)
            return bool(first.consumer.assignment()) and bool(second.consumer.assignment())

        await until(shared, within=20, what="a rebalance")
        streams += await _told(hall, "together")
        await _each_once_soon(hall, streams)
        stop.set()
        await asyncio.gather(*tasks)


async def _each_once_soon(city: City, streams: Sequence[ComplaintId]) -> None:
    async def all_there() -> bool:
        known = await city.value(
            "SELECT count(*) FROM es.stream WHERE stream_id = ANY ($1::text[]::uuid[])", streams
        )
        return bool(known == len(set(streams)))

    await until(all_there, within=15, what="every request on record")
    await _each_once(city, streams)


# -- what Kafka no longer has


async def _forget(city: City, before: int) -> None:
    """Retention passes: Kafka deletes what lies before this offset in each partition."""
    topic = city.topic(INTAKE_REQUESTS)
    admin = AdminClient(kafka_address.librdkafka(city.endpoints.kafka))
    places = [KafkaPlace(topic, number, before) for number in range(INTAKE_REQUESTS.partitions)]
    for deleted in admin.delete_records(places).values():
        await asyncio.to_thread(deleted.result, 20)


async def test_what_retention_has_passed_is_gone_past_with_an_alarm_that_counts_it(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with open_city(stack, databases, tmp_path_factory.mktemp("retention")) as city:
        await _told(city, "gone", 40)
        topic = city.topic(INTAKE_REQUESTS)
        ends = await city.ends([(topic, number) for number in range(INTAKE_REQUESTS.partitions)])
        assert min(ends.values()) >= 2
        await _forget(city, 2)
        async with door_of_intake(city, Faults()) as (door_reader, desk):
            await asyncio.wait_for(door_reader.take_all(), PATIENCE * 30)
            assert counted(desk, "door.offsets_skipped") == 2 * INTAKE_REQUESTS.partitions
            assert counted(desk, "door.messages") == 40 - 2 * INTAKE_REQUESTS.partitions

            async def stored() -> bool:
                rows = await city.sql(
                    "SELECT part, next_offset FROM es.consumer_offset WHERE topic = $1", topic
                )
                return {(topic, row[0]): row[1] for row in rows} == ends

            await until(stored, within=5, what="offsets at the end")
        assert await city.value("SELECT count(*) FROM es.stream") == 40 - 2 * INTAKE_REQUESTS.partitions


async def test_a_topic_made_anew_is_read_from_its_beginning(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It is shorter than what the desk had read of the old one."""
    async with open_city(stack, databases, tmp_path_factory.mktemp("anew")) as city:
        await _told(city, "anew")
        async with door_of_intake(city, Faults()):
            pass  # its offsets have rows from now on
        await city.sql("UPDATE es.consumer_offset SET next_offset = 1000")
        async with door_of_intake(city, Faults()) as (door_reader, desk):

            async def all_read() -> bool:
                await door_reader.door.take(await door_reader.fetch(within_ms=200))
                return counted(desk, "door.messages") == MESSAGES

            await until(all_read, within=20, what="the messages of the new topic")
            assert counted(desk, "door.offsets_skipped") == 0
            assert counted(desk, "door.unreadable") == INTAKE_REQUESTS.partitions
        assert await city.value("SELECT count(*) FROM es.stream") == MESSAGES


# -- the clock

TICK_POINTS: Final = tuple(
    f"{when} {call}" for call in ("now", "due", "heads", "append") for when in ("before", "after")
)
COMPLAINTS: Final = 8
SIGN_MISSED_AT: Final = NOW + timedelta(hours=9)


class FaultyConnection:
    """A real connection with points around the two questions of a tick."""

    def __init__(self, connection: Any, faults: Faults) -> None:
        self._connection = connection
        self._faults = faults

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        asked = lambda: self._connection.fetchval(query, *arguments)  # noqa: E731 -- asked here or there
        return await (self._faults.around("now", asked) if query == PRESENT else asked())

    async def execute(self, *arguments: Any) -> Any:
        return await self._connection.execute(*arguments)

    async def fetch(self, *arguments: Any) -> Any:
        return await self._faults.around("due", lambda: self._connection.fetch(*arguments))


class FaultyTicker(Ticker):
    """The real one, on connections with points."""

    def __init__(self, settings: EscalationSettings, desk: Desk, faults: Faults) -> None:
        super().__init__(settings, desk)
        self._faults = faults

    async def tick(self, connection: Any) -> int:
        return await super().tick(FaultyConnection(connection, self._faults))  # type: ignore[arg-type]


class Clockwork:
    """A fresh database with dispatched complaints, whose clock the test moves."""

    def __init__(self, dsn: str, streams: list[ComplaintId], owner: Any) -> None:
        self.dsn = dsn
        self.streams = streams
        self.owner = owner
        self._open: list[Any] = []

    async def ticker(self, faults: Faults, *, alone: bool = True) -> tuple[Ticker, FaultyConnection, Desk]:
        """A ticker that owns all shards, rightly or, where it is not `alone`, wrongly."""
        log = PostgresLog(self.dsn, "escalation", "escalation.tick")
        connection = await connect(self.dsn, "escalation.tick")
        self._open += [connection, log]
        desk = desk_on("escalation", FaultyLog(log, faults))
        ticker = Ticker(EscalationSettings(kafka="", postgres=self.dsn), desk)
        if alone:
            await ticker.own(connection)
            assert len(ticker._owned) == TIMER_SHARDS
        else:
            ticker._owned = list(range(TIMER_SHARDS))
        return ticker, FaultyConnection(connection, faults), desk

    async def forget(self) -> None:
        """What a killed process leaves open, the server closes."""
        for one in self._open:
            with suppress(Exception):
                await one.close()
        self._open = []

    async def clock_to(self, at: datetime) -> None:
        await self.owner.execute(present_runs_from(at))

    async def stated(self) -> Counter[tuple[str, str]]:
        rows = await self.owner.fetch("SELECT stream_id::text, type FROM es.event WHERE actor = 'escalation'")
        return Counter((row[0], row[1]) for row in rows)

    async def check(self, *types: str) -> None:
        """Each complaint has each of these facts once and no other, and its timers are what its head asks for."""
        assert await self.stated() == Counter((stream, kind) for stream in self.streams for kind in types)
        wanted = {
            (str(row[0]), kind, timer_shard(str(row[0])), due_at)
            for row in await self.owner.fetch("SELECT stream_id, state FROM es.stream")
            for kind, due_at in timers_of(head_of(row[1])).items()
        }
        rows = await self.owner.fetch("SELECT stream_id::text, kind, shard, due_at FROM es.timer")
        assert {tuple(row) for row in rows} == wanted


@pytest.fixture
async def clockwork(database: str) -> AsyncIterator[Clockwork]:
    owner = await asyncpg.connect(database)
    await owner.execute(present_runs_from(NOW))
    logs = [PostgresLog(database, name, name) for name in ("intake", "dispatch")]
    streams = await lives(desk_on("intake", logs[0]), range(COMPLAINTS))
    await desk_on("dispatch", logs[1]).obey(Batch(work=[dispatch_of(stream) for stream in streams]))
    made = Clockwork(database, streams, owner)
    try:
        yield made
    finally:
        await made.forget()
        await owner.close()
        for log in logs:
            await log.close()


SIGN_MISSED: Final = ("SignLimitMissed", "ComplaintEscalated")


async def _ticked_out(ticker: Ticker, connection: Any) -> int:
    """Tick until nothing is due; how many timers fired."""
    fired = 0
    while count := await ticker.tick(connection):
        fired += count
    return fired


async def test_a_tick_passes_the_points_that_are_tried_here_and_no_others(clockwork: Clockwork) -> None:
    await clockwork.clock_to(SIGN_MISSED_AT)
    faults = Faults()
    ticker, connection, _ = await clockwork.ticker(faults)
    assert await _ticked_out(ticker, connection) == COMPLAINTS
    assert set(faults.reached) == set(TICK_POINTS)
    await clockwork.check(*SIGN_MISSED)


async def test_no_timer_fires_before_its_limit_is_over(clockwork: Clockwork) -> None:
    ticker, connection, _ = await clockwork.ticker(Faults())
    due_at = await clockwork.owner.fetchval("SELECT min(due_at) FROM es.timer")
    for at in (due_at - timedelta(hours=1), due_at - timedelta(microseconds=1), due_at):
        await clockwork.owner.execute(present_is(at))
        assert await _ticked_out(ticker, connection) == 0
    await clockwork.owner.execute(present_is(due_at + timedelta(microseconds=1)))
    assert await _ticked_out(ticker, connection) == COMPLAINTS
    await clockwork.check(*SIGN_MISSED)


@pytest.mark.parametrize("point", TICK_POINTS)
async def test_a_clock_killed_at_any_point_of_a_tick_states_each_miss_once(
    clockwork: Clockwork, point: str
) -> None:
    await clockwork.clock_to(SIGN_MISSED_AT)
    faults = Faults(point)
    ticker, connection, _ = await clockwork.ticker(faults)
    with pytest.raises(Crash):
        await _ticked_out(ticker, connection)
    await clockwork.forget()
    ticker, connection, _ = await clockwork.ticker(Faults())
    await _ticked_out(ticker, connection)
    await clockwork.check(*SIGN_MISSED)


@pytest.mark.parametrize("point", TICK_POINTS)
async def test_a_clock_cancelled_at_any_point_of_a_tick_states_each_miss_once(
    clockwork: Clockwork, point: str
) -> None:
    await clockwork.clock_to(SIGN_MISSED_AT)
    pause = Pause(point)
    ticker, connection, _ = await clockwork.ticker(pause)
    ticking = asyncio.create_task(_ticked_out(ticker, connection))
    await asyncio.wait_for(pause.arrived.wait(), PATIENCE * 10)
    ticking.cancel()
    await asyncio.wait([ticking], timeout=5)
    assert ticking.cancelled()
    await clockwork.forget()
    ticker, connection, _ = await clockwork.ticker(Faults())
    await _ticked_out(ticker, connection)
    await clockwork.check(*SIGN_MISSED)


@pytest.mark.parametrize(
    "point", ["before now", "after due", "before heads", "before append", "after append"]
)
async def test_a_clock_that_loses_its_connection_owns_its_shards_again_and_states_each_miss_once(
    clockwork: Clockwork, point: str
) -> None:
    await clockwork.clock_to(SIGN_MISSED_AT)
    faults = Faults(point, error=asyncpg.ConnectionDoesNotExistError("connection was closed"))
    log = PostgresLog(clockwork.dsn, "escalation", "escalation.tick")
    settings = EscalationSettings(kafka="", postgres=clockwork.dsn, tick_ms=20)
    ticker = FaultyTicker(settings, desk_on("escalation", FaultyLog(log, faults)), faults)
    running = asyncio.create_task(ticker.run())

    async def stated() -> bool:
        return sum((await clockwork.stated()).values()) >= 2 * COMPLAINTS

    try:
        await until(stated, what="the misses")
        await asyncio.sleep(0.1)  # some ticks more, which must say nothing
    finally:
        running.cancel()
        await asyncio.wait([running])
        await log.close()
    assert faults.happened
    await clockwork.check(*SIGN_MISSED)


async def test_two_clocks_on_one_shard_state_each_miss_once(clockwork: Clockwork) -> None:
    """Both believe they own it, and both have found the same timers before either has written."""
    await clockwork.clock_to(SIGN_MISSED_AT)
    pause = Pause("before append")
    first, first_connection, first_desk = await clockwork.ticker(pause)
    second, second_connection, _ = await clockwork.ticker(Faults(), alone=False)
    sleeping = asyncio.create_task(_ticked_out(first, first_connection))
    await asyncio.wait_for(pause.arrived.wait(), PATIENCE * 10)
    assert await _ticked_out(second, second_connection) == COMPLAINTS
    pause.go_on.set()
    await sleeping
    assert counted(first_desk, "desk.decided_again") == 1
    await clockwork.check(*SIGN_MISSED)


async def test_a_clock_that_came_too_late_for_one_timer_still_fires_the_next(clockwork: Clockwork) -> None:
    """Another stated the miss between its two reads. The level it set off is this clock's to fire, a day later."""
    await clockwork.clock_to(SIGN_MISSED_AT)
    pause = Pause("before heads")
    late, late_connection, _ = await clockwork.ticker(pause)
    other, other_connection, _ = await clockwork.ticker(Faults(), alone=False)
    sleeping = asyncio.create_task(_ticked_out(late, late_connection))
    await asyncio.wait_for(pause.arrived.wait(), PATIENCE * 10)
    assert await _ticked_out(other, other_connection) == COMPLAINTS
    pause.go_on.set()
    await sleeping
    await clockwork.check(*SIGN_MISSED)

    await clockwork.clock_to(SIGN_MISSED_AT + timedelta(days=1))
    assert await _ticked_out(late, late_connection) == COMPLAINTS
    await clockwork.check(*SIGN_MISSED, "ComplaintEscalated", "SupervisionOpened")


async def test_many_clocks_at_once_on_the_same_shards_state_each_miss_once(clockwork: Clockwork) -> None:
    tickers = [await clockwork.ticker(Faults(), alone=False) for _ in range(4)]
    end = NOW + timedelta(days=9)
    at = NOW
    while at < end:
        at += timedelta(hours=9)
        await clockwork.clock_to(at)
        await asyncio.gather(*(_ticked_out(ticker, connection) for ticker, connection, _ in tickers))
    await clockwork.check(
        "SignLimitMissed",
        "ComplaintEscalated",
        "ComplaintEscalated",
        "SupervisionOpened",
        "SupervisionMissed",
        "WarningGiven",
        "WarningGiven",
        "AnswerLimitMissed",
    )


async def test_a_shard_has_one_owner_and_another_when_that_one_is_gone(clockwork: Clockwork) -> None:
    first, _, _ = await clockwork.ticker(Faults())
    assert len(first._owned) == TIMER_SHARDS
    connection = await connect(clockwork.dsn, "escalation.tick")
    try:
        second = Ticker(
            EscalationSettings(kafka="", postgres=clockwork.dsn),
            desk_on("escalation", PostgresLog(clockwork.dsn, "escalation", "x")),
        )
        await second.own(connection)
        assert second._owned == []
        assert await second.tick(connection) == 0
        await clockwork.forget()

        async def owned() -> bool:
            second._owning_at = 0.0  # or it would look again only after a second
            await second.own(connection)
            return len(second._owned) == TIMER_SHARDS

        await until(owned, what="the shards of the one that is gone")
    finally:
        await connection.close()
