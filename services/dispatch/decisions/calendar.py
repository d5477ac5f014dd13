"""Which days are worked: an open complaint is made to go by another version of the calendar (T8, J1). Pure."""

from __future__ import annotations

from services.dispatch.decision_table import decides
from services.dispatch.guards import Refusal, Said, dispatched, too_late
from services.dispatch.limits import AnswerLimits, answer_limits
from services.dispatch.work_order import provisional
from shared.asked import Asked
from shared.complaint import Complaint, Order
from shared.events import CalendarAmended
from shared.inputs import AmendCalendar
from shared.policy.calendar import CalendarUnknown, calendar
from shared.policy.deadlines import Due
from shared.policy.ruleset import ruleset


@decides(AmendCalendar, "amend the calendar")
def amend_calendar(command: AmendCalendar, asked: Asked, case: Complaint) -> Said:
    """By an explicit fact with the old and the new limit; what has passed does not move.

    No limit moves behind the present: an amendment that shortens it leaves at least until now.
    """
    order = dispatched(case)
    if isinstance(order, Refusal):
        return order
    if command.calendar == case.calendar:
        return Refusal(f"it goes by calendar {case.calendar} already")
    try:
        calendar(command.calendar)
    except CalendarUnknown as unknown:
        return Refusal(f"calendar: {unknown}")
    limits = _by(command, asked, case, order)
    return [
        CalendarAmended(
            complaint_id=case.complaint_id,
            unit=order.unit,
            old_calendar=case.calendar,
            calendar=command.calendar,
            reason=command.reason,
            amended_by=command.amended_by,
            old_due_at=order.feedback_due_at,
            new_due_at=limits.in_force.at,
            citizen_due_at=limits.citizen.at,
            unit_due_at=limits.unit.at,
            provisional=provisional(limits.in_force.provisional),
            amended_at=asked.at,
        )
    ]


def _by(command: AmendCalendar, asked: Asked, case: Complaint, order: Order) -> AnswerLimits:
    """The limits as that calendar has them, where they still run."""
    stays = AnswerLimits(
        Due(order.citizen_due_at, order.provisional),
        Due(order.unit_due_at, order.provisional),
        Due(order.feedback_due_at, order.provisional),
        granted=order.extended_due_at is not None,
    )
    if ruleset(case.ruleset).limits_given or case.reopened or too_late(case, order, asked.at):
        return stays
    new = answer_limits(case, order, days=calendar(command.calendar))
    now = Due(asked.at, provisional=False)
    return AnswerLimits(
        stays.citizen if stays.citizen < now else max(new.citizen, now),
        max(new.unit, now),
        max(new.in_force, now),
        new.granted,
    )
