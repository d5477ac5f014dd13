"""Applies the facts of escalation. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from shared.complaint.fold.whistle import with_called
from shared.complaint.limits import COLOURS, by_class, exchanges, miss_stated, rung, supervision_limit
from shared.complaint.state import Called, Complaint, Deadline, Supervision
from shared.events import (
    AnswerLimitMissed,
    ArrivalMissed,
    ComplaintEscalated,
    DispatchLimitMissed,
    Fact,
    LimitMissCorrected,
    SignLimitMissed,
    SupervisionClosed,
    SupervisionMissed,
    SupervisionOpened,
    VisitLimitMissed,
    WarningGiven,
)
from shared.events.base import Limit


def _apply_dispatch_limit_missed(case: Complaint, _: DispatchLimitMissed) -> Complaint:
    return miss_stated(case, Limit.DISPATCH, 0)


def _apply_visit_limit_missed(case: Complaint, fact: VisitLimitMissed) -> Complaint:
    return miss_stated(case, Limit.VISIT, fact.visit)


def _apply_sign_limit_missed(case: Complaint, fact: SignLimitMissed) -> Complaint:
    return miss_stated(case, Limit.SIGN, fact.assignment)


def _apply_answer_limit_missed(case: Complaint, fact: AnswerLimitMissed) -> Complaint:
    return miss_stated(case, Limit.ANSWER, fact.round)


def _apply_complaint_escalated(case: Complaint, fact: ComplaintEscalated) -> Complaint:
    kept: list[Deadline] = []
    done_at: datetime | None = None
    for deadline in case.deadlines:
        if deadline.limit is not Limit.LADDER:
            kept.append(deadline)
        elif deadline.because is fact.because:
            done_at = deadline.done_at
    next_at = fact.next_at
    if next_at is not None:
        next_at = by_class(case, next_at, fact.escalated_at, rung, exchanges(case))
    if next_at is not None and (done_at is None or done_at > next_at):
        kept.append(
            Deadline(
                limit=Limit.LADDER,
                due_at=next_at,
                unit=fact.unit,
                since=fact.escalated_at,
                because=fact.because,
                done_at=done_at,
            )
        )
    return replace(case, level=fact.to_level, deadlines=tuple(kept))


def _apply_limit_miss_corrected(case: Complaint, fact: LimitMissCorrected) -> Complaint:
    order = case.order
    if order is not None and fact.limit is Limit.ANSWER and fact.due_at == order.feedback_due_at:
        order = replace(order, miss_corrected=True)
    return replace(
        case,
        order=order,
        missed=tuple(m for m in case.missed if not (m.limit is fact.limit and m.due_at == fact.due_at)),
    )


def _apply_warning_given(case: Complaint, fact: WarningGiven) -> Complaint:
    warned = COLOURS.index(fact.colour) + 1
    return replace(
        case,
        deadlines=tuple(
            replace(d, warned=warned) if d.limit is Limit.ANSWER and d.number == fact.round else d
            for d in case.deadlines
        ),
    )


def _apply_supervision_opened(case: Complaint, fact: SupervisionOpened) -> Complaint:
    due_at = by_class(case, fact.due_at, fact.opened_at, supervision_limit, exchanges(case))
    supervision = Supervision(told=fact.told, leader=fact.leader, due_at=due_at, since=fact.opened_at)
    return replace(case, supervision=supervision)


def _apply_supervision_missed(case: Complaint, _: SupervisionMissed) -> Complaint:
    return replace(case, supervision=replace(case.supervision, missed=True)) if case.supervision else case


def _apply_supervision_closed(case: Complaint, _: SupervisionClosed) -> Complaint:
    return replace(case, supervision=None)


def _apply_arrival_missed(case: Complaint, fact: ArrivalMissed) -> Complaint:
    def later(called: Called) -> Called:
        done_at, next_at = called.done_at, fact.next_at
        if next_at is not None and done_at is not None and done_at <= next_at:
            next_at = None
        return replace(called, level=fact.to_level, due_at=next_at)

    return with_called(case, fact.whistle, fact.called, later)


STEPS: Final[dict[type[Fact], Callable[[Complaint, Any], Complaint]]] = {
    DispatchLimitMissed: _apply_dispatch_limit_missed,
    VisitLimitMissed: _apply_visit_limit_missed,
    SignLimitMissed: _apply_sign_limit_missed,
    AnswerLimitMissed: _apply_answer_limit_missed,
    ComplaintEscalated: _apply_complaint_escalated,
    LimitMissCorrected: _apply_limit_miss_corrected,
    WarningGiven: _apply_warning_given,
    SupervisionOpened: _apply_supervision_opened,
    SupervisionMissed: _apply_supervision_missed,
    SupervisionClosed: _apply_supervision_closed,
    ArrivalMissed: _apply_arrival_missed,
}
