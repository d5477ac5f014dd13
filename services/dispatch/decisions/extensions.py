"""An extension (延期): more days for a unit that has signed, after a review, before the limit (D4, T6). Pure."""

from __future__ import annotations

from services.dispatch.decision_table import decides
from services.dispatch.guards import Refusal, Said, held, not_in_days, too_late, under_review
from services.dispatch.limits import answer_limits
from services.dispatch.reviewed import reviewed
from services.dispatch.work_order import provisional
from shared.asked import Asked
from shared.complaint import Complaint, ExtensionAsked, Held, LimitStep, limit_asked, standing_still
from shared.events import ExtensionApproved, ExtensionRejected, ExtensionRequested
from shared.inputs import RequestExtension, ReviewExtension
from shared.policy.ruleset import ruleset


@decides(RequestExtension, "extend")
def request_extension(command: RequestExtension, asked: Asked, case: Complaint) -> Said:
    """D4: a signed order, before its limit, at most so often and so long as the rule set says."""
    order = held(command.assignment, asked, case)
    if isinstance(order, Refusal):
        return order
    why = _not_extended(command, asked, case, order)
    if why is not None:
        return Refusal(why)
    return [
        ExtensionRequested(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            days=command.days,
            reason=command.reason,
            citizen_told=command.citizen_told,
            requested_at=asked.at,
        )
    ]


def _not_extended(command: RequestExtension, asked: Asked, case: Complaint, order: Held) -> str | None:
    rules = ruleset(case.ruleset)
    if order.signed_at is None:
        return "only a signed order is extended"
    if limit_asked(order) is not None:
        return f"{under_review(order)} of this order is under review"
    if standing_still(order, asked.at) is not None:
        return "its clock stands still"
    if case.extensions >= rules.extensions_max:
        return f"extended {case.extensions} times already, at most {rules.extensions_max} (D4)"
    if command.days > rules.extension_days_max:
        return f"days: {command.days} asked for, at most {rules.extension_days_max} (D4)"
    return not_in_days(case, "extended") or too_late(case, order, asked.at)


@decides(ReviewExtension, "extension")
def review_extension(command: ReviewExtension, asked: Asked, case: Complaint) -> Said:
    """T6: what has passed stays missed, whenever the review comes."""
    return reviewed(
        command,
        asked,
        case,
        ExtensionRejected,
        of=ExtensionAsked,
        approved=lambda order, wanted: _extended(command, asked, case, order, wanted),
    )


def _extended(
    command: ReviewExtension, asked: Asked, case: Complaint, order: Held, wanted: ExtensionAsked
) -> Said:
    why = not_in_days(case, "extended") or too_late(case, order, asked.at)
    if why is not None:
        return Refusal(why)
    new = answer_limits(case, order, step=LimitStep(at=asked.at, days=wanted.days)).in_force
    return [
        ExtensionApproved(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            reviewer=command.reviewer,
            old_due_at=order.feedback_due_at,
            new_due_at=new.at,
            provisional=provisional(new.provisional),
            approved_at=asked.at,
        )
    ]
