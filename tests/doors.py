"""What may come to a door, good and bad: one table of bad messages for every door.

A `Knock` is a good message of an input; each of `BAD` spoils one thing and says which words the reason must hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from shared.cloudevents import input_headers
from shared.doors.unread_records import Handle
from shared.inputs import Input
from shared.log import Incoming
from shared.runtime.clock import ClockAt
from shared.work import Batch, Work
from tests import examples, spoilers

NOW: Final = examples.CALLED_AT + 30 * examples.DAY
SOURCE: Final = "/somebody"

Headers = tuple[tuple[str, bytes | None], ...]


def clock() -> ClockAt:
    """A month after the call, so that every example lies in the past."""
    return ClockAt(NOW)


def message(
    data: Input, topic: str, *, at: datetime = examples.CALLED_AT, event_id: str = "1", offset: int = 0
) -> Incoming:
    """This input as a CloudEvent in binary mode on a topic."""
    headers = tuple(input_headers(type(data), SOURCE, event_id, at))
    sent_at_ms = int(at.timestamp() * 1000)
    return Incoming(topic, 0, offset, sent_at_ms, b"key", headers, msgspec.json.encode(data))


def filled(handle: Handle, *messages: Incoming) -> Batch:
    """What a door makes of these messages."""
    batch = Batch()
    handle(messages, batch)
    return batch


def asked(handle: Handle, incoming: Incoming) -> Work:
    """The one thing a good message asks of its desk."""
    batch = filled(handle, incoming)
    assert [parked.reason for parked in batch.parked] == []
    (work,) = batch.work
    return work


def refused(handle: Handle, incoming: Incoming) -> str:
    """Why a bad message is set aside; it is kept whole and asks nothing of the desk."""
    batch = filled(handle, incoming)
    assert batch.work == []
    assert batch.effect is None
    (parked,) = batch.parked
    assert parked.message == incoming
    return parked.reason


class Bad(NamedTuple):
    """One way to spoil a good message, and what the reason must name."""

    name: str
    spoil: Callable[[Incoming], Incoming]
    field: str
    expectation: str


def _header(name: str, value: bytes | None) -> Callable[[Incoming], Incoming]:
    return lambda good: replace(
        good, headers=tuple((key, value if key == name else kept) for key, kept in good.headers)
    )


def _without(name: str) -> Callable[[Incoming], Incoming]:
    return lambda good: replace(good, headers=tuple(pair for pair in good.headers if pair[0] != name))


def _value(value: bytes | None) -> Callable[[Incoming], Incoming]:
    return lambda good: replace(good, value=value)


def _in_structured_mode(**changes: Any) -> Callable[[Incoming], Incoming]:
    """The same event in structured mode, with members changed."""

    def spoil(good: Incoming) -> Incoming:
        headers, value = spoilers.structured(good.headers, good.value or b"", **changes)
        return replace(good, headers=tuple(headers), value=value)

    return spoil


def _stamped(sent_at_ms: int) -> Callable[[Incoming], Incoming]:
    """As where the broker does not stamp, and the sender's client says what it likes."""
    return lambda good: replace(good, sent_at_ms=sent_at_ms)


def _nested(good: Incoming) -> Incoming:
    """30,000 lists in one another inside a field nobody reads."""
    return replace(good, value=b'{"more":' + b"[" * 30_000 + b"]" * 30_000 + b"}")


