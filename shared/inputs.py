"""What the outside may tell us: the payload of every CloudEvent a door takes in.

Field names are the published contract. A missing or malformed field is refused by name; an unknown
field is ignored, so a sender may be newer than we are. Contact details have no field here: they do
not travel on topics.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

import msgspec

from shared.events.base import (
    Attachment,
    ExclusionGround,
    PauseGround,
    RequestType,
    TerminationGround,
    TurnedAway,
    Urgency,
    WhistleKind,
)
from shared.ids import CallId, ComplaintId, RequestId, UnitId
from shared.rfc3339 import Told
from shared.wording import CODE, IDENTIFIER, NAME, WORDS

_READ: Final = "Words that can be read: blanks and invisible characters alone are refused."
_FOLDED: Final = (
    "Compared in one form: compatibility forms, invisible characters and superfluous blanks are folded, and how it was "
    "typed is kept."
)
_WORDS: Final[dict[str, Any]] = {
    "description": _READ,
    "extra_json_schema": {"pattern": r"\S"},
    "extra": WORDS,
}

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=200, **_WORDS)]
"""What somebody must be able to read, 1 to 200 characters: a title, the name of a person."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200, description=_FOLDED, extra=NAME)]
"""What is compared with names we know, 1 to 200 characters: a district, a subject, a channel."""
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=200, description=_FOLDED, extra=CODE)]
"""The same in small letters: a unit's id, a version, an article."""
Text = Annotated[str, msgspec.Meta(max_length=4000)]
"""Free text, at most 4,000 characters (Open311's own bound for a description); blanks alone count as none."""
Identifier = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=128,
        description="Characters that show, no blank at an end; compared as it stands.",
        extra=IDENTIFIER,
    ),
]
Uuid = Annotated[
    str,
    msgspec.Meta(
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        max_length=36,  # for `$` lets a line break behind it through
    ),
]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Why = Annotated[str, msgspec.Meta(min_length=1, max_length=400, **_WORDS)]
"""A reason that must be given, 1 to 400 characters."""
Evidence = Annotated[str, msgspec.Meta(min_length=1, max_length=4000, **_WORDS)]
"""What shows it, or what was done: 1 to 4,000 characters that somebody must be able to read."""


LIMIT: Final = msgspec.Meta(extra={"limit": True})
GivenLimit = Annotated[Told, LIMIT]
"""A time until which something must be done. Its rule set bounds it; every other time tells of what happened, and our
present bounds that (`shared.plausible`)."""


_Attachments = Annotated[tuple[Attachment, ...], msgspec.Meta(max_length=20)]


