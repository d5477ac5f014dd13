"""The number of a complaint that can be read out and typed, such as 20211001-7K4MQ-9XR2B-C. Pure.

It is the day of receipt by the city's clock, ten characters of the complaint's id and a check character. The alphabet
has no 0, O, 1, I and L, which are mistaken for one another. A number names one complaint: its ten characters are the
first 48 bits of the id. With 70,000 a day, two of one day are alike about once in three hundred years.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from shared.ids import ComplaintId
from shared.text import folded_code
from shared.times import in_zone, zone_of

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 characters. That is a prime, so the check character finds each wrong one and each two that changed places."""
ID_CHARACTERS: Final = 10
ID_BITS: Final = 48
"""Of the id. 31 ** 10 is a little more than 2 ** 49."""
_BASE: Final = len(ALPHABET)
_DIGITS: Final = ID_BITS // 4
_UUID_DIGITS: Final = 32
_FORM: Final = re.compile(r"([0-9]{8})([0-9A-Z]{11})")
_BETWEEN: Final = re.compile(r"[\s\-_.·/]+")
_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}
_DAY_DIGITS: Final = 8
_HALF: Final = ID_CHARACTERS // 2
_EPOCH: Final = datetime(1973, 1, 1, tzinfo=UTC)
_QUARTER: Final = timedelta(minutes=15)
"""Since `_EPOCH` a day begins on a quarter of an hour of universal time in every zone there is."""
_QUARTERS_KEPT: Final = 4096
# The relay numbers each complaint of each page: two characters are written at once, with what they add to the sum.
# So a number takes a fifth of the time (16 and 3 µs in one run).
_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]
_PAIR_SUMS: Final = [
    [weight * first + (weight + 1) * second for first in range(_BASE) for second in range(_BASE)]
    for weight in range(2 + _DAY_DIGITS, 2 + _DAY_DIGITS + ID_CHARACTERS, 2)
]


class ComplaintNumberError(ValueError):
    """A text that looks like a number and is none; the message says what is wrong."""


class Numbered(NamedTuple):
    """The day and the part of an id that a number says."""

    day: date
    """Of receipt."""
    id_first: str
    """The least id it may be, 32 hexadecimal digits."""
    id_last: str
    """The greatest."""


def number_of(complaint: ComplaintId, received_at: datetime, ruleset: str) -> str:
    """The number of a complaint that was received then, in the city of this rule set."""
    value = int(complaint.replace("-", "")[:_DIGITS], 16)
    quarter = (received_at - _EPOCH) // _QUARTER
    day, weighed = _day_of(quarter, ruleset) if quarter >= 0 else _day(received_at, ruleset)
    characters = ""
    for sums in reversed(_PAIR_SUMS):
        value, pair = divmod(value, _BASE * _BASE)
        characters = _PAIRS[pair] + characters
        weighed += sums[pair]
    return f"{day}-{characters[:_HALF]}-{characters[_HALF:]}-{ALPHABET[-weighed % _BASE]}"


@lru_cache(_QUARTERS_KEPT)
def _day_of(quarter: int, ruleset: str) -> tuple[str, int]:
    """The day in which this quarter of an hour lies, and what its digits add to the weighted sum."""
    return _day(_EPOCH + quarter * _QUARTER, ruleset)


def _day(received_at: datetime, ruleset: str) -> tuple[str, int]:
    day = in_zone(received_at, zone_of(ruleset)).strftime("%Y%m%d").rjust(_DAY_DIGITS, "0")
    return day, sum(weight * int(digit) for weight, digit in enumerate(day, 2))


def numbered(text: str) -> Numbered | None:
    """Read a typed number; None where the text has not the form of one. Raises `ComplaintNumberError`.

    Letters may be small, digits full width; hyphens, spaces and dots do not count.
    """
    found = _FORM.fullmatch(_BETWEEN.sub("", folded_code(text)).upper())
    if found is None:
        return None
    day, characters = found[1], found[2]
    strange = sorted(set(characters) - set(ALPHABET))
    if strange:
        raise ComplaintNumberError(f"{', '.join(strange)} is in no number: 0, O, 1, I and L are left out")
    if characters[-1] != _check(day + characters[:-1]):
        raise ComplaintNumberError("its last character does not fit the others: one of them is wrong")
    value = 0
    for character in characters[:-1]:
        value = value * _BASE + _VALUE[character]
    if value >= 1 << ID_BITS:
        raise ComplaintNumberError("no complaint can have it")
    try:
        received = datetime.strptime(day, "%Y%m%d").date()  # noqa: DTZ007 -- a day has no zone
    except ValueError:
        raise ComplaintNumberError(f"{day} is no day") from None
    digits = f"{value:0{_DIGITS}x}"
    return Numbered(received, digits.ljust(_UUID_DIGITS, "0"), digits.ljust(_UUID_DIGITS, "f"))


def _check(text: str) -> str:
    """The character that makes the weighted sum of all a multiple of 31; weights differ, and none is one."""
    # A digit of the day stands for itself, any other character for its place in the alphabet.
    day, characters = text[:8], text[8:]
    values = [*map(int, day), *(_VALUE[character] for character in characters)]
    return ALPHABET[-sum(weight * value for weight, value in enumerate(values, 2)) % _BASE]
