"""Speaking at a city's doors by hand: one CloudEvent, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar
from uuid import uuid4

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import ClusterAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError
from aiokafka.structs import RecordMetadata

from deploy.city.registry import City, typed
from hotline.terminal import asks
from shared.cloudevents import event_of, input_headers
from shared.events import Fact
from shared.ids import ComplaintId, MessageId, UnitId, message_id
from shared.inputs import Input
from shared.log import Incoming
from shared.log.codec import decoded
from shared.log.reading import reader
from shared.personal import personal_in
from shared.plausible import limits_near, timely
from shared.policy.ruleset import ruleset
from shared.rfc3339 import decode_hook
from shared.runtime import kafka_address
from shared.runtime.clock import ClockAt
from shared.runtime.errors import BadInput, UserError, told_invalid
from shared.text import folded_code
from shared.topic_names import partition_of
from shared.topics import DISPATCH_REPLIES, Topic
from shared.unreadable import UnreadableRows
from shared.wording import TextInvalid, looked_at

_FoundT = TypeVar("_FoundT")

EFFECT_SECONDS_MAX: Final = 15.0
SOURCE: Final = "/hotline/command"
_POLL_SECONDS: Final = 0.03
NUMBERS_MEANT: Final[ContextVar[bool]] = ContextVar("numbers_meant", default=False)
"""Whether whoever typed it wants a phone or identity number in a text recorded (`--with-number`)."""
_CAME: Final = """
SELECT EXISTS (SELECT FROM es.inbox WHERE message_id = $1) AS done,
       (SELECT reason FROM es.parked WHERE topic = $2 AND part = $3 AND kafka_offset = $4) AS reason
"""


class Mistyped(UserError):  # noqa: N818 -- what a person did, said to that person
    """The typed text is no input: nothing was sent."""

    exit_code = 2


class Unknown(UserError):  # noqa: N818 -- what a person must know before he types it again
    """It is sent, or may be: what came of it is not known."""


class SentInput(NamedTuple):
    """A message Kafka has taken: who it is, and where it lies."""

    identity: MessageId
    topic: str
    partition: int
    offset: int


async def now_of(city: City) -> datetime:
    """The present of the city, by its database."""
    connection = await reader(city.endpoints.logins["reader"])
    try:
        return await present(connection)
    finally:
        await connection.close()


async def present(connection: asyncpg.Connection[Any]) -> datetime:
    """The present of the city of this connection."""
    now: datetime = await connection.fetchval("SELECT es.present()")
    return now


async def at_present(
    city: City, look: Callable[[asyncpg.Connection[Any]], Awaitable[_FoundT]]
) -> tuple[_FoundT, datetime]:
    """The answer of `look` and the present of the city, over one connection that may only read."""
    connection = await reader(city.endpoints.logins["reader"])
    try:
        return await look(connection), await present(connection)
    finally:
        await connection.close()


def as_a_door_would(city: City, data: Input, message: Incoming, now: datetime) -> None:
    """Refuse what its door would set aside, before it is sent; `UserError` has the door's own words.

    `now` is the city's present. Where a desk has a setting of its own, its door decides.
    """
    try:
        event = event_of(message, (type(data),))
        timely(event, message, ClockAt(now))
        limits_near(event.data, event.time, ruleset(city.ruleset))
    except BadInput as error:
        raise UserError(f"Nothing was sent. {error}.") from error


async def tell(city: City, line: Topic, key: str, data: Input, *, unit: str = "") -> SentInput:
    """Send one input and wait until Kafka has it on all its replicas.

    `Mistyped` where the door would not take it, or a citizen's number stands in it and nobody means it: then nothing is
    sent. `Unknown` where Kafka did not say whether it has it.
    """
    value = checked(data)
    event_id = str(uuid4())
    topic = city.endpoints.prefix + line.of(unit)
    now = await now_of(city)
    headers = input_headers(type(data), SOURCE, event_id, now)
    partition = partition_of(key.encode(), line.partitions)
    sent_at_ms = int(time.time() * 1000)
    message = Incoming(topic, partition, 0, sent_at_ms, key.encode(), tuple(headers), value)
    as_a_door_would(city, data, message, now)
    producer = AIOKafkaProducer(
        **kafka_address.aiokafka(city.endpoints.commands_of(line.speaker)),
        acks="all",
        enable_idempotence=True,
    )
    try:
        with may_speak(line.speaker):
            await producer.start()
            at = await _sent(producer, topic, partition, key.encode(), value, headers)
    finally:
        await producer.stop()
    return SentInput(message_id(line.of(unit), SOURCE, event_id), topic, at.partition, at.offset)


async def _sent(
    producer: AIOKafkaProducer,
    topic: str,
    partition: int,
    key: bytes,
    value: bytes,
    headers: list[tuple[str, bytes]],
) -> RecordMetadata:
    try:
        return await producer.send_and_wait(topic, key=key, value=value, headers=headers, partition=partition)
    except TopicAuthorizationFailedError:
        raise
    except (KafkaError, TimeoutError) as error:
        raise Unknown(
            f"Kafka did not say that it has it ({type(error).__name__}). It may be sent all the same: look with "
            f"{typed('show')} before you type it again."
        ) from error


@contextmanager
def may_speak(role: str) -> Iterator[None]:
    """Say in a sentence where Kafka refuses the login of this role: `UserError`."""
    try:
        yield
    except (TopicAuthorizationFailedError, ClusterAuthorizationFailedError) as error:
        # The second where the login may write nowhere at all: then it is not let in as a producer.
        raise UserError(
            f"Kafka refused it: the login of the role '{role}' may not write here. {typed('down')}, then "
            f"{typed('up')} gives it its rights."
        ) from error


def checked(data: Input) -> bytes:
    """The bytes of an input as a door takes it; `Mistyped` where it would not, or a citizen's number is not meant."""
    value = _as_the_door_takes_it(data)
    without_numbers(data)
    return value


