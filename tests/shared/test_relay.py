"""The relay dies at every point it has, and is overtaken; every fact still arrives, in order, and counts once.

Real PostgreSQL and Kafka. A desk's own door hears what comes and drops the relay's repeats by their mark,
so what it lets through must be every fact exactly once, in the order of its complaint.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, Final

import asyncpg
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource

from deploy.embedded.stack import Addresses
from shared.desk import Desk
from shared.doors.kafka_door import Door
from shared.doors.process import HeardTypes
from shared.events import SPEAKERS
from shared.ids import ComplaintId
from shared.log import Incoming
from shared.log.postgres import PostgresLog, connect
from shared.log.relay.cursor import FactRow, RelayCursor, RelayFenced, WrongShards
from shared.log.relay.loop import Relay
from shared.log.relay.sink import KafkaSink
from shared.runtime import kafka_address
from shared.runtime.settings import CommonSettings
from shared.runtime.telemetry import Telemetry
from shared.runtime.topic_admin import make_missing, settings
from shared.topic_names import partition_of
from shared.topics import COMPLAINTS_LOG, DISPATCH_ORDERS, DISPATCH_REPLIES
from shared.work import Batch
from tests.city import UNIT, City, open_city, until
from tests.desks import Crash, DoorReader, Faults, Pause, counted, desk_on, dispatch_of, lives
from tests.shell import PATIENCE
from tests.sources import Databases

pytestmark = pytest.mark.connected

PAGE: Final = 4
COMPLAINTS: Final = 5

STEPS: Final = ("own", "look", "open", "page", "with_beside", "send", "page_done", "settle")
POINTS: Final = (*(f"{when} {step}" for step in STEPS for when in ("before", "after")), "amid send")


class FaultyRelayLog(RelayCursor):
    """See `RelayCursor`: the real one, with a point before and after each call."""

    def __init__(self, connection: Any, faults: Faults) -> None:
        super().__init__(connection)
        self._faults = faults

    async def own(self) -> None:
        await self._faults.around("own", super().own)

    async def look(self) -> str:
        return await self._faults.around("look", super().look)

    async def page(self, snap_b: str, page_max: int) -> list[FactRow]:
        of = super().page
        return await self._faults.around("page", lambda: of(snap_b, page_max))

    async def open(self, snap_b: str, page_max: int) -> list[FactRow]:
        of = super().open
        return await self._faults.around("open", lambda: of(snap_b, page_max))

    async def with_beside(self, rows: list[FactRow]) -> list[FactRow]:
        of = super().with_beside
        return await self._faults.around("with_beside", lambda: of(rows))

    async def page_done(self, position: int) -> None:
        of = super().page_done
        await self._faults.around("page_done", lambda: of(position))

    async def settle(self) -> None:
        await self._faults.around("settle", super().settle)


class FaultySink:
    """A sink on the real Kafka; amid a page, some partitions have it and the others have not."""

    def __init__(self, sink: KafkaSink, faults: Faults) -> None:
        self._sink = sink
        self._faults = faults

    async def send(self, rows: list[FactRow], batch: int) -> int:
        return await self._faults.around("send", lambda: self._send(rows, batch))

    async def _send(self, rows: list[FactRow], batch: int) -> int:
        if self._faults.at == "amid send" and not self._faults.happened:
            partitions = [partition_of(row.stream_id.encode(), COMPLAINTS_LOG.partitions) for row in rows]
            some = [row for row, n in zip(rows, partitions, strict=True) if n == partitions[0]]
            await self._sink.send(some, batch)
            self._faults.point("amid send")
        return await self._sink.send(rows, batch)

    async def close(self) -> None:
        await self._sink.close()


class Office:
    """A city in which only this test's relays and one listening door work."""

    def __init__(
        self, city: City, intake: Desk, dispatch: Desk, door_reader: DoorReader, heard: list[tuple[str, int]]
    ) -> None:
        self.city = city
        self.heard = heard
        self.door_reader = door_reader
        self.settings = CommonSettings(
            kafka=city.endpoints.kafka,
            postgres=city.endpoints.logins["relay"],
            topic_prefix=city.endpoints.prefix,
        )
        self.telemetry = Telemetry("relay")
        self._intake = intake
        self._dispatch = dispatch
        self._numbers = 0

    async def happens(self, count: int = COMPLAINTS) -> list[ComplaintId]:
        """Complaints come in and are dispatched: three facts each."""
        self._numbers += 1
        streams = await lives(self._intake, [f"{self._numbers}-{n}" for n in range(count)])
        await self._dispatch.obey(Batch(work=[dispatch_of(stream) for stream in streams]))
        return streams

    def relay(self) -> Relay:
        return Relay(self.settings, self.telemetry, page_max=PAGE)

    def sink(self, faults: Faults) -> FaultySink:
        return FaultySink(KafkaSink(self.settings, self.telemetry), faults)

    async def relayed(self, faults: Faults) -> int:
        """One relay after another until all is sent; each works until the fault kills it. Returns how many."""
        lives_used = 0
        while True:
            lives_used += 1
            connection = await connect(self.settings.postgres, "relay")
            sink = self.sink(faults)
            try:
                log = FaultyRelayLog(connection, faults)
                assert await log.try_own()
                while await self.relay().step(log, sink):  # type: ignore[arg-type]  # a sink by its methods
                    pass
            except Crash:
                continue
            else:
                return lives_used
            finally:
                connection.terminate()
                await sink.close()
                await self.nobody_owns()

    async def nobody_owns(self) -> None:
        """The server has noticed that the relay's connection is gone."""

        async def gone() -> bool:
            return not await self.city.value(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'relay'"
            )

        await until(gone, what="the end of the relay's connection")

    async def check(self) -> None:
        """What the door let through so far is the log: every fact, once, in order."""
        await self.door_reader.take_all()
        log = [(told.complaint_id, told.version) for told in await self.city.facts()]
        assert sorted(self.heard) == sorted(log)
        last: dict[str, int] = {}
        for stream, version in self.heard:
            assert version == last.get(stream, 0) + 1, f"{stream}: {version} after {last.get(stream, 0)}"
            last[stream] = version
        assert await self.city.value("SELECT es.drained()")

    async def raw(self) -> list[tuple[str, int, bytes]]:
        """Stream, version and mark of every message on complaints.log, repeats and all."""
        records = await self.city.messages(self.city.topic(COMPLAINTS_LOG))
        return [
            (r.key.decode(), int(dict(r.headers)["ce_sequence"]), dict(r.headers)["ce_relaymark"])
            for r in records
        ]


