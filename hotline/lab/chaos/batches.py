"""Batches of records made byte by byte, as a sender may whose client is not ours: any header's name, any codec.

No client of Python's lets a header's name be anything but text, and Kafka takes any bytes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import TopicPartition
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c

from shared.doors.batch_head import CHECKED_FROM, HEAD, BatchHead
from shared.doors.unpacking import CODECS

ANSWER_MS_MAX: Final = 10_000
_MAGIC: Final = 2
_LENGTH_FROM: Final = 12
_CRC_AT: Final = 17

PACKED: Final[dict[str, Callable[[bytes], bytes]]] = {
    "none": bytes,
    "gzip": gzip_encode,
    "snappy": snappy_encode,
    "lz4": lz4_encode,
    "zstd": zstd_encode,
}
"""Each of Kafka's codecs by its name."""


class Raw(NamedTuple):
    """A record as bytes."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[bytes, bytes | None]] = ()


def number(value: int) -> bytes:
    """A number of variable length, with its sign in the lowest bit."""
    left = (value << 1) ^ (value >> 63)
    found = bytearray()
    while left > 0x7F:  # noqa: PLR2004 -- seven bits a byte
        found.append(0x80 | (left & 0x7F))
        left >>= 7
    return bytes((*found, left))


def text(value: bytes | None) -> bytes:
    """A length and as many bytes."""
    return number(-1) if value is None else number(len(value)) + value


def record(offset_delta: int, raw: Raw) -> bytes:
    """One record with its length before it."""
    body = b"".join(
        (
            b"\0",
            number(0),
            number(offset_delta),
            text(raw.key),
            text(raw.value),
            number(len(raw.headers)),
            *(text(name) + text(value) for name, value in raw.headers),
        )
    )
    return number(len(body)) + body


def batch(
    raws: Sequence[Raw],
    codec: str = "none",
    *,
    at_ms: int | None = None,
    packed: bytes | None = None,
) -> bytes:
    """A batch of these records; `packed` stands in for what the codec would make of them."""
    if packed is None:
        packed = PACKED[codec](b"".join(record(n, raw) for n, raw in enumerate(raws)))
    at_ms = int(time.time() * 1000) if at_ms is None else at_ms
    head = BatchHead(
        base=0,
        length=HEAD.size - _LENGTH_FROM + len(packed),
        epoch=-1,
        magic=_MAGIC,
        crc=0,
        attributes=CODECS.index(codec),
        last_delta=len(raws) - 1,
        first_ms=at_ms,
        last_ms=at_ms,
        producer=-1,
        producer_epoch=-1,
        sequence=-1,
        records=len(raws),
    )
    return checked(HEAD.pack(*head) + packed)


def checked(frame: bytes) -> bytes:
    """The same bytes with the checksum they should have."""
    crc: int = calc_crc32c(frame[CHECKED_FROM:])
    return frame[:_CRC_AT] + crc.to_bytes(4, "big") + frame[CHECKED_FROM:]


async def hand_in(client: Any, topic: str, partition: int, frame: bytes) -> int:
    """Have Kafka append a batch, by a client of aiokafka's that knows the topic; returns its first offset.

    Raises a `KafkaError` where Kafka refuses it.
    """
    leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
    request = ProduceRequest(None, -1, ANSWER_MS_MAX, [(topic, [(partition, frame)])])
    answer = await client.send(leader, request)
    ((_, ((_, code, offset, *_),)),) = answer.topics
    if code:
        raise for_code(code)
    return int(offset)
