"""Anchors the log: a line for each stretch of it into es.anchor, and from there to a topic and a file.

One process at a time does it, once a minute, apart from the relay. A late anchor does no harm. A stretch ends
where no earlier fact can still come. The log gives out positions before the commit, so a stretch waits until
every transaction has ended that may hold one of them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from shared.cloudevents import event_headers
from shared.doors.kafka_reader import last_record
from shared.log.anchors import CE_SOURCE, CE_TYPE, NOTHING, Anchor, anchor_of, hash_of, line_of, root_of
from shared.log.away import AWAY
from shared.log.locks import ANCHORS, TRY_ONE
from shared.log.postgres import connect
from shared.log.relay.sink import stopped
from shared.runtime import kafka_address
from shared.runtime.clock import SystemClock
from shared.runtime.errors import told
from shared.runtime.patience import REQUEST_SECONDS, SEND_SECONDS
from shared.runtime.settings import CommonSettings
from shared.runtime.telemetry import Telemetry
from shared.runtime.topic_admin import make_missing
from shared.topics import COMPLAINTS_ANCHORS

STRETCH_MAX: Final = 4000
"""Facts in one anchor: a line of 150 kB, and 4 ms in which its process does nothing else."""

ANCHOR_SECONDS: Final = 60.0
"""How often what is new is anchored."""

SEALED_SECONDS: Final = 0.05
"""After how long it is looked again whether a stretch has come to its end; each time twice as long."""
SEALED_SECONDS_MAX: Final = 1.0

OWN_SECONDS: Final = 2.0
"""How often who does not own the anchors looks whether nobody does."""

LINES_MAX: Final = 50
"""Lines handed on at once: 8 MB at most."""
TAIL_BYTES: Final = 1 << 20
"""More than the longest line."""

_LAST: Final = "SELECT number, last, hash FROM es.anchor ORDER BY number DESC LIMIT 1"
# A transaction that takes a position has an id by then. Once all ids given out before ours have ended, nothing can come
# at this position or before it. The end of a snapshot would not do: it lies where the last ended transaction was. It
# does not count one that began last and still runs. Two statements, so that ours is the later.
_GIVEN: Final = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM es.position_seq"
_BEGUN: Final = "SELECT pg_current_xact_id()::text::bigint"
_ENDED: Final = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
_STRETCH: Final = """
SELECT count(*), max(position), string_agg(hash, '' ORDER BY position),
       string_agg(uuid_send(stream_id) || int4send(version) || substr(hash, 1, 8), '' ORDER BY position)
FROM (
    SELECT position, stream_id, version, hash FROM es.event
    WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3
) e
"""
# Else, where the table's figures are old, all that is left is read and sorted for every stretch.
_BY_POSITION: Final = "SET enable_bitmapscan = off"
_PUT: Final = "INSERT INTO es.anchor (number, last, hash, restored, line) VALUES ($1, $2, $3, $4, $5)"
_KNOWN: Final = "SELECT number FROM es.anchor WHERE hash = $1"
_RESTORED: Final = "SELECT max(number) FROM es.anchor WHERE restored"
_LINES: Final = "SELECT number, hash, line FROM es.anchor WHERE number >= $1 ORDER BY number LIMIT $2"


class CopyDisagrees(Exception):  # noqa: N818 -- for a person to look at; evidence is not written over
    """A copy ends with a line that the log never wrote."""


class Copy(Protocol):
    """Somewhere else where the lines go, in their order."""

    name: str

    async def last(self) -> bytes | None:
        """The last line there; None where there is none."""
        ...

    async def add(self, lines: Sequence[bytes]) -> None:
        """Put these behind it; returns when they last."""
        ...


async def sealed(connection: asyncpg.Connection[Any]) -> int:
    """A position up to which nothing can come any more, as late as one is; waits for the transactions that hold one."""
    given: int = await connection.fetchval(_GIVEN)
    begun = await connection.fetchval(_BEGUN)
    wait = SEALED_SECONDS
    while await connection.fetchval(_ENDED) < begun:
        await asyncio.sleep(wait)
        wait = min(2 * wait, SEALED_SECONDS_MAX)
    return given


async def anchor(connection: asyncpg.Connection[Any], *, stretch_max: int = STRETCH_MAX) -> int:
    """Anchor all there is, stretch by stretch; how many anchors that were.

    Raises `asyncpg.UniqueViolationError` where somebody else anchors too.
    """
    await connection.execute(_BY_POSITION)
    end = await sealed(connection)
    made = 0
    while True:
        known = await connection.fetchrow(_LAST)
        number, before, previous = (known[0], known[1], known[2].hex()) if known else (0, 0, NOTHING)
        ((facts, reached, hashes, leaves),) = await connection.fetch(_STRETCH, before, end, stretch_max)
        if not facts:
            return made
        await put(
            connection,
            Anchor(
                number=number + 1,
                anchored_at=SystemClock().now(),
                first=before + 1,
                last=reached if facts == stretch_max else end,
                facts=facts,
                root=root_of(hashes),
                previous=previous,
                leaves=leaves,
            ),
        )
        made += 1


async def put(connection: asyncpg.Connection[Any], made: Anchor) -> None:
    """Write an anchor down, once and for all."""
    line = line_of(made)
    await connection.execute(_PUT, made.number, made.last, hash_of(line), made.restored, line)


async def hand_on(connection: asyncpg.Connection[Any], copy: Copy, last: bytes | None) -> bytes | None:
    """Bring a copy that ends with this line up to date; its last line then. Raises `CopyDisagrees`.

    A copy that went further than a log that was restored gets what follows from the restore on.
    """
    number = 0
    if last is not None:
        number = await connection.fetchval(_KNOWN, hash_of(last))
        if number is None:
            restored = await connection.fetchval(_RESTORED)
            if restored is None:
                raise CopyDisagrees(copy.name)
            number = restored - 1
    while rows := await connection.fetch(_LINES, number + 1, LINES_MAX):
        await copy.add([row["line"] for row in rows])
        number, last = rows[-1]["number"], rows[-1]["line"]
    return last


class FileCopy:
    """The lines in a file, each on the disk before the next is begun."""

    name = "file"

    def __init__(self, path: Path) -> None:
        """It need not be there."""
        self._path = path

    async def last(self) -> bytes | None:
        """See `Copy.last`. The rest of a line that a kill left at its end is taken away: it was never handed on."""
        if not self._path.exists():
            return None
        with self._path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - TAIL_BYTES, 0))
            tail = file.read()
            whole = tail.rfind(b"\n") + 1
            if whole < len(tail):
                file.truncate(size - (len(tail) - whole))
        lines = tail[:whole].splitlines()
        return lines[-1] if lines else None

    async def add(self, lines: Sequence[bytes]) -> None:
        """See `Copy.add`."""
        await asyncio.to_thread(self._add, lines)

    def _add(self, lines: Sequence[bytes]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            for line in lines:
                file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())


class TopicCopy:
    """The lines on a topic of one partition."""

    name = "topic"

    def __init__(self, settings: CommonSettings) -> None:
        """Connects with the first question."""
        self._settings = settings
        self._topic = settings.topic_prefix + COMPLAINTS_ANCHORS.name
        self._producer: AIOKafkaProducer | None = None

    async def last(self) -> bytes | None:
        """See `Copy.last`."""
        wanted = {self._topic: COMPLAINTS_ANCHORS}
        await asyncio.to_thread(
            make_missing, self._settings.kafka, wanted, retention=self._settings.retention
        )
        return await last_on_topic(self._settings.kafka, self._topic)

    async def add(self, lines: Sequence[bytes]) -> None:
        """See `Copy.add`."""
        if self._producer is None:
            producer = AIOKafkaProducer(
                **kafka_address.aiokafka(self._settings.kafka),
                client_id="anchors",
                acks="all",
                enable_idempotence=True,
                request_timeout_ms=round(REQUEST_SECONDS * 1000),
            )
            async with asyncio.timeout(SEND_SECONDS):
                await producer.start()
            self._producer = producer
        for line in lines:
            said = anchor_of(line)
            headers = event_headers(CE_TYPE, CE_SOURCE, hash_of(line).hex(), said.anchored_at)
            async with asyncio.timeout(SEND_SECONDS):
                await self._producer.send_and_wait(
                    self._topic, line, key=str(said.number).encode(), partition=0, headers=headers
                )

    async def close(self) -> None:
        """Give the producer back."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stopped(producer)


