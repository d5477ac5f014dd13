"""Ways to spoil a good message, each one a kind: what is wrong, and which name the reason must hold.

Pure, and for every input by the table of inputs alone: the tests of one door, of all doors and the fuzz use the same.
A message is its headers and its value, as its sender sends it; `whole` gives one with every field it may have.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from enum import Enum
from random import Random
from types import UnionType
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin

import msgspec

from shared.inputs import Input
from shared.plausible import TIME_FIELDS
from shared.rfc3339 import ToldInstant

Headers = Sequence[tuple[str, bytes | None]]
Path = tuple[str | int, ...]


class Spoiled(NamedTuple):
    """A message that cannot be taken in, and what its reason must hold."""

    headers: list[tuple[str, bytes | None]]
    value: bytes | None
    names: tuple[str, ...]
    behind: bytes | None = None
    """The key of a good message that it must come behind, where it is bad only because of that one."""


# -- a message with everything in it


def whole(data: Input, headers: Headers) -> dict[str, Any]:
    """The example as JSON, with a value in every field it leaves out, at any depth; its times are its event's."""
    said: dict[str, Any] = json.loads(msgspec.json.encode(data))
    now = next((told or b"").decode() for name, told in headers if name == "ce_time")
    for field in msgspec.structs.fields(type(data)):
        if field.name.endswith("_complaint") or (field.name == "complaint_id" and "request_id" in said):
            continue  # it is named already, by a request's number
        if said.get(field.name) in (None, [], ""):
            said[field.name] = _filled(field.type, now)
    for place in time_places(type(data)):
        said = put(said, place, now)
    return said


def _filled(kind: Any, now: str) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        patterns = [meta.pattern for meta in arguments[1:] if getattr(meta, "pattern", None)]
        return _OF_PATTERN[patterns[0]] if patterns else _filled(arguments[0], now)
    if origin in (Union, UnionType):
        return _filled(next(one for one in arguments if one is not type(None)), now)
    if origin is tuple:
        return [_filled(arguments[0], now)]
    if kind is ToldInstant:
        return now
    if issubclass(kind, msgspec.Struct):
        return {field.name: _filled(field.type, now) for field in msgspec.structs.fields(kind)}
    if issubclass(kind, Enum):
        return next(iter(kind)).value
    return {str: "x", int: 1, bool: False}[kind]


_OF_PATTERN: Final = {
    "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$": "0" * 8 + "-0000-0000-0000-" + "0" * 12,
    "^[0-9a-f]{32}$": "0" * 32,
    "^[0-9a-f]{64}$": "0" * 64,
    "^(audio|image|video|text|application)/[A-Za-z0-9.+-]{1,80}$": "image/png",
    r"^[a-z][a-z0-9+.-]{1,20}:[^\s\x00-\x1f\x7f-\x9f]{1,400}$": "s3:photo.jpg",
}


def texts(said: Any, path: Path = ()) -> Iterator[Path]:
    """Where texts stand in a JSON value."""
    if isinstance(said, str):
        yield path
    elif isinstance(said, dict):
        for name, inner in said.items():
            yield from texts(inner, (*path, name))
    elif isinstance(said, list):
        for number, inner in enumerate(said):
            yield from texts(inner, (*path, number))


def at(said: Any, path: Path) -> Any:
    """What stands there."""
    for step in path:
        said = said[step]
    return said


def put(said: Any, path: Path, leaf: Any) -> Any:
    """The same JSON value with another leaf."""
    if not path:
        return leaf
    changed = dict(said) if isinstance(said, dict) else list(said)
    changed[path[0]] = put(said[path[0]], path[1:], leaf)
    return changed


def names_of(path: Path) -> tuple[str, ...]:
    """The names a reason must hold that speaks of this place."""
    return tuple(step for step in path if isinstance(step, str))


# -- A1: times that cannot be