@pytest.fixture(scope="module")
async def office(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Office]:
    async with open_city(stack, databases, tmp_path_factory.mktemp("relay")) as city:
        logs = [
            PostgresLog(city.endpoints.logins[name], name, name)
            for name in ("intake", "dispatch", "feedback")
        ]
        heard: list[tuple[str, int]] = []

        def fill(messages: Sequence[Incoming], batch: Batch) -> None:
            for message in messages:
                heard.append(((message.key or b"").decode(), int(dict(message.headers)["ce_sequence"] or 0)))

        def fail(error: Exception) -> None:
            raise error

        settings = CommonSettings(kafka=city.endpoints.kafka, postgres="", topic_prefix=city.endpoints.prefix)
        listener = desk_on("feedback", logs[2])
        door = Door(listener, settings, name="log", fill=fill, wanted=HeardTypes(SPEAKERS), fail=fail)
        door_reader = DoorReader(door, city.endpoints.kafka, city.topic(COMPLAINTS_LOG))
        await door_reader.start()
        try:
            yield Office(city, desk_on("intake", logs[0]), desk_on("dispatch", logs[1]), door_reader, heard)
        finally:
            await door_reader.stop()
            for log in logs:
                await log.close()


async def test_it_dies_at_no_point_that_is_not_known_here(office: Office) -> None:
    """If the relay gets another call to wait for, it needs another point below."""
    faults = Faults()
    await office.happens()
    await office.relayed(faults)
    assert set(faults.reached) == set(POINTS) - {"amid send"}
    await office.check()


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_any_point_it_loses_nothing_and_repeats_at_most_a_page(
    office: Office, point: str
) -> None:
    before = len(await office.raw())
    streams = await office.happens()
    faults = Faults(point)
    assert await office.relayed(faults) == 2
    assert faults.happened
    await office.check()

    messages = (await office.raw())[before:]
    assert 0 <= len(messages) - 3 * COMPLAINTS <= PAGE
    marks: dict[tuple[str, int], set[bytes]] = {}
    for stream, version, mark in messages:
        marks.setdefault((stream, version), set()).add(mark)
    assert {len(different) for different in marks.values()} == {1}  # a repeat carries the mark of the first
    orders = await office.city.messages(office.city.topic(DISPATCH_ORDERS, UNIT))
    assert set(streams) <= {record.key.decode() for record in orders}


