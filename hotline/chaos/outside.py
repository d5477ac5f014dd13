"""Somebody outside who does not behave: says things twice, late, in another order, far too often, or nonsense.

What it says that is new (calls) is noted as acknowledged, and must be found at the end like everybody else's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import cycle
from random import Random
from typing import Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from hotline.acknowledged import Acknowledged
from hotline.chaos.batches import Raw, batch, hand_in
from shared import kafka_address
from shared.catalogue import Catalogue
from shared.cloudevents import input_headers
from shared.inputs import CallAnswered, CallEnded, CallOffered, Input
from shared.kafka_reader import reader_of
from shared.log.relay import stopped
from shared.records import Unreadable
from shared.topics import COMPLAINTS_LOG, TELEPHONY_CALLS, Topic, names, partition_of
from shared.unpacking import CODECS

SOURCE: Final = "chaos"
ANSWER_SECONDS_MAX: Final = 20.0
POISON_KEY: Final = b"poison-"
"""What the key of every piece of nonsense begins with."""

NOT_UTF_8: Final = b"\xff\xfe".decode("utf-8", "surrogateescape")
"""The name of a header that no reader of Python's takes."""

Headers = Sequence[tuple[str, bytes | None]]


class Message(NamedTuple):
    """A record to send."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Outside:
    """One speaker on every door of a city. Kafka may go and come back."""

    def __init__(self, kafka: str, prefix: str, catalogue: Catalogue, began_at: datetime) -> None:
        """`began_at`: the city's first instant; its calls come from then on, a second apart."""
        self._kafka = kafka
        self._prefix = prefix
        self._producer: AIOKafkaProducer | None = None
        self._doors = {
            name: line
            for name, line in names(prefix, catalogue.units).items()
            if any(issubclass(kind, Input) for kind in line.carries)
        }
        self._began_at = began_at
        self._calls = 0
        self._codecs = cycle(CODECS)
        """The next producer packs by the next one, and so does the next batch that is made by hand."""
        self.acknowledged: list[Acknowledged] = []
        """Inputs of its own that Kafka acknowledged."""
        self.poisoned: dict[bytes, int] = {}
        """Every piece of nonsense by its key: how many desks must have parked it."""

    async def close(self) -> None:
        """Say no more."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stopped(producer)

    # -- new and valid

    async def call(self, number: int = 1) -> None:
        """So many new calls, each offered, answered and over."""
        told: list[tuple[Message, Acknowledged]] = []
        for _ in range(number):
            self._calls += 1
            call_id, at = f"chaos-{self._calls}", self._began_at + timedelta(seconds=self._calls)
            for kind, data in (
                (CallOffered, CallOffered(call_id=call_id)),
                (CallAnswered, CallAnswered(call_id=call_id, agent="chaos")),
                (CallEnded, CallEnded(call_id=call_id, cause="hangup")),
            ):
                event_id = f"{call_id}-{kind.TYPE.split('.')[2]}"
                told.append(
                    (
                        self._message(
                            TELEPHONY_CALLS,
                            call_id.encode(),
                            msgspec.json.encode(data),
                            input_headers(kind, SOURCE, event_id, at),
                        ),
                        Acknowledged(
                            kind.TYPE,
                            TELEPHONY_CALLS.name,
                            SOURCE,
                            event_id,
                            call_id,
                            TELEPHONY_CALLS.hearers,
                        ),
                    )
                )
        await self.send(message for message, _ in told)
        self.acknowledged += [known for _, known in told]

    # -- again

    async def repeat(self, random: Random, number: int) -> int:
        """So many inputs that were heard before, from all doors, in an order of chance; how many there were."""
        found = await self._heard(random, number)
        random.shuffle(found)
        await self.send(found)
        return len(found)

    async def _heard(self, random: Random, number: int) -> list[Message]:
        """Records of the doors' topics from places of chance."""
        consumer = reader_of(self._kafka, max_poll_records=number)
        found: list[Message] = []
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                await consumer.start()
                partitions = [
                    TopicPartition(name, part)
                    for name, line in self._doors.items()
                    for part in range(line.partitions)
                ]
                consumer.assign(partitions)
                ends = await consumer.end_offsets(partitions)
                for tp in partitions:
                    consumer.seek(tp, random.randrange(ends[tp]) if ends[tp] else 0)
                while len(found) < number:
                    got = await consumer.getmany(timeout_ms=500, max_records=number)
                    if not got:
                        break
                    found += [
                        Message(record.topic, record.partition, record.key, record.value, record.headers)
                        for records in got.values()
                        for record in records
                        if not (record.key or b"").startswith(POISON_KEY) and type(record) is not Unreadable
                    ]
        except (KafkaError, OSError, TimeoutError):
            return found
        finally:
            with suppress(Exception):
                async with asyncio.timeout(5):
                    await consumer.stop()
        return found[:number]

    # -- nonsense

    async def poison(self, random: Random, number: int) -> None:
        """So many messages of every kind of nonsense, on doors of chance and on the log itself."""
        await self.close()  # the next one packs by another codec
        messages = []
        for _ in range(number):
            key = POISON_KEY + b"%d" % len(self.poisoned)
            name = random.choice(sorted(self._doors))
            line = self._doors[name]
            if random.random() < 0.2:  # noqa: PLR2004 -- one in five
                name, line = self._prefix + COMPLAINTS_LOG.name, COMPLAINTS_LOG
            message, desks = _nonsense(random, name, line, key)
            messages.append(message)
            self.poisoned[key] = desks
        await self.send(messages)

    # -- sending

    def _message(self, line: Topic, key: bytes, value: bytes | None, headers: Headers) -> Message:
        return Message(self._prefix + line.name, partition_of(key, line.partitions), key, value, headers)

    async def send(self, messages: Iterable[Message]) -> None:
        """Send until Kafka has all of it, in order; what is sent twice on the way is a repeat like any other."""
        told = list(messages)
        unreadable = [one for one in told if any(name == NOT_UTF_8 for name, _ in one.headers)]
        left = [one for one in told if one not in unreadable]
        while told:
            try:
                async with asyncio.timeout(ANSWER_SECONDS_MAX):
                    producer = await self._open()
                    answers = [
                        await producer.send(
                            one.topic,
                            value=one.value,
                            key=one.key,
                            partition=one.partition,
                            headers=list(one.headers),
                        )
                        for one in left
                    ]
                    await producer.flush()
                    for answer in answers:
                        await answer
                    for one in unreadable:
                        await producer.client.add_topic(one.topic)
                        frame = batch([_raw(one)], next(self._codecs))
                        await hand_in(producer.client, one.topic, one.partition, frame)
            except (KafkaError, OSError, TimeoutError):
                await self.close()
                await asyncio.sleep(0.3)
            else:
                return

    async def _open(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **kafka_address.aiokafka(self._kafka),
                client_id=SOURCE,
                acks="all",
                linger_ms=5,
                compression_type=None if (codec := next(self._codecs)) == "none" else codec,
            )
            self._producer = producer
            await producer.start()
        return self._producer


