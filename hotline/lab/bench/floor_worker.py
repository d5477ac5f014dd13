"""One process of the floor: it writes, sends and reads what the real run did, without logic."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import zip_longest
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from hotline.lab.bench.clients import (
    Outbox,
    consumer_of,
    ends_of,
    partitions_of,
    producer_of,
    quiet,
    topics_of,
)
from shared.runtime.garbage import tune_gc
from shared.topics import (
    COMPLAINTS_LOG,
    DISPATCH_ORDERS,
    DISPATCH_REPLIES,
    FEEDBACK_VISIT_RESULTS,
    FEEDBACK_VISITS,
    INTAKE_REQUESTS,
    Topic,
)

SAMPLE: Final = 2000
"""Messages of each line of the table that are sent again and again; facts are all different."""

_COLUMNS: Final = (
    "stream_id",
    "version",
    "event_id",
    "type",
    "schema_version",
    "occurred_at",
    "caused_by",
    "actor",
    "body",
    "hash",
)


class FloorOrders(msgspec.Struct, frozen=True, kw_only=True):
    """One process's part in one floor."""

    part: FloorWork
    kafka: str
    prefix: str
    postgres: str
    units: list[str]
    messages: dict[str, int]
    """Messages a life has on each line of the table of topics."""
    batch_max: int
    """Records taken, and facts copied, at once."""
    lives: int
    """How many lives will be asked for in all."""


