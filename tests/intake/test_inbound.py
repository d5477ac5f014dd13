"""Intake's doors: requests into commands, calls into their register, and what is set aside."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations

import pytest
from msgspec.structs import replace

from services.intake.decisions.recording import AskedToRecord
from services.intake.inbound import calls, requests
from services.intake.settings import Settings
from shared.ids import complaint_id, message_id
from shared.inputs import CallAnswered, CallEnded, CallOffered
from shared.runtime.clock import AHEAD_MAX, SystemClock
from shared.topics import INTAKE_REQUESTS
from tests.doors import BAD, NOW, SOURCE, Bad, asked, clock, filled, message, refused, spoiled
from tests.examples import (
    ANSWER_REPLY,
    CALL_ENDED,
    CALL_OFFERED,
    CALL_TAKEN,
    CALLED_AT,
    ID,
    INSTANT,
    RECORD,
    REQUEST,
    WITHDRAW,
    WITHDRAWAL,
)
from tests.examples import (
    told as altered,
)

SETTINGS = Settings(kafka="not asked", postgres="not asked", ruleset="beijing-draft-2021")
BOSTON = Settings(kafka="not asked", postgres="not asked", ruleset="boston-311-2011")
REQUESTS = requests(SETTINGS, clock())
CALLS = calls(clock())
DUE_AT = datetime(2021, 9, 30, 12, tzinfo=UTC)


# --- requests


def test_a_recorded_request_is_to_be_put_on_record_at_its_own_time() -> None:
    work = asked(REQUESTS, message(REQUEST, "intake.requests"))
    assert work.command == RECORD
    assert work.complaint_id == ID
    assert work.message_id == work.caused_by == message_id(INTAKE_REQUESTS.name, SOURCE, "1")


def test_a_withdrawn_request_is_to_be_withdrawn() -> None:
    work = asked(REQUESTS, message(WITHDRAWAL, "intake.requests"))
    assert work.command == altered(WITHDRAW, at=CALLED_AT)


def test_a_withdrawal_counts_when_it_arrived() -> None:
    """In real time the broker's stamp, in a rehearsal what the message says; a request keeps its own time."""
    arrived_at = CALLED_AT + timedelta(hours=9)
    arrived_ms = int(arrived_at.timestamp() * 1000)
    late = replace(message(WITHDRAWAL, "intake.requests"), sent_at_ms=arrived_ms)
    real = requests(SETTINGS, SystemClock())
    assert asked(real, late).command.at == arrived_at
    assert asked(REQUESTS, late).command.at == CALLED_AT
    told = replace(message(REQUEST, "intake.requests"), sent_at_ms=arrived_ms)
    assert asked(real, told).command.at == CALLED_AT


def test_the_same_request_in_another_event_is_the_same_complaint() -> None:
    first = asked(REQUESTS, message(REQUEST, "intake.requests", event_id="1"))
    second = asked(REQUESTS, message(REQUEST, "intake.requests", event_id="2"))
    assert first.complaint_id == second.complaint_id
    assert first.message_id != second.message_id


def test_a_request_carries_what_its_sender_left_out_as_the_contract_says() -> None:
    bare = spoiled(
        REQUEST,
        call_id=None,
        channel=None,
        urgency=None,
        street=None,
        address=None,
        content=None,
        recorded_by=None,
    )
    work = asked(REQUESTS, replace(message(REQUEST, "intake.requests"), value=bare)).command
    assert isinstance(work, AskedToRecord)
    assert work.command == replace(
        REQUEST, call_id=None, street=None, address="", content="", recorded_by="agent"
    )


def test_a_field_of_a_newer_sender_is_ignored() -> None:
    newer = spoiled(REQUEST, mood="patient")
    assert asked(REQUESTS, replace(message(REQUEST, "intake.requests"), value=newer)).command == RECORD


def test_times_come_in_any_zone_and_are_kept_in_utc() -> None:
    beijing = timezone(timedelta(hours=8))
    told = message(
        replace(REQUEST, given_due_at=DUE_AT.astimezone(beijing)),
        "intake.requests",
        at=CALLED_AT.astimezone(beijing),
    )
    work = asked(REQUESTS, told).command
    assert isinstance(work, AskedToRecord)
    assert (work.at, work.command.given_due_at) == (CALLED_AT, DUE_AT)
    assert work.at.tzinfo is UTC
    assert work.command.given_due_at is not None
    assert work.command.given_due_at.tzinfo is UTC


