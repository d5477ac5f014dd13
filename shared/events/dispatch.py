"""Facts only dispatch may state."""

from __future__ import annotations

from typing import ClassVar

from msgspec import UNSET, UnsetType

from shared.events.base import (
    Attachments,
    DispatchFact,
    ExclusionGround,
    Instant,
    Level,
    Provisional,
    RequestType,
    TerminationGround,
    Urgency,
)
from shared.ids import UnitId

Unlisted = tuple[str, ...] | UnsetType
"""Which of subject, district and street the catalogue does not know: they are to be corrected; left out where it knows
all of them."""


class ComplaintDispatched(DispatchFact, frozen=True, kw_only=True):
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
    attachments: Attachments = UNSET
    unlisted: Unlisted = UNSET
    dispatched_at: Instant
    sign_due_at: Instant | None = None
    citizen_due_at: Instant
    unit_due_at: Instant
    provisional: Provisional = UNSET
    """Of the limit in force."""


class OrderSigned(DispatchFact, frozen=True, kw_only=True):
    """The unit took the order on (签收)."""

    TIME: ClassVar[str] = "signed_at"

    unit: UnitId
    assignment: int
    signed_at: Instant


class OrderAnswered(DispatchFact, frozen=True, kw_only=True):
    """The unit says what it did (反馈); its claim is not the citizen's judgement."""

    TIME: ClassVar[str] = "answered_at"

    unit: UnitId
    assignment: int
    round: int
    result: str
    claims_solved: bool
    answered_at: Instant


class ReturnRequested(DispatchFact, frozen=True, kw_only=True):
    """The unit says the order is not its own and shows why (退回, D3)."""

    TIME: ClassVar[str] = "requested_at"

    unit: UnitId
    assignment: int
    reason: str
    evidence: str
    suggested_unit: UnitId | None = None
    requested_at: Instant


class ReturnApproved(DispatchFact, frozen=True, kw_only=True):
    """The review found the unit right; its order ends, the complaint goes to another."""

    TIME: ClassVar[str] = "approved_at"

    unit: UnitId
    assignment: int
    reviewer: str
    approved_at: Instant


class ReturnRejected(DispatchFact, frozen=True, kw_only=True):
    """The review found the order well placed; the unit keeps it, no limit has moved."""

    TIME: ClassVar[str] = "rejected_at"

    unit: UnitId
    assignment: int
    reviewer: str
    reason: str
    rejected_at: Instant


class OrderAssigned(DispatchFact, frozen=True, kw_only=True):
    """A district's government gave its order to one of its streets (指派, D1); the citizen's limit stays."""

    TIME: ClassVar[str] = "assigned_at"

    unit: UnitId
    """The district's government, which had the order."""
    assignment: int
    to_unit: UnitId
    reason: str
    assigned_at: Instant


class OrderMoved(DispatchFact, frozen=True, kw_only=True):
    """Subject or place were corrected (改派): an order nobody signed, or the next round, goes to whom they name now."""

    TIME: ClassVar[str] = "moved_at"

    unit: UnitId
    """Which had the order."""
    assignment: int
    to_unit: UnitId
    moved_at: Instant


class OrderAmended(DispatchFact, frozen=True, kw_only=True):
    """Subject or place were corrected, and the order stays (工单更正): this is what it says of them now."""

    TIME: ClassVar[str] = "amended_at"

    unit: UnitId
    assignment: int
    subject: str
    district: str
    street: str | None = None
    unlisted: Unlisted = UNSET
    names: UnitId | UnsetType = UNSET
    """Whom the catalogue names now, where that is another: then the unit may return it, even signed."""
    amended_at: Instant


class TerminationRequested(DispatchFact, frozen=True, kw_only=True):
    """The unit says that it cannot be handled, on which ground, and shows it (终止, D5)."""

    TIME: ClassVar[str] = "requested_at"

    unit: UnitId
    assignment: int
    ground: TerminationGround
    evidence: str
    requested_at: Instant


class TerminationApproved(DispatchFact, frozen=True, kw_only=True):
    """The review agreed: the order ends, and the complaint is closed as an approved exception (E3)."""

    TIME: ClassVar[str] = "approved_at"

    unit: UnitId
    assignment: int
    round: int
    ground: TerminationGround
    reviewer: str
    reason: str
    approved_at: Instant


class TerminationRejected(DispatchFact, frozen=True, kw_only=True):
    """The review found that it can be handled; the unit keeps the order."""

    TIME: ClassVar[str] = "rejected_at"

    unit: UnitId
    assignment: int
    reviewer: str
    reason: str
    rejected_at: Instant


class DisputeRaised(DispatchFact, frozen=True, kw_only=True):
    """The unit does not accept that its return was rejected, or can return no more: a council must say whose it is."""

    TIME: ClassVar[str] = "raised_at"

    unit: UnitId
    assignment: int
    reason: str
    evidence: str
    raised_at: Instant


