"""Limits as a rule set grants them: of what kind, how long, by urgency and by kind of whistle."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

import msgspec


class DayKind(StrEnum):
    """Which days a limit in days counts (C4)."""

    NATURAL = "NATURAL"
    WORKING = "WORKING"


class Days(msgspec.Struct, frozen=True):
    """A limit that ends with a day: the n-th after the start day, at 24:00 local."""

    n: int


Limit: TypeAlias = timedelta | Days
"""Exact to the instant (hours, minutes), or to the end of a day."""


class ClassLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits one urgency grants; None where the rule set sets no such limit."""

    dispatch: Limit | None = None
    """From acceptance to the first dispatch (C1)."""
    sign: Limit | None = None
    """From the assignment until the unit has signed."""
    feedback: Limit | None = None
    """From dispatch until the unit has answered (C2); None where the limit comes with each request."""
    ladder_step: timedelta
    """The time a level has before the next one is told."""
    warnings: tuple[timedelta, ...] = ()
    """How long before the limit for the answer the unit is warned: yellow, then red."""
    supervision: timedelta | None = None
    """The time supervision has to bring it to an end; None where it has no such limit."""


class WhistleLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one kind of whistle for a called unit (G2)."""

    arrival: timedelta | None = None
    """Until it must be there; None where there is no such limit."""
    arrival_in: Mapping[str, timedelta] = {}
    """The same in single districts."""
    step: timedelta
    """The time the district has before the municipality is told."""
