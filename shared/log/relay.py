"""Log to Kafka: every committed fact, in version order per complaint, at least once.

What is new is what one snapshot sees and an earlier one did not (snapshot difference). A cursor over the
positions would skip what commits late: positions are handed out before the commit. The open batch
(snap_a, snap_b] is stored before its first message is sent, so a restart repeats the same messages with
the same marks, and every desk drops what it has by them.

Several relays may share the log, each with the complaints of its shard: a cursor, an epoch and an owner of its own. A
complaint has one shard and so has a partition of complaints.log, so order and marks are as with one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from shared.cloudevents import fact_headers
from shared.doors.kafka_door import AWAY
from shared.log.codec import ce_type_of
from shared.log.postgres import connect
from shared.runtime import kafka_address
from shared.runtime.errors import told
from shared.runtime.patience import REQUEST_SECONDS, SEND_SECONDS
from shared.runtime.settings import CommonSettings
from shared.runtime.telemetry import Telemetry, span_id_of, trace_id_of
from shared.runtime.topic_admin import make_missing
from shared.topics import COMPLAINTS_LOG, DISPATCH_ORDERS, OUTWARD, TOPICS, Topic, partition_of, unit_of

PAGE_MAX: Final = 8000
"""Facts read and sent at once; 8,000 instead of 1,000 cost a fifth less CPU in the spike."""

BATCH_BYTES_MAX: Final = 512 * 1024
"""Half of what a broker takes by default: a batch it refuses silently kills an idempotent producer."""

POLL_SECONDS: Final = 0.005
"""How long a relay that had nothing for `BUSY_SECONDS` waits before it looks again."""

POLL_BUSY_SECONDS: Final = 0.001
"""The same while there is something every moment: a request waits for two looks until its order is out."""

BUSY_SECONDS: Final = 0.25

SETTLE_SECONDS: Final = 2.0
"""An idle relay writes its snapshot down this often, so a restart has little to look through."""

# "+ 0" keeps the planner from walking the primary key for the ORDER BY: it did so after an automatic
# ANALYZE, at five times the CPU. The plan is asserted in tests/shared/test_plans.py.
_NEW: Final = """
WITH s AS MATERIALIZED (SELECT $1::text::pg_snapshot AS a, $2::text::pg_snapshot AS b)
SELECT position, stream_id, version, event_id, type, schema_version, caused_by, actor, body FROM (
    SELECT e.* FROM es.event e, s
    WHERE e.xid >= pg_snapshot_xmax(a) AND e.xid < pg_snapshot_xmax(b)
      AND pg_visible_in_snapshot(e.xid, b) AND e.position + 0 > $3
    UNION ALL
    SELECT e.* FROM es.event e, s
    WHERE e.xid = ANY (ARRAY(SELECT pg_snapshot_xip(a)))
      AND pg_visible_in_snapshot(e.xid, b) AND e.position + 0 > $3
) u
ORDER BY u.position + 0 LIMIT $4
"""
# What is not this shard's is read and left: an index by shard would cost each append more than this costs a relay.
_OF_SHARD: Final = "> $3 AND es.relay_shard(e.stream_id, $5) = $6"
_NEW_OF_SHARD: Final = _NEW.replace("> $3", _OF_SHARD)
# The first page, and the batch written down with it if there is anything in it: one wait instead of two, and nobody
# has seen a row of it before the commit. A writer's rows come back with the count of what was written, 0 to who is
# fenced.
_OPEN: Final = """
WITH page AS MATERIALIZED ({page}), moved AS (
    UPDATE es.relay SET snap_a = $1::text::pg_snapshot, snap_b = $2::text::pg_snapshot, pos = 0, batch = {batch}
    WHERE shard = {shard} AND epoch = {epoch} AND EXISTS (SELECT FROM page) RETURNING 1
)
SELECT (SELECT count(*) FROM moved), page.* FROM page ORDER BY position + 0
"""
_OPEN_ALL: Final = _OPEN.format(page=_NEW, shard="$5", epoch="$6", batch="$7")
_OPEN_SHARD: Final = _OPEN.format(page=_NEW_OF_SHARD, shard="$6", epoch="$7", batch="$8")
_SHARDS: Final = "SELECT count(*)::int FROM es.relay"
_OWN: Final = """
UPDATE es.relay SET epoch = epoch + 1 WHERE shard = $1 AND (SELECT count(*) FROM es.relay) = $2
RETURNING epoch, batch, snap_a::text, snap_b::text, pos
"""
# How far we are need not be on disk before we go on: what a crash of PostgreSQL takes back is sent again with
# the same marks. Only an open batch must be, for it says what the marks mean.
_UNHURRIED: Final = (
    "WITH moved AS ({} RETURNING 1) SELECT count(*), set_config('synchronous_commit', 'off', true) FROM moved"
)
_PAGE: Final = _UNHURRIED.format("UPDATE es.relay SET pos = $3 WHERE shard = $1 AND epoch = $2")
_DONE: Final = _UNHURRIED.format(
    "UPDATE es.relay SET snap_a = snap_b, snap_b = NULL, pos = 0 WHERE shard = $1 AND epoch = $2"
)
_IDLE: Final = _UNHURRIED.format(
    "UPDATE es.relay SET snap_a = $3::text::pg_snapshot WHERE shard = $1 AND epoch = $2 AND snap_b IS NULL"
)
_LOCK_CLASS: Final = 12345


class RelayFenced(Exception):  # noqa: N818 -- another owner took over; not an error
    """A newer owner holds the shard; this one must stop."""


class WrongShards(Exception):  # noqa: N818 -- told to a person, and the end of the process
    """The relays and the log disagree about how many share it: some facts would be sent twice, or never."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """A fact on its way out."""

    position: int
    stream_id: str
    version: int
    event_id: str
    type: str
    schema_version: int
    caused_by: str
    actor: str
    body: bytes


def _row(columns: Sequence[Any]) -> Row:
    position, stream_id, version, event_id, *rest = columns
    return Row(position, str(stream_id), version, str(event_id), *rest)


class RelayLog:
    """What the relay reads and remembers in PostgreSQL; one shard, one owner."""

    def __init__(self, connection: asyncpg.Connection[Any], shard: int = 0, shards: int = 1) -> None:
        """The connection must be direct: a session lock on it says who owns the shard, one of `shards`."""
        self.connection = connection
        self.shard = shard
        self.shards = shards
        self.epoch = 0
        self.batch = 0
        self.snap_a = ""
        self.snap_b: str | None = None
        self.position = 0
        self.owes = False

    async def try_own(self) -> bool:
        """Become the owner if nobody else is alive; older owners are fenced from then on. Raises `WrongShards`."""
        await self._agree()
        got = await self.connection.fetchval(
            "SELECT pg_try_advisory_lock($1, hashint4($2) # hashtext(current_database()))",
            _LOCK_CLASS,
            self.shard,
        )
        if not got:
            return False
        await self.own()
        return True

    async def own(self) -> None:
        """Take the shard over and read where its last owner stood; raises `WrongShards`."""
        row = await self.connection.fetchrow(_OWN, self.shard, self.shards)
        if row is None:
            await self._agree()
            message = f"relay shard {self.shard} has no row in es.relay"
            raise RuntimeError(message)
        self.epoch, self.batch, self.snap_a, self.snap_b, self.position = row

    async def _agree(self) -> None:
        there = await self.connection.fetchval(_SHARDS)
        if there != self.shards:
            message = (
                f"the log is shared by {there} relays (es.relay), RELAY_SHARDS says {self.shards}: set it to {there}, "
                f"or have the log's owner say SELECT es.set_relay_shards({self.shards}) while no relay runs"
            )
            raise WrongShards(message)

    async def look(self) -> str:
        """The present snapshot; a statement of its own, on the primary."""
        snapshot: str = await self.connection.fetchval("SELECT pg_current_snapshot()::text")
        return snapshot

    async def page(self, snap_b: str, page_max: int) -> list[Row]:
        """The next facts of the open batch, those visible in `snap_b` and not in `snap_a`, by position."""
        asked = (self.snap_a, snap_b, self.position, page_max)
        if self.shards == 1:
            rows = await self.connection.fetch(_NEW, *asked)
        else:
            rows = await self.connection.fetch(_NEW_OF_SHARD, *asked, self.shards, self.shard)
        return [_row(r) for r in rows]

    async def open(self, snap_b: str, page_max: int) -> list[Row]:
        """The first page up to `snap_b`, its batch written down before anybody has seen it; [] where nothing is new.

        Writes with it that the batch before is done.
        """
        asked = (self.snap_a, snap_b, 0, page_max)
        fence = (self.shard, self.epoch, self.batch + 1)
        if self.shards == 1:
            found = await self.connection.fetch(_OPEN_ALL, *asked, *fence)
        else:
            found = await self.connection.fetch(_OPEN_SHARD, *asked, self.shards, *fence)
        if not found:
            return []
        if not found[0][0]:
            raise self._over()
        self.batch += 1
        self.snap_b = snap_b
        self.position = 0
        self.owes = False
        return [_row(r[1:]) for r in found]

    async def page_done(self, position: int) -> None:
        """Every message up to here is acknowledged; more of the batch follows."""
        await self._fenced(_PAGE, position)
        self.position = position

    def batch_done(self) -> None:
        """Every message of the open batch is acknowledged; written down with the next one, or by `settle`."""
        self.snap_a = self.snap_b or self.snap_a
        self.snap_b = None
        self.position = 0
        self.owes = True

    async def settle(self) -> None:
        """Write down that the last batch is done; who comes before that sends it again, with the same marks."""
        await self._fenced(_DONE)
        self.owes = False

    async def idle(self, snap: str) -> None:
        """Nothing was new up to this snapshot."""
        await self._fenced(_IDLE, snap)
        self.snap_a = snap

    async def _fenced(self, statement: str, *values: object) -> None:
        if not await self.connection.fetchval(statement, self.shard, self.epoch, *values):
            raise self._over()

    def _over(self) -> RelayFenced:
        return RelayFenced(f"relay shard {self.shard}: epoch {self.epoch} is over")


class KafkaSink:
    """Rows to Kafka: one batch a partition at a time, so a failed send is never followed by a later row."""

    def __init__(self, settings: CommonSettings, telemetry: Telemetry) -> None:
        """Connects with the first page."""
        self._settings = settings
        self._telemetry = telemetry
        self._producer: AIOKafkaProducer | None = None

    async def send(self, rows: list[Row], batch: int) -> int:
        """Send a page and wait until Kafka has all of it; returns how many messages that were.

        Raises `KafkaError`, `KafkaException` or `TimeoutError` where the outcome is unknown: send the page again.
        """
        producer = await self._open()
        sent = 0
        waves = self._waves(producer, rows, batch)
        await self._make_missing(producer, {topic for topic, _, _ in (waves[0] if waves else ())})
        for wave in waves:
            waiting = []
            # Later the producer is thrown away. What it sent may still arrive, and is then dropped by its mark.
            async with asyncio.timeout(SEND_SECONDS):
                for topic, partition, builder in wave:
                    sent += builder.record_count()
                    waiting.append(await producer.send_batch(builder, topic, partition=partition))
                for answer in asyncio.as_completed(waiting):
                    await answer
        return sent

    def _waves(
        self, producer: AIOKafkaProducer, rows: list[Row], batch: int
    ) -> list[list[tuple[str, int, Any]]]:
        """Batches of at most one a partition, in the order they must be sent."""
        prefix = self._settings.topic_prefix
        log = prefix + COMPLAINTS_LOG.name
        page = _Page(producer)
        for row in rows:
            key = row.stream_id.encode()
            headers = self._headers(row, batch)
            page.put(log, partition_of(key, COMPLAINTS_LOG.partitions), key, row.body, headers)
            for topic, field in OUTWARD.get(row.type, ()):
                told = self._told(topic, field, row)
                if told is not None:
                    name, body = told
                    page.put(prefix + name, partition_of(key, topic.partitions), key, body, headers)
        return page.waves()

    def _told(self, topic: Topic, field: str | None, row: Row) -> tuple[str, bytes] | None:
        """The topic a fact goes to as well, and its body there; a body that nobody can read goes to the log's alone."""
        try:
            unit = None if field is None else _named(field, row.body)
            if field is not None and not unit:
                return None
            return topic.name if unit is None else topic.of(unit), topic.tells(row.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._telemetry.log.error(  # noqa: TRY400 -- a trace would quote the complaint
                "fact_not_told_outward",
                complaint_id=row.stream_id,
                version=row.version,
                fact=row.type,
                error=told(error),
            )
            return None

    def _headers(self, row: Row, batch: int) -> list[tuple[str, bytes]]:
        headers = fact_headers(
            ce_type_of(row.type, row.schema_version),
            row.event_id,
            row.actor,
            row.version,
            row.caused_by,
            b"%d.%d" % (batch, row.position),
        )
        if self._telemetry.follows(row.stream_id):
            span = span_id_of(row.stream_id, row.caused_by, row.actor)
            headers.append(("traceparent", f"00-{trace_id_of(row.stream_id):032x}-{span:016x}-01".encode()))
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
            retention=self._settings.time == "system",
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


class Relay:
    """The loop: own the shard, send what is new, remember how far; forever."""

    def __init__(
        self,
        settings: CommonSettings,
        telemetry: Telemetry,
        *,
        page_max: int = PAGE_MAX,
        poll_seconds: float = POLL_SECONDS,
        shards: int = 1,
    ) -> None:
        """`poll_seconds`: how long an idle relay waits before it looks again; `shards`: how many share the log."""
        self._settings = settings
        self._telemetry = telemetry
        self._page_max = page_max
        self._poll_seconds = poll_seconds
        self._shards = shards
        telemetry.health.expects("relay")

    async def run(self) -> None:
        """Relay until cancelled; PostgreSQL or Kafka may go and come back. Raises `WrongShards`."""
        sink = KafkaSink(self._settings, self._telemetry)
        try:
            while True:
                try:
                    await self._own_and_send(sink)
                except RelayFenced as fenced:
                    self._telemetry.log.warning("relay_fenced", reason=str(fenced))
                except AWAY as error:
                    self._telemetry.log.warning("waiting_for_postgres", error=told(error))
                    self._telemetry.health.waits("PostgreSQL", "relay")
                await asyncio.sleep(0.2)
        finally:
            await sink.close()

    async def _own_and_send(self, sink: KafkaSink) -> None:
        connection = await connect(self._settings.postgres, "relay")
        try:
            while (log := await self._owned(connection)) is None:
                self._telemetry.progressed("relay")
                await asyncio.sleep(0.5)
            self._telemetry.log.info("relay_owns", shard=log.shard, epoch=log.epoch)
            sent_at = settled_at = time.monotonic()
            while True:
                if await self.step(log, sink):
                    sent_at = settled_at = time.monotonic()
                    continue
                now = time.monotonic()
                if now - settled_at > SETTLE_SECONDS:
                    await log.idle(log.snap_a)
                    settled_at = now
                self._telemetry.progressed("relay")
                busy = now - sent_at < BUSY_SECONDS
                await asyncio.sleep(
                    min(POLL_BUSY_SECONDS, self._poll_seconds) if busy else self._poll_seconds
                )
        finally:
            with suppress(Exception):
                await connection.close(timeout=5)

    async def _owned(self, connection: asyncpg.Connection[Any]) -> RelayLog | None:
        """The first shard nobody owns; a relay has one, so there must run as many, and one more to stand by."""
        for shard in range(self._shards):
            log = RelayLog(connection, shard, self._shards)
            if await log.try_own():
                return log
        return None

    async def step(self, log: RelayLog, sink: KafkaSink) -> bool:
        """One page, if anything is new; says whether there was."""
        if log.snap_b is not None:
            rows = await log.page(log.snap_b, self._page_max)
        else:
            snap_b = await log.look()
            rows = await log.open(snap_b, self._page_max) if snap_b != log.snap_a else []
            if not rows:
                if log.owes:
                    await log.settle()
                log.snap_a = snap_b
                return False
        if rows:
            await self._send(sink, rows, log.batch)
        if len(rows) == self._page_max:
            await log.page_done(rows[-1].position)
        else:
            log.batch_done()
        return True

    async def _send(self, sink: KafkaSink, rows: list[Row], batch: int) -> None:
        """Send a page until Kafka has it, however long Kafka is away."""
        warned = False
        while True:
            try:
                sent = await sink.send(rows, batch)
            except (KafkaError, KafkaException, TimeoutError, OSError) as error:
                if not warned:
                    self._telemetry.log.warning("waiting_for_kafka", error=told(error))
                    warned = True
                self._telemetry.count("relay.producers_rebuilt")
                self._telemetry.health.waits("Kafka", "relay")
                await sink.close()
                await asyncio.sleep(0.2)
            else:
                self._telemetry.count("relay.messages", sent)
                self._telemetry.progressed("relay")
                return


def _lines(topics: Iterable[str], prefix: str) -> dict[str, Topic]:
    """These topics with their lines of the table, and beside a unit's topic its other one."""
    fixed = {prefix + line.name: line for line in TOPICS if not line.per_unit}
    made = {name: fixed[name] for name in topics if name in fixed}
    units = {unit_of(name, prefix, DISPATCH_ORDERS) for name in topics if name not in fixed}
    return made | {prefix + line.of(unit): line for line in TOPICS if line.per_unit for unit in units}


class _Named(msgspec.Struct):
    unit: str | None = None
    recalled_unit: str | None = None
    co_unit: str | None = None
    called: str | None = None
    rated: str | None = None


_named_decoder: Final = msgspec.json.Decoder(_Named)


def _named(field: str, body: bytes) -> str | None:
    """The unit a fact names in this field."""
    named: str | None = getattr(_named_decoder.decode(body), field)
    return named
