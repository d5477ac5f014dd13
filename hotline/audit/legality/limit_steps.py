"""Whether the facts that move an order's limit may follow: more days, a pause, another class or calendar. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from msgspec import UNSET

from hotline.audit.legality.orders import not_theirs, too_late
from shared.complaint import (
    Answered,
    Complaint,
    ExtensionAsked,
    Held,
    Order,
    PauseAsked,
    Terminated,
    TerminationAsked,
    question,
    running,
    standing_still,
)
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
from shared.policy.ruleset import ruleset
from shared.times import stated


def _judge_extension_requested(case: Complaint, fact: ExtensionRequested, _: Fact) -> str | None:
    order, rules = case.order, ruleset(case.ruleset)
    why = not_theirs(case, fact)
    if why is not None or order is None:
        return why
    if order.signed_at is None:
        return "an order is extended once it is signed"
    if question(order, ExtensionAsked) is not None:
        return "one is under review"
    if _paused_or_asked(order, fact.requested_at):
        return "its clock stands still, or that is under review"
    if case.extensions >= rules.extensions_max or fact.days > rules.extension_days_max:
        return f"at most {rules.extensions_max} of at most {rules.extension_days_max} days (D4)"
    return too_late(case, order, fact.requested_at)


def _judge_extension_reviewed(
    case: Complaint, fact: ExtensionApproved | ExtensionRejected, _: Fact
) -> str | None:
    order = case.order
    if not isinstance(order, Held) or question(order, ExtensionAsked) is None or case.reopened:
        return "no extension is under review"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return f"the order is assignment {order.assignment} with {order.unit}"
    if isinstance(fact, ExtensionRejected):
        return None
    if fact.round != order.round or fact.old_due_at != order.feedback_due_at:
        return f"the limit of round {order.round} ends at {stated(order.feedback_due_at, case.ruleset)}"
    if fact.new_due_at <= fact.old_due_at:
        return "an extension lengthens the limit"
    return too_late(case, order, fact.approved_at)


def _paused_or_asked(order: Order, at: datetime) -> bool:
    return question(order, PauseAsked) is not None or standing_still(order, at) is not None


def _judge_pause_requested(case: Complaint, fact: PauseRequested, _: Fact) -> str | None:
    order, rules = case.order, ruleset(case.ruleset)
    why = not_theirs(case, fact)
    if why is not None or order is None:
        return why
    if order.signed_at is None:
        return "an order is paused once it is signed"
    limit_or_end = question(order, ExtensionAsked) or question(order, TerminationAsked)
    if limit_or_end is not None or _paused_or_asked(order, fact.requested_at):
        return "something is under review, or its clock stands still"
    if case.pauses >= rules.pauses_max or not 0 < fact.days <= rules.pause_days_max:
        return f"at most {rules.pauses_max} of at most {rules.pause_days_max} days"
    return too_late(case, order, fact.requested_at)


def _judge_pause_reviewed(case: Complaint, fact: PauseApproved | PauseRejected, _: Fact) -> str | None:
    order = case.order
    if not isinstance(order, Held) or (wanted := question(order, PauseAsked)) is None or case.reopened:
        return "no pause is under review"
    if (fact.unit, fact.assignment) != (order.unit, order.assignment):
        return f"the order is assignment {order.assignment} with {order.unit}"
    return _pause_granted(case, order, wanted, fact) if isinstance(fact, PauseApproved) else None


def _pause_granted(case: Complaint, order: Order, wanted: PauseAsked, fact: PauseApproved) -> str | None:
    if (fact.ground, fact.days) != (wanted.ground, wanted.days):
        return f"under review are {wanted.days} days, {wanted.ground}"
    if fact.round != order.round or fact.old_due_at != order.feedback_due_at:
        return f"the limit of round {order.round} ends at {stated(order.feedback_due_at, case.ruleset)}"
    if not fact.approved_at < fact.until <= fact.new_due_at or fact.new_due_at <= fact.old_due_at:
        return "a pause lengthens the limit, and ends before it"
    return too_late(case, order, fact.approved_at)


def _judge_pause_ended(case: Complaint, fact: PauseEnded, _: Fact) -> str | None:
    order = case.order
    why = not_theirs(case, fact)
    if why is not None or order is None:
        return why
    pause = standing_still(order, fact.ended_at)
    if pause is None or fact.ended_at < pause.since:
        return "its clock does not stand still"
    if fact.round != order.round or fact.old_due_at != order.feedback_due_at:
        return f"the limit of round {order.round} ends at {stated(order.feedback_due_at, case.ruleset)}"
    begun = fact.days is UNSET or 0 < fact.days <= pause.days
    kept = fact.new_due_at <= fact.old_due_at and fact.ended_at <= fact.new_due_at
    return None if begun and kept else "the days begun count, the others do not"


def _judge_calendar_amended(case: Complaint, fact: CalendarAmended, _: Fact) -> str | None:
    """T8: the limit in force is named before and after, and moves only while it runs."""
    order = case.order
    if order is None or fact.unit != order.unit:
        return "there is no order whose limit it could move"
    if fact.old_calendar != case.calendar or fact.calendar == case.calendar:
        return f"it goes by calendar {case.calendar}"
    if fact.old_due_at != order.feedback_due_at:
        return f"the limit is {stated(order.feedback_due_at, case.ruleset)}"
    if fact.new_due_at == fact.old_due_at:
        return None
    if fact.new_due_at < fact.amended_at:
        return "no limit moves behind the present"
    return too_late(case, order, fact.amended_at)


def _judge_complaint_reclassified(case: Complaint, fact: ComplaintReclassified, _: Fact) -> str | None:
    order = case.order
    if order is None or case.reopened or ruleset(case.ruleset).limits_given:
        return "a class moves the limit of an order, where it comes from the class"
    if isinstance(order, Answered | Terminated):
        return "the order is answered or terminated"
    if (fact.unit, fact.old_urgency) != (order.unit, case.urgency) or fact.urgency is case.urgency:
        return f"it is {case.urgency} with {order.unit}"
    new = fact.due_at
    if fact.old_due_at != order.feedback_due_at or new <= fact.reclassified_at:
        return f"the limit is {stated(order.feedback_due_at, case.ruleset)}, and the new one must lie ahead"
    if order.round > 1 and (fact.citizen_due_at != order.citizen_due_at or new > order.feedback_due_at):
        return "in a later round the citizen's limit stays, and the round's only becomes shorter"
    return too_late(case, order, fact.reclassified_at) or _moved_with_class(case, order, fact)


def _moved_with_class(case: Complaint, order: Order, fact: ComplaintReclassified) -> str | None:
    """Only a limit that still runs moves with the class, and never behind the present."""
    at = fact.reclassified_at
    sign, pause = running(case, Limit.SIGN, order.assignment), standing_still(order, at)
    if fact.sign_due_at is not UNSET and (sign is None or sign.due_at < at or fact.sign_due_at < at):
        return "no limit for signing runs that could move"
    if fact.pause_days is not UNSET and (pause is None or not 0 < fact.pause_days <= pause.days):
        return "its clock does not stand still"
    return None


RULES: Final[dict[type[Fact], Callable[[Complaint, Any, Any], str | None]]] = {
    ExtensionRequested: _judge_extension_requested,
    ExtensionApproved: _judge_extension_reviewed,
    ExtensionRejected: _judge_extension_reviewed,
    PauseRequested: _judge_pause_requested,
    PauseApproved: _judge_pause_reviewed,
    PauseRejected: _judge_pause_reviewed,
    PauseEnded: _judge_pause_ended,
    ComplaintReclassified: _judge_complaint_reclassified,
    CalendarAmended: _judge_calendar_amended,
}
