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
from shared.topics import FEEDBACK_ANSWERS, FEEDBACK_EXCEPTIONS, speaker_of

_ANSWERS: Final = (inputs.VisitMade, inputs.VisitUnreached)
_EXCEPTIONS: Final = (inputs.ClosingExceptionApproved,)

assert FEEDBACK_ANSWERS.carries == _ANSWERS  # noqa: S101 -- the table and this door must not part
assert FEEDBACK_EXCEPTIONS.carries == _EXCEPTIONS  # noqa: S101


def answers(clock: Clock) -> Handle:
    """`feedback.answers`: what the citizen said, or that nobody answered."""

    def translate(message: Incoming) -> Work:
        event = event_of(message, _ANSWERS)
        arrived = arrived_at(message)
        not_ahead(event, clock.latest_input(arrived))
        data = event.data
        assert isinstance(data, _ANSWERS)  # noqa: S101 -- for the type checker
        complaint = ComplaintId(data.complaint_id)
        at = clock.of_input(event.time, arrived)
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
        else:
            command = RecordUnreached(
                complaint_id=complaint,
                visit=data.visit,
                attempt=data.attempt,
                cause=data.cause,
                channel=data.channel,
                at=at,
            )
        identity = message_id(FEEDBACK_ANSWERS.name, event.source, event.id)
        return Work(command, complaint, identity, message, identity)

    return one_by_one(translate)


def exceptions(clock: Clock, prefix: str | None = None) -> Handle:
    """`feedback.exceptions`: supervisors let complaints close without a visit's outcome (E3).

    With the `prefix` of the topics' names a topic of a login's own says who speaks; without it nothing does.
    """

    def translate(message: Incoming) -> Work:
        event = event_of(message, _EXCEPTIONS)
        arrived = arrived_at(message)
        not_ahead(event, clock.latest_input(arrived))
        data = event.data
        assert isinstance(data, inputs.ClosingExceptionApproved)  # noqa: S101 -- for the type checker
        complaint = ComplaintId(data.complaint_id)
        command = CloseByException(
            complaint_id=complaint,
            approved_by=data.approved_by,
            reason=data.reason,
            at=clock.of_input(event.time, arrived),
            login="" if prefix is None else speaker_of(message.topic, prefix, FEEDBACK_EXCEPTIONS),
        )
        identity = message_id(FEEDBACK_EXCEPTIONS.name, event.source, event.id)
        return Work(command, complaint, identity, message, identity)

    return one_by_one(translate)
