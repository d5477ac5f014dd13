"""Which times an input may carry, at every door, in the header and in every field that is a time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import pytest

from hotline.lab.desks.clock import REHEARSED_AHEAD_MAX, REHEARSED_SINCE, RehearsalClock
from services.dispatch import inbound as dispatch
from services.dispatch.settings import Settings as DispatchSettings
from services.feedback import inbound as feedback
from services.intake import inbound as intake
from services.intake.settings import Settings as IntakeSettings
from shared.doors.unread_records import Handle
from shared.inputs import INPUTS, Input, RecordRequest
from shared.log import Incoming
from shared.plausible import TIME_FIELDS, arrived_at, times_of
from shared.policy.ruleset import ruleset
from shared.policy.ruleset_file import GIVEN_AHEAD_DAYS_MAX, GIVEN_BACK_DAYS_MAX
from shared.runtime.clock import (
    AHEAD_MAX,
    INPUT_AGE_DAYS_MAX,
    STAMPED_SINCE,
    Clock,
    ClockAt,
    SystemClock,
)
from shared.runtime.errors import BadInput
from shared.topics import TOPICS, Topic
from tests import examples as eg
from tests.doors import message
from tests.spoilers import IMPLAUSIBLE, put, structured, time_places, whole

NOWHERE: Final[dict[str, Any]] = {"kafka": "not asked", "postgres": "not asked"}
NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)
AGE: Final = INPUT_AGE_DAYS_MAX * DAY
MICROSECOND: Final = timedelta(microseconds=1)


def doors(clock: Clock, rules: str = "beijing-draft-2021") -> dict[str, Handle]:
    return {
        "telephony.calls": intake.calls(clock),
        "intake.requests": intake.requests(IntakeSettings(ruleset=rules, **NOWHERE), clock),
        "dispatch.replies.{unit}": dispatch.replies(DispatchSettings(**NOWHERE), clock),
        "dispatch.reviews": dispatch.reviews(clock),
        "feedback.visit-results": feedback.answers(clock),
        "feedback.exceptions": feedback.exceptions(clock),
    }


def line_of(kind: type[Input]) -> Topic:
    (line,) = (line for line in TOPICS if kind in line.carries)
    return line


def incoming(data: Input, at: datetime = NOW, **fields: Any) -> Incoming:
    good = message(data, line_of(type(data)).of(eg.STREET), at=NOW)
    headers = tuple(
        (name, at.isoformat().encode() if name == "ce_time" else value) for name, value in good.headers
    )
    value = msgspec.json.encode({**msgspec.to_builtins(data), **fields})
    return msgspec.structs.replace(good, headers=headers, value=value)


def parked(told: Incoming, clock: Clock, rules: str = "beijing-draft-2021") -> str | None:
    """Why it is set aside; None where it is taken in."""
    from shared.work import Batch

    batch = Batch()
    line = next(line for line in TOPICS if line.name == told.topic or line.of(eg.STREET) == told.topic)
    doors(clock, rules)[line.name]([told], batch)
    return batch.parked[0].reason if batch.parked else None


# -- every door, every time


@pytest.mark.parametrize("text", IMPLAUSIBLE)
@pytest.mark.parametrize("data", eg.INPUTS, ids=lambda data: type(data).__name__)
def test_an_event_that_happened_when_nothing_can_have_is_set_aside_by_the_name_of_its_header(
    data: Input, text: str
) -> None:
    good = incoming(data)
    headers = tuple((name, text.encode() if name == "ce_time" else value) for name, value in good.headers)
    reason = parked(msgspec.structs.replace(good, headers=headers), ClockAt(NOW))
    assert reason is not None
    assert reason.startswith("header ce_time: ")
    told, value = structured(headers, good.value or b"")
    in_structured = parked(msgspec.structs.replace(good, headers=tuple(told), value=value), ClockAt(NOW))
    assert in_structured == reason.replace("header ce_time", "attribute time")


PLACES: Final = [(data, place) for data in eg.INPUTS for place in time_places(type(data))]


@pytest.mark.parametrize("text", IMPLAUSIBLE)
@pytest.mark.parametrize(("data", "place"), PLACES, ids=lambda one: type(one).__name__)
def test_a_time_in_a_payload_that_cannot_be_is_set_aside_by_its_name(
    data: Input, place: tuple[str, ...], text: str
) -> None:
    good = incoming(data)
    value = json.dumps(put(whole(data, good.headers), place, text)).encode()
    reason = parked(msgspec.structs.replace(good, value=value), ClockAt(NOW))
    assert reason is not None
    assert place[-1] in reason


def test_the_times_of_payloads_are_found_by_their_type() -> None:
    assert {field.steps for field in TIME_FIELDS[RecordRequest]} == {("given_due_at",), ("sent_at",)}
    assert set(TIME_FIELDS) == set(INPUTS.values())


# -- the named limits, to the instant


@pytest.mark.parametrize("data", eg.INPUTS, ids=lambda data: type(data).__name__)
def test_both_limits_are_taken_in_and_what_lies_a_microsecond_beyond_is_not(data: Input) -> None:
    clock = ClockAt(NOW)
    earliest, latest = NOW - AGE, NOW + AHEAD_MAX
    assert parked(incoming(data, earliest), clock) is None
    assert parked(incoming(data, latest), clock) is None
    for at in (earliest - MICROSECOND, latest + MICROSECOND):
        reason = parked(incoming(data, at), clock)
        assert reason is not None
        assert f"{earliest.isoformat()} (earliest plausible)" in reason
        assert f"{latest.isoformat()} (latest plausible)" in reason


def test_a_letter_may_be_months_old_and_a_birth_certificate_is_no_request() -> None:
    letter = msgspec.structs.replace(eg.REQUEST, call_id=None, channel="letter")
    assert parked(incoming(letter, sent_at=(NOW - 60 * DAY).isoformat()), ClockAt(NOW)) is None
    reason = parked(incoming(letter, sent_at="1958-03-02T00:00:00Z"), ClockAt(NOW))
    assert reason is not None
    assert reason.startswith("data: sent_at: 1958-03-02T00:00:00+00:00 lies too far back, expected from")


def test_how_old_it_may_be_is_a_setting() -> None:
    assert parked(incoming(eg.REQUEST, NOW - 3 * DAY), RehearsalClock(NOW, input_age_max=2 * DAY)) is not None
    assert parked(incoming(eg.REQUEST, NOW - 3 * DAY), RehearsalClock(NOW, input_age_max=4 * DAY)) is None
    assert IntakeSettings(**NOWHERE).input_age_days_max == INPUT_AGE_DAYS_MAX


# -- a limit that comes with a request


@pytest.mark.parametrize("version", ["beijing-draft-2021", "boston-311-2011"])
def test_a_given_limit_lies_as_near_its_request_as_its_rule_set_says(version: str) -> None:
    rules = ruleset(version)
    earliest = NOW - rules.given_back_days_max * DAY
    latest = NOW + rules.given_ahead_days_max * DAY
    for at in (earliest, NOW, latest):
        assert parked(incoming(eg.REQUEST, given_due_at=at.isoformat()), ClockAt(NOW), version) is None
    for at in (earliest - MICROSECOND, latest + MICROSECOND):
        reason = parked(incoming(eg.REQUEST, given_due_at=at.isoformat()), ClockAt(NOW), version)
        assert reason is not None
        assert reason.startswith("data: given_due_at: ")
        assert f"{earliest.isoformat()} (earliest plausible)" in reason


def test_boston_has_room_for_its_targets_of_2059_and_for_those_before_the_opening() -> None:
    opened_at = datetime(2011, 8, 23, 7, 43, 49, tzinfo=UTC)
    for target in ("2060-01-01T00:00:00Z", "2011-08-22T04:00:00Z"):
        told = incoming(eg.REQUEST, opened_at, given_due_at=target)
        assert parked(told, ClockAt(opened_at), "boston-311-2011") is None
        assert (parked(told, ClockAt(opened_at)) is None) == target.startswith("2011"), (
            "Beijing's ten years do not reach so far"
        )
    assert ruleset("boston-311-2011").given_ahead_days_max > 17_662
    assert GIVEN_BACK_DAYS_MAX < GIVEN_AHEAD_DAYS_MAX


# -- by which clock


def test_in_real_time_the_present_is_ours_or_the_brokers_whichever_is_more_generous() -> None:
    """What was parked for a year is no older for it; and where our clock is behind, it is not the sender's fault."""
    clock = SystemClock()
    now = clock.now()
    arrived = now - 400 * DAY
    assert clock.earliest_input(arrived) == arrived - AGE
    assert clock.latest_input(now + 10 * DAY) == now + 10 * DAY + AHEAD_MAX
    assert now - AGE - DAY < clock.earliest_input(now + 10 * DAY) <= clock.now() - AGE


