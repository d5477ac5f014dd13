"""The floor: the same facts and the same messages through the same servers, and nothing else.

What the real run wrote is written again: its very facts, by COPY into a table of the same shape and
indexes; its very messages, by full batches onto the same topics, and read as often as the desks read
them. As many processes as the system has for it, garbage collected as rarely. No rule, no state, no
order between one step and the next: no system on these two servers with these clients can be faster.

`python -m hotline.lab.bench.floor` is one of its processes. Its part comes as one JSON object on standard
input, then one number of lives a line; it says `ready`, and `done` for each line.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from itertools import zip_longest
from typing import Any, Final, NamedTuple

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.city.city import Realm
from hotline.lab.bench.clients import (
    Outbox,
    consumer_of,
    ends_of,
    partitions_of,
    producer_of,
    quiet,
    topics_of,
)
from hotline.lab.bench.meter import Meter, Spent, spent
from shared.ids import TOGETHER
from shared.runtime.errors import UserError
from shared.runtime.garbage import tune_gc
from shared.topics import (
    COMPLAINTS_LOG,
    DISPATCH_ORDERS,
    DISPATCH_REPLIES,
    FEEDBACK_ANSWERS,
    FEEDBACK_VISITS,
    INTAKE_REQUESTS,
    Topic,
)

LIVES_PAGE: Final = 1000
"""Lives whose messages are sent together: 8,000 facts, the relay's page."""

SAMPLE: Final = 2000
"""Messages of each line of the table that are sent again and again; facts are all different."""

WARM_UP: Final = 0.15
SECONDS_MAX: Final = 120.0

LINES: Final[dict[str, Topic]] = {
    line.name: line
    for line in (
        INTAKE_REQUESTS,
        COMPLAINTS_LOG,
        DISPATCH_ORDERS,
        DISPATCH_REPLIES,
        FEEDBACK_VISITS,
        FEEDBACK_ANSWERS,
    )
}
"""The lines of the table of topics that carry a life in which nothing goes wrong."""

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
_TABLE: Final = """
CREATE SCHEMA IF NOT EXISTS floor;
CREATE TABLE floor.event (LIKE es.event INCLUDING ALL);
"""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one process of the system does with the servers, without what it is for."""

    name: str
    writes_as: tuple[str, ...] = ()
    """Whose facts it copies; of each on a connection of its own."""
    hears: tuple[str, ...] = ()
    speaks: tuple[str, ...] = ()


PARTS: Final = (
    Part(name="intake", writes_as=("intake",), hears=(INTAKE_REQUESTS.name,)),
    Part(name="dispatch", writes_as=("dispatch",), hears=(COMPLAINTS_LOG.name, DISPATCH_REPLIES.name)),
    Part(name="feedback", writes_as=("feedback",), hears=(COMPLAINTS_LOG.name, FEEDBACK_ANSWERS.name)),
    Part(name="relay", speaks=(COMPLAINTS_LOG.name, DISPATCH_ORDERS.name, FEEDBACK_VISITS.name)),
    Part(
        name="simulator",
        hears=(DISPATCH_ORDERS.name, FEEDBACK_VISITS.name),
        speaks=(INTAKE_REQUESTS.name, DISPATCH_REPLIES.name, FEEDBACK_ANSWERS.name),
    ),
)
"""Escalation is missing: in a life without a missed limit it neither reads a message nor writes a fact."""

PARTS_TOGETHER: Final = (
    Part(
        name=TOGETHER,
        writes_as=("intake", "dispatch", "feedback"),
        hears=(INTAKE_REQUESTS.name, COMPLAINTS_LOG.name, DISPATCH_REPLIES.name, FEEDBACK_ANSWERS.name),
    ),
    *PARTS[3:],
)
"""The same where all desks sit in one process: it reads the log once, as their log reader does."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """One process's part in one floor."""

    part: Part
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


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """One measured floor."""

    lives: int
    facts: int
    messages_written: int
    messages_read: int
    spent: Spent
    seconds_by_part: dict[str, float]
    """When each process was done: the last one ends the floor."""

    @property
    def lives_per_second(self) -> float:
        """The rate."""
        return self.lives / self.spent.seconds


