"""One reading of a time from outside, for headers and payloads alike: what RFC 3339 allows, and nothing else.

The standard library takes much more (week dates, a comma, a blank for the T), msgspec takes something else again.
A sender must not be understood at one door and refused at the next.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

LENGTH_MAX: Final = 256
"""Characters of a time; nobody needs so many, and as many bytes are all that a header may have."""

EXAMPLE: Final = "2021-09-24T08:00:00+08:00"

_FORM: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[Tt](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?:\.(?P<fraction>\d+))?(?P<zone>[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)
_PLAIN: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(?:\.\d{1,6})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
"""The form that nearly every sender writes. The standard library reads it the same way and several times as
fast."""
_LEAP: Final = 60


class NotAnInstant(ValueError):  # noqa: N818 -- reads as the sentence it reports
    """A text is no RFC 3339 time; the message says what was expected and quotes nothing but a time."""


if TYPE_CHECKING:
    ToldInstant = datetime
else:

    class _AnyDatetime(type):
        def __instancecheck__(cls, thing: object) -> bool:
            return isinstance(thing, datetime)

    class ToldInstant(metaclass=_AnyDatetime):
        """A `datetime` to everybody but msgspec, which asks `decode_hook` for it instead of reading it itself."""


Told = Annotated[ToldInstant, msgspec.Meta(extra_json_schema={"type": "string", "format": "date-time"})]
"""A time in an input, as the published contract shows it."""


def instant(text: str) -> datetime:
    """The point in time, in UTC; `NotAnInstant` where RFC 3339 does not allow the text.

    A second 60 is the first instant of the next minute, as POSIX and PostgreSQL count it. A leap second has
    no place of its own in either. Digits beyond microseconds are cut off, never rounded: a limit's last
    instant must not become the next.
    """
    if _PLAIN.fullmatch(text) is not None:
        with suppress(ValueError, OverflowError):  # then the error is found below
            return datetime.fromisoformat(text).astimezone(UTC)
    found = _FORM.fullmatch(text) if len(text) <= LENGTH_MAX else None
    if found is None:
        raise NotAnInstant(f"text of {len(text)} characters, expected RFC 3339 such as {EXAMPLE}")
    if found["zone"] is None:
        raise NotAnInstant(f"{text} has no time zone, expected RFC 3339 such as {EXAMPLE}")
    second = int(found["second"])
    try:
        local = datetime(  # noqa: DTZ001 -- the zone is taken off below
            int(found["year"]),
            int(found["month"]),
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            min(second, _LEAP - 1) if second <= _LEAP else second,
            int((found["fraction"] or "")[:6].ljust(6, "0")),
        )
        leap = timedelta(seconds=1 if second == _LEAP else 0)
        return (local + leap - _offset(found["zone"])).replace(tzinfo=UTC)
    except OverflowError as error:
        raise NotAnInstant(f"{text} lies outside the years 1 to 9999") from error
    except ValueError as error:
        if found["year"] == "0000":
            raise NotAnInstant(f"{text} lies outside the years 1 to 9999") from error
        raise NotAnInstant(f"{text}: expected a date and time there is ({error})") from error


def _offset(zone: str) -> timedelta:
    if zone in "Zz":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone[0] == "-" else offset


def decode_hook(kind: type, value: Any) -> datetime:
    """For msgspec's decoders of what comes from outside; see `ToldInstant`."""
    if kind is not ToldInstant:
        raise NotImplementedError(f"{kind.__name__} cannot be read from JSON")
    if not isinstance(value, str):
        raise NotAnInstant(
            f"Expected `str` in the form of RFC 3339, got `{_JSON_NAMES.get(type(value), 'object')}`"
        )
    return instant(value)


_JSON_NAMES: Final[dict[type, str]] = {
    bool: "bool",
    int: "int",
    float: "float",
    list: "array",
    type(None): "null",
}
