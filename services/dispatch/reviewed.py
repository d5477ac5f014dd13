"""The review of a unit's question about its order: it is refused, rejected or approved. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from services.dispatch.guards import Refusal, Review, Said, decidable
from shared.complaint import Asked, Complaint, Held, asked
from shared.events import ExtensionRejected, PauseRejected, ReturnRejected, TerminationRejected

AskedT = TypeVar("AskedT", bound=Asked)

Rejected = type[ReturnRejected] | type[ExtensionRejected] | type[PauseRejected] | type[TerminationRejected]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReview(Review):
    """A review of a question about an order; it names the assignment it means."""

    assignment: int


def reviewed(
    command: OrderReview,
    case: Complaint,
    rejected: Rejected,
    *,
    of: type[AskedT],
    approved: Callable[[Held, AskedT], Said],
    cannot: Callable[[Held], str | None] | None = None,
) -> Said:
    """`of`: the kind of question that is decided. `cannot`: the reason why it is neither approved nor rejected."""
    order = decidable(case, command.assignment)
    if isinstance(order, Refusal):
        return order
    wanted = asked(order, of)
    if case.reopened or wanted is None or not isinstance(order, Held):
        return Refusal(f"no {command.OF} of this order is under review")
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
            rejected_at=command.at,
        )
    ]
