"""What dispatch can be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.ids import ComplaintId, UnitId


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchComplaint:
    """Send the complaint to the unit that must act; after a reopening, to the same unit again."""

    complaint_id: ComplaintId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOrder:
    """The unit takes its order on."""

    complaint_id: ComplaintId
    unit: UnitId
    assignment: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOrder:
    """The unit says what it did."""

    complaint_id: ComplaintId
    unit: UnitId
    assignment: int
    result: str
    claims_solved: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReturn:
    """The unit says the order is not its own."""

    complaint_id: ComplaintId
    unit: UnitId
    assignment: int
    reason: str
    evidence: str
    suggested_unit: UnitId | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewReturn:
    """The reviewer decides on a return."""

    complaint_id: ComplaintId
    assignment: int
    approved: bool
    reviewer: str
    reason: str
    to_unit: UnitId | None
    at: datetime


DispatchCommand = DispatchComplaint | SignOrder | AnswerOrder | RequestReturn | ReviewReturn
