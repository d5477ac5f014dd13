"""The unit that has signed speaks to the citizen for the first time (首次联系), or tries to in vain. Pure."""

from __future__ import annotations

from services.dispatch.decision_table import decides
from services.dispatch.guards import Refusal, Said, held, overtaken, unsigned
from shared.asked import Asked
from shared.complaint import Complaint, Order
from shared.events import CitizenContacted, ContactFailed
from shared.inputs import RecordContact, RecordContactFailed
from shared.times import stated


@decides(RecordContact, "record a contact")
def record_contact(command: RecordContact, asked: Asked, case: Complaint) -> Said:
    """The first contact happens once: the unit cannot speak to the citizen for the first time again."""
    order = _not_spoken_to(command.assignment, asked, case)
    if isinstance(order, Refusal):
        return order
    return [
        CitizenContacted(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            channel=command.channel,
            contacted_at=asked.at,
        )
    ]


@decides(RecordContactFailed, "record a contact that failed")
def record_contact_failed(command: RecordContactFailed, asked: Asked, case: Complaint) -> Said:
    """Each attempt is on record, as long as none has succeeded."""
    order = _not_spoken_to(command.assignment, asked, case)
    if isinstance(order, Refusal):
        return order
    return [
        ContactFailed(
            complaint_id=case.complaint_id,
            unit=order.unit,
            assignment=order.assignment,
            round=order.round,
            channel=command.channel,
            cause=command.cause,
            tried_at=asked.at,
        )
    ]


def _not_spoken_to(assignment: int, asked: Asked, case: Complaint) -> Order | Refusal:
    """The order of a citizen who is known, and to whom nobody has spoken about it."""
    order = held(assignment, asked, case)
    if isinstance(order, Refusal):
        return order
    if order.contacted_at is not None:
        return Refusal(f"the citizen was spoken to at {stated(order.contacted_at, case.ruleset)}")
    if case.anonymous:
        return Refusal("nobody knows who it was")
    why = unsigned(order) or overtaken(order.tried_at, asked.at, case)
    return order if why is None else Refusal(why)
