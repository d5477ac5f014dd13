"""What is left out of a unit's score (剔除, F3): asked for by the unit, decided by a review, never by itself. Pure.

It may be asked for as long as the complaint could count, after its end too: a month is scored when it is over.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.dispatch.commands import RequestExclusion, ReviewExclusion
from services.dispatch.orders import REVIEWERS, refused
from shared.complaint import Complaint
from shared.events import DispatchFact, ExclusionApproved, ExclusionRejected, ExclusionRequested, Outcome


def request_exclusion(command: RequestExclusion, case: Complaint) -> Sequence[DispatchFact]:
    """By the unit that has the order, or had it last; what a review rejected is not asked for again."""
    why = _not_asked_for(command, case)
    if why is not None:
        return [refused(command.unit, "leave out", why, case, command)]
    return [
        ExclusionRequested(
            complaint_id=case.complaint_id,
            unit=command.unit,
            ground=command.ground,
            evidence=command.evidence,
            requested_at=command.at,
        )
    ]


def _not_asked_for(command: RequestExclusion, case: Complaint) -> str | None:
    order, asked = case.order, case.exclusion
    if order is None:
        return "the complaint is not dispatched"
    if order.unit != command.unit:
        return f"the order lies with {order.unit} now"
    if case.ended is not None and case.ended.outcome in {None, Outcome.EXCEPTION}:
        return f"it counts in no score: the life ended with {case.ended.how}"
    if asked is None or asked.unit != command.unit:
        return None
    if asked.approved is None:
        return f"an exclusion for {asked.ground} is under review"
    return f"a review has {'approved' if asked.approved else 'rejected'} an exclusion for {asked.ground}"


def review_exclusion(command: ReviewExclusion, case: Complaint) -> Sequence[DispatchFact]:
    """A unit asks, and others decide (`deciders`, T22)."""
    asked = case.exclusion
    what = "approve the exclusion" if command.approved else "reject the exclusion"
    if asked is None or asked.approved is not None:
        unit = REVIEWERS if case.order is None else case.order.unit
        return [refused(unit, what, "no exclusion is under review", case, command)]
    if not command.approved:
        return [
            ExclusionRejected(
                complaint_id=case.complaint_id,
                unit=asked.unit,
                reviewer=command.reviewer,
                reason=command.reason,
                rejected_at=command.at,
            )
        ]
    return [
        ExclusionApproved(
            complaint_id=case.complaint_id,
            unit=asked.unit,
            ground=asked.ground,
            reviewer=command.reviewer,
            reason=command.reason,
            approved_at=command.at,
        )
    ]