IMPLAUSIBLE: Final = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00.000001Z",
    "0001-01-01T00:00:00+14:00",
    "0001-12-31T23:59:59.999999Z",
    "1900-01-01T00:00:00Z",
    "1969-12-31T23:59:59.999999Z",
    "1970-01-01T00:00:00Z",
    "9999-12-31T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59.9999999Z",
    "9999-12-31T23:59:60Z",
    "9999-12-31T23:59:59-23:59",
    "0000-01-01T00:00:00Z",
)
"""Both ends of all time and what drivers and people put there, the zones and roundings that go over the edge beside."""

# -- C11: what RFC 3339 does not allow

NOT_RFC3339: Final = (
    "",
    "yesterday",
    "17",
    "2021-09-24",
    "2021-09-24T08:30:00",
    "2021-09-24 08:30:00Z",
    "2021-09-24_08:30:00Z",
    "2021-09-24T08:30Z",
    "2021-09-24T08:30:00,5Z",
    "2021-09-24T08:30:00.Z",
    "2021-09-24T08:30:00+0800",
    "2021-09-24T08:30:00+08",
    "2021-09-24T08:30:00+08:00:00",
    "2021-09-24T08:30:00+08:60",
    "2021-09-24T08:30:00+24:00",
    "2021-09-24T08:30:00 +08:00",
    "2021-09-24T24:00:00Z",
    "2021-09-24T08:60:00Z",
    "2021-09-24T08:30:61Z",
    "2021-02-29T08:30:00Z",
    "2021-00-24T08:30:00Z",
    "20210924T083000Z",
    "2021-W38-5T08:30:00Z",
    "2021-267T08:30:00Z",
    "+2021-09-24T08:30:00Z",
    "12021-09-24T08:30:00Z",
    "2021-9-24T08:30:00Z",
    "２０２１-09-24T08:30:00Z",
    "2021-09-24T08:30:00Z\n",
    " 2021-09-24T08:30:00Z",
    "2021-09-24T08:30:00UTC",
    "2021-09-24T08:30:00.1" + "0" * 300 + "Z",
)


def _in_a_header(headers: Headers, value: bytes, text: str) -> Spoiled:
    kept = [pair for pair in headers if pair[0] != "ce_time"]
    return Spoiled([*kept, ("ce_time", text.encode())], value, ("header ce_time",))


def time_places(kind: type[Input]) -> list[Path]:
    """Where an input carries times."""
    return [tuple(0 if step == "[]" else step for step in field.steps) for field in TIME_FIELDS[kind]]


def bad_time(random: Random, headers: Headers, data: Input) -> Spoiled:
    """A time that cannot be, or no time, in the header or in any field of the payload."""
    said = whole(data, headers)
    places = time_places(type(data))
    text = random.choice([*IMPLAUSIBLE, *NOT_RFC3339])
    if not places or random.random() < 0.5:
        return _in_a_header(headers, json.dumps(said).encode(), text)
    place = random.choice(places)
    return Spoiled(list(headers), json.dumps(put(said, place, text)).encode(), names_of(place))


# -- A2: texts nothing can store

UNSTORABLE: Final = ("\0", "x\0", "\0x", "x\0x", "x" * 60 + "\0")


def bad_text(random: Random, headers: Headers, data: Input) -> Spoiled:
    """U+0000 or half a surrogate pair in any text at any depth, written as JSON can write it."""
    said = whole(data, headers)
    place = random.choice(list(texts(said)))
    good = at(said, place)
    if random.random() < 0.2:
        half = random.choice([r"\ud800", r"\udfff", r"\ud83dx", r"\ude00\ud83d"])
        value = json.dumps(put(said, place, "MARK")).replace('"MARK"', f'"{half}"')
        return Spoiled(list(headers), value.encode(), ("value: not JSON",))
    text = random.choice([good + "\0", "\0" + good, *UNSTORABLE])
    return Spoiled(list(headers), json.dumps(put(said, place, text)).encode(), names_of(place))


def bad_attribute(random: Random, headers: Headers, value: bytes) -> Spoiled:
    """A control character in a header that is kept or compared."""
    name = random.choice(["ce_source", "ce_id", "ce_type"])
    control = random.choice([b"\0", b"a\0b", b"/x\n", b"\x1b[31m", b"\x7f", "\x85".encode()])
    kept = [pair for pair in headers if pair[0] != name]
    return Spoiled([*kept, (name, control)], value, (f"header {name}", "control character"))


