"""A pause (暂停): the unit cannot act until somebody or something else has, and its clock stands still meanwhile. Pure.

No norm we know lets a clock stand still, and none forbids it. So the number and the length of pauses are
configuration, and the grounds are ours (P). A unit asks for a pause and a review decides. A pause never takes
back what has passed (T6).
"""

from __future__ import annotations

from datetime import datetime

from services.dispatch.decision_table import decides
from services.dispatch.guards import Refusal, Said, held, not_in_days, too_late, under_review
from services.dispatch.limits import answer_limits, days_begun
from services.dispatch.reviewed import reviewed
from services.dispatch.work_order import provisional
from shared.asked import Asked
from shared.complaint import Complaint, Held, LimitStep, PauseAsked, pause_ended, standing_still
from shared.events import (
    PauseApproved,
    PauseEnded,
    PauseRejected,
    PauseRequested,
)
from shared.inputs import EndPause, RequestPause, ReviewPause
from shared.policy.calendar import calendar
from shared.policy.deadlines import Due, due_at
from shared.policy.limits import Days
from shared.policy.ruleset import RuleSet, ruleset
from shared.times import stated


@decides(RequestPause, "pause")
def request_pause(command: RequestPause, asked: Asked, case: Complaint) -> Said:
    """By the unit that has signed, on a ground, with evidence, before its limit; at most so often and so long."""
    order = held(command.assignment, asked, case)
    if isinstance(order, Refusal):
        return order
    why = _not_paused(command, asked, case, order, ruleset(case.ruleset))
    if why is not None:
        return Refusal(why)
    return [
        PauseRequested(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            ground=command.ground,
            days=command.days,
            evidence=command.evidence,
            requested_at=asked.at,
        )
    ]


def _not_paused(  # noqa: PLR0911 -- a line a reason
    command: RequestPause, asked: Asked, case: Complaint, order: Held, rules: RuleSet
) -> str | None:
    if order.signed_at is None:
        return "only a signed order is paused"
    if waiting := under_review(order):
        return f"{waiting} of this order is under review"
    if (pause := standing_still(order, asked.at)) is not None:
        return f"it is paused until {stated(pause.until, case.ruleset)}"
    if case.pauses >= rules.pauses_max:
        return f"paused {case.pauses} times already, at most {rules.pauses_max}"
    if (why := not_in_days(case, "paused")) is not None:
        return why
    if command.days > rules.pause_days_max:
        return f"days: {command.days} asked for, at most {rules.pause_days_max}"
    return too_late(case, order, asked.at)


@decides(ReviewPause, "pause")
def review_pause(command: ReviewPause, asked: Asked, case: Complaint) -> Said:
    """Approved, the limit ends as many days later; what has passed stays missed, whenever the review comes (T6)."""
    return reviewed(
        command,
        asked,
        case,
        PauseRejected,
        of=PauseAsked,
        approved=lambda order, wanted: _paused(command, asked, case, order, wanted),
    )


def _paused(command: ReviewPause, asked: Asked, case: Complaint, order: Held, wanted: PauseAsked) -> Said:
    why = not_in_days(case, "paused") or too_late(case, order, asked.at)
    if why is not None:
        return Refusal(why)
    step = LimitStep(at=asked.at, days=wanted.days, paused=True)
    new = answer_limits(case, order, step=step).in_force
    return [
        PauseApproved(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            ground=wanted.ground,
            days=wanted.days,
            reviewer=command.reviewer,
            until=_after(case, asked.at, wanted.days).at,
            old_due_at=order.feedback_due_at,
            new_due_at=new.at,
            provisional=provisional(new.provisional),
            approved_at=asked.at,
        )
    ]


@decides(EndPause, "end the pause")
def end_pause(command: EndPause, asked: Asked, case: Complaint) -> Said:
    """End the pause early: only the granted days that were begun count, and the limit moves back."""
    order = held(command.assignment, asked, case)
    if isinstance(order, Refusal):
        return order
    pause = order.pause
    if pause is None:
        return Refusal("it is not paused")
    if asked.at > pause.until:
        return Refusal(f"the pause ended at {stated(pause.until, case.ruleset)}")
    used = days_begun(case, pause, asked.at)
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
            ended_at=asked.at,
        )
    ]


def _after(case: Complaint, start: datetime, days: int) -> Due:
    return due_at(start, Days(days), ruleset(case.ruleset), calendar(case.calendar))
