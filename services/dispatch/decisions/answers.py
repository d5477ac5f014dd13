"""The unit says what it did (反馈), and whether the hotline's review lets that through (审核退回). Pure."""

from __future__ import annotations

from services.dispatch.decision_table import decides
from services.dispatch.guards import Refusal, Said, decidable, held
from shared.asked import Asked
from shared.complaint import Answered, Complaint, Order, answer_overdue
from shared.events import AnswerSentBack, OrderAnswered, VisitReason
from shared.inputs import AnswerOrder, SendBackAnswer
from shared.policy.ruleset import ruleset
from shared.times import stated


@decides(AnswerOrder, "answer")
def answer(command: AnswerOrder, asked: Asked, case: Complaint) -> Said:
    """Its claim, not the citizen's judgement; signed or not, in time or late."""
    order = held(command.assignment, asked, case)
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
            answered_at=asked.at,
        )
    ]


@decides(SendBackAnswer, "send the answer back")
def send_back(command: SendBackAnswer, asked: Asked, case: Complaint) -> Said:
    """Before anybody has tried to ask the citizen, and within the limit: after it the citizen judges (R8)."""
    order = decidable(case, command.assignment)
    if isinstance(order, Refusal):
        return order
    why = _let_through(asked, case, order)
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
            sent_back_at=asked.at,
        )
    ]


def _let_through(asked: Asked, case: Complaint, order: Order) -> str | None:
    most = ruleset(case.ruleset).answers_sent_back_max
    if not isinstance(order, Answered) or case.reopened:
        return "there is no answer" if not case.reopened else "the citizen has judged it"
    if asked.at < order.answered_at:
        return f"it was answered only at {stated(order.answered_at, case.ruleset)}"
    if order.sent_back >= most:
        return f"sent back {order.sent_back} times already, at most {most}; the citizen judges"
    # The limit first: whether the visit at expiry is under way depends on who has noticed what.
    if asked.at > order.feedback_due_at or order.miss_corrected or answer_overdue(case, order):
        return f"the limit passed at {stated(order.feedback_due_at, case.ruleset)}; the citizen judges (R8)"
    if case.visit is not None and (case.visit.attempt > 1 or case.visit.reason is VisitReason.EXPIRED):
        return "the citizen is being asked"
    return None
