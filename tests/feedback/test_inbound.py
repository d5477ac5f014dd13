"""Feedback's doors: what the dialler and the supervisors say into commands, and what is set aside."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from services.feedback.inbound import answers, exceptions
from shared.doors.unread_records import Handle
from shared.ids import message_id
from shared.inputs import Input
from shared.runtime.clock import Clock, SystemClock
from shared.topics import FEEDBACK_EXCEPTIONS, FEEDBACK_VISIT_RESULTS
from tests.doors import BAD, SOURCE, Bad, asked, clock, filled, message, refused, spoiled
from tests.examples import (
    ANSWER_REPLY,
    CLOSE,
    EXCEPTION,
    ID,
    NO_ANSWER,
    RECORD_UNREACHED,
    RECORD_VISIT,
    VISIT_RESULT,
)

TOPIC = "feedback.visit-results"
ANSWERS = answers(clock())
EXCEPTIONS = exceptions(clock())


def door_of(data: Input) -> tuple[Handle, str]:
    """The door this input is for, and its topic."""
    return (EXCEPTIONS, "feedback.exceptions") if data == EXCEPTION else (ANSWERS, TOPIC)


@pytest.mark.parametrize(
    ("data", "command"),
    [(VISIT_RESULT, RECORD_VISIT), (NO_ANSWER, RECORD_UNREACHED), (EXCEPTION, CLOSE)],
)
def test_each_input_is_a_command(data: Input, command: Any) -> None:
    door, topic = door_of(data)
    work = asked(door, message(data, topic, at=command.at))
    assert work.command == command
    assert work.complaint_id == ID
    assert work.message_id == work.caused_by == message_id(topic, SOURCE, "1")


@pytest.mark.parametrize(
    ("data", "door", "topic"),
    [(VISIT_RESULT, answers, TOPIC), (EXCEPTION, exceptions, FEEDBACK_EXCEPTIONS.name)],
)
def test_a_judgement_and_an_exception_count_when_they_arrived(
    data: Input, door: Callable[[Clock], Handle], topic: str
) -> None:
    """In real time the broker's stamp, in a rehearsal what the message says."""
    late = replace(
        message(data, topic, at=RECORD_VISIT.at),
        sent_at_ms=int((RECORD_VISIT.at + timedelta(hours=2)).timestamp() * 1000),
    )
    assert asked(door(SystemClock()), late).command.at == RECORD_VISIT.at + timedelta(hours=2)
    assert asked(door(clock()), late).command.at == RECORD_VISIT.at


def test_whoever_may_write_the_citizens_answers_cannot_approve_an_exception() -> None:
    """E3: the dialler's topic does not take an approval in, nor the supervisors' topic an answer."""
    why = refused(ANSWERS, message(EXCEPTION, TOPIC))
    assert "is not taken in here, expected one of: hotline.visit.record.v1" in why
    assert "is not taken in here" in refused(EXCEPTIONS, message(VISIT_RESULT, "feedback.exceptions"))
    assert (FEEDBACK_VISIT_RESULTS.speaker, FEEDBACK_EXCEPTIONS.speaker) == ("dialler", "supervision")


@pytest.mark.parametrize(
    ("data", "field", "value", "expectation"),
    [
        (VISIT_RESULT, "solved", None, "missing required field `solved`"),
        (VISIT_RESULT, "satisfied", None, "missing required field `satisfied`"),
        (VISIT_RESULT, "satisfied", "probably", "Expected `bool`, got `str` - at `$.satisfied`"),
        (VISIT_RESULT, "visit", 0, ">= 1 - at `$.visit`"),
        (VISIT_RESULT, "reason", "x" * 401, "length <= 400 - at `$.reason`"),
        (VISIT_RESULT, "complaint_id", "17", "matching regex"),
        (NO_ANSWER, "attempt", None, "missing required field `attempt`"),
        (NO_ANSWER, "cause", "", "length >= 1 - at `$.cause`"),
        (EXCEPTION, "approved_by", None, "missing required field `approved_by`"),
        (EXCEPTION, "reason", "", "length >= 1 - at `$.reason`"),
        (EXCEPTION, "reason", "a\0", "reason: holds the character U+0000"),
    ],
)
def test_a_bad_field_is_refused_by_name(data: Input, field: str, value: object, expectation: str) -> None:
    """T19, E3: no default stands in for a judgement, nor for who approved an exception and why."""
    door, topic = door_of(data)
    reason = refused(door, replace(message(data, topic), value=spoiled(data, **{field: value})))
    assert reason.startswith("data: ")
    assert expectation in reason


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_message_that_cannot_be_understood_is_set_aside_and_the_reason_names_the_field(bad: Bad) -> None:
    reason = refused(ANSWERS, bad.spoil(message(VISIT_RESULT, TOPIC)))
    assert reason.startswith(f"{bad.field}:")
    assert bad.expectation in reason


def test_what_belongs_to_another_door_is_set_aside() -> None:
    assert "is not taken in here" in refused(ANSWERS, message(ANSWER_REPLY, TOPIC))


def test_a_bad_answer_stops_no_good_one() -> None:
    good = message(VISIT_RESULT, TOPIC, at=RECORD_VISIT.at)
    batch = filled(ANSWERS, *(bad.spoil(good) for bad in BAD), good)
    assert len(batch.parked) == len(BAD)
    assert [work.command for work in batch.work] == [RECORD_VISIT]
