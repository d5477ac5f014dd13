"""Questions that several facts ask of an order: who may speak, who has it, whether its limit has passed. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol

from shared.complaint import Answered, Complaint, Order, Terminated, answer_in_time, holder, whose_asked
from shared.events import Level
from shared.ids import UnitId
from shared.times import stated

LADDER: Final = tuple(Level)
"""The levels, from the unit up."""


def with_another(case: Complaint, unit: UnitId | None) -> str | None:
    """Why the fact names the wrong unit; it names the one with the open order, and none where no order is open."""
    has_it = holder(case)
    return None if unit == has_it else f"the open order is with {has_it}, not with {unit}"


class OfUnit(Protocol):
    """A fact that the unit with the order states."""

    @property
    def unit(self) -> UnitId:
        """The unit that states it."""
        ...

    @property
    def assignment(self) -> int:
        """The assignment it is about."""
        ...


def not_theirs(case: Complaint, fact: OfUnit) -> str | None:
    """Only the present unit speaks, about its present order, while that is neither answered nor reviewed."""
    order = case.order
    if order is None or case.reopened:
        return "it is not dispatched" if order is None else "the next order is not written yet"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return (
            f"the order is assignment {order.assignment} with {order.unit}, "
            f"not {fact.assignment} with {fact.unit} (T2)"
        )
    match order:
        case Answered():
            return "the order is answered already"
        case Terminated():
            return "the order is terminated"
        case _:
            return "a return of the order is under review" if whose_asked(order) is not None else None


def too_late(case: Complaint, order: Order, at: datetime) -> str | None:
    """T6, T24: a limit that has passed, or whose miss is stated or owed, is not moved."""
    if answer_in_time(case, order, at):
        return None
    return f"the limit ended at {stated(order.feedback_due_at, case.ruleset)}, and stays missed (T6)"