def test_in_a_rehearsal_the_present_is_the_conductors() -> None:
    clock = RehearsalClock()
    assert clock.earliest_input(NOW) == REHEARSED_SINCE
    clock.move_to(eg.CALLED_AT)
    assert clock.earliest_input(NOW) == eg.CALLED_AT - AGE
    assert clock.latest_input(NOW) == eg.CALLED_AT + REHEARSED_AHEAD_MAX
    clock.move_to(eg.CALLED_AT - DAY)
    assert clock.earliest_input(NOW) == eg.CALLED_AT - AGE, "it never goes back"


def test_a_rehearsal_at_the_end_of_all_time_has_bounds_as_well() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert RehearsalClock(last).latest_input(NOW) == last
    assert RehearsalClock(datetime.min.replace(tzinfo=UTC)).earliest_input(NOW) == datetime.min.replace(
        tzinfo=UTC
    )


# -- the record's own time


@pytest.mark.parametrize("sent_at_ms", [-(2**63), 2**63 - 1, 253_402_300_800_000])
def test_a_record_whose_time_is_no_time_is_set_aside_and_ends_nothing(sent_at_ms: int) -> None:
    told = msgspec.structs.replace(incoming(eg.SIGN_REPLY), sent_at_ms=sent_at_ms)
    for clock in (SystemClock(), RehearsalClock(NOW)):
        assert (parked(told, clock) or "").startswith("record timestamp: ")


