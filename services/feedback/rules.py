"""The rules of feedback; pure. Each matter has a file in `decisions/`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from services.feedback import decisions
from services.feedback.decision_table import DECISIONS
from services.feedback.decisions.closing import CloseTerminated, close_terminated
from services.feedback.decisions.visits import ScheduleVisit, schedule
from shared.aside import NoSuchComplaint
from shared.asked import Asked
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
from shared.topics import FEEDBACK_EXCEPTIONS, FEEDBACK_VISIT_RESULTS

DECISIONS.read(decisions, FEEDBACK_VISIT_RESULTS, FEEDBACK_EXCEPTIONS)

OwnCommand = CloseTerminated | ScheduleVisit
"""The commands that feedback gives itself."""

FeedbackCommand = OwnCommand | Asked
"""The dialler or a supervisor asks for everything else."""

REACTS = (OrderAnswered, AnswerLimitMissed, TerminationApproved)
"""The facts feedback acts on (R8: answer or expiry, whichever is first)."""


def react(fact: Fact, at: datetime) -> OwnCommand | None:
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
    """Return the facts that must follow; none, if they hold already. A forbidden command gives a refusal."""
    if not isinstance(case, Complaint):
        raise NoSuchComplaint(command.complaint_id)
    match command:
        case ScheduleVisit():
            return schedule(command, case)
        case CloseTerminated():
            return close_terminated(command, case)
        case Asked():
            return DECISIONS.decide(command, case, catalogue)
        case _:
            assert_never(command)
