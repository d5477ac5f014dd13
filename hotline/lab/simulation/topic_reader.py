"""Hearing: the log, to count what happens; and the outward topics, as those outside would read them.

Reading the log also says how many messages each outward topic must hold. So a topic is fetched only when
something waits on it: asking hundreds of empty topics over and over was the dear part.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from hotline.lab.simulation.planned_input import OutwardMessage
from shared.complaint import ENDS
from shared.doors.kafka_reader import reader_of
from shared.ids import ComplaintId, UnitId
from shared.log.codec import decoded, fact_type_of
from shared.outward import OUTWARD
from shared.topic_names import partition_of
from shared.topics import COMPLAINTS_LOG, Topic

ASK_SECONDS_MAX: Final = 10.0

_BUSY_BYTES: Final = 8 * 1024 * 1024
_ENDS: Final = {kind.__name__ for kind in ENDS}


class _Named(msgspec.Struct):
    unit: UnitId | None = None
    recalled_unit: UnitId | None = None
    co_unit: UnitId | None = None
    called: UnitId | None = None
    rated: UnitId | None = None


class TopicReader:
    """Everybody outside who hears."""

    def __init__(self, kafka: str, prefix: str, units: Iterable[str]) -> None:
        """Hears from the moment of `start` on."""
        self._prefix = prefix
        self._log = [
            TopicPartition(prefix + COMPLAINTS_LOG.name, n) for n in range(COMPLAINTS_LOG.partitions)
        ]
        self._lines: dict[TopicPartition, tuple[Topic, UnitId | None]] = {}
        known = tuple(UnitId(unit) for unit in units)
        for line in {line for lines in OUTWARD.values() for line, _ in lines}:
            for unit in known if line.per_unit else (None,):
                name = prefix + (line.of(unit) if unit is not None else line.name)
                for n in range(line.partitions):
                    self._lines[TopicPartition(name, n)] = (line, unit)
        options: dict[str, Any] = {
            "auto_offset_reset": "none",
            "max_partition_fetch_bytes": _BUSY_BYTES,
        }
        self._log_consumer = reader_of(kafka, **options, client_id="city.log", fetch_max_wait_ms=200)
        # A fetch that is under way when the next topics are asked for holds them up: let it be short.
        self._consumer = reader_of(kafka, **options, client_id="city.topics", fetch_max_wait_ms=5)
        self._decoder = msgspec.json.Decoder(_Named)
        self._marks: dict[tuple[TopicPartition, int], tuple[int, int]] = {}
        self._expected: Counter[TopicPartition] = Counter()
        self.facts: Counter[str] = Counter()
        """Facts in the log by type, each once."""
        self.ended: list[ComplaintId] = []
        """Complaints whose lives are over; whoever reads it empties it."""
        self.read: list[int] = [0] * COMPLAINTS_LOG.partitions
        """How far this reader is in each partition of the log."""
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Stand at the end of everything, and follow the log from there."""
        for consumer, partitions in (
            (self._log_consumer, self._log),
            (self._consumer, [*self._lines, *self._log]),
        ):
            while True:
                try:
                    await consumer.start()
                    break
                except (KafkaError, OSError):
                    await asyncio.sleep(0.2)
            consumer.assign(partitions)
            for tp, end in (await self._ends(consumer, partitions)).items():
                consumer.seek(tp, end)
                if consumer is self._log_consumer:
                    self.read[tp.partition] = end
        self._consumer.pause(*self._lines, *self._log)
        self._reading = asyncio.create_task(self._read_log())

    async def log_ends(self) -> tuple[int, ...]:
        """Where the log ends now, for each partition; Kafka may be away meanwhile.

        Asked by the consumer that is paused: a broker answers a connection's requests in turn, and the
        reader's own fetch waits for news.
        """
        ends = await self._ends(self._consumer, self._log)
        return tuple(ends[tp] for tp in self._log)

    def at(self, ends: Sequence[int]) -> bool:
        """Whether the log is read up to here."""
        if self._reading is not None and self._reading.done():
            self._reading.result()
        return all(read >= end for read, end in zip(self.read, ends, strict=True))

    async def hear(self) -> list[OutwardMessage]:
        """Everything the log says was sent outward and was not heard yet; of one complaint in its order."""
        heard: list[tuple[int, OutwardMessage]] = []
        while waiting := [tp for tp, number in self._expected.items() if number > 0]:
            self._consumer.resume(*waiting)
            try:
                got = await self._consumer.getmany(*waiting, timeout_ms=500)
            except KafkaError:
                await asyncio.sleep(0.1)
                continue
            finally:
                self._consumer.pause(*waiting)
            for tp, records in got.items():
                line, unit = self._lines[tp]
                for record in records:
                    headers = self._fresh(tp, record)
                    if headers is None:
                        continue
                    named = fact_type_of(headers["ce_type"])
                    if named is None or not self._is_expected(named[0], line, unit, record.value):
                        continue
                    self._expected[tp] -= 1
                    fact = decoded(*named, record.value)
                    heard.append((int(headers["ce_sequence"]), OutwardMessage(line, unit, fact)))
        self._expected.clear()
        heard.sort(key=lambda pair: pair[0])
        return [message for _, message in heard]

    async def close(self) -> None:
        """Stop listening."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        for consumer in (self._log_consumer, self._consumer):
            with suppress(Exception):
                async with asyncio.timeout(5):
                    await consumer.stop()

    async def _read_log(self) -> None:
        while True:
            try:
                got = await self._log_consumer.getmany(timeout_ms=1000)
            except KafkaError:
                await asyncio.sleep(0.1)
                continue
            for tp, records in got.items():
                self._note(tp, records)
            for tp in self._log:  # it may stand behind offsets that are given to nobody
                self.read[tp.partition] = await self._log_consumer.position(tp)

    def _is_expected(self, name: str, line: Topic, unit: UnitId | None, value: bytes) -> bool:
        """Whether the log said that it would come here. Of refusals, and of ends of answered orders, it does not."""
        body = self._decoder.decode(value)
        return any(
            to is line and (field is None or getattr(body, field) == unit)
            for to, field in OUTWARD.get(name, ())
        )

    def _note(self, tp: TopicPartition, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        for record in records:
            headers = self._fresh(tp, record)
            if headers is None:
                continue
            named = fact_type_of(headers["ce_type"])
            if named is None:
                continue
            name = named[0]
            self.facts[name] += 1
            if name in _ENDS:
                self.ended.append(ComplaintId(record.key.decode()))
            for line, field in OUTWARD.get(name, ()):
                unit: UnitId | None = None
                if field is not None:
                    body = self._decoder.decode(record.value)
                    unit = getattr(body, field)
                    if not unit:
                        continue
                topic = self._prefix + (line.of(unit) if unit is not None else line.name)
                self._expected[TopicPartition(topic, partition_of(record.key, line.partitions))] += 1

    def _fresh(self, tp: TopicPartition, record: ConsumerRecord[Any, Any]) -> dict[str, bytes] | None:
        """The headers of a message, or None for one the relay has sent before, or has not sent."""
        headers: dict[str, bytes] = dict(record.headers)
        if "ce_relaymark" not in headers:
            return None
        batch, _, position = headers["ce_relaymark"].partition(b".")
        mark = (int(batch), int(position))
        # Several relays may send to one partition of a unit's topic; of one complaint only ever the same one does.
        of = (tp, partition_of(record.key, COMPLAINTS_LOG.partitions))
        if mark <= self._marks.get(of, (0, 0)):
            return None
        self._marks[of] = mark
        return headers

    async def _ends(
        self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
    ) -> dict[TopicPartition, int]:
        while True:
            try:
                async with asyncio.timeout(ASK_SECONDS_MAX):
                    return dict(await consumer.end_offsets(partitions))
            except (KafkaError, TimeoutError, OSError):
                await asyncio.sleep(0.1)
