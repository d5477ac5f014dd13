"""Guards of dispatch: a unit may speak to its order, a person may decide about it (T2, T22), or it is refused. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from msgspec import UNSET

from shared.asked import Asked
from shared.complaint import (
    Answered,
    Complaint,
    DisputeAsked,
    ExtensionAsked,
    Held,
    Order,
    PauseAsked,
    Recalled,
    ReturnAsked,
    Terminated,
    TerminationAsked,
    answer_in_time,
    limit_asked,
    question,
    whose_asked,
)
from shared.deciding import concerned, decider, decider_field, may_decide, may_decide_together
from shared.events import DispatchFact, ReplyRefused
from shared.events.base import Urgency
from shared.ids import UnitId
from shared.policy.catalogue import Catalogue
from shared.policy.limits import Days
from shared.policy.ruleset import ruleset
from shared.times import stated

REVIEWERS: Final = UnitId("reviewers")
"""Stands for the unit where no unit asked."""

NOT_DISPATCHED: Final = "the complaint is not dispatched"


class Refusal(NamedTuple):
    """The reason why something cannot be; `refused` makes a fact of it."""

    why: str
    unit: UnitId | None = None
    """The unit it concerns, where that is neither the one that spoke nor the one that has the order."""


Said = Sequence[DispatchFact] | Refusal
"""The outcome of a decision: facts, or a refusal."""


def refused(asked: Asked, words: str, refusal: Refusal, case: Complaint) -> ReplyRefused:
    """The question in these words, the person who asked where it was no unit, and the reason why it cannot be."""
    unit = asked.unit or refusal.unit or (REVIEWERS if case.order is None else case.order.unit)
    return ReplyRefused(
        complaint_id=case.complaint_id,
        unit=unit,
        asked=words,
        asked_by=decider(asked.command, asked.login) or UNSET,
        reason=refusal.why,
        refused_at=asked.at,
    )


def held(assignment: int, asked: Asked, case: Complaint) -> Held | Refusal:
    """The order, where the unit that asks has it and nothing about whose it is is under review."""
    order = theirs(case, asked.unit, assignment)
    if isinstance(order, Refusal):
        return order
    match whose_asked(order):
        case None:
            return order
        case DisputeAsked():
            return Refusal("a dispute about this order is under review")
        case ReturnAsked():
            return Refusal("a return of this order is under review")


def theirs(case: Complaint, unit: UnitId, assignment: int) -> Held | Refusal:
    """The order, where this unit may speak to this assignment now (T2)."""
    order = dispatched(case)
    if isinstance(order, Refusal):
        return order
    number = present(case, order)
    if order.unit != unit:
        return Refusal(f"the order lies with {order.unit} now")
    if number != assignment:
        return Refusal(f"assignment {assignment} is over, the present one is {number}")
    if case.reopened:
        return Refusal(f"assignment {assignment} is not written yet")
    return open_order(order)


def open_order(order: Order) -> Held | Refusal:
    """The order, where its unit has it still and has not answered it."""
    match order:
        case Held():
            return order
        case Answered():
            return Refusal("the order is answered")
        case Terminated():
            return Refusal("the order is terminated")
        case Recalled():
            return Refusal(f"assignment {order.assignment} is over")


def decidable(case: Complaint, assignment: int) -> Order | Refusal:
    """The order, where something can be decided about this assignment now."""
    order = case.order
    if case.ended is not None:
        return Refusal(f"the life ended with {case.ended.how}")
    if order is None or present(case, order) != assignment:
        return Refusal(f"assignment {assignment} is over")
    return order


def dispatched(case: Complaint) -> Order | Refusal:
    """The order of a complaint whose life goes on."""
    if case.ended is not None:
        return Refusal(f"the life ended with {case.ended.how}")
    return Refusal(NOT_DISPATCHED) if case.order is None else case.order


def present(case: Complaint, order: Order) -> int:
    """The assignment that may be spoken to; after the citizen's no it is the next one, written or not."""
    return order.assignment + case.reopened


def too_late(case: Complaint, order: Order, at: datetime) -> str | None:
    """T6: its limit has passed by then, or its miss is stated or owed: nothing that comes now takes that back."""
    if answer_in_time(case, order, at):
        return None
    return f"the limit passed at {stated(order.feedback_due_at, case.ruleset)} (T6)"


def not_in_days(case: Complaint, done: str) -> str | None:
    """Why nothing of its limit can be granted: only a limit in days is extended or paused."""
    limit = ruleset(case.ruleset).classes[case.urgency or Urgency.GENERAL_7D].feedback
    return None if isinstance(limit, Days) else f"only a limit in days is {done}"


def unsigned(order: Order) -> str | None:
    """Why nothing of its handling is told yet."""
    return "the order is not signed" if order.signed_at is None else None


def overtaken(last: datetime | None, at: datetime, case: Complaint) -> str | None:
    """Why it comes too late: what was told last is later."""
    if last is None or at >= last:
        return None
    return f"something later is on record, of {stated(last, case.ruleset)}"


def under_review(order: Held) -> str:
    """The open question that would move the unit's limit or end it; "" where there is none."""
    match limit_asked(order) or question(order, TerminationAsked):
        case None:
            return ""
        case ExtensionAsked():
            return "an extension"
        case PauseAsked():
            return "a pause"
        case TerminationAsked():
            return "a termination"


def nobodys_decision(
    asked: Asked, case: Complaint, catalogue: Catalogue, beside: tuple[UnitId, str] | None = None
) -> Refusal | None:
    """Why the one who decides may not: he asked for it, gains by it, or is nobody; None where it may be looked at.

    A command that names nobody who decides is a unit's, and may be looked at. `beside` is a unit beside those that the
    complaint names, with what it has to do with the decision.
    """
    field = decider_field(type(asked.command))
    if field is None:
        return None
    unit = None if beside is None else beside[0]
    those = concerned(case, catalogue, () if beside is None else (beside,))
    who: str | tuple[str, ...] = getattr(asked.command, field)
    if isinstance(who, str):
        why = may_decide(field, who, those, asked.login)
    else:
        why = may_decide_together(field, who, those, asked.login)
    return None if why is None else Refusal(why, unit)
