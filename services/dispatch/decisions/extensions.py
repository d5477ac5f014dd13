"""What a unit cannot settle alone: more time, an end without an answer, whose the order is, who helps. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.dispatch.commands import (
    AddCoUnit,
    DecideCouncil,
    RaiseDispute,
    ReportAsCoUnit,
    RequestExtension,
    RequestTermination,
    ReviewExtension,
    ReviewTermination,
)
from services.dispatch.limits import answer_limits
from services.dispatch.orders import (
    REVIEWERS,
    helped,
    not_in_days,
    not_reviewed,
    provisional,
    refused,
    sent,
    too_late,
)
from services.dispatch.pauses import under_review
from services.dispatch.routing import by_council
from shared.complaint import Complaint, LimitStep, Order, helping, standing_still, whose_is_open
from shared.events import (
    CouncilDecided,
    CoUnitReported,
    DispatchFact,
    DisputeRaised,
    ExtensionApproved,
    ExtensionRejected,
    ExtensionRequested,
    TerminationApproved,
    TerminationRejected,
    TerminationRequested,
)
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import RuleSet, ruleset
from shared.text import quoted
from shared.times import stated

# -- more time


def request_extension(command: RequestExtension, case: Complaint, order: Order) -> Sequence[DispatchFact]:
    """D4: a signed order, before its limit, at most so often and so long as the rule set says."""
    rules = ruleset(case.ruleset)
    why = _not_extended(command, case, order, rules)
    if why is not None:
        return [refused(command.unit, "extend", why, case, command)]
    return [
        ExtensionRequested(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            days=command.days,
            reason=command.reason,
            citizen_told=command.citizen_told,
            requested_at=command.at,
        )
    ]


def _not_extended(command: RequestExtension, case: Complaint, order: Order, rules: RuleSet) -> str | None:
    if order.signed_at is None:
        return "only a signed order is extended"
    if order.extension_days or order.pause_days:
        return f"{under_review(order)} of this order is under review"
    if standing_still(order, command.at) is not None:
        return "its clock stands still"
    if case.extensions >= rules.extensions_max:
        return f"extended {case.extensions} times already, at most {rules.extensions_max} (D4)"
    if command.days > rules.extension_days_max:
        return f"days: {command.days} asked for, at most {rules.extension_days_max} (D4)"
    return not_in_days(case, "extended") or too_late(case, order, command.at)


def review_extension(command: ReviewExtension, case: Complaint) -> Sequence[DispatchFact]:
    """T6: what has passed stays missed, whenever the review comes."""
    order = case.order
    asked = "approve the extension" if command.approved else "reject the extension"
    why = not_reviewed(case, command.assignment)
    if why is None and (order is None or not order.extension_days or case.reopened):
        why = "no extension of this order is under review"
    if why is None and order is not None and command.approved:
        why = not_in_days(case, "extended") or too_late(case, order, command.at)
    if why is not None or order is None:
        unit = REVIEWERS if order is None else order.unit
        return [refused(unit, asked, why or "there is no order", case, command)]
    if not command.approved:
        return [
            ExtensionRejected(
                complaint_id=case.complaint_id,
                unit=order.unit,
                assignment=order.assignment,
                reviewer=command.reviewer,
                reason=command.reason,
                rejected_at=command.at,
            )
        ]
    new = answer_limits(case, order, step=LimitStep(at=command.at, days=order.extension_days)).in_force
    return [
        ExtensionApproved(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            reviewer=command.reviewer,
            old_due_at=order.feedback_due_at,
            new_due_at=new.at,
            provisional=provisional(new.provisional),
            approved_at=command.at,
        )
    ]


# -- an end without an answer


def request_termination(command: RequestTermination, case: Complaint, order: Order) -> Sequence[DispatchFact]:
    """D5: on a ground the norm knows, shown by evidence, by the unit that has signed."""
    why: str | None = None
    if order.signed_at is None:
        why = "only a signed order is terminated; one that is not yours is returned"
    elif order.termination is not None:
        why = f"a termination for {order.termination} is under review"
    if why is not None:
        return [refused(command.unit, "terminate", why, case, command)]
    return [
        TerminationRequested(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            ground=command.ground,
            evidence=command.evidence,
            requested_at=command.at,
        )
    ]


def review_termination(command: ReviewTermination, case: Complaint) -> Sequence[DispatchFact]:
    """An approved one ends the order; feedback closes the complaint as an exception (E3)."""
    order = case.order
    asked = "approve the termination" if command.approved else "reject the termination"
    why = not_reviewed(case, command.assignment)
    if why is None and (order is None or order.termination is None or case.reopened):
        why = "no termination of this order is under review"
    if why is not None or order is None or order.termination is None:
        unit = REVIEWERS if order is None else order.unit
        return [refused(unit, asked, why or "there is no order", case, command)]
    if not command.approved:
        return [
            TerminationRejected(
                complaint_id=case.complaint_id,
                unit=order.unit,
                assignment=order.assignment,
                reviewer=command.reviewer,
                reason=command.reason,
                rejected_at=command.at,
            )
        ]
    return [
        TerminationApproved(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            ground=order.termination,
            reviewer=command.reviewer,
            reason=command.reason,
            approved_at=command.at,
        )
    ]


# -- whose it is


def raise_dispute(command: RaiseDispute, case: Complaint, order: Order) -> Sequence[DispatchFact]:
    """After a rejected return, or when no more are left: a council says whose it is; the limit runs on (R12)."""
    why: str | None = None
    if case.accused is not None:
        why = "supervision keeps it (R9)"
    elif case.settled:
        why = "a council has named the unit already"
    elif order.kept:
        why = "the order is signed"
    elif not order.return_rejected and case.returns < ruleset(case.ruleset).returns_max:
        why = "it can be returned: a council meets about what a review rejected"
    if why is not None:
        return [refused(command.unit, "dispute", why, case, command)]
    return [
        DisputeRaised(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            reason=command.reason,
            evidence=command.evidence,
            raised_at=command.at,
        )
    ]


def decide_council(command: DecideCouncil, case: Complaint, catalogue: Catalogue) -> Sequence[DispatchFact]:
    """The council (会商) names one unit, maybe the same, and who helps; from then on nobody returns it."""
    order = case.order
    why = not_reviewed(case, command.assignment)
    if why is None and (order is None or case.reopened or not whose_is_open(case, order)):
        why = "nothing about whose order it is is under review"
    for field, unit in (("to_unit", command.to_unit), *(("co_units", unit) for unit in command.co_units)):
        if why is None and unit not in catalogue.units:
            why = f"{field}: {quoted(unit)} is not in catalogue {catalogue.version}"
    if why is None and len({command.to_unit, *command.co_units}) <= len(command.co_units):
        why = f"co_units: each unit once, and not {command.to_unit}, which leads"
    if why is not None or order is None:
        unit = REVIEWERS if order is None else order.unit
        return [refused(unit, "decide as a council", why or "there is no order", case, command)]
    decided = CouncilDecided(
        complaint_id=case.complaint_id,
        unit=order.unit,
        assignment=order.assignment,
        to_unit=command.to_unit,
        participants=command.participants,
        reason=command.reason,
        decided_at=command.at,
    )
    if command.to_unit == order.unit:
        return [
            decided,
            *helped(case, command.co_units, added_by="council", reason=command.reason, at=command.at),
        ]
    to = by_council(catalogue, command.to_unit)
    return [
        decided,
        *sent(case, to, command.at, catalogue, command.co_units, added_by="council", reason=command.reason),
    ]


# -- who helps


def add_co_unit(command: AddCoUnit, case: Complaint, catalogue: Catalogue) -> Sequence[DispatchFact]:
    """R12: the first receiver leads, the others help; reviewers may ask one more."""
    order = case.order
    why: str | None = None
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}"
    elif order is None:
        why = "the complaint is not dispatched"
    elif case.accused is not None:
        why = "nobody helps with a report of retaliation (R9)"
    elif command.co_unit not in catalogue.units:
        why = f"co_unit: {quoted(command.co_unit)} is not in catalogue {catalogue.version}"
    elif command.co_unit == order.unit:
        why = f"co_unit: {command.co_unit} leads"
    elif helping(case, command.co_unit) is not None:
        why = f"co_unit: {command.co_unit} helps already"
    elif len(case.co_units) >= ruleset(case.ruleset).co_units_max:
        why = f"{len(case.co_units)} units help already, at most {ruleset(case.ruleset).co_units_max}"
    if why is not None or order is None:
        return [refused(command.co_unit, "add a co-unit", why or "there is no order", case, command)]
    return helped(case, (command.co_unit,), added_by=command.added_by, reason=command.reason, at=command.at)


def report_as_co_unit(command: ReportAsCoUnit, case: Complaint) -> Sequence[DispatchFact]:
    """What a helping unit did goes to the one that leads; it ends nothing."""
    order = case.order
    why: str | None = None
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}"
    elif (co_unit := helping(case, command.unit)) is None:
        why = f"{command.unit} was not asked to help"
    elif co_unit.reported_at is not None:
        why = f"it reported at {stated(co_unit.reported_at, case.ruleset)}"
    if why is not None or order is None:
        return [refused(command.unit, "report", why or "there is no order", case, command)]
    return [
        CoUnitReported(
            complaint_id=case.complaint_id,
            co_unit=command.unit,
            unit=order.unit,
            result=command.result,
            reported_at=command.at,
        )
    ]
