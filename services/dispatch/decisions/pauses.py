"""A pause (暂停): the unit cannot act until somebody or something else has, and its clock stands still meanwhile. Pure.

No norm we know lets a clock stand still, and none forbids it: how often and for how long is configuration, the
grounds are ours (P). It is asked for, decided by a review, and never takes back what has passed (T6).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.dispatch.commands import EndPause, RequestPause, ReviewPause
from services.dispatch.limits import answer_limits, days_begun
from services.dispatch.orders import REVIEWERS, not_in_days, not_reviewed, provisional, refused, too_late
from shared.complaint import Complaint, LimitStep, Order, asked_of, pause_ended, standing_still
from shared.events import (
    DispatchFact,
    PauseApproved,
    PauseEnded,
    PauseRejected,
    PauseRequested,
)
from shared.policy.calendar import calendar
from shared.policy.deadlines import Due, due_at
from shared.policy.limits import Days
from shared.policy.ruleset import RuleSet, ruleset
from shared.times import stated


def request_pause(command: RequestPause, case: Complaint, order: Order) -> Sequence[DispatchFact]:
    """By the unit that has signed, on a ground, with evidence, before its limit; at most so often and so long."""
    rules = ruleset(case.ruleset)
    why = _not_paused(command, case, order, rules)
    if why is not None:
        return [refused(command.unit, "pause", why, case, command)]
    return [
        PauseRequested(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            ground=command.ground,
            days=command.days,
            evidence=command.evidence,
            requested_at=command.at,
        )
    ]


def _not_paused(  # noqa: PLR0911 -- a line a reason
    command: RequestPause, case: Complaint, order: Order, rules: RuleSet
) -> str | None:
    if order.signed_at is None:
        return "only a signed order is paused"
    if asked := under_review(order):
        return f"{asked} of this order is under review"
    if (pause := standing_still(order, command.at)) is not None:
        return f"it is paused until {stated(pause.until, case.ruleset)}"
    if case.pauses >= rules.pauses_max:
        return f"paused {case.pauses} times already, at most {rules.pauses_max}"
    if (why := not_in_days(case, "paused")) is not None:
        return why
    if command.days > rules.pause_days_max:
        return f"days: {command.days} asked for, at most {rules.pause_days_max}"
    return too_late(case, order, command.at)


def under_review(order: Order) -> str:
    """What the unit has asked for that would move its limit or end it, and nobody has decided yet; "" for nothing."""
    asked = asked_of(order)
    return asked and f"{'an' if asked == 'extension' else 'a'} {asked}"


def review_pause(command: ReviewPause, case: Complaint) -> Sequence[DispatchFact]:
    """Approved, the limit ends as many days later; what has passed stays missed, whenever the review comes (T6)."""
    order = case.order
    asked = "approve the pause" if command.approved else "reject the pause"
    why = not_reviewed(case, command.assignment)
    if why is None and (order is None or not order.pause_days or order.pause_ground is None or case.reopened):
        why = "no pause of this order is under review"
    if why is None and order is not None and command.approved:
        why = not_in_days(case, "paused") or too_late(case, order, command.at)
    if why is not None or order is None or order.pause_ground is None:
        unit = REVIEWERS if order is None else order.unit
        return [refused(unit, asked, why or "there is no order", case, command)]
    if not command.approved:
        return [
            PauseRejected(
                complaint_id=case.complaint_id,
                unit=order.unit,
                assignment=order.assignment,
                reviewer=command.reviewer,
                reason=command.reason,
                rejected_at=command.at,
            )
        ]
    step = LimitStep(at=command.at, days=order.pause_days, paused=True)
    new = answer_limits(case, order, step=step).in_force
    return [
        PauseApproved(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            ground=order.pause_ground,
            days=order.pause_days,
            reviewer=command.reviewer,
            until=_after(case, command.at, order.pause_days).at,
            old_due_at=order.feedback_due_at,
            new_due_at=new.at,
            provisional=provisional(new.provisional),
            approved_at=command.at,
        )
    ]


def end_pause(command: EndPause, case: Complaint, order: Order) -> Sequence[DispatchFact]:
    """What it waited for has come: of the days granted those count that were begun, and the limit moves back."""
    pause = order.pause
    if pause is None or command.at > pause.until:
        why = (
            "it is not paused" if pause is None else f"the pause ended at {stated(pause.until, case.ruleset)}"
        )
        return [refused(command.unit, "end the pause", why, case, command)]
    used = days_begun(case, pause, command.at)
    new = answer_limits(case, pause_ended(order, used)).in_force
    return [
        PauseEnded(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            reason=command.reason,
            days=used,
            old_due_at=order.feedback_due_at,
            new_due_at=new.at,
            provisional=provisional(new.provisional),
            ended_at=command.at,
        )
    ]


def _after(case: Complaint, start: datetime, days: int) -> Due:
    return due_at(start, Days(days), ruleset(case.ruleset), calendar(case.calendar))
