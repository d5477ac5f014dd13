"""Applies the facts of dispatch, but those that only move a limit. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from shared.complaint.limits import met, off_the_ladder
from shared.complaint.order import (
    Answered,
    CoUnit,
    DisputeAsked,
    Held,
    Order,
    Recalled,
    ReturnAsked,
    Terminated,
    TerminationAsked,
    asking,
    common,
    without,
)
from shared.complaint.state import Complaint, Deadline, Exclusion, dispatched_first
from shared.events import (
    AnswerSentBack,
    CitizenContacted,
    ComplaintDispatched,
    ContactFailed,
    CouncilDecided,
    CoUnitAdded,
    CoUnitReported,
    DisputeRaised,
    ExclusionApproved,
    ExclusionRejected,
    ExclusionRequested,
    Fact,
    OrderAmended,
    OrderAnswered,
    OrderAssigned,
    OrderMoved,
    OrderSigned,
    ProgressReported,
    ReturnApproved,
    ReturnRejected,
    ReturnRequested,
    TerminationApproved,
    TerminationRejected,
    TerminationRequested,
)
from shared.events.base import Limit


def _apply_complaint_dispatched(case: Complaint, fact: ComplaintDispatched) -> Complaint:
    order = Held(
        unit=fact.unit,
        level=fact.level,
        assignment=fact.assignment,
        round=fact.round,
        dispatched_at=fact.dispatched_at,
        citizen_due_at=fact.citizen_due_at,
        unit_due_at=fact.unit_due_at,
        provisional=fact.provisional is True,
        unlisted=fact.unlisted or (),
    )
    before = case.order
    new_round = before is None or fact.round > before.round
    if before is None:
        case = met(case, Limit.DISPATCH, 0, fact.dispatched_at)
    elif not new_round:
        since = None if fact.round == 1 else before.round_since or before.dispatched_at
        order = replace(order, steps=before.steps, round_since=since, extended_due_at=before.extended_due_at)
    elif fact.unit == before.unit:  # the same unit again: whom the record names stays as open as it was
        order = replace(order, names=before.names, left=before.left)
    deadlines = _limits_with(case, fact, order, new_round=new_round)
    return replace(
        case,
        order=order,
        deadlines=deadlines,
        reopened=False,
        judged=None,
        first_dispatched_at=dispatched_first(case),
    )


def _limits_with(
    case: Complaint, fact: ComplaintDispatched, order: Order, *, new_round: bool
) -> tuple[Deadline, ...]:
    """The limits that run with this order, and those from before it that stay."""
    deadlines = off_the_ladder(case, fact.dispatched_at) if new_round else case.deadlines
    if deadlines:  # nobody can sign the order this one replaces; what had passed before stays owed
        deadlines = tuple(
            d
            for d in deadlines
            if d.limit is not Limit.SIGN or d.done_at is not None or d.due_at < fact.dispatched_at
        )
    if fact.sign_due_at is not None:
        deadlines = (
            *deadlines,
            Deadline(
                limit=Limit.SIGN,
                due_at=fact.sign_due_at,
                unit=fact.unit,
                since=fact.dispatched_at,
                number=fact.assignment,
                level=fact.level,
            ),
        )
    if not new_round:  # the same limit now runs against the new unit (T10), unless it had passed before
        return tuple(
            replace(d, unit=fact.unit, level=fact.level)
            if d.limit is Limit.ANSWER and d.number == fact.round and fact.dispatched_at <= d.due_at
            else d
            for d in deadlines
        )
    return (
        *deadlines,
        Deadline(
            limit=Limit.ANSWER,
            due_at=order.feedback_due_at,
            unit=fact.unit,
            since=fact.dispatched_at,
            number=fact.round,
            level=fact.level,
        ),
    )


def _reacted(case: Complaint, at: datetime) -> Complaint:
    """The unit showed a sign of life: its sign limit is settled, in time or late."""
    order = case.order
    if order is None or order.reacted_at is not None:
        return case
    settled = met(case, Limit.SIGN, order.assignment, at)
    return replace(settled, order=replace(order, reacted_at=at))


def _apply_order_signed(case: Complaint, fact: OrderSigned) -> Complaint:
    case = _reacted(case, fact.signed_at)
    if case.order is None:
        return case
    return replace(case, order=replace(case.order, signed_at=fact.signed_at, names=None))


def _apply_order_answered(case: Complaint, fact: OrderAnswered) -> Complaint:
    case = _reacted(case, fact.answered_at)
    case = met(case, Limit.ANSWER, fact.round, fact.answered_at)
    if case.order is None:
        return case
    return replace(case, order=Answered(*common(case.order), answered_at=fact.answered_at))


def _apply_citizen_contacted(case: Complaint, fact: CitizenContacted) -> Complaint:
    return replace(case, order=replace(case.order, contacted_at=fact.contacted_at)) if case.order else case


def _apply_contact_failed(case: Complaint, fact: ContactFailed) -> Complaint:
    return replace(case, order=replace(case.order, tried_at=fact.tried_at)) if case.order else case


def _apply_progress_reported(case: Complaint, fact: ProgressReported) -> Complaint:
    return replace(case, order=replace(case.order, progress_at=fact.reported_at)) if case.order else case


def _apply_answer_sent_back(case: Complaint, fact: AnswerSentBack) -> Complaint:
    """The order is held again: the same limit runs on, nobody is asked. A unit that has answered has taken it on."""
    order = case.order
    if not isinstance(order, Answered):
        return case
    limit = Deadline(
        limit=Limit.ANSWER,
        due_at=order.feedback_due_at,
        unit=order.unit,
        since=fact.sent_back_at,
        number=order.round,
        level=order.level,
    )
    again = Held(*common(order))
    case = _not_visited(case, fact.sent_back_at)
    return replace(
        case,
        order=replace(again, signed_at=order.signed_at or order.answered_at, sent_back=order.sent_back + 1),
        deadlines=(*case.deadlines, limit),
        visited_round=min(case.visited_round, order.round - 1),
    )


def _apply_return_requested(case: Complaint, fact: ReturnRequested) -> Complaint:
    case = _reacted(case, fact.requested_at)
    if not isinstance(case.order, Held):
        return case
    order = asking(case.order, ReturnAsked(suggested_unit=fact.suggested_unit))
    return replace(case, order=order, returns=case.returns + 1)


def _apply_return_approved(case: Complaint, _: ReturnApproved) -> Complaint:
    return _recalled(case)


def _apply_return_rejected(case: Complaint, _: ReturnRejected) -> Complaint:
    order = case.order
    if not isinstance(order, Held):
        return case
    left = order.names is not None
    return replace(
        case,
        order=replace(order, asked=without(order, ReturnAsked), return_rejected=True, left=left),
    )


def _apply_order_assigned(case: Complaint, fact: OrderAssigned) -> Complaint:
    return _recalled(_reacted(case, fact.assigned_at))


def _apply_order_moved(case: Complaint, fact: OrderMoved) -> Complaint:
    """Nobody waits for its signature any more; that it did not come in time while it could stays owed."""
    return _recalled(met(case, Limit.SIGN, fact.assignment, fact.moved_at))


def _recalled(case: Complaint) -> Complaint:
    return case if case.order is None else replace(case, order=Recalled(*common(case.order)))


def _apply_order_amended(case: Complaint, fact: OrderAmended) -> Complaint:
    if case.order is None:
        return case
    names = fact.names or None
    left = case.order.left and names == case.order.names
    order = replace(case.order, written_for=None, unlisted=fact.unlisted or (), names=names, left=left)
    return replace(case, order=order)


def _apply_dispute_raised(case: Complaint, fact: DisputeRaised) -> Complaint:
    case = _reacted(case, fact.raised_at)
    return replace(case, order=asking(case.order, DisputeAsked())) if isinstance(case.order, Held) else case


def _apply_council_decided(case: Complaint, fact: CouncilDecided) -> Complaint:
    order = case.order
    if not isinstance(order, Held):
        return case
    order = replace(order, asked=without(order, ReturnAsked, DisputeAsked), names=None)
    case = replace(case, order=order, settled=True)
    return case if fact.to_unit == order.unit else _recalled(case)


def _apply_termination_requested(case: Complaint, fact: TerminationRequested) -> Complaint:
    if not isinstance(case.order, Held):
        return case
    return replace(case, order=asking(case.order, TerminationAsked(ground=fact.ground)))


def _apply_termination_approved(case: Complaint, fact: TerminationApproved) -> Complaint:
    case = met(case, Limit.ANSWER, fact.round, fact.approved_at)
    if case.order is None:
        return case
    order = Terminated(*common(case.order))
    return _not_visited(replace(case, order=order), fact.approved_at)


def _apply_termination_rejected(case: Complaint, _: TerminationRejected) -> Complaint:
    order = case.order
    if not isinstance(order, Held):
        return case
    return replace(case, order=replace(order, asked=without(order, TerminationAsked)))


def _apply_co_unit_added(case: Complaint, fact: CoUnitAdded) -> Complaint:
    return replace(case, co_units=(*case.co_units, CoUnit(unit=fact.co_unit)))


def _apply_co_unit_reported(case: Complaint, fact: CoUnitReported) -> Complaint:
    return replace(
        case,
        co_units=tuple(
            replace(c, reported_at=fact.reported_at) if c.unit == fact.co_unit else c for c in case.co_units
        ),
    )


def _apply_exclusion_requested(case: Complaint, fact: ExclusionRequested) -> Complaint:
    return replace(case, exclusion=Exclusion(unit=fact.unit, ground=fact.ground))


def _apply_exclusion_reviewed(case: Complaint, fact: ExclusionApproved | ExclusionRejected) -> Complaint:
    if case.exclusion is None:
        return case
    return replace(case, exclusion=replace(case.exclusion, approved=isinstance(fact, ExclusionApproved)))


def _not_visited(case: Complaint, at: datetime) -> Complaint:
    """Nobody need ask any more: the limit for it runs no longer; what had passed before stays owed."""
    if case.visit is None:
        return case
    return replace(met(case, Limit.VISIT, case.visit.visit, at), visit=None)


STEPS: Final[dict[type[Fact], Callable[[Complaint, Any], Complaint]]] = {
    ComplaintDispatched: _apply_complaint_dispatched,
    OrderSigned: _apply_order_signed,
    OrderAnswered: _apply_order_answered,
    CitizenContacted: _apply_citizen_contacted,
    ContactFailed: _apply_contact_failed,
    ProgressReported: _apply_progress_reported,
    AnswerSentBack: _apply_answer_sent_back,
    ReturnRequested: _apply_return_requested,
    ReturnApproved: _apply_return_approved,
    ReturnRejected: _apply_return_rejected,
    OrderAssigned: _apply_order_assigned,
    OrderMoved: _apply_order_moved,
    OrderAmended: _apply_order_amended,
    TerminationRequested: _apply_termination_requested,
    TerminationApproved: _apply_termination_approved,
    TerminationRejected: _apply_termination_rejected,
    DisputeRaised: _apply_dispute_raised,
    CouncilDecided: _apply_council_decided,
    CoUnitAdded: _apply_co_unit_added,
    CoUnitReported: _apply_co_unit_reported,
    ExclusionRequested: _apply_exclusion_requested,
    ExclusionApproved: _apply_exclusion_reviewed,
    ExclusionRejected: _apply_exclusion_reviewed,
}
