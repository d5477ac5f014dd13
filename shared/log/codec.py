"""Facts to bytes and back, by the name and version of their type; nothing is ever guessed.

The same fact always gives the same bytes: fields in declaration order, times in UTC. An old shape is
read through its upcaster, a pure step from one version to the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from shared.events import SPEAKERS, Fact

TYPES: Final[dict[str, type[Fact]]] = {kind.__name__: kind for kind in SPEAKERS}
"""Every fact by the name it is stored under."""

UPCASTERS: Final[dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]]] = {}
"""From (name, version) to the fields of the next version; empty while every shape is its first."""

_CE_TYPES: Final[dict[tuple[str, int], bytes]] = {}
_BY_CE_TYPE: Final[dict[bytes, tuple[str, int]]] = {
    f"hotline.{name}.v{version}".encode(): (name, version)
    for name, kind in TYPES.items()
    for version in range(1, kind.SCHEMA + 1)
}

_CE_TYPE: Final = re.compile(rb"hotline\.([A-Z][A-Za-z]{0,79})\.v([1-9][0-9]{0,3})")

_encoder: Final = msgspec.json.Encoder(order=None)
_decoders: Final[dict[str, msgspec.json.Decoder[Fact]]] = {
    name: msgspec.json.Decoder(kind) for name, kind in TYPES.items()
}


class UnknownType(Exception):  # noqa: N818 -- a message of a newer system, not our failure
    """A fact of a type or version this code does not know."""


def not_known(name: str, schema_version: int) -> str:
    """The text of an `UnknownType`; a later release finds what waits by it, so it never changes."""
    return f"fact type '{name}' version {schema_version} is not known here"


def encoded(fact: Fact) -> bytes:
    """The canonical bytes of a fact."""
    return _encoder.encode(fact)


def decoded(name: str, schema_version: int, body: bytes) -> Fact:
    """The fact these bytes hold; `UnknownType` where this code is older than the fact."""
    kind = TYPES.get(name)
    if kind is None or schema_version > kind.SCHEMA:
        raise UnknownType(not_known(name, schema_version))
    if schema_version == kind.SCHEMA:
        return _decoders[name].decode(body)
    fields: dict[str, Any] = msgspec.json.decode(body)
    for version in range(schema_version, kind.SCHEMA):
        fields = UPCASTERS[name, version](fields)
    return msgspec.convert(fields, kind)


def ce_type_of(name: str, schema_version: int) -> bytes:
    """The CloudEvents type a stored fact travels under: `hotline.OrderSigned.v1`."""
    known = _CE_TYPES.get((name, schema_version))
    if known is None:
        known = _CE_TYPES[name, schema_version] = f"hotline.{name}.v{schema_version}".encode()
    return known


def fact_type_of(ce_type: bytes) -> tuple[str, int] | None:
    """Name and version of the fact a CloudEvents type stands for; None for one not known here."""
    return _BY_CE_TYPE.get(ce_type)


def fact_named(ce_type: bytes) -> tuple[str, int] | None:
    """Name and version a fact's CloudEvents type tells, known here or not; None where it is no fact's."""
    known = _BY_CE_TYPE.get(ce_type)
    if known is not None:
        return known
    found = _CE_TYPE.fullmatch(ce_type)
    return None if found is None else (found[1].decode(), int(found[2]))
