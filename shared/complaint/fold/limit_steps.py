"""Applies the facts of dispatch that move an order's limit: more days, a pause, another class or calendar. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import replace

from shared.complaint.limits import Exchanged, by_class, moved, rung, supervision_limit
from shared.complaint.order import (
    ExtensionAsked,
    Held,
    LimitStep,
    Pause,
    PauseAsked,
    asking,
    pause_ended,
    question,
    without,
)
from shared.complaint.state import ClassBefore, Complaint
from shared.events import (
    CalendarAmended,
    ComplaintReclassified,
    ExtensionApproved,
    ExtensionRejected,
    ExtensionRequested,
    Fact,
    PauseApproved,
    PauseEnded,
    PauseRejected,
    PauseRequested,
)
from shared.events.base import Limit


def _apply_extension_requested(case: Complaint, fact: ExtensionRequested) -> Complaint:
    if not isinstance(case.order, Held):
        return case
    return replace(case, order=asking(case.order, ExtensionAsked(days=fact.days)))


def _apply_extension_approved(case: Complaint, fact: ExtensionApproved) -> Complaint:
    order = case.order
    if not isinstance(order, Held):
        return case
    known = question(order, ExtensionAsked)
    step = LimitStep(at=fact.approved_at, days=0 if known is None else known.days)
    return replace(
        case,
        order=replace(
            order,
            asked=without(order, ExtensionAsked),
            extended_due_at=fact.new_due_at,
            provisional=fact.provisional is True,
            steps=(*order.steps, step),
        ),
        deadlines=moved(case, fact.round, fact.new_due_at, fact.approved_at),
        extensions=case.extensions + 1,
    )


def _apply_extension_rejected(case: Complaint, _: ExtensionRejected) -> Complaint:
    order = case.order
    if not isinstance(order, Held):
        return case
    return replace(case, order=replace(order, asked=without(order, ExtensionAsked)))


def _apply_pause_requested(case: Complaint, fact: PauseRequested) -> Complaint:
    if not isinstance(case.order, Held):
        return case
    return replace(case, order=asking(case.order, PauseAsked(days=fact.days, ground=fact.ground)))


def _apply_pause_approved(case: Complaint, fact: PauseApproved) -> Complaint:
    """Nothing is warned of while the clock stands still: the limit runs on from the end of it."""
    order = case.order
    if not isinstance(order, Held):
        return case
    order = replace(
        order,
        asked=without(order, PauseAsked),
        pause=Pause(days=fact.days, since=fact.approved_at, until=fact.until),
        extended_due_at=fact.new_due_at,
        provisional=fact.provisional is True,
        steps=(*order.steps, LimitStep(at=fact.approved_at, days=fact.days, paused=True)),
    )
    deadlines = moved(case, fact.round, fact.new_due_at, fact.until)
    return replace(case, order=order, deadlines=deadlines, pauses=case.pauses + 1)


def _apply_pause_rejected(case: Complaint, _: PauseRejected) -> Complaint:
    order = case.order
    if not isinstance(order, Held):
        return case
    return replace(case, order=replace(order, asked=without(order, PauseAsked)))


def _apply_pause_ended(case: Complaint, fact: PauseEnded) -> Complaint:
    if case.order is None:
        return case
    order = case.order if fact.days is UNSET else pause_ended(case.order, fact.days)
    order = replace(order, pause=None, extended_due_at=fact.new_due_at, provisional=fact.provisional is True)
    return replace(case, order=order, deadlines=moved(case, fact.round, fact.new_due_at, fact.ended_at))


def _apply_complaint_reclassified(case: Complaint, fact: ComplaintReclassified) -> Complaint:
    order = case.order
    if order is None:
        return case
    step = LimitStep(at=fact.reclassified_at, urgency=fact.urgency, urgency_before=fact.old_urgency)
    new = fact.due_at
    if fact.pause_days is not UNSET:
        order = pause_ended(order, fact.pause_days)
    order = replace(
        order,
        citizen_due_at=fact.citizen_due_at,
        unit_due_at=fact.unit_due_at,
        extended_due_at=None if order.extended_due_at is None else new,
        provisional=fact.provisional is True,
        steps=(*order.steps, step),
    )
    deadlines = moved(case, order.round, new, fact.reclassified_at)
    if fact.sign_due_at is not UNSET:
        deadlines = tuple(
            replace(d, due_at=fact.sign_due_at, since=fact.reclassified_at)
            if d.limit is Limit.SIGN and d.number == order.assignment and d.done_at is None
            else d
            for d in deadlines
        )
    exchanged = Exchanged(fact.reclassified_at, fact.urgency)
    deadlines = tuple(
        replace(d, due_at=by_class(case, d.due_at, d.since, rung, (exchanged,)))
        if d.limit is Limit.LADDER and d.done_at is None
        else d
        for d in deadlines
    )
    supervision = case.supervision
    if supervision is not None and supervision.since is not None and not supervision.missed:
        due_at = by_class(case, supervision.due_at, supervision.since, supervision_limit, (exchanged,))
        supervision = replace(supervision, due_at=due_at)
    return replace(
        case,
        urgency=fact.urgency,
        order=order,
        deadlines=deadlines,
        supervision=supervision,
        classes_before=(
            *case.classes_before,
            ClassBefore(urgency=fact.old_urgency, until=fact.reclassified_at),
        ),
    )


def _apply_calendar_amended(case: Complaint, fact: CalendarAmended) -> Complaint:
    if case.order is None:
        return replace(case, calendar=fact.calendar)
    order = replace(
        case.order,
        citizen_due_at=fact.citizen_due_at,
        unit_due_at=fact.unit_due_at,
        extended_due_at=None if case.order.extended_due_at is None else fact.new_due_at,
        provisional=fact.provisional is True,
    )
    deadlines = case.deadlines
    if fact.new_due_at != fact.old_due_at:
        deadlines = moved(case, order.round, fact.new_due_at, fact.amended_at)
    return replace(case, calendar=fact.calendar, order=order, deadlines=deadlines)


STEPS: Final[dict[type[Fact], Callable[[Complaint, Any], Complaint]]] = {
    ExtensionRequested: _apply_extension_requested,
    ExtensionApproved: _apply_extension_approved,
    ExtensionRejected: _apply_extension_rejected,
    PauseRequested: _apply_pause_requested,
    PauseApproved: _apply_pause_approved,
    PauseRejected: _apply_pause_rejected,
    PauseEnded: _apply_pause_ended,
    ComplaintReclassified: _apply_complaint_reclassified,
    CalendarAmended: _apply_calendar_amended,
}
