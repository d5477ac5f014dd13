"""What is left out of a unit's score (剔除, F3): asked for by the unit, decided by a review, never by itself. Pure.

It may be asked for as long as the complaint could count, after its end too: a month is scored when it is over.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.dispatch.guards import NOT_DISPATCHED, Refusal, Reply, Review, Said
from shared.complaint import Complaint
from shared.events import ExclusionApproved, ExclusionRejected, ExclusionRequested, Outcome
from shared.events.base import ExclusionGround


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExclusion(Reply):
    """The unit wants the complaint left out of its score."""

    ASKED = "leave out"

    ground: ExclusionGround
    evidence: str


def request_exclusion(command: RequestExclusion, case: Complaint) -> Said:
    """By the unit that has the order, or had it last; what a review rejected is not asked for again."""
    why = _not_asked_for(command, case)
    if why is not None:
        return Refusal(why)
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
        return NOT_DISPATCHED
    if order.unit != command.unit:
        return f"the order lies with {order.unit} now"
    if case.ended is not None and case.ended.outcome in {None, Outcome.EXCEPTION}:
        return f"it counts in no score: the life ended with {case.ended.how}"
    if asked is None or asked.unit != command.unit:
        return None
    if asked.approved is None:
        return f"an exclusion for {asked.ground} is under review"
    return f"a review has {'approved' if asked.approved else 'rejected'} an exclusion for {asked.ground}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewExclusion(Review):
    """The reviewer decides on an exclusion."""

    OF = "exclusion"


def review_exclusion(command: ReviewExclusion, case: Complaint) -> Said:
    """A unit asks, and others decide (T22)."""
    asked = case.exclusion
    if asked is None or asked.approved is not None:
        return Refusal("no exclusion is under review")
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
