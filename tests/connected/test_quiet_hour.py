"""In a quiet hour a fetch waits long at the broker and is answered at the first byte; under load it gathers again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from deploy.city.making import make_topics
from deploy.embedded.stack import Addresses
from shared.doors.fetching import WAIT_MS, next_records
from shared.runtime import kafka_address
from shared.topics import FEEDBACK_EXCEPTIONS

pytestmark = pytest.mark.connected

GATHER_BYTES, GATHER_MS = 262_144, 30_000
"""A message would wait half a minute for others."""


async def _hear(fetch: Callable[[], Awaitable[dict[Any, Any]]]) -> dict[Any, Any]:
    return await fetch()


async def test_a_door_that_gathers_hears_the_first_message_after_a_quiet_time_at_once(
    stack: Addresses,
) -> None:
    topic = f"quiet-{uuid4().hex}"
    await make_topics(stack.kafka, {topic: FEEDBACK_EXCEPTIONS})
    login = kafka_address.aiokafka(stack.kafka)
    consumer = AIOKafkaConsumer(
        topic,
        **login,
        auto_offset_reset="earliest",
        fetch_min_bytes=1,
        fetch_max_wait_ms=100,
        request_timeout_ms=2 * GATHER_MS,
    )
    producer = AIOKafkaProducer(**login)
    quiet = asyncio.Event()
    waits: list[tuple[int, int]] = []

    async def passes() -> None:
        fetcher = consumer._fetcher
        waits.append((fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms))
        if waits[-1] == (1, WAIT_MS):
            quiet.set()

    async with consumer, producer:
        consumer._fetch_min_bytes, consumer._fetch_max_wait_ms = GATHER_BYTES, GATHER_MS
        heard = asyncio.create_task(next_records(consumer, 10, _hear, passes))
        async with asyncio.timeout(GATHER_MS / 1000):
            await quiet.wait()
            await producer.send_and_wait(topic, b"one", partition=0)
            (record,) = await heard
        assert record.value == b"one"
        fetcher = consumer._fetcher
        assert (fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms) == (GATHER_BYTES, GATHER_MS)
