"""The review of a unit's question about its order: it is refused, rejected or approved. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from services.dispatch.decision_table import DECISIONS
from services.dispatch.guards import Refusal, Said, decidable
from shared.asked import Asked
from shared.complaint import Complaint, Held, Question, question
from shared.events import ExtensionRejected, PauseRejected, ReturnRejected, TerminationRejected
from shared.inputs import ReviewExtension, ReviewPause, ReviewReturn, ReviewTermination

QuestionT = TypeVar("QuestionT", bound=Question)

Rejected = type[ReturnRejected] | type[ExtensionRejected] | type[PauseRejected] | type[TerminationRejected]


OrderReview = ReviewReturn | ReviewExtension | ReviewPause | ReviewTermination
"""A review of a question about an order; it names the assignment it means."""


def reviewed(
    command: OrderReview,
    asked: Asked,
    case: Complaint,
    rejected: Rejected,
    *,
    of: type[QuestionT],
    approved: Callable[[Held, QuestionT], Said],
    cannot: Callable[[Held], str | None] | None = None,
) -> Said:
    """`of`: the kind of question that is decided. `cannot`: the reason why it is neither approved nor rejected."""
    order = decidable(case, command.assignment)
    if isinstance(order, Refusal):
        return order
    wanted = question(order, of)
    if case.reopened or wanted is None or not isinstance(order, Held):
        return Refusal(f"no {DECISIONS.words_of(command)} of this order is under review")
    if cannot is not None and (why := cannot(order)) is not None:
        return Refusal(why)
    if command.approved:
        return approved(order, wanted)
    return [
        rejected(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            reviewer=command.reviewer,
            reason=command.reason,
            rejected_at=asked.at,
        )
    ]
