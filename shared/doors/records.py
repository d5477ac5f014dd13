"""Splits the bytes of a fetch into records, and sets apart each record that cannot be read.

aiokafka's own reader raises at the first byte it does not understand. It loses the records it had unpacked
before, and meets the same bytes at its next fetch. Here a batch that made it raise is read again, record by
record. The good records are given out in their order. Each bad one becomes an `UnreadableRecord` at its
place. A good batch is read by aiokafka as always.

Importing this module puts the reader in (see `_put_in`), for every consumer of the process.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import aiokafka.consumer.fetcher
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from shared.doors.batch_head import CHECKED_FROM, HEAD, LENGTH_FROM, MAGIC, BatchHead, head_of, plain
from shared.doors.unpacking import CannotUnpack, unpacked
from shared.log import Unread

_LENGTH: Final = struct.Struct(">8xi")
_MAGIC_AT: Final = 16
_VARINT_BYTES_MAX: Final = 10


@dataclass
class UnreadableRecord(ConsumerRecord):  # type: ignore[misc]  # aiokafka has no types
    """A record that cannot be read, at one place of a partition or at several.

    Key, value and headers are the record's own as far as they could be told apart. Else the value is the
    bytes as they lay in Kafka, and there are no headers.
    """

    unread: Unread


class _Record(NamedTuple):
    """A record as far as it can be told apart; `why` it is not taken, else empty."""

    offset: int
    sent_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    why: str
    last_offset: int


class _Bytes:
    """Reads on, and raises `CannotUnpack` where there is nothing more."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data = data
        self.at = at
        self.end = end

    def number(self) -> int:
        """A number of variable length, with its sign in the lowest bit."""
        found = shift = 0
        for byte in self.data[self.at : min(self.end, self.at + _VARINT_BYTES_MAX)]:
            found |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:  # noqa: PLR2004 -- the bit that says "more follows"
                self.at += shift // 7
                return (found >> 1) ^ -(found & 1)
        message = "holds a number that does not end"
        raise CannotUnpack(message)

    def take(self, length: int) -> bytes:
        """So many bytes."""
        if not 0 <= length <= self.end - self.at:
            message = "holds a length beyond its end"
            raise CannotUnpack(message)
        self.at += length
        return self.data[self.at - length : self.at]

    def text(self) -> bytes | None:
        """A length and as many bytes; None where the length is below zero."""
        length = self.number()
        return None if length < 0 else self.take(length)


def told_apart(frame: bytes, start: int) -> tuple[Iterable[_Record], int]:
    """Every record in a batch from the offset `start` on, in order, and the offset behind it.

    A record that is not good has its reason. Where nothing in it can be told apart, the whole batch is one
    record.
    """
    try:
        head = head_of(frame)
    except CannotUnpack as error:
        return _torn(frame, start, str(error))
    if calc_crc32c(frame[CHECKED_FROM:]) != head.crc:
        return _torn(frame, start, "a batch whose checksum is wrong")
    behind = max(start, head.last + 1)
    if head.is_control:
        return [], behind
    try:
        data = unpacked(head.codec, frame[HEAD.size :]) if head.codec else frame[HEAD.size :]
    except CannotUnpack as error:
        whole = _Record(max(start, head.base), head.last_ms, None, frame, (), f"a batch {error}", behind - 1)
        return [whole], behind
    return _each(head, data, start), behind


def _each(head: BatchHead, data: bytes, start: int) -> Iterator[_Record]:
    """One by one, as they are asked for: millions may be packed into little."""
    left = _Bytes(data, 0, len(data))
    after = head.base
    for _ in range(head.records):
        begins = left.at
        try:
            length = left.number()
            body = _Bytes(data, left.at, left.at + len(left.take(length)))
        except CannotUnpack as error:
            why = f"a record {error}, and none behind it in its batch can be told apart"
            first = max(start, after)
            if first <= head.last:
                yield _Record(first, head.sent_ms(0), None, data[begins:], (), why, head.last)
            return
        if head.is_full and after < start:
            after += 1
            continue
        record = _one(head, body, after)
        after = max(after, record.offset) + 1
        if record.offset >= start:
            yield record


def _torn(frame: bytes, start: int, why: str) -> tuple[list[_Record], int]:
    """A batch that is not what was written: what it says of its places is believed as far as it can be true."""
    first = last = start
    sent_ms = -1
    if len(frame) >= HEAD.size:
        head = BatchHead(*HEAD.unpack_from(frame))
        first, sent_ms = max(start, head.base), head.last_ms
        last = head.base + min(head.last_delta, head.records - 1)
    last = max(first, last)
    return [_Record(first, sent_ms, None, frame, (), why, last)], last + 1


def _one(head: BatchHead, body: _Bytes, expected: int) -> _Record:
    """One record out of its own bytes; `expected` is its offset where even that cannot be read."""
    raw, offset, sent_ms = body.data[body.at : body.end], expected, head.sent_ms(0)
    try:
        body.take(1)  # attributes, of which there are none yet
        sent_ms = head.sent_ms(body.number())
        offset = _within(head, body.number(), expected)
        key, value = body.text(), body.text()
        named = _headers(body)
    except CannotUnpack as error:
        return _Record(offset, sent_ms, None, raw, (), f"a record {error}", offset)
    headers = tuple((name.decode("utf-8", "surrogateescape"), told) for name, told in named)
    return _Record(offset, sent_ms, key, value, headers, _not_a_name(named), offset)


