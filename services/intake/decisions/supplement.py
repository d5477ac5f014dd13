"""The citizen has more to say (补充). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET

from services.intake.decision_table import decides
from services.intake.on_record import TERMINATED, on_record, refused
from shared.asked import Asked
from shared.complaint import Case, goes_on, holder, whole_content
from shared.events import IntakeFact, RequestSupplemented
from shared.inputs import SupplementRequest

ATTACHMENTS_MAX: Final = 100
"""Attachments of a complaint with all that were added: every head and order carries where they are."""
CONTENT_MAX: Final = 20_000
"""Characters of a complaint's content with all that was added: a head carries it, and every order."""


@decides(SupplementRequest)
def supplement(command: SupplementRequest, asked: Asked, case: Case) -> Sequence[IntakeFact]:
    """As long as the life goes on, and within bounds."""
    case = on_record(command, asked, case)
    why: str | None = None
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}: what is new is a new request"
    elif not goes_on(case):
        why = f"{TERMINATED}: what is new is a new request"
    elif len(case.attachments) + len(command.attachments) > ATTACHMENTS_MAX:
        why = f"attachments: with what is on record more than {ATTACHMENTS_MAX}"
    elif len(whole_content(case)) + len(command.text) > CONTENT_MAX:
        why = f"text: with what is on record more than {CONTENT_MAX} characters"
    if why is not None:
        return [refused("supplement", why, case, asked.at)]
    return [
        RequestSupplemented(
            complaint_id=case.complaint_id,
            text=command.text,
            attachments=command.attachments or UNSET,
            recorded_by=command.recorded_by,
            unit=holder(case),
            supplemented_at=asked.at,
        )
    ]