def test_where_the_city_gives_each_limit_a_request_without_one_is_set_aside() -> None:
    boston = requests(BOSTON, clock())
    assert "given_due_at: missing" in refused(boston, message(REQUEST, "intake.requests"))
    with_limit = message(replace(REQUEST, given_due_at=DUE_AT), "intake.requests")
    assert asked(boston, with_limit).command.ruleset == "boston-311-2011"


@pytest.mark.parametrize(
    ("field", "value", "expectation"),
    [
        ("request_id", None, "missing required field `request_id`"),
        ("request_id", "", "length >= 1 - at `$.request_id`"),
        ("request_id", "x" * 129, "length <= 128 - at `$.request_id`"),
        ("request_id", 7, "Expected `str`, got `int` - at `$.request_id`"),
        ("title", None, "missing required field `title`"),
        ("title", "x" * 201, "length <= 200 - at `$.title`"),
        ("content", "水" * 4001, "length <= 4000 - at `$.content`"),
        ("urgency", "WHENEVER", "got another text - at `$.urgency`"),
        ("request_type", "GOSSIP", "got another text - at `$.request_type`"),
        ("article_version", 0, ">= 1 - at `$.article_version`"),
        ("given_due_at", "2021-09-30T00:00:00", "no time zone, expected RFC 3339"),
        (
            "given_due_at",
            "0001-01-01T00:00:00+14:00",
            "0001-01-01T00:00:00+14:00 lies outside the years 1 to 9999",
        ),
        ("title", "a\0b", "title: holds the character U+0000"),
    ],
)
def test_a_bad_field_is_refused_by_name(field: str, value: object, expectation: str) -> None:
    bad = replace(message(REQUEST, "intake.requests"), value=spoiled(REQUEST, **{field: value}))
    reason = refused(REQUESTS, bad)
    assert reason.startswith("data: ")
    assert expectation in reason


def test_text_that_only_looks_like_u0000_is_text() -> None:
    work = asked(REQUESTS, message(replace(REQUEST, title="\\u0000"), "intake.requests")).command
    assert isinstance(work, AskedToRecord)
    assert work.command.title == "\\u0000"


def test_a_clock_a_little_ahead_is_believed_and_one_beyond_that_is_not() -> None:
    assert (
        asked(REQUESTS, message(REQUEST, "intake.requests", at=NOW + AHEAD_MAX)).command.at == NOW + AHEAD_MAX
    )
    reason = refused(REQUESTS, message(REQUEST, "intake.requests", at=NOW + AHEAD_MAX + INSTANT))
    assert reason.startswith("header ce_time")


def test_an_input_for_another_door_is_set_aside_and_told_what_is_taken_in_here() -> None:
    reason = refused(REQUESTS, message(ANSWER_REPLY, "intake.requests"))
    assert "'hotline.order.answer.v1' is not taken in here" in reason
    assert "hotline.request.record.v1, hotline.request.withdraw.v1" in reason


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_message_that_cannot_be_understood_is_set_aside_and_the_reason_names_the_field(bad: Bad) -> None:
    reason = refused(REQUESTS, bad.spoil(message(REQUEST, "intake.requests")))
    assert reason.startswith(f"{bad.field}:")
    assert bad.expectation in reason


def test_a_bad_message_stops_no_good_one() -> None:
    good = message(REQUEST, "intake.requests")
    batch = filled(REQUESTS, *(bad.spoil(good) for bad in BAD), good)
    assert len(batch.parked) == len(BAD)
    assert [work.command for work in batch.work] == [RECORD]


# --- calls: a register, the same in any order


def register(
    *told: CallOffered | CallAnswered | CallEnded, seconds: tuple[int, ...], event_id: str = ""
) -> set[tuple[object, ...]]:
    """What a batch of call events brings: call, instant, what was told. Each has an id of its own, or all this one."""
    incoming = [
        message(
            event,
            "telephony.calls",
            at=CALLED_AT + timedelta(seconds=after),
            event_id=event_id or str(number),
        )
        for number, (event, after) in enumerate(zip(told, seconds, strict=True))
    ]
    batch = filled(CALLS, *incoming)
    assert (batch.work, batch.parked) == ([], [])
    assert batch.effect is not None
    statement, columns = batch.effect
    assert statement.startswith("SELECT intake.note_calls(")
    return set(zip(*columns[:3], strict=True))  # type: ignore[call-overload]  # columns are lists


