"""Dispatch's doors: what units and reviewers say into commands, and what is set aside."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from services.dispatch.inbound import replies, reviews
from services.dispatch.settings import Settings
from shared.ids import UnitId, message_id
from shared.inputs import Input
from shared.log import Incoming
from shared.runtime.clock import SystemClock
from shared.topic_names import names, unit_of
from shared.topics import DISPATCH_REPLIES, DISPATCH_REVIEWS, TOPICS
from tests import examples as eg
from tests.doors import BAD, SOURCE, Bad, asked, clock, filled, message, refused, spoiled
from tests.examples import (
    ANSWER,
    ANSWER_REPLY,
    CATALOGUE,
    ID,
    OTHER_STREET,
    RETURN,
    RETURN_REPLY,
    REVIEW,
    REVIEW_RESULT,
    SIGN,
    SIGN_REPLY,
    STREET,
    WITHDRAWAL,
)

SETTINGS = Settings(kafka="not asked", postgres="not asked")
REPLIES = replies(SETTINGS, clock())
REVIEWS = reviews(clock())
THEIRS = DISPATCH_REPLIES.of(STREET)


REPLIED: dict[Input, Any] = {
    SIGN_REPLY: SIGN,
    ANSWER_REPLY: ANSWER,
    RETURN_REPLY: RETURN,
    eg.ASSIGN_REPLY: eg.ASSIGN,
    eg.EXTENSION_REPLY: eg.EXTEND,
    eg.CONTACT_REPLY: eg.CONTACT,
    eg.CONTACT_FAILED_REPLY: eg.CONTACT_IN_VAIN,
    eg.PROGRESS_REPLY: eg.PROGRESS,
    eg.PAUSE_REPLY: eg.PAUSE,
    eg.PAUSE_ENDED_REPLY: eg.END_PAUSE,
    eg.TERMINATION_REPLY: eg.TERMINATE,
    eg.DISPUTE_REPLY: eg.DISPUTE,
    eg.CO_UNIT_REPLY: eg.REPORT,
    eg.WHISTLE: eg.BLOW,
    eg.WHISTLE_ACKNOWLEDGED: eg.ACKNOWLEDGE,
    eg.WHISTLE_ARRIVED: eg.ARRIVE,
    eg.WHISTLE_MEASURE: eg.MEASURE,
    eg.WHISTLE_RELEASE: eg.RELEASE,
    eg.WHISTLE_RATING: eg.RATE_UNIT,
    eg.EXCLUSION_REPLY: eg.EXCLUDE,
}
DECIDED: dict[Input, Any] = {
    REVIEW_RESULT: REVIEW,
    eg.EXTENSION_REVIEW: eg.REVIEW_EXTENSION,
    eg.PAUSE_REVIEW: eg.REVIEW_PAUSE,
    eg.TERMINATION_REVIEW: eg.REVIEW_TERMINATION,
    eg.COUNCIL_RESULT: eg.COUNCIL,
    eg.CO_UNIT: eg.ADD_CO_UNIT,
    eg.RECLASSIFICATION: eg.RECLASSIFY,
    eg.AMENDMENT: eg.AMEND,
    eg.EXCLUSION_REVIEW: eg.REVIEW_EXCLUSION,
    eg.SENT_BACK_RESULT: eg.SEND_BACK,
}


def reply(data: Input, topic: str = THEIRS) -> Incoming:
    return message(data, topic, at=REPLIED[data].at if data in REPLIED else ANSWER.at)


@pytest.mark.parametrize("data", REPLIED, ids=lambda data: type(data).__name__)
def test_a_units_reply_is_a_command_in_the_name_of_the_topics_unit(data: Input) -> None:
    command = REPLIED[data]
    work = asked(REPLIES, reply(data, DISPATCH_REPLIES.of(command.unit)))
    assert work.command == command
    assert work.complaint_id == ID
    assert work.message_id == work.caused_by == message_id(DISPATCH_REPLIES.of(command.unit), SOURCE, "1")


@pytest.mark.parametrize("data", DECIDED, ids=lambda data: type(data).__name__)
def test_what_reviewers_and_councils_decided_is_a_command(data: Input) -> None:
    work = asked(REVIEWS, message(data, DISPATCH_REVIEWS.name, at=DECIDED[data].at))
    assert work.command == DECIDED[data]
    assert work.complaint_id == ID


def test_the_same_source_and_id_on_another_topic_is_another_event() -> None:
    """Two units that both number from 1 under a source they both claim; and the reviewers beside them."""
    told = [
        asked(REPLIES, reply(SIGN_REPLY)),
        asked(REPLIES, reply(SIGN_REPLY, DISPATCH_REPLIES.of(OTHER_STREET))),
        asked(REVIEWS, message(REVIEW_RESULT, DISPATCH_REVIEWS.name, at=REVIEW.at)),
    ]
    assert len({work.message_id for work in told}) == 3
    assert asked(REPLIES, reply(SIGN_REPLY)).message_id == told[0].message_id


def test_the_topic_says_who_speaks_whatever_the_body_leaves_out() -> None:
    """The topic is the border: only that unit may write to it."""
    command = asked(REPLIES, reply(SIGN_REPLY, DISPATCH_REPLIES.of(OTHER_STREET))).command
    assert command.unit == OTHER_STREET


def test_a_unit_that_names_itself_rightly_is_heard() -> None:
    assert asked(REPLIES, reply(replace(SIGN_REPLY, unit=STREET))).command.unit == STREET


@pytest.mark.parametrize("data", [SIGN_REPLY, ANSWER_REPLY, RETURN_REPLY])
def test_a_body_that_claims_another_unit_than_its_topic_is_set_aside(data: Input) -> None:
    reason = refused(REPLIES, reply(replace(data, unit=OTHER_STREET)))  # type: ignore[type-var]  # all have it
    assert reason == "data: unit: another than 'street-huayuanlu', whose topic this is"


def test_in_a_city_with_a_prefix_the_unit_is_what_follows_the_door() -> None:
    prefixed = replies(Settings(kafka="not asked", postgres="not asked", topic_prefix="west."), clock())
    assert asked(prefixed, reply(SIGN_REPLY, "west." + THEIRS)).command.unit == STREET


def test_every_units_topic_leads_back_to_its_unit() -> None:
    made = names("west.", CATALOGUE.units)
    assert {unit_of(name, "west.", line) for name, line in made.items() if line is DISPATCH_REPLIES} == set(
        CATALOGUE.units
    )
    assert sum(line.per_unit for line in TOPICS) * len(CATALOGUE.units) == sum(
        line.per_unit for line in made.values()
    )


def test_being_in_time_is_judged_by_the_broker_not_by_the_units_clock() -> None:
    """C2: a unit's clock is no evidence; in real time the stamp of arrival counts."""
    real = replies(SETTINGS, SystemClock())
    backdated = replace(
        reply(ANSWER_REPLY), sent_at_ms=int((ANSWER.at + timedelta(days=9)).timestamp() * 1000)
    )
    assert asked(real, backdated).command.at == ANSWER.at + timedelta(days=9)
    assert asked(REPLIES, backdated).command.at == ANSWER.at, "in a rehearsal the message says when"


