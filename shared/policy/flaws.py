"""Each thing that is wrong with a file of a city, and where in the file: its loader and `hotline city check` ask here.

A loader stops at the first flaw. A check tells all of them, so a person mends a file once.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import FieldInfo

from shared.text import shown

Path = tuple[str | int, ...]
"""The keys and places that lead to an entry: `("subjects", "公共服务/供水", "unit")`."""
_BEHIND: Final = " - at `"
"""Before the path in what msgspec says; a flaw has a path of its own."""


class Flaw(NamedTuple):
    """One thing that is wrong."""

    at: Path
    """Where; empty where it is about the whole file."""
    why: str
    """The reason, and what was expected."""

    @property
    def sentence(self) -> str:
        """Both for a person."""
        place = ".".join(shown(str(part)) for part in self.at)
        return f"{place}: {self.why}" if place else self.why


def first_of(flaws: Iterable[Flaw]) -> Flaw | None:
    """The first flaw; None where there is none."""
    return next(iter(flaws), None)


def flaws_of_shape(value: object, kind: Any, at: Path = ()) -> Iterator[Flaw]:
    """Each entry of what JSON or TOML gave that is not as the type wants it; msgspec judges every single value.

    A type with a description says what was expected by it.
    """
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    origin, inner = get_origin(bare), get_args(bare)
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct) and isinstance(value, dict):
        yield from _of_struct(value, bare, at)
    elif origin is dict and isinstance(value, dict):
        for key, one in value.items():
            yield from _of_value({key: None}, dict[inner[0], None], (*at, key))  # type: ignore[valid-type]  # made here
            yield from flaws_of_shape(one, inner[1], (*at, key))
    elif (origin is list or (origin is tuple and inner[1:] == (...,))) and isinstance(value, list):
        before = len(at)
        for place, one in enumerate(value):
            yield from flaws_of_shape(one, inner[0], (*at[:before], place))
        if bare is not kind:  # how long it may be
            yield from _of_value([], Annotated[list[Any], *get_args(kind)[1:]], at) if not value else ()
    elif origin in {types.UnionType, Union} and type(None) in inner and len(inner) == 2:  # noqa: PLR2004 -- X | None
        if value is not None:
            yield from flaws_of_shape(value, next(one for one in inner if one is not type(None)), at)
    else:
        yield from _of_value(value, kind, at)


def _of_struct(value: dict[str, Any], kind: type[msgspec.Struct], at: Path) -> Iterator[Flaw]:
    known: dict[str, FieldInfo] = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    types_of = get_type_hints(kind, include_extras=True)
    for name, one in known.items():
        if name in value:
            yield from flaws_of_shape(value[name], types_of[one.name], (*at, name))
        elif one.required:
            yield Flaw((*at, name), "is missing")
    if kind.__struct_config__.forbid_unknown_fields:
        for name in value.keys() - known.keys():
            yield Flaw((*at, name), f"expected one of {', '.join(known)}")


def _of_value(value: object, kind: Any, at: Path) -> Iterator[Flaw]:
    try:
        msgspec.convert(value, kind, str_keys=True)
    except msgspec.ValidationError as error:
        meant = [one.description for one in getattr(kind, "__metadata__", ()) if one.description]
        found = f"'{shown(str(value))}', expected {meant[0]}" if meant else str(error).partition(_BEHIND)[0]
        yield Flaw(at, found)
