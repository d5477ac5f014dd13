"""Feedback's doors: the log's facts, and what the dialler and the supervisors say."""

from __future__ import annotations

from typing import Final

from services.feedback.decisions.closing import CloseByException
from services.feedback.decisions.visits import RecordUnreached, RecordVisit
from services.feedback.rules import FeedbackCommand
from shared import inputs
from shared.cloudevents import event_of
from shared.doors.parking import one_by_one
from shared.doors.unread_records import Handle
from shared.identity import taken_in
from shared.ids import ComplaintId
from shared.log import Incoming
from shared.plausible import timely
from shared.runtime.clock import Clock
from shared.topic_names import speaker_of
from shared.topics import FEEDBACK_EXCEPTIONS, FEEDBACK_VISIT_RESULTS
from shared.work import Work

_ANSWERS: Final = (inputs.RecordVisit, inputs.RecordUnreached)
_EXCEPTIONS: Final = (inputs.CloseByException,)

assert FEEDBACK_VISIT_RESULTS.carries == _ANSWERS  # noqa: S101 -- the table and this door must not part
assert FEEDBACK_EXCEPTIONS.carries == _EXCEPTIONS  # noqa: S101


def answers(clock: Clock, prefix: str = "") -> Handle:
    """`feedback.visit-results`: what the citizen said, or that nobody answered. `prefix` is the city's."""

    def translate(message: Incoming) -> Work:
        event = event_of(message, _ANSWERS)
        arrived = timely(event, message, clock)
        data = event.data
        assert isinstance(data, _ANSWERS)  # noqa: S101 -- for the type checker
        complaint = ComplaintId(data.complaint_id)
        at = clock.of_input(event.time, arrived)
        command: FeedbackCommand
        if isinstance(data, inputs.RecordVisit):
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
        return taken_in(command, complaint, event, message, prefix)

    return one_by_one(translate)


def exceptions(clock: Clock, prefix: str = "") -> Handle:
    """`feedback.exceptions`: supervisors let complaints close without a visit's outcome (E3).

    `prefix` is the city's. A topic of a login's own says who speaks.
    """

    def translate(message: Incoming) -> Work:
        event = event_of(message, _EXCEPTIONS)
        arrived = timely(event, message, clock)
        data = event.data
        assert isinstance(data, inputs.CloseByException)  # noqa: S101 -- for the type checker
        complaint = ComplaintId(data.complaint_id)
        command = CloseByException(
            complaint_id=complaint,
            approved_by=data.approved_by,
            reason=data.reason,
            at=clock.of_input(event.time, arrived),
            login=speaker_of(message.topic, prefix, FEEDBACK_EXCEPTIONS),
        )
        return taken_in(command, complaint, event, message, prefix)

    return one_by_one(translate)
