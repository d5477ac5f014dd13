"""What a door takes in, and what it says of what it cannot take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hotline.lab.desks.clock import RehearsalClock
from shared.cloudevents import VALUE_BYTES_MAX, event_of, input_headers
from shared.inputs import RecordRequest, SignOrder, WithdrawRequest
from shared.log import Incoming
from shared.runtime.clock import SystemClock
from shared.runtime.errors import BadInput
from tests.examples import CALLED_AT, REQUEST

HEADERS = dict(input_headers(RecordRequest, "/desk", "e-1", CALLED_AT))
BODY = msgspec.json.encode(REQUEST)
DOOR = (RecordRequest, WithdrawRequest)


def message(value: bytes | None = BODY, **headers: bytes | None) -> Incoming:
    whole: dict[str, bytes | None] = {
        **HEADERS,
        **{k.replace("content_type", "content-type"): v for k, v in headers.items()},
    }
    return Incoming("intake.requests", 0, 0, 0, b"k", tuple(whole.items()), value)


def without(name: str) -> Incoming:
    headers = tuple((k, v) for k, v in HEADERS.items() if k != name)
    return Incoming("intake.requests", 0, 0, 0, b"k", headers, BODY)


def test_a_well_formed_event_is_taken_whole() -> None:
    event = event_of(message(), DOOR)
    assert (event.source, event.id, event.time, event.data) == ("/desk", "e-1", CALLED_AT, REQUEST)


@pytest.mark.parametrize("name", ["ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time"])
def test_a_missing_header_is_named(name: str) -> None:
    with pytest.raises(BadInput, match=f"header {name}: missing"):
        event_of(without(name), DOOR)


def changed(**fields: Any) -> bytes:
    return msgspec.json.encode({**msgspec.to_builtins(REQUEST), **fields})


def lacking(name: str) -> bytes:
    return msgspec.json.encode({k: v for k, v in msgspec.to_builtins(REQUEST).items() if k != name})


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (message(ce_id=None), "header ce_id: missing"),
        (message(ce_id=b"\xff\xfe"), "header ce_id: not UTF-8"),
        (message(ce_id=b""), "header ce_id: empty"),
        (message(ce_source=b"x" * 300), "header ce_source: 300 bytes"),
        (message(ce_specversion=b"0.3"), "header ce_specversion: '0.3', expected '1.0'"),
        (message(ce_type=b"hotline.unknown.v1"), "header ce_type: .* not taken in here"),
        (message(ce_type=SignOrder.TYPE.encode()), "header ce_type: .* not taken in here"),
        (message(ce_time=b"yesterday"), "header ce_time: text of 9 characters, expected RFC 3339"),
        (message(ce_time=b"2021-09-24T08:00:00"), "header ce_time: .* no time zone"),
        (message(None), "value: null"),
        (message(b"{bad"), "value: not JSON"),
        (message(b"\xff"), "value: not JSON"),
        (message(b"[" * 5000), "value: not JSON|data:"),
        (message(b" " * (VALUE_BYTES_MAX + 1)), f"value: {VALUE_BYTES_MAX + 1} bytes, expected at most"),
        (message(b"[]"), "data: Expected `object`"),
        (message(lacking("title")), "data: .*`title`"),
        (message(lacking("district")), "data: .*`district`"),
        (message(changed(urgency="NOW")), r"data: .*\$.urgency"),
        (message(changed(content="x" * 4001)), r"data: .*\$.content"),
        (message(changed(title=7)), r"data: .*\$.title"),
        (message(changed(given_due_at="2021-09-24T08:00:00")), r"data: .*\$.given_due_at"),
    ],
)
def test_what_is_wrong_is_said_with_the_field_and_what_was_expected(bad: Incoming, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        event_of(bad, DOOR)


def test_an_unknown_field_is_ignored_a_sender_may_be_newer_than_we_are() -> None:
    assert event_of(message(changed(phone="13800000000")), DOOR).data == REQUEST


def test_live_an_input_counts_when_it_arrived_in_a_rehearsal_when_it_says() -> None:
    arrived_at = datetime(2022, 1, 1, tzinfo=UTC)
    assert SystemClock().of_input(CALLED_AT, arrived_at) == arrived_at
    assert RehearsalClock().of_input(CALLED_AT, arrived_at) == CALLED_AT
    assert RehearsalClock().of_reaction(CALLED_AT) == CALLED_AT
    ahead = datetime.now(UTC) + timedelta(hours=1)
    assert SystemClock().of_reaction(ahead) == ahead
