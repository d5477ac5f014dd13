"""Dispatch's doors: the log's facts, the units' replies, the reviewers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from services.dispatch.decisions.answers import AnswerOrder, SendBackAnswer
from services.dispatch.decisions.assigning import AssignOrder
from services.dispatch.decisions.calendar import AmendCalendar
from services.dispatch.decisions.co_units import AddCoUnit, ReportAsCoUnit
from services.dispatch.decisions.disputes import DecideCouncil, RaiseDispute
from services.dispatch.decisions.exclusions import RequestExclusion, ReviewExclusion
from services.dispatch.decisions.extensions import RequestExtension, ReviewExtension
from services.dispatch.decisions.first_contact import RecordContact, RecordContactFailed
from services.dispatch.decisions.pauses import EndPause, RequestPause, ReviewPause
from services.dispatch.decisions.progress import ReportProgress
from services.dispatch.decisions.reclassification import ReclassifyComplaint
from services.dispatch.decisions.returns import RequestReturn, ReviewReturn
from services.dispatch.decisions.signing import SignOrder
from services.dispatch.decisions.terminations import RequestTermination, ReviewTermination
from services.dispatch.decisions.whistles import (
    AcknowledgeWhistle,
    ArriveAtWhistle,
    BlowWhistle,
    RateWhistle,
    RecordMeasure,
    ReleaseWhistle,
)
from services.dispatch.rules import ReviewerCommand, UnitCommand
from services.dispatch.settings import Settings
from shared import inputs
from shared.cloudevents import event_of
from shared.doors.parking import one_by_one
from shared.doors.unread_records import Handle
from shared.identity import taken_in
from shared.ids import ComplaintId, UnitId
from shared.log import Incoming
from shared.plausible import timely
from shared.runtime.clock import Clock
from shared.runtime.errors import BadInput
from shared.topic_names import speaker_of, unit_of
from shared.topics import DISPATCH_REPLIES, DISPATCH_REVIEWS
from shared.work import Work

_REPLIES: Final = (
    inputs.SignOrder,
    inputs.AnswerOrder,
    inputs.RequestReturn,
    inputs.AssignOrder,
    inputs.RequestExtension,
    inputs.RequestPause,
    inputs.EndPause,
    inputs.RequestTermination,
    inputs.RaiseDispute,
    inputs.ReportAsCoUnit,
    inputs.BlowWhistle,
    inputs.AcknowledgeWhistle,
    inputs.ArriveAtWhistle,
    inputs.RecordMeasure,
    inputs.ReleaseWhistle,
    inputs.RateWhistle,
    inputs.RequestExclusion,
    inputs.RecordContact,
    inputs.RecordContactFailed,
    inputs.ReportProgress,
)
_REVIEWS: Final = (
    inputs.ReviewReturn,
    inputs.ReviewExtension,
    inputs.ReviewPause,
    inputs.ReviewTermination,
    inputs.DecideCouncil,
    inputs.AddCoUnit,
    inputs.ReclassifyComplaint,
    inputs.AmendCalendar,
    inputs.ReviewExclusion,
    inputs.SendBackAnswer,
)

assert DISPATCH_REPLIES.carries == _REPLIES  # noqa: S101 -- the table and this door must not part
assert DISPATCH_REVIEWS.carries == _REVIEWS  # noqa: S101


def replies(settings: Settings, clock: Clock) -> Handle:
    """`dispatch.replies.<unit>`: the topic says which unit speaks, whatever the body claims."""

    def translate(message: Incoming) -> Work:
        event = event_of(message, _REPLIES)
        arrived = timely(event, message, clock)
        unit = unit_of(message.topic, settings.topic_prefix, DISPATCH_REPLIES)
        data = event.data
        assert isinstance(data, _REPLIES)  # noqa: S101 -- for the type checker
        if data.unit is not None and data.unit != unit:
            text = f"data: unit: another than {unit!r}, whose topic this is"
            raise BadInput(text)
        complaint = ComplaintId(data.complaint_id)
        command = _said_by(unit, data, complaint, clock.of_input(event.time, arrived))
        return taken_in(command, complaint, event, message, settings.topic_prefix)

    return one_by_one(translate)


def _said_by(unit: UnitId, data: inputs.Input, complaint: ComplaintId, at: datetime) -> UnitCommand:  # noqa: C901, PLR0911, PLR0912 -- a line an input
    """What a unit's reply asks for."""
    match data:
        case inputs.SignOrder():
            return SignOrder(complaint_id=complaint, unit=unit, assignment=data.assignment, at=at)
        case inputs.AnswerOrder():
            return AnswerOrder(
                complaint_id=complaint,
                unit=unit,
                assignment=data.assignment,
                result=data.result,
                claims_solved=data.claims_solved,
                at=at,
            )
        case inputs.RequestReturn():
            return RequestReturn(
                complaint_id=complaint,
                unit=unit,
                assignment=data.assignment,
                reason=data.reason,
                evidence=data.evidence,
                suggested_unit=None if data.suggested_unit is None else UnitId(data.suggested_unit),
                at=at,
            )
        case inputs.AssignOrder():
            return AssignOrder(
                complaint_id=complaint,
                unit=unit,
                assignment=data.assignment,
                to_unit=UnitId(data.to_unit),
                reason=data.reason,
                at=at,
            )
        case inputs.RequestExtension():
            return RequestExtension(
                complaint_id=complaint,
                unit=unit,
                assignment=data.assignment,
                days=data.days,
                reason=data.reason,
                citizen_told=data.citizen_told,
                at=at,
            )
        case inputs.RequestPause():
            return RequestPause(
                complaint_id=complaint,
                unit=unit,
                assignment=data.assignment,
                ground=data.ground,
                days=data.days,
                evidence=data.evidence,
                at=at,
            )
        case inputs.EndPause():
            return EndPause(
                complaint_id=complaint, unit=unit, assignment=data.assignment, reason=data.reason, at=at
            )
        case inputs.RequestTermination():
            return RequestTermination(
                complaint_id=complaint,
                unit=unit,
                assignment=data.assignment,
                ground=data.ground,
                evidence=data.evidence,
                at=at,
            )
        case inputs.RaiseDispute():
            return RaiseDispute(
                complaint_id=complaint,
                unit=unit,
                assignment=data.assignment,
                reason=data.reason,
                evidence=data.evidence,
                at=at,
            )
        case inputs.ReportAsCoUnit():
            return ReportAsCoUnit(complaint_id=complaint, unit=unit, result=data.result, at=at)
        case inputs.RecordContact():
            return RecordContact(
                complaint_id=complaint, unit=unit, assignment=data.assignment, channel=data.channel, at=at
            )
        case inputs.RecordContactFailed():
            return RecordContactFailed(
                complaint_id=complaint,
                unit=unit,
                assignment=data.assignment,
                channel=data.channel,
                cause=data.cause,
                at=at,
            )
        case inputs.ReportProgress():
            return ReportProgress(
                complaint_id=complaint,
                unit=unit,
                assignment=data.assignment,
                text=data.text,
                stage_feedback=data.stage_feedback,
                at=at,
            )
        case inputs.RequestExclusion():
            return RequestExclusion(
                complaint_id=complaint, unit=unit, ground=data.ground, evidence=data.evidence, at=at
            )
        case _:
            return _about_a_whistle(unit, data, complaint, at)