async def test_killed_again_and_again_it_still_gets_everything_through(office: Office) -> None:
    await office.happens()
    for point in ("amid send", "after send", "before page_done", "before settle", "after open"):
        with suppress(Crash):
            connection = await connect(office.settings.postgres, "relay")
            faults = Faults(point)
            sink = office.sink(faults)
            try:
                log = FaultyRelayLog(connection, faults)
                assert await log.try_own()
                while await office.relay().step(log, sink):  # type: ignore[arg-type]
                    pass
            finally:
                connection.terminate()
                await sink.close()
                await office.nobody_owns()
        await office.happens(2)
    await office.relayed(Faults())
    await office.check()


@pytest.mark.parametrize("point", ["before send", "after send", "before settle", "before page_done"])
async def test_a_paused_owner_that_wakes_is_fenced_and_its_late_page_counts_for_nothing(
    office: Office, point: str
) -> None:
    """The old owner sleeps with a page in hand; the new one sends it and more; then the old one wakes."""
    await office.happens()
    pause = Pause(point)
    old_connection, new_connection = [await connect(office.settings.postgres, "relay") for _ in range(2)]
    old_sink, new_sink = office.sink(pause), office.sink(Faults())
    try:
        old = FaultyRelayLog(old_connection, pause)
        assert await old.try_own()

        async def work() -> None:
            while await office.relay().step(old, old_sink):  # type: ignore[arg-type]
                pass

        sleeping = asyncio.create_task(work())
        await asyncio.wait_for(pause.arrived.wait(), PATIENCE * 10)

        new = RelayCursor(new_connection)
        assert not await new.try_own()  # the old one's connection lives, so nobody else may
        await new.own()  # as when the server has lost sight of the old one
        while await office.relay().step(new, new_sink):  # type: ignore[arg-type]
            pass
        more = await office.happens(3)
        while await office.relay().step(new, new_sink):  # type: ignore[arg-type]
            pass
        await office.check()

        pause.go_on.set()
        with pytest.raises(RelayFenced):
            await sleeping
        assert new.epoch == old.epoch + 1
        repeats_before = counted(office.door_reader.door._desk, "door.relay_repeats")
        await office.check()
        assert {stream for stream, _ in office.heard} >= set(more)
        if point == "before send":  # its page did go out, late
            assert counted(office.door_reader.door._desk, "door.relay_repeats") > repeats_before
    finally:
        old_connection.terminate()
        new_connection.terminate()
        await old_sink.close()
        await new_sink.close()
        await office.nobody_owns()


async def test_a_paused_owner_with_a_batch_it_has_not_opened_sends_nothing(office: Office) -> None:
    await office.happens()
    pause = Pause("before open")
    connection = await connect(office.settings.postgres, "relay")
    sink = office.sink(pause)
    try:
        old = FaultyRelayLog(connection, pause)
        assert await old.try_own()
        sleeping = asyncio.create_task(office.relay().step(old, sink))  # type: ignore[arg-type]
        await asyncio.wait_for(pause.arrived.wait(), PATIENCE * 10)
        other = await connect(office.settings.postgres, "relay")
        try:
            await RelayCursor(other).own()
        finally:
            await other.close()
        before = len(await office.raw())
        pause.go_on.set()
        with pytest.raises(RelayFenced):
            await sleeping
        assert len(await office.raw()) == before
    finally:
        connection.terminate()
        await sink.close()
        await office.nobody_owns()
    await office.relayed(Faults())
    await office.check()


