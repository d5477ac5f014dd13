"""What is said where something cannot be. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET

from shared.complaint import Complaint
from shared.events import VisitAnswerRefused


def refused(asked: str, reason: str, case: Complaint, at: datetime, by: str = "") -> VisitAnswerRefused:
    """What was asked for, by whom where that is somebody, and why it cannot be."""
    return VisitAnswerRefused(
        complaint_id=case.complaint_id, asked=asked, asked_by=by or UNSET, reason=reason, refused_at=at
    )
