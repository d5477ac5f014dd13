"""The matter was brought up again while it is open (重复诉求): linked and counted, never blocked (R11). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import UNSET

from services.intake.links import Link, not_on_record
from services.intake.on_record import TERMINATED, on_record, refused
from shared.complaint import Case, Complaint, goes_on, holder
from shared.events import IntakeFact, RequestRepeated
from shared.ids import ComplaintId, complaint_id, repeat_key


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatRequest:
    """The matter was brought up again; `by` is another citizen's own complaint."""

    complaint_id: ComplaintId
    repeat_id: str
    """The call or message as its speaker calls it, or the number of another citizen's complaint."""
    by_number: bool = True
    """Whether it is the first of these."""
    speaker: str = ""
    """The login whose call or message it is, "" where it came on the plain topic."""
    by: ComplaintId | None
    begun: Mapping[ComplaintId, int] = field(default_factory=dict)
    """As of `RecordRequest`, of `by` and of the complaint itself."""
    counted: bool = False
    """It was counted before."""
    noted_otherwise: bool = False
    """It was counted before, with another note."""
    note: str
    recorded_by: str
    by_request: bool = True
    """Whether the message names it by its request's number, not by its own."""
    at: datetime


def repeat(command: RepeatRequest, case: Case) -> Sequence[IntakeFact]:
    """R11: it is linked, its heat goes up and the unit is told; nobody is ever turned away for asking again.

    Each call, message or complaint that brings it up is counted once, however often it is said; with another note it is
    refused.
    """
    case = on_record(command, case)
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}: asked again it is a new request"
        return [refused("repeat", why, case, command.at)]
    if not goes_on(case):
        why = f"{TERMINATED}: asked again it is a new request"
        return [refused("repeat", why, case, command.at)]
    if command.noted_otherwise:
        why = "repeat_id: is counted already, with another note; what is new is a supplement"
        return [refused("repeat", why, case, command.at)]
    if command.counted or repeat_key(command.repeat_id, command.speaker) in case.repeats:
        return []
    cannot = _not_repeated(command, case)
    if cannot is not None:
        return [refused("repeat", cannot, case, command.at)]
    return [
        RequestRepeated(
            complaint_id=case.complaint_id,
            repeat_id=command.repeat_id,
            speaker=command.speaker or UNSET,
            heat=case.heat + 1,
            by=command.by,
            note=command.note,
            recorded_by=command.recorded_by,
            unit=holder(case),
            repeated_at=command.at,
        )
    ]


def _not_repeated(command: RepeatRequest, case: Complaint) -> str | None:
    """Why the matter was not brought up again by this call, message or complaint; None where it was."""
    own = case.complaint_id
    if command.by_number:
        again = Link("repeat_id", complaint_id(command.repeat_id, command.speaker), by_number=True)
    else:
        again = Link("repeat_complaint", ComplaintId(command.repeat_id), by_number=False)
    if again.complaint_id == own:
        return f"{again.field}: names this request itself"
    if command.by_number and command.repeat_id == case.call_id:
        return f"{again.field}: is the call in which it was recorded"
    if command.by is None:
        return None
    if command.by not in command.begun:
        return not_on_record(again)
    if command.begun[command.by] < command.begun[own]:
        return (
            f"{again.field}: complaint {command.by} was on record before this one, which therefore repeats it"
        )
    return None
