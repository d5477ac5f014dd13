"""Facts to Kafka: to the log's topic, and outward to those who must hear of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaProducer

from shared.cloudevents import fact_headers
from shared.doors.heard import line_of
from shared.log.codec import ce_type_of
from shared.log.relay.beside import Beside, with_more
from shared.log.relay.cursor import FactRow
from shared.log.relay.notice_cursor import NoticeMessage
from shared.outward import OUTWARD, results_of
from shared.runtime import kafka_address
from shared.runtime.errors import told
from shared.runtime.patience import REQUEST_SECONDS, SEND_SECONDS
from shared.runtime.settings import CommonSettings
from shared.runtime.telemetry import Telemetry
from shared.runtime.topic_admin import make_missing
from shared.topic_names import partition_of, unit_of
from shared.topics import COMPLAINTS_LOG, DISPATCH_ORDERS, TOPICS, Topic
from shared.trace_ids import span_id_of, trace_hex_of

BATCH_BYTES_MAX: Final = 512 * 1024
"""Half of what a broker takes by default: a batch it refuses silently kills an idempotent producer."""


class KafkaSink:
    """Rows to Kafka: one batch a partition at a time, so a failed send is never followed by a later row."""

    def __init__(self, settings: CommonSettings, telemetry: Telemetry) -> None:
        """Connects with the first page."""
        self._settings = settings
        self._telemetry = telemetry
        self._producer: AIOKafkaProducer | None = None

    async def send(self, rows: list[FactRow], batch: int) -> int:
        """Send a page and wait until Kafka has all of it; returns how many messages that were.

        Raises `KafkaError`, `KafkaException` or `TimeoutError` where the outcome is unknown: send the page again.
        """
        producer = await self._open()
        return await self._sent(producer, self._waves(producer, rows, batch))

    async def send_notices(self, notices: Iterable[NoticeMessage]) -> int:
        """Tell these; else as `send`."""
        producer = await self._open()
        page = _Page(producer)
        for one in notices:
            page.put(one.topic, partition_of(one.key, one.line.partitions), one.key, one.body, one.headers)
        return await self._sent(producer, page.waves())

    async def _sent(self, producer: AIOKafkaProducer, waves: list[list[tuple[str, int, Any]]]) -> int:
        sent = 0
        await self._make_missing(producer, {topic for topic, _, _ in (waves[0] if waves else ())})
        for wave in waves:
            waiting = []
            # Later the producer is thrown away. A message it sent may still arrive, and is then dropped by its mark.
            async with asyncio.timeout(SEND_SECONDS):
                for topic, partition, builder in wave:
                    sent += builder.record_count()
                    waiting.append(await producer.send_batch(builder, topic, partition=partition))
                for answer in asyncio.as_completed(waiting):
                    await answer
        return sent

    def _waves(
        self, producer: AIOKafkaProducer, rows: list[FactRow], batch: int
    ) -> list[list[tuple[str, int, Any]]]:
        """Batches of at most one a partition, in the order they must be sent."""
        prefix = self._settings.topic_prefix
        log = prefix + COMPLAINTS_LOG.name
        page = _Page(producer)
        for row in rows:
            key = row.stream_id.encode()
            headers = self._headers(row, batch)
            page.put(log, partition_of(key, COMPLAINTS_LOG.partitions), key, row.body, headers)
            if row.beside is not None:
                for topic, name, body in self._told_with_more(row, row.beside):
                    page.put(name, partition_of(key, topic.partitions), key, body, headers)
                continue
            for topic, field in OUTWARD.get(row.type, ()):
                told = self._told(topic, field, row)
                if told is not None:
                    name, body = told
                    page.put(prefix + name, partition_of(key, topic.partitions), key, body, headers)
        return page.waves()

    def _told(self, topic: Topic, field: str | None, row: FactRow) -> tuple[str, bytes] | None:
        """The topic a fact goes to as well, and its body there; a body that nobody can read goes to the log's alone."""
        try:
            unit = None if field is None else _named(field, row.body)
            if field is not None and not unit:
                return None
            return topic.name if unit is None else topic.of(unit), topic.tells(row.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._not_told(row, error)
            return None

    def _told_with_more(self, row: FactRow, beside: Beside) -> list[tuple[Topic, str, bytes]]:
        """The same for a fact whose message has more: topic, its full name, the body there."""
        prefix = self._settings.topic_prefix
        sent: list[tuple[Topic, str, bytes]] = []
        try:
            body = with_more(row.body, beside.more, beside.reason)
            if beside.answers:
                found = results_of(beside.answers, prefix)
                return [] if found is None else [(*found, body)]
            for topic, field in OUTWARD.get(row.type, ()):
                if field is None:
                    sent.append((topic, prefix + topic.name, topic.tells(body)))
                    continue
                units = dict.fromkeys((_named(field, row.body), beside.unit))
                sent += [(topic, prefix + topic.of(unit), body) for unit in units if unit]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._not_told(row, error)
        return sent

    def _not_told(self, row: FactRow, error: Exception) -> None:
        self._telemetry.log.error(  # -- a trace would quote the complaint
            "fact_not_told_outward",
            complaint_id=row.stream_id,
            version=row.version,
            fact=row.type,
            error=told(error),
        )

    def _headers(self, row: FactRow, batch: int) -> list[tuple[str, bytes]]:
        headers = fact_headers(
            ce_type_of(row.type, row.schema_version),
            row.event_id,
            row.actor,
            row.version,
            row.caused_by,
            b"%d.%d" % (batch, row.position),
            row.occurred_at,
        )
        if self._telemetry.spans.follows(row.stream_id):
            span = span_id_of(row.stream_id, row.caused_by, row.actor)
            headers.append(("traceparent", f"00-{trace_hex_of(row.stream_id)}-{span:016x}-01".encode()))
        return headers

    async def _make_missing(self, producer: AIOKafkaProducer, topics: set[str]) -> None:
        """Make what is not there: one unit new to the catalogue must not hold up the city.

        A unit gets its two topics together, or it could hear its orders and not answer. Raises `KafkaException`
        where Kafka refuses to make one.
        """
        missing = topics - producer.client.cluster.topics()
        if not missing:
            return
        made = await asyncio.to_thread(
            make_missing,
            self._settings.kafka,
            _lines(missing, self._settings.topic_prefix),
            retention=self._settings.retention,
        )
        self._telemetry.log.warning("topics_made", topics=made)
        async with asyncio.timeout(SEND_SECONDS):
            await producer.client.set_topics([*producer.client.cluster.topics(), *missing])

    async def _open(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **kafka_address.aiokafka(self._settings.kafka),
                client_id="relay",
                acks="all",
                enable_idempotence=True,
                max_batch_size=BATCH_BYTES_MAX,
                request_timeout_ms=round(REQUEST_SECONDS * 1000),
                metadata_max_age_ms=self._settings.metadata_max_age_ms,
            )
            self._producer = await started(producer, self._settings.topic_prefix)
        return self._producer

    async def close(self) -> None:
        """Throw the producer away; the next page opens a new one. A dead idempotent producer looks alive."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stopped(producer)


async def started(producer: AIOKafkaProducer, prefix: str, topics: Iterable[str] = ()) -> AIOKafkaProducer:
    """The producer at work, knowing all topics of this prefix, and these; stopped again where it cannot start."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await producer.start()
            # One request for all topics: a first send to each of hundreds would ask one by one.
            metadata = await producer.client.fetch_all_metadata()
            known = {topic for topic in metadata.topics() if topic.startswith(prefix)}
            await producer.client.set_topics(known | set(topics))
    except BaseException:
        await stopped(producer)
        raise
    return producer


async def stopped(producer: AIOKafkaProducer) -> None:
    """Throw the producer away, whatever state it and Kafka are in."""
    with suppress(Exception):
        async with asyncio.timeout(5):
            await producer.stop()


class _Page:
    """A page as batches: for each partition in the order of its rows, each as large as may be."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._builders: dict[tuple[str, int], list[Any]] = {}
        self._now_ms = int(time.time() * 1000)

    def put(
        self, topic: str, partition: int, key: bytes, body: bytes, headers: list[tuple[str, bytes]]
    ) -> None:
        """Add a message to its partition."""
        builders = self._builders.get((topic, partition))
        if builders is None:
            builders = self._builders[topic, partition] = [self._producer.create_batch()]
        for _ in range(2):
            if builders[-1].append(key=key, value=body, timestamp=self._now_ms, headers=headers):
                return
            builders.append(self._producer.create_batch())
        message = f"a fact of complaint {key.decode()} has {len(body)} bytes, more than a batch holds"
        raise ValueError(message)

    def waves(self) -> list[list[tuple[str, int, Any]]]:
        """The batches to send at once, then those after them, …: never two of one partition together."""
        longest = max((len(builders) for builders in self._builders.values()), default=0)
        return [
            [
                (topic, partition, builders[number])
                for (topic, partition), builders in self._builders.items()
                if number < len(builders)
            ]
            for number in range(longest)
        ]


def _lines(topics: Iterable[str], prefix: str) -> dict[str, Topic]:
    """These topics with their lines of the table, and beside a unit's topic its other one."""
    lines = {name: line_of(name, prefix) for name in topics}
    made = {name: line for name, line in lines.items() if line is not None and not line.per_unit}
    units = {unit_of(name, prefix, DISPATCH_ORDERS) for name in lines if name not in made}
    return made | {prefix + line.of(unit): line for line in TOPICS if line.per_unit for unit in units}


class _UnitNamed(msgspec.Struct):
    unit: str | None = None
    recalled_unit: str | None = None
    co_unit: str | None = None
    called: str | None = None
    rated: str | None = None


_unit_decoder: Final = msgspec.json.Decoder(_UnitNamed)


def _named(field: str, body: bytes) -> str | None:
    """The unit a fact names in this field."""
    named: str | None = getattr(_unit_decoder.decode(body), field)
    return named
