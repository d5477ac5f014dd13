"""CloudEvents over HTTP to messages as a door gets them: binary, structured and batch mode. Pure.

Only the envelope is looked at here. Whether an event can be taken in, its door's own checks say (`judging`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec

from hotline.web.limits import BATCH_EVENTS_MAX, DEPTH_MAX
from hotline.web.problems import HttpRefusal, ProblemKind
from shared.cloudevents import VALUE_BYTES_MAX
from shared.structured import CONTENT_TYPE as STRUCTURED
from shared.structured import REQUIRED

BATCH: Final = "application/cloudevents-batch+json"
JSON: Final = "application/json"
_CLOUDEVENTS: Final = "application/cloudevents"
_ATTRIBUTE: Final = re.compile(r"[a-z0-9]{1,64}")
_OWN: Final = frozenset((*REQUIRED, "datacontenttype", "dataschema", "subject", "data", "data_base64"))
_OPENING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')

_lists: Final = msgspec.json.Decoder(list[msgspec.Raw])
_objects: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class HttpEvent(NamedTuple):
    """An event as it will stand in Kafka: its headers and its value."""

    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes
    place: int | None = None
    """Its place in a batch; None where it came alone."""


def events_in(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> list[HttpEvent]:
    """The events of a request; `HttpRefusal` where its content is none. `headers`: names in small letters."""
    told = [(name.decode("latin-1"), value) for name, value in headers]
    content_type = next((value for name, value in told if name == "content-type"), b"").decode("latin-1")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == BATCH:
        return _batch(body)
    if kind == STRUCTURED:
        return [_structured(body, content_type.encode("latin-1"), None)]
    if kind != JSON and (kind.startswith(_CLOUDEVENTS) or not kind.endswith("+json")):
        expected = f"{JSON} with ce- headers, {STRUCTURED} or {BATCH}"
        raise HttpRefusal(
            ProblemKind.WRONG_TYPE, "The content type is no event's.", field="content-type", expected=expected
        )
    _shallow(body, None)
    attributes = tuple((f"ce_{name[3:]}", _text_of(name, value)) for name, value in told if name[:3] == "ce-")
    return [HttpEvent((*attributes, ("content-type", JSON.encode())), body)]


def _text_of(name: str, value: bytes) -> bytes:
    """The value of a `ce-` header: UTF-8, percent-encoded."""
    if b"%" not in value and value.isascii():
        return value
    found = unquote_to_bytes(value)
    try:
        found.decode()
    except UnicodeDecodeError:
        detail = f"Header {name}: expected percent-encoded UTF-8."
        raise HttpRefusal(
            ProblemKind.BAD_EVENT, detail, field=name, expected="percent-encoded UTF-8"
        ) from None
    return found


def _batch(body: bytes) -> list[HttpEvent]:
    try:
        found = _lists.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise HttpRefusal(
            ProblemKind.BAD_EVENT,
            "The body is no JSON array of events.",
            expected="a JSON array of CloudEvents",
        ) from None
    if not 1 <= len(found) <= BATCH_EVENTS_MAX:
        detail = f"The batch has {len(found)} events."
        raise HttpRefusal(ProblemKind.BAD_EVENT, detail, expected=f"1 to {BATCH_EVENTS_MAX} events")
    kind = STRUCTURED.encode()
    return [_structured(bytes(raw), kind, index) for index, raw in enumerate(found)]


def _structured(value: bytes, content_type: bytes, index: int | None) -> HttpEvent:
    _shallow(value, index)
    try:
        members = _objects.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise HttpRefusal(
            ProblemKind.BAD_EVENT,
            "The event is no JSON object.",
            expected="a CloudEvent as a JSON object",
            **at(index),
        ) from None
    for name, raw in members.items():
        known = name in _OWN
        if known or (_ATTRIBUTE.fullmatch(name) and bytes(raw)[:1] not in {b"{", b"["}):
            continue
        raise HttpRefusal(
            ProblemKind.BAD_EVENT,
            "The event has a member that is no attribute of a CloudEvent.",
            field=name[:64],
            expected="a name of small letters and digits, and a text, number or truth value",
            **at(index),
        )
    return HttpEvent((("content-type", content_type),), value, index)


def _shallow(value: bytes, index: int | None) -> None:
    """Refuse what is too large or nested too deep."""
    if len(value) > VALUE_BYTES_MAX:
        detail = f"The event has {len(value)} bytes, expected at most {VALUE_BYTES_MAX}."
        raise HttpRefusal(ProblemKind.TOO_LARGE, detail, **at(index))
    if depth_of(value) > DEPTH_MAX:
        detail = f"The event is nested deeper than {DEPTH_MAX}."
        raise HttpRefusal(ProblemKind.BAD_EVENT, detail, expected=f"at most {DEPTH_MAX} levels", **at(index))


def at(index: int | None) -> dict[str, Any]:
    """The member of a problem that says which event of a batch it is."""
    return {} if index is None else {"index": index}


def depth_of(value: bytes) -> int:
    """How deep this JSON is nested; counted only where it has enough brackets to be too deep."""
    brackets = value.count(b"{") + value.count(b"[")
    if brackets <= DEPTH_MAX:
        return brackets
    depth = deepest = 0
    for found in _OPENING.finditer(value):
        first = found[0][:1]
        if first in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"}]":
            depth -= 1
    return deepest
