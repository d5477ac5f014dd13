"""What a unit does while it has the order, and whether the review lets its answer through. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.dispatch.commands import RecordContact, RecordContactFailed, ReportProgress, SendBackAnswer
from services.dispatch.orders import REVIEWERS, not_reviewed, refused
from shared.complaint import Complaint, Order, answer_overdue
from shared.events import (
    AnswerSentBack,
    CitizenContacted,
    ContactFailed,
    DispatchFact,
    ProgressReported,
    VisitReason,
)
from shared.policy.ruleset import ruleset
from shared.times import stated

# -- the citizen hears from the unit


def record_contact(command: RecordContact, case: Complaint, order: Order) -> Sequence[DispatchFact]:
    """The first contact (首次联系) is one: who has been spoken to is not spoken to for the first time again."""
    why = _not_contacted(case, order) or _before(order.tried_at, command.at, case)
    if order.contacted_at is not None:
        why = f"the citizen was spoken to at {stated(order.contacted_at, case.ruleset)}"
    if why is not None:
        return [refused(command.unit, "record a contact", why, case, command)]
    return [
        CitizenContacted(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            channel=command.channel,
            contacted_at=command.at,
        )
    ]


def record_contact_failed(
    command: RecordContactFailed, case: Complaint, order: Order
) -> Sequence[DispatchFact]:
    """Each attempt is on record, as long as none has succeeded."""
    why = _not_contacted(case, order) or _before(order.tried_at, command.at, case)
    if order.contacted_at is not None:
        why = f"the citizen was spoken to at {stated(order.contacted_at, case.ruleset)}"
    if why is not None:
        return [refused(command.unit, "record a contact that failed", why, case, command)]
    return [
        ContactFailed(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            channel=command.channel,
            cause=command.cause,
            tried_at=command.at,
        )
    ]


def report_progress(command: ReportProgress, case: Complaint, order: Order) -> Sequence[DispatchFact]:
    """R7: the citizen may know how far it is; it meets no limit and is no answer."""
    why = _unsigned(order) or _before(order.progress_at, command.at, case)
    if why is not None:
        return [refused(command.unit, "report progress", why, case, command)]
    return [
        ProgressReported(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            stage_feedback=command.stage_feedback,
            text=command.text,
            reported_at=command.at,
        )
    ]


def _not_contacted(case: Complaint, order: Order) -> str | None:
    return "nobody knows who it was" if case.anonymous else _unsigned(order)


def _unsigned(order: Order) -> str | None:
    return "the order is not signed" if order.signed_at is None else None


def _before(last: datetime | None, at: datetime, case: Complaint) -> str | None:
    if last is None or at >= last:
        return None
    return f"something later is on record, of {stated(last, case.ruleset)}"


# -- the review of the answer


def send_back(command: SendBackAnswer, case: Complaint) -> Sequence[DispatchFact]:
    """Before anybody has tried to ask the citizen, and within the limit: after it the citizen judges (R8)."""
    order = case.order
    why = not_reviewed(case, command.assignment)
    if why is None and order is not None:
        why = _let_through(command, case, order)
    if why is not None or order is None:
        unit = REVIEWERS if order is None else order.unit
        return [refused(unit, "send the answer back", why or "there is no order", case, command)]
    return [
        AnswerSentBack(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            reviewer=command.reviewer,
            reason=command.reason,
            sent_back_at=command.at,
        )
    ]


def _let_through(command: SendBackAnswer, case: Complaint, order: Order) -> str | None:
    most = ruleset(case.ruleset).answers_sent_back_max
    if order.answered_at is None or case.reopened:
        return "there is no answer" if not case.reopened else "the citizen has judged it"
    if command.at < order.answered_at:
        return f"it was answered only at {stated(order.answered_at, case.ruleset)}"
    if order.sent_back >= most:
        return f"sent back {order.sent_back} times already, at most {most}; the citizen judges"
    # The limit first: whether the visit at expiry is under way depends on who has noticed what.
    if command.at > order.feedback_due_at or order.miss_corrected or answer_overdue(case, order):
        return f"the limit passed at {stated(order.feedback_due_at, case.ruleset)}; the citizen judges (R8)"
    if case.visit is not None and (case.visit.attempt > 1 or case.visit.reason is VisitReason.EXPIRED):
        return "the citizen is being asked"
    return None