async def test_a_second_relay_waits_and_takes_over_when_the_first_is_gone(office: Office) -> None:
    epoch = "SELECT epoch FROM es.relay"
    drained = "SELECT es.drained()"
    before = await office.city.value(epoch)
    first = asyncio.create_task(office.relay().run())
    second: asyncio.Task[None] | None = None
    try:
        await until(lambda: office.city.value(f"SELECT ({epoch}) = $1", before + 1), what="a relay at work")
        second = asyncio.create_task(office.relay().run())
        await office.happens()
        await until(lambda: office.city.value(drained), what="everything relayed")
        await office.check()
        assert await office.city.value(epoch) == before + 1
        first.cancel()
        await asyncio.wait([first])
        await office.happens()
        await until(lambda: office.city.value(drained), what="everything relayed by the other")
        assert await office.city.value(epoch) == before + 2
        await office.check()
    finally:
        tasks = [task for task in (first, second) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await office.nobody_owns()


# -- several relays


@pytest.fixture
async def shared(office: Office) -> AsyncIterator[Office]:
    """An office whose log two relays share; afterwards one again."""
    await office.relayed(Faults())
    await office.city.sql("SELECT es.set_relay_shards(2)")
    try:
        yield office
    finally:
        await until(lambda: office.city.value("SELECT es.drained()"), within=60, what="everything relayed")
        await office.city.sql("SELECT es.set_relay_shards(1)")


@pytest.mark.parametrize("shards", [1, 2, 3, 4])
async def test_a_partition_of_the_log_belongs_to_one_relay(office: Office, shards: int) -> None:
    streams = await office.happens(40)
    rows = await office.city.sql(
        "SELECT s::text, es.relay_shard(s, $2) FROM unnest($1::text[]::uuid[]) AS s", streams, shards
    )
    assert {row[0]: row[1] for row in rows} == {
        s: partition_of(s.encode(), COMPLAINTS_LOG.partitions) % shards for s in streams
    }
    await office.relayed(Faults())
    await office.check()


async def test_two_relays_share_the_log_and_a_third_takes_the_place_of_one_that_is_gone(
    shared: Office,
) -> None:
    office = shared
    epochs = "SELECT array_agg(epoch ORDER BY shard) FROM es.relay"
    before = await office.city.value(epochs)
    running = [
        asyncio.create_task(Relay(office.settings, office.telemetry, page_max=PAGE, shards=2).run())
        for _ in range(2)
    ]
    try:
        await office.happens(12)
        await until(
            lambda: office.city.value("SELECT es.drained()"), within=60, what="everything relayed by two"
        )
        assert await office.city.value("SELECT bool_and(batch > 0) FROM es.relay")
        await office.check()
        running[0].cancel()
        await asyncio.wait(running[:1])
        await office.happens(12)  # a part of it waits for a relay
        await asyncio.sleep(1)
        assert not await office.city.value("SELECT es.drained()")
        third = Relay(office.settings, office.telemetry, page_max=PAGE, shards=2)
        running.append(asyncio.create_task(third.run()))
        await until(
            lambda: office.city.value("SELECT es.drained()"),
            within=60,
            what="everything relayed by the others",
        )
        after = await office.city.value(epochs)
        assert sorted(b - a for a, b in zip(before, after, strict=True)) == [1, 2]
        await office.check()
    finally:
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        await office.nobody_owns()


@pytest.mark.parametrize("point", ["before open", "amid send", "after send", "after page_done"])
async def test_a_relay_of_two_that_dies_is_repeated_with_its_own_marks(shared: Office, point: str) -> None:
    office = shared
    await office.happens(24)  # more than a page for each of the two, wherever their ids fall
    for shard in (0, 1):
        faults = Faults(point)
        while True:
            connection = await connect(office.settings.postgres, "relay")
            sink = office.sink(faults)
            log = FaultyRelayLog(connection, faults)
            log.shard, log.shards = shard, 2
            try:
                assert await log.try_own()
                while await office.relay().step(log, sink):  # type: ignore[arg-type]
                    pass
                break
            except Crash:
                continue
            finally:
                connection.terminate()
                await sink.close()
                await office.nobody_owns()
        assert faults.happened
    await office.check()


async def test_a_relay_that_counts_its_shards_otherwise_than_the_log_does_not_start(shared: Office) -> None:
    for shards, told in ((1, "shared by 2 relays .* RELAY_SHARDS says 1"), (3, "RELAY_SHARDS says 3")):
        relay = Relay(shared.settings, shared.telemetry, page_max=PAGE, shards=shards)
        with pytest.raises(WrongShards, match=told):
            await relay.run()
    await shared.nobody_owns()


async def test_the_number_of_relays_changes_only_when_everything_is_sent(shared: Office) -> None:
    await shared.happens()
    with pytest.raises(asyncpg.RaiseError, match="facts wait to be sent"):
        await shared.city.sql("SELECT es.set_relay_shards(3)")
    with pytest.raises(asyncpg.RaiseError, match="1 to 4 relays"):
        await shared.city.sql("SELECT es.set_relay_shards(5)")
    running = [
        asyncio.create_task(Relay(shared.settings, shared.telemetry, page_max=PAGE, shards=2).run())
        for _ in range(2)
    ]
    await until(lambda: shared.city.value("SELECT es.drained()"), within=60, what="everything relayed")
    await shared.city.sql("SELECT es.set_relay_shards(1)")  # under their hands: they are fenced, and say why
    await shared.happens()
    for ended in await asyncio.wait_for(asyncio.gather(*running, return_exceptions=True), PATIENCE * 20):
        assert isinstance(ended, WrongShards)
    await shared.nobody_owns()
    await shared.relayed(Faults())
    await shared.check()


async def test_a_page_too_large_for_one_send_a_partition_keeps_its_order(office: Office) -> None:
    """Texts at their longest, 300 of them in a page: several sends a partition, one after the other."""
    office_page = Relay(office.settings, office.telemetry, page_max=1000)
    numbers = [f"long-{n}" for n in range(300)]
    await lives(office._intake, numbers, content="水" * 4000, title="长" * 200)
    connection = await connect(office.settings.postgres, "relay")
    sink = office.sink(Faults())
    try:
        log = RelayCursor(connection)
        assert await log.try_own()
        while await office_page.step(log, sink):  # type: ignore[arg-type]
            pass
    finally:
        connection.terminate()
        await sink.close()
        await office.nobody_owns()
    await office.check()


# -- a unit whose topics are missing


async def test_both_topics_of_a_unit_are_made_as_the_table_says(office: Office) -> None:
    known = AdminClient(kafka_address.librdkafka(office.city.endpoints.kafka))
    lines = {office.city.topic(line, UNIT): line for line in (DISPATCH_ORDERS, DISPATCH_REPLIES)}
    for gone in known.delete_topics(list(lines), operation_timeout=30).values():
        gone.result()

    async def are_there(*, wanted: bool) -> bool:
        there = (await asyncio.to_thread(known.list_topics, timeout=10)).topics
        return all((name in there) == wanted for name in lines)

    await until(lambda: are_there(wanted=False), what="the end of the topics", within=30)
    streams = await office.happens()
    await office.relayed(Faults())
    await office.check()
    assert await are_there(wanted=True)
    asked = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in lines]
    for resource, answer in known.describe_configs(asked).items():
        line = lines[resource.name]
        found = {name: entry.value for name, entry in answer.result().items()}
        assert {name: found[name] for name in settings(line, retention=True)} == settings(
            line, retention=True
        )
        assert len(known.list_topics(resource.name).topics[resource.name].partitions) == line.partitions
    orders = await office.city.messages(office.city.topic(DISPATCH_ORDERS, UNIT))
    assert {record.key.decode() for record in orders} == set(streams)


