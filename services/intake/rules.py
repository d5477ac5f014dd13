"""What intake decides; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, assert_never

from services.intake.commands import IntakeCommand, RecordRequest, WithdrawRequest
from shared.complaint import Case, Complaint, NoSuchComplaint, order_open
from shared.events import (
    ComplaintAnsweredDirectly,
    ComplaintClassified,
    ComplaintReceived,
    ComplaintWithdrawn,
    IntakeFact,
    IntakeRefused,
)
from shared.ids import CallId, RequestId
from shared.inputs import RequestRecorded

_CONTENT: Final = (
    "call_id",
    "request_type",
    "subject",
    "urgency",
    "district",
    "street",
    "address",
    "title",
    "content",
    "given_due_at",
)
"""What a request asks for, by the names that request and complaint share; in the contract's order."""


def decide(command: IntakeCommand, case: Case) -> Sequence[IntakeFact]:
    """Say what must now be true; nothing, if it already is."""
    match command:
        case RecordRequest():
            return _record(command, case)
        case WithdrawRequest():
            return _withdraw(command, case)
        case _:
            assert_never(command)


def _record(command: RecordRequest, case: Case) -> Sequence[IntakeFact]:
    request = command.request
    if isinstance(case, Complaint):
        differing = _differing(request, case)
        if not differing:
            return []
        why = f"request {request.request_id} is already on record with other content: {', '.join(differing)}"
        return [_refused("record", why, case, command.at)]
    facts: list[IntakeFact] = [
        ComplaintReceived(
            complaint_id=command.complaint_id,
            request_id=RequestId(request.request_id),
            call_id=None if request.call_id is None else CallId(request.call_id),
            channel=request.channel,
            district=request.district,
            street=request.street,
            address=request.address,
            title=request.title,
            content=request.content,
            ruleset=command.ruleset,
            calendar=command.calendar,
            given_due_at=request.given_due_at,
            received_at=command.at,
        ),
        ComplaintClassified(
            complaint_id=command.complaint_id,
            request_type=request.request_type,
            subject=request.subject,
            urgency=request.urgency,
            classified_by=request.recorded_by,
            to_dispatch=request.article_id is None,
            classified_at=command.at,
        ),
    ]
    if request.article_id is not None:
        facts.append(
            ComplaintAnsweredDirectly(
                complaint_id=command.complaint_id,
                article_id=request.article_id,
                article_version=request.article_version,
                answered_at=command.at,
            )
        )
    return facts


def _differing(request: RequestRecorded, case: Complaint) -> list[str]:
    """The fields in which a request told again says something else than is on record (T7).

    Names only: what the citizen said has no place in a reason. Channel and agent say who told us, not what
    is asked for; of an article it is on record whether there was one.
    """
    differing = [name for name in _CONTENT if getattr(request, name) != getattr(case, name)]
    answered = case.ended is not None and case.ended.how == ComplaintAnsweredDirectly.__name__
    if answered != (request.article_id is not None):
        differing.append("article_id")
    return differing


def _withdraw(command: WithdrawRequest, case: Case) -> Sequence[IntakeFact]:
    if not isinstance(case, Complaint):
        raise NoSuchComplaint(command.complaint_id)
    if case.ended is not None:
        if case.ended.how == ComplaintWithdrawn.__name__:
            return []
        why = f"the life ended with {case.ended.how} at {case.ended.at.isoformat()}"
        return [_refused("withdraw", why, case, command.at)]
    return [
        ComplaintWithdrawn(
            complaint_id=command.complaint_id,
            reason=command.reason,
            recalled_unit=case.order.unit if case.order is not None and order_open(case) else None,
            withdrawn_at=command.at,
        )
    ]


def _refused(asked: str, reason: str, case: Complaint, at: datetime) -> IntakeRefused:
    return IntakeRefused(complaint_id=case.complaint_id, asked=asked, reason=reason, refused_at=at)
