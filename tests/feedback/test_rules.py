"""What feedback decides, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace as changed

from services.feedback import rules
from shared.events import (
    ComplaintClosed,
    ComplaintReopened,
    Outcome,
    VisitMade,
    VisitReason,
    VisitScheduled,
    VisitUnreached,
)
from tests.examples import (
    ANSWERED,
    CLASSIFIED,
    CLOSE,
    CLOSED,
    DAY,
    DISPATCHED,
    DUE_AT,
    FEEDBACK_MISSED,
    HOUR,
    MINUTE,
    RECEIVED,
    RECORD_UNREACHED,
    RECORD_VISIT,
    REOPENED,
    SCHEDULE,
    SIGNED,
    STREET,
    VISIT_MADE,
    VISIT_SCHEDULED,
    VISIT_UNREACHED,
    WITHDRAWN,
)
from tests.spec import Given, spec

given = spec(rules.decide)
AT_UNIT = (RECEIVED, CLASSIFIED, DISPATCHED)
ANSWERED_IN_TIME = (*AT_UNIT, SIGNED, ANSWERED)
ASKING = (*ANSWERED_IN_TIME, VISIT_SCHEDULED)
AT_EXPIRY = replace(SCHEDULE, because=VisitReason.EXPIRED, at=DUE_AT)
NOT_SOLVED = replace(RECORD_VISIT, solved=False, satisfied=False, reason="仍被占用")


def test_the_citizen_is_asked_when_the_unit_has_answered_r8() -> None:
    given(*ANSWERED_IN_TIME).when(SCHEDULE).then(VISIT_SCHEDULED)


def test_the_citizen_is_asked_when_the_limit_expires_without_an_answer_r8_t32() -> None:
    said = given(*AT_UNIT, SIGNED, FEEDBACK_MISSED).when(AT_EXPIRY).facts
    assert (said[0].reason, said[0].visit_at) == (VisitReason.EXPIRED, DUE_AT)


def test_a_late_answer_brings_no_visit_of_its_own_the_one_at_expiry_is_on_its_way_t3() -> None:
    late = changed(ANSWERED, answered_at=DUE_AT + HOUR)
    given(*AT_UNIT, SIGNED, late).when(replace(SCHEDULE, at=DUE_AT + HOUR)).then_nothing()


def test_nobody_is_asked_twice_at_once() -> None:
    given(*ASKING).when(SCHEDULE).then_nothing()


def test_a_withdrawn_complaint_asks_nobody() -> None:
    given(*ANSWERED_IN_TIME, WITHDRAWN).when(SCHEDULE).then_nothing()


def test_solved_closes_with_the_visits_outcome_e3() -> None:
    given(*ASKING).when(RECORD_VISIT).then(VISIT_MADE, CLOSED)


def test_only_the_citizen_judges_whatever_the_unit_claims_t18_e2() -> None:
    assert ANSWERED.claims_solved
    said = given(*ASKING).when(NOT_SOLVED).facts
    assert [type(fact) for fact in said] == [VisitMade, ComplaintReopened]
    assert (said[1].round, said[1].unit) == (2, STREET)


def test_a_citizen_who_is_content_at_expiry_closes_it_and_the_order_is_recalled() -> None:
    past = (*AT_UNIT, SIGNED, FEEDBACK_MISSED, changed(VISIT_SCHEDULED, reason=VisitReason.EXPIRED))
    said = given(*past).when(replace(RECORD_VISIT, at=DUE_AT + HOUR)).facts
    assert isinstance(said[1], ComplaintClosed)
    assert said[1].recalled_unit == STREET


def test_rounds_have_a_cap_then_it_closes_unsolved() -> None:
    third = changed(DISPATCHED, assignment=3, round=3)
    visit = changed(VISIT_SCHEDULED, visit=3, round=3)
    past = (*AT_UNIT, third, changed(ANSWERED, assignment=3, round=3), visit)
    said = given(*past).when(replace(NOT_SOLVED, visit=3)).facts
    assert isinstance(said[1], ComplaintClosed)
    assert said[1].outcome is Outcome.UNSOLVED


def test_an_attempt_that_reaches_nobody_is_no_judgement_and_is_spaced_t19() -> None:
    said = given(*ASKING).when(RECORD_UNREACHED).facts
    assert said[0] == VISIT_UNREACHED
    assert isinstance(said[1], VisitScheduled)
    assert (said[1].attempt, said[1].visit) == (2, 1)
    assert said[1].visit_at == RECORD_UNREACHED.at + timedelta(hours=4)


def attempts(past: tuple[Any, ...], number: int) -> Given:
    """Given a visit whose first attempts reached nobody."""
    facts = [*past]
    for attempt in range(1, number + 1):
        facts.append(changed(VISIT_UNREACHED, attempt=attempt))
        facts.append(changed(VISIT_SCHEDULED, attempt=attempt + 1))
    return given(*facts)


def test_answered_and_unreached_in_all_attempts_it_closes_unreached() -> None:
    said = attempts(ASKING, 2).when(replace(RECORD_UNREACHED, attempt=3)).facts
    assert isinstance(said[1], ComplaintClosed)
    assert said[1].outcome is Outcome.UNREACHED


def test_unreached_and_unanswered_stays_open_and_is_asked_again_when_the_answer_comes() -> None:
    past = (*AT_UNIT, SIGNED, FEEDBACK_MISSED, changed(VISIT_SCHEDULED, reason=VisitReason.EXPIRED))
    after = attempts(past, 2).when(replace(RECORD_UNREACHED, attempt=3)).then_says(VisitUnreached)
    late = changed(ANSWERED, answered_at=DUE_AT + 2 * DAY)
    said = given(*after.facts, late).when(replace(SCHEDULE, at=DUE_AT + 2 * DAY)).facts
    assert (said[0].visit, said[0].reason) == (2, VisitReason.ANSWERED)


def test_an_answer_to_an_attempt_that_is_over_is_refused() -> None:
    given(*ASKING).when(replace(RECORD_VISIT, attempt=2)).then_refused("record a visit", "attempt 2 is over")


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        (RECORD_VISIT, "record a visit"),
        (RECORD_UNREACHED, "record an attempt"),
        (CLOSE, "close by exception"),
    ],
)
def test_after_the_end_every_word_is_refused_t9(command: Any, asked: str) -> None:
    given(*ASKING, VISIT_MADE, CLOSED).when(command).then_refused(asked, "ended")


def test_nobody_was_asked_so_no_answer_can_be_recorded_t21() -> None:
    given(*ANSWERED_IN_TIME).when(RECORD_VISIT).then_refused("record a visit", "no visit is under way")


def test_an_approved_exception_closes_without_a_visit_and_says_who_let_it_e3() -> None:
    said = given(*AT_UNIT).when(CLOSE).facts
    assert isinstance(said[0], ComplaintClosed)
    assert (said[0].outcome, said[0].visit, said[0].approved_by) == (Outcome.EXCEPTION, 0, "supervisor-1")
    assert said[0].recalled_unit == STREET


def test_a_reopened_life_does_not_ask_about_the_round_before() -> None:
    past = (*ASKING, changed(VISIT_MADE, solved=False), REOPENED)
    given(*past).when(replace(SCHEDULE, at=SCHEDULE.at + MINUTE)).then_nothing()


@pytest.mark.parametrize("command", [SCHEDULE, RECORD_VISIT, RECORD_UNREACHED, CLOSE])
def test_nothing_can_be_said_about_a_complaint_nobody_knows(command: Any) -> None:
    given().cannot_be_told(command)
