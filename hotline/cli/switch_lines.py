"""A switch's events as they were recorded: a JSON object a line, whoever saved the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from services.intake.pbx.event import SwitchEventInvalid
from shared.text_file import text_in

_LINE_ENDS: Final = re.compile(rb"\r\n|\r|\n")
_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def lines_in(read: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of what is read, also where a carriage return alone ends them: in JSON none stands within."""
    for some in read:
        yield from _LINE_ENDS.split(some.rstrip(b"\r\n"))


def event_of(line: bytes, number: int) -> dict[str, str]:
    """The fields of one event as text; a number stands as it was written, as some exporters write it without quotes.

    Raises `FileUnreadable` where it is no text, `SwitchEventInvalid` where it is no event; both are said to a person.
    """
    text = text_in(line, f"line {number}", "an event as a JSON object")
    try:
        return {name: _text(name, value) for name, value in _fields.decode(text).items()}
    except msgspec.DecodeError as error:
        raise SwitchEventInvalid(f"no event ({error}), expected a JSON object") from None


def _text(name: str, value: msgspec.Raw) -> str:
    raw = bytes(value).strip()
    if raw.startswith(b'"'):
        return msgspec.json.decode(raw, type=str)
    if raw.startswith((b"{", b"[")):
        raise SwitchEventInvalid(f"{name}: expected text or a number")
    return "" if raw == b"null" else raw.decode("ascii")
