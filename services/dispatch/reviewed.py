"""A review of what a unit asked for about its order: refused, rejected, or what the approval brings. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from services.dispatch.guards import Refusal, Review, Said, decidable
from shared.complaint import Complaint, Held, Order
from shared.events import ExtensionRejected, PauseRejected, ReturnRejected, TerminationRejected

T = TypeVar("T")

Rejected = type[ReturnRejected] | type[ExtensionRejected] | type[PauseRejected] | type[TerminationRejected]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReview(Review):
    """A review of what was asked about an order; it names the assignment it means."""

    assignment: int


def reviewed(
    command: OrderReview,
    case: Complaint,
    rejected: Rejected,
    *,
    waits: Callable[[Order], T | None],
    approved: Callable[[Held, T], Said],
    cannot: Callable[[Held, T], str | None] | None = None,
) -> Said:
    """`waits`: what the unit has asked for, if it has. `cannot`: why it is neither approved nor rejected."""
    order = decidable(case, command.assignment)
    if isinstance(order, Refusal):
        return order
    wanted = waits(order)
    if case.reopened or wanted is None or not isinstance(order, Held):
        return Refusal(f"no {command.OF} of this order is under review")
    if cannot is not None and (why := cannot(order, wanted)) is not None:
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
