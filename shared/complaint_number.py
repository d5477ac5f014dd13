"""The number of a complaint that can be read out and typed, such as 20211001-7K4MQ-9XR2B-C. Pure.

It is the day of receipt by the city's clock, ten characters of the complaint's id and a check character. The alphabet
has no 0, O, 1, I and L, which are mistaken for one another. A number names one complaint: its ten characters are the
first 48 bits of the id. With 70,000 a day, two of one day are alike about once in three hundred years.
"""

from __future__ import annotations

import re
from datetime import date, datetime
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
    characters = ""
    for _ in range(ID_CHARACTERS):
        value, rest = divmod(value, _BASE)
        characters = ALPHABET[rest] + characters
    day = in_zone(received_at, zone_of(ruleset)).strftime("%Y%m%d").rjust(8, "0")
    half = ID_CHARACTERS // 2
    return f"{day}-{characters[:half]}-{characters[half:]}-{_check(day + characters)}"


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
