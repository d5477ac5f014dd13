"""Bare aiokafka for those who speak with the system and for the floor: whole batches both ways."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.doors.kafka_reader import reader_of
from shared.log.relay.sink import BATCH_BYTES_MAX
from shared.runtime import kafka_address
from shared.topics import Topic

GATHER_BYTES: Final = 1024 * 1024
GATHER_MS: Final = 100
"""Milliseconds the broker gathers for the client that plays 200 units at once. Each of its fetches costs 3.5
ms, however little it brings. No city pays this: there each unit asks for its own topic."""


class Outbox:
    """Messages gathered into batches, one after the other for each partition, and sent together."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        """The producer must know the topics."""
        self._producer = producer
        self._open: dict[tuple[str, int], Any] = {}
        self._full: list[tuple[str, int, Any]] = []

    def put(
        self, topic: str, partition: int, key: bytes, value: bytes, headers: list[tuple[str, bytes]]
    ) -> None:
        """Add a message to its partition's batch."""
        now_ms = int(time.time() * 1000)
        for _ in range(2):
            builder = self._open.get((topic, partition))
            if builder is None:
                builder = self._open[topic, partition] = self._producer.create_batch()
            if builder.append(key=key, value=value, timestamp=now_ms, headers=headers):
                return
            self._full.append((topic, partition, self._open.pop((topic, partition))))
        message = f"a message of {len(value)} bytes does not fit into a batch"
        raise ValueError(message)

    async def send(self) -> None:
        """Send what was gathered and wait until Kafka has it."""
        batches = [*self._full, *((topic, number, b) for (topic, number), b in self._open.items())]
        self._full, self._open = [], {}
        waiting = [
            await self._producer.send_batch(builder, topic, partition=number)
            for topic, number, builder in batches
        ]
        for answer in waiting:
            await answer


@asynccontextmanager
async def producer_of(kafka: str, client: str, topics: Sequence[str]) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that already knows its topics: a first send to each would ask for each."""
    producer = AIOKafkaProducer(
        **kafka_address.aiokafka(kafka),
        client_id=client,
        acks="all",
        enable_idempotence=True,
        max_batch_size=BATCH_BYTES_MAX,
    )
    await producer.start()
    try:
        await producer.client.set_topics(topics)
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def consumer_of(
    kafka: str, client: str, partitions: Sequence[TopicPartition]
) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of these partitions, outside any group; the broker gathers a little before it answers."""
    consumer = reader_of(
        kafka,
        client_id=client,
        auto_offset_reset="earliest",
        fetch_min_bytes=GATHER_BYTES,
        fetch_max_wait_ms=GATHER_MS,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    consumer.assign(partitions)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


def partitions_of(prefix: str, topic: Topic, units: Sequence[str]) -> list[TopicPartition]:
    """Every partition of a line of the table of topics."""
    names = [topic.of(unit) for unit in units] if topic.per_unit else [topic.name]
    return [TopicPartition(prefix + name, number) for name in names for number in range(topic.partitions)]


def topics_of(prefix: str, lines: Sequence[Topic], units: Sequence[str]) -> list[str]:
    """The full names of these lines' topics."""
    return sorted({tp.topic for line in lines for tp in partitions_of(prefix, line, units)})


async def ends_of(consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
    """How many messages lie in each partition the consumer has assigned."""
    async with asyncio.timeout(30):
        ends: dict[TopicPartition, int] = await consumer.end_offsets(list(consumer.assignment()))
    return ends


def quiet() -> None:
    """Keep aiokafka's lines off the table: a topic just made answers with an error that is tried again."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
