"""The same event in binary and in structured mode is one event; what is wrong is named as its sender names it."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
import pytest

from shared.cloudevents import VALUE_BYTES_MAX, Event, event_of
from shared.ids import message_id
from shared.inputs import INPUTS, Input
from shared.log import Incoming
from shared.runtime.errors import BadInput
from tests import examples as eg
from tests.doors import message
from tests.spoilers import STRUCTURED, structured

EVERY: Final = tuple(INPUTS.values())
INPUT: Final = pytest.mark.parametrize("data", eg.INPUTS, ids=lambda data: type(data).__name__)


def binary(data: Input = eg.REQUEST) -> Incoming:
    return message(data, "any", event_id="一")


def told(
    known: Input = eg.REQUEST, /, *, beside: tuple[tuple[str, bytes | None], ...] = (), **how: Any
) -> Incoming:
    good = binary(known)
    headers, value = structured(good.headers, good.value or b"", **how)
    return msgspec.structs.replace(good, headers=(*headers, *beside), value=value)


def same(one: Event, other: Event) -> bool:
    return (one.source, one.id, one.time, one.data) == (other.source, other.id, other.time, other.data)


def refused(incoming: Incoming) -> str:
    with pytest.raises(BadInput) as error:
        event_of(incoming, EVERY)
    return str(error.value)


@INPUT
@pytest.mark.parametrize("in_base64", [False, True])
def test_every_input_is_the_same_event_in_both_modes(data: Input, in_base64: bool) -> None:
    one, other = event_of(binary(data), EVERY), event_of(told(data, in_base64=in_base64), EVERY)
    assert same(one, other)
    assert message_id("any", one.source, one.id) == message_id("any", other.source, other.id)


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/cloudevents+json",
        b"application/cloudevents+json; charset=UTF-8",
        b"application/cloudevents+json;charset=utf-8",
        b'Application/CloudEvents+JSON ; Charset="utf-8" ; x=1',
    ],
)
def test_its_content_type_is_read_as_every_content_type_is(content_type: bytes) -> None:
    assert same(event_of(told(content_type=content_type), EVERY), event_of(binary(), EVERY))


def test_content_type_decides_where_there_are_headers_as_well() -> None:
    lies = (("ce_id", b"another"), ("ce_type", b"hotline.gossip.v1"), ("ce_time", b"yesterday"))
    assert same(event_of(told(beside=lies), EVERY), event_of(binary(), EVERY))
    envelope = told().value
    as_data = msgspec.structs.replace(binary(), value=envelope)
    assert "missing required field" in refused(as_data), (
        "in binary mode the value is the data, whatever it looks like"
    )


def test_other_extension_attributes_are_ignored() -> None:
    extended = told(traceparent="00-1", partitionkey="k", correlationid="c", sequence=7, mine={"a": [1]})
    assert same(event_of(extended, EVERY), event_of(binary(), EVERY))


@pytest.mark.parametrize("content_type", [None, b"application/json"])
def test_what_can_be_in_no_other_mode_needs_no_content_type(content_type: bytes | None) -> None:
    """CloudEvents' own library for Python 1.x sends it so."""
    headers = () if content_type is None else (("content-type", content_type),)
    bare = msgspec.structs.replace(told(), headers=headers)
    assert same(event_of(bare, EVERY), event_of(binary(), EVERY))
    with_one = msgspec.structs.replace(bare, headers=(*headers, ("ce_id", b"1")))
    assert refused(with_one) == "header ce_specversion: missing"
    assert refused(msgspec.structs.replace(bare, value=binary().value)) == "header ce_specversion: missing"


@pytest.mark.parametrize("member", ["specversion", "type", "source", "id", "time"])
@pytest.mark.parametrize(
    ("stands", "why"),
    [
        (None, "missing"),
        (7, "expected text"),
        ({"a": 1}, "expected text"),
        ("", "empty"),
        ("é" * 129, "258 bytes, expected at most 256"),
        ("a\0b", "holds the control character U+0000"),
        ("a\x1bb", "holds the control character U+001B"),
    ],
)
def test_an_attribute_that_is_wrong_is_named(member: str, stands: Any, why: str) -> None:
    assert refused(told(**{member: stands})).startswith(f"attribute {member}: {why}")


def test_an_attribute_that_is_null_is_missing() -> None:
    incoming = told()
    nulled = json.dumps({**json.loads(incoming.value or b""), "id": None}).encode()
    assert refused(msgspec.structs.replace(incoming, value=nulled)) == "attribute id: missing"


@pytest.mark.parametrize(
    ("incoming", "why"),
    [
        (told(specversion="0.3"), "attribute specversion: '0.3', expected '1.0'"),
        (told(type="hotline.gossip.v1"), "attribute type: 'hotline.gossip.v1' is not taken in here"),
        (told(time="2021-09-24"), "attribute time: text of 10 characters, expected RFC 3339"),
        (told(datacontenttype="text/xml"), "attribute datacontenttype: expected application/json"),
        (told(data=None), "data: missing"),
        (told(data="{}"), "data: Expected `object`, got `str`"),
        (told(data=[]), "data: Expected `object`, got `array`"),
        (told(data={}), "data: Object missing required field"),
        (told(data_base64="e30="), "data: stands beside data_base64, expected one of them"),
        (told(data=None, data_base64="e30"), "attribute data_base64: expected Base64 text"),
        (told(data=None, data_base64="e3 0="), "attribute data_base64: expected Base64 text"),
        (told(data=None, data_base64=7), "attribute data_base64: expected Base64 text"),
        (told(data=None, data_base64="/w=="), "value: not JSON"),
        (
            told(content_type=b"application/cloudevents-batch+json"),
            "content-type: a batch of events, expected one",
        ),
        (told(content_type=b"application/cloudevents+avro"), "content-type: a CloudEvent in another format"),
        (told(content_type=b"application/cloudevents"), "content-type: a CloudEvent in another format"),
        (told(content_type=STRUCTURED + b"; charset=gbk"), "content-type: charset: expected utf-8"),
        (msgspec.structs.replace(told(), value=None), "value: null"),
        (msgspec.structs.replace(told(), value=b""), "value: not JSON"),
        (msgspec.structs.replace(told(), value=b"[]"), "value: expected a CloudEvent as a JSON object"),
        (msgspec.structs.replace(told(), value=b'{"x": ' + b"[" * 30_000), "value: not JSON"),
        (msgspec.structs.replace(told(), value=b'{"id": "\xff"}'), "attribute id: expected text"),
        (told(extra="x" * VALUE_BYTES_MAX), f"value: {VALUE_BYTES_MAX}"),
    ],
)
def test_what_is_wrong_is_said_with_its_name(incoming: Incoming, why: str) -> None:
    if why == f"value: {VALUE_BYTES_MAX}":
        assert "bytes, expected at most 65536" in refused(incoming)
    else:
        assert refused(incoming).startswith(why)


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
)
def test_data_may_say_that_it_is_json(kind: str) -> None:
    assert same(event_of(told(datacontenttype=kind), EVERY), event_of(binary(), EVERY))