def _about_a_whistle(unit: UnitId, data: inputs.Input, complaint: ComplaintId, at: datetime) -> UnitCommand:
    match data:
        case inputs.BlowWhistle():
            return BlowWhistle(
                complaint_id=complaint,
                unit=unit,
                assignment=data.assignment,
                whistle=data.whistle,
                kind=data.kind,
                called=tuple(UnitId(called) for called in data.called),
                scene=data.scene,
                reason=data.reason,
                at=at,
            )
        case inputs.AcknowledgeWhistle():
            return AcknowledgeWhistle(complaint_id=complaint, unit=unit, whistle=data.whistle, at=at)
        case inputs.ArriveAtWhistle():
            return ArriveAtWhistle(
                complaint_id=complaint, unit=unit, whistle=data.whistle, persons=data.persons, at=at
            )
        case inputs.RecordMeasure():
            return RecordMeasure(
                complaint_id=complaint, unit=unit, whistle=data.whistle, measure=data.measure, at=at
            )
        case inputs.ReleaseWhistle():
            return ReleaseWhistle(
                complaint_id=complaint,
                unit=unit,
                whistle=data.whistle,
                called=None if data.called is None else UnitId(data.called),
                reason=data.reason,
                at=at,
            )
        case inputs.RateWhistle():
            return RateWhistle(
                complaint_id=complaint,
                unit=unit,
                whistle=data.whistle,
                rated=UnitId(data.rated),
                stars=data.stars,
                comment=data.comment,
                at=at,
            )
        case _:
            raise AssertionError(data)


