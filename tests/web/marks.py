"""Marks that look like a citizen's data, the places of HTTP where one can be planted, and how one is found again.

The places follow from the table of routes and from the messages' own fields: a new route or field is among them by
itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from hotline.contract.examples.told import input_example
from hotline.web.contact_seal import GivenContact
from hotline.web.open311.contacts import NAMED
from hotline.web.roles import LINE_OF
from hotline.web.route_shapes import HttpParameter, HttpRoute, TakenBody
from hotline.web.routes import ROUTES
from services.intake.numbers_in_texts import FIELDS, is_identity
from shared.inputs import Input, RecordRequest
from shared.structured import CONTENT_TYPE

_CHECKS: Final = "0123456789X"
_SEEN: Final = re.compile(rb"q[nae][0-9]{5}z|139[0-9]{8}|110105[0-9]{11}[0-9x]")
_HEX: Final = re.compile(rb"\\x([0-9a-f]+)")
UNKNOWN: Final = "nobody_reads_this"


class Mark(NamedTuple):
    """A citizen who stands in one place alone: by any of these five that place is known again."""

    number: int

    @property
    def name(self) -> str:
        return f"王QN{self.number:05d}Z"

    @property
    def address(self) -> str:
        return f"QA{self.number:05d}Z街5号"

    @property
    def email(self) -> str:
        return f"qe{self.number:05d}z@example.org"

    @property
    def phone(self) -> str:
        return f"139{self.number:08d}"

    @property
    def identity(self) -> str:
        born = date(1960, 1, 1) + timedelta(days=self.number // 1000)
        digits = f"110105{born:%Y%m%d}{self.number % 1000:03d}"
        return next(digits + check for check in _CHECKS if is_identity(digits + check))

    @property
    def words(self) -> str:
        """All five in one text."""
        return f"{self.name} {self.address} {self.email} {self.phone} {self.identity}"

    @property
    def tokens(self) -> frozenset[bytes]:
        """By which it is found, in small letters."""
        return self.letters | self.digits

    @property
    def letters(self) -> frozenset[bytes]:
        return frozenset(f"q{one}{self.number:05d}z".encode() for one in "nae")

    @property
    def digits(self) -> frozenset[bytes]:
        return frozenset({self.phone.encode(), self.identity.lower().encode()})


def tokens_in(data: bytes) -> set[bytes]:
    """Every token of any mark in these bytes, written plainly or in hexadecimal digits."""
    small = data.lower()
    found = set(_SEEN.findall(small))
    for digits in _HEX.findall(small):
        found |= set(_SEEN.findall(bytes.fromhex(digits[: len(digits) & ~1].decode()).lower()))
    return found


class FieldKind(StrEnum):
    """The kind of field that a mark is planted in."""

    CONTACT = "contact"
    """Sealed into the vault, or not kept at all."""
    TEXT = "text"
    """A citizen's free text that intake looks through."""
    SAID = "said"
    """Any other field of a message."""
    ASKED = "asked"
    """A parameter, a header, a path: it is no part of a message."""
    REASON = "reason"
    """Why a contact is read: it is written down in the access log."""
    BROKEN = "broken"
    """A field that nobody reads, or a body that is none."""


class Planted(NamedTuple):
    """One request with a mark in one place."""

    route: HttpRoute
    role: str
    field: str
    kind: FieldKind
    path: str
    how: Mapping[str, Any]


class Givens(NamedTuple):
    """The complaints that the requests name, so that they get as far as they can."""

    complaint: str
    unit: str
    source: Mapping[str, str]
    """By role the CloudEvents source of its key."""
    form: Mapping[str, str]
    """A form of Open311 that is taken."""
    request: Mapping[str, Any]
    """A request that is recorded; its `request_id` is made anew each time."""


def planted(marks: Iterator[Mark], given: Givens) -> Iterator[tuple[Mark, Planted]]:
    """A request for each place of each route, each with a mark of its own."""
    for route in ROUTES:
        for role in route.roles:
            yield from _of_route(route, role, marks, given)


