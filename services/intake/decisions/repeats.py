"""The matter was brought up again while it is open (重复诉求): linked and counted, never blocked (R11). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import UNSET

from services.intake.decision_table import decides
from services.intake.links import Link, brought_up_by, not_on_record
from services.intake.on_record import TERMINATED, on_record, refused
from shared.asked import Asked
from shared.complaint import Case, Complaint, goes_on, holder
from shared.events import IntakeFact, RequestRepeated
from shared.ids import ComplaintId, repeat_key
from shared.inputs import RepeatRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedToRepeat(Asked):
    """A repeat, and whether the inbox knows it."""

    command: RepeatRequest
    counted: bool = False
    """It was counted before."""
    noted_otherwise: bool = False
    """It was counted before, with another note."""


@decides(RepeatRequest)
def repeat(command: RepeatRequest, asked: AskedToRepeat, case: Case) -> Sequence[IntakeFact]:
    """R11: it is linked, its heat goes up and the unit is told; nobody is ever turned away for asking again.

    Each call, message or complaint that brings it up is counted once, however often it is said; with another note it is
    refused.
    """
    case = on_record(command, asked, case)
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}: asked again it is a new request"
        return [refused("repeat", why, case, asked.at)]
    if not goes_on(case):
        why = f"{TERMINATED}: asked again it is a new request"
        return [refused("repeat", why, case, asked.at)]
    if asked.noted_otherwise:
        why = "repeat_id: is counted already, with another note; what is new is a supplement"
        return [refused("repeat", why, case, asked.at)]
    again = brought_up_by(command, asked.login)
    repeat_id = command.repeat_id or again.complaint_id
    speaker = asked.login if again.by_number else ""
    if asked.counted or repeat_key(repeat_id, speaker) in case.repeats:
        return []
    by = again.complaint_id if command.another_citizen else None
    cannot = _not_repeated(again, by, asked, case)
    if cannot is not None:
        return [refused("repeat", cannot, case, asked.at)]
    return [
        RequestRepeated(
            complaint_id=case.complaint_id,
            repeat_id=repeat_id,
            speaker=speaker or UNSET,
            heat=case.heat + 1,
            by=by,
            note=command.note,
            recorded_by=command.recorded_by,
            unit=holder(case),
            repeated_at=asked.at,
        )
    ]


def _not_repeated(again: Link, by: ComplaintId | None, asked: AskedToRepeat, case: Complaint) -> str | None:
    """Why the matter was not brought up again by this call, message or complaint; None where it was."""
    own = case.complaint_id
    if again.complaint_id == own:
        return f"{again.field}: names this request itself"
    if again.by_number and asked.command.repeat_id == case.call_id:
        return f"{again.field}: is the call in which it was recorded"
    if by is None:
        return None
    if by not in asked.begun:
        return not_on_record(again)
    if asked.begun[by] < asked.begun[own]:
        return f"{again.field}: complaint {by} was on record before this one, which therefore repeats it"
    return None
