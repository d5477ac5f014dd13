"""Commands about a complaint that is on record: which one it is, and the refusal. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.aside import NoSuchComplaint
from shared.asked import Asked
from shared.complaint import Case, Complaint
from shared.events import IntakeRefused
from shared.inputs import AboutRequest

TERMINATED: Final = "a review ended the order, and nobody acts on the complaint any more"


def on_record(command: AboutRequest, asked: Asked, case: Case) -> Complaint:
    """The complaint as it stands; `NoSuchComplaint` where there is none."""
    if isinstance(case, Complaint):
        return case
    by_request = command.complaint_id is None
    named = "data: request_id: no request of this number came on this topic; " if by_request else ""
    raise NoSuchComplaint(asked.complaint_id, named)


def refused(asked: str, reason: str, case: Complaint, at: datetime) -> IntakeRefused:
    """The question, and the reason why it cannot be."""
    return IntakeRefused(complaint_id=case.complaint_id, asked=asked, reason=reason, refused_at=at)
