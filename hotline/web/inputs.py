"""Refuses fields of an input that nobody reads, and names the key of its message. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec

from shared.inputs import INPUTS, CallAnswered, CallEnded, CallOffered, Input, RecordRequest
from shared.inputs.base import AboutComplaint
from shared.inputs.requests import AboutRequest
from shared.rfc3339 import decode_hook
from shared.runtime.errors import told_invalid

_UNKNOWN: Final = re.compile(
    r"Object contains unknown field `(?P<name>[^`]*)`(?: - at `\$\.?(?P<path>[^`]*)`)?"
)


class UnknownField(Exception):  # noqa: N818 -- what a client sent, not our failure
    """A field that no input of this kind has."""

    def __init__(self, field: str) -> None:
        """`field`: its path in the data."""
        super().__init__(field)
        self.field = field


def _closed(kind: Any) -> Any:
    """The same type, and no field beside those it has, at any depth."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _closed_struct(kind)
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return Annotated[(_closed(inside[0]), *inside[1:])]
    if origin is tuple and any(_holds_struct(one) for one in inside):
        return tuple[tuple(_closed(one) if one is not Ellipsis else one for one in inside)]  # type: ignore[misc]
    return kind


def _holds_struct(kind: Any) -> bool:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return True
    return any(_holds_struct(one) for one in get_args(kind))


def _closed_struct(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    fields: list[Any] = []
    for one in msgspec.structs.fields(kind):
        if one.required:
            fields.append((one.name, _closed(one.type)))
        elif one.default_factory is not msgspec.NODEFAULT:
            fields.append((one.name, _closed(one.type), msgspec.field(default_factory=one.default_factory)))
        else:
            fields.append((one.name, _closed(one.type), one.default))
    return msgspec.defstruct(
        kind.__name__, fields, namespace={"__doc__": kind.__doc__}, forbid_unknown_fields=True, kw_only=True
    )


_CLOSED: Final = {
    kind: msgspec.json.Decoder(_closed_struct(kind), dec_hook=decode_hook) for kind in INPUTS.values()
}


def closed(data: bytes, kind: type[Input]) -> None:
    """`UnknownField` names a field that this kind of input does not have; nothing else is judged here."""
    try:
        _CLOSED[kind].decode(data)
    except msgspec.ValidationError as error:
        found = _UNKNOWN.match(str(error))
        if found is not None:
            raise UnknownField(".".join(part for part in (found["path"], found["name"]) if part)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return  # its door says so


def key_of(data: Input) -> str:
    """The key of an input's message, as its line of the table of topics names it."""
    if isinstance(data, CallOffered | CallAnswered | CallEnded):
        return data.call_id
    if isinstance(data, RecordRequest):
        return data.request_id
    if isinstance(data, AboutRequest):
        return data.request_id or data.complaint_id or ""
    assert isinstance(data, AboutComplaint)  # noqa: S101 -- for the type checker
    return data.complaint_id


def invalid(error: msgspec.ValidationError, kind: type[Input]) -> str:
    """The fault of an act's body, by its field."""
    return told_invalid(error, kind)
