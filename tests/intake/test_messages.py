"""What comes by message: pictures and recordings stay with it (R6), and how soon it is taken up is measured (A3)."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from hotline.audit.legality.life import illegal
from services.dispatch import rules as dispatch
from services.intake import rules
from services.intake.decisions.recording import AskedToRecord
from services.intake.decisions.supplement import ATTACHMENTS_MAX
from services.intake.inbound import requests
from services.intake.response_times import Message, responses
from services.intake.settings import Settings
from shared.complaint import Complaint
from shared.events import Attachment
from shared.inputs import SupplementRequest
from shared.log.codec import encoded
from shared.policy.ruleset import ruleset
from shared.topics import INTAKE_REQUESTS
from tests import examples as eg
from tests.doors import asked, clock, filled, message
from tests.examples import CALLED_AT, CATALOGUE, HOUR, INSTANT, asks
from tests.spec import case_of, spec

given = spec(rules.decide)
MESSAGES = ruleset("beijing-draft-2021").messages
PICTURE = Attachment(uri="oss://12345/fire-lane.jpg", media_type="image/jpeg", sha256="ab" * 32)
VIDEO = Attachment(uri="oss://12345/fire-lane.mp4", media_type="video/mp4", sha256="cd" * 32)
DOOR = requests(Settings(kafka="not asked", postgres="not asked", ruleset="beijing-draft-2021"), clock())


def record(**changes: object) -> AskedToRecord:
    return AskedToRecord(
        complaint_id=eg.ID,
        command=replace(eg.REQUEST, **changes),
        ruleset=eg.RECORD.ruleset,
        calendar=eg.RECORD.calendar,
        at=CALLED_AT,
    )


# -- pictures, recordings, videos


def test_what_was_sent_with_the_request_goes_to_the_unit_with_the_order() -> None:
    """R6: where it is and what its bytes were."""
    received = replace(eg.RECEIVED, attachments=(PICTURE,))
    after = given().when(record(attachments=(PICTURE,))).then(received, eg.CLASSIFIED)
    (order,) = dispatch.decide(eg.DISPATCH, after.case, CATALOGUE)
    assert order == replace(eg.DISPATCHED, attachments=(PICTURE,))
    without = illegal(after.case, eg.DISPATCHED, eg.CLASSIFIED)
    assert without is not None
    assert "R6" in without


def test_what_is_sent_later_is_added_once_and_goes_with_a_later_order() -> None:
    """R6."""
    more = asks(
        SupplementRequest,
        complaint_id=eg.ID,
        text=eg.SUPPLEMENT.text,
        recorded_by="agent",
        attachments=(VIDEO, PICTURE),
        at=eg.ADD.at,
    )
    past = (replace(eg.RECEIVED, attachments=(PICTURE,)), eg.CLASSIFIED)
    added = replace(eg.SUPPLEMENTED, unit=None, attachments=(VIDEO, PICTURE))
    after = given(*past).when(more).then(added)
    assert isinstance(after.case, Complaint)
    assert after.case.attachments == (PICTURE, VIDEO)
    again_the_same = after.when(more).then(added)
    assert isinstance(again_the_same.case, Complaint)
    assert again_the_same.case.attachments == (PICTURE, VIDEO), "an attachment is kept once"
    another = replace(VIDEO, uri="oss://12345/other.mp4")
    again = asks(
        SupplementRequest,
        complaint_id=eg.ID,
        text=eg.SUPPLEMENT.text,
        recorded_by="agent",
        attachments=(another,),
        at=eg.ADD.at,
    )
    (said,) = after.when(again).facts
    assert case_of((*past, added, said)).attachments == (PICTURE, VIDEO, another)  # type: ignore[union-attr]


def test_told_again_with_other_pictures_it_is_another_request() -> None:
    """R6, T7."""
    given(replace(eg.RECEIVED, attachments=(PICTURE,)), eg.CLASSIFIED).sets_aside(
        record(), "says something else (attachments)"
    )


def test_more_than_a_head_can_carry_is_refused_and_named() -> None:
    """R6."""
    many = tuple(replace(PICTURE, uri=f"oss://12345/{number}") for number in range(ATTACHMENTS_MAX))
    more = asks(
        SupplementRequest,
        complaint_id=eg.ID,
        text="还有",
        recorded_by="agent",
        attachments=(VIDEO,),
        at=eg.ADD.at,
    )
    given(replace(eg.RECEIVED, attachments=many), eg.CLASSIFIED).when(more).then_refused(
        "supplement", "attachments: with what is on record more than 100"
    )


def test_where_nothing_was_sent_nothing_is_said_of_it() -> None:
    assert b"attachments" not in encoded(eg.RECEIVED)
    assert b"attachments" not in encoded(eg.DISPATCHED)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uri", "fire-lane.jpg"),
        ("uri", "oss://a b"),
        ("media_type", "jpeg"),
        ("media_type", "model/stl"),
        ("sha256", "AB" * 32),
        ("sha256", "ab"),
    ],
)
def test_an_attachment_that_says_not_where_or_what_it_is_is_named(field: str, value: str) -> None:
    """R6: the message is set aside, and nothing else stops."""
    data = msgspec.to_builtins(eg.REQUEST) | {"attachments": [msgspec.to_builtins(PICTURE) | {field: value}]}
    told = replace(message(eg.REQUEST, INTAKE_REQUESTS.name), value=msgspec.json.encode(data))
    (parked,) = filled(DOOR, told).parked
    assert f"attachments[...].{field}" in parked.reason or f"$.attachments[0].{field}" in parked.reason


# -- how soon


def test_when_it_was_sent_stays_with_the_record() -> None:
    """A3."""
    sent_at = CALLED_AT - timedelta(minutes=2)
    command = record(call_id=None, channel="sms", sent_at=sent_at)
    given().when(command).then(
        replace(eg.RECEIVED, call_id=None, channel="sms", sent_at=sent_at), eg.CLASSIFIED
    )


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"call_id": None, "sent_at": CALLED_AT + INSTANT}, "sent_at: expected at most the event's time"),
        ({"sent_at": CALLED_AT}, "sent_at: a call is not sent"),
    ],
)
def test_a_message_answered_before_it_was_sent_is_set_aside(changes: dict[str, object], because: str) -> None:
    """A3."""
    told = message(replace(eg.REQUEST, **changes), INTAKE_REQUESTS.name, at=CALLED_AT)
    (parked,) = filled(DOOR, told).parked
    assert because in parked.reason


def test_a_message_sent_as_it_is_taken_up_is_taken_in() -> None:
    """A3."""
    told = message(
        replace(eg.REQUEST, call_id=None, channel="sms", sent_at=CALLED_AT),
        INTAKE_REQUESTS.name,
        at=CALLED_AT,
    )
    assert asked(DOOR, told).command.command.sent_at == CALLED_AT


@pytest.mark.parametrize(
    ("channel", "within"),
    [
        ("sms", timedelta(minutes=3)),
        ("wechat", timedelta(minutes=3)),
        ("web", 2 * HOUR),
        ("mailbox", 24 * HOUR),
    ],
)
def test_a_response_exactly_at_its_limit_is_in_time(channel: str, within: timedelta) -> None:
    """A3: three minutes, two hours (draft), a day; by channel."""

    def after(wait: timedelta) -> Message:
        return Message(channel, CALLED_AT, CALLED_AT + wait)

    found = responses([after(within), after(within + INSTANT)], MESSAGES)
    (said,) = (one for one in found if one.channel == channel)
    assert (said.messages, said.in_time, said.rate) == (2, 1, 0.5)
    assert said.average_seconds == pytest.approx(within.total_seconds())


def test_a_channel_on_which_nothing_came_has_no_rate() -> None:
    """A3, T14."""
    found = responses([], MESSAGES)
    assert {one.channel for one in found} == set(MESSAGES.respond_within)
    assert {(one.rate, one.average_seconds) for one in found} == {(None, None)}
