"""Takes numbers that tell who somebody is out of a citizen's text, before a fact holds it (R9). Pure.

A mark stands in the place of each: 〔电话1〕. The kinds are a table. Digits are looked at in one form: of full width
they are digits, and an invisible character between two of them hides nothing. Digits that equal a number by chance
are taken for one. They are not lost: those who may see the contact see them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple
from unicodedata import category, normalize

import msgspec

from shared.contacts.texts import TextNumber
from shared.inputs import (
    CorrectRequest,
    GiveRating,
    Input,
    RecordRequest,
    RepeatRequest,
    SupplementRequest,
    WithdrawRequest,
)
from shared.personal import LANDLINE, MOBILE, NUMBER_BEGINS, NUMBER_ENDS

FIELDS: Final[Mapping[type[Input], tuple[str, ...]]] = {
    RecordRequest: ("title", "content", "address", "turned_away_reason"),
    CorrectRequest: ("title", "content", "address"),
    SupplementRequest: ("text",),
    RepeatRequest: ("note",),
    WithdrawRequest: ("reason",),
    GiveRating: ("comment",),
}
"""The free texts in which a citizen's words stand. A name that is compared with names we know is none."""
DIGITS_MIN: Final = 11
"""Of the shortest number of the table."""

_SPACED: Final = r"1(?P<between>[ .\u2013\u2014-])[3-9](?:(?P=between)[0-9]){9}"
"""A mobile number typed digit by digit."""
_OTHERWISE: Final = r"1[3-9][0-9]{2}[ -][0-9]{3}[ -][0-9]{4}"
_ENDS: Final = rf"{NUMBER_ENDS}(?!\.[0-9])"
"""A fraction behind it makes it an amount."""
_CARD_RUN: Final = rf"{NUMBER_BEGINS}[0-9](?:[ -]?[0-9]){{13,}}(?![0-9A-Za-z_])"
_IDENTITY: Final = rf"{NUMBER_BEGINS}[1-9][0-9]{{5}}[ -]?[0-9]{{8}}[ -]?[0-9]{{3}}[0-9Xx](?![0-9A-Za-z_-])"
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""Of the first 17 digits of an identity number (GB 11643)."""
_CHECKS: Final = "10X98765432"
_CARDS: Final[tuple[tuple[str, tuple[int, ...]], ...]] = (
    ("62", (16, 17, 18, 19)),
    ("60", (16, 17, 18, 19)),
    ("9558", (16, 19)),
    ("4", (16,)),
    ("51", (16,)),
    ("52", (16,)),
    ("53", (16,)),
    ("54", (16,)),
    ("55", (16,)),
    ("35", (16,)),
    ("34", (15,)),
    ("37", (15,)),
)
"""How the numbers of bank cards begin that people here have, and how many digits they have."""
_DASHES: Final = str.maketrans({"\u2010": "-", "\u2012": "-", "\u2212": "-"})
"""Marks that look like a dash and that NFKC leaves apart."""


class Span(NamedTuple):
    """A stretch of a text, from its first place to the one behind its last."""

    start: int
    end: int


class NumberKind(NamedTuple):
    """One kind of number."""

    name: str
    """As the mark calls it."""
    find: Callable[[str], Iterator[Span]]
    """Where such numbers stand in a text of one form."""


def _by(pattern: str, holds: Callable[[str], bool] = lambda _: True) -> Callable[[str], Iterator[Span]]:
    seen = re.compile(pattern, re.ASCII)

    def find(text: str) -> Iterator[Span]:
        return (Span(*found.span()) for found in seen.finditer(text) if holds(_digits(found[0])))

    return find


def _digits(text: str) -> str:
    return "".join(one for one in text if one in "0123456789Xx")


def is_identity(digits: str) -> bool:
    """Whether these 18 characters are an identity number: a day of birth that is one, and the right check digit."""
    try:
        date(int(digits[6:10]), int(digits[10:12]), int(digits[12:14]))
    except ValueError:
        return False
    if digits[6:8] not in {"18", "19", "20"}:
        return False
    total = sum(int(one) * weight for one, weight in zip(digits, _WEIGHTS, strict=False))
    return _CHECKS[total % 11] == digits[17].upper()


def is_card(digits: str) -> bool:
    """Whether these digits are the number of a bank card: a beginning and a length there are, and Luhn's check."""
    if not any(digits.startswith(begin) and len(digits) in sizes for begin, sizes in _CARDS):
        return False
    total = 0
    for place, one in enumerate(reversed(digits)):
        value = int(one) * (1 + place % 2)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 -- the sum of two digits
    return total % 10 == 0