class RealMessage(NamedTuple):
    """A message of the real run, to be sent again where it was."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class Worker:
    """One process of the floor at work."""

    def __init__(
        self,
        orders: FloorOrders,
        databases: Sequence[asyncpg.Connection[Any]],
        producer: AIOKafkaProducer,
        consumers: Sequence[AIOKafkaConsumer],
    ) -> None:
        """`databases` in the order of the part's `writes_as`, `consumers` in that of its `hears`."""
        self._orders = orders
        self._databases = databases
        self._outbox = Outbox(producer)
        self._consumers = consumers
        self._samples: dict[str, list[RealMessage]] = {}
        self._facts: list[list[tuple[Any, ...]]] = []
        self._ahead = [0] * len(consumers)
        self._copied = [0] * len(databases)

    async def prepare(self) -> None:
        """Read what will be written again; stand at the end of every topic."""
        orders, part = self._orders, self._orders.part
        for line in part.speaks:
            self._samples[line] = await sample_of(orders.kafka, orders.prefix, LINES[line], orders.units)
        columns = ", ".join(_COLUMNS)
        for database, desk in zip(self._databases, part.writes_as, strict=True):
            # In two steps: as one, a planner that knows nothing of a young log compares each fact with each life.
            first = await database.fetch(
                "SELECT stream_id FROM es.event WHERE version = 1 ORDER BY position LIMIT $1", orders.lives
            )
            rows = await database.fetch(
                f"SELECT {columns} FROM es.event"  # noqa: S608 -- our own column names
                " WHERE stream_id = ANY ($2::uuid[]) AND actor = $1 ORDER BY position",
                desk,
                [row[0] for row in first],
            )
            self._facts.append([tuple(row) for row in rows])
        for consumer in self._consumers:
            await consumer.seek_to_end()
            for tp in consumer.assignment():
                await consumer.position(tp)

    async def live(self, lives: int) -> None:
        """Copy, send and take in what so many lives are made of; all three at once."""
        copied = [self._copy(number, lives) for number in range(len(self._databases))]
        taken = [self._take_in(number, lives) for number in range(len(self._consumers))]
        await asyncio.gather(self._send(lives), *copied, *taken)

    async def _copy(self, number: int, lives: int) -> None:
        facts, copied = self._facts[number], self._copied[number]
        rows = facts[copied : copied + len(facts) * lives // self._orders.lives]
        self._copied[number] += len(rows)
        for start in range(0, len(rows), self._orders.batch_max):
            await self._databases[number].copy_records_to_table(
                "event",
                schema_name="floor",
                columns=_COLUMNS,
                records=rows[start : start + self._orders.batch_max],
            )

    async def _send(self, lives: int) -> None:
        for start in range(0, lives, LIVES_PAGE):
            page = min(LIVES_PAGE, lives - start)
            for line in self._orders.part.speaks:
                sample = self._samples[line]
                for number in range(page * self._orders.messages[line]):
                    self._outbox.put(*sample[number % len(sample)])
            await self._outbox.send()

    async def _take_in(self, number: int, lives: int) -> None:
        consumer = self._consumers[number]
        left = lives * self._orders.messages[self._orders.part.hears[number]] - self._ahead[number]
        while left > 0:
            got = await consumer.getmany(timeout_ms=200, max_records=self._orders.batch_max)
            left -= sum(len(records) for records in got.values())
        self._ahead[number] = -left


async def sample_of(kafka: str, prefix: str, line: Topic, units: Sequence[str]) -> list[RealMessage]:
    """Messages of the real run from all partitions of a line in turn, as many from each."""
    partitions = partitions_of(prefix, line, units)
    wanted = max(1, SAMPLE // len(partitions))
    found: dict[TopicPartition, list[Any]] = {tp: [] for tp in partitions}
    async with consumer_of(kafka, "floor.sample", partitions) as consumer:
        ends = await ends_of(consumer)
        while any(len(found[tp]) < min(wanted, ends[tp]) for tp in partitions):
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                found[tp].extend(records[: wanted - len(found[tp])])
                if len(found[tp]) >= wanted:
                    consumer.pause(tp)
    return [
        RealMessage(r.topic, r.partition, r.key, r.value, list(r.headers))
        for row in zip_longest(*found.values())
        for r in row
        if r is not None
    ]


async def run(orders: FloorOrders) -> None:
    """Do one part, as often as a line on standard input says how many lives."""
    part = orders.part
    async with AsyncExitStack() as clients:
        databases: list[asyncpg.Connection[Any]] = []
        for _ in part.writes_as:
            database = await asyncpg.connect(orders.postgres, server_settings={"application_name": "floor"})
            clients.push_async_callback(database.close)
            databases.append(database)
        producer = await clients.enter_async_context(
            producer_of(
                orders.kafka,
                f"floor.{part.name}",
                topics_of(orders.prefix, [LINES[line] for line in part.speaks], orders.units),
            )
        )
        consumers = [
            await clients.enter_async_context(
                consumer_of(
                    orders.kafka,
                    f"floor.{part.name}",
                    partitions_of(orders.prefix, LINES[line], orders.units),
                )
            )
            for line in part.hears
        ]
        worker = Worker(orders, databases, producer, consumers)
        await worker.prepare()
        tune_gc()
        _say("ready")
        while line := await asyncio.to_thread(sys.stdin.buffer.readline):
            await worker.live(int(line))
            _say("done")


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read the part, do it."""
    quiet()
    asyncio.run(run(msgspec.json.decode(sys.stdin.buffer.readline(), type=FloorOrders)))


LIVES_PAGE: Final = 1000
"""Lives whose messages are sent together: 8,000 facts, the relay's page."""

LINES: Final[dict[str, Topic]] = {
    line.name: line
    for line in (
        INTAKE_REQUESTS,
        COMPLAINTS_LOG,
        DISPATCH_ORDERS,
        DISPATCH_REPLIES,
        FEEDBACK_VISITS,
        FEEDBACK_VISIT_RESULTS,
    )
}
"""The lines of the table of topics that carry a life in which nothing goes wrong."""


class FloorWork(msgspec.Struct, frozen=True, kw_only=True):
    """The work of one process with Kafka and PostgreSQL, without any rule."""

    name: str
    writes_as: tuple[str, ...] = ()
    """The desks whose facts it copies. It uses one connection for each."""
    hears: tuple[str, ...] = ()
    speaks: tuple[str, ...] = ()


if __name__ == "__main__":
    main()
