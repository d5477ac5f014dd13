"""A process with a lasting name comes back: it has the partitions it had, and sees to those that nobody has.

Kafka gives such a process its old partitions at once, without sharing anything anew. A topic made while it was away
is in nobody's share then, and nobody would be told: its messages would wait for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition


class RejoinOnStart(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """The listener of a door with a lasting name: after a start it may ask Kafka to share all partitions anew.

    It asks where it sees partitions that are not its own. Those may be another process's. Then one sharing more
    than needed costs all of the desk a second or two; a topic that nobody hears would cost much more.
    """

    def __init__(self, door: ConsumerRebalanceListener, consumer: Callable[[], AIOKafkaConsumer]) -> None:
        """`door` hears of all that happens; `consumer` gives the one it reads by."""
        self._door = door
        self._consumer: Callable[[], Any] = consumer
        self._looked = False

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """The first share after a start may be the one of before it."""
        partitions = list(assigned)
        if not self._looked:
            self._looked = True
            consumer = self._consumer()
            topics = consumer.subscription()
            known = {TopicPartition(t, n) for t in topics for n in consumer.partitions_for_topic(t) or ()}
            if known - set(partitions):
                # The broker obeys the leader of a group only, and there always is one. No public name of aiokafka's.
                consumer._coordinator.request_rejoin()  # noqa: SLF001
        await self._door.on_partitions_assigned(partitions)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing of our own."""
        await self._door.on_partitions_revoked(revoked)
