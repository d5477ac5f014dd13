"""Dispatch's doors: the log's facts, the units' replies, the reviewers."""

from __future__ import annotations

from typing import Final

from services.dispatch.commands import AnswerOrder, DispatchCommand, RequestReturn, ReviewReturn, SignOrder
from services.dispatch.settings import Settings
from shared import inputs
from shared.broker import Handle, arrived_at, one_by_one
from shared.clock import Clock
from shared.cloudevents import BadInput, event_of, not_ahead
from shared.desk import Work
from shared.ids import ComplaintId, UnitId, message_id
from shared.log import Incoming
from shared.topics import DISPATCH_REPLIES, DISPATCH_REVIEWS, unit_of

_REPLIES: Final = (inputs.OrderSigned, inputs.OrderAnswered, inputs.ReturnRequested)
_REVIEWS: Final = (inputs.ReturnReviewed,)

assert DISPATCH_REPLIES.carries == _REPLIES  # noqa: S101 -- the table and this door must not part
assert DISPATCH_REVIEWS.carries == _REVIEWS  # noqa: S101


def replies(settings: Settings, clock: Clock) -> Handle:
    """`dispatch.replies.<unit>`: the topic says which unit speaks, whatever the body claims."""

    def translate(message: Incoming) -> Work:
        event = event_of(message, _REPLIES)
        arrived = arrived_at(message)
        not_ahead(event, clock.latest_input(arrived))
        unit = unit_of(message.topic, settings.topic_prefix, DISPATCH_REPLIES)
        at = clock.of_input(event.time, arrived)
        data = event.data
        assert isinstance(data, _REPLIES)  # noqa: S101 -- for the type checker
        if data.unit is not None and data.unit != unit:
            text = f"data: unit: another than {unit!r}, whose topic this is"
            raise BadInput(text)
        complaint = ComplaintId(data.complaint_id)
        command: DispatchCommand
        if isinstance(data, inputs.OrderSigned):
            command = SignOrder(complaint_id=complaint, unit=unit, assignment=data.assignment, at=at)
        elif isinstance(data, inputs.OrderAnswered):
            command = AnswerOrder(
                complaint_id=complaint,
                unit=unit,
                assignment=data.assignment,
                result=data.result,
                claims_solved=data.claims_solved,
                at=at,
            )
        else:
            command = RequestReturn(
                complaint_id=complaint,
                unit=unit,
                assignment=data.assignment,
                reason=data.reason,
                evidence=data.evidence,
                suggested_unit=None if data.suggested_unit is None else UnitId(data.suggested_unit),
                at=at,
            )
        identity = message_id(DISPATCH_REPLIES.of(unit), event.source, event.id)
        return Work(command, complaint, identity, message, identity)

    return one_by_one(translate)


def reviews(clock: Clock) -> Handle:
    """`dispatch.reviews`: the reviewers' decisions on returns."""

    def translate(message: Incoming) -> Work:
        event = event_of(message, _REVIEWS)
        arrived = arrived_at(message)
        not_ahead(event, clock.latest_input(arrived))
        data = event.data
        assert isinstance(data, inputs.ReturnReviewed)  # noqa: S101 -- for the type checker
        complaint = ComplaintId(data.complaint_id)
        command = ReviewReturn(
            complaint_id=complaint,
            assignment=data.assignment,
            approved=data.approved,
            reviewer=data.reviewer,
            reason=data.reason,
            to_unit=None if data.to_unit is None else UnitId(data.to_unit),
            at=clock.of_input(event.time, arrived),
        )
        identity = message_id(DISPATCH_REVIEWS.name, event.source, event.id)
        return Work(command, complaint, identity, message, identity)

    return one_by_one(translate)
