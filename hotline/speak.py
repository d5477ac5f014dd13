"""Speaking at a city's doors by hand: one CloudEvent, and what came of it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer

from hotline.realm import Realm
from hotline.stack.errors import StackError
from shared.cloudevents import input_headers
from shared.codec import decoded
from shared.events import Fact
from shared.ids import ComplaintId, message_id
from shared.inputs import Input
from shared.topics import Topic, partition_of

EFFECT_SECONDS_MAX: Final = 15.0


async def tell(realm: Realm, line: Topic, key: str, data: Input, *, unit: str = "") -> str:
    """Send one input and wait until Kafka has it on disk; returns the message's identity in the log."""
    source, event_id = "/hotline/command", str(uuid4())
    producer = AIOKafkaProducer(bootstrap_servers=realm.kafka, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(
            realm.prefix + line.of(unit),
            key=key.encode(),
            value=msgspec.json.encode(data),
            headers=input_headers(type(data), source, event_id, datetime.now(UTC)),
            partition=partition_of(key.encode(), line.partitions),
        )
    finally:
        await producer.stop()
    return message_id(source, event_id)


async def effect(realm: Realm, complaint: ComplaintId, caused_by: str) -> list[Fact]:
    """What the desks stated because of a message; waits for it, empty where it was already so."""
    connection = await asyncpg.connect(realm.logins["reader"])
    give_up_at = time.monotonic() + EFFECT_SECONDS_MAX
    try:
        while time.monotonic() < give_up_at:
            rows = await connection.fetch(
                "SELECT type, schema_version, body FROM es.event WHERE stream_id = $1 AND caused_by = $2 "
                "ORDER BY version",
                complaint,
                caused_by,
            )
            if rows:
                return [decoded(*row) for row in rows]
            if await connection.fetchval("SELECT 1 FROM es.inbox WHERE message_id = $1", caused_by):
                return []
            reason = await connection.fetchval(
                "SELECT reason FROM es.parked WHERE complaint_id = $1 OR reason LIKE '%' || $1::text || '%' "
                "ORDER BY parked_id DESC LIMIT 1",
                complaint,
            )
            if reason is not None:
                message = f"The message was parked: {reason}"
                raise StackError(message)
            await asyncio.sleep(0.05)
    finally:
        await connection.close()
    message = (
        f"Nothing came of it within {EFFECT_SECONDS_MAX:.0f} s: `hotline status` shows whether a desk hangs."
    )
    raise StackError(message)
