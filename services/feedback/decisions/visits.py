"""The citizen is asked (回访): reached? solved? satisfied? (R8, T19). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from services.feedback.decision_table import decides
from services.feedback.decisions.closing import closed
from services.feedback.refusals import refused
from shared.asked import Asked
from shared.complaint import Answered, Complaint, Order, Terminated, order_open, watched
from shared.events import (
    ComplaintReopened,
    FeedbackFact,
    Outcome,
    VisitMade,
    VisitReason,
    VisitScheduled,
    VisitUnreached,
)
from shared.events.base import Limit
from shared.ids import ComplaintId, UnitId
from shared.inputs import RecordUnreached, RecordVisit
from shared.policy.ruleset import ruleset
from shared.times import stated


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleVisit:
    """The unit answered this round, or its limit expired: ask the citizen."""

    complaint_id: ComplaintId
    round: int
    because: VisitReason
    unit: UnitId
    """The unit whose answer or missed limit it is about; by now the order may lie with another."""
    at: datetime


def schedule(command: ScheduleVisit, case: Complaint) -> Sequence[FeedbackFact]:
    """On the answer or at expiry of the limit, whichever is first; once a round, but for what the unit owes."""
    order = case.order
    if case.ended is not None or order is None or order.round != command.round or case.reopened:
        return []  # the life has gone on meanwhile
    if case.visit is not None or isinstance(order, Terminated) or case.anonymous:
        return []  # the citizen is being asked already, a review has ended the order, or nobody knows whom to ask
    if command.because is VisitReason.EXPIRED and case.visited_round == order.round:
        return []
    if command.because is VisitReason.ANSWERED and not isinstance(order, Answered):
        return []  # the review has sent the answer back
    if command.because is VisitReason.ANSWERED and watched(case, Limit.ANSWER, order.round) is not None:
        return []  # answered after the limit: the visit at expiry is on its way, whoever noticed first
    first = _visit(case, order, command.because, 1, command.at, command.at, case.visits + 1)
    return [replace(first, unit=command.unit)]


def _visit(
    case: Complaint,
    order: Order,
    because: VisitReason,
    attempt: int,
    visit_at: datetime,
    at: datetime,
    number: int,
) -> VisitScheduled:
    return VisitScheduled(
        complaint_id=case.complaint_id,
        visit=number,
        attempt=attempt,
        round=order.round,
        reason=because,
        unit=order.unit,
        title=case.title,
        channel=_channel(case, attempt),
        visit_at=visit_at,
        visit_by=_visit_by(case, visit_at),
        scheduled_at=at,
    )


def _channel(case: Complaint, attempt: int) -> str | UnsetType:
    """How to ask this time (E1)."""
    channel = ruleset(case.ruleset).visit_channel(attempt)
    return UNSET if channel == "phone" else channel


def _visit_by(case: Complaint, visit_at: datetime) -> datetime | UnsetType:
    """Until when it must be made, where the rule set has a limit for that."""
    within = ruleset(case.ruleset).visit_within
    return UNSET if within is None else visit_at + within


@decides(RecordVisit)
def record_visit(command: RecordVisit, asked: Asked, case: Complaint) -> Sequence[FeedbackFact]:
    """Solved, it closes; not solved, the unit acts again, as long as the rule set has rounds."""
    order, visit = case.order, case.visit
    why = _not_asked(command, asked, case)
    if why is not None or visit is None or order is None:
        return [refused("record a visit", why or "no visit is under way", case, asked.at)]
    made = VisitMade(
        complaint_id=case.complaint_id,
        visit=visit.visit,
        attempt=visit.attempt,
        round=visit.round,
        solved=command.solved,
        satisfied=command.satisfied,
        reason=command.reason,
        channel=command.channel,
        visited_at=asked.at,
    )
    if command.solved:
        return [made, closed(case, Outcome.SOLVED, visit, asked.at)]
    if order.round < ruleset(case.ruleset).rounds_max:
        return [
            made,
            ComplaintReopened(
                complaint_id=case.complaint_id,
                round=order.round + 1,
                unit=order.unit,
                reason=command.reason,
                reopened_at=asked.at,
            ),
        ]
    return [made, closed(case, Outcome.UNSOLVED, visit, asked.at)]


@decides(RecordUnreached)
def record_unreached(command: RecordUnreached, asked: Asked, case: Complaint) -> Sequence[FeedbackFact]:
    """No judgement (T19): the citizen is asked again, as often as the rule set says."""
    order, visit = case.order, case.visit
    why = _not_asked(command, asked, case)
    if why is not None or visit is None or order is None:
        return [refused("record an attempt", why or "no visit is under way", case, asked.at)]
    rules = ruleset(case.ruleset)
    attempted = VisitUnreached(
        complaint_id=case.complaint_id,
        visit=visit.visit,
        attempt=visit.attempt,
        round=visit.round,
        cause=command.cause,
        channel=command.channel,
        attempted_at=asked.at,
    )
    if visit.attempt < rules.visit_attempts_max:
        again_at = asked.at + rules.visit_spacing
        again = _visit(case, order, visit.reason, visit.attempt + 1, again_at, asked.at, visit.visit)
        return [attempted, again]
    if order_open(case):
        return [attempted]  # the unit still owes its answer; the citizen is asked again when it comes
    return [attempted, closed(case, Outcome.UNREACHED, visit, asked.at)]


def _not_asked(command: RecordVisit | RecordUnreached, asked: Asked, case: Complaint) -> str | None:
    """Why this answer has no question; None where it has."""
    visit, attempt = command.visit, command.attempt
    if case.ended is not None:
        return f"the life ended with {case.ended.how}"
    if case.visit is None:
        return "no visit is under way"
    if (case.visit.visit, case.visit.attempt) != (visit, attempt):
        return (
            f"visit {visit} attempt {attempt} is over, the present one is "
            f"{case.visit.visit} attempt {case.visit.attempt}"
        )
    if asked.at < case.visit.visit_at:  # which is never before the visit was asked for
        return f"visit {visit} attempt {attempt} was not to be made before {stated(case.visit.visit_at, case.ruleset)}"
    return None