async def last_on_topic(kafka: str, topic: str) -> bytes | None:
    """The last line on the topic of anchors; None where there is none."""
    record = await last_record(kafka, topic, 0)
    return None if record is None else record.value


class Anchoring:
    """The loop: own the anchors, anchor what is new, hand it on; for ever."""

    def __init__(
        self,
        settings: CommonSettings,
        telemetry: Telemetry,
        *,
        file: Path | None = None,
        every_seconds: float = ANCHOR_SECONDS,
    ) -> None:
        """`file`: where the lines go beside the topic."""
        self._settings = settings
        self._telemetry = telemetry
        self._every_seconds = every_seconds
        self._topic = TopicCopy(settings)
        self._copies: list[Copy] = [self._topic, *([FileCopy(file)] if file is not None else [])]
        self._ends: dict[str, bytes | None] = {}
        """The last line of each copy, as far as it is known."""
        self._disagrees: set[str] = set()

    async def run(self) -> None:
        """Anchor until cancelled; PostgreSQL or Kafka may go and come back."""
        try:
            while True:
                try:
                    await self._own_and_anchor()
                except (*AWAY, KafkaError, KafkaException) as error:
                    self._telemetry.log.warning("anchors_wait", error=told(error))
                except Exception as error:  # noqa: BLE001 -- the city does not stand still for want of evidence
                    self._telemetry.log.error("anchors_failed", error=told(error))  # noqa: TRY400 -- told() is enough
                self._ends.clear()
                await self._topic.close()
                await asyncio.sleep(OWN_SECONDS)
        finally:
            await self._topic.close()

    async def _own_and_anchor(self) -> None:
        connection = await connect(self._settings.postgres, "anchors")
        try:
            while not await connection.fetchval(TRY_ONE, ANCHORS):  # noqa: ASYNC110 -- another process's
                await asyncio.sleep(OWN_SECONDS)
            while True:
                made = await anchor(connection)
                self._telemetry.count("relay.anchors", made)
                for copy in self._copies:
                    await self._hand_on(connection, copy)
                await asyncio.sleep(self._every_seconds)
        finally:
            with suppress(Exception):
                await connection.close(timeout=5)

    async def _hand_on(self, connection: asyncpg.Connection[Any], copy: Copy) -> None:
        if copy.name in self._disagrees:
            return
        try:
            if copy.name not in self._ends:
                self._ends[copy.name] = await copy.last()
            self._ends[copy.name] = await hand_on(connection, copy, self._ends[copy.name])
        except CopyDisagrees:
            # `hotline verify --anchors` says what differs.
            self._disagrees.add(copy.name)
            self._telemetry.log.error("anchors_disagree", copy=copy.name)  # noqa: TRY400 -- no trace helps
