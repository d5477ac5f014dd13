"""The unit must wait for somebody or something else: its clock stands still, for so many days and after a review."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from services.dispatch import rules
from shared.complaint import Complaint, due_deadlines
from shared.events import Fact, PauseGround, Urgency
from shared.events.base import Limit
from shared.outward import OUTWARD
from shared.topics import CITIZEN_NOTICES
from tests import examples as eg
from tests.examples import CALLED_AT, CATALOGUE, DAY, DUE_AT, HOUR, INSTANT, WATER, told
from tests.spec import Given, spec

given = spec(lambda command, case: rules.decide(command, case, CATALOGUE))

AT_UNIT = (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED)
SIGNED = (*AT_UNIT, eg.SIGNED)
ASKED = (*SIGNED, eg.PAUSE_REQUESTED)
PAUSED = (*ASKED, eg.PAUSE_APPROVED)


def limit(state: Given) -> datetime:
    """By when it must be answered."""
    return due_deadlines(state.case)[Limit.ANSWER]


def test_asked_for_with_evidence_it_is_decided_by_a_review_and_the_limit_ends_later() -> None:
    asked = given(*SIGNED).when(eg.PAUSE).then(eg.PAUSE_REQUESTED)
    assert limit(asked) == DUE_AT, "until then the clock runs"
    asked.when(eg.PAUSE).then_refused("pause", "a pause of this order is under review")
    paused = asked.when(eg.REVIEW_PAUSE).then(eg.PAUSE_APPROVED)
    assert limit(paused) == DUE_AT + 10 * DAY
    assert (CITIZEN_NOTICES, None) in OUTWARD["PauseApproved"], "the citizen is told (R7)"


def test_nothing_is_warned_of_while_the_clock_stands_still() -> None:
    """Two days before the new limit is after the end of the pause; one that lies in it is passed over."""
    assert due_deadlines(given(*PAUSED).case)[Limit.WARNING] == DUE_AT + 8 * DAY
    longest = (
        *SIGNED,
        replace(eg.PAUSE_REQUESTED, requested_at=DUE_AT - HOUR),
        replace(eg.PAUSE_APPROVED, approved_at=DUE_AT - HOUR, until=DUE_AT + 10 * DAY - INSTANT),
    )
    assert Limit.WARNING not in due_deadlines(given(*longest).case)


def test_rejected_the_clock_runs_on_and_it_may_be_asked_for_again() -> None:
    command = told(eg.REVIEW_PAUSE, approved=False, reason="可先行处置")
    after = given(*ASKED).when(command).then(eg.PAUSE_REJECTED)
    assert limit(after) == DUE_AT
    again = told(eg.PAUSE, at=CALLED_AT + 4 * DAY)
    after.when(again).then(replace(eg.PAUSE_REQUESTED, requested_at=CALLED_AT + 4 * DAY))


@pytest.mark.parametrize(
    ("at", "days"),
    [
        (CALLED_AT + 3 * DAY, 1),
        (CALLED_AT + 4 * DAY, 1),
        (CALLED_AT + 5 * DAY, 2),
        (DUE_AT + 6 * DAY, 10),
    ],
)
def test_what_it_waited_for_has_come_and_the_days_begun_count(at: datetime, days: int) -> None:
    """A day of it ends at midnight as a limit's does (C3)."""
    after = given(*PAUSED).when(told(eg.END_PAUSE, at=at))
    state = after.then(replace(eg.PAUSE_ENDED, days=days, ended_at=at, new_due_at=DUE_AT + days * DAY))
    assert limit(state) == DUE_AT + days * DAY
    state.when(told(eg.END_PAUSE, at=at)).then_refused("end the pause", "it is not paused")


def test_a_pause_ends_by_itself() -> None:
    late = told(eg.END_PAUSE, at=eg.PAUSE_APPROVED.until + INSTANT)
    given(*PAUSED).when(late).then_refused("end the pause", "the pause ended at 2021-10-07")
    more = told(eg.EXTEND, at=eg.PAUSE_APPROVED.until + INSTANT)
    (longer,) = given(*PAUSED).when(more).facts
    assert isinstance(longer, type(eg.EXTENSION_REQUESTED))


