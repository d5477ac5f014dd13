"""The first bytes of a batch of records, as they lie in Kafka."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from shared.doors.unpacking import CannotUnpack, unpacked

HEAD: Final = struct.Struct(">qiibIhiqqqhii")
"""Base offset, length behind itself, leader epoch, magic, checksum, attributes, last offset's delta. Then
first and last time, producer's id and epoch, first sequence number, number of records. The records follow."""

CHECKED_FROM: Final = 21
"""The checksum is over all bytes from here, from the attributes on."""

LENGTH_FROM: Final = 12
MAGIC: Final = 2
"""The only form of a batch that Kafka 4 writes."""
_CODEC: Final = 0x07
_STAMPED_BY_BROKER: Final = 0x08
_CONTROL: Final = 0x20
_BIGINT: Final = 2**63


class BatchHead(NamedTuple):
    """The first bytes of a batch."""

    base: int
    length: int
    epoch: int
    magic: int
    crc: int
    attributes: int
    last_delta: int
    first_ms: int
    last_ms: int
    producer: int
    producer_epoch: int
    sequence: int
    records: int

    @property
    def codec(self) -> int:
        """By what it is packed; 0 is nothing."""
        return self.attributes & _CODEC

    @property
    def last(self) -> int:
        """The last offset it takes up, whether a record is still there or was compacted away."""
        return self.base + max(self.last_delta, 0)

    @property
    def is_full(self) -> bool:
        """Whether none of its records was compacted away."""
        return self.records == self.last_delta + 1

    @property
    def is_control(self) -> bool:
        """Whether it is a marker of a transaction's end, which is given to nobody."""
        return bool(self.attributes & _CONTROL)

    def sent_ms(self, delta: int) -> int:
        """When a record was sent, as whoever stamped it says; as a bigint."""
        at = self.last_ms if self.attributes & _STAMPED_BY_BROKER else self.first_ms + delta
        return max(-_BIGINT, min(at, _BIGINT - 1))


def head_of(frame: bytes) -> BatchHead:
    """The head of a batch; raises `CannotUnpack` where it is none of today's form."""
    if len(frame) < HEAD.size:
        message = f"a batch of {len(frame)} bytes, expected at least {HEAD.size}"
        raise CannotUnpack(message)
    head = BatchHead(*HEAD.unpack_from(frame))
    if head.magic != MAGIC:
        message = f"a batch of form {head.magic}, expected {MAGIC}"
        raise CannotUnpack(message)
    return head


def plain(frame: bytes) -> bytes:
    """The same batch with its records unpacked. Its checksum holds no more: it was looked at before."""
    head = head_of(frame)
    records = unpacked(head.codec, frame[HEAD.size :])
    length = HEAD.size - LENGTH_FROM + len(records)
    return HEAD.pack(*head._replace(length=length, attributes=head.attributes & ~_CODEC)) + records
