"""What intake can be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.ids import ComplaintId
from shared.inputs import RequestRecorded


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRequest:
    """Put a request on record under this rule set and calendar."""

    complaint_id: ComplaintId
    request: RequestRecorded
    ruleset: str
    calendar: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawRequest:
    """The citizen takes the request back."""

    complaint_id: ComplaintId
    reason: str
    at: datetime


IntakeCommand = RecordRequest | WithdrawRequest
