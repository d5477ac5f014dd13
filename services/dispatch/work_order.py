"""The work order itself: how it is written, which limit it gets, and whom it asks to help. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import UNSET

from services.dispatch.routing import Routed
from shared.complaint import Complaint, evolve, helping, whole_content
from shared.events import ComplaintDispatched, ConfidentialityRequired, CoUnitAdded
from shared.events.base import Provisional, RequestType, Urgency
from shared.events.dispatch import Unlisted
from shared.ids import UnitId
from shared.policy.calendar import calendar
from shared.policy.catalogue import Catalogue
from shared.policy.deadlines import due_at
from shared.policy.ruleset import RuleSet, ruleset


def written(case: Complaint, to: Routed, at: datetime, known: Catalogue) -> ComplaintDispatched:
    """The work order. A return never moves the citizen's limit (T10); a new round has the unit's own."""
    rules = ruleset(case.ruleset)
    urgency = case.urgency or Urgency.GENERAL_7D
    limits = rules.classes[urgency]
    days = calendar(case.calendar)
    before = case.order
    number = 1 if before is None else before.round + 1 if case.reopened else before.round
    own = None if limits.feedback is None else due_at(at, limits.feedback, rules, days)
    feedback = None if own is None else own.at
    unsure = own is not None and own.provisional
    if before is None:
        given_at = _given(case, rules)
        citizen_due_at = given_at or feedback
        unit_due_at = feedback or citizen_due_at
        unsure = unsure and given_at is None
    elif number > 1 and not case.reopened:  # returned in a later round: the limit in force stays (T10)
        citizen_due_at, unit_due_at, unsure = before.citizen_due_at, before.unit_due_at, before.provisional
    else:
        citizen_due_at = before.citizen_due_at
        unit_due_at = feedback or at + max(citizen_due_at - case.received_at, limits.ladder_step)
        unsure = unsure if case.reopened else before.provisional
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
        content=whole_content(case),
        attachments=case.attachments or UNSET,
        unlisted=not_listed(case, known),
        dispatched_at=at,
        sign_due_at=None if limits.sign is None else due_at(at, limits.sign, rules, days).at,
        citizen_due_at=citizen_due_at,
        unit_due_at=unit_due_at,
        provisional=provisional(unsure),
    )


def not_listed(case: Complaint, known: Catalogue) -> Unlisted:
    """As a fact says it: what of the record is to be corrected, for the catalogue does not know it.

    A report of retaliation is supervision's whatever it is called (R9).
    """
    if case.accused is not None:
        return UNSET
    return known.unlisted(case.subject, case.district, case.street) or UNSET


def provisional(rests_on_unannounced_days: bool) -> Provisional:  # noqa: FBT001 -- one question, one answer
    """As a fact says it (T16)."""
    return True if rests_on_unannounced_days else UNSET


def _given(case: Complaint, rules: RuleSet) -> datetime | None:
    return case.given_due_at if rules.limits_given else None


def helped(
    case: Complaint, co_units: Iterable[UnitId], *, added_by: str, reason: str, at: datetime
) -> list[CoUnitAdded]:
    """Each of these units is asked to help whoever has the order (R12), as far as the rule set goes and none twice."""
    order = case.order
    if order is None:
        return []
    room = ruleset(case.ruleset).co_units_max - len(case.co_units)
    wanted = [u for u in dict.fromkeys(co_units) if u != order.unit and helping(case, u) is None]
    return [
        CoUnitAdded(
            complaint_id=case.complaint_id,
            co_unit=unit,
            unit=order.unit,
            added_by=added_by,
            reason=reason,
            subject=case.subject,
            district=case.district,
            street=case.street,
            # Only the unit that leads must know the address to act: a helper of a confidential order asks it (R9, A5).
            address="" if case.confidential else case.address,
            title=case.title,
            content="" if case.confidential else whole_content(case),
            due_at=order.feedback_due_at,
            added_at=at,
        )
        for unit in wanted[: max(room, 0)]
    ]


def sent(
    case: Complaint,
    to: Routed,
    at: datetime,
    known: Catalogue,
    co_units: Iterable[UnitId] = (),
    *,
    added_by: str = "",
    reason: str = "",
) -> list[ComplaintDispatched | ConfidentialityRequired | CoUnitAdded]:
    """The order, that it is confidential where it is (A5), and those asked to help whom it went to (R12)."""
    order = written(case, to, at, known)
    said: list[ComplaintDispatched | ConfidentialityRequired | CoUnitAdded] = [order]
    if case.confidential:
        said.append(
            ConfidentialityRequired(
                complaint_id=case.complaint_id, unit=order.unit, assignment=order.assignment, required_at=at
            )
        )
    if co_units:
        with_order = evolve(case, order)
        assert isinstance(with_order, Complaint)  # noqa: S101 -- evolve never unopens a complaint
        said += helped(with_order, co_units, added_by=added_by, reason=reason, at=at)
    return said