def test_a_reviewers_decision_is_a_command() -> None:
    assert asked(REVIEWS, message(REVIEW_RESULT, "dispatch.reviews", at=REVIEW.at)).command == REVIEW
    elsewhere = replace(REVIEW_RESULT, to_unit=OTHER_STREET)
    assert asked(REVIEWS, message(elsewhere, "dispatch.reviews")).command.command.to_unit == UnitId(
        OTHER_STREET
    )


@pytest.mark.parametrize(
    ("data", "field", "value", "expectation"),
    [
        (SIGN_REPLY, "complaint_id", None, "missing required field `complaint_id`"),
        (SIGN_REPLY, "complaint_id", "17", "matching regex"),
        (SIGN_REPLY, "complaint_id", ID.upper(), "matching regex"),
        (SIGN_REPLY, "assignment", None, "missing required field `assignment`"),
        (SIGN_REPLY, "assignment", 0, ">= 1 - at `$.assignment`"),
        (SIGN_REPLY, "assignment", "1", "Expected `int`, got `str` - at `$.assignment`"),
        (SIGN_REPLY, "assignment", 1.5, "Expected `int`, got `float` - at `$.assignment`"),
        (SIGN_REPLY, "assignment", 10**30, "at `$.assignment`"),
        (ANSWER_REPLY, "claims_solved", None, "missing required field `claims_solved`"),
        (ANSWER_REPLY, "claims_solved", "yes", "Expected `bool`, got `str` - at `$.claims_solved`"),
        (ANSWER_REPLY, "result", "好" * 4001, "length <= 4000 - at `$.result`"),
        (ANSWER_REPLY, "result", "a\0", "result: holds the character U+0000"),
        (RETURN_REPLY, "evidence", "", "length >= 1 - at `$.evidence`"),
        (RETURN_REPLY, "reason", None, "missing required field `reason`"),
    ],
)
def test_a_bad_field_is_refused_by_name(data: Input, field: str, value: object, expectation: str) -> None:
    reason = refused(REPLIES, replace(reply(data), value=spoiled(data, **{field: value})))
    assert reason.startswith("data: ")
    assert expectation in reason


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_reply_that_cannot_be_understood_is_set_aside_and_the_reason_names_the_field(bad: Bad) -> None:
    reason = refused(REPLIES, bad.spoil(reply(ANSWER_REPLY)))
    assert reason.startswith(f"{bad.field}:")
    assert bad.expectation in reason


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_review_that_cannot_be_understood_is_set_aside_too(bad: Bad) -> None:
    reason = refused(REVIEWS, bad.spoil(message(REVIEW_RESULT, "dispatch.reviews")))
    assert reason.startswith(f"{bad.field}:")
    assert bad.expectation in reason


def test_what_belongs_to_another_door_is_set_aside() -> None:
    assert "is not taken in here" in refused(REPLIES, reply(WITHDRAWAL))
    assert "is not taken in here" in refused(REPLIES, reply(REVIEW_RESULT))
    assert "is not taken in here" in refused(REVIEWS, message(SIGN_REPLY, "dispatch.reviews"))


def test_a_bad_reply_stops_no_good_one() -> None:
    good = reply(SIGN_REPLY)
    batch = filled(REPLIES, *(bad.spoil(good) for bad in BAD), good)
    assert len(batch.parked) == len(BAD)
    assert [work.command for work in batch.work] == [SIGN]


def test_the_example_replies_are_of_every_kind_the_door_takes_in() -> None:
    assert {type(data) for data in REPLIED} == set(DISPATCH_REPLIES.carries)
    assert {type(data) for data in DECIDED} == set(DISPATCH_REVIEWS.carries)
    assert msgspec.json.decode(reply(SIGN_REPLY).value or b"")["assignment"] == 1
