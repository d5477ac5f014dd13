"""Rows that a report could not read: each is named and counted, and the report goes on with the others.

A log keeps what was once written into it, and one row of it must not hide all the others. So whoever reads rows for a
person reads each by `UnreadableRows.read`, and ends the report with `UnreadableRows.line`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

import msgspec

from shared.complaint import UnreadableHead
from shared.log.codec import UnknownType
from shared.policy.ruleset import RuleSetUnknown
from shared.runtime.errors import told, told_invalid

T = TypeVar("T")
R = TypeVar("R")

NAMED_MAX: Final = 100
"""Rows named; all are counted."""

LISTED_MAX: Final = 5
"""Rows named in the one line at a report's end."""


class Unreadable(msgspec.Struct, frozen=True, order=True):
    """A row that could not be read."""

    row: str
    """Which it is, as a person looks for it."""
    why: str


class UnreadableRows:
    """The rows that one report could not read."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.count = 0
        self.last = ""
        """Why the last one could not be read."""
        self.named: list[Unreadable] = []

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self.count > 0

    def __iter__(self) -> Iterator[Unreadable]:
        """Those that are named."""
        return iter(self.named)

    def note(self, row: str, why: str) -> None:
        """This row could not be read; told twice it counts once."""
        one = Unreadable(row, why)
        self.last = why
        if one in self.named:
            return
        self.count += 1
        if len(self.named) < NAMED_MAX:
            self.named.append(one)

    def read(self, row: str, reading: Callable[[], T]) -> T | None:
        """The result of `reading`; None where it fails, and then the row is noted."""
        try:
            return reading()
        except Exception as error:  # noqa: BLE001 -- whatever is wrong with a row, the others are read
            self.note(row, reason(error))
            return None

    def each(self, rows: Iterable[R], named: Callable[[R], str], reading: Callable[[R], T]) -> list[T]:
        """The result of reading each row; a row that cannot be read is noted under its name and left out."""
        found: list[T] = []
        for row in rows:
            one = self.read(_named(row, named), lambda row=row: (reading(row),))  # type: ignore[misc]
            if one is not None:
                found.append(one[0])
        return found

    def line(self) -> str:
        """One sentence for the end of a report: how many rows, and which; empty where all could be read."""
        if not self:
            return ""
        some = "; ".join(f"{one.row}: {one.why}" for one in self.named[:LISTED_MAX])
        more = f"; and {self.count - LISTED_MAX:,} more" if self.count > LISTED_MAX else ""
        rows = "1 row" if self.count == 1 else f"{self.count:,} rows"
        return f"{rows} could not be read: {some}{more}. `hotline verify` says more."


def reason(error: Exception) -> str:
    """Why a row could not be read, in words that quote nothing somebody sent."""
    if isinstance(error, UnreadableHead | RuleSetUnknown | UnknownType):
        return str(error)
    if isinstance(error, msgspec.ValidationError):
        return told_invalid(error)
    if isinstance(error, msgspec.DecodeError):
        return "it is no JSON"
    if isinstance(error, ArithmeticError):
        return "a time in it is out of range"
    return told(error)


def _named(row: R, named: Callable[[R], str]) -> str:
    try:
        return named(row)
    except Exception as error:  # noqa: BLE001 -- a row without a name is still one that is told of
        return f"a row without a name ({told(error)})"
