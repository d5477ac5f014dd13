"""A termination (终止): the order ends unanswered, on a ground that a review agreed with (D5). Pure."""

from __future__ import annotations

from services.dispatch.decision_table import decides
from services.dispatch.guards import Refusal, Said, held
from services.dispatch.reviewed import reviewed
from shared.asked import Asked
from shared.complaint import Complaint, Held, TerminationAsked, question
from shared.events import TerminationApproved, TerminationRejected, TerminationRequested
from shared.inputs import RequestTermination, ReviewTermination


@decides(RequestTermination, "terminate")
def request_termination(command: RequestTermination, asked: Asked, case: Complaint) -> Said:
    """D5: on a ground the norm knows, shown by evidence, by the unit that has signed."""
    order = held(command.assignment, asked, case)
    if isinstance(order, Refusal):
        return order
    if order.signed_at is None:
        return Refusal("only a signed order is terminated; one that is not yours is returned")
    if (waiting := question(order, TerminationAsked)) is not None:
        return Refusal(f"a termination for {waiting.ground} is under review")
    return [
        TerminationRequested(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            ground=command.ground,
            evidence=command.evidence,
            requested_at=asked.at,
        )
    ]


@decides(ReviewTermination, "termination")
def review_termination(command: ReviewTermination, asked: Asked, case: Complaint) -> Said:
    """An approved one ends the order; feedback closes the complaint as an exception (E3)."""
    return reviewed(
        command,
        asked,
        case,
        TerminationRejected,
        of=TerminationAsked,
        approved=lambda order, wanted: _terminated(command, asked, case, order, wanted),
    )


def _terminated(
    command: ReviewTermination, asked: Asked, case: Complaint, order: Held, wanted: TerminationAsked
) -> Said:
    return [
        TerminationApproved(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            ground=wanted.ground,
            reviewer=command.reviewer,
            reason=command.reason,
            approved_at=asked.at,
        )
    ]
