"""One subscription to `complaints.log` for all doors of a process that hear it: fetched and unpacked once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from shared.doors.fetching import WAIT_MS, Records, Subscription, fetched, next_records
from shared.doors.kafka_door import Door
from shared.doors.subscription import KafkaClient
from shared.runtime.settings import CommonSettings
from shared.topics import LOG


class LogReader(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Reads the log for several doors.

    Each door keeps its own place in PostgreSQL under its own desk's name, and skips what it has already
    taken. So the consumer must never stand further than the door that is furthest behind. A door that has to
    go back takes the consumer back with it; the other doors skip the repeats.
    """

    def __init__(self, group: str, settings: CommonSettings) -> None:
        """`group` is the consumer's, for Kafka's share of the partitions."""
        self._group = group
        self._topic = settings.topic_prefix + LOG
        self._doors: list[Door] = []
        self._fetched_at: list[int] = []
        """The value of each door's `seeks` when the last records were fetched."""
        self._batch_max = settings.batch_max
        self._gather_ms = settings.gather_ms
        self._gather_bytes = settings.gather_bytes
        self.subscription: Subscription | None = None

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """The one consumer; None while there is none."""
        return None if self.subscription is None else self.subscription.consumer

    def add(self, door: Door, settings: CommonSettings, *, patient: bool) -> None:
        """One more door hears by this reader: no batch is larger than it may take, nor waits longer than it wants."""
        door.hears_by(_DoorsConsumer(self, first=not self._doors))
        self._doors.append(door)
        self._batch_max = min(self._batch_max, settings.batch_max)
        self._gather_ms = min(self._gather_ms, settings.gather_ms) if patient else 0

    def open_on(self, client: KafkaClient) -> None:
        """Subscribe, once every door is there."""
        if self._doors:
            self.subscription = client.subscribe(
                group=self._group,
                listener=self,
                fetch=self.fetch,
                take=self.take,
                topic=self._topic,
                gather_bytes=self._gather_bytes if self._gather_ms else 1,
                gather_ms=self._gather_ms or WAIT_MS,
            )

    async def fetch(self, consumer: AIOKafkaConsumer) -> Records:
        """The next records for the door furthest behind, as soon as there are some."""
        records = await next_records(
            consumer, self._batch_max, lambda get: fetched(get, self._doors), self._passes
        )
        self._fetched_at = [door.seeks for door in self._doors]
        return records

    async def _passes(self) -> None:
        for door in self._doors:
            await door.passes()

    async def take(self, records: Records) -> None:
        """Have every door take it; returns when all have."""
        await asyncio.gather(
            *(door.take(records, at) for door, at in zip(self._doors, self._fetched_at, strict=True))
        )

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Go on at the lowest of the doors' places, once all have read theirs; see `Door`."""
        partitions, consumer = list(assigned), self.consumer
        if consumer is None:
            return
        for tp in partitions:
            consumer.pause(tp)
            consumer.seek(tp, 0)
        await asyncio.gather(*(door.on_partitions_assigned(partitions) for door in self._doors))
        for tp in partitions:
            with suppress(KafkaError, AssertionError):  # taken away again meanwhile
                consumer.resume(tp)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Every door finishes the batch in hand, then forgets the partitions."""
        partitions = list(revoked)
        await asyncio.gather(*(door.on_partitions_revoked(partitions) for door in self._doors))

    def seek(self, tp: TopicPartition, offset: int) -> None:
        """Go where a door wants to read on, but not past what another still needs."""
        needed = (door.reads_from(tp) for door in self._doors)
        if (consumer := self.consumer) is not None:
            consumer.seek(tp, min((offset, *(at for at in needed if at is not None))))


class _DoorsConsumer:
    """The log reader as one door sees it: what a door does with its subscription and its consumer."""

    def __init__(self, reader: LogReader, *, first: bool) -> None:
        self._reader = reader
        self._first = first

    @property
    def consumer(self) -> _DoorsConsumer | None:
        """None while the log reader has none."""
        return None if self._reader.consumer is None else self

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self._reader.seek(tp, offset)

    def pause(self, tp: TopicPartition) -> None:
        """Nothing: the log reader pauses until all doors know their places."""

    def resume(self, tp: TopicPartition) -> None:
        """Nothing: see `pause`."""

    def assignment(self) -> frozenset[TopicPartition]:
        consumer = self._reader.consumer
        return frozenset() if consumer is None else consumer.assignment()

    async def position(self, tp: TopicPartition) -> int:
        """Where the log reader reads on: every door has had what stands before it."""
        consumer = self._reader.consumer
        return 0 if consumer is None else int(await consumer.position(tp))

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        consumer = self._reader.consumer
        return {} if consumer is None else await consumer.beginning_offsets(partitions)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Only one door's: they are for lag tools, and a group has one place."""
        consumer = self._reader.consumer
        if self._first and consumer is not None:
            await consumer.commit(offsets)
