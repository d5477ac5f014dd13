"""What a unit cannot settle alone: more time, an end without an answer, whose the order is, who helps. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from services.dispatch.commands import (
    AddCoUnit,
    AmendCalendar,
    DecideCouncil,
    RaiseDispute,
    ReclassifyComplaint,
    ReportAsCoUnit,
    RequestExtension,
    RequestTermination,
    ReviewExtension,
    ReviewTermination,
)
from services.dispatch.orders import (
    REVIEWERS,
    helped,
    not_reviewed,
    provisional,
    refused,
    sent,
    too_late,
)
from services.dispatch.pauses import running, under_review
from services.dispatch.routing import by_council
from shared.calendar import CalendarUnknown, calendar
from shared.catalogue import Catalogue
from shared.complaint import Complaint, Order, dispatched_first, helping
from shared.deadlines import Due, due_at
from shared.events import (
    CalendarAmended,
    ComplaintReclassified,
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
    Urgency,
)
from shared.ruleset import Days, RuleSet, ruleset

# -- more time


def request_extension(command: RequestExtension, case: Complaint, order: Order) -> Sequence[DispatchFact]:
    """D4: a signed order, before its limit, at most so often and so long as the rule set says."""
    rules = ruleset(case.ruleset)
    if order.extension_days == command.days:
        return []
    why = _not_extended(command, case, order, rules)
    if why is not None:
        return [refused(command.unit, "extend", why, case, command.at)]
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


def _not_extended(  # noqa: PLR0911 -- a line a reason
    command: RequestExtension, case: Complaint, order: Order, rules: RuleSet
) -> str | None:
    if order.signed_at is None:
        return "only a signed order is extended"
    if order.extension_days or order.pause_days:
        return f"{under_review(order)} of this order is under review"
    if running(order, command.at):
        return "its clock stands still"
    if case.extensions >= rules.extensions_max:
        return f"extended {case.extensions} times already, at most {rules.extensions_max} (D4)"
    if command.days > rules.extension_days_max:
        return f"days: {command.days} asked for, at most {rules.extension_days_max} (D4)"
    if not isinstance(rules.classes[case.urgency or Urgency.GENERAL_7D].feedback, Days):
        return "only a limit in days is extended"
    return too_late(case, order, command.at)


def review_extension(command: ReviewExtension, case: Complaint) -> Sequence[DispatchFact]:
    """T6: what has passed stays missed, whenever the review comes."""
    order = case.order
    asked = "approve the extension" if command.approved else "reject the extension"
    why = not_reviewed(case, command.assignment)
    if why is None and (order is None or not order.extension_days or case.reopened):
        why = "no extension of this order is under review"
    if why is None and order is not None and command.approved:
        why = too_late(case, order, command.at)
    if why is not None or order is None:
        unit = REVIEWERS if order is None else order.unit
        return [refused(unit, asked, why or "there is no order", case, command.at)]
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
    days = Days(order.extension_days)
    new = due_at(order.feedback_due_at, days, ruleset(case.ruleset), calendar(case.calendar))
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
    if order.termination is command.ground:
        return []
    why: str | None = None
    if order.signed_at is None:
        why = "only a signed order is terminated; one that is not yours is returned"
    elif order.termination is not None:
        why = f"a termination for {order.termination} is under review"
    if why is not None:
        return [refused(command.unit, "terminate", why, case, command.at)]
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
        return [refused(unit, asked, why or "there is no order", case, command.at)]
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
    elif order.signed_at is not None:
        why = "the order is signed"
    elif not order.return_rejected and case.returns < ruleset(case.ruleset).returns_max:
        why = "it can be returned: a council meets about what a review rejected"
    if why is not None:
        return [refused(command.unit, "dispute", why, case, command.at)]
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
    if why is None and (order is None or order.review_since is None or case.reopened):
        why = "nothing about whose order it is is under review"
    for field, unit in (("to_unit", command.to_unit), *(("co_units", unit) for unit in command.co_units)):
        if why is None and unit not in catalogue.units:
            why = f"{field}: {unit!r} is not in catalogue {catalogue.version}"
    if why is None and len({command.to_unit, *command.co_units}) <= len(command.co_units):
        why = f"co_units: each unit once, and not {command.to_unit}, which leads"
    if why is not None or order is None:
        unit = REVIEWERS if order is None else order.unit
        return [refused(unit, "decide as a council", why or "there is no order", case, command.at)]
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
        *sent(case, to, command.at, command.co_units, added_by="council", reason=command.reason),
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
        why = f"co_unit: {command.co_unit!r} is not in catalogue {catalogue.version}"
    elif command.co_unit == order.unit:
        why = f"co_unit: {command.co_unit} leads"
    elif helping(case, command.co_unit) is not None:
        return []
    elif len(case.co_units) >= ruleset(case.ruleset).co_units_max:
        why = f"{len(case.co_units)} units help already, at most {ruleset(case.ruleset).co_units_max}"
    if why is not None or order is None:
        return [refused(command.co_unit, "add a co-unit", why or "there is no order", case, command.at)]
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
        why = f"it reported at {co_unit.reported_at.isoformat()}"
    if why is not None or order is None:
        return [refused(command.unit, "report", why or "there is no order", case, command.at)]
    return [
        CoUnitReported(
            complaint_id=case.complaint_id,
            co_unit=command.unit,
            unit=order.unit,
            result=command.result,
            reported_at=command.at,
        )
    ]


# -- how urgent it is


def reclassify(command: ReclassifyComplaint, case: Complaint) -> Sequence[DispatchFact]:
    """T24: only before the limit.

    A longer class counts from the first dispatch in all (15, not 7 + 15); a shorter one counts from now, and never
    lengthens.
    """
    order = case.order
    if order is not None and case.ended is None and case.urgency is command.urgency:
        return []
    rules = ruleset(case.ruleset)
    why = _not_reclassified(command, case, rules)
    first = dispatched_first(case)
    limit = rules.classes[command.urgency].feedback
    if why is not None or order is None or first is None or limit is None or case.urgency is None:
        unit = REVIEWERS if order is None else order.unit
        return [refused(unit, "reclassify", why or "there is no order", case, command.at)]
    days = calendar(case.calendar)
    whole = due_at(first, limit, rules, days)
    new = whole
    if whole.at < order.citizen_due_at:
        own = max(whole, due_at(command.at, limit, rules, days))
        new = min(Due(order.citizen_due_at, order.provisional), own)
    return [
        ComplaintReclassified(
            complaint_id=case.complaint_id,
            unit=order.unit,
            old_urgency=case.urgency,
            urgency=command.urgency,
            reason=command.reason,
            reclassified_by=command.reclassified_by,
            old_due_at=order.citizen_due_at,
            citizen_due_at=new.at,
            unit_due_at=max(new, due_at(order.dispatched_at, limit, rules, days)).at,
            provisional=provisional(new.provisional),
            reclassified_at=command.at,
        )
    ]


def _not_reclassified(command: ReclassifyComplaint, case: Complaint, rules: RuleSet) -> str | None:
    order = case.order
    if case.ended is not None or order is None:
        return (
            "the complaint is not dispatched"
            if case.ended is None
            else f"the life ended with {case.ended.how}"
        )
    why: str | None = None
    if rules.limits_given:
        why = "its limit came with the request"
    elif order.round > 1 or case.reopened:
        why = "in a later round the limit is the round's own"
    elif order.answered_at is not None or order.terminated:
        why = "the order is answered" if order.answered_at is not None else "the order is terminated"
    elif order.extended_due_at is not None or order.extension_days or order.pause_days:
        why = "its limit is extended or paused, or that is under review"
    return why or too_late(case, order, command.at)


# -- which days are worked


def amend_calendar(command: AmendCalendar, case: Complaint) -> Sequence[DispatchFact]:
    """T8, J1: by an explicit fact with the old and the new limit; what has passed, or is extended, does not move.

    No limit moves behind the present: an amendment that shortens it leaves at least until now.
    """
    order = case.order
    why: str | None = None
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}"
    elif order is None:
        why = "the complaint is not dispatched"
    elif command.calendar == case.calendar:
        return []
    else:
        try:
            calendar(command.calendar)
        except CalendarUnknown as unknown:
            why = f"calendar: {unknown}"
    if why is not None or order is None:
        unit = REVIEWERS if order is None else order.unit
        return [refused(unit, "amend the calendar", why or "there is no order", case, command.at)]
    citizen, unit_own = _by(command, case, order)
    new = replace(order, citizen_due_at=citizen.at, unit_due_at=unit_own.at)
    return [
        CalendarAmended(
            complaint_id=case.complaint_id,
            unit=order.unit,
            old_calendar=case.calendar,
            calendar=command.calendar,
            reason=command.reason,
            amended_by=command.amended_by,
            old_due_at=order.feedback_due_at,
            new_due_at=new.feedback_due_at,
            citizen_due_at=citizen.at,
            unit_due_at=unit_own.at,
            provisional=provisional((citizen if order.round == 1 else unit_own).provisional),
            amended_at=command.at,
        )
    ]


def _by(command: AmendCalendar, case: Complaint, order: Order) -> tuple[Due, Due]:
    """The citizen's limit and the unit's as that calendar has them, where they still run."""
    rules = ruleset(case.ruleset)
    limit = rules.classes[case.urgency or Urgency.GENERAL_7D].feedback
    first = dispatched_first(case)
    citizen_stays = Due(order.citizen_due_at, order.provisional)
    stays = citizen_stays, Due(order.unit_due_at, order.provisional)
    if limit is None or first is None or rules.limits_given or case.reopened:
        return stays
    if too_late(case, order, command.at) or order.extended_due_at is not None:
        return stays
    days = calendar(command.calendar)
    now = Due(command.at, provisional=False)
    unit = max(due_at(order.dispatched_at, limit, rules, days), now)
    if order.round > 1:
        return citizen_stays, unit
    return max(due_at(first, limit, rules, days), now), unit
