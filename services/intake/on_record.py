"""Commands about a complaint that is on record: which one it is, and the refusal. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol

from shared.aside import NoSuchComplaint
from shared.complaint import Case, Complaint
from shared.events import IntakeRefused
from shared.ids import ComplaintId

TERMINATED: Final = "a review ended the order, and nobody acts on the complaint any more"


class About(Protocol):
    """A command about a complaint that is on record."""

    @property
    def complaint_id(self) -> ComplaintId:
        """Which it is."""
        ...

    @property
    def by_request(self) -> bool:
        """Whether the message names it by its request's number, not by its own."""
        ...


def on_record(command: About, case: Case) -> Complaint:
    """The complaint as it stands; `NoSuchComplaint` where there is none."""
    if not isinstance(case, Complaint):
        named = (
            "data: request_id: no request of this number came on this topic; " if command.by_request else ""
        )
        raise NoSuchComplaint(command.complaint_id, named)
    return case


def refused(asked: str, reason: str, case: Complaint, at: datetime) -> IntakeRefused:
    """The question, and the reason why it cannot be."""
    return IntakeRefused(complaint_id=case.complaint_id, asked=asked, reason=reason, refused_at=at)
