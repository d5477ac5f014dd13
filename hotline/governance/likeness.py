"""The others in the position of a complaint (举一反三), by subject, place, words and time. Pure.

Nothing here is any text's. It only puts those first that a person should look at: a person says who is offered what.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from typing import Final, NamedTuple

import msgspec

from hotline.ratio import ratio
from hotline.readside.words import words_in

SUBJECT: Final = 3
STREET: Final = 2
DISTRICT: Final = 1
WORDS: Final = 4
"""Points for the same subject, street and district, and for all words; ours, so that nothing of them is published."""
WORDS_MIN: Final = Fraction(1, 2)
"""Share of the words that makes two complaints alike where their subjects differ: one may be filed wrongly."""


class ComplaintPosition(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a complaint that is compared."""

    complaint_id: str
    subject: str
    district: str
    street: str
    title: str
    content: str
    received_at: datetime


class Likeness(NamedTuple):
    """How much a complaint is like the first one."""

    complaint_id: str
    same_subject: bool
    same_district: bool
    same_street: bool
    words: Fraction
    """The words both have, of those that either has; of title and content."""
    days: int
    """Days between them."""

    @property
    def points(self) -> Fraction:
        """The larger, the more alike."""
        place = STREET * self.same_street + DISTRICT * self.same_district
        return SUBJECT * self.same_subject + place + WORDS * self.words

    @property
    def alike(self) -> bool:
        """Whether it is about the same, wherever it is."""
        return self.same_subject or self.words >= WORDS_MIN


class LikenessSought(NamedTuple):
    """How much others must be like the first one."""

    days: int
    """At most so many days between them."""
    anywhere: bool = False
    """In other districts too."""
    words: Fraction = Fraction(0)
    """At least this share of the words."""


def likeness(first: ComplaintPosition, other: ComplaintPosition) -> Likeness:
    """How much `other` is like `first`."""
    district = bool(first.district) and other.district == first.district
    mine, theirs = _words(first), _words(other)
    return Likeness(
        other.complaint_id,
        bool(first.subject) and other.subject == first.subject,
        district,
        district and bool(first.street) and other.street == first.street,
        ratio(len(mine & theirs), len(mine | theirs)) or Fraction(0),
        abs(other.received_at - first.received_at).days,
    )


def in_this_position(
    first: ComplaintPosition, others: Iterable[ComplaintPosition], sought: LikenessSought
) -> list[Likeness]:
    """Those alike, the most alike first; of equal ones the nearest in time."""
    found = [likeness(first, other) for other in others if other.complaint_id != first.complaint_id]
    fit = [
        one
        for one in found
        if one.alike
        and one.days <= sought.days
        and one.words >= sought.words
        and (sought.anywhere or one.same_district)
    ]
    return sorted(fit, key=lambda one: (-one.points, one.days, one.complaint_id))


def _words(one: ComplaintPosition) -> frozenset[str]:
    return frozenset(words_in(one.title)) | frozenset(words_in(one.content))
