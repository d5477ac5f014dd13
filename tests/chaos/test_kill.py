"""Every process is killed while a few hundred lives are lived, Kafka and PostgreSQL too; nothing acknowledged is lost.

A stack of its own, so that killing it disturbs nobody. What the outside is told was taken in (Kafka's
acknowledgement) is written down here, and in the end each of it must have had its effect exactly once.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from hotline import realm
from hotline.stack.stack import Stack
from shared.cloudevents import input_headers
from shared.ids import ComplaintId, complaint_id, message_id
from shared.inputs import Input, OrderAnswered, OrderSigned, VisitMade
from shared.topics import DISPATCH_REPLIES, FEEDBACK_ANSWERS, INTAKE_REQUESTS, Topic, partition_of
from tests.city import City, open_city, request, until
from tests.sources import Databases, embedded, source_name

pytestmark = [
    pytest.mark.connected,
    pytest.mark.timeout(300),
    pytest.mark.skipif(source_name() != "embedded", reason="only a stack of our own may be killed"),
]

LIVES_MIN: Final = 300
PAUSE_SECONDS: Final = 0.04
"""Between two requests."""

BEGUN: Final = ("ComplaintReceived", "ComplaintClassified", "ComplaintDispatched")
ANSWERED: Final = (*BEGUN, "OrderSigned", "OrderAnswered", "VisitScheduled", "VisitMade", "ComplaintClosed")
SILENT: Final = (
    *BEGUN,
    "FeedbackLimitMissed",
    "ComplaintEscalated",
    "VisitScheduled",
    "VisitMade",
    "ComplaintClosed",
)

AWAY: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Outside:
    """Agents, units and the dialler. They tell again what was not acknowledged, and note what was."""

    def __init__(self, city: City) -> None:
        self.acknowledged: dict[str, str] = {}
        """Message id by the desk that must have taken it."""
        self.silent: set[ComplaintId] = set()
        """Complaints whose unit never says a word."""
        self.streams: list[ComplaintId] = []
        self.stop_calling = asyncio.Event()
        self._city = city
        self._told: set[str] = set()
        self._acts: set[asyncio.Task[None]] = set()
        self._producer: AIOKafkaProducer | None = None
        self._turn = asyncio.Lock()

    async def tell(
        self, desk: str, line: Topic, key: str, data: Input, event_id: str, *, unit: str = ""
    ) -> None:
        """Tell it until Kafka has it. Told again it is the same event, so it may arrive twice."""
        headers = input_headers(type(data), "/outside", event_id, datetime.now(UTC))
        raw = key.encode()
        while True:
            try:
                producer = await self._open()
                async with asyncio.timeout(20):
                    await producer.send_and_wait(
                        self._city.topic(line, unit),
                        msgspec.json.encode(data),
                        key=raw,
                        partition=partition_of(raw, line.partitions),
                        headers=headers,
                    )
            except (KafkaError, OSError, TimeoutError):
                await self._close()
                await asyncio.sleep(0.3)
            else:
                self.acknowledged[message_id("/outside", event_id)] = desk
                return

    async def call(self) -> None:
        """Requests come in, one after the other, whatever happens; every third goes to a silent unit."""
        number = 0
        while not (self.stop_calling.is_set() and number >= LIVES_MIN):
            number += 1
            request_id = f"life-{number}"
            stream = complaint_id(request_id)
            is_silent = number % 3 == 0
            if is_silent:
                self.silent.add(stream)
            due_at = datetime.now(UTC) + (timedelta(seconds=2) if is_silent else timedelta(hours=1))
            data = request(request_id, given_due_at=due_at)
            await self.tell("intake", INTAKE_REQUESTS, request_id, data, request_id)
            self.streams.append(stream)
            await asyncio.sleep(PAUSE_SECONDS)

    async def answer(self) -> None:
        """Units and dialler: each reacts to what it hears, once."""
        prefix = self._city.realm.prefix.replace(".", "[.]")
        while True:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._city.realm.kafka, group_id=None, auto_offset_reset="earliest"
            )
            try:
                consumer.subscribe(pattern=f"^{prefix}(dispatch[.]orders[.].*|feedback[.]visits)$")
                await consumer.start()
                while True:
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        for record in records:
                            self._hear(
                                dict(record.headers)["ce_type"].decode(), msgspec.json.decode(record.value)
                            )
            except (KafkaError, OSError):
                await asyncio.sleep(0.3)
            finally:
                with suppress(Exception):
                    await asyncio.wait_for(consumer.stop(), 5)

    def _hear(self, kind: str, told: dict[str, Any]) -> None:
        stream = ComplaintId(told["complaint_id"])
        if kind == "hotline.ComplaintDispatched.v1" and stream not in self.silent:
            self._once(
                f"{stream}/order/{told['assignment']}",
                lambda: self._obey(stream, told["unit"], told["assignment"]),
            )
        elif kind == "hotline.VisitScheduled.v1":
            visit, attempt = told["visit"], told["attempt"]
            data = VisitMade(complaint_id=stream, visit=visit, attempt=attempt, solved=True, satisfied=True)
            event_id = f"{stream}/visit/{visit}/{attempt}"
            self._once(event_id, lambda: self.tell("feedback", FEEDBACK_ANSWERS, stream, data, event_id))

    def _once(self, what: str, act: Callable[[], Awaitable[None]]) -> None:
        if what in self._told:
            return
        self._told.add(what)
        task: asyncio.Task[None] = asyncio.ensure_future(act())
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)

    async def _obey(self, stream: ComplaintId, unit: str, assignment: int) -> None:
        signed = OrderSigned(complaint_id=stream, assignment=assignment)
        await self.tell(
            "dispatch", DISPATCH_REPLIES, stream, signed, f"{stream}/sign/{assignment}", unit=unit
        )
        answered = OrderAnswered(
            complaint_id=stream, assignment=assignment, result="修好了", claims_solved=True
        )
        await self.tell(
            "dispatch", DISPATCH_REPLIES, stream, answered, f"{stream}/answer/{assignment}", unit=unit
        )

    async def _open(self) -> AIOKafkaProducer:
        async with self._turn:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._city.realm.kafka,
                    enable_idempotence=True,
                    request_timeout_ms=10_000,
                )
                try:
                    await producer.start()
                except BaseException:
                    with suppress(Exception):
                        await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _close(self) -> None:
        async with self._turn:
            producer, self._producer = self._producer, None
            if producer is not None:
                with suppress(Exception):
                    await asyncio.wait_for(producer.stop(), 5)

    async def leave(self) -> None:
        """Say no more."""
        for act in list(self._acts):
            act.cancel()
        await asyncio.gather(*self._acts, return_exceptions=True)
        await self._close()


@pytest.fixture
async def doomed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Stack, City]]:
    """A city on a stack of its own, which its supervisor mends."""
    folder = tmp_path_factory.mktemp("doomed")
    async with embedded(folder / "stack") as (stack, addresses):
        databases = Databases(addresses, realm.migrate)
        async with open_city(addresses, databases, folder, stack=stack, ruleset="boston-311-2011") as city:
            await city.start(counts={"dispatch": 2, "relay": 2, "escalation": 2})
            yield stack, city


async def _lives_go_on(city: City, *, by: int = 5, within: float = 60) -> None:
    """Wait until some more lives have ended: whatever was killed is really back at work."""
    closed = "SELECT count(*) FROM es.event WHERE type = 'ComplaintClosed'"

    async def count() -> int:
        try:
            return int(await city.value(closed))
        except AWAY:
            return -1

    before = await until(lambda: _not_negative(count), within=within, what="a database that answers")

    async def more() -> bool:
        return await count() >= before - 1 + by

    await until(more, within=within, what=f"{by} more lives at their end\n{city.said}\n{city.logs()}")


async def _not_negative(count: Callable[[], Awaitable[int]]) -> int:
    return await count() + 1  # 0, which is no answer yet, where the database is away


async def _kill_part(stack: Stack, name: str) -> None:
    pid = (await stack.check())[name].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    async def back() -> bool:
        health = (await stack.check())[name]
        return health.up and health.pid != pid

    await until(back, within=90, what=f"{name} after its kill", every=0.2)


async def test_whatever_is_killed_each_acknowledged_input_has_its_one_effect(
    doomed: tuple[Stack, City], measured: Callable[[str], None]
) -> None:
    stack, city = doomed
    outside = Outside(city)
    began = time.monotonic()
    calling, answering = asyncio.create_task(outside.call()), asyncio.create_task(outside.answer())
    try:
        await _lives_go_on(city)

        # One dispatch sleeps past its session; the other takes its partitions; then the first one wakes.
        city.signal("dispatch-1", signal.SIGSTOP)
        slept_at = time.monotonic()
        for name in ("intake", "relay-1", "feedback", "escalation-1", "relay-2", "escalation-2"):
            city.signal(name, signal.SIGKILL)
            await asyncio.sleep(1.5)
        await asyncio.sleep(max(0.0, 12 - (time.monotonic() - slept_at)))
        city.signal("dispatch-1", signal.SIGCONT)
        await _lives_go_on(city)

        await _kill_part(stack, "postgres")
        await _lives_go_on(city)
        city.signal("dispatch-1", signal.SIGKILL)
        await _kill_part(stack, "kafka")
        await _lives_go_on(city)
        for name in ("dispatch-2", "intake", "feedback"):
            city.signal(name, signal.SIGKILL)

        outside.stop_calling.set()
        await calling
        await _all_closed(city, outside.streams)
        await city.settled(within=30)
    finally:
        for task in (calling, answering):
            task.cancel()
        await asyncio.gather(calling, answering, return_exceptions=True)
        await outside.leave()

    stories: dict[str, list[str]] = {}
    for told in await city.facts():
        stories.setdefault(told.complaint_id, []).append(told.type)
    assert set(stories) == set(outside.streams)
    assert len(outside.streams) == len(set(outside.streams)) >= LIVES_MIN
    for stream, story in stories.items():
        expected = SILENT if stream in outside.silent else ANSWERED
        assert Counter(story) == Counter(expected), stream
        assert tuple(story) == expected, stream

    rows = await city.sql("SELECT message_id::text, consumer FROM es.inbox")
    assert {row[0]: row[1] for row in rows} == outside.acknowledged
    assert await city.parked() == []
    by_type = await city.verify()
    assert by_type["ComplaintClosed"] == len(outside.streams)
    assert await city.value("SELECT count(*) FROM es.timer WHERE kind = 2") == 0
    measured(
        f"chaos: {len(outside.streams)} lives, {len(outside.acknowledged)} inputs, {city.kills} services and"
        f" Kafka and PostgreSQL killed, all closed after {time.monotonic() - began:.0f} s"
    )


async def _all_closed(city: City, streams: Sequence[str]) -> None:
    async def closed() -> bool:
        try:
            ended = await city.value("SELECT count(*) FROM es.event WHERE type = 'ComplaintClosed'")
        except AWAY:
            return False
        return bool(ended == len(streams))

    try:
        await until(closed, within=90, what="the end of every life", every=0.2)
    except AssertionError as error:
        open_ones = await city.sql(
            "SELECT e.stream_id, array_agg(e.type ORDER BY e.version) FROM es.event e GROUP BY 1"
            " HAVING NOT 'ComplaintClosed' = ANY (array_agg(e.type)) LIMIT 20"
        )
        message = f"{error}: {len(streams)} told; open: {open_ones}\n{city.said}\n{city.logs()}"
        raise AssertionError(message) from None
