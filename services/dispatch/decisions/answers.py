"""The unit says what it did (反馈), and whether the hotline's review lets that through (审核退回). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.dispatch.guards import OrderReply, Refusal, ReviewerAct, Said, decidable, held
from shared.complaint import Answered, Complaint, Order, answer_overdue
from shared.events import AnswerSentBack, OrderAnswered, VisitReason
from shared.policy.ruleset import ruleset
from shared.times import stated


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOrder(OrderReply):
    """The unit says what it did."""

    ASKED = "answer"

    result: str
    claims_solved: bool


def answer(command: AnswerOrder, case: Complaint) -> Said:
    """Its claim, not the citizen's judgement; signed or not, in time or late."""
    order = held(command, case)
    if isinstance(order, Refusal):
        return order
    return [
        OrderAnswered(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            result=command.result,
            claims_solved=command.claims_solved,
            answered_at=command.at,
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBackAnswer(ReviewerAct):
    """The reviewer does not let the answer through."""

    ASKED = "send the answer back"

    assignment: int
    reviewer: str
    reason: str


def send_back(command: SendBackAnswer, case: Complaint) -> Said:
    """Before anybody has tried to ask the citizen, and within the limit: after it the citizen judges (R8)."""
    order = decidable(case, command.assignment)
    if isinstance(order, Refusal):
        return order
    why = _let_through(command, case, order)
    if why is not None:
        return Refusal(why)
    return [
        AnswerSentBack(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            reviewer=command.reviewer,
            reason=command.reason,
            sent_back_at=command.at,
        )
    ]


def _let_through(command: SendBackAnswer, case: Complaint, order: Order) -> str | None:
    most = ruleset(case.ruleset).answers_sent_back_max
    if not isinstance(order, Answered) or case.reopened:
        return "there is no answer" if not case.reopened else "the citizen has judged it"
    if command.at < order.answered_at:
        return f"it was answered only at {stated(order.answered_at, case.ruleset)}"
    if order.sent_back >= most:
        return f"sent back {order.sent_back} times already, at most {most}; the citizen judges"
    # The limit first: whether the visit at expiry is under way depends on who has noticed what.
    if command.at > order.feedback_due_at or order.miss_corrected or answer_overdue(case, order):
        return f"the limit passed at {stated(order.feedback_due_at, case.ruleset)}; the citizen judges (R8)"
    if case.visit is not None and (case.visit.attempt > 1 or case.visit.reason is VisitReason.EXPIRED):
        return "the citizen is being asked"
    return None
