"""Facts only intake may state."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from shared.events.base import Attachments, Instant, IntakeFact, RequestType, TurnedAway, Urgency
from shared.ids import CallId, ComplaintId, RequestId, UnitId


class ComplaintReceived(IntakeFact, frozen=True, kw_only=True):
    """A citizen's request is on record (登记); the rule set and calendar it was born under stay with it."""

    TIME: ClassVar[str] = "received_at"

    request_id: RequestId
    speaker: str | msgspec.UnsetType = msgspec.UNSET
    """The login whose number the request's is; left out where it came on the plain topic."""
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
    attachments: Attachments = msgspec.UNSET
    sent_at: Instant | msgspec.UnsetType = msgspec.UNSET
    """When the citizen sent it, where it came as a message: until `received_at` it had no response (A3)."""
    received_at: Instant


class ComplaintClassified(IntakeFact, frozen=True, kw_only=True):
    """The request has a type and a class of limit (分类)."""

    TIME: ClassVar[str] = "classified_at"

    request_type: RequestType
    subject: str
    urgency: Urgency
    classified_by: str
    to_dispatch: bool = True
    """Whether a unit must act; the agent answered the rest on the spot."""
    dispatch_due_at: Instant | msgspec.UnsetType = msgspec.UNSET
    """Until when it must have been dispatched, the last instant in time (C1); left out where there is no such limit."""
    classified_at: Instant


class ComplaintAnsweredDirectly(IntakeFact, frozen=True, kw_only=True):
    """The agent answered from the knowledge base (直接答复, B2); the life ends without dispatch."""

    TIME: ClassVar[str] = "answered_at"

    article_id: str
    article_version: int
    checked: bool | msgspec.UnsetType = msgspec.UNSET
    """Whether the knowledge base has this version and it held then; left out where intake had no base to look in."""
    answered_at: Instant


class IdentityProtected(IntakeFact, frozen=True, kw_only=True):
    """The citizen wants to be known to nobody (匿名), or to the hotline alone (保密, A5); said when it is recorded."""

    TIME: ClassVar[str] = "protected_at"

    anonymous: bool
    """Nobody knows who it was: there is nobody to ask afterwards."""
    confidential: bool
    """The hotline knows; no unit may (A5, R9)."""
    protected_at: Instant


class MatterLinked(IntakeFact, frozen=True, kw_only=True):
    """The same matter was brought up before: by another citizen (群体诉求), or by another record of the same call.

    Each is acted on and asked about by itself.
    """

    TIME: ClassVar[str] = "linked_at"

    matter_of: ComplaintId
    """The complaint that was first."""
    linked_by: str
    same_call: bool | msgspec.UnsetType = msgspec.UNSET
    """True where both were recorded in one call (T7); left out where an agent said that they belong together."""
    linked_at: Instant


class RetaliationReported(IntakeFact, frozen=True, kw_only=True):
    """A citizen reports that a unit retaliates (打击报复, R9): a record of its own, confidential, for supervision."""

    TIME: ClassVar[str] = "reported_at"

    accused: UnitId
    """Never gets the order, never helps, and is never told."""
    about: ComplaintId | None = None
    """The complaint for which it retaliates; nothing is written there, whoever reads that life learns nothing."""
    reported_at: Instant


class ComplaintTurnedAway(IntakeFact, frozen=True, kw_only=True):
    """Not accepted, pointed elsewhere, or handed to an emergency service; the life ends and nothing is dispatched."""

    TIME: ClassVar[str] = "turned_away_at"

    how: TurnedAway
    to: str
    """Where the citizen was sent: a channel, or 110, 119, 120, 122; empty where nowhere."""
    reason: str
    turned_away_at: Instant


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the record, before and after; of a street the empty text is none."""

    field: str
    old: str
    new: str


class RequestCorrected(IntakeFact, frozen=True, kw_only=True):
    """The record said something else than the citizen (更正); what it said before stays readable (Q1)."""

    TIME: ClassVar[str] = "corrected_at"

    corrections: tuple[Correction, ...]
    corrected_by: str
    unit: UnitId | None = None
    """The unit whose open order it is about; it is told."""
    corrected_at: Instant


class RequestSupplemented(IntakeFact, frozen=True, kw_only=True):
    """The citizen has more to say about it (补充)."""

    TIME: ClassVar[str] = "supplemented_at"

    text: str
    attachments: Attachments = msgspec.UNSET
    recorded_by: str
    unit: UnitId | None = None
    supplemented_at: Instant


class RequestRepeated(IntakeFact, frozen=True, kw_only=True):
    """The same matter was brought up again (重复诉求, R11), by the same citizen or another."""

    TIME: ClassVar[str] = "repeated_at"

    repeat_id: str
    """The call or message in which it was, or the other citizen's request or complaint."""
    speaker: str | msgspec.UnsetType = msgspec.UNSET
    """The login whose number that is; left out where it came on the plain topic, or is a complaint's."""
    heat: int
    """How often it has been brought up by now, the first time included."""
    by: ComplaintId | None = None
    """The other citizen's own complaint; none where the same citizen asked again."""
    note: str
    recorded_by: str
    unit: UnitId | None = None
    repeated_at: Instant


class ComplaintWithdrawn(IntakeFact, frozen=True, kw_only=True):
    """The citizen took the request back; the life ends."""

    TIME: ClassVar[str] = "withdrawn_at"
    TELLS: ClassVar[tuple[str, ...]] = ("recalled_unit",)

    reason: str
    recalled_unit: UnitId | None = None
    """The unit whose open order ends with it."""
    withdrawn_at: Instant


class RatingGiven(IntakeFact, frozen=True, kw_only=True):
    """The citizen's own word on how it is handled (评价, R7), at any time, even after the end.

    It is no visit's outcome: it closes nothing, reopens nothing and stands beside the visit.
    """

    TIME: ClassVar[str] = "rated_at"

    satisfied: bool
    comment: str
    channel: str
    rated_at: Instant


class IntakeRefused(IntakeFact, frozen=True, kw_only=True):
    """Intake was asked for something that cannot be done; why."""

    TIME: ClassVar[str] = "refused_at"
    TELLS: ClassVar[tuple[str, ...]] = ()
    """It goes to whoever asked (`shared.outward.results_of`), not to whom it names."""

    asked: str
    reason: str
    link: ComplaintId | msgspec.UnsetType = msgspec.UNSET
    """The complaint that a record named and that could not be meant; left out where it was about something else."""
    article_id: str | msgspec.UnsetType = msgspec.UNSET
    """The article that was no answer (B2); left out where it was about something else."""
    article_version: int | msgspec.UnsetType = msgspec.UNSET
    """And its version."""
    refused_at: Instant
