"""Facts only intake may state."""

from __future__ import annotations

from typing import ClassVar

from shared.events.base import Fact, Instant, RequestType, Urgency
from shared.ids import CallId, RequestId, UnitId


class ComplaintReceived(Fact, frozen=True, kw_only=True):
    """A citizen's request is on record (登记); the rule set and calendar it was born under stay with it."""

    TIME: ClassVar[str] = "received_at"

    request_id: RequestId
    call_id: CallId | None = None
    channel: str
    district: str
    street: str | None = None
    address: str
    title: str
    content: str
    ruleset: str
    calendar: str
    given_due_at: Instant | None = None
    """A feedback limit that came with the request; only rule sets with `limits_given` use it."""
    received_at: Instant


class ComplaintClassified(Fact, frozen=True, kw_only=True):
    """What kind of request it is and how urgent (分类)."""

    TIME: ClassVar[str] = "classified_at"

    request_type: RequestType
    subject: str
    urgency: Urgency
    classified_by: str
    to_dispatch: bool = True
    """Whether a unit must act; the agent answered the rest on the spot."""
    classified_at: Instant


class ComplaintAnsweredDirectly(Fact, frozen=True, kw_only=True):
    """The agent answered from the knowledge base (直接答复, B2); the life ends without dispatch."""

    TIME: ClassVar[str] = "answered_at"

    article_id: str
    article_version: int
    answered_at: Instant


class ComplaintWithdrawn(Fact, frozen=True, kw_only=True):
    """The citizen took the request back; the life ends."""

    TIME: ClassVar[str] = "withdrawn_at"

    reason: str
    recalled_unit: UnitId | None = None
    """The unit whose open order ends with it."""
    withdrawn_at: Instant


class IntakeRefused(Fact, frozen=True, kw_only=True):
    """Intake was asked for something that cannot be done; why."""

    TIME: ClassVar[str] = "refused_at"

    asked: str
    reason: str
    refused_at: Instant


IntakeFact = (
    ComplaintReceived | ComplaintClassified | ComplaintAnsweredDirectly | ComplaintWithdrawn | IntakeRefused
)
