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
    AboutComplaint,
    Code,
    Count,
    Evidence,
    Name,
    Why,
    Words,
)


class Reply(AboutComplaint, frozen=True, kw_only=True):
    """Said by a unit about a complaint."""

    unit: Code | None = None
    """Only checked, never believed: the topic says who speaks."""


class SignOrder(Reply, frozen=True, kw_only=True):
    """A unit takes an order on."""

    TYPE: ClassVar[str] = "hotline.order.sign.v1"

    assignment: Count


class AnswerOrder(Reply, frozen=True, kw_only=True):
    """A unit says what it did."""

    TYPE: ClassVar[str] = "hotline.order.answer.v1"

    assignment: Count
    result: Evidence
    claims_solved: bool


class RequestReturn(Reply, frozen=True, kw_only=True):
    """A unit says the order is not its own."""

    TYPE: ClassVar[str] = "hotline.return.request.v1"

    assignment: Count
    reason: Words
    evidence: Evidence
    suggested_unit: Code | None = None


class AssignOrder(Reply, frozen=True, kw_only=True):
    """A district's government gives its order to one of its streets."""

    TYPE: ClassVar[str] = "hotline.order.assign.v1"

    assignment: Count
    to_unit: Code
    reason: Why


class RequestExtension(Reply, frozen=True, kw_only=True):
    """A unit asks for more days, and says why."""

    TYPE: ClassVar[str] = "hotline.extension.request.v1"

    assignment: Count
    days: Annotated[int, msgspec.Meta(ge=1, le=366)]
    reason: Why
    citizen_told: bool = False


class RequestPause(Reply, frozen=True, kw_only=True):
    """A unit cannot act until something else has come, and shows it."""

    TYPE: ClassVar[str] = "hotline.pause.request.v1"

    assignment: Count
    ground: PauseGround
    days: Annotated[int, msgspec.Meta(ge=1, le=366)]
    evidence: Evidence


class EndPause(Reply, frozen=True, kw_only=True):
    """End the pause before its time: the unit waits no longer."""

    TYPE: ClassVar[str] = "hotline.pause.end.v1"

    assignment: Count
    reason: Why


class RequestTermination(Reply, frozen=True, kw_only=True):
    """A unit says that the matter cannot be handled, on which ground, and shows it."""

    TYPE: ClassVar[str] = "hotline.termination.request.v1"

    assignment: Count
    ground: TerminationGround
    evidence: Evidence


class RaiseDispute(Reply, frozen=True, kw_only=True):
    """A unit whose return was rejected, or may return no more, asks for a council."""

    TYPE: ClassVar[str] = "hotline.dispute.raise.v1"

    assignment: Count
    reason: Why
    evidence: Evidence


class ReportAsCoUnit(Reply, frozen=True, kw_only=True):
    """A helping unit says what it did."""

    TYPE: ClassVar[str] = "hotline.co_unit.report.v1"

    result: Evidence


class BlowWhistle(Reply, frozen=True, kw_only=True):
    """A street calls others to its order."""

    TYPE: ClassVar[str] = "hotline.whistle.blow.v1"

    assignment: Count
    whistle: Count
    """1, 2, 3 … within a complaint."""
    kind: WhistleKind
    called: Annotated[tuple[Code, ...], msgspec.Meta(min_length=1, max_length=100)]
    """The first leads."""
    scene: Why
    reason: Why


class AcknowledgeWhistle(Reply, frozen=True, kw_only=True):
    """A called unit comes."""

    TYPE: ClassVar[str] = "hotline.whistle.acknowledge.v1"

    whistle: Count


class ArriveAtWhistle(Reply, frozen=True, kw_only=True):
    """A called unit is there."""

    TYPE: ClassVar[str] = "hotline.whistle.arrive.v1"

    whistle: Count
    persons: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1


class RecordMeasure(Reply, frozen=True, kw_only=True):
    """Record a measure that a called unit takes."""

    TYPE: ClassVar[str] = "hotline.whistle.record_measure.v1"

    whistle: Count
    measure: Evidence


class ReleaseWhistle(Reply, frozen=True, kw_only=True):
    """The street lets one of the called go, or all."""

    TYPE: ClassVar[str] = "hotline.whistle.release.v1"

    whistle: Count
    called: Code | None = None
    """Without it all who are still held."""
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""


class RateWhistle(Reply, frozen=True, kw_only=True):
    """Street and called unit rate each other."""

    TYPE: ClassVar[str] = "hotline.whistle.rate.v1"

    whistle: Count
    rated: Code
    stars: Annotated[int, msgspec.Meta(ge=1, le=5)]
    comment: Annotated[str, msgspec.Meta(max_length=400)] = ""


class RequestExclusion(Reply, frozen=True, kw_only=True):
    """A unit wants a complaint left out of its score, and shows why; also after the end."""

    TYPE: ClassVar[str] = "hotline.exclusion.request.v1"

    ground: ExclusionGround
    evidence: Evidence


class RecordContact(Reply, frozen=True, kw_only=True):
    """A unit that has signed spoke to the citizen for the first time about this order."""

    TYPE: ClassVar[str] = "hotline.contact.record.v1"

    assignment: Count
    channel: Name = "phone"


class RecordContactFailed(Reply, frozen=True, kw_only=True):
    """A unit tried to reach the citizen for the first time and did not."""

    TYPE: ClassVar[str] = "hotline.contact.record_failed.v1"

    assignment: Count
    cause: Name
    channel: Name = "phone"


class ReportProgress(Reply, frozen=True, kw_only=True):
    """A unit says how far it is; the citizen is told, so nothing that others may not read belongs here."""

    TYPE: ClassVar[str] = "hotline.progress.report.v1"

    assignment: Count
    text: Evidence
    stage_feedback: bool = False
