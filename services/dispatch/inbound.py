"""Dispatch's doors: the log's facts, the units' replies, the reviewers."""

from __future__ import annotations

from services.dispatch.decisions.returns import AskedToReviewReturn
from services.dispatch.settings import Settings
from shared.asked import Asked
from shared.cloudevents import event_of
from shared.doors.parking import one_by_one
from shared.doors.unread_records import Handle
from shared.identity import taken_in
from shared.ids import ComplaintId
from shared.inputs import AboutComplaint, Reply, ReviewReturn
from shared.log import Incoming
from shared.plausible import timely
from shared.runtime.clock import Clock
from shared.runtime.errors import BadInput
from shared.topic_names import speaker_of, unit_of
from shared.topics import DISPATCH_REPLIES, DISPATCH_REVIEWS
from shared.work import Work


def replies(settings: Settings, clock: Clock) -> Handle:
    """`dispatch.replies.<unit>`: the topic says which unit speaks, whatever the body claims."""
    carried = DISPATCH_REPLIES.inputs

    def translate(message: Incoming) -> Work:
        event = event_of(message, carried)
        arrived = timely(event, message, clock)
        unit = unit_of(message.topic, settings.topic_prefix, DISPATCH_REPLIES)
        command = event.data
        assert isinstance(command, Reply)  # noqa: S101 -- for the type checker
        if command.unit is not None and command.unit != unit:
            text = f"data: unit: another than {unit!r}, whose topic this is"
            raise BadInput(text)
        asked = Asked(
            command=command,
            complaint_id=ComplaintId(command.complaint_id),
            unit=unit,
            at=clock.of_input(event.time, arrived),
        )
        return taken_in(asked, event, message, settings.topic_prefix)

    return one_by_one(translate)


def reviews(clock: Clock, prefix: str = "") -> Handle:
    """`dispatch.reviews`: what reviewers and councils decided.

    `prefix` is the city's. A topic of a login's own says who speaks.
    """
    carried = DISPATCH_REVIEWS.inputs

    def translate(message: Incoming) -> Work:
        event = event_of(message, carried)
        arrived = timely(event, message, clock)
        command = event.data
        assert isinstance(command, AboutComplaint)  # noqa: S101 -- for the type checker
        complaint = ComplaintId(command.complaint_id)
        login = speaker_of(message.topic, prefix, DISPATCH_REVIEWS)
        at = clock.of_input(event.time, arrived)
        asked = (
            AskedToReviewReturn(command=command, complaint_id=complaint, login=login, at=at)
            if isinstance(command, ReviewReturn)
            else Asked(command=command, complaint_id=complaint, login=login, at=at)
        )
        return taken_in(asked, event, message, prefix)

    return one_by_one(translate)
