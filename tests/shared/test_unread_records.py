"""What could not be read is parked with its place, told of once, and never handed to a desk."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

import msgspec
import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import (
    ConsumerStoppedError,
    CorruptRecordException,
    KafkaError,
    UnsupportedCodecError,
)
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.intake.settings import Settings
from shared.desk import Desk
from shared.doors.fetching import fetched
from shared.doors.kafka_door import Door
from shared.doors.records import UnreadableRecord
from shared.doors.unread_records import AGAIN, PASS_SECONDS, Passing, UnreadTold, only_readable, reason_of
from shared.log import Incoming, Parked, Place, Unread
from shared.log.memory import Memory, MemoryLog
from shared.log.postgres import _headers_stored, headers_of, unread_of
from shared.work import Batch
from tests.desks import NOW, counted, desk_on

TP: Final = TopicPartition("t", 0)
WHY: Final = "a batch whose checksum is wrong"


def incoming(offset: int, unread: Unread | None = None, **fields: Any) -> Incoming:
    told: dict[str, Any] = {"sent_at_ms": 1, "key": None, "headers": (), "value": b"x", **fields}
    return Incoming("t", 0, offset, unread=unread, **told)


def good(offset: int, *headers: tuple[str, bytes | None]) -> ConsumerRecord[Any, Any]:
    return ConsumerRecord("t", 0, offset, 1, 0, b"k", b"%d" % offset, None, 1, 1, headers)


def bad(offset: int, last: int | None = None, why: str = WHY) -> UnreadableRecord:
    unread = Unread(why, offset if last is None else last)
    return UnreadableRecord("t", 0, offset, 1, 0, None, b"its bytes", None, -1, 9, (), unread)


class Consumer:
    """One that stands where a test says; it notes where it is sought to."""

    def __init__(self, at: Mapping[TopicPartition, int] | None = None) -> None:
        self.at = dict(at or {})
        self.sought: list[int] = []

    def pause(self, *_: object) -> None: ...
    def resume(self, *_: object) -> None: ...
    async def commit(self, _: object) -> None: ...

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.sought.append(offset)

    def assignment(self) -> set[TopicPartition]:
        return set(self.at)

    async def position(self, tp: TopicPartition) -> int:
        return self.at[tp]


class Heard:
    """A door on the log in memory, with what its desk was handed."""

    def __init__(self, wanted: Any = None) -> None:
        self.memory = Memory(lambda: NOW)
        self.log = MemoryLog(self.memory, "intake")
        self.desk: Desk = desk_on("intake", self.log)
        self.handed: list[int] = []
        self.consumer = Consumer()
        self.failures: list[Exception] = []
        self.door = Door(
            self.desk,
            Settings(kafka="", postgres="", offsets_idle_ms=1),
            name="x",
            fill=self._fill,
            wanted=wanted,
            fail=self.failures.append,
        )
        self.door.hears_by(SimpleNamespace(consumer=self.consumer))

    def _fill(self, messages: Sequence[Incoming], batch: Batch) -> None:
        self.handed += [message.offset for message in messages]

    async def opened(self) -> Heard:
        await self.door.on_partitions_assigned([TP])
        return self

    @property
    def parked(self) -> list[Parked]:
        return [kept.parked for kept in self.memory.parked.values()]

    async def stored(self) -> int:
        await self.door._flush_offsets()
        return (await self.log.places([("t", 0)]))["t", 0].offset


# -- what is handed on


def test_only_what_could_be_read_is_handed_on_and_the_rest_is_parked_with_its_place() -> None:
    handed: list[int] = []
    batch = Batch()
    fill = only_readable(lambda messages, _: handed.extend(message.offset for message in messages))
    one, many = incoming(4, Unread("header 2: …", 4)), incoming(7, Unread(WHY, 9))
    fill([incoming(3), one, incoming(5), many], batch)
    assert handed == [3, 5]
    assert batch.parked == [
        Parked(one, None, "cannot be read: header 2: …"),
        Parked(many, None, f"cannot be read: offsets 7 to 9: {WHY}"),
    ]


def test_where_nothing_could_be_read_nothing_is_handed_on() -> None:
    def never(*_: object) -> None:
        raise AssertionError

    batch = Batch()
    only_readable(never)([incoming(4, Unread(WHY, 4))], batch)
    assert len(batch.parked) == 1


def test_released_it_says_that_releasing_does_not_help_and_says_no_offsets_of_another_kafka() -> None:
    again = incoming(-3, Unread(WHY, 9), parked_id=3)
    assert reason_of(again) == f"cannot be read: {WHY}. {AGAIN}"


@pytest.mark.parametrize("wanted", [None, (b"hotline.Wanted.v1",)], ids=["a door", "the log"])
async def test_a_door_parks_it_goes_behind_it_and_hands_its_neighbours_to_the_desk(wanted: Any) -> None:
    heard_by = await Heard(wanted).opened()
    type_ = ("ce_type", b"hotline.Wanted.v1")
    with capture_logs() as said:
        await heard_by.door.take([good(0, type_), bad(1), good(2, type_), bad(3, 8), good(9, type_)])
        await heard_by.door.take([bad(3, 8), good(9, type_), good(10, type_)])  # as after a seek
    assert heard_by.handed == [0, 2, 9, 10]
    assert [(one.message.offset, one.message.value, one.complaint_id) for one in heard_by.parked] == [
        (1, b"its bytes", None),
        (3, b"its bytes", None),
    ]
    lines = [line for line in said if line["event"] == "record_unreadable"]
    assert [(line["offset"], line["last_offset"], line["why"]) for line in lines] == [
        (1, 1, WHY),
        (3, 8, WHY),
    ]
    assert {(line["topic"], line["partition"], line["door"]) for line in lines} == {("t", 0, "x")}
    assert counted(heard_by.desk, "door.set_apart") == 2
    assert await heard_by.stored() == 11


async def test_a_batch_that_is_the_last_of_all_is_passed_whole() -> None:
    heard_by = await Heard().opened()
    await heard_by.door.take([bad(0, 9)])
    assert await heard_by.stored() == 10


async def test_where_the_batch_fails_it_is_parked_and_passed_whole_all_the_same() -> None:
    heard_by = await Heard().opened()
    broken = heard_by.door._fill

    def fill(messages: Sequence[Incoming], batch: Batch) -> None:
        broken(messages, batch)
        if any(message.unread is None for message in messages):
            raise ValueError("a bug of ours")

    heard_by.door._fill = fill
    await heard_by.door.take([good(0), bad(1, 5), good(6)])
    assert [(one.message.offset, one.reason[:15]) for one in heard_by.parked] == [
        (0, "could not be ha"),
        (1, "cannot be read:"),
        (6, "could not be ha"),
    ]
    assert await heard_by.stored() == 7


async def test_released_it_is_parked_again_under_its_number_and_the_desk_never_sees_it() -> None:
    heard_by = await Heard().opened()
    await heard_by.door.take([bad(0, 9)])
    (number,) = heard_by.memory.parked
    heard_by.memory.release(number)
    assert await heard_by.door.take_released() == 1
    assert list(heard_by.memory.parked) == [number]
    assert heard_by.parked[0].reason == f"cannot be read: offsets 0 to 9: {WHY}. {AGAIN}"
    assert heard_by.handed == []


def test_no_more_places_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.doors.unread_records.TOLD_MAX", 3)
    told = UnreadTold(desk_on("intake", MemoryLog(Memory(lambda: NOW), "intake")).telemetry, "x")
    with capture_logs() as lines:
        for offset in (0, 1, 2, 1, 2, 3):
            told.tell([incoming(offset, Unread(WHY, offset))])
    assert [line["offset"] for line in lines] == [0, 1, 2, 3]
    assert len(told._places) == 1


# -- how it is kept

names = st.binary(max_size=9)


@given(st.lists(st.tuples(names, st.none() | st.binary(max_size=9)), max_size=4), st.booleans())
def test_headers_are_kept_whole_whatever_their_names_are(
    headers: list[tuple[bytes, bytes | None]], unreadable: bool
) -> None:
    told = tuple((name.decode("utf-8", "surrogateescape"), value) for name, value in headers)
    text = all(name.isprintable() for name, _ in told)
    unread = Unread(WHY, 7) if unreadable or not text else None
    stored = _headers_stored(incoming(7, unread, headers=told))
    assert unread_of(stored) == unread
    assert [value for _, value in headers_of(stored)] == [value for _, value in headers]
    assert [name for name, _ in headers_of(stored)] == [
        name.decode("utf-8", "backslashreplace") for name, _ in headers
    ]
    if unread is not None:
        kept = msgspec.json.decode(stored)["headers"]
        assert [b64decode(raw) for _, _, raw in kept] == [name for name, _ in headers]


# -- what a fetch raises


ODD: Final = [
    CorruptRecordException("Invalid CRC - t"),
    UnsupportedCodecError("Libraries for snappy compression codec not found"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    ValueError("whatever"),
    AssertionError(),
    MemoryError(),
]


@pytest.mark.parametrize("error", ODD, ids=lambda error: type(error).__name__)
async def test_whatever_a_fetch_raises_is_told_once_and_what_the_client_had_taken_is_read_anew(
    error: Exception,
) -> None:
    heard_by = await Heard().opened()
    await heard_by.door.take([good(0), good(1)])
    heard_by.consumer.sought.clear()

    async def broken() -> dict[Any, Any]:
        raise error

    with capture_logs() as lines:
        for _ in range(3):
            with pytest.raises(KafkaError):  # by which FastStream waits and comes again
                await fetched(broken, [heard_by.door])
    (line,) = lines
    assert (line["event"], line["partitions"]) == ("door_cannot_read", {"t 0": 2})
    assert heard_by.consumer.sought == [2, 2, 2]


async def test_a_consumer_that_was_stopped_is_no_error() -> None:
    heard_by = await Heard().opened()

    async def stopped() -> dict[Any, Any]:
        raise ConsumerStoppedError

    with capture_logs() as lines, pytest.raises(ConsumerStoppedError):
        await fetched(stopped, [heard_by.door])
    assert lines == []


# -- offsets nobody is given


class _Always(Passing):
    def is_due(self) -> bool:
        return True


async def test_a_door_goes_past_what_nobody_is_given_where_its_consumer_has() -> None:
    heard_by = await Heard().opened()
    await heard_by.door.take([good(0)])
    heard_by.consumer.at = {TP: 4}
    heard_by.door._passing = _Always()
    await heard_by.door.passes()
    assert await heard_by.stored() == 4
    heard_by.consumer.at = {TP: 2}  # sought back meanwhile
    await heard_by.door.passes()
    assert await heard_by.stored() == 4
    heard_by.consumer.at = {}  # taken away
    await heard_by.door.passes()
    assert await heard_by.stored() == 4
    assert heard_by.parked == []


def test_it_is_asked_once_in_a_while() -> None:
    passing = Passing()
    assert [passing.is_due() for _ in range(3)] == [True, False, False]
    passing._asked_at -= PASS_SECONDS
    assert passing.is_due()


async def test_a_place_of_the_relays_stays_where_a_marker_is_passed() -> None:
    heard_by = await Heard((b"hotline.Wanted.v1",)).opened()
    await heard_by.door.take([good(0, ("ce_type", b"hotline.Wanted.v1"), ("ce_relaymark", b"7.3"))])
    heard_by.consumer.at = {TP: 2}
    heard_by.door._passing = _Always()
    await heard_by.door.passes()
    await heard_by.door._flush_offsets()
    assert (await heard_by.log.places([("t", 0)]))["t", 0] == Place(2, 7, 3)


# -- when it was sent