class Input(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A CloudEvent's data; its time is the event's `time`, its identity `source` and `id`.

    What is not said is left out where it is written, so that a field that comes later changes nobody's content.
    """

    TYPE: ClassVar[str]


class CallOffered(Input, frozen=True, kw_only=True, omit_defaults=True):
    """A citizen's call reached the hotline; told again where it goes on into another queue."""

    TYPE: ClassVar[str] = "hotline.call.offered.v1"

    call_id: Identifier
    queue: Name = "12345"
    reckoned: bool = False
    """The time is counted back from a duration in whole seconds. It is used only where no exact time is told."""


class CallAnswered(Input, frozen=True, kw_only=True, omit_defaults=True):
    """An agent took the call; told again where a second agent takes it."""

    TYPE: ClassVar[str] = "hotline.call.answered.v1"

    call_id: Identifier
    agent: Words
    reckoned: bool = False
    """As with `hotline.call.offered.v1`."""


class CallEnded(Input, frozen=True, kw_only=True, omit_defaults=True):
    """The call is over, or has left a queue; `cause` says how for a call nobody answered.

    A call that was never offered is in no figure: tell of a caller who met a full or closed line as offered too.
    """

    TYPE: ClassVar[str] = "hotline.call.ended.v1"

    call_id: Identifier
    cause: Name
    """`hangup`, `abandoned`, `busy`, `timeout`, `system_fail`; `left`: out of the queue, and nothing is said of why;
    `unconnected`: the agent who took it was never connected, and the call waits on. All else is kept as `other`."""
    left_queue: bool = False
    """It only left a queue, and may go on in another one or with somebody else."""


class RequestRecorded(Input, frozen=True, kw_only=True):
    """An agent, the web or an app put a request on record; the event's time is when it was received."""

    TYPE: ClassVar[str] = "hotline.request.recorded.v1"

    request_id: Identifier
    call_id: Identifier | None = None
    channel: Name = "phone"
    request_type: RequestType
    subject: Name
    urgency: Urgency = Urgency.GENERAL_7D
    district: Name
    street: Name | None = None
    address: Annotated[str, msgspec.Meta(max_length=400)] = ""
    title: Words
    content: Text = ""
    recorded_by: Words = "agent"
    article_id: Code | None = None
    """The knowledge article the agent answered a CONSULT from; then nothing is dispatched (B2)."""
    article_version: Count = 1
    given_due_at: GivenLimit | None = None
    """A limit that came with the request; used only under a rule set with `limits_given`."""
    anonymous: bool = False
    """Nobody knows who it was; nobody can be asked afterwards."""
    confidential: bool = False
    """No unit may learn who it was (A5)."""
    matter_of: Identifier | None = None
    """The same speaker's request in which another citizen brought the same matter up first."""
    matter_of_complaint: Uuid | None = None
    """Or that citizen's complaint, whoever recorded it."""
    another_matter: bool = False
    """It is not what another record of the same call, of the same kind, subject and place, is about (T7)."""
    turned_away: TurnedAway | None = None
    """It is not accepted, pointed elsewhere, or an emergency; then nothing is dispatched."""
    turned_away_to: Annotated[str, msgspec.Meta(max_length=200, description=_FOLDED, extra=NAME)] = ""
    """The channel the citizen was sent to; for an emergency the service's number."""
    turned_away_reason: Annotated[str, msgspec.Meta(max_length=400)] = ""
    retaliation_by: Code | None = None
    """The unit that retaliates, by its id: then it is a confidential report for municipal supervision (R9)."""
    retaliation_about: Identifier | None = None
    """The same speaker's request for which it does."""
    retaliation_about_complaint: Uuid | None = None
    """Or the complaint for which it does, whoever recorded it."""
    attachments: _Attachments = ()
    """Pictures, recordings, videos (R6), kept elsewhere."""
    sent_at: Told | None = None
    """When the citizen sent it, where it is no call; the event's time is that of the first response (A3)."""


class RequestWithdrawn(Input, frozen=True, kw_only=True):
    """The citizen takes the request back; it counts when it reaches us, whatever time the event claims."""

    TYPE: ClassVar[str] = "hotline.request.withdrawn.v1"

    request_id: Identifier | None = None
    """The number that the same speaker gave the request; else `complaint_id` names it, exactly one of both does."""
    complaint_id: Uuid | None = None
    """The complaint's own number, whoever recorded it."""
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""


class RequestCorrected(Input, frozen=True, kw_only=True):
    """What was put on record is not what the citizen said; only the fields that change are given."""

    TYPE: ClassVar[str] = "hotline.request.corrected.v1"

    request_id: Identifier | None = None
    complaint_id: Uuid | None = None
    title: Words | None = None
    content: Text | None = None
    address: Annotated[str, msgspec.Meta(max_length=400)] | None = None
    subject: Name | None = None
    """Of subject, district and street: an order that is not signed moves to the unit they name now; after that it moves
    only by a return or a reviewer's act."""
    district: Name | None = None
    street: Name | None = None
    no_street: bool = False
    """No street is known; then `street` is not given."""
    corrected_by: Words


class RequestSupplemented(Input, frozen=True, kw_only=True):
    """The citizen has more to say."""

    TYPE: ClassVar[str] = "hotline.request.supplemented.v1"

    request_id: Identifier | None = None
    complaint_id: Uuid | None = None
    text: Evidence
    recorded_by: Words = "agent"
    attachments: _Attachments = ()


class RequestRepeated(Input, frozen=True, kw_only=True):
    """The matter of a request that is on record was brought up again."""

    TYPE: ClassVar[str] = "hotline.request.repeated.v1"

    request_id: Identifier | None = None
    complaint_id: Uuid | None = None
    repeat_id: Identifier | None = None
    """The call or message in which it was brought up again; for another citizen that one's own request."""
    repeat_complaint: Uuid | None = None
    """Or another citizen's own complaint, whoever recorded it."""
    another_citizen: bool = False
    note: Annotated[str, msgspec.Meta(max_length=400)] = ""
    recorded_by: Words = "agent"


class RatingGiven(Input, frozen=True, kw_only=True):
    """What the citizen thinks of how it is handled, whenever he likes; never taken for the answer to a visit."""

    TYPE: ClassVar[str] = "hotline.rating.given.v1"

    request_id: Identifier | None = None
    complaint_id: Uuid | None = None
    satisfied: bool
    comment: Annotated[str, msgspec.Meta(max_length=400)] = ""
    channel: Name = "web"


class OrderSigned(Input, frozen=True, kw_only=True):
    """A unit takes an order on."""

    TYPE: ClassVar[str] = "hotline.order.signed.v1"

    complaint_id: Uuid
    assignment: Count
    unit: Code | None = None
    """Only checked, never believed: the topic says who speaks."""


class OrderAnswered(Input, frozen=True, kw_only=True):
    """A unit says what it did."""

    TYPE: ClassVar[str] = "hotline.order.answered.v1"

    complaint_id: Uuid
    assignment: Count
    result: Evidence
    claims_solved: bool
    unit: Code | None = None


class ReturnRequested(Input, frozen=True, kw_only=True):
    """A unit says the order is not its own."""

    TYPE: ClassVar[str] = "hotline.return.requested.v1"

    complaint_id: Uuid
    assignment: Count
    reason: Words
    evidence: Evidence
    suggested_unit: Code | None = None
    unit: Code | None = None


class ReturnReviewed(Input, frozen=True, kw_only=True):
    """The reviewer's decision on a return."""

    TYPE: ClassVar[str] = "hotline.return.reviewed.v1"

    complaint_id: Uuid
    assignment: Count
    approved: bool
    reviewer: Words
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""
    to_unit: Code | None = None
    """Where it should go instead; without it the suggested unit, else the district."""


class OrderAssigned(Input, frozen=True, kw_only=True):
    """A district's government gives its order to one of its streets."""

    TYPE: ClassVar[str] = "hotline.order.assigned.v1"

    complaint_id: Uuid
    assignment: Count
    to_unit: Code
    reason: Why
    unit: Code | None = None


class ExtensionRequested(Input, frozen=True, kw_only=True):
    """A unit asks for more days, and says why."""

    TYPE: ClassVar[str] = "hotline.extension.requested.v1"

    complaint_id: Uuid
    assignment: Count
    days: Annotated[int, msgspec.Meta(ge=1, le=366)]
    reason: Why
    citizen_told: bool = False
    unit: Code | None = None


class ExtensionReviewed(Input, frozen=True, kw_only=True):
    """The reviewer's decision on an extension."""

    TYPE: ClassVar[str] = "hotline.extension.reviewed.v1"

    complaint_id: Uuid
    assignment: Count
    approved: bool
    reviewer: Words
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""


class PauseRequested(Input, frozen=True, kw_only=True):
    """A unit cannot act until something else has come, and shows it."""

    TYPE: ClassVar[str] = "hotline.pause.requested.v1"

    complaint_id: Uuid
    assignment: Count
    ground: PauseGround
    days: Annotated[int, msgspec.Meta(ge=1, le=366)]
    evidence: Evidence
    unit: Code | None = None


class PauseEnded(Input, frozen=True, kw_only=True):
    """What the unit waited for has come before its pause was over."""

    TYPE: ClassVar[str] = "hotline.pause.ended.v1"

    complaint_id: Uuid
    assignment: Count
    reason: Why
    unit: Code | None = None


class PauseReviewed(Input, frozen=True, kw_only=True):
    """The reviewer's decision on a pause."""

    TYPE: ClassVar[str] = "hotline.pause.reviewed.v1"

    complaint_id: Uuid
    assignment: Count
    approved: bool
    reviewer: Words
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""


class TerminationRequested(Input, frozen=True, kw_only=True):
    """A unit says that the matter cannot be handled, on which ground, and shows it."""

    TYPE: ClassVar[str] = "hotline.termination.requested.v1"

    complaint_id: Uuid
    assignment: Count
    ground: TerminationGround
    evidence: Evidence
    unit: Code | None = None


class TerminationReviewed(Input, frozen=True, kw_only=True):
    """The reviewer's decision on a termination."""

    TYPE: ClassVar[str] = "hotline.termination.reviewed.v1"

    complaint_id: Uuid
    assignment: Count
    approved: bool
    reviewer: Words
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""


class DisputeRaised(Input, frozen=True, kw_only=True):
    """A unit whose return was rejected, or may return no more, asks for a council."""

    TYPE: ClassVar[str] = "hotline.dispute.raised.v1"

    complaint_id: Uuid
    assignment: Count
    reason: Why
    evidence: Evidence
    unit: Code | None = None


class CouncilDecided(Input, frozen=True, kw_only=True):
    """Those concerned met and named the unit."""

    TYPE: ClassVar[str] = "hotline.council.decided.v1"

    complaint_id: Uuid
    assignment: Count
    to_unit: Code
    participants: Annotated[tuple[Words, ...], msgspec.Meta(min_length=1, max_length=50)]
    co_units: Annotated[tuple[Code, ...], msgspec.Meta(max_length=50)] = ()
    reason: Why


class CoUnitAdded(Input, frozen=True, kw_only=True):
    """The reviewers ask another unit to help."""

    TYPE: ClassVar[str] = "hotline.co_unit.added.v1"

    complaint_id: Uuid
    co_unit: Code
    reason: Why
    added_by: Words


class CoUnitReported(Input, frozen=True, kw_only=True):
    """A helping unit says what it did."""

    TYPE: ClassVar[str] = "hotline.co_unit.reported.v1"

    complaint_id: Uuid
    result: Evidence
    unit: Code | None = None


class CalendarAmended(Input, frozen=True, kw_only=True):
    """An open complaint is to go by another version of the calendar."""

    TYPE: ClassVar[str] = "hotline.calendar.amended.v1"

    complaint_id: Uuid
    calendar: Code
    reason: Why
    amended_by: Words


class ComplaintReclassified(Input, frozen=True, kw_only=True):
    """The reviewers give a complaint another urgency."""

    TYPE: ClassVar[str] = "hotline.complaint.reclassified.v1"

    complaint_id: Uuid
    urgency: Urgency
    reason: Why
    reclassified_by: Words


class WhistleBlown(Input, frozen=True, kw_only=True):
    """A street calls others to its order."""

    TYPE: ClassVar[str] = "hotline.whistle.blown.v1"

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


class WhistleAcknowledged(Input, frozen=True, kw_only=True):
    """A called unit comes."""

    TYPE: ClassVar[str] = "hotline.whistle.acknowledged.v1"

    complaint_id: Uuid
    whistle: Count
    unit: Code | None = None


class WhistleArrived(Input, frozen=True, kw_only=True):
    """A called unit is there."""

    TYPE: ClassVar[str] = "hotline.whistle.arrived.v1"

    complaint_id: Uuid
    whistle: Count
    persons: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    unit: Code | None = None


class WhistleMeasureRecorded(Input, frozen=True, kw_only=True):
    """What a called unit does about it."""

    TYPE: ClassVar[str] = "hotline.whistle.measure_recorded.v1"

    complaint_id: Uuid
    whistle: Count
    measure: Evidence
    unit: Code | None = None


class WhistleReleased(Input, frozen=True, kw_only=True):
    """The street lets one of the called go, or all."""

    TYPE: ClassVar[str] = "hotline.whistle.released.v1"

    complaint_id: Uuid
    whistle: Count
    called: Code | None = None
    """Without it all who are still held."""
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""
    unit: Code | None = None


class WhistleRated(Input, frozen=True, kw_only=True):
    """Street and called unit rate each other."""

    TYPE: ClassVar[str] = "hotline.whistle.rated.v1"

    complaint_id: Uuid
    whistle: Count
    rated: Code
    stars: Annotated[int, msgspec.Meta(ge=1, le=5)]
    comment: Annotated[str, msgspec.Meta(max_length=400)] = ""
    unit: Code | None = None


class ExclusionRequested(Input, frozen=True, kw_only=True):
    """A unit wants a complaint left out of its score, and shows why; also after the end."""

    TYPE: ClassVar[str] = "hotline.exclusion.requested.v1"

    complaint_id: Uuid
    ground: ExclusionGround
    evidence: Evidence
    unit: Code | None = None


class ExclusionReviewed(Input, frozen=True, kw_only=True):
    """The reviewer's decision on an exclusion."""

    TYPE: ClassVar[str] = "hotline.exclusion.reviewed.v1"

    complaint_id: Uuid
    approved: bool
    reviewer: Words
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""


class CitizenContacted(Input, frozen=True, kw_only=True):
    """A unit that has signed spoke to the citizen for the first time about this order."""

    TYPE: ClassVar[str] = "hotline.citizen.contacted.v1"

    complaint_id: Uuid
    assignment: Count
    channel: Name = "phone"
    unit: Code | None = None


class ContactFailed(Input, frozen=True, kw_only=True):
    """A unit tried to reach the citizen for the first time and did not."""

    TYPE: ClassVar[str] = "hotline.contact.failed.v1"

    complaint_id: Uuid
    assignment: Count
    cause: Name
    channel: Name = "phone"
    unit: Code | None = None


class ProgressReported(Input, frozen=True, kw_only=True):
    """A unit says how far it is; the citizen is told, so nothing that others may not read belongs here."""

    TYPE: ClassVar[str] = "hotline.progress.reported.v1"

    complaint_id: Uuid
    assignment: Count
    text: Evidence
    stage_feedback: bool = False
    unit: Code | None = None


class AnswerSentBack(Input, frozen=True, kw_only=True):
    """The reviewer does not let a unit's answer through, and says why."""

    TYPE: ClassVar[str] = "hotline.answer.sent_back.v1"

    complaint_id: Uuid
    assignment: Count
    reviewer: Words
    reason: Why


class VisitMade(Input, frozen=True, kw_only=True):
    """The citizen was reached and judged."""

    TYPE: ClassVar[str] = "hotline.visit.made.v1"

    complaint_id: Uuid
    visit: Count
    attempt: Count
    solved: bool
    satisfied: bool
    reason: Annotated[str, msgspec.Meta(max_length=400)] = ""
    channel: Name = "phone"


class VisitUnreached(Input, frozen=True, kw_only=True):
    """An attempt did not reach the citizen."""

    TYPE: ClassVar[str] = "hotline.visit.unreached.v1"

    complaint_id: Uuid
    visit: Count
    attempt: Count
    cause: Name = "no_answer"
    channel: Name = "phone"


class ClosingExceptionApproved(Input, frozen=True, kw_only=True):
    """A supervisor lets a complaint close without a visit's outcome, and says why (E3)."""

    TYPE: ClassVar[str] = "hotline.closing_exception.approved.v1"

    complaint_id: Uuid
    approved_by: Words
    reason: Why


INPUTS: Final[dict[str, type[Input]]] = {
    kind.TYPE: kind
    for kind in (
        CallOffered,
        CallAnswered,
        CallEnded,
        RequestRecorded,
        RequestWithdrawn,
        RequestCorrected,
        RequestSupplemented,
        RequestRepeated,
        RatingGiven,
        OrderSigned,
        OrderAnswered,
        ReturnRequested,
        ReturnReviewed,
        OrderAssigned,
        ExtensionRequested,
        ExtensionReviewed,
        PauseRequested,
        PauseEnded,
        PauseReviewed,
        TerminationRequested,
        TerminationReviewed,
        DisputeRaised,
        CouncilDecided,
        CoUnitAdded,
        CoUnitReported,
        ComplaintReclassified,
        CalendarAmended,
        WhistleBlown,
        WhistleAcknowledged,
        WhistleArrived,
        WhistleMeasureRecorded,
        WhistleReleased,
        WhistleRated,
        ExclusionRequested,
        ExclusionReviewed,
        CitizenContacted,
        ContactFailed,
        ProgressReported,
        AnswerSentBack,
        VisitMade,
        VisitUnreached,
        ClosingExceptionApproved,
    )
}
"""Every input by its CloudEvents type."""

__all__ = [
    "INPUTS",
    "AnswerSentBack",
    "CalendarAmended",
    "CallAnswered",
    "CallEnded",
    "CallId",
    "CallOffered",
    "CitizenContacted",
    "ClosingExceptionApproved",
    "CoUnitAdded",
    "CoUnitReported",
    "ComplaintId",
    "ComplaintReclassified",
    "ContactFailed",
    "CouncilDecided",
    "DisputeRaised",
    "ExclusionRequested",
    "ExclusionReviewed",
    "ExtensionRequested",
    "ExtensionReviewed",
    "Input",
    "OrderAnswered",
    "OrderAssigned",
    "OrderSigned",
    "PauseEnded",
    "PauseRequested",
    "PauseReviewed",
    "ProgressReported",
    "RatingGiven",
    "RequestCorrected",
    "RequestId",
    "RequestRecorded",
    "RequestRepeated",
    "RequestSupplemented",
    "RequestWithdrawn",
    "ReturnRequested",
    "ReturnReviewed",
    "TerminationRequested",
    "TerminationReviewed",
    "UnitId",
    "VisitMade",
    "VisitUnreached",
    "WhistleAcknowledged",
    "WhistleArrived",
    "WhistleBlown",
    "WhistleMeasureRecorded",
    "WhistleRated",
    "WhistleReleased",
]
