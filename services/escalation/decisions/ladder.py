"""The ladder a late complaint climbs: unit, district, municipality; one level at a time, never down.

`hotline/audit/legality` holds every notice to it, whoever stated it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from shared.complaint import Complaint, district_at, urgency_at
from shared.events import ComplaintEscalated, EscalationFact, SupervisionOpened, Urgency
from shared.events.base import Level, Limit
from shared.ids import UnitId
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import ruleset

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
    """The desk that gets a notice to this level."""
    return catalogue.supervision if level is TOP else catalogue.district_unit(district)


class Late(NamedTuple):
    """The unit that was late, the limit it missed, and since when."""

    unit: UnitId
    level: Level
    """The rung the unit itself stands on."""
    because: Limit
    at: datetime


def escalated(case: Complaint, late: Late, until: datetime, catalogue: Catalogue) -> list[EscalationFact]:
    """The next level is told and watches; at the top supervision takes it up."""
    level = next_level(case.level, late.level)
    if level is None:
        return []
    limits = ruleset(case.ruleset).classes[urgency_at(case, late.at) or Urgency.GENERAL_7D]
    told = told_at(level, catalogue, district_at(case, late.at))
    said: list[EscalationFact] = [
        ComplaintEscalated(
            complaint_id=case.complaint_id,
            to_level=level,
            told=told,
            unit=late.unit,
            because=late.because,
            next_at=None if level is TOP else late.at + limits.ladder_step,
            escalated_at=late.at,
            noticed_at=until,
        )
    ]
    if level is TOP and limits.supervision is not None:
        said.append(
            SupervisionOpened(
                complaint_id=case.complaint_id,
                told=told,
                leader=catalogue.leader_of(told),
                unit=late.unit,
                because=late.because,
                due_at=late.at + limits.supervision,
                opened_at=late.at,
                noticed_at=until,
            )
        )
    return said
