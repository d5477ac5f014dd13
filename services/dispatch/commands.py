"""What dispatch can be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.dispatch.matters import firsts
from shared.complaint import Case, Complaint
from shared.deciding import Decision
from shared.events.base import ExclusionGround, PauseGround, TerminationGround, Urgency, WhistleKind
from shared.ids import ComplaintId, UnitId
from shared.seeing import CaseOf, Seeing


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchComplaint(Seeing):
    """Send the complaint to the unit that must act; after a reopening, to the same unit or whom a correction names."""

    complaint_id: ComplaintId
    seen: Mapping[ComplaintId, Complaint] = field(default_factory=dict)
    """The complaints it is linked to, for its first order."""
    at: datetime

    def sees(self, case: Case, case_of: CaseOf) -> Sequence[ComplaintId]:
        """See `Seeing.sees`."""
        if not isinstance(case, Complaint) or case.order is not None or case.accused is not None:
            return ()
        return firsts(case, case_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowCorrection:
    """The record's subject or place was corrected: bring the order to it."""

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
class ReviewReturn(Decision, Seeing):
    """The reviewer decides on a return."""

    assignment: int
    approved: bool
    reviewer: str
    reason: str
    to_unit: UnitId | None
    seen: Mapping[ComplaintId, Complaint] = field(default_factory=dict)
    """The complaints it is linked to, for where it goes if nobody says where."""

    def sees(self, case: Case, case_of: CaseOf) -> Sequence[ComplaintId]:
        """See `Seeing.sees`."""
        if not isinstance(case, Complaint) or not self.approved:
            return ()
        return firsts(case, case_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignOrder:
    """A district's government gives its order to one of its streets."""

    complaint_id: ComplaintId
    unit: UnitId
    assignment: int
    to_unit: UnitId
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExtension:
    """The unit needs longer."""

    complaint_id: ComplaintId
    unit: UnitId
    assignment: int
    days: int
    reason: str
    citizen_told: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewExtension(Decision):
    """The reviewer decides on an extension."""

    assignment: int
    approved: bool
    reviewer: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPause:
    """The unit's clock is to stand still for so many days."""

    complaint_id: ComplaintId
    unit: UnitId
    assignment: int
    ground: PauseGround
    days: int
    evidence: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPause:
    """What the unit waited for has come."""

    complaint_id: ComplaintId
    unit: UnitId
    assignment: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPause(Decision):
    """The reviewer decides on a pause."""

    assignment: int
    approved: bool
    reviewer: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTermination:
    """The unit says that it cannot be handled."""

    complaint_id: ComplaintId
    unit: UnitId
    assignment: int
    ground: TerminationGround
    evidence: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTermination(Decision):
    """The reviewer decides on a termination."""

    assignment: int
    approved: bool
    reviewer: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseDispute:
    """The unit asks for a council."""

    complaint_id: ComplaintId
    unit: UnitId
    assignment: int
    reason: str
    evidence: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideCouncil(Decision):
    """Those concerned named the unit, and who helps it."""

    assignment: int
    to_unit: UnitId
    co_units: tuple[UnitId, ...]
    participants: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCoUnit(Decision):
    """Another unit must help."""

    co_unit: UnitId
    reason: str
    added_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAsCoUnit:
    """A helping unit says what it did."""

    complaint_id: ComplaintId
    unit: UnitId
    result: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReclassifyComplaint(Decision):
    """The complaint gets another urgency."""

    urgency: Urgency
    reason: str
    reclassified_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlowWhistle:
    """A street calls others to its order."""

    complaint_id: ComplaintId
    unit: UnitId
    assignment: int
    whistle: int
    """1, 2, 3 … within a complaint, so that one sent again is told from another."""
    kind: WhistleKind
    called: tuple[UnitId, ...]
    """The first leads."""
    scene: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeWhistle:
    """A called unit comes."""

    complaint_id: ComplaintId
    unit: UnitId
    whistle: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ArriveAtWhistle:
    """A called unit is there."""

    complaint_id: ComplaintId
    unit: UnitId
    whistle: int
    persons: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMeasure:
    """A called unit does something about it."""

    complaint_id: ComplaintId
    unit: UnitId
    whistle: int
    measure: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseWhistle:
    """The street lets one of them go, or all."""

    complaint_id: ComplaintId
    unit: UnitId
    whistle: int
    called: UnitId | None
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RateWhistle:
    """Street and called unit rate each other."""

    complaint_id: ComplaintId
    unit: UnitId
    whistle: int
    rated: UnitId
    stars: int
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExclusion:
    """The unit wants the complaint left out of its score."""

    complaint_id: ComplaintId
    unit: UnitId
    ground: ExclusionGround
    evidence: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewExclusion(Decision):
    """The reviewer decides on an exclusion."""

    approved: bool
    reviewer: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordContact:
    """The unit spoke to the citizen for the first time."""

    complaint_id: ComplaintId
    unit: UnitId
    assignment: int
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordContactFailed:
    """The unit tried to in vain."""

    complaint_id: ComplaintId
    unit: UnitId
    assignment: int
    channel: str
    cause: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportProgress:
    """The unit says how far it is."""

    complaint_id: ComplaintId
    unit: UnitId
    assignment: int
    text: str
    stage_feedback: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SendBackAnswer(Decision):
    """The reviewer does not let the answer through."""

    assignment: int
    reviewer: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendCalendar(Decision):
    """The complaint goes by another version of the calendar."""

    calendar: str
    reason: str
    amended_by: str


WhistleCommand = (
    BlowWhistle | AcknowledgeWhistle | ArriveAtWhistle | RecordMeasure | ReleaseWhistle | RateWhistle
)
"""What a street and those it whistled for may say."""

UnitCommand = (
    SignOrder
    | AnswerOrder
    | RequestReturn
    | AssignOrder
    | RequestExtension
    | RequestPause
    | EndPause
    | RequestTermination
    | RaiseDispute
    | RecordContact
    | RecordContactFailed
    | ReportProgress
)
"""What the unit that holds an order may say to it; each names the assignment it means."""

DispatchCommand = (
    DispatchComplaint
    | FollowCorrection
    | SignOrder
    | AnswerOrder
    | RequestReturn
    | ReviewReturn
    | AssignOrder
    | RequestExtension
    | ReviewExtension
    | RequestPause
    | EndPause
    | ReviewPause
    | RequestTermination
    | ReviewTermination
    | RaiseDispute
    | DecideCouncil
    | AddCoUnit
    | ReportAsCoUnit
    | ReclassifyComplaint
    | AmendCalendar
    | BlowWhistle
    | AcknowledgeWhistle
    | ArriveAtWhistle
    | RecordMeasure
    | ReleaseWhistle
    | RateWhistle
    | RequestExclusion
    | ReviewExclusion
    | RecordContact
    | RecordContactFailed
    | ReportProgress
    | SendBackAnswer
)
