"""What feedback decides; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from services.feedback.commands import (
    CloseByException,
    CloseTerminated,
    FeedbackCommand,
    RecordUnreached,
    RecordVisit,
    ScheduleVisit,
)
from shared.aside import NoSuchComplaint
from shared.complaint import Case, Complaint, Order, Visit, holder, order_open, watched
from shared.deciding import concerned, may_decide
from shared.events import (
    ComplaintClosed,
    ComplaintReopened,
    Fact,
    FeedbackFact,
    FeedbackLimitMissed,
    OrderAnswered,
    Outcome,
    TerminationApproved,
    VisitAnswerRefused,
    VisitMade,
    VisitReason,
    VisitScheduled,
    VisitUnreached,
)
from shared.events.base import Limit
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import ruleset
from shared.times import stated

REACTS = (OrderAnswered, FeedbackLimitMissed, TerminationApproved)
"""The facts feedback acts on (R8: answer or expiry, whichever is first)."""


def react(fact: Fact, at: datetime) -> FeedbackCommand | None:
    """Whenever this fact, do that."""
    if isinstance(fact, OrderAnswered):
        return ScheduleVisit(
            complaint_id=fact.complaint_id,
            round=fact.round,
            because=VisitReason.ANSWERED,
            unit=fact.unit,
            at=at,
        )
    if isinstance(fact, FeedbackLimitMissed):
        return ScheduleVisit(
            complaint_id=fact.complaint_id,
            round=fact.round,
            because=VisitReason.EXPIRED,
            unit=fact.unit,
            at=at,
        )
    if isinstance(fact, TerminationApproved):
        return CloseTerminated(
            complaint_id=fact.complaint_id,
            approved_by=fact.reviewer,
            reason=f"{fact.ground}: {fact.reason}" if fact.reason else fact.ground,
            at=at,
        )
    return None


def decide(command: FeedbackCommand, case: Case, catalogue: Catalogue) -> Sequence[FeedbackFact]:
    """Say what must now be true; nothing, if it already is. What cannot be is refused by a fact."""
    if not isinstance(case, Complaint):
        raise NoSuchComplaint(command.complaint_id)
    match command:
        case ScheduleVisit():
            return _schedule(command, case)
        case RecordVisit():
            return _made(command, case)
        case RecordUnreached():
            return _unreached(command, case)
        case CloseByException():
            return _exception(command, case, catalogue)
        case CloseTerminated():
            return _terminated(command, case)
        case _:
            assert_never(command)


def _schedule(command: ScheduleVisit, case: Complaint) -> Sequence[FeedbackFact]:
    order = case.order
    if case.ended is not None or order is None or order.round != command.round or case.reopened:
        return []  # the life has gone on meanwhile
    if case.visit is not None or order.terminated or case.anonymous:
        return []  # the citizen is being asked already, a review has ended the order, or nobody knows whom to ask
    if command.because is VisitReason.EXPIRED and case.visited_round == order.round:
        return []
    if command.because is VisitReason.ANSWERED and order.answered_at is None:
        return []  # the review has sent the answer back
    if command.because is VisitReason.ANSWERED and watched(case, Limit.FEEDBACK, order.round) is not None:
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


def _made(command: RecordVisit, case: Complaint) -> Sequence[FeedbackFact]:
    order, visit = case.order, case.visit
    why = _not_asked(case, command)
    if why is not None or visit is None or order is None:
        return [_refused("record a visit", why or "no visit is under way", case, command.at)]
    made = VisitMade(
        complaint_id=case.complaint_id,
        visit=visit.visit,
        attempt=visit.attempt,
        round=visit.round,
        solved=command.solved,
        satisfied=command.satisfied,
        reason=command.reason,
        channel=command.channel,
        visited_at=command.at,
    )
    if command.solved:
        return [made, _closed(case, Outcome.SOLVED, visit, command.at)]
    if order.round < ruleset(case.ruleset).rounds_max:
        return [
            made,
            ComplaintReopened(
                complaint_id=case.complaint_id,
                round=order.round + 1,
                unit=order.unit,
                reason=command.reason,
                reopened_at=command.at,
            ),
        ]
    return [made, _closed(case, Outcome.UNSOLVED, visit, command.at)]


def _unreached(command: RecordUnreached, case: Complaint) -> Sequence[FeedbackFact]:
    order, visit = case.order, case.visit
    why = _not_asked(case, command)
    if why is not None or visit is None or order is None:
        return [_refused("record an attempt", why or "no visit is under way", case, command.at)]
    rules = ruleset(case.ruleset)
    attempted = VisitUnreached(
        complaint_id=case.complaint_id,
        visit=visit.visit,
        attempt=visit.attempt,
        round=visit.round,
        cause=command.cause,
        channel=command.channel,
        attempted_at=command.at,
    )
    if visit.attempt < rules.visit_attempts_max:
        again_at = command.at + rules.visit_spacing
        again = _visit(case, order, visit.reason, visit.attempt + 1, again_at, command.at, visit.visit)
        return [attempted, again]
    if order_open(case):
        return [attempted]  # the unit still owes its answer; the citizen is asked again when it comes
    return [attempted, _closed(case, Outcome.UNREACHED, visit, command.at)]


def _exception(command: CloseByException, case: Complaint, catalogue: Catalogue) -> Sequence[FeedbackFact]:
    why = may_decide("approved_by", command.approved_by, concerned(case, catalogue), command.login)
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}"
    if why is not None:
        return [_refused("close by exception", why, case, command.at, command.approved_by)]
    return [_excepted(command, case)]


def _terminated(command: CloseTerminated, case: Complaint) -> Sequence[FeedbackFact]:
    if case.ended is not None or case.order is None or not case.order.terminated:
        return []
    return [_excepted(command, case)]


def _excepted(command: CloseByException | CloseTerminated, case: Complaint) -> ComplaintClosed:
    return ComplaintClosed(
        complaint_id=case.complaint_id,
        outcome=Outcome.EXCEPTION,
        visit=0,
        approved_by=command.approved_by,
        reason=command.reason,
        recalled_unit=holder(case),
        closed_at=command.at,
    )


def _closed(case: Complaint, outcome: Outcome, visit: Visit, at: datetime) -> ComplaintClosed:
    return ComplaintClosed(
        complaint_id=case.complaint_id,
        outcome=outcome,
        visit=visit.visit,
        recalled_unit=holder(case),
        closed_at=at,
    )


def _not_asked(case: Complaint, command: RecordVisit | RecordUnreached) -> str | None:
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
    if command.at < case.visit.visit_at:  # which is never before the visit was asked for
        return f"visit {visit} attempt {attempt} was not to be made before {stated(case.visit.visit_at, case.ruleset)}"
    return None


def _refused(asked: str, reason: str, case: Complaint, at: datetime, by: str = "") -> VisitAnswerRefused:
    return VisitAnswerRefused(
        complaint_id=case.complaint_id, asked=asked, asked_by=by or UNSET, reason=reason, refused_at=at
    )
