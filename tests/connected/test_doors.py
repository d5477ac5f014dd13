"""Every door of the running city gets every kind of bad message: each is parked with its reason, nothing else stops."""

from __future__ import annotations

import asyncio
import itertools
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from services.intake.call_statistics import CallRecord
from services.intake.register import call_of, read
from shared.cloudevents import VALUE_BYTES_MAX, input_headers
from shared.events import (
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintReceived,
    OrderSigned,
    RequestSupplemented,
    VisitScheduled,
)
from shared.ids import ComplaintId, complaint_id, message_id
from shared.inputs import (
    CallAnswered,
    CallEnded,
    CallOffered,
    CloseByException,
    Input,
    RecordRequest,
    RecordVisit,
    ReviewReturn,
    SignOrder,
    SupplementRequest,
)
from shared.log.codec import ce_type_of
from shared.topics import (
    COMPLAINTS_LOG,
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_EXCEPTIONS,
    FEEDBACK_VISIT_RESULTS,
    INTAKE_REQUESTS,
    TELEPHONY_CALLS,
    Topic,
)
from tests.city import OTHER_UNIT, UNIT, City, request, until

pytestmark = pytest.mark.connected

Headers = list[tuple[str, bytes | None]]
SOON: Final = 3.0
"""How long the message behind a bad one may take; the issue says the same second."""


class DoorCase(NamedTuple):
    """A door and a message it takes."""

    desk: str
    line: Topic
    unit: str
    data: Callable[[ComplaintId, str], Input]
    field: str
    """A field its data must have."""


def _call(_: ComplaintId, key: str) -> Input:
    return CallOffered(call_id=key)


def _request(_: ComplaintId, key: str) -> Input:
    return request(key)


def _sign(stream: ComplaintId, _: str) -> Input:
    return SignOrder(complaint_id=stream, assignment=99)


def _review(stream: ComplaintId, _: str) -> Input:
    return ReviewReturn(complaint_id=stream, assignment=99, approved=True, reviewer="审核员")


def _visit(stream: ComplaintId, _: str) -> Input:
    return RecordVisit(complaint_id=stream, visit=99, attempt=1, solved=True, satisfied=True)


def _exception(stream: ComplaintId, _: str) -> Input:
    return CloseByException(complaint_id=stream, approved_by="值班长", reason="诉求人已搬离")


DOORS: Final = {
    "telephony.calls": DoorCase("intake", TELEPHONY_CALLS, "", _call, "call_id"),
    "intake.requests": DoorCase("intake", INTAKE_REQUESTS, "", _request, "request_id"),
    "dispatch.replies": DoorCase("dispatch", DISPATCH_REPLIES, UNIT, _sign, "complaint_id"),
    "dispatch.reviews": DoorCase("dispatch", DISPATCH_REVIEWS, "", _review, "reviewer"),
    "feedback.visit-results": DoorCase("feedback", FEEDBACK_VISIT_RESULTS, "", _visit, "solved"),
    "feedback.exceptions": DoorCase("feedback", FEEDBACK_EXCEPTIONS, "", _exception, "approved_by"),
}


class Bad(NamedTuple):
    """What is done to a good message, and what the reason must say."""

    change: Callable[[Headers, bytes, str], tuple[Headers, bytes | None]]
    reason: str


def _with(name: str, value: bytes | None) -> Callable[[Headers, bytes, str], tuple[Headers, bytes | None]]:
    return lambda headers, body, _: ([(k, value if k == name else v) for k, v in headers], body)


def _body(value: bytes | None) -> Callable[[Headers, bytes, str], tuple[Headers, bytes | None]]:
    return lambda headers, _, __: (headers, value)


def _without_field(headers: Headers, body: bytes, field: str) -> tuple[Headers, bytes | None]:
    fields = msgspec.json.decode(body)
    del fields[field]
    return headers, msgspec.json.encode(fields)


def _field_of_a_wrong_kind(headers: Headers, body: bytes, field: str) -> tuple[Headers, bytes | None]:
    return headers, msgspec.json.encode({**msgspec.json.decode(body), field: {"a": [1]}})


def _long(headers: Headers, body: bytes, _: str) -> tuple[Headers, bytes | None]:
    return headers, msgspec.json.encode({**msgspec.json.decode(body), "note": "长" * 300_000})


