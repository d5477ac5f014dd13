"""A complaint closes (结案): with a visit's outcome, or as an approved exception (E3). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.feedback.decision_table import decides_knowing
from services.feedback.refusals import refused
from shared.asked import Asked
from shared.complaint import Complaint, Terminated, Visit, holder
from shared.deciding import concerned, may_decide
from shared.events import ComplaintClosed, FeedbackFact, Outcome
from shared.ids import ComplaintId
from shared.inputs import CloseByException
from shared.policy.catalogue import Catalogue


@decides_knowing(CloseByException)
def close_by_exception(
    command: CloseByException, asked: Asked, case: Complaint, catalogue: Catalogue
) -> Sequence[FeedbackFact]:
    """E3: by a supervisor who has no part in it (T22)."""
    why = may_decide("approved_by", command.approved_by, concerned(case, catalogue), asked.login)
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}"
    if why is not None:
        return [refused("close by exception", why, case, asked.at, command.approved_by)]
    return [_excepted(case, command.approved_by, command.reason, asked.at)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseTerminated:
    """A review ended the order unanswered: close the complaint as the exception it approved."""

    complaint_id: ComplaintId
    approved_by: str
    reason: str
    at: datetime


def close_terminated(command: CloseTerminated, case: Complaint) -> Sequence[FeedbackFact]:
    """Nothing where the life has ended, or the order is not terminated."""
    if case.ended is not None or not isinstance(case.order, Terminated):
        return []
    return [_excepted(case, command.approved_by, command.reason, command.at)]


def _excepted(case: Complaint, approved_by: str, reason: str, at: datetime) -> ComplaintClosed:
    return ComplaintClosed(
        complaint_id=case.complaint_id,
        outcome=Outcome.EXCEPTION,
        visit=0,
        approved_by=approved_by,
        reason=reason,
        recalled_unit=holder(case),
        closed_at=at,
    )


def closed(case: Complaint, outcome: Outcome, visit: Visit, at: datetime) -> ComplaintClosed:
    """The end, with the outcome of this visit."""
    return ComplaintClosed(
        complaint_id=case.complaint_id,
        outcome=outcome,
        visit=visit.visit,
        recalled_unit=holder(case),
        closed_at=at,
    )
