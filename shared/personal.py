"""Numbers that tell who somebody is, where somebody typed them into a text: of a phone, of an identity card (R9).

One pattern for whoever looks: a command before it sends, and `hotline verify` in PostgreSQL over the facts of
complaints whose contact is kept. It looks at digits, so it may take another number for one: whoever is told decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple
from unicodedata import normalize

import msgspec

# Digits that are part of something longer are no such number: of an id, of an amount, of a fraction. A word may stand
# right before one ("tel138…", "No.138…"), but no hexadecimal digit: ids are full of them.
NUMBER_BEGINS: Final = r"(?<![0-9A-Fa-f_-])(?<![0-9]\.)"
NUMBER_ENDS: Final = r"(?![0-9A-Za-z_])(?!-[0-9])"
_BETWEEN: Final = "[ .\u2013\u2014-]?"
MOBILE: Final = rf"(\+?86[ -]?)?1[3-9][0-9]{_BETWEEN}[0-9]{{4}}{_BETWEEN}[0-9]{{4}}"
LANDLINE: Final = (
    r"(\+?86[ -]?)?(0[0-9]{2,3}[ -][0-9]{7,8}|\(0[0-9]{2,3}\) ?[0-9]{7,8}|010[0-9]{8})"
    r"|\+?86[ -]?10[ -]?[0-9]{8}"
)
_IDENTITY: Final = (
    r"[1-9][0-9]{5} ?(18|19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
    r" ?[0-9]{3}[0-9Xx](?![0-9A-Za-z_-])"
)

PATTERN: Final = f"{NUMBER_BEGINS}({_IDENTITY}|({MOBILE}|{LANDLINE}){NUMBER_ENDS})"
"""Read alike by Python and by PostgreSQL; of a text in the form NFKC, in which digits of full width are digits."""

_SEEN: Final = re.compile(PATTERN, re.ASCII)
_IS_IDENTITY: Final = re.compile(_IDENTITY, re.ASCII)


class Personal(NamedTuple):
    """A number that stands in a text; never the number itself, for what is said of it may be logged."""

    field: str
    """Where, such as `title` or `called[0]`."""
    kind: str
    """The kind of number it looks like."""
    ending: str
    """Its last two characters, so that whoever typed it finds it."""

    def __str__(self) -> str:
        """The sentence for whoever typed it."""
        return f"{self.field}: what looks like {self.kind} stands in it, ending in {self.ending}"


def numbers_in(text: str) -> list[tuple[str, str]]:
    """The kind and the last two characters of each such number in a text."""
    if not any(map(str.isdigit, text)):
        return []
    return [_told(found[0]) for found in _SEEN.finditer(normalize("NFKC", text))]


def _told(number: str) -> tuple[str, str]:
    kind = "an identity number" if _IS_IDENTITY.fullmatch(number) else "a phone number"
    return kind, number[-2:]


def personal_in(data: msgspec.Struct) -> list[Personal]:
    """Every such number in whatever text of an input."""
    return [
        Personal(field, kind, ending)
        for field, text in _texts(msgspec.to_builtins(data), "")
        for kind, ending in numbers_in(text)
    ]


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _texts(one, f"{place}.{name}" if place else name)
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from _texts(one, f"{place}[{number}]")
