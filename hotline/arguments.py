"""What a person types for a month, a day, an instant or a number: every command reads it in this one way.

Only the digits 0 to 9 are digits here, and nothing stands before or behind. A day or an instant without a zone is the
city's. What cannot be ends the command with exit code 2 and a sentence that names the argument.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from hotline.commands.run import fail
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


# -- and as arguments


def month(text: str, name: str) -> date:
    """See `month_of`."""
    return month_of(text) or _wrong(text, name, f"a year and a month such as 2026-10{_years()}")


def day(text: str, name: str) -> date:
    """See `day_of`."""
    return day_of(text) or _wrong(text, name, f"a day such as 2021-12-31{_years()}")


def instant(text: str, name: str, zone: tzinfo, what: str = "a day or an instant") -> datetime:
    """See `instant_of`."""
    expected = f"{what} such as 2026-11-27 or 2026-11-27T08:00+08:00{_years()}"
    return instant_of(text, zone) or _wrong(text, name, expected)


def percent(text: str, name: str) -> Decimal:
    """From 0 to 100."""
    number = number_of(text)
    if number is None or number > 100:  # noqa: PLR2004 -- percent
        _wrong(text, name, "percent such as 91.31")
    return number


def finite(value: float | None) -> float | None:
    """For an option that takes a number with a point: `nan` and `inf` are numbers to Python and to nobody else."""
    if value is not None and not -float("inf") < value < float("inf"):
        raise typer.BadParameter(f"{value} is no number to work with.")
    return value


def _years() -> str:
    return f", of the years {YEAR_MIN} to {YEAR_MAX}"


def _wrong(text: str, name: str, expected: str) -> NoReturn:
    fail(f"{name}: {text!r}, expected {expected}.", code=2)


# -- the whole line


def _empty(args: Sequence[str], place: int) -> str | None:
    """What the argument at this place, counted from 1, is called where it is empty; None where it is not."""
    one, before = args[place - 1], args[place - 2] if place > 1 else ""
    option, mark, value = one.partition("=")
    if mark and not value and option.startswith("--"):
        return option
    if one:
        return None
    return before if before.startswith("--") and before != "--" else f"Argument {place}"


class Line(TyperGroup):
    """The command itself: whatever is typed must be text before any part of it is looked at."""

    def parse_args(self, ctx: Any, args: Sequence[str]) -> list[str]:
        """Refuse what is no text in UTF-8 or nothing at all, by its place; then as ever.

        An option that is given and says nothing is no option that is left out: of a script's empty variable nobody
        knows what was meant, and without `--complaint` all complaints are.
        """
        for place, one in enumerate(args, start=1):
            try:
                one.encode()
            except UnicodeEncodeError:
                shown = one.encode("utf-8", "backslashreplace").decode()
                fail(f"Argument {place} is no UTF-8: {shown!r}, expected text in UTF-8.", code=2)
            if "\0" in one:
                fail(f"Argument {place} has a NUL character in it: {one!r}, expected text.", code=2)
            if (empty := _empty(args, place)) is not None:
                fail(f"{empty}: expected words that can be read, got nothing.", code=2)
        return super().parse_args(ctx, list(args))
