"""Judges events before any is sent, by the very functions with which their doors take them in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from hotline.web.city_clock import CityClock
from hotline.web.events import HttpEvent, at
from hotline.web.inputs import UnknownField, closed, key_of
from hotline.web.keys import Key
from hotline.web.problems import HttpRefusal, ProblemKind, sentence
from services.dispatch import inbound as dispatch
from services.dispatch.settings import Settings as DispatchSettings
from services.feedback import inbound as feedback
from services.intake import inbound as intake
from services.intake.settings import Settings as IntakeSettings
from shared.cloudevents import ReadMessage, event_of
from shared.doors.unread_records import Handle
from shared.ids import ComplaintId, MessageId, message_id
from shared.inputs import Input
from shared.log import Incoming
from shared.results import wrong_field
from shared.runtime.errors import BadInput
from shared.structured import is_structured, opened
from shared.topic_names import partition_of
from shared.topics import (
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_EXCEPTIONS,
    FEEDBACK_VISIT_RESULTS,
    INTAKE_REQUESTS,
    TELEPHONY_CALLS,
)
from shared.work import Batch, Work

NOBODY: Final = "nobody is asked"
"""Stands for the addresses of a desk's settings: its door's functions open nothing."""


class JudgedEvent(NamedTuple):
    """An event that its door will take in, ready to be sent."""

    message: Incoming
    """As it will stand in Kafka; its offset is its place in the batch."""
    identity: MessageId
    source: str
    event_id: str
    kind: type[Input]
    complaint_id: ComplaintId | None
    """The complaint it is about or becomes; None of a call."""
    content: str | None
    """See `shared.identity.content_of`; None of a call."""


class Judge:
    """The doors of all desks, as far as they look at one message by itself."""

    def __init__(self, prefix: str, ruleset: str, clock: CityClock) -> None:
        """`prefix` is the city's; `ruleset` the one that new complaints are born under."""
        for_intake = IntakeSettings(kafka=NOBODY, postgres=NOBODY, topic_prefix=prefix, ruleset=ruleset)
        for_dispatch = DispatchSettings(kafka=NOBODY, postgres=NOBODY, topic_prefix=prefix)
        self._prefix = prefix
        self._doors: dict[str, Handle] = {
            TELEPHONY_CALLS.name: intake.calls(clock),
            INTAKE_REQUESTS.name: intake.requests(for_intake, clock),
            DISPATCH_REPLIES.name: dispatch.replies(for_dispatch, clock),
            DISPATCH_REVIEWS.name: dispatch.reviews(clock, prefix),
            FEEDBACK_VISIT_RESULTS.name: feedback.answers(clock, prefix),
            FEEDBACK_EXCEPTIONS.name: feedback.exceptions(clock, prefix),
        }

    def judged(self, key: Key, events: Sequence[HttpEvent]) -> list[JudgedEvent]:
        """All of them, ready to be sent; `HttpRefusal` names the first that cannot be taken in, and why."""
        found = [self._looked_at(key, event, place) for place, event in enumerate(events)]
        batch = Batch()
        self._doors[key.line.name]([one.message for one in found], batch)
        if batch.parked:
            first = min(batch.parked, key=lambda one: one.message.offset)
            raise refused_by_door(first.reason, events[first.message.offset])
        asked = {work.message.offset: work for work in batch.work if work.message is not None}
        return [_with_work(one, asked.get(one.message.offset)) for one in found]

    def _looked_at(self, key: Key, event: HttpEvent, place: int) -> JudgedEvent:
        line = key.line
        topic = self._prefix + key.topic
        now_ms = int(time.time() * 1000)
        message = Incoming(topic, 0, place, now_ms, None, event.headers, event.value)
        try:
            told = event_of(message, line.inputs)
        except BadInput as error:
            raise refused_by_door(str(error), event) from None
        if told.source not in key.sources:
            raise HttpRefusal(
                ProblemKind.NOT_ALLOWED,
                "The key may not speak for this source.",
                field="source" if told.structured else "ce-source",
                expected=" or ".join(key.sources),
                **at(event.place),
            )
        kind = type(told.data)
        try:
            closed(_data_of(event), kind)
        except UnknownField as error:
            raise HttpRefusal(
                ProblemKind.BAD_EVENT,
                f"{kind.TYPE} has no field of this name.",
                field=error.field[:200],
                expected="a field of the schema",
                **at(event.place),
            ) from None
        record_key = key_of(told.data).encode()
        message = ReadMessage(
            topic,
            partition_of(record_key, line.partitions),
            place,
            now_ms,
            record_key,
            event.headers,
            event.value,
            event=told,
        )
        identity = message_id(key.topic, told.source, told.id)
        return JudgedEvent(message, identity, told.source, told.id, kind, None, None)


def _with_work(one: JudgedEvent, work: Work | None) -> JudgedEvent:
    return one if work is None else one._replace(complaint_id=work.complaint_id, content=work.content)


def _data_of(event: HttpEvent) -> bytes:
    headers = dict(event.headers)
    if is_structured(headers, event.value):
        return opened(headers.get("content-type"), event.value).data
    return event.value


def refused_by_door(reason: str, event: HttpEvent) -> HttpRefusal:
    """The refusal of an event that its door would set aside, with the door's own words."""
    wrong = wrong_field(reason)
    more: dict[str, Any] = dict(at(event.place))
    if wrong.field is not None:
        more["field"] = wrong.field.replace("ce_", "ce-", 1) if wrong.field.startswith("ce_") else wrong.field
    if wrong.expected is not None:
        more["expected"] = wrong.expected
    told = reason.replace("header ce_", "header ce-", 1)
    return HttpRefusal(ProblemKind.BAD_EVENT, sentence(told), **more)
