"""CloudEvents in binary Kafka mode, both ways, and what is wrong with a message that is not one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from shared.errors import told_invalid
from shared.inputs import INPUTS, Input
from shared.log import Incoming
from shared.wording import TextInvalid, Typed, looked_at, why_no_identifier

Headers = Sequence[tuple[str, bytes | None]]

HEADERS_MAX: Final = 64
"""Headers of a message: a CloudEvent has six, tracing and a broker's tools add a few."""

HEADERS_BYTES_MAX: Final = 16 * 1024
"""All of them together, names and values."""

VALUE_BYTES_MAX: Final = 64 * 1024
"""The largest data we take in, which bounds its depth too: CloudEvents' own bound for what intermediaries forward."""

_VERSION: Final = ("ce_specversion", b"1.0")
_JSON: Final = ("content-type", b"application/json")
_VERSIONS: Final = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}")
_TYPES: Final = re.compile(r"hotline\.[A-Za-z.]{1,80}\.v[0-9]{1,4}")
_DECODERS: Final[dict[str, msgspec.json.Decoder[Input]]] = {
    ce_type: msgspec.json.Decoder(kind) for ce_type, kind in INPUTS.items()
}


class BadInput(Exception):  # noqa: N818 -- a message to set aside, not our failure
    """A message no desk can act on; the text names the field and what was expected."""

    def __init__(self, text: str, complaint_id: str | None = None) -> None:
        """With the complaint it is parked with, where later messages must not overtake it."""
        super().__init__(text)
        self.complaint_id = complaint_id


class Event(msgspec.Struct, frozen=True, gc=False):
    """An input from outside, as a CloudEvent."""

    source: str
    id: str
    time: datetime
    data: Input
    typed: Typed = {}
    """What stands in `data` in another form than it was typed in, as it was typed."""


def input_headers(kind: type[Input], source: str, event_id: str, at: datetime) -> list[tuple[str, bytes]]:
    """The headers an outside speaker sends with an input."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", kind.TYPE.encode()),
        ("ce_source", source.encode()),
        ("ce_id", event_id.encode()),
        ("ce_time", at.astimezone(UTC).isoformat().encode()),
        ("content-type", b"application/json"),
    ]


def fact_headers(
    ce_type: bytes, fact_id: str, actor: str, version: int, caused_by: str, mark: bytes
) -> list[tuple[str, bytes]]:
    """The headers a fact travels with; its time is in its body under the fact's own name.

    `sequence` is the version in its complaint, `causationid` what led to it, `relaymark` the relay's
    own place, by which a repeat of the relay's is known.
    """
    return [
        ("ce_type", ce_type),
        ("ce_id", fact_id.encode()),
        ("ce_source", SOURCES.get(actor) or f"/hotline/{actor}".encode()),
        ("ce_sequence", b"%010d" % version),
        ("ce_causationid", caused_by.encode()),
        ("ce_relaymark", mark),
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


def _text(headers: Mapping[str, bytes | None], name: str, longest: int = 256) -> str:
    value = headers.get(name)
    if value is None:
        message = f"header {name}: missing"
        raise BadInput(message)
    if len(value) > longest:
        message = f"header {name}: {len(value)} bytes, expected at most {longest}"
        raise BadInput(message)
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        message = f"header {name}: not UTF-8"
        raise BadInput(message) from error
    if not text:
        message = f"header {name}: empty"
        raise BadInput(message)
    return text


def _bounded(message: Incoming) -> None:
    """Refuse more headers, or larger ones, than anybody needs."""
    if len(message.headers) > HEADERS_MAX:
        text = f"headers: {len(message.headers)} of them, expected at most {HEADERS_MAX}"
        raise BadInput(text)
    size = sum(len(name) + len(value or b"") for name, value in message.headers)
    if size > HEADERS_BYTES_MAX:
        text = f"headers: {size} bytes, expected at most {HEADERS_BYTES_MAX}"
        raise BadInput(text)


def event_of(message: Incoming, expected: Sequence[type[Input]]) -> Event:
    """The event a message holds; `BadInput` names what is wrong with it.

    The type is looked up by name and only then decoded, so nothing is guessed.
    """
    _bounded(message)
    headers = dict(message.headers)
    content_type = headers.get("content-type")
    if content_type is not None and content_type.lower().startswith(b"application/cloudevents"):
        text = "content-type: structured mode, expected a CloudEvent in binary mode (ce_ headers)"
        raise BadInput(text)
    version = _text(headers, "ce_specversion")
    if version != "1.0":
        text = f"header ce_specversion: {_shown(version, _VERSIONS)}, expected '1.0'"
        raise BadInput(text)
    ce_type = _text(headers, "ce_type")
    kind = INPUTS.get(ce_type)
    if kind is None or kind not in expected:
        known = ", ".join(k.TYPE for k in expected)
        text = f"header ce_type: {_shown(ce_type, _TYPES)} is not taken in here, expected one of: {known}"
        raise BadInput(text)
    source = _text(headers, "ce_source")
    event_id = _text(headers, "ce_id")
    said_at = _time(_text(headers, "ce_time"))
    value = message.value
    if value is None:
        text = "value: null, expected the event's data as JSON"
        raise BadInput(text)
    if len(value) > VALUE_BYTES_MAX:
        text = f"value: {len(value)} bytes, expected at most {VALUE_BYTES_MAX}"
        raise BadInput(text)
    try:
        data = _DECODERS[ce_type].decode(value)
    except msgspec.ValidationError as error:
        text = f"data: {told_invalid(error, kind)}"
        raise BadInput(text) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = f"value: not JSON ({error})"
        raise BadInput(text) from error
    if b"\\u0000" in value:
        _refuse_nul(data)
    return Event(source, event_id, said_at, *_looked_at(source, event_id, data))


def _looked_at(source: str, event_id: str, data: Input) -> tuple[Input, Typed]:
    """The data with every text as it must be, and how it was typed; `BadInput` names the one that cannot be taken."""
    for name, text in (("ce_source", source), ("ce_id", event_id)):
        why = why_no_identifier(text)
        if why is not None:
            message = f"header {name}: {why}"
            raise BadInput(message)
    try:
        return looked_at(data)
    except TextInvalid as error:
        text = f"data: {error}"
        raise BadInput(text) from error


def _refuse_nul(data: Input) -> None:
    """PostgreSQL stores no U+0000 in text, and a batch with one in it could never be written."""
    for name, text in msgspec.structs.asdict(data).items():
        if isinstance(text, str) and "\0" in text:
            message = f"data: {name}: holds the character U+0000, expected text without it"
            raise BadInput(message)


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"header ce_time: text of {len(text)} characters, expected RFC 3339 such as 2021-09-24T08:00:00+08:00"
        raise BadInput(message) from error
    if at.tzinfo is None:
        message = f"header ce_time: {at.isoformat()} has no time zone"
        raise BadInput(message)
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        message = f"header ce_time: {at.isoformat()} lies outside the years 1 to 9999"
        raise BadInput(message) from error


def not_ahead(event: Event, latest: datetime) -> None:
    """Refuse an event from the future; its sender's clock is wrong and no limit can be counted from it."""
    if event.time > latest:
        said, most = event.time.isoformat(), latest.isoformat()
        message = f"header ce_time: {said} lies ahead of our time, expected at most {most}"
        raise BadInput(message)
