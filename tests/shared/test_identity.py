"""Who an input is and what it says: for every door and every field of every input, by their registries."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Any, ClassVar, Final

import msgspec
import pytest
from msgspec.structs import replace

from services.dispatch.inbound import replies, reviews
from services.dispatch.settings import Settings as DispatchSettings
from services.feedback.inbound import answers, exceptions
from services.intake.inbound import requests
from services.intake.settings import Settings as IntakeSettings
from shared.desk import Desk
from shared.doors.unread_records import Handle
from shared.events import Fact
from shared.identity import content_of
from shared.ids import ComplaintId, complaint_id, derived, message_id
from shared.inputs import INPUTS, Input
from shared.log.memory import Memory, MemoryLog
from shared.open_batch import OTHER_CONTENT
from shared.runtime.telemetry import Telemetry
from shared.topic_names import speaker_of
from shared.topics import (
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_EXCEPTIONS,
    FEEDBACK_VISIT_RESULTS,
    INTAKE_REQUESTS,
    TELEPHONY_CALLS,
    TOPICS,
    Topic,
)
from shared.work import Batch, Work
from tests import examples as eg
from tests.doors import SOURCE, asked, clock, message

PREFIX: Final = "haidian."
WHERE: Final[dict[str, Any]] = {"kafka": "not asked", "postgres": "not asked", "topic_prefix": PREFIX}
DOORS: Final[dict[str, Handle]] = {
    INTAKE_REQUESTS.name: requests(IntakeSettings(**WHERE), clock()),
    DISPATCH_REPLIES.name: replies(DispatchSettings(**WHERE), clock()),
    DISPATCH_REVIEWS.name: reviews(clock(), PREFIX),
    FEEDBACK_VISIT_RESULTS.name: answers(clock(), PREFIX),
    FEEDBACK_EXCEPTIONS.name: exceptions(clock(), PREFIX),
}
"""Every door with an inbox; calls are merged into a register instead."""
INBOUND: Final = [topic for topic in TOPICS if topic.speaker != "relay" and topic is not TELEPHONY_CALLS]

EXAMPLES: Final = pytest.mark.parametrize("data", eg.INPUTS, ids=lambda data: type(data).__name__)
HEARD: Final = pytest.mark.parametrize(
    ("line", "data"),
    [(line, data) for line in INBOUND for data in eg.INPUTS if type(data) in line.carries],
    ids=lambda one: one.name if isinstance(one, Topic) else type(one).__name__,
)


def test_every_door_with_an_inbox_is_in_this_table() -> None:
    assert {line.name for line in INBOUND} == set(DOORS)


# -- who


def topics_of(line: Topic) -> list[str]:
    """The topics of two who speak there, and the plain one where there is one."""
    if line.per_unit:
        return [line.of(eg.STREET), line.of(eg.WATER)]
    return [line.name, f"{line.name}.web", f"{line.name}.app"]


@HEARD
def test_the_topic_it_came_on_is_who_it_is_whatever_source_it_claims(line: Topic, data: Input) -> None:
    """Two speakers may count their events alike; the city's prefix is no part of it."""
    found = [
        asked(DOORS[line.name], message(data, PREFIX + topic, event_id="7")) for topic in topics_of(line)
    ]
    assert [work.message_id for work in found] == [
        message_id(topic, SOURCE, "7") for topic in topics_of(line)
    ]
    assert [work.caused_by for work in found] == [work.message_id for work in found]
    assert len({work.message_id for work in found}) == len(found)


@pytest.mark.parametrize("line", TOPICS, ids=lambda line: line.name)
def test_the_speaker_of_a_topic_is_what_stands_behind_the_plain_name(line: Topic) -> None:
    plain = line.name.removesuffix(".{unit}")
    assert speaker_of(PREFIX + f"{plain}.web-1", PREFIX, line) == "web-1"
    assert speaker_of(f"{plain}.web", "", line) == "web"
    assert speaker_of(PREFIX + plain, PREFIX, line) == ""
    for other in (f"{plain}s", "elsewhere", PREFIX + plain):
        with pytest.raises(ValueError, match="is none of"):
            speaker_of(other, "", line)


