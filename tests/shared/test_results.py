"""A speaker is told of its word: on which topic, of which input, and which part was wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cloudevents import event_of, input_headers, named
from shared.events import REFUSALS, SPEAKERS
from shared.inputs import SignOrder
from shared.log import Incoming
from shared.log.codec import encoded
from shared.log.relay.beside import with_more
from shared.log.relay.notices import NoticeRow, body_of, headers_of, key_of
from shared.outward import OUTWARD, results_of
from shared.results import (
    AnsweredInput,
    InputParked,
    ReplyRefusal,
    WorkOrder,
    WrongField,
    as_told,
    wrong_field,
)
from shared.runtime.errors import BadInput
from shared.topics import DISPATCH_REPLIES, RESULTS, TOPICS
from tests import examples as eg

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DOORS = [line for line in TOPICS if line.speaker != "relay"]


def message(
    headers: list[tuple[str, bytes | None]], value: bytes | None = b"{}", topic: str = "dispatch.replies.a"
) -> Incoming:
    return Incoming(topic, 0, 7, 0, None, tuple(headers), value)


# -- to whom


def test_every_door_says_where_its_speaker_hears_and_nobody_else_does() -> None:
    assert all(line.results for line in DOORS)
    assert {line.results for line in DOORS} == RESULTS
    heard = {line.name: line for line in TOPICS}
    for line in DOORS:
        assert heard[line.results].speaker == "relay"
        assert heard[line.results].hearers == (line.speaker,)


@pytest.mark.parametrize("prefix", ["", "west."])
def test_a_speaker_hears_on_a_topic_of_its_own(prefix: str) -> None:
    def to(topic: str) -> str | None:
        found = results_of(prefix + topic, prefix)
        return None if found is None else found[1].removeprefix(prefix)

    assert to("dispatch.replies.street-a") == "dispatch.orders.street-a"
    assert to("telephony.calls") == "telephony.results"
    assert to("telephony.calls.pbx-2") == "telephony.results.pbx-2"
    assert to("intake.requests") == "intake.results"
    assert to("intake.requests.web") == "intake.results.web"
    assert to("dispatch.reviews") == "dispatch.results"
    assert to("feedback.visit-results.dialler") == "feedback.results.dialler"
    assert to("feedback.exceptions") == "feedback.exception-results"
    for topic in ("complaints.log", "dispatch.orders.street-a", "intake.results", "gossip"):
        assert to(topic) is None


def test_a_refusal_goes_to_nobody_whom_it_only_names() -> None:
    for kind in REFUSALS:
        assert kind.__name__ not in OUTWARD
        assert kind.TELLS == ()
        assert any(kind in line.carries and line.name in RESULTS for line in TOPICS)


# -- which input


def test_source_and_id_are_read_in_both_modes_whatever_else_is_wrong() -> None:
    headers: list[tuple[str, bytes | None]] = [("ce_source", b"/units/a"), ("ce_id", b"7"), ("ce_type", b"?")]
    assert named(message(headers, b"\xff")) == ("/units/a", "7")
    structured = b'{"specversion":"1.0","source":"/units/a","id":"7","type":3}'
    assert named(message([], structured)) == ("/units/a", "7")
    assert named(message([("ce_source", b"/a"), ("ce_id", None)])) == ("/a", None)
    assert named(message([("ce_source", b"\xff"), ("ce_id", b"x" * 257)])) == (None, None)
    assert named(message([], b'{"specversion":"1.0","source":7,"id":"8"}')) == (None, "8")
    assert named(message([("content-type", b"application/cloudevents+json")], None)) == (None, None)
    assert named(message([], b'{"specversion"')) == (None, None)


@given(
    st.lists(st.tuples(st.sampled_from(["ce_source", "ce_id", "content-type"]), st.none() | st.binary(max_size=9))),
    st.none() | st.binary(max_size=40),
)  # fmt: skip
def test_whatever_comes_it_is_named_or_not(headers: list[Any], value: bytes | None) -> None:
    for one in named(message(headers, value)):
        assert one is None or (one and "\0" not in one)


# -- what was wrong


@pytest.mark.parametrize(
    ("reason", "field", "expected"),
    [
        ("header ce_time: missing", "ce_time", "a value"),
        ("attribute id: empty", "id", "a value"),
        ("header ce_specversion: '2', expected '1.0'", "ce_specversion", "'1.0'"),
        ("headers: 70 of them, expected at most 64", "headers", "at most 64"),
        ("value: null, expected the event's data as JSON", "value", "the event's data as JSON"),
        ("value: not JSON (trailing characters)", "value", "JSON"),
        ("header ce_id: not UTF-8", "ce_id", "UTF-8"),
        ("data: Expected `int`, got `str` - at `$.visit`", "visit", "`int`"),
        ("data: Object missing required field `assignment`", "assignment", "a value"),
        ("data: Object missing required field `uri` - at `$.attachments[0]`", "attachments[0].uri", "a value"),
        ("data: Expected SIGN or ANSWER, got another text - at `$.limit`", "limit", "SIGN or ANSWER"),
        ("data: unit: another than 'a', whose topic this is", "unit", None),
        ("data: street, no_street: both given, expected one of them", "street, no_street", "one of them"),
        ("data: given_due_at: missing, rule set bj-1 needs the limit given", "given_due_at", "a value"),
        ("complaint 0f is not on record", None, None),
        ("waits behind a parked message of this complaint", None, None),
        ("cannot be read: offsets 3 to 5: a batch whose checksum is wrong", None, None),
    ],
)  # fmt: skip
def test_a_reason_says_the_field_and_what_was_expected(
    reason: str, field: str | None, expected: str | None
) -> None:
    assert wrong_field(reason) == WrongField(field, expected)


def test_every_reason_a_door_gives_for_a_field_names_that_field() -> None:
    """Each attribute is spoiled in turn; the door's own reason is taken apart."""
    good = dict(input_headers(SignOrder, "/units/a", "7", AT))
    body = msgspec.json.encode(SignOrder(complaint_id=eg.ID, assignment=1))
    for name in ("ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time"):
        for wrong in (None, b"", b"\xff", b"\x01", b"x" * 300):
            with pytest.raises(BadInput) as raised:
                event_of(message([*(good | {name: wrong}).items()], body), DISPATCH_REPLIES.inputs)
            assert wrong_field(str(raised.value)).field == name
    for data, field in ((b'{"assignment":1}', "complaint_id"), (body.replace(b":1", b':"1"'), "assignment")):
        with pytest.raises(BadInput) as raised:
            event_of(message([*good.items()], data), DISPATCH_REPLIES.inputs)
        assert wrong_field(str(raised.value)).field == field
        assert wrong_field(str(raised.value)).expected


