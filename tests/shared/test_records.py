"""Records are told apart one by one: what aiokafka cannot read is set apart, and its neighbours are as ever."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from typing import Any, Final

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.control_record import ControlRecord
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from hotline.lab.chaos.batches import PACKED, Raw, batch, checked, number, record
from shared.doors import records
from shared.doors.batch_head import HEAD, BatchHead, head_of
from shared.doors.records import UnreadableRecord, told_apart
from shared.doors.unpacking import CODECS

TEN: Final = [Raw(b"key %d" % n, b"value %d" % n, ((b"ce_id", b"%d" % n),)) for n in range(10)]
BAD_NAME: Final = Raw(b"bad", b"its value", ((b"ce_id", b"7"), (b"\xff\xfe", b"1")))

raws = st.builds(
    Raw,
    st.none() | st.binary(max_size=9),
    st.none() | st.binary(max_size=200),
    st.lists(
        st.tuples(st.text(max_size=9).map(lambda text: text.encode()), st.none() | st.binary(max_size=9)),
        max_size=4,
    ),
)


def at(base: int, frame: bytes) -> bytes:
    """As Kafka gives it out: it sets the first offset, which no checksum covers."""
    return base.to_bytes(8, "big") + frame[8:]


def heard(data: bytes, *, start: int = 0, aborted: Sequence[tuple[int, int]] = (), most: int = 0) -> Any:
    """What a consumer is given of these bytes, and where it reads on. `most`: what it asks for each time."""
    given_out: list[ConsumerRecord[Any, Any]] = []
    while True:
        data = _from(start, data)
        of = fetcher.PartitionRecords(
            TopicPartition("t", 3), fetcher.MemoryRecords(data), list(aborted), start, None, None, True, 1
        )
        for one in of:
            given_out.append(one)
            if most and len(given_out) % most == 0:
                break
        else:
            return given_out, of.next_fetch_offset
        start = of.next_fetch_offset  # as after a seek: the same bytes are fetched anew


def _from(start: int, data: bytes) -> bytes:
    """Kafka gives out whole batches, from the one on that holds the offset it is asked for."""
    while len(data) >= HEAD.size and head_of(data).last < start:
        data = data[12 + head_of(data).length :]
    return data


def bad_at(place: int) -> list[Raw]:
    return [BAD_NAME if n == place else raw for n, raw in enumerate(TEN)]


def test_the_reader_stands_where_aiokafka_looks_for_its_own() -> None:
    assert fetcher.MemoryRecords is records._Kept
    assert fetcher.PartitionRecords is records._RecordsApart


# -- good batches


@given(st.lists(raws, max_size=8), st.sampled_from(CODECS), st.integers(0, 2**40), st.integers(0, 9))
def test_a_good_batch_told_apart_is_what_aiokafka_reads(
    told: list[Raw], codec: str, base: int, skipped: int
) -> None:
    frame = at(base, batch(told, codec, at_ms=1_700_000_000_000))
    given_out, behind = heard(frame, start=base + skipped)
    told_of, behind_too = told_apart(frame, base + skipped)
    found = list(told_of)
    assert [(r.offset, r.key, r.value, r.headers, r.timestamp) for r in given_out] == [
        (r.offset, r.key, r.value, r.headers, r.sent_ms) for r in found
    ]
    assert [r.why for r in found] == [""] * len(found)
    assert [(r.key, r.value) for r in given_out] == [(r.key, r.value) for r in told[skipped:]]
    assert behind_too == max(behind, base + skipped)


@pytest.mark.parametrize("codec", CODECS)
def test_what_a_packed_batch_holds_is_what_aiokafkas_own_producer_put_in(codec: str) -> None:
    builder = DefaultRecordBatchBuilder(2, CODECS.index(codec), 0, -1, -1, -1, 1 << 20)
    for n in range(50):
        builder.append(n, 1_700_000_000_000 + n, b"k%d" % n, b"v" * n, [("a", b"1"), ("b", None)])
    given_out, behind = heard(at(7, bytes(builder.build())))
    assert behind == 57
    assert [(r.offset, r.timestamp - 1_700_000_000_000, r.key, r.value, r.headers) for r in given_out] == [
        (7 + n, n, b"k%d" % n, b"v" * n, (("a", b"1"), ("b", None))) for n in range(50)
    ]


# -- one bad record


@pytest.mark.parametrize("most", [0, 1, 3])
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("place", [0, 4, 9])
def test_of_ten_the_one_with_a_name_that_is_no_text_is_set_apart(place: int, codec: str, most: int) -> None:
    data = at(20, batch(TEN, codec)) + at(30, batch(bad_at(place), codec)) + at(40, batch(TEN, codec))
    given_out, behind = heard(data, most=most)
    assert [r.offset for r in given_out] == list(range(20, 50))
    assert behind == 50
    (bad,) = [r for r in given_out if type(r) is UnreadableRecord]
    assert (bad.offset, bad.unread.last_offset) == (30 + place, 30 + place)
    assert bad.unread.why == (
        "header 2: its name of 2 bytes is not UTF-8 (byte 1), expected a name such as ce_id"
    )
    assert (bad.key, bad.value) == (b"bad", b"its value")
    assert [(name.encode("utf-8", "surrogateescape"), value) for name, value in bad.headers] == [
        (b"ce_id", b"7"),
        (b"\xff\xfe", b"1"),
    ]
    assert [r.value for r in given_out if r is not bad] == [
        r.value for r in (*TEN, *(t for t in bad_at(place) if t is not BAD_NAME), *TEN)
    ]


BROKEN: Final = {
    "a length beyond its end": b"\0\0" + number(4) + number(50) + b"x",
    "too many": record(4, TEN[4])[1:] + b"xx",
    "does not end": b"\0\0" + b"\xff" * 11,
    "headers": b"\0\0" + number(4) + number(-1) + number(-1) + number(5000),
    "without a name": b"\0\0" + number(4) + number(-1) + number(-1) + number(1) + number(-1) + number(-1),
}


@pytest.mark.parametrize("why", BROKEN)
def test_a_record_that_is_wrong_inside_is_set_apart_with_its_bytes_and_the_next_is_read(why: str) -> None:
    inner = BROKEN[why]
    packed = b"".join(number(len(inner)) + inner if n == 4 else record(n, raw) for n, raw in enumerate(TEN))
    given_out, behind = heard(at(100, batch(TEN, packed=packed)))
    assert [r.offset for r in given_out] == list(range(100, 110))
    assert behind == 110
    (bad,) = [r for r in given_out if type(r) is UnreadableRecord]
    assert bad.offset == 104
    assert why in bad.unread.why
    assert (bad.key, bad.value, bad.headers) == (None, inner, ())


PLACES: Final = {
    "all the first": [0] * 10,
    "one far behind": [0, 1, 2, 3, 400, 5, 6, 7, 8, 9],
    "one before": [0, 1, 2, 3, 1, 5, 6, 7, 8, 9],
    "below zero": [-5, 1, 2, 3, 4, 5, 6, 7, 8, 9],
}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("said", PLACES)
def test_a_record_lies_where_it_lies_and_not_where_it_says(said: str, codec: str) -> None:
    """Kafka takes an unpacked batch of any such places; whoever believes them passes messages of others unread."""
    data = b"".join(record(place, raw) for place, raw in zip(PLACES[said], TEN, strict=True))
    given_out, behind = heard(at(10, batch(TEN, codec, packed=PACKED[codec](data))) + at(20, batch(TEN)))
    assert [r.offset for r in given_out] == list(range(10, 30))
    assert [r.value for r in given_out] == [raw.value for raw in (*TEN, *TEN)]
    assert behind == 30


def compacted(frame: bytes, last_delta: int) -> bytes:
    """Kafka keeps the last offset of a batch, whatever it took out of it."""
    return checked(HEAD.pack(*head_of(frame)._replace(last_delta=last_delta)) + frame[HEAD.size :])


@pytest.mark.parametrize("bad", [False, True])
def test_where_some_were_compacted_away_the_others_keep_their_places(*, bad: bool) -> None:
    left = [TEN[0], BAD_NAME if bad else TEN[1], TEN[2]]
    packed = b"".join(record(place, raw) for place, raw in zip((2, 5, 6), left, strict=True))
    frame = compacted(batch(left, packed=packed), 9)
    given_out, behind = heard(at(10, frame) + at(20, batch(TEN)))
    assert [r.offset for r in given_out] == [12, 15, 16, *range(20, 30)]
    assert [r.offset for r in given_out if type(r) is UnreadableRecord] == ([15] if bad else [])
    assert behind == 30


def test_a_place_behind_its_batch_is_not_believed_where_others_were_compacted_away() -> None:
    packed = b"".join(record(place, raw) for place, raw in zip((2, 400, 6), TEN[:3], strict=True))
    given_out, behind = heard(at(10, compacted(batch(TEN[:3], packed=packed), 9)) + at(20, batch(TEN)))
    assert [r.offset for r in given_out] == [12, 13, 16, *range(20, 30)]
    assert "elsewhere than in its batch" in given_out[1].unread.why
    assert behind == 30


def test_where_not_even_the_length_of_a_record_is_right_it_and_those_behind_it_are_set_apart() -> None:
    packed = b"".join(record(n, raw) for n, raw in enumerate(TEN[:4])) + number(5000) + b"rest"
    given_out, behind = heard(at(0, batch(TEN, packed=packed)) + at(10, batch(TEN)))
    assert [r.offset for r in given_out] == [0, 1, 2, 3, 4, *range(10, 20)]
    assert behind == 20
    bad = given_out[4]
    assert (bad.offset, bad.unread.last_offset, bad.value) == (4, 9, number(5000) + b"rest")


# -- whole batches


@pytest.mark.parametrize("start", [20, 23])
@pytest.mark.parametrize("codec", CODECS[1:])
def test_a_batch_that_cannot_be_unpacked_is_set_apart_with_its_first_and_last_offset(
    codec: str, start: int
) -> None:
    broken = at(20, batch(TEN, codec, packed=b"\x01nothing of " + codec.encode()))
    given_out, behind = heard(at(10, batch(TEN)) + broken + at(30, batch(TEN)), start=start - 10)
    assert behind == 40
    (bad,) = [r for r in given_out if type(r) is UnreadableRecord]
    assert [r.offset for r in given_out] == [*range(start - 10, 20), 20, *range(30, 40)]
    assert (bad.unread.last_offset, bad.value, bad.key, bad.headers) == (29, broken, None, ())
    assert codec in bad.unread.why or "ends" in bad.unread.why


@pytest.mark.parametrize("number_of_codec", [5, 6, 7])
def test_a_codec_that_kafka_does_not_have_is_named(number_of_codec: int) -> None:
    frame = batch(TEN)
    head = head_of(frame)
    frame = checked(HEAD.pack(*head._replace(attributes=number_of_codec)) + frame[HEAD.size :])
    (bad,), behind = heard(at(5, frame))
    assert bad.unread.why == f"a batch packed by codec {number_of_codec}, which Kafka does not have"
    assert (bad.offset, bad.unread.last_offset, behind) == (5, 14, 15)


def test_a_batch_whose_checksum_is_wrong_is_set_apart_and_the_next_is_read() -> None:
    torn = bytearray(at(10, batch(TEN)))
    torn[-3] ^= 1
    given_out, behind = heard(at(0, batch(TEN)) + bytes(torn) + at(20, batch(TEN)))
    assert [r.offset for r in given_out] == [*range(11), *range(20, 30)]
    assert behind == 30
    bad = given_out[10]
    assert (bad.unread.why, bad.unread.last_offset, bad.value) == (
        "a batch whose checksum is wrong",
        19,
        bytes(torn),
    )


@given(st.data())
def test_whatever_becomes_of_a_batchs_bytes_its_neighbours_are_read(data: st.DataObject) -> None:
    """Any byte behind the length, which Kafka itself goes by, and with a checksum that holds or does not."""
    codec = data.draw(st.sampled_from(CODECS))
    frame = bytearray(batch(TEN, codec))
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(12, len(frame) - 1).filter(lambda n: n != 16))
        frame[where] = data.draw(st.integers(0, 255))
    torn = bytes(frame)
    if data.draw(st.booleans()):
        torn = checked(torn)
    given_out, behind = heard(at(0, batch(TEN)) + at(10, torn))
    assert [r.offset for r in given_out[:10]] == list(range(10))
    offsets = [r.offset for r in given_out]
    assert offsets == sorted(set(offsets))
    assert behind > 10
    after, _ = heard(at(behind, batch(TEN)), start=behind)
    assert [r.offset for r in after] == list(range(behind, behind + 10))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("delta", [-1, -2, -(2**31)])
def test_a_batch_that_ends_before_it_begins_is_read_and_passed(codec: str, delta: int) -> None:
    frame = batch(TEN, codec)
    torn = checked(HEAD.pack(*head_of(frame)._replace(last_delta=delta)) + frame[HEAD.size :])
    given_out, behind = heard(at(0, batch(TEN)) + at(10, torn) + at(20, batch(TEN)))
    assert [r.offset for r in given_out if r.offset < 10] == list(range(10))
    assert [r.offset for r in given_out if r.offset >= 20] == list(range(20, 30))
    assert behind == 30


# -- transactions


def transactional(frame: bytes, producer: int) -> bytes:
    head = head_of(frame)
    told = head._replace(attributes=head.attributes | 0x10, producer=producer, producer_epoch=0, sequence=0)
    return checked(HEAD.pack(*told) + frame[HEAD.size :])


def marker(producer: int, key: bytes) -> bytes:
    frame = transactional(batch([Raw(key, b"\0\0\0\0\0\0")]), producer)
    head = head_of(frame)
    return checked(HEAD.pack(*head._replace(attributes=head.attributes | 0x20)) + frame[HEAD.size :])


ABORT: Final = b"\0\0\0\0"
COMMIT: Final = b"\0\0\0\1"


@pytest.mark.parametrize("codec", CODECS)
def test_what_was_aborted_is_not_given_out_however_unreadable_it_is(codec: str) -> None:
    assert ControlRecord.parse(ABORT) != ControlRecord.parse(COMMIT)
    aborted = transactional(batch(bad_at(4), codec, packed=b"junk" if codec != "none" else None), 7)
    good = transactional(batch(bad_at(2), codec), 8)
    data = at(0, aborted) + at(10, good) + at(20, marker(7, ABORT)) + at(21, marker(8, COMMIT))
    given_out, behind = heard(data, aborted=[(7, 0)])
    assert [r.offset for r in given_out] == list(range(10, 20))
    assert [r.offset for r in given_out if type(r) is UnreadableRecord] == [12]
    assert behind == 22


def test_a_marker_that_cannot_be_read_is_given_to_nobody() -> None:
    given_out, behind = heard(at(0, batch(TEN)) + at(10, marker(7, b"x")) + at(11, batch(TEN)))
    assert [r.offset for r in given_out] == [*range(10), *range(11, 21)]
    assert behind == 21


# -- a fault of ours


def test_millions_of_records_in_little_are_told_apart_as_they_are_asked_for() -> None:
    """A list of them would fill the memory."""
    many = 300_000
    packed = PACKED["zstd"](record(0, BAD_NAME) + record(1, Raw(None, None)) * (many - 1))
    head = head_of(batch(TEN, "zstd", packed=packed))._replace(records=many, last_delta=many - 1)
    frame = checked(HEAD.pack(*head) + packed)
    assert len(frame) < 2000
    reader = fetcher.PartitionRecords(
        TopicPartition("t", 3), fetcher.MemoryRecords(frame), None, 0, None, None, True, 1
    )
    tracemalloc.start()
    try:
        first = [next(reader) for _ in range(2000)]
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [one.offset for one in first] == list(range(2000))
    assert type(first[0]) is UnreadableRecord
    assert most < 20_000_000


@pytest.mark.parametrize("fault", ["told_apart", "_one"])
def test_a_fault_in_telling_apart_stops_nothing_either(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr(records, fault, broken)
    given_out, behind = heard(at(0, batch(bad_at(4))) + at(10, batch(TEN)))
    assert [r.offset for r in given_out] == [0, 1, 2, 3, 4, *range(10, 20)]
    assert (given_out[4].unread.last_offset, behind) == (9, 20)


def test_a_time_that_no_bigint_holds_is_the_nearest_one_that_it_does() -> None:
    head = BatchHead(0, 0, 0, 2, 0, 0, 0, 2**63 - 1, 0, -1, -1, -1, 1)
    assert head.sent_ms(5) == 2**63 - 1
    assert head._replace(first_ms=-(2**63)).sent_ms(-5) == -(2**63)