BAD: Final = {
    "not JSON": Bad(_body(b"{bad"), "value: not JSON"),
    "not UTF-8": Bad(_body(b'{"a": "\xff\xfe"}'), ""),
    "not an object": Bad(_body(b"[1, 2]"), "data: Expected `object`"),
    "a thousand brackets": Bad(_body(b"[" * 60_000), ""),
    "nothing": Bad(_body(b""), "value: not JSON"),
    "null": Bad(_body(None), "value: null"),
    "900 KB of text": Bad(_long, f"bytes, expected at most {VALUE_BYTES_MAX}"),
    "a missing field": Bad(_without_field, "data: Object missing required field `{field}`"),
    "a field of a wrong kind": Bad(_field_of_a_wrong_kind, "`$.{field}`"),
    "an unknown type": Bad(
        _with("ce_type", b"hotline.order.eaten.v1"), "header ce_type: 'hotline.order.eaten.v1'"
    ),
    "a fact's type": Bad(_with("ce_type", b"hotline.ComplaintClosed.v1"), "header ce_type"),
    "no headers": Bad(lambda _, body, __: ([], body), "header ce_specversion: missing"),
    "a null header": Bad(_with("ce_id", None), "header ce_id: missing"),
    "a binary header": Bad(_with("ce_source", b"\x00\xff\xfe"), "header ce_source: not UTF-8"),
    "an empty header": Bad(_with("ce_source", b""), "header ce_source: empty"),
    "a long header": Bad(_with("ce_id", b"x" * 300), "header ce_id: 300 bytes"),
    "another version": Bad(_with("ce_specversion", b"0.3"), "header ce_specversion: '0.3'"),
    "a clock far ahead": Bad(_with("ce_time", b"2199-01-01T00:00:00+00:00"), "header ce_time: 2199-01-01"),
    "a time without a zone": Bad(_with("ce_time", b"2021-09-24T08:00:00"), "has no time zone"),
    "a time that is none": Bad(_with("ce_time", b"yesterday"), "header ce_time: text of 9 characters"),
    "structured mode without an event": Bad(
        _with("content-type", b"application/cloudevents+json"), "attribute specversion: missing"
    ),
    "a batch of events": Bad(
        _with("content-type", b"application/cloudevents-batch+json"), "content-type: a batch of events"
    ),
    "a driver's zero time": Bad(_with("ce_time", b"0001-01-01T00:00:00Z"), "header ce_time: 0001-01-01"),
    "the end of all time": Bad(
        _with("ce_time", b"9999-12-31T23:59:59.999999Z"), "header ce_time: 9999-12-31"
    ),
    "a header nothing can store": Bad(_with("ce_id", b"1\x002"), "header ce_id: holds the control character"),
}

_numbers: Iterator[int] = itertools.count(1)


@pytest.fixture(scope="session")
async def known(town: City) -> ComplaintId:
    """A complaint that replies can be about; what they ask for is refused, which is an effect, too."""
    stream = await town.record("doors-known")
    await town.until_fact(stream, ComplaintDispatched, within=30)
    return stream


async def _effect(town: City, case: DoorCase, key: str, identity: str) -> bool:
    if case.line is TELEPHONY_CALLS:
        return bool(await town.value("SELECT count(*) FROM intake.call WHERE call_id = $1", key))
    return bool(await town.value("SELECT count(*) FROM es.event WHERE caused_by = $1", identity))


async def _good_behind(town: City, case: DoorCase, known: ComplaintId, key: str) -> float:
    """A good message with the same key, so it stands in line behind; how long until it had its effect."""
    event_id = f"good {next(_numbers)}"
    own = f"{key} good"
    headers = input_headers(type(case.data(known, own)), "/test", event_id, datetime.now(UTC))
    value = msgspec.json.encode(case.data(known, own))
    await town.send(town.topic(case.line, case.unit), key, value, headers, partitions=case.line.partitions)
    began = time.monotonic()
    identity = message_id(case.line.of(case.unit), "/test", event_id)
    await until(
        lambda: _effect(town, case, own, identity), within=SOON, what="the message behind the bad one"
    )
    return time.monotonic() - began


async def _parked_of(town: City, topic: str, offset: int, partition: int) -> Any:
    async def found() -> list[Any]:
        return await town.sql(
            "SELECT * FROM es.parked WHERE topic = $1 AND kafka_offset = $2 AND part = $3",
            topic,
            offset,
            partition,
        )

    return (await until(found, what="the parked message"))[0]


