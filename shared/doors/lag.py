"""Kafka is told how far a door is, for lag tools only: a door goes on by the offsets in PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.doors.offsets import Offsets

LAG_COMMIT_SECONDS: Final = 2.0
"""How often Kafka is told how far we are."""


class LagCommit:
    """Commits a door's stored offsets to Kafka now and then."""

    def __init__(self, offsets: Offsets, consumer: Callable[[], Any]) -> None:
        """`consumer` gives the one that commits."""
        self._offsets = offsets
        self._consumer = consumer
        self._told_at = 0.0

    def due(self) -> dict[TopicPartition, int]:
        """The offsets to commit to Kafka now; empty right after a commit, or when Kafka knows them all."""
        now = time.monotonic()
        if now - self._told_at < LAG_COMMIT_SECONDS:
            return {}
        self._told_at = now
        return {
            TopicPartition(*at): held.stored.offset
            for at, held in self._offsets.held.items()
            if held.stored.offset != held.told_kafka and held.stored.offset > 0
        }

    def behind(self) -> int:
        """Messages in Kafka that were not taken in, of the partitions held, as of the last answer of Kafka.

        Asked by another thread than the door's: it changes nothing.
        """
        consumer = self._consumer()
        if consumer is None:
            return 0
        behind = 0
        with suppress(AssertionError, AttributeError, RuntimeError):  # partitions come and go meanwhile
            for at, held in tuple(self._offsets.held.items()):
                end = consumer.highwater(TopicPartition(*at))
                behind += max((end or 0) - held.ahead.offset, 0)
        return behind

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Tell Kafka; nothing depends on it, so no error is raised."""
        consumer = self._consumer()
        if consumer is None:
            return
        with suppress(KafkaError, TimeoutError, AssertionError):
            told = {tp: offset for tp, offset in offsets.items() if tp in consumer.assignment()}
            async with asyncio.timeout(5):
                await consumer.commit(told)
            for tp, offset in told.items():
                held = self._offsets.held.get((tp.topic, tp.partition))
                if held is not None:
                    held.told_kafka = offset
