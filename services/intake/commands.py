"""What intake can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.complaint import Complaint
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
    seen: Mapping[ComplaintId, Complaint] = field(default_factory=dict)
    """What else was recorded in its call, of its subject and place, as it stands; the first one first (T7)."""
    speaker: str = ""
    """The login whose number the request's is, "" where it came on the plain topic."""
    begun: Mapping[ComplaintId, int] = field(default_factory=dict)
    """Which of the complaints it names are on record, and where in the log that begins; earlier is less."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawRequest:
    """The citizen takes the request back."""

    complaint_id: ComplaintId
    reason: str
    by_request: bool = True
    """Whether the message names it by its request's number, not by its own."""
    at: datetime


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplementRequest:
    """The citizen has more to say."""

    complaint_id: ComplaintId
    text: str
    recorded_by: str
    attachments: tuple[Attachment, ...] = ()
    by_request: bool = True
    """Whether the message names it by its request's number, not by its own."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatRequest:
    """The matter was brought up again; `by` is another citizen's own complaint."""

    complaint_id: ComplaintId
    repeat_id: str
    """The call or message as its speaker calls it, or the number of another citizen's complaint."""
    by_number: bool = True
    """Whether it is the first of these."""
    speaker: str = ""
    """The login whose call or message it is, "" where it came on the plain topic."""
    by: ComplaintId | None
    begun: Mapping[ComplaintId, int] = field(default_factory=dict)
    """As of `RecordRequest`, of `by` and of the complaint itself."""
    counted: bool = False
    """It was counted before."""
    noted_otherwise: bool = False
    """It was counted before, with another note."""
    note: str
    recorded_by: str
    by_request: bool = True
    """Whether the message names it by its request's number, not by its own."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveRating:
    """The citizen says what he thinks of how it is handled."""

    complaint_id: ComplaintId
    satisfied: bool
    comment: str
    channel: str
    by_request: bool = True
    """Whether the message names it by its request's number, not by its own."""
    at: datetime


IntakeCommand = (
    RecordRequest | WithdrawRequest | CorrectRequest | SupplementRequest | RepeatRequest | GiveRating
)