def _headers_of(row: Any) -> Headers:
    pairs = msgspec.json.decode(row["headers"])
    return [(name, None if value is None else b64decode(value)) for name, value in pairs]


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("door", DOORS)
async def test_a_bad_message_is_parked_with_its_reason_and_the_next_is_handled(
    town: City, known: ComplaintId, door: str, kind: str
) -> None:
    case, bad = DOORS[door], BAD[kind]
    key = f"{door} {kind}"
    data = case.data(known, key)
    good: Headers = list(input_headers(type(data), "/test", f"bad {next(_numbers)}", datetime.now(UTC)))
    headers, value = bad.change(good, msgspec.json.encode(data), case.field)
    topic = town.topic(case.line, case.unit)
    counted = await town.metric(case.desk, "door.parked")

    at = await town.send(topic, key, value, headers, partitions=case.line.partitions)
    await _good_behind(town, case, known, key)

    row = await _parked_of(town, topic, at.offset, at.partition)
    assert bad.reason.format(field=case.field) in row["reason"]
    assert row["reason"].split(":")[0].split(" ")[0] in {
        "value",
        "data",
        "header",
        "attribute",
        "content-type",
    }
    assert (row["consumer"], row["key"], row["value"]) == (case.desk, key.encode(), value)
    assert _headers_of(row) == headers

    async def counted_too() -> bool:  # after the commit, by which the row could be seen
        return await town.metric(case.desk, "door.parked") == counted + 1

    await until(counted_too, what="the message counted")


@pytest.mark.parametrize(
    ("unit", "told", "reason"),
    [
        (UNIT, {"unit": OTHER_UNIT}, f"data: unit: another than '{UNIT}', whose topic this is"),
        (UNIT, {"assignment": 0}, "`$.assignment`"),
        (UNIT, {"complaint_id": "not-a-uuid"}, "`$.complaint_id`"),
        (
            UNIT,
            {"complaint_id": complaint_id("nobody")},
            f"complaint {complaint_id('nobody')} is not on record",
        ),
    ],
)
async def test_a_reply_that_cannot_be_meant_is_parked(
    town: City, known: ComplaintId, unit: str, told: dict[str, Any], reason: str
) -> None:
    fields = {"complaint_id": known, "assignment": 1, **told}
    headers = input_headers(SignOrder, "/test", f"reply {next(_numbers)}", datetime.now(UTC))
    topic = town.topic(DISPATCH_REPLIES, unit)
    at = await town.send(topic, known, msgspec.json.encode(fields), headers, partitions=1)
    await _good_behind(town, DOORS["dispatch.replies"], known, known)
    assert reason in (await _parked_of(town, topic, at.offset, at.partition))["reason"]


async def test_a_text_longer_than_its_bound_is_parked_by_the_name_of_its_field(town: City) -> None:
    fields = msgspec.to_builtins(request("long"))
    headers = input_headers(RecordRequest, "/test", "long", datetime.now(UTC))
    topic = town.topic(INTAKE_REQUESTS)
    at = await town.send(
        topic, "long", msgspec.json.encode({**fields, "content": "水" * 4001}), headers, partitions=4
    )
    assert "`$.content`" in (await _parked_of(town, topic, at.offset, at.partition))["reason"]


async def test_a_hundred_bad_messages_among_a_hundred_good_ones_cost_the_good_ones_nothing(
    town: City, measured: Callable[[str], None]
) -> None:
    topic = town.topic(INTAKE_REQUESTS)
    before = len(await town.parked(topic))
    began = time.monotonic()
    good, sends = [], []
    for number in range(100):
        kind = list(BAD.values())[number % len(BAD)]
        data = request(f"bad-among-{number}")
        headers: Headers = list(input_headers(RecordRequest, "/test", f"among {number}", datetime.now(UTC)))
        changed, value = kind.change(headers, msgspec.json.encode(data), "request_id")
        sends.append(town.send(topic, f"among-{number}", value, changed, partitions=4))
        sends.append(town.record(f"among-{number}"))
        good.append(complaint_id(f"among-{number}"))
    await asyncio.gather(*sends)

    async def all_there() -> bool:
        count = "SELECT count(*) FROM es.event WHERE type = $1 AND stream_id = ANY ($2::text[]::uuid[])"
        return bool(await town.value(count, ComplaintReceived.__name__, good) == 100)

    await until(all_there, within=10, what="a hundred complaints")
    measured(f"doors: 100 good among 100 bad messages on record after {time.monotonic() - began:.2f} s")

    async def all_parked() -> bool:
        return len(await town.parked(topic)) == before + 100

    await until(all_parked, what="a hundred parked messages")


