"""How a rule set has a month scored (F1-F4)."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

import msgspec


class Measure(StrEnum):
    """The figure a list of the ranking looks at."""

    SCORE = "score"
    GAIN = "gain"
    """Of the score, on the month before; only who gained stands in such a list."""
    REQUESTS = "requests"
    PER_10K = "per_10k"


class Cut(msgspec.Struct, frozen=True):
    """The units in a list: so many from one end, and all that share the last place."""

    top: bool
    """From the highest; else from the lowest."""
    units: int
    by: Measure


class CountsIn(StrEnum):
    """In which month a complaint counts."""

    VISIT = "VISIT"
    """When the visit closes that its end rests on."""
    DISPATCH = "DISPATCH"
    """When it was first dispatched: then a month is not whole before its last complaint has ended."""


class RespondsBy(StrEnum):
    """The act of a unit within a limit that counts as a response."""

    CONTACT = "CONTACT"
    """Spoken to the citizen, or answered."""
    ANSWER = "ANSWER"


class Counting(NamedTuple):
    """How a complaint counts, and in which month."""

    counts_in: CountsIn = CountsIn.VISIT
    responds_by: RespondsBy = RespondsBy.CONTACT


class Scoring(msgspec.Struct, frozen=True, kw_only=True):
    """How a month is scored (F1-F4)."""

    counting: Counting
    response: Decimal
    """The weights of the three rates; together 1."""
    resolution: Decimal
    satisfaction: Decimal
    small_cell: int
    """A rate of fewer cases than this is not published; 0 or 1 publishes all."""
    lists: Mapping[str, Cut]
