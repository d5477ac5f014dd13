"""Where the city's topics end in Kafka, for everybody who compares that with what was taken in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Final

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from shared.runtime import kafka_address

ANSWER_SECONDS_MAX: Final = 20
LEADER_SECONDS_MAX: Final = 10.0
"""How long it is asked again: a topic just made has no leader for a moment."""


async def ends_of(
    kafka: str, partitions: Collection[tuple[str, int]], *, also: Callable[[str], bool] | None = None
) -> dict[tuple[str, int], int]:
    """The offset after the last message of each partition; none for a partition Kafka does not know.

    `also` is asked about each other topic there is: of those it wants, all partitions are told too.
    A message of a transaction that is still open is no message yet, nor is one behind it: no door is given it.
    """
    give_up_at = time.monotonic() + LEADER_SECONDS_MAX
    while True:
        try:
            return await asyncio.to_thread(_ends, kafka, partitions, also)
        except KafkaException:
            if time.monotonic() > give_up_at:
                raise
        await asyncio.sleep(0.3)


def _ends(
    kafka: str, partitions: Collection[tuple[str, int]], also: Callable[[str], bool] | None
) -> dict[tuple[str, int], int]:
    admin = AdminClient(kafka_address.librdkafka(kafka))
    known = admin.list_topics(timeout=ANSWER_SECONDS_MAX).topics
    wanted = {(topic, number) for topic, number in partitions if topic in known}
    if also is not None:
        others = known.keys() - {topic for topic, _ in partitions}
        wanted |= {(topic, number) for topic in others if also(topic) for number in known[topic].partitions}
    asked = {
        TopicPartition(topic, number): OffsetSpec.latest()  # type: ignore[no-untyped-call]
        for topic, number in sorted(wanted)
        if number in known[topic].partitions
    }
    found = (
        admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=ANSWER_SECONDS_MAX
        )
        if asked
        else {}
    )
    return {(at.topic, at.partition): answer.result().offset for at, answer in found.items()}