BAD: Final[Sequence[Bad]] = (
    *(
        Bad(f"{name} missing", _without(name), f"header {name}", "missing")
        for name in ("ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time")
    ),
    *(
        Bad(f"{name} null", _header(name, None), f"header {name}", "missing")
        for name in ("ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time")
    ),
    *(
        Bad(f"{name} not UTF-8", _header(name, b"\xff\xfe"), f"header {name}", "not UTF-8")
        for name in ("ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time")
    ),
    Bad(
        "more headers than anybody needs",
        lambda good: replace(good, headers=(*good.headers, *((f"x-{n}", b"1") for n in range(64)))),
        "headers",
        "expected at most 64",
    ),
    Bad(
        "a header of a megabyte",
        lambda good: replace(good, headers=(*good.headers, ("x", b"1" * 1_000_000))),
        "headers",
        "expected at most 16384",
    ),
    Bad("no header at all", lambda good: replace(good, headers=()), "header ce_specversion", "missing"),
    Bad("empty id", _header("ce_id", b""), "header ce_id", "empty"),
    Bad("endless source", _header("ce_source", b"x" * 257), "header ce_source", "at most 256"),
    Bad("another CloudEvents", _header("ce_specversion", b"0.3"), "header ce_specversion", "expected '1.0'"),
    Bad("unknown type", _header("ce_type", b"hotline.gossip.v1"), "header ce_type", "'hotline.gossip.v1'"),
    Bad(
        "a newer version of a type",
        _header("ce_type", b"hotline.order.sign.v2"),
        "header ce_type",
        "one of",
    ),
    Bad(
        "a fact instead of an input",
        _header("ce_type", b"hotline.OrderSigned.v1"),
        "header ce_type",
        "one of",
    ),
    *(
        Bad(
            f"structured mode, {name} missing",
            _in_structured_mode(**{name: None}),
            f"attribute {name}",
            "missing",
        )
        for name in ("specversion", "type", "source", "id", "time")
    ),
    Bad("structured mode, no data", _in_structured_mode(data=None), "data", "missing"),
    Bad("structured mode, other data", _in_structured_mode(data=7), "data", "Expected `object`"),
    Bad(
        "structured mode, a fact's type",
        _in_structured_mode(type="hotline.OrderSigned.v1"),
        "attribute type",
        "one of",
    ),
    Bad(
        "structured mode, not JSON",
        lambda good: replace(_in_structured_mode()(good), value=b"{"),
        "value",
        "not JSON",
    ),
    Bad(
        "a batch of events",
        _in_structured_mode(content_type=b"application/cloudevents-batch+json"),
        "content-type",
        "one event a message",
    ),
    Bad("an id with U+0000", _header("ce_id", b"1\0"), "header ce_id", "U+0000"),
    *(
        Bad(f"time {text[:40]!r}", _header("ce_time", text.encode()), "header ce_time", "expected")
        for text in spoilers.NOT_RFC3339
        if text
    ),
    *(
        Bad(f"an event of {text}", _header("ce_time", text.encode()), "header ce_time", "")
        for text in spoilers.IMPLAUSIBLE
    ),
    *(
        Bad(f"an event of {text}, in structured mode", _in_structured_mode(time=text), "attribute time", "")
        for text in spoilers.IMPLAUSIBLE
    ),
    Bad("no time", _header("ce_time", b"yesterday"), "header ce_time", "expected RFC 3339"),
    Bad("time without a zone", _header("ce_time", b"2021-09-24T08:30:00"), "header ce_time", "no time zone"),
    Bad(
        "time before all time",
        _header("ce_time", b"0001-01-01T00:00:00+14:00"),
        "header ce_time",
        "outside the years 1 to 9999",
    ),
    Bad(
        "a clock far in the future",
        _header("ce_time", (NOW + timedelta(days=365)).isoformat().encode()),
        "header ce_time",
        "lies ahead of our time",
    ),
    *(
        Bad(f"a stamp of {ms} ms", _stamped(ms), "record timestamp", "expected")
        for ms in (
            -(2**63),
            -62_135_596_800_001,
            2**63 - 1,
        )  # the others are asked of a clock, test_plausible.py
    ),
    Bad("null value", _value(None), "value", "null"),
    Bad("empty value", _value(b""), "value", "not JSON"),
    Bad("not JSON", _value(b"<xml/>"), "value", "not JSON"),
    Bad("half of it", _value(b'{"complaint_id": "a'), "value", "not JSON"),
    Bad(
        "not UTF-8",
        _value(b'{"request_id": "\xff", "call_id": "\xff", "complaint_id": "\xff"}'),
        "value",
        "not JSON",
    ),
    Bad("1 MB of text", _value(b'{"title": "' + b"x" * 1_000_000 + b'"}'), "value", "at most 65536"),
    Bad("deep nesting", _nested, "value", "not JSON"),
    Bad("a list", _value(b"[]"), "data", "Expected `object`"),
    Bad("a number", _value(b"7"), "data", "Expected `object`"),
    Bad("nothing in it", _value(b"{}"), "data", "missing required field"),
)


def spoiled(data: Input, **fields: object) -> bytes:
    """The example's data with fields set to what they must not be; `None` leaves the field out."""
    whole = msgspec.to_builtins(data) | fields
    return msgspec.json.encode({name: value for name, value in whole.items() if value is not None})
