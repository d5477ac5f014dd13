"""A unit's orders as they come, over server-sent events: what its topic holds, from a place on.

The id of an event is its offset on `dispatch.orders.UNIT`. A client that lost the stream says it as `Last-Event-ID` and
misses nothing. No consumer group is used, and no place is kept here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from hotline.web.asking import HttpAsk, HttpStream
from hotline.web.limits import HEARTBEAT_SECONDS, KAFKA_SECONDS_MAX, STREAM_SECONDS_MAX, STREAMS_MAX
from hotline.web.problems import HttpRefusal, ProblemKind
from shared.doors.kafka_reader import reader_of
from shared.doors.records import UnreadableRecord
from shared.runtime.errors import told
from shared.topics import DISPATCH_ORDERS

EARLIEST, LATEST = PLACES = ("earliest", "latest")
LAST_EVENT_ID: Final = "last-event-id"
RETRY_MS: Final = 1000
"""After how long a client comes again."""
_OFFSET_MAX: Final = 2**63
_BYE: Final = f"event: bye\ndata: {{}}\nretry: {RETRY_MS}\n\n".encode()
_BEAT: Final = b": still here\n\n"


async def follow_orders(ask: HttpAsk) -> HttpStream:
    """The stream of a unit's own topic; `HttpRefusal` where it cannot be opened."""
    unit, after = ask.path("unit"), ask.request.headers.get(LAST_EVENT_ID, "")
    if unit != ask.key.unit:
        raise HttpRefusal(ProblemKind.NOT_FOUND, "There is no such unit, or it is none of yours.")
    where = ask.query("from") or EARLIEST
    if where not in PLACES:
        expected = " or ".join(PLACES)
        raise HttpRefusal(ProblemKind.BAD_EVENT, f"Parameter from: expected {expected}.", field="from")
    if after and not (after.isascii() and after.isdecimal() and len(after) < 20 and int(after) < _OFFSET_MAX):  # noqa: PLR2004 -- digits of the largest offset
        detail = "Last-Event-ID: expected the id of the last event."
        raise HttpRefusal(ProblemKind.BAD_EVENT, detail, field="Last-Event-ID", expected="a whole number")
    streams = ask.rooms.streams
    if streams.open >= STREAMS_MAX:
        headers = {"Retry-After": str(round(HEARTBEAT_SECONDS))}
        raise HttpRefusal(ProblemKind.AWAY, f"{STREAMS_MAX} streams are open here already.", headers=headers)
    at = TopicPartition(ask.rooms.prefix + DISPATCH_ORDERS.of(unit), 0)
    streams.open += 1
    try:
        consumer, begin = await _opened(ask, at, int(after) + 1 if after else None, where)
    except BaseException:
        streams.open -= 1
        raise

    async def close() -> None:
        streams.open -= 1
        await _closed(consumer)

    return HttpStream(_events(ask, consumer, at, begin), close)


async def _opened(
    ask: HttpAsk, at: TopicPartition, offset: int | None, where: str
) -> tuple[AIOKafkaConsumer, int]:
    """A consumer at this offset, else at one end of the topic; at the earliest there is where that is gone."""
    consumer = reader_of(ask.rooms.speakers.address(ask.key.role), client_id="web-follow")
    try:
        async with asyncio.timeout(KAFKA_SECONDS_MAX):
            await consumer.start()
            consumer.assign([at])
            first = (await consumer.beginning_offsets([at]))[at]
            end = (await consumer.end_offsets([at]))[at]
    except (KafkaError, OSError, TimeoutError) as error:
        await _closed(consumer)
        ask.rooms.telemetry.log.warning("orders_not_followed", error=told(error))
        headers = {"Retry-After": "2"}
        raise HttpRefusal(ProblemKind.AWAY, "Kafka does not answer just now.", headers=headers) from error
    except BaseException:
        await _closed(consumer)
        raise
    begin = offset if offset is not None else (first if where == EARLIEST else end)
    begin = min(max(begin, first), end)
    consumer.seek(at, begin)
    return consumer, begin


async def _closed(consumer: AIOKafkaConsumer) -> None:
    with suppress(Exception):
        async with asyncio.timeout(5):
            await consumer.stop()


async def _events(
    ask: HttpAsk, consumer: AIOKafkaConsumer, at: TopicPartition, begin: int
) -> AsyncIterator[bytes]:
    """Every message as an event, a heartbeat where none comes, and a farewell where the process stops."""
    streams = ask.rooms.streams
    stopping = asyncio.ensure_future(streams.stop.wait())
    end_at = (
        time.monotonic() + STREAM_SECONDS_MAX
    )  # then the client comes again, and its key is looked at anew
    try:
        # The place before the first event, so that a client that lost the stream before it misses nothing.
        place = f"id: {begin - 1}\n" if begin > 0 else ""
        yield f"retry: {RETRY_MS}\n{place}\n".encode()
        while time.monotonic() < end_at and not stopping.done():
            getting = asyncio.ensure_future(consumer.getmany(at, timeout_ms=round(HEARTBEAT_SECONDS * 1000)))
            await asyncio.wait({getting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not getting.done():
                getting.cancel()
                await asyncio.gather(getting, return_exceptions=True)
                break
            found = getting.result().get(at, ())
            chunk = b"".join(_event(record) for record in found)
            yield chunk or _BEAT
        yield _BYE
    finally:
        stopping.cancel()


def _event(record: ConsumerRecord[Any, Any]) -> bytes:
    """A message of the relay's as a CloudEvent in structured mode; nothing of one that cannot be read."""
    if isinstance(record, UnreadableRecord) or record.value is None:
        return b""
    attributes = {
        name[3:]: value.decode(errors="replace")
        for name, value in record.headers
        if name[:3] == "ce_" and value
    }
    body = msgspec.json.encode(
        {**attributes, "datacontenttype": "application/json", "data": msgspec.Raw(record.value)}
    )
    name = attributes.get("type", "message").replace("\n", " ").replace("\r", " ")
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (record.offset, name.encode(), body.replace(b"\n", b""))
