"""Feedback's doors: the log's facts, and what the dialler and the supervisors say."""

from __future__ import annotations

from shared.asked import Asked
from shared.cloudevents import event_of
from shared.doors.parking import one_by_one
from shared.doors.unread_records import Handle
from shared.identity import taken_in
from shared.ids import ComplaintId
from shared.inputs import AboutComplaint
from shared.log import Incoming
from shared.plausible import timely
from shared.runtime.clock import Clock
from shared.topic_names import speaker_of
from shared.topics import FEEDBACK_EXCEPTIONS, FEEDBACK_VISIT_RESULTS, Topic
from shared.work import Work


def answers(clock: Clock, prefix: str = "") -> Handle:
    """`feedback.visit-results`: what the citizen said, or that nobody answered. `prefix` is the city's."""
    return _door(FEEDBACK_VISIT_RESULTS, clock, prefix)


def exceptions(clock: Clock, prefix: str = "") -> Handle:
    """`feedback.exceptions`: supervisors let complaints close without a visit's outcome (E3).

    `prefix` is the city's. A topic of a login's own says who speaks.
    """
    return _door(FEEDBACK_EXCEPTIONS, clock, prefix)


def _door(line: Topic, clock: Clock, prefix: str) -> Handle:
    carried = line.inputs

    def translate(message: Incoming) -> Work:
        event = event_of(message, carried)
        arrived = timely(event, message, clock)
        command = event.data
        assert isinstance(command, AboutComplaint)  # noqa: S101 -- for the type checker
        asked = Asked(
            command=command,
            complaint_id=ComplaintId(command.complaint_id),
            login=speaker_of(message.topic, prefix, line),
            at=clock.of_input(event.time, arrived),
        )
        return taken_in(asked, event, message, prefix)

    return one_by_one(translate)
