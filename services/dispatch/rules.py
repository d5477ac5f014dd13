"""What dispatch decides; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, assert_never

from services.dispatch.commands import (
    AnswerOrder,
    DispatchCommand,
    DispatchComplaint,
    RequestReturn,
    ReviewReturn,
    SignOrder,
)
from services.dispatch.routing import Routed, after_return, routed
from shared.calendar import calendar
from shared.catalogue import Catalogue
from shared.complaint import Case, Complaint, NoSuchComplaint, Order
from shared.deadlines import due_at
from shared.events import (
    ComplaintClassified,
    ComplaintDispatched,
    ComplaintReopened,
    DispatchFact,
    OrderAnswered,
    OrderSigned,
    ReplyRefused,
    ReturnApproved,
    ReturnRejected,
    ReturnRequested,
)
from shared.events.base import Fact, RequestType, Urgency
from shared.ids import UnitId
from shared.ruleset import RuleSet, ruleset

_ASKED: Final[dict[type[DispatchCommand], str]] = {
    SignOrder: "sign",
    AnswerOrder: "answer",
    RequestReturn: "return",
}

REACTS = (ComplaintClassified, ComplaintReopened)
"""The facts dispatch acts on."""


def react(fact: Fact, at: datetime) -> DispatchCommand | None:
    """Whenever this fact, do that."""
    if isinstance(fact, ComplaintClassified) and not fact.to_dispatch:
        return None
    if isinstance(fact, ComplaintClassified | ComplaintReopened):
        return DispatchComplaint(complaint_id=fact.complaint_id, at=at)
    return None


def decide(command: DispatchCommand, case: Case, catalogue: Catalogue) -> Sequence[DispatchFact]:
    """Say what must now be true; nothing, if it already is. What cannot be is refused by a fact."""
    if not isinstance(case, Complaint):
        raise NoSuchComplaint(command.complaint_id)
    match command:
        case DispatchComplaint():
            return _dispatch(command, case, catalogue)
        case SignOrder() | AnswerOrder() | RequestReturn():
            return _reply(command, case)
        case ReviewReturn():
            return _review(command, case, catalogue)
        case _:
            assert_never(command)


def _dispatch(command: DispatchComplaint, case: Complaint, catalogue: Catalogue) -> Sequence[DispatchFact]:
    if case.ended is not None or (case.order is not None and not case.reopened):
        return []
    if case.order is None:
        to = routed(catalogue, case.subject, case.district, case.street)
    else:
        to = Routed(case.order.unit, case.order.level, f"{catalogue.version}: same unit again")
    return [_order(case, to, command.at)]


def _order(case: Complaint, to: Routed, at: datetime) -> ComplaintDispatched:
    """The work order. A return never moves the citizen's limit (T10); a new round has the unit's own."""
    rules = ruleset(case.ruleset)
    urgency = case.urgency or Urgency.GENERAL_7D
    limits = rules.classes[urgency]
    days = calendar(case.calendar)
    before = case.order
    number = 1 if before is None else before.round + 1 if case.reopened else before.round
    feedback = due_at(at, limits.feedback, rules, days).at if limits.feedback is not None else None
    if before is None:
        citizen_due_at = _given(case, rules) or feedback
        unit_due_at = feedback or citizen_due_at
    elif number > 1 and not case.reopened:  # returned in a later round: the limit in force stays (T10)
        citizen_due_at, unit_due_at = before.citizen_due_at, before.unit_due_at
    else:
        citizen_due_at = before.citizen_due_at
        unit_due_at = feedback or at + max(citizen_due_at - case.received_at, limits.ladder_step)
    if citizen_due_at is None or unit_due_at is None:
        message = f"rule set {rules.version} gives no feedback limit and the request brought none"
        raise ValueError(message)
    return ComplaintDispatched(
        complaint_id=case.complaint_id,
        unit=to.unit,
        level=to.level,
        rule=to.rule,
        assignment=1 if before is None else before.assignment + 1,
        round=number,
        request_type=case.request_type or RequestType.HELP,
        subject=case.subject,
        urgency=urgency,
        district=case.district,
        street=case.street,
        address=case.address,
        title=case.title,
        content=case.content,
        dispatched_at=at,
        sign_due_at=None if limits.sign is None else due_at(at, limits.sign, rules, days).at,
        citizen_due_at=citizen_due_at,
        unit_due_at=unit_due_at,
    )


def _given(case: Complaint, rules: RuleSet) -> datetime | None:
    return case.given_due_at if rules.limits_given else None


def _reply(command: SignOrder | AnswerOrder | RequestReturn, case: Complaint) -> Sequence[DispatchFact]:
    order = case.order
    why = _not_theirs(case, command.unit, command.assignment)
    if why is None and order is not None and order.review_since is not None:
        if isinstance(command, RequestReturn):
            return []
        why = "a return of this order is under review"
    if why is not None or order is None:
        return [_refused(command.unit, _ASKED[type(command)], why or "there is no order", case, command.at)]
    if isinstance(command, RequestReturn):
        return _return(command, case, order)
    if isinstance(command, AnswerOrder):
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
    if order.signed_at is not None:
        return []
    return [
        OrderSigned(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            signed_at=command.at,
        )
    ]


def _return(command: RequestReturn, case: Complaint, order: Order) -> Sequence[DispatchFact]:
    returns_max = ruleset(case.ruleset).returns_max
    if order.signed_at is not None:  # T4: one wins, the other is refused and recorded
        return [_refused(command.unit, "return", "the order is signed", case, command.at)]
    if case.returns >= returns_max:
        why = f"returned {case.returns} times already, at most {returns_max}; the present unit leads (R12)"
        return [_refused(command.unit, "return", why, case, command.at)]
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
    unit = UnitId("reviewers") if order is None else order.unit
    why: str | None = None
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}"
    elif order is None or _present(case, order) != command.assignment:
        why = f"assignment {command.assignment} is over"
    elif order.review_since is None or case.reopened:
        why = "no return of this order is under review"
    elif command.to_unit is not None and command.to_unit not in catalogue.units:
        why = f"to_unit: {command.to_unit!r} is not in catalogue {catalogue.version}"
    if why is not None or order is None:
        return [_refused(unit, asked, why or "there is no order", case, command.at)]
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
    wished = (command.to_unit, order.suggested_unit)
    return [
        ReturnApproved(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            reviewer=command.reviewer,
            approved_at=command.at,
        ),
        _order(case, after_return(catalogue, wished, case.district, order.unit), command.at),
    ]


def _not_theirs(case: Complaint, unit: UnitId, assignment: int) -> str | None:
    """Why this unit may not speak to this assignment now; None where it may (T2)."""
    order = case.order
    if case.ended is not None:
        return f"the life ended with {case.ended.how}"
    if order is None:
        return "the complaint is not dispatched"
    if order.unit != unit:
        return f"the order lies with {order.unit} now"
    present = _present(case, order)
    if present != assignment:
        return f"assignment {assignment} is over, the present one is {present}"
    if case.reopened or order.answered_at is not None:
        return f"assignment {assignment} is not written yet" if case.reopened else "the order is answered"
    return None


def _present(case: Complaint, order: Order) -> int:
    """The assignment that may be spoken to; after the citizen's no it is the next one, written or not."""
    return order.assignment + case.reopened


def _refused(unit: UnitId, asked: str, reason: str, case: Complaint, at: datetime) -> ReplyRefused:
    return ReplyRefused(complaint_id=case.complaint_id, unit=unit, asked=asked, reason=reason, refused_at=at)