async def test_what_is_no_fact_on_the_log_stops_no_desk(town: City) -> None:
    """Only the relay may speak there; should something else get in, the city goes on."""
    wanted = ce_type_of("ComplaintClassified", 1)
    strange: list[tuple[bytes | None, Headers]] = [
        (b"", []),
        (b"?", [("ce_type", None)]),
        (b"{", [("ce_type", wanted), ("ce_relaymark", b"no mark")]),
        (b"{", [("ce_type", wanted), ("ce_id", b"x"), ("ce_source", b"/x"), ("ce_relaymark", b"\xff.\x00")]),
        (b"{}", [("ce_type", wanted), ("ce_id", b"x"), ("ce_source", b"/x")]),
        (b"{}", [("ce_type", b"hotline.ComplaintClassified.v9")]),
    ]
    for value, headers in strange:
        for partition in range(COMPLAINTS_LOG.partitions):
            producer = await town._sender()
            await producer.send_and_wait(
                town.topic(COMPLAINTS_LOG), value, partition=partition, headers=headers
            )
    for number in range(8):
        stream = await town.record(f"after strange {number}")
        await town.until_fact(stream, ComplaintDispatched)
    parked = await town.parked(town.topic(COMPLAINTS_LOG))
    assert {row["consumer"] for row in parked} == {"dispatch"}
    assert all(row["reason"].startswith("complaints.log: ") for row in parked)
    assert (
        len(parked) == 4 * COMPLAINTS_LOG.partitions
    )  # what dispatch would have acted on, or will once it is newer; the rest is not for it


# -- back from parking


async def test_a_parked_reply_is_handled_when_it_is_released(town: City) -> None:
    """A unit spoke of a complaint before it was on record (its sender mixed up two systems)."""
    stream = complaint_id("late")
    await town.sign(stream)

    async def parked() -> list[Any]:
        return [row for row in await town.parked() if str(stream) in row["reason"]]

    row = (await until(parked, what="the parked reply"))[0]
    await town.record("late")
    await town.until_fact(stream, ComplaintDispatched)
    await town.release(row["parked_id"])
    told = await town.until_fact(stream, OrderSigned)
    assert told.version == 4
    assert await parked() == []


async def test_a_message_that_is_still_bad_when_released_is_parked_again(town: City) -> None:
    topic = town.topic(DISPATCH_REVIEWS)
    headers = input_headers(ReviewReturn, "/test", "again", datetime.now(UTC))
    at = await town.send(topic, "again", b"{", headers, partitions=1)
    row = await _parked_of(town, topic, at.offset, at.partition)
    await town.release(row["parked_id"])

    async def back() -> bool:
        again = await town.sql("SELECT * FROM es.parked WHERE parked_id = $1", row["parked_id"])
        return again[0]["released_at"] is None

    await until(back, what="the message back in parking")
    assert (await _parked_of(town, topic, at.offset, at.partition))["reason"] == row["reason"]


# -- told twice, told in disorder

CALLS: Final = ("offered", "answered", "ended")


def _call_event(call: str, what: str, start: datetime, cause: str = "hangup") -> tuple[Input, datetime]:
    events: dict[str, tuple[Input, datetime]] = {
        "offered": (CallOffered(call_id=call), start),
        "answered": (CallAnswered(call_id=call, agent="坐席7"), start + timedelta(seconds=9)),
        "ended": (CallEnded(call_id=call, cause=cause), start + timedelta(seconds=200)),
    }
    return events[what]


async def _tell_calls(town: City, call: str, order: Sequence[str], start: datetime) -> None:
    for number, what in enumerate(order):
        data, at = _call_event(call, what, start)
        await town.tell(TELEPHONY_CALLS, call, data, at=at, event_id=f"{call}/{what}/{number % 2}")


async def _calls(town: City, ids: Sequence[str]) -> dict[str, CallRecord]:
    """What the register knows of these calls."""
    rows = await town.sql("SELECT call_id, told FROM intake.call WHERE call_id = ANY ($1::text[])", list(ids))
    return {row["call_id"]: call_of(read(thing) for thing in row["told"]) for row in rows}


async def test_a_calls_events_in_any_order_and_twice_give_one_terminal_state(town: City) -> None:
    start = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    orders = [
        order
        for size in (3, 4, 5)
        for order in itertools.product(CALLS, repeat=size)
        if set(order) == set(CALLS)
    ]
    calls = [f"in-any-order-{number}" for number in range(len(orders))]
    await asyncio.gather(
        *(_tell_calls(town, call, order, start) for call, order in zip(calls, orders, strict=True))
    )

    async def outcomes() -> set[CallRecord] | None:
        records = await _calls(town, calls)
        found = set(records.values())
        return found if len(records) == len(calls) and len(found) == 1 else None

    expected = CallRecord(
        start, start + timedelta(seconds=9), start + timedelta(seconds=200), "ANSWERED", first_at=start
    )
    assert await until(outcomes, what=f"one outcome for {len(calls)} calls") == {expected}