def test_who_took_a_call_and_the_place_of_its_caller_go_with_it() -> None:
    offered = CallOffered(call_id="call-1", caller="0a" * 16)
    answered = CallAnswered(call_id="call-1", agent=" 1001 ")
    batch = filled(
        CALLS, *(message(one, "telephony.calls", event_id=one.TYPE) for one in (offered, answered))
    )
    assert batch.effect is not None
    assert batch.effect[1][3:] == (["", "1001"], [bytes.fromhex("0a" * 16), None])


def after(seconds: int) -> datetime:
    return CALLED_AT + timedelta(seconds=seconds)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_all_that_is_told_of_a_call_is_kept_whatever_the_order_of_its_events(order: tuple[int, ...]) -> None:
    """T1: the register unites sets; what a set comes to is said in test_register.py."""
    told = [(CALL_OFFERED, 0), (CALL_TAKEN, 15), (CALL_ENDED, 200)]
    events = [told[place] for place in order]
    rows = register(*(event for event, _ in events), seconds=tuple(second for _, second in events))
    assert rows == {
        ("call-1", after(0), "offered"),
        ("call-1", after(15), "answered"),
        ("call-1", after(200), "ended hangup"),
    }


def test_what_a_switch_says_of_a_call_is_kept_with_it() -> None:
    """Reckoned, only out of a queue, and a cause nobody knows: one of a closed set."""
    told = [
        replace(CALL_OFFERED, reckoned=True),
        replace(CALL_TAKEN, reckoned=True),
        replace(CALL_ENDED, left_queue=True, cause="Time-Out"),
        replace(CALL_ENDED, cause="BLOCKED"),
    ]
    assert {what for _, _, what in register(*told, seconds=(0, 1, 2, 3))} == {
        "reckoned offered",
        "reckoned answered",
        "left other",
        "ended busy",
    }


def test_two_call_events_of_one_id_and_other_content_are_both_kept_in_any_order() -> None:
    """The register keeps no inbox; each says its own (decision 0030)."""
    events = (CALL_OFFERED, CALL_TAKEN, CALL_ENDED, CallOffered(call_id="call-2"))
    for told in permutations(zip(events, (0, 15, 200, 5), strict=True)):
        seconds = tuple(second for _, second in told)
        assert register(*(event for event, _ in told), seconds=seconds, event_id="7") == {
            ("call-1", after(0), "offered"),
            ("call-1", after(15), "answered"),
            ("call-1", after(200), "ended hangup"),
            ("call-2", after(5), "offered"),
        }


def test_calls_do_not_mix() -> None:
    other = CallOffered(call_id="call-2")
    assert register(CALL_OFFERED, other, seconds=(0, 5)) == {
        ("call-1", after(0), "offered"),
        ("call-2", after(5), "offered"),
    }


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_bad_call_event_is_set_aside_and_leaves_no_row(bad: Bad) -> None:
    reason = refused(CALLS, bad.spoil(message(CALL_OFFERED, "telephony.calls")))
    assert reason.startswith(f"{bad.field}:")
    assert bad.expectation in reason


def test_a_request_on_the_telephones_topic_is_set_aside() -> None:
    assert "is not taken in here" in refused(CALLS, message(REQUEST, "telephony.calls"))


def test_a_call_id_the_database_could_not_store_is_set_aside() -> None:
    """One such call in a batch would keep the whole batch from being written."""
    assert "U+0000" in refused(CALLS, message(CallOffered(call_id="a\0b"), "telephony.calls"))


def test_a_bad_call_event_keeps_no_good_one_out_of_the_register() -> None:
    good = message(CALL_OFFERED, "telephony.calls")
    batch = filled(CALLS, replace(good, value=None), good)
    assert len(batch.parked) == 1
    assert batch.effect is not None


def test_complaints_are_named_after_their_requests() -> None:
    assert complaint_id(REQUEST.request_id) == ID
