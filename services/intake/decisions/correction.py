"""A record is corrected (更正); its earlier content stays readable. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.intake.on_record import on_record, refused
from shared.complaint import WHERE_AND_WHAT, Case, holder
from shared.events import Correction, IntakeFact, RequestCorrected
from shared.ids import ComplaintId

_CORRECTED: Final = ("title", "content", "address", *WHERE_AND_WHAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectRequest:
    """The record said something else than the citizen; a field that stays is None."""

    complaint_id: ComplaintId
    title: str | None = None
    content: str | None = None
    address: str | None = None
    subject: str | None = None
    district: str | None = None
    street: str | None = None
    """The empty text: none is known."""
    corrected_by: str
    by_request: bool = True
    """Whether the message names it by its request's number, not by its own."""
    at: datetime


def correct(command: CorrectRequest, case: Case) -> Sequence[IntakeFact]:
    """The fields that change, each with its old value."""
    case = on_record(command, case)
    corrections = tuple(
        Correction(field=field, old=old, new=new)
        for field in _CORRECTED
        if (new := getattr(command, field)) is not None and new != (old := getattr(case, field) or "")
    )
    if case.ended is not None:
        return [refused("correct", f"the life ended with {case.ended.how}", case, command.at)]
    if not corrections:
        return [refused("correct", "the record says that already", case, command.at)]
    return [
        RequestCorrected(
            complaint_id=case.complaint_id,
            corrections=corrections,
            corrected_by=command.corrected_by,
            unit=holder(case),
            corrected_at=command.at,
        )
    ]
