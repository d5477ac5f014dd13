"""The unit that has signed speaks to the citizen for the first time (首次联系), or tries to in vain. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.dispatch.guards import OrderReply, Refusal, Said, held, overtaken, unsigned
from shared.complaint import Complaint, Order
from shared.events import CitizenContacted, ContactFailed
from shared.times import stated


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordContact(OrderReply):
    """The unit spoke to the citizen for the first time."""

    ASKED = "record a contact"

    channel: str


def record_contact(command: RecordContact, case: Complaint) -> Said:
    """The first contact happens once: the unit cannot speak to the citizen for the first time again."""
    order = _not_spoken_to(command, case)
    if isinstance(order, Refusal):
        return order
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordContactFailed(OrderReply):
    """The unit tried to in vain."""

    ASKED = "record a contact that failed"

    channel: str
    cause: str


def record_contact_failed(command: RecordContactFailed, case: Complaint) -> Said:
    """Each attempt is on record, as long as none has succeeded."""
    order = _not_spoken_to(command, case)
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
            tried_at=command.at,
        )
    ]


def _not_spoken_to(command: RecordContact | RecordContactFailed, case: Complaint) -> Order | Refusal:
    """The order of a citizen who is known, and to whom nobody has spoken about it."""
    order = held(command, case)
    if isinstance(order, Refusal):
        return order
    if order.contacted_at is not None:
        return Refusal(f"the citizen was spoken to at {stated(order.contacted_at, case.ruleset)}")
    if case.anonymous:
        return Refusal("nobody knows who it was")
    why = unsigned(order) or overtaken(order.tried_at, command.at, case)
    return order if why is None else Refusal(why)
