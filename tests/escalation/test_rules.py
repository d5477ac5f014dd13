"""What escalation decides, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from msgspec.structs import replace as changed

from services.escalation import rules
from shared.complaint import Case, due_deadlines
from shared.events import (
    ComplaintEscalated,
    FeedbackLimitMissed,
    Level,
    LimitMissCorrected,
    SignLimitMissed,
)
from shared.events.base import Limit
from tests.examples import (
    ANSWERED,
    CATALOGUE,
    CLASSIFIED,
    DAY,
    DISPATCHED,
    DISTRICT,
    DUE_AT,
    ESCALATED,
    FIRE,
    INSTANT,
    MINUTE,
    RECEIVED,
    RETURN_APPROVED,
    RETURN_REQUESTED,
    SIGN_DUE_AT,
    SIGN_MISSED,
    SIGNED,
    STREET,
    SUPERVISION,
    WITHDRAWN,
)
from tests.spec import case_of, spec


def decide(command: Any, case: Case) -> Any:
    return rules.decide(command, case, CATALOGUE)


given = spec(decide)
AT_UNIT = (RECEIVED, CLASSIFIED, DISPATCHED)
LATER = replace(FIRE, until=DUE_AT + INSTANT)


def test_nobody_signed_in_time_so_the_district_is_told() -> None:
    given(*AT_UNIT).when(FIRE).then(SIGN_MISSED, ESCALATED)


def test_at_the_last_instant_it_is_still_in_time_and_nothing_fires_early() -> None:
    given(*AT_UNIT).when(replace(FIRE, until=SIGN_DUE_AT)).then_nothing()


def test_looked_at_twice_it_is_stated_once_t5() -> None:
    given(*AT_UNIT, SIGN_MISSED, ESCALATED).when(FIRE).then_nothing()


def test_signed_at_the_last_instant_is_in_time() -> None:
    given(*AT_UNIT, changed(SIGNED, signed_at=SIGN_DUE_AT)).when(FIRE).then_nothing()


def test_signed_too_late_is_missed_all_the_same_whoever_was_faster() -> None:
    late = changed(SIGNED, signed_at=SIGN_DUE_AT + MINUTE)
    said = given(*AT_UNIT, late).when(replace(FIRE, until=SIGN_DUE_AT + 2 * MINUTE)).facts
    assert [type(fact) for fact in said] == [SignLimitMissed, ComplaintEscalated]
    assert said[0].missed_at == SIGN_DUE_AT


def test_an_order_nobody_ever_signs_climbs_to_the_top_and_no_further() -> None:
    said = given(*AT_UNIT).when(replace(FIRE, until=DUE_AT + 30 * DAY)).facts
    notices = [fact for fact in said if isinstance(fact, ComplaintEscalated)]
    assert [(n.to_level, n.told) for n in notices] == [
        (Level.DISTRICT, DISTRICT),
        (Level.MUNICIPAL, SUPERVISION),
    ]
    assert notices[1].escalated_at == notices[0].next_at
    assert notices[1].next_at is None
    assert [type(fact) for fact in said][-1] is FeedbackLimitMissed


def test_a_unit_that_moves_stops_the_ladder() -> None:
    signed = changed(SIGNED, signed_at=SIGN_DUE_AT + MINUTE)
    past = (*AT_UNIT, SIGN_MISSED, ESCALATED, signed)
    given(*past).when(replace(FIRE, until=SIGN_DUE_AT + 2 * DAY)).then_nothing()


def test_an_unanswered_order_is_missed_at_its_limit_whenever_it_is_noticed() -> None:
    said = given(*AT_UNIT, SIGNED).when(replace(LATER, until=DUE_AT + 3 * MINUTE)).facts
    assert said[0] == FeedbackLimitMissed(
        complaint_id=DISPATCHED.complaint_id,
        unit=STREET,
        round=1,
        due_at=DUE_AT,
        missed_at=DUE_AT,
        noticed_at=DUE_AT + 3 * MINUTE,
    )


def test_answered_in_time_leaves_nothing_to_watch() -> None:
    past = (*AT_UNIT, SIGNED, ANSWERED)
    assert due_deadlines(case_of(past)) == {}
    given(*past).when(LATER).then_nothing()


def test_withdrawn_before_the_limit_nothing_is_missed() -> None:
    given(*AT_UNIT, WITHDRAWN).when(LATER).then_nothing()


def test_a_return_under_way_does_not_stop_the_citizens_limit_t10() -> None:
    said = given(*AT_UNIT, RETURN_REQUESTED).when(LATER).facts
    assert type(said[0]) is FeedbackLimitMissed


def test_after_a_re_dispatch_the_same_limit_runs_against_the_new_unit_t10() -> None:
    second = changed(DISPATCHED, unit=DISTRICT, level=Level.DISTRICT, assignment=2, sign_due_at=None)
    said = given(*AT_UNIT, RETURN_REQUESTED, RETURN_APPROVED, second).when(LATER).facts
    assert (type(said[0]), said[0].unit, said[0].due_at) == (FeedbackLimitMissed, DISTRICT, DUE_AT)


def test_a_late_district_government_is_told_to_the_municipality() -> None:
    order = changed(DISPATCHED, unit=DISTRICT, level=Level.DISTRICT, sign_due_at=None)
    said = given(RECEIVED, CLASSIFIED, order).when(LATER).facts
    assert (said[1].to_level, said[1].told) == (Level.MUNICIPAL, SUPERVISION)


def test_a_miss_stated_although_the_act_had_arrived_in_time_is_corrected_and_nothing_is_erased() -> None:
    in_time = changed(SIGNED, signed_at=SIGN_DUE_AT - MINUTE)
    said = given(*AT_UNIT, SIGN_MISSED, ESCALATED, in_time).when(FIRE).facts
    assert [type(fact) for fact in said] == [LimitMissCorrected]
    assert (said[0].limit, said[0].done_at) == (Limit.SIGN, SIGN_DUE_AT - MINUTE)


def test_corrected_once_is_enough() -> None:
    in_time = changed(SIGNED, signed_at=SIGN_DUE_AT - MINUTE)
    past = (*AT_UNIT, SIGN_MISSED, ESCALATED, in_time)
    given(*past).when(FIRE).then_says(LimitMissCorrected).when(FIRE).then_nothing()


def test_no_clock_runs_for_a_complaint_nobody_knows() -> None:
    given().cannot_be_told(FIRE)