def _of_route(
    route: HttpRoute, role: str, marks: Iterator[Mark], given: Givens
) -> Iterator[tuple[Mark, Planted]]:
    def one(mark: Mark, field: str, kind: FieldKind, path: str = "", **how: Any) -> tuple[Mark, Planted]:
        return mark, Planted(route, role, field, kind, path or _path(route, given), how)

    for parameter in route.parameters:
        mark = next(marks)
        path, how = _parameter(route, parameter, mark, given)
        kind = FieldKind.REASON if parameter.name == "reason" else FieldKind.ASKED
        if parameter.name == "Idempotency-Key":
            kind = FieldKind.SAID  # it is the id of the event
        yield one(mark, f"{parameter.at} {parameter.name}", kind, path, **(_good(route, role, given) | how))
    if route.takes is TakenBody.NONE:
        return
    mark = next(marks)
    json_type = {"Content-Type": "application/json"}
    yield one(
        mark, "a body that is none", FieldKind.BROKEN, content=f'{{"x": "{mark.words}', headers=json_type
    )
    match route.takes:
        case TakenBody.INPUT:
            assert route.input is not None
            for field, kind, mark, data in _data_of(route.input, marks, given):
                yield one(mark, field, kind, json=data)
            if route.beside:
                for field, mark, contact in _contacts(marks):
                    yield one(
                        mark, f"contact.{field}", FieldKind.CONTACT, json=_data(route.input, given) | contact
                    )
        case TakenBody.CONTACT:
            mark = next(marks)
            body = {"request_id": mark.words, "contact": {"name": "李梅"}}
            yield one(mark, "request_id", FieldKind.ASKED, json=body)
            for field, mark, contact in _contacts(marks):
                body = {"request_id": f"sealed-{mark.number}", **contact}
                yield one(mark, f"contact.{field}", FieldKind.CONTACT, json=body)
        case TakenBody.FORM:
            for name in (*route.form, "attribute[title]", "attribute[street]", UNKNOWN):
                mark = next(marks)
                yield one(
                    mark, name, _kind_in_form(name), data=dict(given.form) | {name: _in_form(name, mark)}
                )
        case TakenBody.EVENTS:
            yield from (one(mark, *told, **how) for mark, told, how in _events(role, marks, given))


def _kind_in_form(name: str) -> FieldKind:
    if name in {*NAMED, "device_id", "deviceid", "account_id"}:
        return FieldKind.CONTACT
    if name == UNKNOWN:
        return FieldKind.BROKEN
    return FieldKind.TEXT if name in {"description", "address_string", "attribute[title]"} else FieldKind.SAID


def _in_form(name: str, mark: Mark) -> str:
    return {"phone": mark.phone, "email": mark.email, "first_name": mark.name, "last_name": mark.name}.get(
        name, mark.words
    )


def _path(route: HttpRoute, given: Givens) -> str:
    path = route.path.replace("{complaint}", given.complaint).replace("{unit}", given.unit)
    return re.sub(r"\{\w+\}", "none", path.replace("{format}", "json"))


def _parameter(
    route: HttpRoute, parameter: HttpParameter, mark: Mark, given: Givens
) -> tuple[str, dict[str, Any]]:
    if parameter.at == "path":
        path = route.path.replace(f"{{{parameter.name}}}", mark.words.replace(" ", "%20"))
        return _path(with_path(route, path), given), {}
    if parameter.at == "query":
        return "", {"params": {parameter.name: mark.words}}
    return "", {
        "headers": {parameter.name: mark.words.replace(mark.name, mark.name[1:]).replace("街5号", "")}
    }


def with_path(route: HttpRoute, path: str) -> HttpRoute:
    """The route with another path."""
    return replace(route, path=path)


