"""Of one call one record goes on (T7): finds the record that stands for another, or is only linked. Pure.

A record knows the earlier records of the same call, subject and place, as they stand then
(`AskedToRecord.seen`). A record is left only where another one is acted on and asks for all that it asks for.
Else it goes on, and is linked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.complaint import Complaint, goes_on
from shared.events.base import Urgency
from shared.inputs import RecordRequest

if TYPE_CHECKING:
    from services.intake.decisions.recording import AskedToRecord

_URGENT_FIRST: Final = tuple(Urgency)


def recorded_already(asked: AskedToRecord) -> bool:
    """Whether another record of the call asks for all that this one asks for, and goes on."""
    return any(goes_on(one) and _asks_for_it(one, asked.command) for one in asked.seen.values())


def first_of_call(asked: AskedToRecord) -> Complaint | None:
    """The record of the call that this one belongs with: the first that goes on, else the first of all."""
    others = tuple(asked.seen.values())
    return next((one for one in others if goes_on(one)), others[0] if others else None)


def _asks_for_it(case: Complaint, request: RecordRequest) -> bool:
    """The same kind of request, of the subject and place that it has by now; no more urgent, and protected as well."""
    if case.urgency is None or case.request_type is not request.request_type:
        return False
    same = (case.subject, case.district, case.street, case.anonymous)
    if same != (request.subject, request.district, request.street, request.anonymous):
        return False
    as_urgent = _URGENT_FIRST.index(case.urgency) <= _URGENT_FIRST.index(request.urgency)
    return as_urgent and (case.confidential or not request.confidential)
