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
from shared.clock import Clock, RehearsalClock, SystemClock
from shared.cloudevents import BadInput, event_of, input_headers
from shared.codec import decoded
from shared.complaint import Complaint, UnreadableHead, stored_head
from shared.errors import told_invalid
from shared.events import Fact
from shared.ids import ComplaintId, MessageId, message_id
from shared.inputs import Input
from shared.log import Incoming
from shared.log.instants import reads_any_instant
from shared.plausible import limits_near, timely
from shared.ruleset import ruleset
from shared.topics import Topic, partition_of
from shared.unreadable import UnreadableRows
from shared.wording import TextInvalid, looked_at

EFFECT_SECONDS_MAX: Final = 15.0
SOURCE: Final = "/hotline/command"
_POLL_SECONDS: Final = 0.03
_CAME: Final = """
SELECT EXISTS (SELECT FROM es.inbox WHERE message_id = $1) AS done,
       (SELECT reason FROM es.parked WHERE topic = $2 AND part = $3 AND kafka_offset = $4) AS reason
"""


class Mistyped(StackError):  # noqa: N818 -- what a person did, said to that person
    """What was typed is no input: nothing was sent."""

    exit_code = 2


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


def clock_of(city: City, now: datetime) -> Clock:
    """The clock its desks go by, at this present; where a desk has a setting of its own, its door decides."""
    return SystemClock() if city.time == "system" else RehearsalClock(now)


def as_a_door_would(city: City, data: Input, message: Incoming, now: datetime) -> None:
    """Refuse what its door would set aside, before it is sent; `StackError` has the door's own words."""
    clock = clock_of(city, now)
    try:
        event = event_of(message, (type(data),))
        timely(event, message, clock)
        limits_near(event.data, event.time, ruleset(city.ruleset))
    except BadInput as error:
        raise StackError(f"Nothing was sent. {error}.") from error


async def tell(city: City, line: Topic, key: str, data: Input, *, unit: str = "") -> Told:
    """Send one input and wait until Kafka has it on all its replicas.

    `Mistyped` where the door would not take it: then nothing is sent.
    """
    value = _as_the_door_takes_it(data)
    event_id = str(uuid4())
    topic = city.realm.prefix + line.of(unit)
    now = await now_of(city)
    headers = input_headers(type(data), SOURCE, event_id, now)
    value = msgspec.json.encode(data)
    partition = partition_of(key.encode(), line.partitions)
    sent_at_ms = int(time.time() * 1000)
    message = Incoming(topic, partition, 0, sent_at_ms, key.encode(), tuple(headers), value)
    as_a_door_would(city, data, message, now)
    producer = AIOKafkaProducer(
        **kafka_address.aiokafka(city.realm.outside), acks="all", enable_idempotence=True
    )
    try:
        await producer.start()
        at = await producer.send_and_wait(
            topic,
            key=key.encode(),
            value=value,
            headers=headers,
            partition=partition,
        )
    finally:
        await producer.stop()
    return Told(message_id(line.of(unit), SOURCE, event_id), topic, at.partition, at.offset)


def _as_the_door_takes_it(data: Input) -> bytes:
    """The bytes of an input whose lengths and words are right; `Mistyped` names the field where they are not."""
    try:
        value = msgspec.json.encode(data)
        looked_at(msgspec.json.decode(value, type=type(data)))
    except UnicodeEncodeError:
        raise Mistyped("Not sent: expected text in UTF-8, got bytes that are none.") from None
    except msgspec.ValidationError as error:
        raise Mistyped(f"Not sent: {told_invalid(error, type(data))}.") from None
    except TextInvalid as error:
        raise Mistyped(f"Not sent: {error}.") from None
    return value


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


async def complaint_named(city: City, text: str) -> Complaint:
    """As `complaint_called`, by a connection of its own."""
    connection = await reader(city.realm)
    try:
        return await complaint_called(connection, text)
    finally:
        await connection.close()


def short(complaint_id: str) -> str:
    """As much of an id as a person needs."""
    return complaint_id[:8]
