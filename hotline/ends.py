"""Where the city's topics end in Kafka, for everybody who compares that with what was taken in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from typing import Final

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from shared import kafka_address

ANSWER_SECONDS_MAX: Final = 20
LEADER_SECONDS_MAX: Final = 10.0
"""How long it is asked again: a topic just made has no leader for a moment."""


async def ends_of(kafka: str, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """The offset after the last message of each partition; none for a partition Kafka does not know.

    A message of a transaction that is still open is no message yet, nor is one behind it: no door is given it.
    """
    give_up_at = time.monotonic() + LEADER_SECONDS_MAX
    while True:
        try:
            return await asyncio.to_thread(_ends, kafka, partitions)
        except KafkaException:
            if time.monotonic() > give_up_at:
                raise
        await asyncio.sleep(0.3)


def _ends(kafka: str, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], int]:
    admin = AdminClient(kafka_address.librdkafka(kafka))
    known = admin.list_topics(timeout=ANSWER_SECONDS_MAX).topics
    asked = {
        TopicPartition(topic, number): OffsetSpec.latest()  # type: ignore[no-untyped-call]
        for topic, number in sorted(partitions)
        if topic in known and number in known[topic].partitions
    }
    found = (
        admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ANSWER_SECONDS_MAX
        )
        if asked
        else {}
    )
    return {(at.topic, at.partition): answer.result().offset for at, answer in found.items()}