def test_approved_after_the_limit_it_does_not_undo_the_miss() -> None:
    """T6: whether its miss is stated yet or not."""
    late = told(eg.REVIEW_PAUSE, at=DUE_AT + INSTANT)
    given(*ASKED).when(late).then_refused("approve the pause", "passed at 2021-10-01")
    given(*ASKED, eg.FEEDBACK_MISSED).when(eg.REVIEW_PAUSE).then_refused("approve the pause", "T6")
    on_time = told(eg.REVIEW_PAUSE, at=DUE_AT)
    (fact,) = given(*ASKED).when(on_time).facts
    assert isinstance(fact, type(eg.PAUSE_APPROVED))
    assert (fact.old_due_at, fact.new_due_at, fact.until) == (DUE_AT, DUE_AT + 10 * DAY, DUE_AT + 10 * DAY)


@pytest.mark.parametrize(
    ("past", "command", "because"),
    [
        (AT_UNIT, eg.PAUSE, "only a signed order is paused"),
        (ASKED, told(eg.PAUSE, days=3), "a pause of this order is under review"),
        (ASKED, told(eg.PAUSE, ground=PauseGround.SEASON), "a pause of this order is under review"),
        ((*SIGNED, eg.EXTENSION_REQUESTED), eg.PAUSE, "an extension of this order is under review"),
        ((*SIGNED, eg.TERMINATION_REQUESTED), eg.PAUSE, "a termination of this order is under review"),
        (PAUSED, told(eg.PAUSE, at=DUE_AT), "it is paused until 2021-10-07"),
        (
            (*PAUSED, eg.PAUSE_ENDED),
            told(eg.PAUSE, at=CALLED_AT + 6 * DAY),
            "paused 1 times already, at most 1",
        ),
        (SIGNED, told(eg.PAUSE, days=31), "days: 31 asked for, at most 30"),
        (SIGNED, told(eg.PAUSE, at=DUE_AT + INSTANT), "T6"),
        (SIGNED, told(eg.PAUSE, unit=WATER), "the order lies with street-huayuanlu now"),
        ((*SIGNED, eg.ANSWERED), eg.PAUSE, "the order is answered"),
    ],
)
def test_a_pause_that_cannot_be_asked_for(past: tuple[Fact, ...], command: object, because: str) -> None:
    """T2, T6."""
    given(*past).when(command).then_refused("pause", because)


def test_a_limit_in_hours_is_not_paused() -> None:
    urgent = (
        eg.RECEIVED,
        replace(eg.CLASSIFIED, urgency=Urgency.TIMELY_24H),
        replace(eg.DISPATCHED, urgency=Urgency.TIMELY_24H, citizen_due_at=CALLED_AT + DAY),
        eg.SIGNED,
    )
    given(*urgent).when(told(eg.PAUSE, at=CALLED_AT + 2 * HOUR)).then_refused("pause", "only a limit in days")


def test_while_the_clock_stands_still_nothing_is_extended() -> None:
    """T24, T8: by another calendar that has the same days the limit stays."""
    given(*ASKED).when(eg.EXTEND).then_refused("extend", "a pause of this order is under review")
    given(*PAUSED).when(told(eg.EXTEND, at=DUE_AT)).then_refused("extend", "its clock stands still")
    (amended,) = given(*PAUSED).when(told(eg.AMEND, at=DUE_AT)).facts
    assert isinstance(amended, type(eg.AMENDED))
    assert amended.new_due_at == amended.old_due_at == DUE_AT + 10 * DAY


def test_the_answer_settles_what_was_asked_for_and_comes_in_a_pause_too() -> None:
    given(*ASKED, eg.ANSWERED).when(eg.REVIEW_PAUSE).then_refused(
        "approve the pause", "no pause of this order is under review"
    )
    answered = given(*PAUSED).when(told(eg.ANSWER, at=DUE_AT + DAY))
    state = answered.then(replace(eg.ANSWERED, answered_at=DUE_AT + DAY))
    assert isinstance(state.case, Complaint)
    assert due_deadlines(state.case) == {}
