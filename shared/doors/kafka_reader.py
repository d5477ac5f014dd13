"""A consumer outside any door: the simulated city's ears, a person at a terminal, the bench, the relay's own past.

One place makes them all, so all read alike: only what is committed, every codec, and an unreadable record stops none
of them (`shared.doors.records`). To them it is a message without the headers of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.structs import TopicPartition

from shared.doors.records import UnreadableRecord
from shared.runtime import kafka_address

ANSWER_SECONDS_MAX: Final = 15.0
_GROWS: Final = 16
"""How many times further back each look begins, where the last one found nothing that counts."""

Counts = Callable[[ConsumerRecord[bytes, bytes]], bool]


def reader_of(kafka: str, **options: Any) -> AIOKafkaConsumer:
    """A consumer in no group, which stores no place; `options` are aiokafka's."""
    told: dict[str, Any] = {
        **kafka_address.aiokafka(kafka),
        "group_id": None,
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        **options,
    }
    return AIOKafkaConsumer(**told)


def _is_readable(record: ConsumerRecord[bytes, bytes]) -> bool:
    return type(record) is not UnreadableRecord


async def last_record(
    kafka: str, topic: str, partition: int, counts: Counts = _is_readable
) -> ConsumerRecord[bytes, bytes] | None:
    """The last message that counts in a partition of a topic that is there; None where it holds none.

    Behind it may lie what was never given to anybody, and what somebody else put there.
    """
    consumer = reader_of(kafka)
    at = TopicPartition(topic, partition)
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await consumer.start()
            consumer.assign([at])
            first = end = (await consumer.end_offsets([at]))[at]
            begin = (await consumer.beginning_offsets([at]))[at]
        back = 1
        while first > begin:
            before, first = first, max(begin, end - back)
            found = await _last_between(consumer, at, first, before, counts)
            if found is not None:
                return found
            back *= _GROWS
        return None
    finally:
        with suppress(Exception):
            await consumer.stop()


async def _last_between(
    consumer: AIOKafkaConsumer, at: TopicPartition, first: int, behind: int, counts: Counts
) -> ConsumerRecord[bytes, bytes] | None:
    found: ConsumerRecord[bytes, bytes] | None = None
    consumer.seek(at, first)
    while (place := await consumer.position(at)) < behind:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            while await consumer.position(at) == place:
                got = await consumer.getmany(at, timeout_ms=500)
                for record in got.get(at, ()):
                    if record.offset < behind and counts(record):
                        found = record
    return found
