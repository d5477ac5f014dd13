"""The ladder a late complaint climbs: unit, district, municipality; one level at a time, never down.

`hotline/audit/legality` holds every notice to it, whoever stated it.
"""

from __future__ import annotations

from typing import Final

from shared.events.base import Level
from shared.ids import UnitId
from shared.policy.catalogue import Catalogue

LADDER: Final = (Level.UNIT, Level.DISTRICT, Level.MUNICIPAL)
TOP: Final = LADDER[-1]


def next_level(watching: Level, acting: Level) -> Level | None:
    """The level to tell: above whoever watches now and above the unit itself; None at the top.

    One rung up from the higher of the two: a district that is late is not told of itself. A municipal
    department that is late has only the top above it.
    """
    if watching is TOP:
        return None
    rung = max(LADDER.index(watching), LADDER.index(acting)) + 1
    return LADDER[min(rung, len(LADDER) - 1)]


def told_at(level: Level, catalogue: Catalogue, district: str) -> UnitId:
    """Whose desk a notice to this level lands on."""
    return catalogue.supervision if level is TOP else catalogue.district_unit(district)
