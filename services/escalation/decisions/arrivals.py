"""A unit that a street whistled for did not come in time (G2, R18). Pure."""

from __future__ import annotations

from datetime import datetime

from services.escalation.decisions.ladder import TOP, next_level, told_at
from shared.complaint import Complaint, NotThere, district_at
from shared.events import ArrivalMissed, Level
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import ruleset


def missed(case: Complaint, missing: NotThere, until: datetime, catalogue: Catalogue) -> ArrivalMissed:
    """G2, R18: the district is told first, then, after its step, the municipality."""
    called, due_at = missing.called, missing.due_at
    level = next_level(called.level, Level.UNIT) or TOP
    step = ruleset(case.ruleset).whistle[missing.whistle.kind].step
    return ArrivalMissed(
        complaint_id=case.complaint_id,
        whistle=missing.whistle.number,
        called=called.unit,
        unit=missing.whistle.unit,
        to_level=level,
        told=told_at(level, catalogue, district_at(case, due_at)),
        due_at=due_at,
        next_at=None if level is TOP else due_at + step,
        missed_at=due_at,
        noticed_at=until,
    )
