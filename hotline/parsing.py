"""A month, a day, an instant, a number or an id, out of a text that a person typed. Pure.

Only the digits 0 to 9 are digits here, and nothing stands before or behind. A value that cannot be is None.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import Final

from shared.text import folded_code

YEAR_MIN: Final = 1900
YEAR_MAX: Final = 2199
"""A year beyond these is a slip of the hand, and a calculation with it may leave the calendar."""

NUMBER_MAX: Final = 2**31 - 1
"""Of what is counted: of days, rows, tasks."""

ID_MAX: Final = 2**63 - 1
"""Of numbers that PostgreSQL gives."""

CHANNELS: Final = ("phone", "sms", "web", "app", "wechat", "weibo")
"""By which a citizen is spoken to, or speaks; a person types one of these. Topics take any name."""

_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_NUMBER: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
_ID: Final = re.compile(r"[0-9a-f]{4,32}")


def month_of(text: str) -> date | None:
    """The first day of a month such as 2026-10; None where it is none."""
    found = _MONTH.fullmatch(text)
    if found is None or not YEAR_MIN <= int(found[1]) <= YEAR_MAX:
        return None
    return date(int(found[1]), int(found[2]), 1)


def day_of(text: str) -> date | None:
    """A day such as 2026-10-01; None where it is none."""
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
    return day if day is not None and YEAR_MIN <= day.year <= YEAR_MAX else None


def instant_of(text: str, zone: tzinfo) -> datetime | None:
    """An instant such as 2026-10-01T08:00, or a day's first one, in this zone where none is named; None where none."""
    day = day_of(text)
    if day is not None:
        return datetime.combine(day, time(), zone)
    found = _INSTANT.fullmatch(text)
    if found is None or (day := day_of(found[1])) is None:
        return None
    offset = (found[3] or "").upper()
    try:
        clock = time.fromisoformat(f"{found[2]}{'+00:00' if offset == 'Z' else offset}")
    except ValueError:
        return None
    return datetime.combine(day, clock, clock.tzinfo or zone)


def number_of(text: str) -> Decimal | None:
    """A number that is not negative, such as 91.31; None where it is none."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def id_of(text: str) -> str | None:
    """The digits of an id or its beginning, small and without hyphens; None where it is none."""
    digits = folded_code(text).replace("-", "")
    return digits if _ID.fullmatch(digits) else None
