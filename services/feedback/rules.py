"""The rules of feedback; pure. Each matter has a file in `decisions/`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from services.feedback.decisions.closing import (
    CloseByException,
    CloseTerminated,
    close_by_exception,
    close_terminated,
)
from services.feedback.decisions.visits import (
    RecordUnreached,
    RecordVisit,
    ScheduleVisit,
    record_unreached,
    record_visit,
    schedule,
)
from shared.aside import NoSuchComplaint
from shared.complaint import Case, Complaint
from shared.events import (
    AnswerLimitMissed,
    Fact,
    FeedbackFact,
    OrderAnswered,
    TerminationApproved,
    VisitReason,
)
from shared.policy.catalogue import Catalogue

FeedbackCommand = CloseTerminated | ScheduleVisit | RecordVisit | RecordUnreached | CloseByException

REACTS = (OrderAnswered, AnswerLimitMissed, TerminationApproved)
"""The facts feedback acts on (R8: answer or expiry, whichever is first)."""


def react(fact: Fact, at: datetime) -> FeedbackCommand | None:
    """Whenever this fact, do that."""
    if isinstance(fact, OrderAnswered):
        return ScheduleVisit(
            complaint_id=fact.complaint_id,
            round=fact.round,
            because=VisitReason.ANSWERED,
            unit=fact.unit,
            at=at,
        )
    if isinstance(fact, AnswerLimitMissed):
        return ScheduleVisit(
            complaint_id=fact.complaint_id,
            round=fact.round,
            because=VisitReason.EXPIRED,
            unit=fact.unit,
            at=at,
        )
    if isinstance(fact, TerminationApproved):
        return CloseTerminated(
            complaint_id=fact.complaint_id,
            approved_by=fact.reviewer,
            reason=f"{fact.ground}: {fact.reason}" if fact.reason else fact.ground,
            at=at,
        )
    return None


def decide(command: FeedbackCommand, case: Case, catalogue: Catalogue) -> Sequence[FeedbackFact]:
    """Say what must now be true; nothing, if it already is. What cannot be is refused by a fact."""
    if not isinstance(case, Complaint):
        raise NoSuchComplaint(command.complaint_id)
    match command:
        case ScheduleVisit():
            return schedule(command, case)
        case RecordVisit():
            return record_visit(command, case)
        case RecordUnreached():
            return record_unreached(command, case)
        case CloseByException():
            return close_by_exception(command, case, catalogue)
        case CloseTerminated():
            return close_terminated(command, case)
        case _:
            assert_never(command)
