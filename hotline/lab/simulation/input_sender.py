"""Sends planned inputs as CloudEvents to the doors' topics, until Kafka has acknowledged each."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from hotline.lab.acknowledged import Acknowledged
from hotline.lab.simulation.ledger import Ledger
from hotline.lab.simulation.planned_input import PlannedInput
from shared.cloudevents import input_headers
from shared.doors.kafka_reader import reader_of
from shared.ids import ComplaintId
from shared.inputs import RecordRequest
from shared.log.relay.sink import started, stopped
from shared.runtime import kafka_address
from shared.runtime.patience import REQUEST_SECONDS, SEND_SECONDS
from shared.topic_names import partition_of
from shared.topics import Topic

BATCH_BYTES_MAX: Final = 256 * 1024
AT_ONCE: Final = 4000
"""Acts written out before the first are sent, so that the desks begin while the rest is written."""

Headers = list[tuple[str, bytes]]


class InputRecord(NamedTuple):
    """One record to send."""

    key: bytes
    value: bytes
    headers: Headers


class InputSender:
    """Sends for everybody outside. Knows the acknowledged inputs and the end of each door's topic."""

    def __init__(self, kafka: str, prefix: str, ledger: Ledger | None = None) -> None:
        """Connects with the first input. Acknowledged inputs go to the ledger, if there is one."""
        self._ledger = ledger
        self._kafka = kafka
        self._prefix = prefix
        self._producer: AIOKafkaProducer | None = None
        self._encoder = msgspec.json.Encoder()
        self.acknowledged: Counter[str] = Counter()
        """Inputs Kafka has acknowledged, by CloudEvents type; one sent twice counts once."""
        self.inputs: set[Acknowledged] = set()
        """The same by name: not one of them may be missing from the log. Empty where a ledger has them."""
        self.requests: set[ComplaintId] = set()
        """The complaints whose request was acknowledged. Empty where there is a ledger."""
        self.ends: dict[TopicPartition, int] = {}
        """The offset after the last message acknowledged on each partition."""
        self._hearers: dict[str, tuple[str, ...]] = {}

    def wanted(self, since: dict[TopicPartition, int]) -> dict[tuple[str, str, int], int]:
        """Where each (consumer, topic, partition) must be, for the partitions that grew beyond `since`."""
        return {
            (consumer, tp.topic, tp.partition): end
            for tp, end in self.ends.items()
            if since.get(tp) != end
            for consumer in self._hearers[tp.topic]
        }

    async def send(self, planned_inputs: Iterable[PlannedInput]) -> int:
        """Send these inputs and wait until Kafka has all of them; returns how many messages that were."""
        coming = iter(planned_inputs)
        waiting: list[tuple[TopicPartition, Sequence[InputRecord], Awaitable[Any]]] = []
        failed: dict[TopicPartition, list[InputRecord]] = {}
        said: list[PlannedInput] = []
        sent = 0
        while some := list(islice(coming, AT_ONCE)):
            said += some
            written = self._written(some)
            sent += sum(len(messages) for messages in written.values())
            await self._send(written, waiting, failed)
        await self._acknowledged(waiting, failed)
        while failed:
            await self._rebuild()
            again, failed, waiting = failed, {}, []
            await self._send(again, waiting, failed)
            await self._acknowledged(waiting, failed)
        for planned_input in said:
            kind = type(planned_input.data).TYPE
            self.acknowledged[kind] += 1
            topic = (
                planned_input.line.name
                if planned_input.unit is None
                else planned_input.line.of(planned_input.unit)
            )
            told = Acknowledged(
                kind,
                topic,
                planned_input.source,
                planned_input.event_id,
                planned_input.key,
                planned_input.line.hearers,
            )
            if self._ledger is not None:
                self._ledger.add(told)
                continue
            self.inputs.add(told)
            if planned_input.complaint is not None and isinstance(planned_input.data, RecordRequest):
                self.requests.add(planned_input.complaint)
        return sent

    async def close(self) -> None:
        """Leave; nothing that was acknowledged is lost."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stopped(producer)

    def _written(self, planned_inputs: Sequence[PlannedInput]) -> dict[TopicPartition, list[InputRecord]]:
        written: dict[TopicPartition, list[InputRecord]] = {}
        for planned_input in planned_inputs:
            line: Topic = planned_input.line
            name = self._prefix + (
                line.of(planned_input.unit) if planned_input.unit is not None else line.name
            )
            key = planned_input.key.encode()
            tp = TopicPartition(name, partition_of(key, line.partitions))
            headers = input_headers(
                type(planned_input.data), planned_input.source, planned_input.event_id, planned_input.at
            )
            self._hearers[name] = line.hearers
            message = InputRecord(key, self._encoder.encode(planned_input.data), headers)
            written.setdefault(tp, []).extend([message] * planned_input.times)
        return written

    async def _send(
        self,
        written: dict[TopicPartition, list[InputRecord]],
        waiting: list[tuple[TopicPartition, Sequence[InputRecord], Awaitable[Any]]],
        failed: dict[TopicPartition, list[InputRecord]],
    ) -> None:
        """Hand batches to the producer; what it does not take is `failed`."""
        now_ms = int(time.time() * 1000)
        try:
            producer = await self._open(tp.topic for tp in written)
        except (KafkaError, TimeoutError, OSError):
            for tp, messages in written.items():
                failed.setdefault(tp, []).extend(messages)
            return
        for tp, messages in written.items():
            start = 0
            while start < len(messages):
                builder = producer.create_batch()
                end = start
                while end < len(messages):
                    message = messages[end]
                    appended = builder.append(
                        key=message.key, value=message.value, timestamp=now_ms, headers=message.headers
                    )
                    if appended is None:
                        break
                    end += 1
                part = messages[start:end]
                start = end
                try:
                    # Later the producer is thrown away. A message it sent may still arrive: it is the same CloudEvent
                    # and has no second effect.
                    async with asyncio.timeout(SEND_SECONDS):
                        answer = await producer.send_batch(builder, tp.topic, partition=tp.partition)
                except (KafkaError, TimeoutError, OSError):
                    failed.setdefault(tp, []).extend(part)
                else:
                    waiting.append((tp, part, answer))

    async def _acknowledged(
        self,
        waiting: list[tuple[TopicPartition, Sequence[InputRecord], Awaitable[Any]]],
        failed: dict[TopicPartition, list[InputRecord]],
    ) -> None:
        """Wait for Kafka's answers and note how far each partition now reaches."""
        unsure: set[TopicPartition] = set()
        deadline = time.monotonic() + SEND_SECONDS
        for tp, part, answer in waiting:
            try:
                async with asyncio.timeout(max(deadline - time.monotonic(), 0.001)):
                    metadata = await answer
            except (KafkaError, TimeoutError, OSError):
                failed.setdefault(tp, []).extend(part)
                continue
            if metadata.offset < 0:  # Kafka knew the batch already and does not say where it stands
                unsure.add(tp)
            else:
                self.ends[tp] = max(self.ends.get(tp, 0), metadata.offset + len(part))
        if unsure:
            self.ends |= await self._asked(unsure)

    async def _asked(self, partitions: set[TopicPartition]) -> dict[TopicPartition, int]:
        while True:
            consumer = reader_of(self._kafka)
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await consumer.start()
                    consumer.assign(list(partitions))
                    return dict(await consumer.end_offsets(list(partitions)))
            except (KafkaError, TimeoutError, OSError):
                await asyncio.sleep(0.2)
            finally:
                with suppress(Exception):
                    async with asyncio.timeout(5):
                        await consumer.stop()

    async def _open(self, topics: Iterable[str]) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **kafka_address.aiokafka(self._kafka),
                client_id="city",
                acks="all",
                enable_idempotence=True,
                max_batch_size=BATCH_BYTES_MAX,
                request_timeout_ms=round(REQUEST_SECONDS * 1000),
            )
            self._producer = await started(producer, self._prefix, topics)
        return self._producer

    async def _rebuild(self) -> None:
        """A producer that failed once may be dead and look alive."""
        await self.close()
        await asyncio.sleep(0.2)
