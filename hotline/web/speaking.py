"""Speaks in Kafka as the roles do: each on its own topics, with a login that may write nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from hotline.web.judging import JudgedEvent
from hotline.web.limits import KAFKA_SECONDS_MAX
from hotline.web.problems import HttpRefusal, ProblemKind
from shared.log import Incoming
from shared.log.relay.sink import BATCH_BYTES_MAX, stopped
from shared.runtime import kafka_address
from shared.runtime.errors import told
from shared.runtime.patience import METADATA_SECONDS, REQUEST_SECONDS
from shared.runtime.telemetry import Telemetry

PART: Final = "kafka"
"""The name of Kafka in the process's health."""
RETRY_SECONDS: Final = 2
"""After how long a client may send again what Kafka did not acknowledge."""


class SentEvent(NamedTuple):
    """An event that Kafka has on all its replicas, and where."""

    event: JudgedEvent
    partition: int
    offset: int


class RoleProducer:
    """The producer of one role. One that failed is thrown away: a dead idempotent producer looks alive."""

    def __init__(self, address: str, role: str, telemetry: Telemetry) -> None:
        """Connects with the first event. `address`: Kafka's, with the login of this role."""
        self._address = address
        self._role = role
        self._telemetry = telemetry
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._goodbyes: set[asyncio.Task[None]] = set()

    async def send(self, events: Sequence[JudgedEvent]) -> list[SentEvent]:
        """Send them all and wait until Kafka has them, in their order within a partition.

        `HttpRefusal` where it does not say so in time: some may have been sent, and the same again has one effect.
        """
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(KAFKA_SECONDS_MAX):
                producer = await self._open()
                sent = await (_one(producer, events[0]) if len(events) == 1 else _batch(producer, events))
        except (KafkaError, OSError, TimeoutError) as error:
            self._failed(producer, error)
            raise HttpRefusal(
                ProblemKind.AWAY,
                "Kafka did not acknowledge it in time. Send the same again: it has one effect.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            ) from error
        self._telemetry.health.works(PART)
        self._telemetry.count("web.events", len(sent))
        return sent

    async def ready(self) -> None:
        """Connect ahead of the first event; where Kafka is away the first event does it."""
        try:
            async with asyncio.timeout(KAFKA_SECONDS_MAX):
                await self._open()
        except (KafkaError, OSError, TimeoutError) as error:
            self._failed(None, error)
        else:
            self._telemetry.health.works(PART)

    async def close(self) -> None:
        """Send what is under way, and disconnect."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stopped(producer)
        await asyncio.gather(*self._goodbyes, return_exceptions=True)

    def _failed(self, producer: AIOKafkaProducer | None, error: BaseException) -> None:
        self._telemetry.log.warning("kafka_did_not_take_it", role=self._role, error=told(error))
        self._telemetry.health.waits("Kafka", PART)
        if producer is None or producer is not self._producer:
            return
        self._producer = None
        self._telemetry.count("web.producers_rebuilt")
        goodbye = asyncio.ensure_future(stopped(producer))
        self._goodbyes.add(goodbye)
        goodbye.add_done_callback(self._goodbyes.discard)

    async def _open(self) -> AIOKafkaProducer:
        if self._producer is not None:
            return self._producer
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **kafka_address.aiokafka(self._address),
                    client_id=f"web-{self._role}",
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=BATCH_BYTES_MAX,
                    request_timeout_ms=round(REQUEST_SECONDS * 1000),
                    metadata_max_age_ms=round(METADATA_SECONDS * 1000),
                )
                try:
                    await producer.start()
                except BaseException:
                    await stopped(producer)
                    raise
                self._producer = producer
            return self._producer


async def _one(producer: AIOKafkaProducer, event: JudgedEvent) -> list[SentEvent]:
    message = event.message
    at = await producer.send_and_wait(
        message.topic,
        value=message.value,
        key=message.key,
        headers=list(message.headers),
        partition=message.partition,
        timestamp_ms=message.sent_at_ms,
    )
    return [SentEvent(event, at.partition, at.offset)]


class _Builder(NamedTuple):
    """A batch for one partition that is being filled."""

    partition: int
    batch: Any
    events: list[JudgedEvent]


async def _batch(producer: AIOKafkaProducer, events: Sequence[JudgedEvent]) -> list[SentEvent]:
    """By batches of one partition each, which cost a fifth of what single events cost."""
    topic = events[0].message.topic
    sent: list[SentEvent] = []
    waiting: dict[int, list[_Builder]] = {}
    for event in events:
        _put(producer, waiting.setdefault(event.message.partition, []), event)
    while waiting:
        # One batch of a partition at a time: a batch that fails is never followed by a later one.
        first = [builders.pop(0) for builders in waiting.values()]
        answers = [await producer.send_batch(one.batch, topic, partition=one.partition) for one in first]
        for one, answer in zip(first, answers, strict=True):
            base = (await answer).offset
            sent += [
                SentEvent(event, one.partition, base + number) for number, event in enumerate(one.events)
            ]
        waiting = {partition: builders for partition, builders in waiting.items() if builders}
    return sorted(sent, key=lambda one: one.event.message.offset)


def _put(producer: AIOKafkaProducer, builders: list[_Builder], event: JudgedEvent) -> None:
    message: Incoming = event.message
    for _ in range(2):
        if builders and (
            builders[-1].batch.append(
                key=message.key,
                value=message.value,
                timestamp=message.sent_at_ms,
                headers=list(message.headers),
            )
            is not None
        ):
            builders[-1].events.append(event)
            return
        builders.append(_Builder(message.partition, producer.create_batch(), []))
    raise HttpRefusal(ProblemKind.TOO_LARGE, "An event is larger than a batch of Kafka holds.")


class Speakers:
    """The producers of the roles that this process may speak for."""

    def __init__(self, addresses: Mapping[str, str], telemetry: Telemetry) -> None:
        """`addresses`: by role."""
        self._addresses = dict(addresses)
        self._of = {role: RoleProducer(address, role, telemetry) for role, address in addresses.items()}
        self.roles: Final = frozenset(self._of)
        if self._of:
            telemetry.health.expects(PART)

    def address(self, role: str) -> str:
        """Kafka's address with the login of this role."""
        return self._addresses[role]

    async def send(self, role: str, events: Sequence[JudgedEvent]) -> list[SentEvent]:
        """See `RoleProducer.send`."""
        return await self._of[role].send(events)

    async def ready(self) -> None:
        """See `RoleProducer.ready`."""
        await asyncio.gather(*(one.ready() for one in self._of.values()))

    async def close(self) -> None:
        """See `RoleProducer.close`."""
        await asyncio.gather(*(one.close() for one in self._of.values()))