_RUN: Final = re.compile(_CARD_RUN, re.ASCII)
_GROUP: Final = re.compile(r"[0-9]+")


def _cards(text: str) -> Iterator[Span]:
    """Bank cards: in a run of groups of digits those that make one up, the longest first."""
    for run in _RUN.finditer(text):
        groups = [Span(*one.span()) for one in _GROUP.finditer(text, *run.span())]
        first = 0
        while first < len(groups):
            last = next(
                (
                    last
                    for last in reversed(range(first, len(groups)))
                    if is_card(_digits(text[groups[first].start : groups[last].end]))
                ),
                None,
            )
            if last is not None:
                yield Span(groups[first].start, groups[last].end)
            first = first + 1 if last is None else last + 1


KINDS: Final = (
    NumberKind("身份证", _by(_IDENTITY, is_identity)),
    NumberKind("银行卡", _cards),
    NumberKind("电话", _by(f"{NUMBER_BEGINS}(?:{MOBILE}|{LANDLINE}|{_OTHERWISE}|{_SPACED}){_ENDS}")),
)
"""Every kind, in the order in which they are looked for: what one has found is none of the next."""


def without_numbers(data: Input) -> tuple[Input, list[TextNumber]]:
    """The input with marks in its free texts, and the numbers that stood there."""
    found: list[TextNumber] = []
    changed: dict[str, str] = {}
    for field in FIELDS.get(type(data), ()):
        text = getattr(data, field) or ""
        # Where one has gone, the digits beside it may be a number that was none before.
        while numbers := _found_in(text):
            text = changed[field] = _marked(text, field, numbers, found)
    return (msgspec.structs.replace(data, **changed), found) if changed else (data, found)


def kinds_in(text: str) -> list[str]:
    """The kind of each number that would leave this text, in order; none of the numbers themselves."""
    return [kind.name for kind, _ in _found_in(text)]


def _found_in(text: str) -> list[tuple[NumberKind, Span]]:
    """The numbers of a text, and where they stand in it, in order."""
    if len(text) < DIGITS_MIN or sum(map(str.isdigit, text)) < DIGITS_MIN:
        return []
    folded, places = _one_form(text)
    taken: list[tuple[NumberKind, Span]] = []
    for kind in KINDS:
        for start, end in kind.find(folded):
            span = Span(places[start], places[end - 1] + 1)
            if all(span.end <= one.start or one.end <= span.start for _, one in taken):
                taken.append((kind, span))
    return sorted(taken, key=lambda one: one[1].start)


def _one_form(text: str) -> tuple[str, Sequence[int]]:
    """The text with digits as digits, and of each character of it the place in the text it came from."""
    if text.isascii():
        return text, range(len(text))
    parts: list[str] = []
    places: list[int] = []
    for place, one in enumerate(text):
        if category(one) == "Cf":  # nobody sees it
            continue
        form = normalize("NFKC", one).translate(_DASHES)
        parts.append(form)
        places += [place] * len(form)
    return "".join(parts), places


def _marked(
    text: str, field: str, numbers: Sequence[tuple[NumberKind, Span]], found: list[TextNumber]
) -> str:
    parts: list[str] = []
    behind = 0
    for kind, span in numbers:
        known = sum(one.mark.startswith(f"〔{kind.name}") for one in found)
        mark = f"〔{kind.name}{known + 1}〕"
        found.append(TextNumber(field=field, mark=mark, number=text[span.start : span.end]))
        parts += [text[behind : span.start], mark]
        behind = span.end
    return "".join((*parts, text[behind:]))
