"""A record is corrected (更正); its earlier content stays readable. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.intake.decision_table import decides
from services.intake.on_record import on_record, refused
from shared.asked import Asked
from shared.complaint import WHERE_AND_WHAT, Case, holder
from shared.events import Correction, IntakeFact, RequestCorrected
from shared.inputs import CorrectRequest

_CORRECTED: Final = ("title", "content", "address", *WHERE_AND_WHAT)


@decides(CorrectRequest)
def correct(command: CorrectRequest, asked: Asked, case: Case) -> Sequence[IntakeFact]:
    """The fields that change, each with its old value."""
    case = on_record(command, asked, case)
    corrections = tuple(
        Correction(field=field, old=old, new=new)
        for field in _CORRECTED
        if (new := _told(command, field)) is not None and new != (old := getattr(case, field) or "")
    )
    if case.ended is not None:
        return [refused("correct", f"the life ended with {case.ended.how}", case, asked.at)]
    if not corrections:
        return [refused("correct", "the record says that already", case, asked.at)]
    return [
        RequestCorrected(
            complaint_id=case.complaint_id,
            corrections=corrections,
            corrected_by=command.corrected_by,
            unit=holder(case),
            corrected_at=asked.at,
        )
    ]


def _told(command: CorrectRequest, field: str) -> str | None:
    """The new text of the field; "" for nothing, None where it stays."""
    told: str | None = getattr(command, field)
    return "" if field == "street" and command.no_street else told
