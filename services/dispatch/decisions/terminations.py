"""A termination (终止): the order ends unanswered, on a ground that a review agreed with (D5). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.dispatch.guards import OrderReply, Refusal, Said, held
from services.dispatch.reviewed import OrderReview, reviewed
from shared.complaint import Complaint, Held, TerminationAsked, asked
from shared.events import TerminationApproved, TerminationRejected, TerminationRequested
from shared.events.base import TerminationGround


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTermination(OrderReply):
    """The unit says that it cannot be handled."""

    ASKED = "terminate"

    ground: TerminationGround
    evidence: str


def request_termination(command: RequestTermination, case: Complaint) -> Said:
    """D5: on a ground the norm knows, shown by evidence, by the unit that has signed."""
    order = held(command, case)
    if isinstance(order, Refusal):
        return order
    if order.signed_at is None:
        return Refusal("only a signed order is terminated; one that is not yours is returned")
    if (waiting := asked(order, TerminationAsked)) is not None:
        return Refusal(f"a termination for {waiting.ground} is under review")
    return [
        TerminationRequested(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            ground=command.ground,
            evidence=command.evidence,
            requested_at=command.at,
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTermination(OrderReview):
    """The reviewer decides on a termination."""

    OF = "termination"


def review_termination(command: ReviewTermination, case: Complaint) -> Said:
    """An approved one ends the order; feedback closes the complaint as an exception (E3)."""
    return reviewed(
        command,
        case,
        TerminationRejected,
        of=TerminationAsked,
        approved=lambda order, wanted: _terminated(command, case, order, wanted),
    )


def _terminated(command: ReviewTermination, case: Complaint, order: Held, wanted: TerminationAsked) -> Said:
    return [
        TerminationApproved(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            ground=wanted.ground,
            reviewer=command.reviewer,
            reason=command.reason,
            approved_at=command.at,
        )
    ]