# -- structured mode

STRUCTURED: Final = b"application/cloudevents+json"


def structured(
    headers: Headers,
    value: bytes,
    *,
    content_type: bytes = STRUCTURED,
    in_base64: bool = False,
    **changes: Any,
) -> tuple[list[tuple[str, bytes | None]], bytes]:
    """The same event in structured mode, with members changed; None leaves one out."""
    event: dict[str, Any] = {
        name.removeprefix("ce_"): (told or b"").decode() for name, told in headers if name.startswith("ce_")
    }
    event["datacontenttype"] = "application/json"
    if in_base64:
        event["data_base64"] = b64encode(value).decode()
    else:
        event["data"] = json.loads(value)
    event |= changes
    event = {name: said for name, said in event.items() if said is not None}
    return [("content-type", content_type)], json.dumps(event).encode()


def bad_structure(random: Random, headers: Headers, value: bytes) -> Spoiled:
    """An event in structured mode with one thing wrong."""
    name = random.choice(["specversion", "type", "source", "id", "time"])
    wrong: dict[str, tuple[dict[str, Any], str]] = {
        "gone": ({name: None}, f"attribute {name}: missing"),
        "no text": ({name: random.choice([7, True, [], {}, 1.5])}, f"attribute {name}"),
        "empty": ({name: ""}, f"attribute {name}"),
        "long": ({name: "x" * 300}, f"attribute {name}: 300 bytes"),
        "control": ({name: "a\0b"}, f"attribute {name}"),
        "time": ({"time": random.choice([*IMPLAUSIBLE, *NOT_RFC3339])}, "attribute time"),
        "version": ({"specversion": "0.3"}, "attribute specversion"),
        "type": ({"type": "hotline.gossip.v1"}, "attribute type"),
        "no data": ({"data": None}, "data: missing"),
        "data of another kind": ({"data": random.choice([7, "text", [], True])}, "data: Expected `object`"),
        "both": ({"data_base64": "e30="}, "data: stands beside data_base64"),
        "no Base64": ({"data": None, "data_base64": random.choice(["?", "e30", 7])}, "data_base64"),
        "not JSON inside": ({"data": None, "data_base64": "eHg="}, "value: not JSON"),
        "another format inside": ({"datacontenttype": "text/xml"}, "attribute datacontenttype"),
    }
    changes, names = wrong[random.choice(list(wrong))]
    spoilt, whole_value = structured(headers, value, **changes)
    kinds: list[tuple[bytes, bytes, str]] = [
        (b"application/cloudevents-batch+json", b"[" + whole_value + b"]", "content-type: a batch of events"),
        (b"application/cloudevents+avro", whole_value, "content-type: a CloudEvent in another format"),
        (STRUCTURED + b"; charset=gbk", whole_value, "content-type: charset"),
        (STRUCTURED, b"[]", "value: expected a CloudEvent"),
        (STRUCTURED, whole_value[:-1], "value: not JSON"),
        (STRUCTURED, b"", "value: not JSON"),
        (STRUCTURED, whole_value + b" " * 70_000, "value: "),
    ]
    if random.random() < 0.3:
        content_type, changed, names = random.choice(kinds)
        return Spoiled([("content-type", content_type)], changed, (names,))
    return Spoiled(spoilt, whole_value, (names,))


def bad_text_structured(random: Random, headers: Headers, data: Input) -> Spoiled:
    """What no store can hold, or a time that cannot be, told in structured mode, plain or in Base64."""
    spoil = random.choice([bad_text, bad_time])
    bad = spoil(random, headers, data)
    if bad.value is None or bad.names == ("value: not JSON",):
        return bad
    names = tuple("attribute time" if name == "header ce_time" else name for name in bad.names)
    told, value = structured(bad.headers, bad.value, in_base64=random.random() < 0.5)
    return Spoiled(told, value, names)
