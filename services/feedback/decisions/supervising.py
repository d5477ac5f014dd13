"""A supervisor says what is to be done about a complaint that has climbed (督办). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.feedback.decision_table import decides_knowing
from services.feedback.refusals import refused
from shared.asked import Asked
from shared.complaint import Complaint
from shared.deciding import concerned, may_decide
from shared.events import FeedbackFact, SupervisionDecided
from shared.events.base import Level
from shared.inputs import DecideSupervision
from shared.policy.catalogue import Catalogue


@decides_knowing(DecideSupervision)
def decide_supervision(
    command: DecideSupervision, asked: Asked, case: Complaint, catalogue: Catalogue
) -> Sequence[FeedbackFact]:
    """Once it has climbed, and by a supervisor who has no part in it (T22); it moves no limit."""
    order = case.order
    why = may_decide("decided_by", command.decided_by, concerned(case, catalogue), asked.login)
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}"
    elif case.level is Level.UNIT:
        why = "it has not climbed: no district and no supervision watches over it"
    if why is not None or order is None:
        return [refused("decide", why or "there is no order", case, asked.at, command.decided_by)]
    return [
        SupervisionDecided(
            complaint_id=case.complaint_id,
            unit=order.unit,
            level=case.level,
            decided_by=command.decided_by,
            decision=command.decision,
            decided_at=asked.at,
        )
    ]