async def test_a_topic_that_kafka_refuses_to_make_is_an_error_and_the_others_are_made(office: Office) -> None:
    good, there = office.city.topic(DISPATCH_ORDERS, "a-new-unit"), office.city.topic(COMPLAINTS_LOG)
    wanted = {
        "not/a/topic": DISPATCH_REPLIES,
        good: DISPATCH_ORDERS,
        there: COMPLAINTS_LOG,
    }
    with pytest.raises(KafkaException, match="topic not/a/topic could not be made"):
        await asyncio.to_thread(make_missing, office.city.endpoints.kafka, wanted, retention=True)
    del wanted["not/a/topic"]
    assert await asyncio.to_thread(make_missing, office.city.endpoints.kafka, wanted, retention=True) == []
    admin = AdminClient(kafka_address.librdkafka(office.city.endpoints.kafka))
    for gone in admin.delete_topics([good]).values():
        gone.result()


async def test_who_is_slower_to_make_a_topic_finds_it_made(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two make the same at once: neither sees it when it looks, and Kafka refuses one of them."""
    monkeypatch.setattr(AdminClient, "list_topics", lambda *_, **__: SimpleNamespace(topics={}))
    wanted = {office.city.topic(COMPLAINTS_LOG): COMPLAINTS_LOG}
    await asyncio.to_thread(make_missing, office.city.endpoints.kafka, wanted, retention=True)


async def test_what_a_new_unit_says_is_heard_once_clients_have_looked_again(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city(extra={"DISPATCH_METADATA_MAX_AGE_MS": "1000"})
    await town.start("intake", "dispatch", "relay")
    topics = {town.topic(DISPATCH_REPLIES, "a-new-unit"): DISPATCH_REPLIES}
    await asyncio.to_thread(make_missing, town.endpoints.kafka, topics, retention=True)
    await town.sign(await town.record("heard-from-a-new-unit"), unit="a-new-unit")
    taken = "SELECT next_offset FROM es.consumer_offset WHERE consumer = 'dispatch' AND topic = $1"
    await until(lambda: town.value(taken, *topics), what="the reply taken in", within=60)
    admin = AdminClient(kafka_address.librdkafka(town.endpoints.kafka))
    for gone in admin.delete_topics(list(topics)).values():
        gone.result()
