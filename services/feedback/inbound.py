"""Feedback's doors: the log's facts, and what the dialler and the supervisors say."""

from __future__ import annotations

from typing import Final

from services.feedback.commands import CloseByException, FeedbackCommand, RecordUnreached, RecordVisit
from shared import inputs
from shared.broker import Handle, arrived_at, one_by_one
from shared.clock import Clock
from shared.cloudevents import event_of, not_ahead
from shared.desk import Work
from shared.ids import ComplaintId, message_id
from shared.log import Incoming
from shared.topics import FEEDBACK_ANSWERS

_ANSWERS: Final = (inputs.VisitMade, inputs.VisitUnreached, inputs.ClosingExceptionApproved)

assert FEEDBACK_ANSWERS.carries == _ANSWERS  # noqa: S101 -- the table and this door must not part


def answers(clock: Clock) -> Handle:
    """`feedback.answers`: what the citizen said, that nobody answered, or an approved exception."""

    def translate(message: Incoming) -> Work:
        event = event_of(message, _ANSWERS)
        not_ahead(event, clock.latest_input())
        data = event.data
        assert isinstance(data, _ANSWERS)  # noqa: S101 -- for the type checker
        complaint = ComplaintId(data.complaint_id)
        at = clock.of_input(event.time, arrived_at(message))
        command: FeedbackCommand
        if isinstance(data, inputs.VisitMade):
            command = RecordVisit(
                complaint_id=complaint,
                visit=data.visit,
                attempt=data.attempt,
                solved=data.solved,
                satisfied=data.satisfied,
                reason=data.reason,
                channel=data.channel,
                at=at,
            )
        elif isinstance(data, inputs.VisitUnreached):
            command = RecordUnreached(
                complaint_id=complaint,
                visit=data.visit,
                attempt=data.attempt,
                cause=data.cause,
                channel=data.channel,
                at=at,
            )
        else:
            command = CloseByException(
                complaint_id=complaint, approved_by=data.approved_by, reason=data.reason, at=at
            )
        identity = message_id(FEEDBACK_ANSWERS.name, event.source, event.id)
        return Work(command, complaint, identity, message, identity)

    return one_by_one(translate)