def _good(route: HttpRoute, role: str, given: Givens) -> dict[str, Any]:
    """A body that the route takes, where it takes one."""
    match route.takes:
        case TakenBody.INPUT:
            assert route.input is not None
            return {"json": _data(route.input, given)}
        case TakenBody.FORM:
            return {"data": dict(given.form)}
        case TakenBody.CONTACT:
            return {"json": {"request_id": "good", "contact": {"name": "李梅"}}}
        case TakenBody.EVENTS:
            kind = LINE_OF[role].inputs[0]
            event = _event(kind, role, given, _data(kind, given))
            return {"content": json.dumps(event), "headers": {"Content-Type": CONTENT_TYPE}}
        case _:
            return {}


_numbers = iter(range(1, 1_000_000))


def _data(kind: type[Input], given: Givens) -> dict[str, Any]:
    """Data that is about the complaint, as far as it can be."""
    data: dict[str, Any] = dict(input_example(kind)["payload"])
    if kind is RecordRequest:
        return {**given.request, "request_id": f"marks-{next(_numbers)}"}
    if "complaint_id" in kind.__struct_fields__:
        data["complaint_id"] = given.complaint
        data.pop("request_id", None)
    if "assignment" in kind.__struct_fields__:
        data["assignment"] = 1
    return data


def _data_of(
    kind: type[Input], marks: Iterator[Mark], given: Givens
) -> Iterator[tuple[str, FieldKind, Mark, dict[str, Any]]]:
    """Each field of an input with a mark in it, and one that nobody reads."""
    for name in (*kind.__struct_fields__, UNKNOWN):
        mark = next(marks)
        kind_of = FieldKind.TEXT if name in FIELDS.get(kind, ()) else FieldKind.SAID
        if name == UNKNOWN:
            kind_of = FieldKind.BROKEN
        value = mark.words[:128] if name.endswith("_id") else mark.words
        yield f"{kind.__name__}.{name}", kind_of, mark, _data(kind, given) | {name: value}


def _contacts(marks: Iterator[Mark]) -> Iterator[tuple[str, Mark, dict[str, Any]]]:
    """Each field of a contact by itself, all together, and one that cannot be kept."""
    for name in GivenContact.__struct_fields__:
        mark = next(marks)
        value = mark.phone if name == "callback" else getattr(mark, name)
        yield name, mark, {"contact": {name: value}}
    mark = next(marks)
    whole = {"name": mark.name, "phone": mark.phone, "email": mark.email, "address": mark.address}
    yield "all of them", mark, {"contact": whole}
    for wrong in ({"phone": "words"}, {UNKNOWN: "words"}):
        mark = next(marks)
        (name,) = wrong
        yield f"{name} that cannot be kept", mark, {"contact": {name: mark.words}}
    mark = next(marks)
    yield "no object", mark, {"contact": mark.words}


def _event(kind: type[Input], role: str, given: Givens, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": kind.TYPE,
        "source": given.source[role],
        "id": f"event-{next(_numbers)}",
        "time": datetime.now(UTC).isoformat(),
        "data": dict(data),
    }


def _events(
    role: str, marks: Iterator[Mark], given: Givens
) -> Iterator[tuple[Mark, tuple[str, FieldKind], dict[str, Any]]]:
    headers = {"Content-Type": CONTENT_TYPE}
    for kind in LINE_OF[role].inputs:
        for field, kind_of, mark, data in _data_of(kind, marks, given):
            event = _event(kind, role, given, data)
            yield mark, (field, kind_of), {"content": json.dumps(event), "headers": headers}
        if kind is RecordRequest:
            mark = next(marks)
            event = _event(kind, role, given, _data(kind, given) | {"contact": {"phone": mark.phone}})
            yield mark, ("contact", FieldKind.BROKEN), {"content": json.dumps(event), "headers": headers}
    kind = LINE_OF[role].inputs[0]
    for name in ("specversion", "type", "source", "id", "time", "subject", "datacontenttype", "extension"):
        mark = next(marks)
        event = _event(kind, role, given, _data(kind, given)) | {name: mark.words}
        kind_of = FieldKind.SAID if name in {"id", "subject", "extension"} else FieldKind.BROKEN
        yield mark, (f"event.{name}", kind_of), {"content": json.dumps(event), "headers": headers}
