"""Exclusions from a unit's score (剔除, F3): asked for by the unit, decided by a review, never by itself. Pure.

A unit may ask as long as the complaint could count, after its end too: a month is scored when it is over.
"""

from __future__ import annotations

from services.dispatch.decision_table import decides
from services.dispatch.guards import NOT_DISPATCHED, Refusal, Said
from shared.asked import Asked
from shared.complaint import Complaint
from shared.events import ExclusionApproved, ExclusionRejected, ExclusionRequested, Outcome
from shared.inputs import RequestExclusion, ReviewExclusion


@decides(RequestExclusion, "leave out")
def request_exclusion(command: RequestExclusion, asked: Asked, case: Complaint) -> Said:
    """By the unit that has the order, or had it last; what a review rejected is not asked for again."""
    why = _not_asked_for(asked, case)
    if why is not None:
        return Refusal(why)
    return [
        ExclusionRequested(
            complaint_id=case.complaint_id,
            unit=asked.unit,
            ground=command.ground,
            evidence=command.evidence,
            requested_at=asked.at,
        )
    ]


def _not_asked_for(asked: Asked, case: Complaint) -> str | None:
    order, before = case.order, case.exclusion
    if order is None:
        return NOT_DISPATCHED
    if order.unit != asked.unit:
        return f"the order lies with {order.unit} now"
    if case.ended is not None and case.ended.outcome in {None, Outcome.EXCEPTION}:
        return f"it counts in no score: the life ended with {case.ended.how}"
    if before is None or before.unit != asked.unit:
        return None
    if before.approved is None:
        return f"an exclusion for {before.ground} is under review"
    return f"a review has {'approved' if before.approved else 'rejected'} an exclusion for {before.ground}"


@decides(ReviewExclusion, "exclusion")
def review_exclusion(command: ReviewExclusion, asked: Asked, case: Complaint) -> Said:
    """A unit asks, and others decide (T22)."""
    wanted = case.exclusion
    if wanted is None or wanted.approved is not None:
        return Refusal("no exclusion is under review")
    if not command.approved:
        return [
            ExclusionRejected(
                complaint_id=case.complaint_id,
                unit=wanted.unit,
                reviewer=command.reviewer,
                reason=command.reason,
                rejected_at=asked.at,
            )
        ]
    return [
        ExclusionApproved(
            complaint_id=case.complaint_id,
            unit=wanted.unit,
            ground=wanted.ground,
            reviewer=command.reviewer,
            reason=command.reason,
            approved_at=asked.at,
        )
    ]
