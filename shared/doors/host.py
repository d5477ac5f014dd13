"""Desks that live in one process: one client of Kafka, one ear for the log, one word to stop. Mostly it is one desk.

In a small town all four sit together (`hotline up --one-process`). What each of them does stays its own: its
doors, its connections, its offsets, its metrics.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from shared.doors.kafka_door import Door, Records, heard, next_of, subscribed
from shared.runtime import kafka_address
from shared.runtime.errors import told
from shared.runtime.patience import FINISH_SECONDS, GOODBYE_SECONDS
from shared.runtime.settings import CommonSettings
from shared.runtime.telemetry import Telemetry, set_up_logs
from shared.topics import LOG


def tune_gc() -> None:
    """Collect rarely: the objects of a batch die young by themselves.

    Worth a quarter of all CPU in the spike (x 1.26 lives a second).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 1000)


class Company:
    """The desks of one process, and what they share."""

    def __init__(self, name: str, settings: CommonSettings, *, desks: int = 1) -> None:
        """`name` is the process's; Kafka's address, prefix and log level are those of `settings` for all `desks`."""
        set_up_logs(settings.log_level)
        self.broker = KafkaBroker(
            kafka_address.without_login(settings.kafka),
            security=kafka_address.faststream(settings.kafka),
            client_id=name,
            allow_auto_create_topics=False,
            metadata_max_age_ms=settings.metadata_max_age_ms,
            logger=None,
            graceful_timeout=FINISH_SECONDS,
            apply_types=True,
        )
        self.stop = asyncio.Event()
        """Set once it is time to end, for whatever reason."""
        self.failure: Exception | None = None
        self.ear = Ear(f"{settings.topic_prefix}{name}.log", settings) if desks > 1 else None
        self._all_here = asyncio.Barrier(desks)
        self._doors = 0
        self._closing = asyncio.Lock()
        self._closed = False
        self._telemetries: list[Telemetry] = []

    def joined_by(self, telemetry: Telemetry) -> None:
        """A desk sits down; the first one also speaks and counts for what belongs to all."""
        if not self._telemetries:
            telemetry.hear_kafka()
        self._telemetries.append(telemetry)

    def opens(self, door: Door, **how: Any) -> None:
        """One more door, on a subscription of its own; see `Door.open_on`."""
        door.open_on(self.broker, **how)
        self._doors += 1

    def hears_log(self, door: Door, settings: CommonSettings, *, patient: bool) -> None:
        """One more door that hears the log: on its own where a desk is alone, else by the one ear."""
        if self.ear is None:
            self.opens(door, topic=settings.topic_prefix + LOG, patient=patient)
        else:
            self.ear.lent_to(door, settings, patient=patient)
            self._doors += 1

    def fails(self, error: Exception) -> None:
        """Something that cannot be gone past: all end, so that the next start finds it where it is."""
        self.failure = error
        self.stop.set()

    async def work(self) -> None:
        """Once all are here, open the doors as soon as Kafka is there; from then on its clients reconnect alone.

        Each desk waits here until it is cancelled; one of them does what is to be done once.
        """
        if await self._all_here.wait() == 0:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self.stop.set)
            tune_gc()
            if self.ear is not None:
                self.ear.open_on(self.broker)
            if self._doors:
                await self._open()
        await asyncio.Event().wait()

    async def _open(self) -> None:
        first = self._telemetries[0]  # a door has a desk, and a desk has joined
        warned = False
        while True:
            try:
                await self.broker.start()
            except (KafkaError, OSError) as error:
                if not warned:
                    first.log.warning("waiting_for_kafka", error=told(error))
                    warned = True
                for telemetry in self._telemetries:
                    telemetry.health.waits("Kafka")
                with suppress(Exception):
                    async with asyncio.timeout(GOODBYE_SECONDS):
                        await self.broker.stop()
                await asyncio.sleep(0.3)
            else:
                break
        first.log.info("doors_open", doors=self._doors)

    async def close(self) -> None:
        """Finish the batches in hand and leave the groups; the first desk to go does it, the others wait for it.

        A client that cannot say goodbye in time is left behind; what it held comes again.
        """
        async with self._closing:
            if self._closed:
                return
            self._closed = True
            with suppress(Exception):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self.broker.stop()


class Ear(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One subscription to `complaints.log` for all doors that hear it: fetched and unpacked once.

    Each door keeps its own place in PostgreSQL under its own desk's name, and passes over what it has had. So
    the consumer must never stand further than the door that is furthest behind; a door that has to go back
    takes the consumer back with it, and the others pass over what comes to them again.
    """

    def __init__(self, group: str, settings: CommonSettings) -> None:
        """`group` is the consumer's, for Kafka's share of the partitions."""
        self._group = group
        self._topic = settings.topic_prefix + LOG
        self._doors: list[Door] = []
        self._fetched_at: list[int] = []
        """What each door's `seeks` was when the last records were fetched."""
        self._batch_max = settings.batch_max
        self._gather_ms = settings.gather_ms
        self._gather_bytes = settings.gather_bytes
        self._subscriber: Any = None

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """The one consumer; None while there is none."""
        return None if self._subscriber is None else self._subscriber.consumer

    def lent_to(self, door: Door, settings: CommonSettings, *, patient: bool) -> None:
        """One more door hears by this ear: no batch is larger than it may take, nor waits longer than it wants."""
        door.hears_by(_Lent(self, first=not self._doors))
        self._doors.append(door)
        self._batch_max = min(self._batch_max, settings.batch_max)
        self._gather_ms = min(self._gather_ms, settings.gather_ms) if patient else 0

    def open_on(self, broker: KafkaBroker) -> None:
        """Subscribe, once every door is there."""
        if self._doors:
            self._subscriber = subscribed(
                broker,
                group=self._group,
                listener=self,
                fetch=self.fetch,
                take=self.take,
                topic=self._topic,
                gather_bytes=self._gather_bytes if self._gather_ms else 1,
                gather_ms=self._gather_ms or 100,
            )

    async def fetch(self, consumer: AIOKafkaConsumer) -> Records:
        """What has come for whoever is furthest behind, as soon as something has."""
        records = await next_of(consumer, self._batch_max, lambda get: heard(get, self._doors), self._passes)
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


class _Lent:
    """The ear as one door sees it: what a door does with its subscription and its consumer."""

    def __init__(self, ear: Ear, *, first: bool) -> None:
        self._ear = ear
        self._first = first

    @property
    def consumer(self) -> _Lent | None:
        """None while the ear has none."""
        return None if self._ear.consumer is None else self

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self._ear.seek(tp, offset)

    def pause(self, tp: TopicPartition) -> None:
        """Nothing: the ear pauses until all doors know their places."""

    def resume(self, tp: TopicPartition) -> None:
        """Nothing: see `pause`."""

    def assignment(self) -> frozenset[TopicPartition]:
        consumer = self._ear.consumer
        return frozenset() if consumer is None else consumer.assignment()

    async def position(self, tp: TopicPartition) -> int:
        """Where the ear reads on: every door has had what stands before it."""
        consumer = self._ear.consumer
        return 0 if consumer is None else int(await consumer.position(tp))

    async def beginning_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        consumer = self._ear.consumer
        return {} if consumer is None else await consumer.beginning_offsets(partitions)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Only one door's: they are for lag tools, and a group has one place."""
        consumer = self._ear.consumer
        if self._first and consumer is not None:
            await consumer.commit(offsets)