def _raw(message: Message) -> Raw:
    """A message as its bytes."""
    headers = [(name.encode("utf-8", "surrogateescape"), value) for name, value in message.headers]
    return Raw(message.key, message.value, headers)


def _nonsense(random: Random, name: str, line: Topic, key: bytes) -> tuple[Message, int]:
    """A message nobody can take in, and how many desks will park it."""
    if line is COMPLAINTS_LOG:
        # Of a type of some newer system, which each desk must keep; without the relay's mark, which would move theirs.
        headers: list[tuple[str, bytes | None]] = [
            ("ce_type", b"hotline.NobodyKnowsThis.v1"),
            ("ce_id", key),
            ("ce_source", b"/chaos"),
        ]
        if random.random() < 0.5:  # noqa: PLR2004 -- every other one
            headers.append((NOT_UTF_8, b"1"))
        value: bytes | None = b"{}"
        desks = sum(hearer in {"dispatch", "feedback"} for hearer in line.hearers)
        return Message(name, partition_of(key, line.partitions), key, value, headers), desks
    kind = random.choice(line.carries)
    assert issubclass(kind, Input)  # noqa: S101 -- a door's line
    headers = list(input_headers(kind, SOURCE, key.decode(), datetime(2025, 1, 1, tzinfo=UTC)))
    value = random.choice(
        [
            b"",
            b"{",
            b"null",
            b"[]",
            b"{}",
            b"\xff\xfe",
            b'{"complaint_id": 7}',
            b"[" * 5000,
            b'{"x": 1e999}',
            None,
        ]
    )
    match random.randrange(6):
        case 0:
            headers = [(name, value) for name, value in headers if name != "ce_type"]
        case 1:
            headers = [
                ("ce_type", b"no.such.type") if name == "ce_type" else (name, at) for name, at in headers
            ]
        case 2:
            headers.append(("x", None))
        case 3:
            headers = [(name, None if name == "ce_id" else at) for name, at in headers]
        case 4:
            headers.append((NOT_UTF_8, b"1"))
        case _:
            pass
    return Message(name, partition_of(key, line.partitions), key, value, headers), 1
