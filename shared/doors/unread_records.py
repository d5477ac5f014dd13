"""Sets aside records that a door cannot read, and passes offsets that no reader is given (`shared.doors.records`).

Unreadable records are kept with their place and their bytes, and reported once. Kafka gives no reader the
markers of transactions or the records of aborted ones. A door goes past those offsets once it has taken
everything before them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from shared.doors.records import UnreadableRecord
from shared.log import Incoming, Parked
from shared.runtime.errors import told
from shared.runtime.telemetry import Telemetry
from shared.work import Batch

PASS_SECONDS: Final = 1.0
"""How often a door looks whether there is something to go past."""

TOLD_MAX: Final = 10_000
"""Places remembered as told of; then it begins anew, and something may be told twice."""

AGAIN: Final = "Released, it is as unreadable as before: drop it, and let its sender say it again"

Handle = Callable[[Sequence[Incoming], Batch], None]
"""Puts the effects of a whole batch of messages into it."""


def only_readable(fill: Handle) -> Handle:
    """The same, but what could not be read is parked and never handed on."""

    def filled(messages: Sequence[Incoming], batch: Batch) -> None:
        unread = [message for message in messages if message.unread is not None]
        if unread:
            batch.parked += [Parked(message, None, reason_of(message)) for message in unread]
            messages = [message for message in messages if message.unread is None]
        if messages or not unread:
            fill(messages, batch)

    return filled


def reason_of(message: Incoming) -> str:
    """Why it is parked, or parked again."""
    unread = message.unread
    if unread is None:
        return ""
    several = 0 <= message.offset < unread.last_offset  # below 0: restored beside another Kafka
    span = f"offsets {message.offset} to {unread.last_offset}: " if several else ""
    again = "" if message.parked_id is None else f". {AGAIN}"
    return f"cannot be read: {span}{unread.why}{again}"


def incoming(record: ConsumerRecord[Any, Any]) -> Incoming:
    """A record as a door takes it."""
    return Incoming(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.headers,
        record.value,
        unread=record.unread if type(record) is UnreadableRecord else None,
    )


class UnreadTold:
    """Tells of each unreadable record once, however often it comes."""

    def __init__(self, telemetry: Telemetry, door: str) -> None:
        """`door` is named in the line."""
        self._telemetry = telemetry
        self._door = door
        self._places: set[tuple[str, int, int, int]] = set()

    def tell(self, messages: Sequence[Incoming]) -> None:
        """A line for each of these that could not be read."""
        for message in messages:
            if message.unread is not None:
                self._tell(message, message.unread.why, message.unread.last_offset)

    def _tell(self, message: Incoming, why: str, last_offset: int) -> None:
        place = (message.topic, message.partition, message.offset, message.sent_at_ms)
        if place in self._places:
            return
        if len(self._places) >= TOLD_MAX:
            self._places.clear()
        self._places.add(place)
        self._telemetry.count("door.set_apart", label=self._door)
        self._telemetry.log.error(
            "record_unreadable",
            door=self._door,
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            last_offset=last_offset,
            why=why,
        )


class ReadErrors:
    """Tells of an error of reading once until it can be read again, and counts each."""

    def __init__(self, telemetry: Telemetry, door: str) -> None:
        """`door` is named in the line."""
        self._telemetry = telemetry
        self._door = door
        self._told: str | None = None
        """The last reported error; None since reading works again."""

    def tell(self, error: Exception, partitions: Mapping[tuple[str, int], int]) -> None:
        """It could not be read. `partitions`: the next offset of each."""
        self._telemetry.count("door.unreadable", label=self._door)
        self._telemetry.health.waits("Kafka", self._door)
        why = told(error)
        if why != self._told:
            self._told = why
            self._telemetry.log.error(
                "door_cannot_read",
                door=self._door,
                error=why,
                partitions={f"{topic} {part}": offset for (topic, part), offset in partitions.items()},
            )

    def over(self) -> None:
        """It could be read."""
        if self._told is not None:
            self._told = None
            self._telemetry.log.info("door_reads_again", door=self._door)


class Passing:
    """Where a consumer stands, asked not too often: its place moves over what nobody is given, a door's does not."""

    def __init__(self) -> None:
        """Ask at once."""
        self._asked_at = 0.0

    def is_due(self) -> bool:
        """Whether it is time to look; from now on it is not."""
        now = time.monotonic()
        if now - self._asked_at < PASS_SECONDS:
            return False
        self._asked_at = now
        return True


async def beyond(consumer: Any, taken: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    """Where the consumer reads on, for each partition in which that is further than what was taken."""
    found: dict[tuple[str, int], int] = {}
    if consumer is None:
        return found
    held = consumer.assignment()
    with suppress(TimeoutError):
        async with asyncio.timeout(PASS_SECONDS):
            for at, offset in taken.items():
                tp = TopicPartition(*at)
                if tp in held:
                    with suppress(KafkaError, AssertionError):  # taken away meanwhile
                        position = await consumer.position(tp)
                        if position > offset:
                            found[at] = position
    return found
