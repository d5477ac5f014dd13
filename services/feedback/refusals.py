"""The refusals of feedback. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET

from shared.complaint import Complaint
from shared.events import VisitAnswerRefused


def refused(asked: str, reason: str, case: Complaint, at: datetime, by: str = "") -> VisitAnswerRefused:
    """The question, the person who asked where there is one, and the reason why it cannot be."""
    return VisitAnswerRefused(
        complaint_id=case.complaint_id, asked=asked, asked_by=by or UNSET, reason=reason, refused_at=at
    )
