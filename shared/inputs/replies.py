"""Commands of a unit about its orders."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from shared.events.base import (
    ExclusionGround,
    PauseGround,
    TerminationGround,
    WhistleKind,
)
from shared.inputs.base import (
    Code,
    Count,
    Evidence,
    Input,
    Name,
    Uuid,
    Why,
    Words,
)


class SignOrder(Input, frozen=True, kw_only=True):
    """A unit takes an order on."""

    TYPE: ClassVar[str] = "hotline.order.sign.v1"

    complaint_id: Uuid
    assignment: Count
    unit: Code | None = None
    """Only checked, never believed: the topic says who speaks."""


class AnswerOrder(Input, frozen=True, kw_only=True):
    """A unit says what it did."""

    TYPE: ClassVar[str] = "hotline.order.answer.v1"

    complaint_id: Uuid
    assignment: Count
    result: Evidence
    claims_solved: bool
    unit: Code | None = None


class RequestReturn(Input, frozen=True, kw_only=True):
    """A unit says the order is not its own."""

    TYPE: ClassVar[str] = "hotline.return.request.v1"

    complaint_id: Uuid
    assignment: Count
    reason: Words
    evidence: Evidence
    suggested_unit: Code | None = None
    unit: Code | None = None


class AssignOrder(Input, frozen=True, kw_only=True):
    """A district's government gives its order to one of its streets."""

    TYPE: ClassVar[str] = "hotline.order.assign.v1"

    complaint_id: Uuid
    assignment: Count
    to_unit: Code
    reason: Why
    unit: Code | None = None


class RequestExtension(Input, frozen=True, kw_only=True):
    """A unit asks for more days, and says why."""

    TYPE: ClassVar[str] = "hotline.extension.request.v1"

    complaint_id: Uuid
    assignment: Count
    days: Annotated[int, msgspec.Meta(ge=1, le=366)]
    reason: Why
    citizen_told: bool = False
    unit: Code | None = None


class RequestPause(Input, frozen=True, kw_only=True):
    """A unit cannot act until something else has come, and shows it."""

    TYPE: ClassVar[str] = "hotline.pause.request.v1"

    complaint_id: Uuid
    assignment: Count
    ground: PauseGround
    days: Annotated[int, msgspec.Meta(ge=1, le=366)]
    evidence: Evidence
    unit: Code | None = None


class EndPause(Input, frozen=True, kw_only=True):
    """What the unit waited for has come before its pause was over."""

    TYPE: ClassVar[str] = "hotline.pause.end.v1"

    complaint_id: Uuid
    assignment: Count
    reason: Why
    unit: Code | None = None


class RequestTermination(Input, frozen=True, kw_only=True):
    """A unit says that the matter cannot be handled, on which ground, and shows it."""

    TYPE: ClassVar[str] = "hotline.termination.request.v1"

    complaint_id: Uuid
    assignment: Count
    ground: TerminationGround
    evidence: Evidence
    unit: Code | None = None


class RaiseDispute(Input, frozen=True, kw_only=True):
    """A unit whose return was rejected, or may return no more, asks for a council."""

    TYPE: ClassVar[str] = "hotline.dispute.raise.v1"

    complaint_id: Uuid
    assignment: Count
    reason: Why
    evidence: Evidence
    unit: Code | None = None


class ReportAsCoUnit(Input, frozen=True, kw_only=True):
    """A helping unit says what it did."""

    TYPE: ClassVar[str] = "hotline.co_unit.report.v1"

    complaint_id: Uuid
    result: Evidence
    unit: Code | None = None


class BlowWhistle(Input, frozen=True, kw_only=True):
    """A street calls others to its order."""

    TYPE: ClassVar[str] = "hotline.whistle.blow.v1"

    complaint_id: Uuid
    assignment: Count
    whistle: Count
    """1, 2, 3 … within a complaint."""
    kind: WhistleKind
    called: Annotated[tuple[Code, ...], msgspec.Meta(min_length=1, max_length=100)]
    """The first leads."""
    scene: Why
    reason: Why
    unit: Code | None = None


class AcknowledgeWhistle(Input, frozen=True, kw_only=True):
    """A called unit comes."""

    TYPE: ClassVar[str] = "hotline.whistle.acknowledge.v1"

    complaint_id: Uuid
    whistle: Count
    unit: Code | None = None


class ArriveAtWhistle(Input, frozen=True, kw_only=True):
    """A called unit is there."""

    TYPE: ClassVar[str] = "hotline.whistle.arrive.v1"

    complaint_id: Uuid
    whistle: Count
    persons: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    unit: Code | None = None


class RecordMeasure(Input, frozen=True, kw_only=True):
    """What a called unit does about it."""

    TYPE: ClassVar[str] = "hotline.whistle.record_measure.v1"

    complaint_id: Uuid
    whistle: Count
    measure: Evidence
    unit: Code | None = None


class ReleaseWhistle(Input, frozen=True, kw_only=True):
    """The street lets one of the called go, or all."""

    TYPE: ClassVar[str] = "hotline.whistle.release.v1"

    complaint_id: Uuid
    whistle: Count
    called: Code | None = None
    """Without it all who are still held."""
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""
    unit: Code | None = None


class RateWhistle(Input, frozen=True, kw_only=True):
    """Street and called unit rate each other."""

    TYPE: ClassVar[str] = "hotline.whistle.rate.v1"

    complaint_id: Uuid
    whistle: Count
    rated: Code
    stars: Annotated[int, msgspec.Meta(ge=1, le=5)]
    comment: Annotated[str, msgspec.Meta(max_length=400)] = ""
    unit: Code | None = None


class RequestExclusion(Input, frozen=True, kw_only=True):
    """A unit wants a complaint left out of its score, and shows why; also after the end."""

    TYPE: ClassVar[str] = "hotline.exclusion.request.v1"

    complaint_id: Uuid
    ground: ExclusionGround
    evidence: Evidence
    unit: Code | None = None


class RecordContact(Input, frozen=True, kw_only=True):
    """A unit that has signed spoke to the citizen for the first time about this order."""

    TYPE: ClassVar[str] = "hotline.contact.record.v1"

    complaint_id: Uuid
    assignment: Count
    channel: Name = "phone"
    unit: Code | None = None


class RecordContactFailed(Input, frozen=True, kw_only=True):
    """A unit tried to reach the citizen for the first time and did not."""

    TYPE: ClassVar[str] = "hotline.contact.record_failed.v1"

    complaint_id: Uuid
    assignment: Count
    cause: Name
    channel: Name = "phone"
    unit: Code | None = None


class ReportProgress(Input, frozen=True, kw_only=True):
    """A unit says how far it is; the citizen is told, so nothing that others may not read belongs here."""

    TYPE: ClassVar[str] = "hotline.progress.report.v1"

    complaint_id: Uuid
    assignment: Count
    text: Evidence
    stage_feedback: bool = False
    unit: Code | None = None
