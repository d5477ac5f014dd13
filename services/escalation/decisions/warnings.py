"""A limit for the answer is near (预警): yellow, then red. Pure."""

from __future__ import annotations

from datetime import datetime

from shared.complaint import Complaint, Warned
from shared.events import WarningGiven


def given(case: Complaint, warned: Warned, until: datetime) -> WarningGiven:
    """The unit is told that its limit is near."""
    return WarningGiven(
        complaint_id=case.complaint_id,
        unit=warned.deadline.unit,
        round=warned.deadline.number,
        colour=warned.near.colour,
        due_at=warned.deadline.due_at,
        warned_at=warned.near.at,
        noticed_at=until,
    )
