"""All four desks in one process: the same lives, the same promises, and one reader for the log."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from confluent_kafka import TopicPartition as Until
from confluent_kafka.admin import AdminClient

from deploy.city import served
from services.dispatch.settings import Settings as DispatchSettings
from services.feedback.settings import Settings as FeedbackSettings
from services.intake.settings import Settings
from shared.doors.kafka_door import Door
from shared.doors.log_reader import LogReader
from shared.events import (
    AnswerLimitMissed,
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintReceived,
    VisitScheduled,
)
from shared.ids import ComplaintId
from shared.log import Incoming
from shared.log.postgres import PostgresLog
from shared.runtime import kafka_address
from shared.topics import COMPLAINTS_LOG
from shared.work import Batch
from tests.city import City, until
from tests.desks import Crash, Faults, FaultyLog, desk_on
from tests.shell import PATIENCE

pytestmark = pytest.mark.connected

LIFE: Final = [
    "ComplaintReceived", "ComplaintClassified", "ComplaintDispatched", "OrderSigned",
    "OrderAnswered", "VisitScheduled", "VisitMade", "ComplaintClosed",
]  # fmt: skip


# -- whole lives


async def _begin(city: City, mark: str, count: int) -> list[ComplaintId]:
    return list(await asyncio.gather(*(city.record(f"{mark}-{number}") for number in range(count))))


async def _until_all(city: City, streams: Sequence[str], kind: type[Any]) -> None:
    async def all_there() -> bool:
        statement = "SELECT count(*) FROM es.event WHERE type = $1 AND stream_id = ANY ($2::text[]::uuid[])"
        return bool(await city.value(statement, kind.__name__, list(streams)) >= len(streams))

    await until(all_there, within=60, what=f"{kind.__name__} in {len(streams)} lives")


async def _reply(city: City, streams: Sequence[ComplaintId]) -> None:
    await _until_all(city, streams, ComplaintDispatched)
    await asyncio.gather(*(city.sign(stream) for stream in streams))
    await asyncio.gather(*(city.answer(stream) for stream in streams))


async def _end(city: City, streams: Sequence[ComplaintId]) -> None:
    await _until_all(city, streams, VisitScheduled)
    await asyncio.gather(*(city.visit(stream) for stream in streams))
    await _until_all(city, streams, ComplaintClosed)


async def _whole(city: City, count: int) -> None:
    """As many whole lives as were begun, not a fact more, and everything taken in."""
    await city.settled()
    assert await city.parked() == []
    assert await city.verify() == dict.fromkeys(LIFE, count)


async def test_a_life_is_lived_in_one_process_and_the_log_is_heard_once(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city(ruleset="boston-311-2011")  # each request brings its own limit
    await town.start(one_process=True)
    assert set(town.pids()) == {"desks", "relay"}
    now = datetime.now(UTC)
    late = await town.record("late", given_due_at=now + timedelta(seconds=3))
    stream = await town.record("life", given_due_at=now + timedelta(hours=1))
    await _reply(town, [stream])
    await _end(town, [stream])
    assert await town.story(stream) == LIFE
    await town.until_fact(late, AnswerLimitMissed)
    admin = AdminClient(kafka_address.librdkafka(town.endpoints.kafka))
    listed = await asyncio.to_thread(lambda: admin.list_consumer_groups().result())
    prefix = town.endpoints.prefix
    groups = {one.group_id.removeprefix(prefix) for one in listed.valid if one.group_id.startswith(prefix)}
    assert groups == {
        "intake.requests", "intake.calls", "dispatch.replies", "dispatch.reviews",
        "feedback.visit-results", "feedback.exceptions", "desks.log",
    }  # fmt: skip


async def test_killed_at_every_stage_no_complaint_is_lost_or_has_a_fact_twice(
    city: Callable[..., Awaitable[City]],
) -> None:
    town, count = await city(), 150
    await town.start(one_process=True)
    streams = await _begin(town, "killed", count)
    town.signal("desks")
    replying = asyncio.ensure_future(_reply(town, streams))
    await _until_all(town, streams[:20], ComplaintDispatched)
    await until(lambda: _back(town), within=30, what="the desks back")
    town.signal("desks")
    await replying
    ending = asyncio.ensure_future(_end(town, streams))
    await _until_all(town, streams[:20], VisitScheduled)
    await until(lambda: _back(town), within=30, what="the desks back")
    town.signal("desks")
    await ending
    await _whole(town, count)


async def _back(town: City) -> bool:
    return "desks" in town.pids()


async def test_a_city_goes_from_four_processes_to_one_and_back_in_the_middle_of_its_lives(
    city: Callable[..., Awaitable[City]],
) -> None:
    town, count = await city(), 60
    await town.start()
    streams = await _begin(town, "moves", count)
    await _until_all(town, streams[:10], ComplaintDispatched)
    await town.stop()
    await town.start(one_process=True)
    await _reply(town, streams)
    await _until_all(town, streams[:10], VisitScheduled)
    await town.stop()
    await town.start()
    await _end(town, streams)
    await _whole(town, count)


async def test_a_desk_beside_the_one_process_fences_its_door_and_nobody_loses_or_doubles_anything(
    city: Callable[..., Awaitable[City]],
) -> None:
    """Both hear the log for dispatch, each by a group of its own: they take turns at fencing one another."""
    town, count = await city(), 80
    await town.start(one_process=True)
    await town.start("dispatch")
    for stage in range(4):
        streams = await _begin(town, f"beside-{stage}", count // 4)
        await _reply(town, streams)
        await _end(town, streams)
    await _whole(town, count)


async def test_told_to_stop_it_ends_in_order(city: Callable[..., Awaitable[City]]) -> None:
    town = await city()
    (desks, _) = served.services(
        town.endpoints, town.folder, catalogue=str(town.folder / "catalogue.json"), one_process=True
    )
    log = desks.log.open("wb")
    process = await asyncio.create_subprocess_exec(
        *desks.command, env={**os.environ, **desks.env}, stdout=log, stderr=log
    )
    try:

        async def open_() -> bool:
            assert process.returncode is None, desks.log.read_text()
            return '"doors_open"' in desks.log.read_text()

        await until(open_, within=60, what="open doors")
        stream = await town.record("last")
        await town.until_fact(stream, ComplaintReceived)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE * 20) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        log.close()
    assert "Traceback" not in desks.log.read_text()


# -- the log reader, at a test's own pace

MESSAGES: Final = 40
"""In each partition."""


class Hearing:
    """A log reader with two doors on a log of numbered messages; what each door did with them is in a table."""

    def __init__(
        self, town: City, reader: LogReader, consumer: AIOKafkaConsumer, doors: dict[str, Door]
    ) -> None:
        self.town = town
        self.reader = reader
        self.consumer = consumer
        self.doors = doors
        self.tps = [TopicPartition(town.topic(COMPLAINTS_LOG), n) for n in range(COMPLAINTS_LOG.partitions)]

    async def begin(self) -> None:
        self.consumer.assign(self.tps)
        await self.reader.on_partitions_assigned(self.tps)

    async def take_all(self) -> None:
        """Hear until both doors are at the end."""

        async def at_end() -> bool:
            return all(door.reads_from(tp) == MESSAGES for door in self.doors.values() for tp in self.tps)

        while not await at_end():
            await self.reader.take(await asyncio.wait_for(self.reader.fetch(self.consumer), PATIENCE * 20))
        for door in self.doors.values():
            await door._flush_offsets()

    async def moved(self, consumer: str, offset: int) -> None:
        """Another process of this desk has taken everything before `offset`, in each partition."""
        for tp in self.tps:
            await self.town.sql(
                "INSERT INTO heard SELECT $1, $2, n FROM generate_series(0, $3::int - 1) AS n",
                consumer,
                tp.partition,
                offset,
            )
            await self.town.sql(
                "INSERT INTO es.consumer_offset (consumer, topic, part, next_offset) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (consumer, topic, part) DO UPDATE SET next_offset = excluded.next_offset",
                consumer,
                tp.topic,
                tp.partition,
                offset,
            )

    async def heard(self) -> dict[str, Counter[tuple[int, int]]]:
        """How often each door did something with each message."""
        rows = await self.town.sql("SELECT consumer, part, kafka_offset FROM heard")
        found: dict[str, Counter[tuple[int, int]]] = {name: Counter() for name in self.doors}
        for consumer, part, offset in rows:
            found[consumer][part, offset] += 1
        return found


def _all_once(start: int = 0) -> Counter[tuple[int, int]]:
    return Counter(
        (part, offset) for part in range(COMPLAINTS_LOG.partitions) for offset in range(start, MESSAGES)
    )


def _noted(name: str) -> Callable[[Sequence[Incoming], Batch], None]:
    def fill(messages: Sequence[Incoming], batch: Batch) -> None:
        if messages:
            places = [m.partition for m in messages], [m.offset for m in messages]
            batch.effect = (
                "INSERT INTO heard SELECT $1, * FROM unnest($2::int[], $3::bigint[])",
                (name, *places),
            )

    return fill


@asynccontextmanager
async def hearing(town: City, **faults: Faults) -> AsyncIterator[Hearing]:
    """`faults` by desk; nothing is heard until `begin`."""
    await town.sql("CREATE TABLE heard (consumer text, part int, kafka_offset bigint)")
    for number in range(MESSAGES):
        for part in range(COMPLAINTS_LOG.partitions):
            producer = await town._sender()
            await producer.send(town.topic(COMPLAINTS_LOG), b"%d" % number, partition=part)
    await (await town._sender()).flush()
    where: dict[str, Any] = {
        "kafka": town.endpoints.kafka,
        "postgres": town.endpoints.owner_dsn,
        "topic_prefix": town.endpoints.prefix,
        "offsets_idle_ms": 60_000,
        "batch_max": 50,
    }
    told = {"dispatch": DispatchSettings(**where), "feedback": FeedbackSettings(**where)}
    reader = LogReader("", Settings(**where))
    doors: dict[str, Door] = {}

    def fail(error: Exception) -> None:
        raise error

    async with AsyncExitStack() as open_:
        for name, settings in told.items():
            log = PostgresLog(settings.postgres, name, f"{name}.log")
            open_.push_async_callback(log.close)
            desk = desk_on(name, FaultyLog(log, faults.get(name, Faults())))
            doors[name] = Door(desk, settings, name="log", fill=_noted(name), fail=fail)
            reader.add(doors[name], settings, patient=False)
        consumer = AIOKafkaConsumer(
            **kafka_address.aiokafka(town.endpoints.kafka), enable_auto_commit=False, auto_offset_reset="none"
        )
        reader.subscription = SimpleNamespace(consumer=consumer)
        await consumer.start()
        open_.push_async_callback(consumer.stop)
        yield Hearing(town, reader, consumer, doors)
        for door in doors.values():
            if door._flush is not None:
                door._flush.cancel()
            for task in list(door._tasks):
                task.cancel()


async def test_the_ear_begins_where_the_door_furthest_behind_stands(
    city: Callable[..., Awaitable[City]],
) -> None:
    async with hearing(await city()) as one:
        await one.moved("dispatch", 30)
        await one.moved("feedback", 7)
        await one.begin()
        assert {await one.consumer.position(tp) for tp in one.tps} == {7}
        await one.take_all()
        assert await one.heard() == {"dispatch": _all_once(), "feedback": _all_once()}


async def test_a_door_that_is_fenced_goes_back_and_the_other_hears_nothing_twice(
    city: Callable[..., Awaitable[City]],
) -> None:
    async with hearing(await city()) as one:
        await one.begin()
        await one.moved("dispatch", 3)  # after it has read its places: it does not know
        await one.take_all()
        assert await one.heard() == {"dispatch": _all_once(), "feedback": _all_once()}


@pytest.mark.parametrize("at", ["before append", "after append"])
async def test_a_door_that_fails_in_the_middle_goes_back_alone(
    city: Callable[..., Awaitable[City]], at: str
) -> None:
    async with hearing(await city(), feedback=Faults(at)) as one:
        await one.begin()
        records = await one.reader.fetch(one.consumer)
        with pytest.raises(Crash):
            await one.reader.take(records)
        async with one.doors["dispatch"]._turn:  # it has not been disturbed, and is done
            pass
        await one.take_all()
        assert await one.heard() == {"dispatch": _all_once(), "feedback": _all_once()}


async def test_what_was_fetched_before_a_door_went_back_is_not_taken_by_it(
    city: Callable[..., Awaitable[City]],
) -> None:
    async with hearing(await city()) as one:
        await one.begin()
        await one.reader.take(await one.reader.fetch(one.consumer))
        records = await one.reader.fetch(one.consumer)
        one.doors["dispatch"]._position.fetch_again()
        await one.reader.take(records)
        await one.take_all()
        assert await one.heard() == {"dispatch": _all_once(), "feedback": _all_once()}


async def test_where_kafka_has_dropped_what_one_door_still_needed_the_other_stays_where_it_is(
    city: Callable[..., Awaitable[City]],
) -> None:
    async with hearing(await city()) as one:
        await one.moved("feedback", 30)
        admin = AdminClient(kafka_address.librdkafka(one.town.endpoints.kafka))
        gone = admin.delete_records([Until(tp.topic, tp.partition, 20) for tp in one.tps])
        await asyncio.to_thread(lambda: [done.result() for done in gone.values()])
        await one.begin()
        await one.take_all()
        assert await one.heard() == {"dispatch": _all_once(20), "feedback": _all_once()}


async def test_where_one_door_is_stopped_the_ear_goes_on_for_the_other_and_comes_back_for_it(
    city: Callable[..., Awaitable[City]],
) -> None:
    async with hearing(await city()) as one:
        dispatch, topic = one.doors["dispatch"], one.tps[0].topic
        await one.begin()
        await one.reader.take(await one.reader.fetch(one.consumer))
        await dispatch._desk.log.stop_door("log", topic, "most of it is nonsense")
        await dispatch.take_released()
        dispatchs = (await one.heard())["dispatch"]

        async def hear(name: str) -> None:
            async with asyncio.timeout(PATIENCE * 20):
                while any(one.doors[name].reads_from(tp) != MESSAGES for tp in one.tps):
                    await one.reader.take(await one.reader.fetch(one.consumer))

        await hear("feedback")
        assert await one.heard() == {"dispatch": dispatchs, "feedback": _all_once()}
        assert dispatchs != _all_once()
        # Its partitions are given out anew meanwhile: it does not drag the reader back to where it stopped.
        await one.reader.on_partitions_revoked(one.tps)
        await one.doors["feedback"]._flush_offsets()
        await one.reader.on_partitions_assigned(one.tps)
        await one.town.sql("UPDATE es.door_stopped SET resumed_at = now()")
        await dispatch.take_released()
        await hear("dispatch")
        for door in one.doors.values():
            await door._flush_offsets()
        assert await one.heard() == {"dispatch": _all_once(), "feedback": _all_once()}
