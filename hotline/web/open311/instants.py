"""Instants as GeoReport writes them, and a span of them as a client asks for it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from hotline.web.problems import HttpRefusal, ProblemKind
from shared.rfc3339 import EXAMPLE, NotAnInstant, instant
from shared.times import in_zone

SPAN_DAYS_MAX: Final = 90
"""The longest span of a question, as the standard has it."""
_FORM: Final = "%Y-%m-%dT%H:%M:%S%z"
_YEAR_DIGITS: Final = 4


class AskedSpan(NamedTuple):
    """The instants from the first to the last, both in it."""

    first: datetime
    last: datetime


def stamp(at: datetime, zone: tzinfo) -> str:
    """An instant exactly as YYYY-MM-DDThh:mm:ss±hh:mm; what is below a second is cut off."""
    told = in_zone(at, zone).strftime(_FORM)
    year, _, rest = told.partition("-")
    return f"{year.rjust(_YEAR_DIGITS, '0')}-{rest[:-2]}:{rest[-2:]}"


def read_instant(name: str, text: str) -> datetime:
    """The instant a client typed; `HttpRefusal` where it is none."""
    try:
        # A + that was not escaped in an address comes as a blank.
        return instant(text.strip().replace(" ", "+"))
    except NotAnInstant as error:
        raise HttpRefusal(
            ProblemKind.BAD_EVENT, f"{name}: {error}.", field=name, expected=f"such as {EXAMPLE}"
        ) from None


def asked_span(first: str, last: str, now: datetime) -> AskedSpan:
    """The span of `start_date` and `end_date`; where one is left out it is as long as it may be, up to now."""
    longest = timedelta(days=SPAN_DAYS_MAX)
    ends = read_instant("end_date", last) if last else None
    if first:
        begins = read_instant("start_date", first)
        end = ends or min(_later(begins, longest), max(now, begins))
    else:
        end = ends or now
        begins = _later(end, -longest)
    if end < begins:
        raise _bad("end_date", "an instant that is not before start_date")
    if end - begins > longest:
        raise _bad("end_date", f"at most {SPAN_DAYS_MAX} days after start_date")
    return AskedSpan(begins, end)


def _later(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return at


def _bad(name: str, expected: str) -> HttpRefusal:
    return HttpRefusal(ProblemKind.BAD_EVENT, f"{name}: expected {expected}.", field=name, expected=expected)