@pytest.mark.parametrize(
    "at", [datetime(1970, 1, 1, tzinfo=UTC), STAMPED_SINCE - DAY, datetime(9998, 1, 1, tzinfo=UTC)]
)
def test_in_real_time_nothing_counts_from_a_stamp_no_broker_can_have_put_there(at: datetime) -> None:
    told = incoming(eg.SIGN_REPLY, SystemClock().now())
    stamped = msgspec.structs.replace(told, sent_at_ms=int(at.timestamp() * 1000))
    assert (parked(stamped, SystemClock()) or "").startswith("record timestamp: ")
    assert parked(msgspec.structs.replace(told, sent_at_ms=-1), SystemClock()) is not None


def test_a_records_time_is_exact_to_its_millisecond() -> None:
    told = msgspec.structs.replace(incoming(eg.SIGN_REPLY), sent_at_ms=1_632_443_400_123)
    assert arrived_at(told) == datetime(2021, 9, 24, 0, 30, 0, 123_000, tzinfo=UTC)
    with pytest.raises(BadInput):
        arrived_at(msgspec.structs.replace(told, sent_at_ms=2**63))


def test_only_limits_are_bounded_by_a_rule_set() -> None:
    request = msgspec.structs.replace(eg.REQUEST, given_due_at=eg.DUE_AT, sent_at=eg.CALLED_AT)
    assert list(times_of(request, limits=True)) == [("given_due_at", eg.DUE_AT)]
    assert list(times_of(request, limits=False)) == [("sent_at", eg.CALLED_AT)]
