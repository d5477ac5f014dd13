"""CloudEvents over Kafka, both ways, and what is wrong with a message that is not one.

We speak in binary mode, and take in binary and structured mode.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from shared.inputs import INPUTS, Input
from shared.log import Incoming
from shared.rfc3339 import NotAnInstant, decode_hook, instant
from shared.runtime.errors import BadInput as BadInput  # noqa: PLC0414 -- whoever hears CloudEvents finds it here
from shared.runtime.errors import told_invalid
from shared.structured import ACTOR, identity_in, is_structured, opened
from shared.wording import TextInvalid, Typed, looked_at, why_no_identifier

Headers = Sequence[tuple[str, bytes | None]]

HEADERS_MAX: Final = 64
"""Headers of a message: a CloudEvent has six, tracing and a broker's tools add a few."""

HEADERS_BYTES_MAX: Final = 16 * 1024
"""All of them together, names and values."""

VALUE_BYTES_MAX: Final = 64 * 1024
"""The largest data we take in, which bounds its depth too: CloudEvents' own bound for what intermediaries forward."""

ATTRIBUTE_BYTES_MAX: Final = 256
"""Of one attribute."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Characters that CloudEvents allows in no attribute."""
_VERSION: Final = ("ce_specversion", b"1.0")
_JSON: Final = ("content-type", b"application/json")
_ACTOR_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_VERSIONS: Final = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}")
_TYPES: Final = re.compile(r"hotline\.[A-Za-z.]{1,80}\.v[0-9]{1,4}")
_DECODERS: Final[dict[str, msgspec.json.Decoder[Input]]] = {
    ce_type: msgspec.json.Decoder(kind, dec_hook=decode_hook) for ce_type, kind in INPUTS.items()
}


class Event(msgspec.Struct, frozen=True, gc=False):
    """An input from outside, as a CloudEvent."""

    source: str
    id: str
    time: datetime
    data: Input
    structured: bool = False
    """The mode it came in; nothing but the name of an attribute in an error depends on it."""

    def called(self, attribute: str) -> str:
        """The sender's name of an attribute."""
        return called(attribute, structured=self.structured)

    typed: Typed = {}
    """Texts of `data` that stand there in another form than they were typed in, as they were typed."""
    actor_id: str = ""
    """The person who said it, by the sender's id of that person; "" where nobody is named."""


def event_headers(ce_type: str, source: str, event_id: str, at: datetime) -> list[tuple[str, bytes]]:
    """The headers of an event in binary mode that is no fact of a complaint."""
    return [
        _VERSION,
        ("ce_type", ce_type.encode()),
        ("ce_source", source.encode()),
        ("ce_id", event_id.encode()),
        ("ce_time", at.isoformat().encode()),
        _JSON,
    ]


def input_headers(kind: type[Input], source: str, event_id: str, at: datetime) -> list[tuple[str, bytes]]:
    """The headers an outside speaker sends with an input."""
    return event_headers(kind.TYPE, source, event_id, at.astimezone(UTC))


def fact_headers(
    ce_type: bytes, fact_id: str, actor: str, version: int, caused_by: str, mark: bytes, at: datetime
) -> list[tuple[str, bytes]]:
    """The headers a fact travels with; its time `at` stands in its body too, under the fact's own name.

    `sequence` is the version in its complaint, and `causationid` names its cause. `relaymark` is the relay's
    own place: a repeat of the relay's is known by it.
    """
    return [
        ("ce_type", ce_type),
        ("ce_id", fact_id.encode()),
        ("ce_source", SOURCES.get(actor) or f"/hotline/{actor}".encode()),
        ("ce_sequence", b"%010d" % version),
        ("ce_causationid", caused_by.encode()),
        ("ce_relaymark", mark),
        ("ce_time", at.isoformat().encode()),
        _VERSION,
        _JSON,
    ]


SOURCES: Final = {
    desk: f"/hotline/{desk}".encode() for desk in ("intake", "dispatch", "escalation", "feedback")
}
"""The CloudEvents source of each desk."""


def header(headers: Headers, name: str) -> bytes | None:
    """The value of a header; the last one where a name stands twice."""
    found: bytes | None = None
    for key, value in headers:
        if key == name:
            found = value
    return found


def _shown(text: str, likely: re.Pattern[str]) -> str:
    """A header's value where it is of the form it should have; else its kind, for anything may stand there."""
    return repr(text) if likely.fullmatch(text) else f"text of {len(text)} characters"


def called(attribute: str, *, structured: bool) -> str:
    """The sender's name of an attribute: a header in binary mode, a member of the event in structured mode."""
    return f"attribute {attribute}" if structured else f"header ce_{attribute}"


class _Told(msgspec.Struct, frozen=True, gc=False):
    """A message in either mode, before anything in it is believed."""

    attributes: Mapping[str, bytes | None]
    before: str
    """The prefix of an attribute's name there."""
    value: bytes | None
    structured: bool

    def text(self, attribute: str) -> str:
        """An attribute that must be there."""
        value = self.attributes.get(self.before + attribute)
        if value is None:
            raise self.bad(attribute, "missing")
        if len(value) > ATTRIBUTE_BYTES_MAX:
            raise self.bad(attribute, f"{len(value)} bytes, expected at most {ATTRIBUTE_BYTES_MAX}")
        try:
            text = value.decode()
        except UnicodeDecodeError as error:
            raise self.bad(attribute, "not UTF-8") from error
        if not text:
            raise self.bad(attribute, "empty")
        if text.isprintable():
            return text
        control = _CONTROL.search(text)
        if control is not None:
            point = ord(control[0])
            raise self.bad(attribute, f"holds the control character U+{point:04X}, expected text without any")
        return text

    def bad(self, attribute: str, what: str) -> BadInput:
        """The error for an attribute, under the name its sender knows it by."""
        return BadInput(f"{called(attribute, structured=self.structured)}: {what}")