def reviews(clock: Clock, prefix: str = "") -> Handle:
    """`dispatch.reviews`: what reviewers and councils decided.

    `prefix` is the city's. A topic of a login's own says who speaks.
    """

    def translate(message: Incoming) -> Work:
        event = event_of(message, _REVIEWS)
        arrived = timely(event, message, clock)
        data = event.data
        assert isinstance(data, _REVIEWS)  # noqa: S101 -- for the type checker
        complaint = ComplaintId(data.complaint_id)
        command = _decided(data, complaint, clock.of_input(event.time, arrived))
        command = replace(command, login=speaker_of(message.topic, prefix, DISPATCH_REVIEWS))
        return taken_in(command, complaint, event, message, prefix)

    return one_by_one(translate)


_REVIEW: Final[dict[type[inputs.Input], type[ReviewExtension | ReviewPause | ReviewTermination]]] = {
    inputs.ReviewExtension: ReviewExtension,
    inputs.ReviewPause: ReviewPause,
    inputs.ReviewTermination: ReviewTermination,
}


def _decided(data: inputs.Input, complaint: ComplaintId, at: datetime) -> ReviewerCommand:  # noqa: PLR0911 -- as above
    """What a reviewer's or council's message asks for."""
    match data:
        case inputs.ReviewReturn():
            return ReviewReturn(
                complaint_id=complaint,
                assignment=data.assignment,
                approved=data.approved,
                reviewer=data.reviewer,
                reason=data.reason,
                to_unit=None if data.to_unit is None else UnitId(data.to_unit),
                at=at,
            )
        case inputs.ReviewExtension() | inputs.ReviewPause() | inputs.ReviewTermination():
            return _REVIEW[type(data)](
                complaint_id=complaint,
                assignment=data.assignment,
                approved=data.approved,
                reviewer=data.reviewer,
                reason=data.reason,
                at=at,
            )
        case inputs.DecideCouncil():
            return DecideCouncil(
                complaint_id=complaint,
                assignment=data.assignment,
                to_unit=UnitId(data.to_unit),
                co_units=tuple(UnitId(unit) for unit in data.co_units),
                participants=data.participants,
                reason=data.reason,
                at=at,
            )
        case inputs.AddCoUnit():
            return AddCoUnit(
                complaint_id=complaint,
                co_unit=UnitId(data.co_unit),
                reason=data.reason,
                added_by=data.added_by,
                at=at,
            )
        case inputs.AmendCalendar():
            return AmendCalendar(
                complaint_id=complaint,
                calendar=data.calendar,
                reason=data.reason,
                amended_by=data.amended_by,
                at=at,
            )
        case inputs.ReclassifyComplaint():
            return ReclassifyComplaint(
                complaint_id=complaint,
                urgency=data.urgency,
                reason=data.reason,
                reclassified_by=data.reclassified_by,
                at=at,
            )
        case inputs.SendBackAnswer():
            return SendBackAnswer(
                complaint_id=complaint,
                assignment=data.assignment,
                reviewer=data.reviewer,
                reason=data.reason,
                at=at,
            )
        case inputs.ReviewExclusion():
            return ReviewExclusion(
                complaint_id=complaint,
                approved=data.approved,
                reviewer=data.reviewer,
                reason=data.reason,
                at=at,
            )
        case _:
            raise AssertionError(data)