async def floor_of(
    realm: Realm,
    *,
    lives: int,
    facts_a_life: int,
    messages: Mapping[str, int],
    units: Sequence[str],
    batch_max: int,
    servers: Mapping[str, int],
    parts: Sequence[Part] = PARTS,
) -> Floor:
    """Measure the floor under lives that were lived in this realm; its services must have stopped.

    There must be as many lives in the log as are asked for here and for the warm-up.
    """
    warm_up = max(LIVES_PAGE, round(lives * WARM_UP))
    database = await asyncpg.connect(realm.owner_dsn)
    children: dict[str, asyncio.subprocess.Process] = {}
    try:
        await database.execute(_TABLE)
        for part in parts:
            orders = Orders(
                part=part,
                kafka=realm.kafka,
                prefix=realm.prefix,
                postgres=realm.owner_dsn,
                units=list(units),
                messages=dict(messages),
                batch_max=batch_max,
                lives=warm_up + lives,
            )
            children[part.name] = child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "hotline.lab.bench.floor",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            _tell(child, msgspec.json.encode(orders))
        await _all_say("ready", children)
        await _all_live(warm_up, children)
        meter = Meter({**{name: child.pid for name, child in children.items()}, **servers}, database)
        first = await meter.read()
        seconds = await _all_live(lives, children)
        last = await meter.read()
        copied = await database.fetchval("SELECT count(*) FROM floor.event")
        if copied != (warm_up + lives) * facts_a_life:
            raise UserError(f"the floor copied {copied} facts, not {(warm_up + lives) * facts_a_life}.")
        heard = sum(messages[line] for part in parts for line in part.hears)
        spoken = sum(messages[line] for part in parts for line in part.speaks)
        return Floor(
            lives=lives,
            facts=lives * facts_a_life,
            messages_written=lives * spoken,
            messages_read=lives * heard,
            spent=spent(first, last),
            seconds_by_part=seconds,
        )
    finally:
        for child in children.values():
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
        await database.execute("DROP SCHEMA IF EXISTS floor CASCADE")
        await database.close()


def _tell(child: asyncio.subprocess.Process, line: bytes) -> None:
    assert child.stdin is not None  # noqa: S101 -- it was asked for
    child.stdin.write(line + b"\n")


async def _all_live(lives: int, children: Mapping[str, asyncio.subprocess.Process]) -> dict[str, float]:
    for child in children.values():
        _tell(child, str(lives).encode())
    return await _all_say("done", children)


async def _all_say(word: str, children: Mapping[str, asyncio.subprocess.Process]) -> dict[str, float]:
    """Wait for the word from each; after how many seconds it came."""
    began = time.monotonic()

    async def says(name: str, child: asyncio.subprocess.Process) -> float:
        assert child.stdout is not None  # noqa: S101 -- it was asked for
        line = (await child.stdout.readline()).decode().strip()
        if line != word:
            raise UserError(f"the floor's {name} ended early; what it said stands above.")
        return time.monotonic() - began

    try:
        async with asyncio.timeout(SECONDS_MAX):
            seconds = await asyncio.gather(*(says(name, child) for name, child in children.items()))
    except TimeoutError:
        raise UserError(f"the floor was not {word} within {SECONDS_MAX:.0f} s.") from None
    return dict(zip(children, seconds, strict=True))


class Message(NamedTuple):
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
        orders: Orders,
        databases: Sequence[asyncpg.Connection[Any]],
        producer: AIOKafkaProducer,
        consumers: Sequence[AIOKafkaConsumer],
    ) -> None:
        """`databases` in the order of the part's `writes_as`, `consumers` in that of its `hears`."""
        self._orders = orders
        self._databases = databases
        self._outbox = Outbox(producer)
        self._consumers = consumers
        self._samples: dict[str, list[Message]] = {}
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


async def sample_of(kafka: str, prefix: str, line: Topic, units: Sequence[str]) -> list[Message]:
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
        Message(r.topic, r.partition, r.key, r.value, list(r.headers))
        for row in zip_longest(*found.values())
        for r in row
        if r is not None
    ]


async def run(orders: Orders) -> None:
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
    asyncio.run(run(msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)))


if __name__ == "__main__":
    main()