async def test_fifteen_seconds_are_within_fifteen_seconds_and_a_millisecond_more_is_not(town: City) -> None:
    """T11, A1."""
    start = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
    waits = {"at-once": 0, "just": 15_000, "too-late": 15_001}
    for call, wait in waits.items():
        taken = CallAnswered(call_id=call, agent="a")
        await town.tell(TELEPHONY_CALLS, call, CallOffered(call_id=call), at=start)
        await town.tell(TELEPHONY_CALLS, call, taken, at=start + timedelta(milliseconds=wait))

    async def all_three() -> bool:
        found = {call: record.wait for call, record in (await _calls(town, list(waits))).items()}
        within = [call for call, wait in found.items() if wait is not None and wait <= timedelta(seconds=15)]
        return (
            None not in found.values() and sorted(within) == ["at-once", "just"] and len(found) == len(waits)
        )

    await until(all_three, what="two of three calls within fifteen seconds")


async def test_of_two_ends_of_one_call_the_earlier_stands_whatever_order_they_come_in(town: City) -> None:
    start = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    for call, order in (("ends-a", (0, 1)), ("ends-b", (1, 0))):
        ends = [
            (CallEnded(call_id=call, cause="abandoned"), start + timedelta(seconds=30)),
            (CallEnded(call_id=call, cause="timeout"), start + timedelta(seconds=60)),
        ]
        await town.tell(TELEPHONY_CALLS, call, CallOffered(call_id=call), at=start)
        for number in order:
            await town.tell(TELEPHONY_CALLS, call, ends[number][0], at=ends[number][1])

    async def both() -> bool:
        found = (await _calls(town, ["ends-a", "ends-b"])).values()
        return [(one.outcome, one.ended_at) for one in found] == [
            ("ABANDONED", start + timedelta(seconds=30))
        ] * 2

    await until(both, what="the earlier end of both calls")


async def test_the_same_request_twice_is_one_complaint(town: City) -> None:
    """As the same event sent twice, and as two events about one request; on two partitions even."""
    data = request("twice")
    at = datetime.now(UTC)
    for key in ("twice", "twice", "another key", "a third key"):
        await town.tell(INTAKE_REQUESTS, key, data, at=at, event_id="one event")
    for key in ("twice", "a fourth key", "a fifth key"):
        await town.tell(INTAKE_REQUESTS, key, data, at=at)
    stream = complaint_id("twice")
    await town.until_fact(stream, ComplaintDispatched)
    await town.settled()
    assert await town.story(stream) == ["ComplaintReceived", "ComplaintClassified", "ComplaintDispatched"]
    assert len(await town.sql("SELECT 1 FROM es.stream WHERE state::json ->> 'request_id' = 'twice'")) == 1


async def test_a_request_told_again_with_another_content_is_set_aside_and_changes_nothing(town: City) -> None:
    """Under no complaint, so that nothing of the first citizen's waits behind it."""
    stream = await town.record("changed")
    await town.until_fact(stream, ComplaintDispatched)
    before = await town.story(stream)
    data = request("changed", content="另一件事")
    at = await town.tell(INTAKE_REQUESTS, "changed", data)
    row = await _parked_of(town, at.topic, at.offset, at.partition)
    assert row["complaint_id"] is None
    assert row["reason"].startswith(
        "data: request_id: is on record already and says something else (content)"
    )
    await town.tell(INTAKE_REQUESTS, "changed", SupplementRequest(request_id="changed", text="还没有"))
    await town.until_fact(stream, RequestSupplemented)
    assert await town.story(stream) == [*before, "RequestSupplemented"]
    received = [told for told in await town.facts(stream) if told.type == ComplaintReceived.__name__]
    assert [told.fact.content for told in received] == ["三天没有水"]


async def test_an_answer_told_twice_closes_once(town: City) -> None:
    stream = await town.record("answers twice")
    await town.until_fact(stream, ComplaintDispatched)
    for _ in range(3):
        await town.sign(stream, event_id="signed")
        await town.answer(stream, event_id="answered")
    await town.until_fact(stream, VisitScheduled)
    for _ in range(3):
        await town.visit(stream, event_id="visited")
    await town.until_fact(stream, ComplaintClosed)
    await town.settled()
    assert await town.story(stream) == [
        "ComplaintReceived",
        "ComplaintClassified",
        "ComplaintDispatched",
        "OrderSigned",
        "OrderAnswered",
        "VisitScheduled",
        "VisitMade",
        "ComplaintClosed",
    ]