def _within(head: BatchHead, delta: int, expected: int) -> int:
    """The offset of a record: where none was compacted away, the next; else as it says, but within its batch."""
    if head.is_full:
        return expected
    offset = head.base + delta
    if not expected <= offset <= max(expected, head.last):
        message = "says it lies elsewhere than in its batch"
        raise CannotUnpack(message)
    return offset


def _headers(body: _Bytes) -> list[tuple[bytes, bytes | None]]:
    """The headers, with which a record ends."""
    count = body.number()
    if not 0 <= count <= body.end - body.at:  # each takes two bytes at least
        message = f"says it has {count} headers"
        raise CannotUnpack(message)
    found = []
    for _ in range(count):
        name = body.text()
        if name is None:
            message = "has a header without a name"
            raise CannotUnpack(message)
        found.append((name, body.text()))
    if body.at != body.end:
        message = f"has {body.end - body.at} bytes too many"
        raise CannotUnpack(message)
    return found


def _not_a_name(headers: list[tuple[bytes, bytes | None]]) -> str:
    """The fault of the first header whose name is no text; empty if all names are."""
    for number, (name, _) in enumerate(headers, start=1):
        try:
            name.decode()
        except UnicodeDecodeError as error:
            return (
                f"header {number}: its name of {len(name)} bytes is not UTF-8 (byte {error.start + 1}), "
                "expected a name such as ce_id"
            )
    return ""


class _Kept(MemoryRecords):  # type: ignore[misc]  # aiokafka has no types
    """The bytes of a fetch, batch by batch; remembers the bytes of the batch it gave out last."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._data = memoryview(data)
        self._next = 0
        self.frame = self._data[:0]
        self.whole = True
        """Whether the next batch can be found: its length is to be believed."""

    def next_batch(self) -> Any:
        """The next batch, as aiokafka asks for it."""
        (length,) = _LENGTH.unpack_from(self._data, self._next)
        end = self._next + LENGTH_FROM + length
        self.frame = frame = self._data[self._next : end]
        self._next = end
        self.whole = False
        batch = super().next_batch()
        self.whole = True
        if frame[_MAGIC_AT] != MAGIC:
            return batch
        if (
            batch.next_offset <= batch.base_offset
        ):  # aiokafka would go back to it, and behind it to what was read
            message = "ends before it begins"
            raise CannotUnpack(message)
        if batch.is_control_batch:
            return batch
        return _Checked(batch, frame)


class _Checked:
    """A batch of aiokafka's: unpacked within a bound, and each of its records at a place of its own."""

    __slots__ = ("_batch", "_frame")

    def __init__(self, batch: Any, frame: memoryview) -> None:
        self._batch = batch
        self._frame = frame

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        """Its records, as long as each lies where it can lie.

        Kafka does not compare the places that an unpacked batch's records say they have. A reader that believes one of
        400 steps on would pass 400 messages of others unread.
        """
        batch = self._batch
        if batch.compression_type:
            batch = DefaultRecordBatch(plain(bytes(self._frame)))
        head = BatchHead(*HEAD.unpack_from(self._frame))
        full, last, place = head.is_full, head.last, head.base
        for record in batch:
            offset = record.offset
            if offset != place and (full or not place < offset <= last):
                message = "holds a record that says it lies elsewhere"
                raise CannotUnpack(message)
            place = offset + 1
            yield record


class _RecordsApart(PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's reader of what a fetch brought of one partition, which goes on behind what it cannot read."""

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[ConsumerRecord[Any, Any]]:
        while True:
            try:
                yield from super()._unpack_records()
            except Exception:  # noqa: BLE001 -- whatever it is, only what cannot be read is set apart
                yield from self._rest_of_batch()
                if self._records.whole:
                    continue
            return

    def _rest_of_batch(self) -> Iterator[ConsumerRecord[Any, Any]]:
        """The records of the last batch that were not given out yet."""
        frame = bytes(self._records.frame)
        try:
            found, behind = told_apart(frame, self.next_fetch_offset)
            for record in found:
                self.next_fetch_offset = record.last_offset + 1
                yield _given(self._tp, record)
        except Exception as error:  # noqa: BLE001 -- a fault of ours must stop nothing either
            why = f"a batch that cannot be read ({type(error).__name__})"
            (record,), behind = _torn(frame, self.next_fetch_offset, why)
            self.next_fetch_offset = behind
            yield _given(self._tp, record)
        self.next_fetch_offset = behind


def _given(tp: TopicPartition, record: _Record) -> ConsumerRecord[Any, Any]:
    fields = (
        tp.topic,
        tp.partition,
        record.offset,
        record.sent_ms,
        0,
        record.key,
        record.value,
        None,
        -1,
        -1,
        record.headers,
    )
    if not record.why:
        return ConsumerRecord(*fields)
    return UnreadableRecord(*fields, Unread(record.why, record.last_offset))


def _put_in() -> None:
    """Put our reader where aiokafka's fetcher looks for its own; it has no setting for that.

    The version is pinned, and tests/shared/test_records.py would fail where another no longer looked there.
    """
    aiokafka.consumer.fetcher.MemoryRecords = _Kept
    aiokafka.consumer.fetcher.PartitionRecords = _RecordsApart


_put_in()