def test_a_field_is_found_in_every_reason_that_begins_with_one() -> None:
    """All texts of the code that say what is wrong with an input, with anything in their places."""
    root = Path(__file__).parents[2]
    one = re.compile(r'(?:BadInput\(|text = \(?\s*)f?"((?:data|header|attribute|value)[^"]*)"')
    said = [
        text
        for folder in ("shared", "services")
        for file in (root / folder).rglob("*.py")
        for text in one.findall(file.read_text(encoding="utf-8"))
    ]
    assert len(said) > 20
    for text in said:
        reason = re.sub(r"\{[^}]*\}", "x", text)
        assert wrong_field(reason).field, reason


# -- the messages


def notice(**changes: Any) -> NoticeRow:
    told: dict[str, Any] = {
        "notice_id": 1,
        "consumer": "dispatch",
        "topic": "dispatch.replies.a",
        "partition": 0,
        "offset": 7,
        "sent_at_ms": 5,
        "source": "/units/a",
        "event_id": "7",
        "complaint_id": None,
        "reason": "header ce_time: missing",
        "parked_at": AT,
    }
    return NoticeRow(**(told | changes))


def test_a_notice_says_the_place_and_the_reason_and_nothing_of_the_body() -> None:
    told = msgspec.json.decode(body_of(notice()))
    assert told == {
        "topic": "dispatch.replies.a",
        "partition": 0,
        "offset": 7,
        "source": "/units/a",
        "id": "7",
        "reason": "header ce_time: missing",
        "field": "ce_time",
        "expected": "a value",
        "parked_at": "2026-03-02T09:00:00Z",
    }
    bare = msgspec.json.decode(
        body_of(notice(source=None, event_id=None, reason="cannot be read: a record of nothing"))
    )
    assert not {"source", "id", "field", "expected"} & set(bare)
    msgspec.json.decode(body_of(notice()), type=InputParked)


def test_a_notice_told_twice_is_the_same_event_and_another_one_is_not() -> None:
    ids = {dict(headers_of(one))["ce_id"] for one in (notice(), notice(notice_id=9), notice(parked_at=AT))}
    assert len(ids) == 1
    others = (notice(offset=8), notice(partition=1), notice(sent_at_ms=6), notice(reason="other"))
    assert ids.isdisjoint({dict(headers_of(one))["ce_id"] for one in others})
    assert key_of(notice(complaint_id=eg.ID)) == eg.ID.encode()
    assert key_of(notice()) == b"dispatch.replies.a/0/7"


def test_what_is_told_beside_a_fact_leaves_the_fact_as_it_is() -> None:
    number, marks = b'"complaint_number":"20260302-22222-22222-2"', b'"confidential":true,"anonymous":false'
    more = number + b',"received_at":"2026-03-02T09:00:00Z",' + marks
    told = msgspec.json.decode(with_more(encoded(eg.DISPATCHED), more), type=WorkOrder)
    assert (told.received_at, told.confidential, told.anonymous) == (AT, True, False)
    assert all(
        getattr(told, name) == getattr(eg.DISPATCHED, name) for name in eg.DISPATCHED.__struct_fields__
    )
    answered = b'"input":' + msgspec.json.encode(AnsweredInput(source="/a", id="1"))
    refusal = msgspec.json.decode(with_more(encoded(eg.REPLY_REFUSED), answered), type=ReplyRefusal)
    assert refusal.input == AnsweredInput(source="/a", id="1")
    for body in (b"", b"[]", b"{"):
        with pytest.raises(msgspec.DecodeError):
            with_more(body, more)


def test_a_fact_that_says_more_is_that_fact_and_more() -> None:
    for fact, told in ((fact, as_told(fact)) for fact in SPEAKERS):
        assert "complaint_number" in told.__struct_fields__
        assert issubclass(told, fact)
        assert told.__struct_fields__[: len(fact.__struct_fields__)] == fact.__struct_fields__
