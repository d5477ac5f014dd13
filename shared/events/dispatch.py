"""Facts only dispatch may state."""

from __future__ import annotations

from typing import ClassVar

from shared.events.base import Fact, Instant, Level, RequestType, Urgency
from shared.ids import UnitId


class ComplaintDispatched(Fact, frozen=True, kw_only=True):
    """A work order (工单) went to the one unit that must act (派单); the unit's whole order.

    `citizen_due_at` is set by the first dispatch and never reset by a return (T10);
    `unit_due_at` counts from the present assignment. In the first round the citizen's limit is in
    force, in a later round the unit's. Each is the last instant that is still in time.
    """

    TIME: ClassVar[str] = "dispatched_at"

    unit: UnitId
    level: Level
    rule: str
    """Which line of the catalogue said so, with the catalogue's version."""
    assignment: int
    """1, 2, 3 …: a reply names the assignment it answers; an older one is refused (T2)."""
    round: int
    """1, and one more each time the citizen said it was not solved."""
    request_type: RequestType
    subject: str
    urgency: Urgency
    district: str
    street: str | None = None
    address: str
    title: str
    content: str
    dispatched_at: Instant
    sign_due_at: Instant | None = None
    citizen_due_at: Instant
    unit_due_at: Instant


class OrderSigned(Fact, frozen=True, kw_only=True):
    """The unit took the order on (签收)."""

    TIME: ClassVar[str] = "signed_at"

    unit: UnitId
    assignment: int
    signed_at: Instant


class OrderAnswered(Fact, frozen=True, kw_only=True):
    """The unit says what it did (反馈); its claim is not the citizen's judgement."""

    TIME: ClassVar[str] = "answered_at"

    unit: UnitId
    assignment: int
    round: int
    result: str
    claims_solved: bool
    answered_at: Instant


class ReturnRequested(Fact, frozen=True, kw_only=True):
    """The unit says the order is not its own and shows why (退回, D3)."""

    TIME: ClassVar[str] = "requested_at"

    unit: UnitId
    assignment: int
    reason: str
    evidence: str
    suggested_unit: UnitId | None = None
    requested_at: Instant


class ReturnApproved(Fact, frozen=True, kw_only=True):
    """The review found the unit right; its order ends, the complaint goes to another."""

    TIME: ClassVar[str] = "approved_at"

    unit: UnitId
    assignment: int
    reviewer: str
    approved_at: Instant


class ReturnRejected(Fact, frozen=True, kw_only=True):
    """The review found the order well placed; the unit keeps it, no limit has moved."""

    TIME: ClassVar[str] = "rejected_at"

    unit: UnitId
    assignment: int
    reviewer: str
    reason: str
    rejected_at: Instant


class ReplyRefused(Fact, frozen=True, kw_only=True):
    """A unit or reviewer asked for something that cannot be done; why."""

    TIME: ClassVar[str] = "refused_at"

    unit: UnitId
    asked: str
    reason: str
    refused_at: Instant


DispatchFact = (
    ComplaintDispatched
    | OrderSigned
    | OrderAnswered
    | ReturnRequested
    | ReturnApproved
    | ReturnRejected
    | ReplyRefused
)