def test_a_speakers_number_is_another_complaint_than_the_same_number_of_another() -> None:
    """And no number can be written so that it is another speaker's."""
    known = [
        complaint_id("1"),
        complaint_id("1", "web"),
        complaint_id("1", "app"),
        complaint_id("web\x1f1"),
        complaint_id("1\x1fweb"),
        complaint_id("of\x1fweb\x1f1"),
        complaint_id("1", "we"),
    ]
    assert len(set(known)) == len(known)
    assert complaint_id("1", "") == complaint_id("1") == derived("complaint", "1")


# -- what


@EXAMPLES
def test_how_it_is_written_is_not_what_it_says(data: Input) -> None:
    """Order of keys, fields nobody reads, and what is said by leaving it out."""
    whole = {field.name: getattr(data, field.name) for field in msgspec.structs.fields(data)}
    spelled = json.loads(msgspec.json.encode(whole))
    turned = dict(reversed(spelled.items())) | {"a_field_of_a_later_version": [1, {"x": "y"}]}
    again = msgspec.json.decode(json.dumps(turned), type=type(data))
    assert content_of(again) == content_of(data)
    assert len(content_of(data)) == 32


def another(value: Any) -> Any:
    """Something else of the same kind; the first of its list where it is a code."""
    match value:
        case bool():
            return not value
        case Enum():
            return next(one for one in type(value) if one is not value)
        case int():
            return value + 1
        case str():
            return value + "1"
        case datetime():
            return value + timedelta(microseconds=1)
        case tuple():
            return value[:-1]
        case _:
            return None


@EXAMPLES
def test_every_field_is_part_of_what_it_says(data: Input) -> None:
    said = {content_of(data)}
    for field in msgspec.structs.fields(data):
        value = getattr(data, field.name)
        changed = another(value)
        if changed is None:  # nothing is said there in the example
            changed = another(next(iter(_values(field.type)), "x"))
        said.add(content_of(replace(data, **{field.name: changed})))
    fields = [field for field in msgspec.structs.fields(data) if getattr(data, field.name) != ()]
    assert len(said) >= 1 + len(fields)


def _values(kind: Any) -> list[Any]:
    if "datetime" in str(kind):
        return [eg.CALLED_AT]
    if "bool" in str(kind):
        return [False]
    listed = [one for one in getattr(kind, "__args__", ()) if isinstance(one, type) and issubclass(one, Enum)]
    return [next(iter(one)) for one in listed]


