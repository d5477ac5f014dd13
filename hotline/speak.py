"""Speaking at a city's doors by hand: one CloudEvent, and what came of it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer

from hotline.arguments import id_of
from hotline.realm import Realm
from hotline.stack.errors import StackError
from hotline.where import City, typed
from shared import kafka_address
from shared.cloudevents import input_headers
from shared.codec import decoded
from shared.complaint import Complaint, UnreadableHead, stored_head
from shared.events import Fact
from shared.ids import ComplaintId, MessageId, message_id
from shared.inputs import Input
from shared.log.instants import reads_any_instant
from shared.topics import Topic, partition_of
from shared.unreadable import UnreadableRows

EFFECT_SECONDS_MAX: Final = 15.0
SOURCE: Final = "/hotline/command"
_POLL_SECONDS: Final = 0.03
_CAME: Final = """
SELECT EXISTS (SELECT FROM es.inbox WHERE message_id = $1) AS done,
       (SELECT reason FROM es.parked WHERE topic = $2 AND part = $3 AND kafka_offset = $4) AS reason
"""


class Told(NamedTuple):
    """A message Kafka has taken: who it is, and where it lies."""

    identity: MessageId
    topic: str
    partition: int
    offset: int


async def now_of(city: City) -> datetime:
    """What time it is in the city: in a rehearsal as far as its conductor has come."""
    if city.time == "system":
        return datetime.now(UTC)
    connection = await reader(city.realm)
    try:
        now: datetime | None = await connection.fetchval("SELECT now FROM es.city_clock")
    finally:
        await connection.close()
    return now or datetime.now(UTC)


async def tell(city: City, line: Topic, key: str, data: Input, *, unit: str = "") -> Told:
    """Send one input and wait until Kafka has it on all its replicas."""
    event_id = str(uuid4())
    topic = city.realm.prefix + line.of(unit)
    headers = input_headers(type(data), SOURCE, event_id, await now_of(city))
    producer = AIOKafkaProducer(
        **kafka_address.aiokafka(city.realm.outside), acks="all", enable_idempotence=True
    )
    try:
        await producer.start()
        at = await producer.send_and_wait(
            topic,
            key=key.encode(),
            value=msgspec.json.encode(data),
            headers=headers,
            partition=partition_of(key.encode(), line.partitions),
        )
    finally:
        await producer.stop()
    return Told(message_id(line.of(unit), SOURCE, event_id), topic, at.partition, at.offset)


async def effect(city: City, complaint: ComplaintId, told: Told) -> list[Fact]:
    """What the desks stated because of a message; waits for it, empty where it was already so.

    `StackError` says why where the message was parked, or that nothing came of it in time.
    """
    connection = await reader(city.realm)
    give_up_at = time.monotonic() + EFFECT_SECONDS_MAX
    try:
        while time.monotonic() < give_up_at:
            # The inbox gets its row in the transaction that writes the facts.
            row = await connection.fetchrow(_CAME, *told)
            if row is not None and row["reason"] is not None:
                raise StackError(
                    f"The message was parked: {row['reason']} ({typed('parked list')} shows it)."
                )
            if row is not None and row["done"]:
                return await facts_of(connection, complaint, told.identity)
            await asyncio.sleep(_POLL_SECONDS)
    finally:
        await connection.close()
    raise StackError(
        f"Nothing came of it within {EFFECT_SECONDS_MAX:.0f} s, and it is not lost: "
        f"{typed('status')} shows whether a desk hangs."
    )


async def facts_of(connection: asyncpg.Connection[Any], complaint: str, caused_by: str = "") -> list[Fact]:
    """The facts of a complaint in order; with `caused_by` those a message or fact led to.

    One that cannot be read is left out: `hotline show` names it.
    """
    rows = await connection.fetch(
        "SELECT version, type, schema_version, body FROM es.fact"
        " WHERE stream_id = $1 AND ($2 = '' OR caused_by = $2) ORDER BY version",
        complaint,
        caused_by,
    )
    return UnreadableRows().each(rows, lambda row: f"version {row[0]}", lambda row: decoded(*row[1:]))


async def reader(realm: Realm) -> asyncpg.Connection[Any]:
    """A connection that may only read."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(realm.logins["reader"], timeout=10)
    await reads_any_instant(connection)
    return connection


async def complaint_called(connection: asyncpg.Connection[Any], text: str) -> Complaint:
    """The complaint with this id, or the only one whose id begins so; `StackError` where there is none."""
    try:
        return stored_head(*await _head_called(connection, text))
    except UnreadableHead as error:
        raise StackError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None


async def id_called(connection: asyncpg.Connection[Any], text: str) -> ComplaintId:
    """As `complaint_called`, also where nobody can read its head."""
    return ComplaintId((await _head_called(connection, text))[0])


async def _head_called(connection: asyncpg.Connection[Any], text: str) -> tuple[str, str, int]:
    digits = id_of(text)
    if digits is None:
        raise StackError(f"{text!r} is no complaint's id: expected hexadecimal digits, at least the first 4.")
    rows = await connection.fetch(
        "SELECT stream_id::text, state, state_schema FROM es.stream"
        " WHERE stream_id BETWEEN $1::uuid AND $2::uuid LIMIT 2",
        UUID(digits.ljust(32, "0")),
        UUID(digits.ljust(32, "f")),
    )
    if not rows:
        raise StackError(f"No complaint {text} is on record.")
    if len(rows) > 1:
        raise StackError(f"More than one complaint's id begins with {text}: give more of it.")
    return rows[0][0], rows[0][1], rows[0][2]


def short(complaint_id: str) -> str:
    """As much of an id as a person needs."""
    return complaint_id[:8]
