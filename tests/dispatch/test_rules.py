"""What dispatch decides, sentence by sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from services.dispatch import rules
from shared.complaint import Case
from shared.events import (
    ComplaintDispatched,
    OrderAnswered,
    OrderSigned,
    ReturnApproved,
    ReturnRejected,
    Urgency,
)
from tests.examples import (
    ANSWER,
    ANSWERED,
    CALLED_AT,
    CATALOGUE,
    CENTRE,
    CLASSIFIED,
    CLOSED,
    DAY,
    DISPATCH,
    DISPATCHED,
    DISTRICT,
    HOUR,
    OTHER_STREET,
    RECEIVED,
    REOPENED,
    RETURN,
    RETURN_APPROVED,
    RETURN_REQUESTED,
    REVIEW,
    SIGN,
    SIGNED,
    STREET,
    VISIT_MADE,
    VISIT_SCHEDULED,
    WITHDRAWN,
)
from tests.spec import spec


def decide(command: Any, case: Case) -> Any:
    return rules.decide(command, case, CATALOGUE)


given = spec(decide)
ON_RECORD = (RECEIVED, CLASSIFIED)
AT_UNIT = (*ON_RECORD, DISPATCHED)
IN_REVIEW = (*AT_UNIT, RETURN_REQUESTED)
SECOND_ORDER = changed(DISPATCHED, unit=OTHER_STREET, assignment=2, dispatched_at=CALLED_AT + 3 * HOUR)
REDISPATCHED = (*IN_REVIEW, RETURN_APPROVED, SECOND_ORDER)


# -- sending


def test_a_clear_matter_goes_to_its_street_d1() -> None:
    given(*ON_RECORD).when(DISPATCH).then(DISPATCHED)


def test_an_unclear_matter_goes_to_the_government_of_its_district_d1() -> None:
    said = given(RECEIVED, changed(CLASSIFIED, subject="nobody's")).when(DISPATCH).facts
    assert said[0].unit == DISTRICT


def test_where_even_the_district_is_unknown_the_hotline_itself_takes_it() -> None:
    said = given(changed(RECEIVED, district="nowhere"), changed(CLASSIFIED, subject="?")).when(DISPATCH).facts
    assert said[0].unit == CENTRE


@pytest.mark.parametrize(
    ("urgency", "after"),
    [(Urgency.CRITICAL_2H, 2 * HOUR), (Urgency.TIMELY_24H, 24 * HOUR)],
)
def test_hour_limits_run_exactly_from_the_dispatch_c2_c3(urgency: Urgency, after: Any) -> None:
    said = given(RECEIVED, changed(CLASSIFIED, urgency=urgency)).when(DISPATCH).facts
    assert said[0].citizen_due_at == CALLED_AT + after


def test_what_is_with_its_unit_is_not_sent_again() -> None:
    given(*AT_UNIT).when(DISPATCH).then_nothing()


def test_what_was_withdrawn_meanwhile_is_not_sent() -> None:
    given(*ON_RECORD, WITHDRAWN).when(DISPATCH).then_nothing()


def test_a_reopened_matter_goes_to_the_same_unit_with_a_limit_of_its_own() -> None:
    past = (*AT_UNIT, SIGNED, ANSWERED, VISIT_SCHEDULED, changed(VISIT_MADE, solved=False), REOPENED)
    order = given(*past).when(replace(DISPATCH, at=CALLED_AT + 2 * DAY)).facts[0]
    assert isinstance(order, ComplaintDispatched)
    assert (order.unit, order.assignment, order.round) == (STREET, 2, 2)
    assert order.citizen_due_at == DISPATCHED.citizen_due_at
    assert order.unit_due_at > DISPATCHED.unit_due_at


# -- the unit's word


def test_the_unit_signs() -> None:
    given(*AT_UNIT).when(SIGN).then(SIGNED)


def test_signed_twice_is_signed_once() -> None:
    given(*AT_UNIT, SIGNED).when(SIGN).then_nothing()


def test_the_unit_answers() -> None:
    given(*AT_UNIT, SIGNED).when(ANSWER).then(ANSWERED)


def test_an_answer_needs_no_signature_before_it() -> None:
    given(*AT_UNIT).when(ANSWER).then_says(OrderAnswered)


def test_of_two_answers_the_second_is_refused() -> None:
    given(*AT_UNIT, SIGNED, ANSWERED).when(ANSWER).then_refused("answer", "answered")


def test_another_unit_may_not_speak_to_the_order() -> None:
    given(*AT_UNIT).when(replace(SIGN, unit=OTHER_STREET)).then_refused("sign", f"lies with {STREET}")


@pytest.mark.parametrize(("command", "asked"), [(SIGN, "sign"), (ANSWER, "answer"), (RETURN, "return")])
def test_the_former_unit_is_refused_after_a_re_dispatch_t2(command: Any, asked: str) -> None:
    given(*REDISPATCHED).when(command).then_refused(asked, f"lies with {OTHER_STREET}")


def test_a_reply_to_an_older_assignment_of_the_same_unit_is_refused_t2() -> None:
    again = changed(DISPATCHED, assignment=3)
    given(*AT_UNIT, again).when(SIGN).then_refused("sign", "assignment 1 is over")


@pytest.mark.parametrize(("command", "asked"), [(SIGN, "sign"), (ANSWER, "answer"), (RETURN, "return")])
def test_after_the_end_every_reply_is_refused(command: Any, asked: str) -> None:
    given(*AT_UNIT, CLOSED).when(command).then_refused(asked, "ended")


# -- returns


def test_a_return_waits_for_its_review_d3() -> None:
    given(*AT_UNIT).when(RETURN).then(RETURN_REQUESTED)


def test_asked_twice_to_return_is_asked_once() -> None:
    given(*IN_REVIEW).when(RETURN).then_nothing()


def test_a_signed_order_cannot_be_returned_t4() -> None:
    given(*AT_UNIT, SIGNED).when(RETURN).then_refused("return", "signed")


def test_an_order_under_review_cannot_be_signed_t4() -> None:
    given(*IN_REVIEW).when(SIGN).then_refused("sign", "under review")


def test_an_approved_return_goes_on_at_once_and_never_moves_the_citizens_limit_t10() -> None:
    said = given(*IN_REVIEW).when(REVIEW).facts
    assert [type(fact) for fact in said] == [ReturnApproved, ComplaintDispatched]
    assert (said[1].unit, said[1].assignment, said[1].round) == (OTHER_STREET, 2, 1)
    assert said[1].citizen_due_at == DISPATCHED.citizen_due_at
    assert said[1].unit_due_at >= said[1].citizen_due_at


def test_the_reviewer_may_name_the_unit() -> None:
    assert given(*IN_REVIEW).when(replace(REVIEW, to_unit=DISTRICT)).facts[1].unit == DISTRICT


def test_a_reviewer_naming_a_unit_nobody_knows_is_refused() -> None:
    command = replace(REVIEW, to_unit="street-nowhere")
    given(*IN_REVIEW).when(command).then_refused("approve the return", "to_unit")


def test_a_rejected_return_leaves_the_order_where_it_is() -> None:
    after = (
        given(*IN_REVIEW).when(replace(REVIEW, approved=False, reason="属本街道")).then_says(ReturnRejected)
    )
    after.when(replace(SIGN, at=CALLED_AT + 4 * HOUR)).then_says(OrderSigned)


def test_a_second_review_of_the_same_return_is_refused() -> None:
    given(*REDISPATCHED).when(REVIEW).then_refused("approve the return", "assignment 1 is over")


def test_returns_have_a_cap_then_the_present_unit_leads_r12() -> None:
    past = (
        *REDISPATCHED,
        changed(RETURN_REQUESTED, unit=OTHER_STREET, assignment=2),
        changed(RETURN_APPROVED, unit=OTHER_STREET, assignment=2),
        changed(DISPATCHED, unit=DISTRICT, assignment=3),
    )
    third = replace(RETURN, unit=DISTRICT, assignment=3)
    given(*past).when(third).then_refused("return", "at most 2")


@pytest.mark.parametrize("command", [DISPATCH, SIGN, ANSWER, RETURN, REVIEW])
def test_nothing_can_be_said_about_a_complaint_nobody_knows(command: Any) -> None:
    given().cannot_be_told(command)
