"""What feedback can be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.deciding import Decision
from shared.events.base import VisitReason
from shared.ids import ComplaintId, UnitId


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleVisit:
    """The unit answered this round, or its limit expired: ask the citizen."""

    complaint_id: ComplaintId
    round: int
    because: VisitReason
    unit: UnitId
    """Whose answer or missed limit it is about; by now the order may lie with another."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordVisit:
    """The citizen was reached and judged."""

    complaint_id: ComplaintId
    visit: int
    attempt: int
    solved: bool
    satisfied: bool
    reason: str
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordUnreached:
    """An attempt did not reach the citizen."""

    complaint_id: ComplaintId
    visit: int
    attempt: int
    cause: str
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseByException(Decision):
    """A supervisor lets it close without a visit's outcome."""

    approved_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseTerminated:
    """A review ended the order unanswered: close the complaint as the exception it approved."""

    complaint_id: ComplaintId
    approved_by: str
    reason: str
    at: datetime


FeedbackCommand = CloseTerminated | ScheduleVisit | RecordVisit | RecordUnreached | CloseByException
