"""What intake can be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.events.base import Attachment
from shared.ids import ComplaintId
from shared.inputs import RequestRecorded


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRequest:
    """Put a request on record under this rule set and calendar."""

    complaint_id: ComplaintId
    request: RequestRecorded
    ruleset: str
    calendar: str
    recorded_twice: bool = False
    """Another record of the same call is of the same subject and place (T7)."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawRequest:
    """The citizen takes the request back."""

    complaint_id: ComplaintId
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectRequest:
    """The record said something else than the citizen; a field that stays is None."""

    complaint_id: ComplaintId
    title: str | None
    content: str | None
    address: str | None
    corrected_by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementRequest:
    """The citizen has more to say."""

    complaint_id: ComplaintId
    text: str
    recorded_by: str
    attachments: tuple[Attachment, ...] = ()
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatRequest:
    """The matter was brought up again; `by` is another citizen's own complaint."""

    complaint_id: ComplaintId
    repeat_id: str
    by: ComplaintId | None
    note: str
    recorded_by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveRating:
    """The citizen says what he thinks of how it is handled."""

    complaint_id: ComplaintId
    satisfied: bool
    comment: str
    channel: str
    at: datetime


IntakeCommand = (
    RecordRequest | WithdrawRequest | CorrectRequest | SupplementRequest | RepeatRequest | GiveRating
)
