"""What dispatch decides; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, assert_never

from services.dispatch.calendars import amend_calendar
from services.dispatch.commands import (
    AcknowledgeWhistle,
    AddCoUnit,
    AmendCalendar,
    AnswerOrder,
    ArriveAtWhistle,
    AssignOrder,
    BlowWhistle,
    DecideCouncil,
    DispatchCommand,
    DispatchComplaint,
    EndPause,
    FollowCorrection,
    RaiseDispute,
    RateWhistle,
    ReclassifyComplaint,
    RecordContact,
    RecordContactFailed,
    RecordMeasure,
    ReleaseWhistle,
    ReportAsCoUnit,
    ReportProgress,
    RequestExclusion,
    RequestExtension,
    RequestPause,
    RequestReturn,
    RequestTermination,
    ReviewExclusion,
    ReviewExtension,
    ReviewPause,
    ReviewReturn,
    ReviewTermination,
    SendBackAnswer,
    SignOrder,
    UnitCommand,
)
from services.dispatch.corrections import follow_correction, named_since, next_round
from services.dispatch.deciders import not_theirs_to_decide
from services.dispatch.exclusions import request_exclusion, review_exclusion
from services.dispatch.handling import record_contact, record_contact_failed, report_progress, send_back
from services.dispatch.matters import followed
from services.dispatch.orders import REVIEWERS, not_reviewed, not_theirs, refused, sent
from services.dispatch.pauses import end_pause, request_pause, review_pause
from services.dispatch.reclassification import reclassify
from services.dispatch.reviews import (
    add_co_unit,
    decide_council,
    raise_dispute,
    report_as_co_unit,
    request_extension,
    request_termination,
    review_extension,
    review_termination,
)
from services.dispatch.routing import after_return, assigned, routed, to_supervision
from services.dispatch.whistles import acknowledge, arrive, blow, rate, record_measure, release
from shared.aside import NoSuchComplaint
from shared.complaint import WHERE_AND_WHAT, Case, Complaint, Order
from shared.deciding import Decision
from shared.events import (
    ComplaintClassified,
    ComplaintReopened,
    DispatchFact,
    OrderAnswered,
    OrderAssigned,
    OrderSigned,
    RequestCorrected,
    ReturnApproved,
    ReturnRejected,
    ReturnRequested,
)
from shared.events.base import Fact
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import ruleset
from shared.text import quoted
from shared.times import stated

_ASKED: Final[dict[type[UnitCommand], str]] = {
    SignOrder: "sign",
    AnswerOrder: "answer",
    RequestReturn: "return",
    AssignOrder: "assign",
    RequestExtension: "extend",
    RequestPause: "pause",
    EndPause: "end the pause",
    RequestTermination: "terminate",
    RaiseDispute: "dispute",
    RecordContact: "record a contact",
    RecordContactFailed: "record a contact that failed",
    ReportProgress: "report progress",
}

REACTS = (ComplaintClassified, ComplaintReopened, RequestCorrected)
"""The facts dispatch acts on."""


def react(fact: Fact, at: datetime) -> DispatchCommand | None:
    """Whenever this fact, do that."""
    if isinstance(fact, ComplaintClassified) and not fact.to_dispatch:
        return None
    if isinstance(fact, ComplaintClassified | ComplaintReopened):
        return DispatchComplaint(complaint_id=fact.complaint_id, at=at)
    if isinstance(fact, RequestCorrected) and any(one.field in WHERE_AND_WHAT for one in fact.corrections):
        return FollowCorrection(complaint_id=fact.complaint_id, at=at)
    return None


def decide(  # noqa: C901, PLR0911, PLR0912 -- a line a command
    command: DispatchCommand, case: Case, catalogue: Catalogue
) -> Sequence[DispatchFact]:
    """Say what must now be true; nothing, if it already is. What cannot be is refused by a fact."""
    if not isinstance(case, Complaint):
        raise NoSuchComplaint(command.complaint_id)
    if isinstance(command, Decision) and (refusal := not_theirs_to_decide(command, case, catalogue)):
        return refusal
    match command:
        case DispatchComplaint():
            return _dispatch(command, case, catalogue)
        case FollowCorrection():
            return follow_correction(command, case, catalogue)
        case SignOrder() | AnswerOrder() | RequestReturn() | AssignOrder():
            return _reply(command, case, catalogue)
        case RequestExtension() | RequestPause() | EndPause() | RequestTermination() | RaiseDispute():
            return _reply(command, case, catalogue)
        case RecordContact() | RecordContactFailed() | ReportProgress():
            return _reply(command, case, catalogue)
        case SendBackAnswer():
            return send_back(command, case)
        case ReviewReturn():
            return _review(command, case, catalogue)
        case ReviewExtension():
            return review_extension(command, case)
        case ReviewPause():
            return review_pause(command, case)
        case ReviewTermination():
            return review_termination(command, case)
        case DecideCouncil():
            return decide_council(command, case, catalogue)
        case AddCoUnit():
            return add_co_unit(command, case, catalogue)
        case ReportAsCoUnit():
            return report_as_co_unit(command, case)
        case ReclassifyComplaint():
            return reclassify(command, case)
        case AmendCalendar():
            return amend_calendar(command, case)
        case BlowWhistle():
            return blow(command, case, catalogue)
        case AcknowledgeWhistle():
            return acknowledge(command, case)
        case ArriveAtWhistle():
            return arrive(command, case)
        case RecordMeasure():
            return record_measure(command, case)
        case ReleaseWhistle():
            return release(command, case)
        case RateWhistle():
            return rate(command, case)
        case RequestExclusion():
            return request_exclusion(command, case)
        case ReviewExclusion():
            return review_exclusion(command, case)
        case _:
            assert_never(command)


def _dispatch(command: DispatchComplaint, case: Complaint, catalogue: Catalogue) -> Sequence[DispatchFact]:
    if case.ended is not None or (case.order is not None and not case.reopened):
        return []
    if case.order is not None:
        return next_round(command, case, case.order, catalogue)
    reason = f"the catalogue's line for {case.subject}"
    if case.accused is not None:
        to = to_supervision(catalogue, case.accused)
    else:
        led = followed(case, command.seen, catalogue)
        to = led or routed(catalogue, case.subject, case.district, case.street)
        reason = reason if led is None else "helps with the first complaint of this matter"
    return sent(case, to, command.at, catalogue, to.co_units, added_by=catalogue.version, reason=reason)


def _reply(command: UnitCommand, case: Complaint, catalogue: Catalogue) -> Sequence[DispatchFact]:
    order = case.order
    why = not_theirs(case, command.unit, command.assignment)
    if why is None and order is not None and order.review_since is not None:
        why = f"a {'dispute about' if order.disputed else 'return of'} this order is under review"
    if why is not None or order is None:
        return [refused(command.unit, _ASKED[type(command)], why or "there is no order", case, command)]
    return _said(command, case, order, catalogue)


def _said(  # noqa: C901, PLR0911 -- a line a command
    command: UnitCommand, case: Complaint, order: Order, catalogue: Catalogue
) -> Sequence[DispatchFact]:
    match command:
        case SignOrder():
            return _sign(command, case, order)
        case AnswerOrder():
            return _answer(command, case, order)
        case RequestReturn():
            return _return(command, case, order)
        case AssignOrder():
            return _assign(command, case, order, catalogue)
        case RequestExtension():
            return request_extension(command, case, order)
        case RequestPause():
            return request_pause(command, case, order)
        case EndPause():
            return end_pause(command, case, order)
        case RequestTermination():
            return request_termination(command, case, order)
        case RaiseDispute():
            return raise_dispute(command, case, order)
        case RecordContact():
            return record_contact(command, case, order)
        case RecordContactFailed():
            return record_contact_failed(command, case, order)
        case ReportProgress():
            return report_progress(command, case, order)


def _sign(command: SignOrder, case: Complaint, order: Order) -> Sequence[DispatchFact]:
    if order.signed_at is not None:
        why = f"the order was signed at {stated(order.signed_at, case.ruleset)}"
        return [refused(command.unit, "sign", why, case, command)]
    return [
        OrderSigned(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            signed_at=command.at,
        )
    ]


def _answer(command: AnswerOrder, case: Complaint, order: Order) -> Sequence[DispatchFact]:
    return [
        OrderAnswered(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            result=command.result,
            claims_solved=command.claims_solved,
            answered_at=command.at,
        )
    ]


def _assign(
    command: AssignOrder, case: Complaint, order: Order, catalogue: Catalogue
) -> Sequence[DispatchFact]:
    """D1: what fell to the district because it was not clear, the district gives to one of its streets."""
    why: str | None = None
    if command.to_unit not in catalogue.streets_under(order.unit):
        why = f"to_unit: {quoted(command.to_unit)} is no street of {order.unit} in catalogue {catalogue.version}"
    elif order.signed_at is not None:
        why = "the order is signed"
    elif order.written_for is not None and (to := named_since(case, order, catalogue)) is not None:
        why = f"the record was corrected, and the catalogue names {to.unit} now"
    if why is not None:
        return [refused(command.unit, "assign", why, case, command)]
    return [
        OrderAssigned(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            to_unit=command.to_unit,
            reason=command.reason,
            assigned_at=command.at,
        ),
        *sent(case, assigned(catalogue, command.to_unit), command.at, catalogue),
    ]


def _return(command: RequestReturn, case: Complaint, order: Order) -> Sequence[DispatchFact]:
    returns_max = ruleset(case.ruleset).returns_max
    if order.kept:  # T4: one wins, the other is refused and recorded
        return [refused(command.unit, "return", "the order is signed", case, command)]
    if case.accused is not None:
        return [refused(command.unit, "return", "supervision keeps it (R9)", case, command)]
    if case.settled:
        return [refused(command.unit, "return", "a council has named the unit", case, command)]
    if command.suggested_unit == order.unit:
        why = f"suggested_unit: {order.unit} is who returns it"
        return [refused(command.unit, "return", why, case, command)]
    if case.returns >= returns_max:
        why = (
            f"a return was asked for {case.returns} times already, at most {returns_max}; "
            "the present unit leads, or a council decides (R12)"
        )
        return [refused(command.unit, "return", why, case, command)]
    return [
        ReturnRequested(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            reason=command.reason,
            evidence=command.evidence,
            suggested_unit=command.suggested_unit,
            requested_at=command.at,
        )
    ]


def _review(command: ReviewReturn, case: Complaint, catalogue: Catalogue) -> Sequence[DispatchFact]:
    order = case.order
    asked = "approve the return" if command.approved else "reject the return"
    unit = REVIEWERS if order is None else order.unit
    why = not_reviewed(case, command.assignment)
    if why is not None:
        pass
    elif order is None or order.review_since is None or case.reopened:
        why = "no return of this order is under review"
    elif order.disputed:
        why = "a council decides on what is disputed"
    elif command.to_unit is not None and command.to_unit not in catalogue.units:
        why = f"to_unit: {quoted(command.to_unit)} is not in catalogue {catalogue.version}"
    elif command.approved and command.to_unit == order.unit:
        why = f"to_unit: {order.unit} is who returns it; to leave it there the return is rejected"
    if why is not None or order is None:
        return [refused(unit, asked, why or "there is no order", case, command)]
    if not command.approved:
        return [
            ReturnRejected(
                complaint_id=case.complaint_id,
                unit=order.unit,
                assignment=order.assignment,
                reviewer=command.reviewer,
                reason=command.reason,
                rejected_at=command.at,
            )
        ]
    led = followed(case, command.seen, catalogue)
    # A correction that is not followed yet counts too; a record's own correction goes before the first's unit.
    named = named_since(case, order, catalogue)
    wished = (command.to_unit, order.suggested_unit, *(one.unit for one in (named, led) if one is not None))
    return [
        ReturnApproved(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            reviewer=command.reviewer,
            approved_at=command.at,
        ),
        *sent(case, after_return(catalogue, wished, case.district, order.unit), command.at, catalogue),
    ]
