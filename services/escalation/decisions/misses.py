"""A limit passed: the miss is stated, and who is late climbs the ladder; a miss that was none is corrected. Pure."""

from __future__ import annotations

from datetime import datetime

from services.escalation.decisions.ladder import Late, escalated
from shared.complaint import HOTLINES_OWN, Complaint, Deadline, Missed
from shared.events import (
    AnswerLimitMissed,
    DispatchLimitMissed,
    EscalationFact,
    LimitMissCorrected,
    SignLimitMissed,
    VisitLimitMissed,
)
from shared.events.base import Limit
from shared.policy.catalogue import Catalogue


def passed(case: Complaint, owed: Deadline, until: datetime, catalogue: Catalogue) -> list[EscalationFact]:
    """That a limit was missed, and who is told of the unit that is late."""
    at = max(owed.due_at, owed.since)
    if owed.limit is Limit.LADDER:
        late = Late(owed.unit, owed.level, owed.because or Limit.ANSWER, at)
        return escalated(case, late, until, catalogue)
    said: list[EscalationFact] = [_miss(case, owed, until, catalogue)]
    if owed.limit not in HOTLINES_OWN:  # no unit is late, no ladder to climb
        said += escalated(case, Late(owed.unit, owed.level, owed.limit, at), until, catalogue)
    return said


def _miss(
    case: Complaint, owed: Deadline, until: datetime, catalogue: Catalogue
) -> DispatchLimitMissed | SignLimitMissed | AnswerLimitMissed | VisitLimitMissed:
    at = max(owed.due_at, owed.since)
    if owed.limit is Limit.DISPATCH:
        return DispatchLimitMissed(
            complaint_id=case.complaint_id,
            told=catalogue.supervision,
            due_at=owed.due_at,
            missed_at=at,
            noticed_at=until,
        )
    if owed.limit is Limit.VISIT:
        return VisitLimitMissed(
            complaint_id=case.complaint_id,
            told=catalogue.supervision,
            visit=owed.number,
            due_at=owed.due_at,
            missed_at=at,
            noticed_at=until,
        )
    if owed.limit is Limit.SIGN:
        return SignLimitMissed(
            complaint_id=case.complaint_id,
            unit=owed.unit,
            assignment=owed.number,
            due_at=owed.due_at,
            missed_at=at,
            noticed_at=until,
        )
    return AnswerLimitMissed(
        complaint_id=case.complaint_id,
        unit=owed.unit,
        round=owed.number,
        due_at=owed.due_at,
        missed_at=at,
        noticed_at=until,
    )


def corrected(case: Complaint, owed: Missed, until: datetime) -> list[EscalationFact]:
    """It was done in time, as is known by now."""
    done_at = owed.done_at
    assert done_at is not None  # noqa: S101 -- only those are owed
    return [
        LimitMissCorrected(
            complaint_id=case.complaint_id,
            limit=owed.limit,
            unit=owed.unit,
            due_at=owed.due_at,
            done_at=done_at,
            corrected_at=until,
        )
    ]