class Timed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Shaped as an input, and none: those of today have no time of their own, this one has two."""

    TYPE: ClassVar[str] = "hotline.test.timed.v1"
    began_at: datetime
    ended_at: datetime | None = None


@pytest.mark.parametrize("name", ["began_at", "ended_at"])
@pytest.mark.parametrize(
    "at", [eg.CALLED_AT, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
def test_an_instant_is_the_same_in_every_zone(name: str, at: datetime) -> None:
    data = Timed(began_at=eg.CALLED_AT)
    try:
        local = at.astimezone(timezone(timedelta(hours=8)))
    except OverflowError:
        local = at
    here, there = (replace(data, **{name: one}) for one in (at, local))
    assert content_of(here) == content_of(there)
    edge = replace(data, **{name: datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))})
    assert content_of(edge) != content_of(here), "what lies before all time is itself"


def test_two_inputs_of_the_same_fields_say_different_things() -> None:
    """The type is part of it: an extension approved is no pause approved."""
    fields = {"complaint_id": eg.ID, "assignment": 1, "approved": True, "reviewer": "r"}
    kinds = ("hotline.extension.review.v1", "hotline.pause.review.v1", "hotline.termination.review.v1")
    assert len({content_of(msgspec.convert(fields, INPUTS[kind])) for kind in kinds}) == 3


# -- an id with other content


@dataclass
class Room:
    """A desk that obeys everything with nothing, on a log in memory."""

    memory: Memory

    @classmethod
    def new(cls) -> Room:
        return cls(Memory(lambda: eg.CALLED_AT))

    async def takes(self, *works: Work) -> tuple[int, int]:
        """How many were repeats and how many parked; each time by a desk that has just begun."""
        said = await Desk("desk", _nothing, MemoryLog(self.memory, "desk"), Telemetry("desk")).obey(
            Batch(work=list(works))
        )
        return said.repeats, said.parked


def _nothing(command: object, case: object) -> list[Fact]:
    del command, case
    return []


Arrival = Callable[[Room, Work, Work], Any]


async def _in_one_batch(room: Room, first: Work, second: Work) -> tuple[int, int]:
    return await room.takes(first, second)


async def _in_two(room: Room, first: Work, second: Work) -> tuple[int, int]:
    assert await room.takes(first) == (0, 0)
    return await room.takes(second)


@pytest.mark.parametrize("arrive", [_in_one_batch, _in_two])
@HEARD
async def test_a_known_id_with_other_content_is_set_aside_by_itself_at_every_door(
    line: Topic, data: Input, arrive: Arrival
) -> None:
    """In one batch and in two, the second by a desk that has begun anew; the same content is a repeat."""
    topic = PREFIX + topics_of(line)[-1]

    def work(said: Input, offset: int) -> Work:
        return asked(DOORS[line.name], message(said, topic, event_id="7", offset=offset))

    other = (
        next(one for one in eg.INPUTS if type(one) in line.carries and type(one) is not type(data))
        if (len(line.carries) > 1)
        else replace(data, reason="另一个理由")
    )  # type: ignore[call-arg]
    assert await arrive(Room.new(), work(data, 1), work(data, 2)) == (1, 0)
    room = Room.new()
    assert await arrive(room, work(data, 1), work(other, 2)) == (0, 1)
    (kept,) = room.memory.parked.values()
    assert kept.parked.complaint_id is None, "nothing of the first's complaint waits behind it"
    assert kept.parked.reason == OTHER_CONTENT
    assert kept.parked.reason.startswith("header ce_id: ")
    assert await room.takes(work(data, 3)) == (1, 0), "the first is known as ever"
    assert await room.takes(work(other, 2)) == (0, 1), "and released it is set aside again"


async def test_a_row_of_before_contents_were_kept_makes_a_repeat_of_whatever_comes() -> None:
    room = Room.new()
    work = asked(DOORS[INTAKE_REQUESTS.name], message(eg.REQUEST, PREFIX + INTAKE_REQUESTS.name))
    room.memory.inbox["desk", work.message_id or ""] = None
    assert await room.takes(work) == (1, 0)


async def test_what_was_set_aside_before_it_was_taken_in_is_not_known_by_its_id() -> None:
    """A sender may mend what was parked and send it again under the same id; the old copy then has other content."""
    room = Room.new()
    mended, wrong = (
        asked(
            DOORS[INTAKE_REQUESTS.name],
            message(replace(eg.REQUEST, title=title), PREFIX + INTAKE_REQUESTS.name, offset=offset),
        )
        for offset, title in ((2, "right"), (1, "wrong"))
    )
    assert await room.takes(mended) == (0, 0)
    assert await room.takes(wrong) == (0, 1)


def test_two_complaints_of_two_speakers_are_about_two_commands() -> None:
    line = INTAKE_REQUESTS.name
    works = [asked(DOORS[line], message(eg.REQUEST, f"{PREFIX}{line}{who}")) for who in ("", ".web", ".app")]
    assert [work.complaint_id for work in works] == [
        ComplaintId(complaint_id(eg.REQUEST_ID, who)) for who in ("", "web", "app")
    ]
    claims = {work.claim.id for work in works if work.claim is not None}
    assert len(claims) == 1, "a call is the same call, whoever records it (T7)"