def _told(message: Incoming) -> _Told:
    """The message's attributes and data, whatever its mode."""
    _bounded(message)
    headers = dict(message.headers)
    value = message.value
    if not is_structured(headers, value):
        return _Told(headers, "ce_", value, structured=False)
    if value is None:
        raise BadInput("value: null, expected a CloudEvent as a JSON object")
    _not_too_large(value)
    attributes, data = opened(headers.get("content-type"), value)
    return _Told(attributes, "", data, structured=True)


def named(message: Incoming) -> tuple[str | None, str | None]:
    """The message's `source` and `id`, each where it can be read, whatever else is wrong with the message."""
    headers, value = dict(message.headers), message.value
    if is_structured(headers, value):
        attributes = {} if value is None or len(value) > VALUE_BYTES_MAX else identity_in(value)
        told = _Told(attributes, "", None, structured=True)
    else:
        told = _Told(headers, "ce_", None, structured=False)
    return _readable(told, "source"), _readable(told, "id")


def _readable(told: _Told, attribute: str) -> str | None:
    try:
        return told.text(attribute)
    except BadInput:
        return None


def _not_too_large(value: bytes) -> None:
    if len(value) > VALUE_BYTES_MAX:
        raise BadInput(f"value: {len(value)} bytes, expected at most {VALUE_BYTES_MAX}")


def _bounded(message: Incoming) -> None:
    """Refuse more headers, or larger ones, than anybody needs."""
    if len(message.headers) > HEADERS_MAX:
        text = f"headers: {len(message.headers)} of them, expected at most {HEADERS_MAX}"
        raise BadInput(text)
    size = sum(len(name) + len(value or b"") for name, value in message.headers)
    if size > HEADERS_BYTES_MAX:
        text = f"headers: {size} bytes, expected at most {HEADERS_BYTES_MAX}"
        raise BadInput(text)


class ReadMessage(Incoming, frozen=True, gc=False):
    """A message whose event was read already, by `event_of` and for the same inputs: it is not read again."""

    event: Event | None = None


def event_of(message: Incoming, expected: Sequence[type[Input]]) -> Event:
    """The event a message holds; `BadInput` names what is wrong with it.

    The type is looked up by name and only then decoded, so nothing is guessed.
    """
    if isinstance(message, ReadMessage) and message.event is not None:
        return message.event
    told = _told(message)
    version = told.text("specversion")
    if version != "1.0":
        raise told.bad("specversion", f"{_shown(version, _VERSIONS)}, expected '1.0'")
    ce_type = told.text("type")
    kind = INPUTS.get(ce_type)
    if kind is None or kind not in expected:
        known = ", ".join(k.TYPE for k in expected)
        raise told.bad("type", f"{_shown(ce_type, _TYPES)} is not taken in here, expected one of: {known}")
    source = told.text("source")
    event_id = told.text("id")
    try:
        said_at = instant(told.text("time"))
    except NotAnInstant as error:
        raise told.bad("time", str(error)) from error
    data, typed = _looked_at(told, source, event_id, _decoded(ce_type, kind, told.value))
    return Event(source, event_id, said_at, data, told.structured, typed, _actor_id(told))


def _actor_id(told: _Told) -> str:
    """The person the event names; `BadInput` where that is a text which could be somebody's name."""
    if told.attributes.get(told.before + ACTOR) is None:
        return ""
    text = told.text(ACTOR)
    if _ACTOR_ID.fullmatch(text) is None:
        raise told.bad(ACTOR, "expected an id of 1 to 64 letters, digits and . _ : - (never a name)")
    return text


def _looked_at(told: _Told, source: str, event_id: str, data: Input) -> tuple[Input, Typed]:
    """The data with every text as it must be, and how it was typed; `BadInput` names the one that cannot be taken."""
    for attribute, text in (("source", source), ("id", event_id)):
        why = why_no_identifier(text)
        if why is not None:
            raise told.bad(attribute, why)
    try:
        return looked_at(data)
    except TextInvalid as error:
        raise BadInput(f"data: {error}") from error


def _decoded(ce_type: str, kind: type[Input], value: bytes | None) -> Input:
    """The data of an event."""
    if value is None:
        raise BadInput("value: null, expected the event's data as JSON")
    _not_too_large(value)
    try:
        data = _DECODERS[ce_type].decode(value)
    except msgspec.ValidationError as error:
        raise BadInput(f"data: {told_invalid(error, kind)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"value: not JSON ({error})") from error
    # JSON can hold this character in no other way, and a surrogate in none: whatever has no such text is not walked.
    if b"\\u0000" in value:
        for path, text in texts_of(data):
            if "\0" in text:
                raise BadInput(f"data: {path}: holds the character U+0000, expected text without it")
    return data


def texts_of(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a value at any depth, and where it stands.

    PostgreSQL stores no U+0000, neither in text nor in jsonb. A batch with one in it could never be written.
    A view that reads JSON would fail over the whole table.
    """
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from texts_of(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts_of(key, f"{path}: a key")
            yield from texts_of(inner, f"{path}[…]")
    elif isinstance(value, Sequence | AbstractSet) and not isinstance(value, bytes):
        for number, inner in enumerate(value):
            yield from texts_of(inner, f"{path}[{number}]")