class CouncilDecided(DispatchFact, frozen=True, kw_only=True):
    """Those concerned met and named the unit (会商); from now on the order is not returned."""

    TIME: ClassVar[str] = "decided_at"

    unit: UnitId
    """Which had the order."""
    assignment: int
    to_unit: UnitId
    """Which has it from now on; may be the same."""
    participants: tuple[str, ...]
    reason: str
    decided_at: Instant


class CoUnitAdded(DispatchFact, frozen=True, kw_only=True):
    """Another unit must help (协办, R12): the first receiver leads, this one is told what it is about."""

    TIME: ClassVar[str] = "added_at"
    TELLS: ClassVar[tuple[str, ...]] = ("co_unit", "unit")

    co_unit: UnitId
    unit: UnitId
    """The one that leads."""
    added_by: str
    """The catalogue's version, or who said so."""
    reason: str
    subject: str
    district: str
    street: str | None = None
    address: str
    title: str
    content: str
    due_at: Instant
    """Of the unit that leads."""
    added_at: Instant


class CoUnitReported(DispatchFact, frozen=True, kw_only=True):
    """A helping unit reported its work; the leading unit is told and answers for all."""

    TIME: ClassVar[str] = "reported_at"

    co_unit: UnitId
    unit: UnitId
    result: str
    reported_at: Instant


class ConfidentialityRequired(DispatchFact, frozen=True, kw_only=True):
    """The order just written must be handled so that nobody learns whose complaint it is (保密工单, A5)."""

    TIME: ClassVar[str] = "required_at"

    unit: UnitId
    assignment: int
    required_at: Instant


class ExclusionRequested(DispatchFact, frozen=True, kw_only=True):
    """The unit wants the complaint left out of its score, on which ground, and shows it (剔除, F3)."""

    TIME: ClassVar[str] = "requested_at"

    unit: UnitId
    ground: ExclusionGround
    evidence: str
    requested_at: Instant


class ExclusionApproved(DispatchFact, frozen=True, kw_only=True):
    """The review agreed: the complaint counts for nothing in this unit's score, and that it does not is published."""

    TIME: ClassVar[str] = "approved_at"

    unit: UnitId
    ground: ExclusionGround
    reviewer: str
    """Never the unit (T22)."""
    reason: str
    approved_at: Instant


class ExclusionRejected(DispatchFact, frozen=True, kw_only=True):
    """The review found no ground: it counts; the unit does not ask again."""

    TIME: ClassVar[str] = "rejected_at"

    unit: UnitId
    reviewer: str
    reason: str
    rejected_at: Instant


class CitizenContacted(DispatchFact, frozen=True, kw_only=True):
    """The unit that signed has spoken to the citizen for the first time about this order (首次联系)."""

    TIME: ClassVar[str] = "contacted_at"

    unit: UnitId
    assignment: int
    round: int
    channel: str
    contacted_at: Instant


class ContactFailed(DispatchFact, frozen=True, kw_only=True):
    """The unit tried to speak to the citizen and did not reach him; tried and failed is neither spoken nor silent."""

    TIME: ClassVar[str] = "tried_at"

    unit: UnitId
    assignment: int
    round: int
    channel: str
    cause: str
    tried_at: Instant


class ProgressReported(DispatchFact, frozen=True, kw_only=True):
    """The unit reported its progress (办理进展); the citizen is told (R7), no limit is met by it."""

    TIME: ClassVar[str] = "reported_at"

    unit: UnitId
    assignment: int
    round: int
    stage_feedback: bool
    """A result of its own of one stage of a long matter (阶段反馈), not only a word of how far it is."""
    text: str
    reported_at: Instant


class AnswerSentBack(DispatchFact, frozen=True, kw_only=True):
    """The hotline's reviewer let the answer not through (审核退回): the unit must answer again, by the same limit.

    The answer's claim stays on record; a visit asked for about it is not to be made.
    """

    TIME: ClassVar[str] = "sent_back_at"

    unit: UnitId
    assignment: int
    round: int
    reviewer: str
    reason: str
    sent_back_at: Instant


class ReplyRefused(DispatchFact, frozen=True, kw_only=True):
    """A unit or reviewer asked for something that cannot be done; why."""

    TIME: ClassVar[str] = "refused_at"
    TELLS: ClassVar[tuple[str, ...]] = ()
    """It goes to whoever asked (`shared.outward.results_of`), not to whom it names."""

    unit: UnitId
    asked: str
    asked_by: str | UnsetType = UNSET
    """The reviewer, or those who met, that asked for it; left out where the unit itself did."""
    reason: str
    refused_at: Instant
