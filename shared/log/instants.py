"""Reads any instant or day out of PostgreSQL, and says which of them a city can have.

PostgreSQL knows times that Python does not: infinity, years before 1 and after 9999. The driver gives
infinity as an instant without a zone, and raises at the other two. Either would end a report about all other
rows. A connection that `reads_any_instant` gives each of them as the nearest instant Python has, in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import asyncpg
import msgspec

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""No fact of a city is earlier: the zero times of Go, .NET, Unix and of spreadsheets lie before it."""

LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""No fact of a city names a later instant."""

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)
"""The instants that PostgreSQL's two infinities are read as; the driver writes these two as infinities in turn."""

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = _EPOCH.date()
_MICROSECOND: Final = timedelta(microseconds=1)
_BELOW: Final = (FIRST - _EPOCH) // _MICROSECOND
_ABOVE: Final = (LAST - _EPOCH) // _MICROSECOND
_INFINITY: Final = 2**63 - 1


async def reads_any_instant(connection: asyncpg.Connection[Any]) -> None:
    """From now on no instant and no day that PostgreSQL can hold is an error on this connection."""
    for name, decoder, encoder in (("timestamptz", _instant, _stored), ("date", _day, _stored_day)):
        await connection.set_type_codec(
            name, schema="pg_catalog", decoder=decoder, encoder=encoder, format="tuple"
        )


def plausible(at: datetime) -> bool:
    """Whether a city can have had this instant."""
    return at.tzinfo is not None and EARLIEST <= at < LATEST


def implausible(record: msgspec.Struct) -> list[str]:
    """The instants of a record that no city can have had, each by its field, as a sentence's part."""
    plain, deep = _instants(type(record))
    found = [(name, at) for name in plain if _is_odd(at := getattr(record, name))]
    for name, looked in deep:
        found += [(f"{name}{path}", at) for path, at in looked(getattr(record, name)) if _is_odd(at)]
    return [
        f"{path} is {at.isoformat()}, which no city has seen: expected an instant in UTC from "
        f"{EARLIEST:%Y-%m-%d} on and before {LATEST:%Y-%m-%d}"
        for path, at in found
    ]


def _is_odd(value: object) -> bool:
    return isinstance(value, datetime) and not plausible(value)


# -- out of PostgreSQL and into it


def _instant(stored: tuple[int]) -> datetime:
    return _EPOCH + timedelta(microseconds=min(max(stored[0], _BELOW), _ABOVE))


def _stored(at: datetime) -> tuple[int]:
    if at.tzinfo is None:
        message = f"{at.isoformat()} has no time zone"
        raise ValueError(message)
    since = (at - _EPOCH) // _MICROSECOND
    # As the driver does it: a log that was written without this codec is read and compared with it.
    return (-_INFINITY - 1 if since == _BELOW else _INFINITY if since == _ABOVE else since,)


def _day(stored: tuple[int]) -> date:
    ordinal = stored[0] + _EPOCH_DAY.toordinal()
    return date.fromordinal(min(max(ordinal, date.min.toordinal()), date.max.toordinal()))


def _stored_day(day: date) -> tuple[int]:
    return (day.toordinal() - _EPOCH_DAY.toordinal(),)


# -- the instants in a record

_Found = Callable[[Any], Iterator[tuple[str, datetime]]]


@cache
def _instants(kind: type[msgspec.Struct]) -> tuple[list[str], list[tuple[str, _Found]]]:
    """The fields of a record of this type that hold an instant, and those with instants inside; looked at once."""
    plain: list[str] = []
    deep: list[tuple[str, _Found]] = []
    for field in msgspec.structs.fields(kind):
        looked = _looks_into(field.type)
        if looked is _itself:
            plain.append(field.name)
        elif looked is not None:
            deep.append((field.name, looked))
    return plain, deep


def _looks_into(annotation: Any) -> _Found | None:
    """How to find the instants in a value of this type; None where there can be none."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if annotation is datetime:
        return _itself
    if origin is Annotated:
        return _looks_into(inside[0])
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return _in_struct if any(_instants(annotation)) else None
    looks = [looked for one in inside if (looked := _looks_into(one)) is not None]
    if not looks or not (origin in {Union, UnionType} or origin in {tuple, list}):
        return None
    return looks[0] if origin in {Union, UnionType} else _each(looks[0])


def _itself(value: Any) -> Iterator[tuple[str, datetime]]:
    if isinstance(value, datetime):
        yield "", value


def _in_struct(value: Any) -> Iterator[tuple[str, datetime]]:
    if isinstance(value, msgspec.Struct):
        plain, deep = _instants(type(value))
        for name in plain:
            yield f".{name}", getattr(value, name)
        for name, looked in deep:
            for path, at in looked(getattr(value, name)):
                yield f".{name}{path}", at


def _each(inner: _Found) -> _Found:
    def found(value: Any) -> Iterator[tuple[str, datetime]]:
        for number, one in enumerate(value if isinstance(value, tuple | list) else ()):
            for path, at in inner(one):
                yield f"[{number}]{path}", at

    return found
