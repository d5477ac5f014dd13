"""CloudEvents in structured mode: the whole event is the message's value, as JSON.

Kafka's binding of CloudEvents tells the modes apart by `content-type`. In structured mode it begins with
`application/cloudevents`; then the `ce_` headers say nothing. One extension attribute is
read, `actorid`; others are ignored, as unknown headers are.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec

from shared.runtime.errors import BadInput

CONTENT_TYPE: Final = "application/cloudevents+json"

REQUIRED: Final = ("specversion", "type", "source", "id", "time")
"""Attributes an input must have. CloudEvents leaves the time to us; no limit could be counted without."""

ACTOR: Final = "actorid"
"""The extension attribute that names the person who said it, by an id and never by a name (decision 0063)."""

_PREFIX: Final = b"application/cloudevents"
_BATCH: Final = b"application/cloudevents-batch"
_ABSENT: Final = (b"", b"null")


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    """The attributes we read, as they stand there; each is looked at by itself, so that an error names it."""

    specversion: msgspec.Raw = msgspec.Raw()
    type: msgspec.Raw = msgspec.Raw()
    source: msgspec.Raw = msgspec.Raw()
    id: msgspec.Raw = msgspec.Raw()
    time: msgspec.Raw = msgspec.Raw()
    datacontenttype: msgspec.Raw = msgspec.Raw()
    actorid: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()
    data_base64: msgspec.Raw = msgspec.Raw()


_ENVELOPES: Final = msgspec.json.Decoder(_Envelope)
_TEXTS: Final = msgspec.json.Decoder(str)


class Opened(NamedTuple):
    """An event in structured mode, taken apart."""

    attributes: dict[str, bytes | None]
    """The attributes as the `ce_` headers of binary mode, by the attribute's name."""
    data: bytes
    """The data as the value of binary mode."""


def is_structured(headers: Mapping[str, bytes | None], value: bytes | None) -> bool:
    """Whether the message is in structured mode (or in batch mode, which `opened` refuses); `content-type` decides.

    A message without one `ce_` header cannot be in binary mode. Where its value then says `specversion`, it is taken as
    meant: CloudEvents' own library for Python 1.x gives structured mode the data's `content-type`, or none.
    """
    content_type = headers.get("content-type")
    if content_type is not None and content_type[: len(_PREFIX)].lower() == _PREFIX:
        return True
    if "ce_specversion" in headers or value is None or b'"specversion"' not in value:
        return False
    return not any(name.startswith("ce_") for name in headers)


def opened(content_type: bytes | None, value: bytes) -> Opened:
    """Take an event in structured mode apart; `BadInput` names what is wrong with it."""
    if content_type is not None:
        _readable(content_type)
    try:
        envelope = _ENVELOPES.decode(value)
    except msgspec.ValidationError as error:
        raise BadInput("value: expected a CloudEvent as a JSON object") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"value: not JSON ({error})") from error
    attributes = {
        name: _attribute(name, getattr(envelope, name)) for name in (*REQUIRED, ACTOR, "datacontenttype")
    }
    for name in REQUIRED:
        if attributes[name] is None:
            raise BadInput(f"attribute {name}: missing")
    _is_json(attributes["datacontenttype"])
    return Opened(attributes, _data(bytes(envelope.data), bytes(envelope.data_base64)))


def identity_in(value: bytes) -> dict[str, bytes | None]:
    """The attributes `source` and `id` of an event, each where it can be read; {} where nothing can."""
    try:
        envelope = _ENVELOPES.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    found: dict[str, bytes | None] = {}
    for name in ("source", "id"):
        with suppress(BadInput):
            found[name] = _attribute(name, getattr(envelope, name))
    return found


def _readable(content_type: bytes) -> None:
    """Refuse what is no single event in JSON and UTF-8."""
    kind, *parameters = content_type.lower().split(b";")
    kind = kind.strip()
    if kind.startswith(_BATCH):
        raise BadInput(f"content-type: a batch of events, expected one event a message ({CONTENT_TYPE})")
    if kind.startswith(_PREFIX) and kind != CONTENT_TYPE.encode():
        raise BadInput(f"content-type: a CloudEvent in another format, expected {CONTENT_TYPE}")
    for parameter in parameters:
        name, _, said = parameter.partition(b"=")
        if name.strip() == b"charset" and said.strip().strip(b'"') not in {b"utf-8", b"utf8", b"us-ascii"}:
            raise BadInput("content-type: charset: expected utf-8")


def _attribute(name: str, raw: msgspec.Raw) -> bytes | None:
    """An attribute's text; None where there is none, for null means the same as being absent."""
    stands = bytes(raw)
    if stands in _ABSENT:
        return None
    try:
        return _TEXTS.decode(stands).encode()
    except ValueError as error:  # another kind of value, or no UTF-8
        raise BadInput(f"attribute {name}: expected text") from error


def _is_json(content_type: bytes | None) -> None:
    """Refuse data that says itself that it is no JSON."""
    if content_type is None:
        return
    kind = content_type.lower().partition(b";")[0].strip()
    if kind.rpartition(b"/")[2] != b"json" and not kind.endswith(b"+json"):
        raise BadInput("attribute datacontenttype: expected application/json")


def _data(data: bytes, in_base64: bytes) -> bytes:
    """The event's data as JSON, however it is carried."""
    if in_base64 in _ABSENT:
        if data in _ABSENT:
            raise BadInput("data: missing, expected the event's data as JSON")
        return data
    if data not in _ABSENT:
        raise BadInput("data: stands beside data_base64, expected one of them")
    try:
        return b64decode(_TEXTS.decode(in_base64), validate=True)
    except ValueError as error:  # msgspec's errors and those of base64 are of this kind
        raise BadInput("attribute data_base64: expected Base64 text") from error