def _as_the_door_takes_it(data: Input) -> bytes:
    """The bytes of an input whose lengths and words are right; `Mistyped` names the field where they are not."""
    try:
        value = msgspec.json.encode(data)
        looked_at(msgspec.json.decode(value, type=type(data), dec_hook=decode_hook))
    except UnicodeEncodeError:
        raise Mistyped("Not sent: expected text in UTF-8, got bytes that are none.") from None
    except msgspec.ValidationError as error:
        raise Mistyped(f"Not sent: {told_invalid(error, type(data))}.") from None
    except TextInvalid as error:
        raise Mistyped(f"Not sent: {error}.") from None
    return value


def without_numbers(data: msgspec.Struct) -> None:
    """Ask, or end with `Mistyped`, where what looks like a citizen's phone or identity number stands in a text (R9)."""
    found = [] if NUMBERS_MEANT.get() else personal_in(data)
    if not found:
        return
    what = "; ".join(map(str, found))
    again = asks(f"{what}. Everybody who has the order may read it there. Send it all the same (yes)?")
    if again is None or folded_code(again) not in {"y", "yes"}:
        raise Mistyped(
            f"Not sent: {what}. A citizen's own number belongs into `hotline contact put`; "
            f"--with-number records it here."
        )
    NUMBERS_MEANT.set(True)  # one answer for all that this command sends


async def effect(city: City, complaint: ComplaintId, told: SentInput) -> list[Fact]:
    """The facts the desks stated because of a message; waits for them, empty where it was already so.

    `UserError` says why where the message was parked; `Unknown` that nothing came of it in time, or that nobody could
    be asked.
    """
    try:
        return await _effect(city, complaint, told)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise Unknown(
            f"It is sent, and what came of it is not known ({type(error).__name__}). Do not type it again: "
            f"{typed(f'show {short(complaint)}')} tells."
        ) from error


async def _effect(city: City, complaint: ComplaintId, told: SentInput) -> list[Fact]:
    connection = await reader(city.endpoints.logins["reader"])
    give_up_at = time.monotonic() + EFFECT_SECONDS_MAX
    try:
        while time.monotonic() < give_up_at:
            # The inbox gets its row in the transaction that writes the facts.
            row = await connection.fetchrow(_CAME, *told)
            if row is not None and row["reason"] is not None:
                raise UserError(f"The message was parked: {row['reason']} ({typed('parked list')} shows it).")
            if row is not None and row["done"]:
                return await facts_of(connection, complaint, told.identity)
            await asyncio.sleep(_POLL_SECONDS)
    finally:
        await connection.close()
    raise Unknown(
        f"Nothing came of it within {EFFECT_SECONDS_MAX:.0f} s, and it is not lost: do not type it again, "
        f"{typed('status')} shows whether a desk hangs."
    )


@contextmanager
def on_record(complaint: ComplaintId) -> Iterator[None]:
    """A failure in here comes after a request is on record: `Unknown` says so first."""
    try:
        yield
    except (UserError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise Unknown(
            f"Complaint {complaint} is on record: do not record it again. What came after is not known: {error}"
        ) from error


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


def short(complaint_id: str) -> str:
    """As much of an id as a person needs."""
    return complaint_id[:8]


async def reply(city: City, unit: UnitId, complaint: ComplaintId, data: Input) -> list[Fact]:
    """Say it on the unit's own topic; the facts that came of it, none where it was so already. Errors as `effect`."""
    return await effect(city, complaint, await tell(city, DISPATCH_REPLIES, complaint, data, unit=unit))
