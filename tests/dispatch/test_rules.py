"""What dispatch decides, by state: received, with a unit, signed, under review, answered, reopened, ended."""

from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
import pytest
from msgspec.structs import replace

from services.dispatch import rules
from services.dispatch.routing import after_return, routed
from shared.events import (
    ComplaintClassified,
    ComplaintDispatched,
    ComplaintReopened,
    Correction,
    Fact,
    Level,
    RequestCorrected,
    ReturnApproved,
    Urgency,
)
from shared.ids import UnitId
from shared.inputs import AnswerOrder, RequestReturn, ReviewReturn, SignOrder
from tests.examples import (
    ANSWER,
    ANSWERED,
    ANSWERED_DIRECTLY,
    CALLED_AT,
    CATALOGUE,
    CENTRE,
    CLASSIFIED,
    CLOSED,
    CORRECTED_STREET,
    DAY,
    DISPATCH,
    DISPATCHED,
    DISTRICT,
    DUE_AT,
    FACTS,
    FOLLOW,
    HOUR,
    ID,
    INSTANT,
    MINUTE,
    OTHER_STREET,
    RECEIVED,
    REOPENED,
    RETURN,
    RETURN_APPROVED,
    RETURN_REJECTED,
    RETURN_REQUESTED,
    REVIEW,
    SIGN,
    SIGNED,
    STREET,
    VISIT_MADE,
    VISIT_SCHEDULED,
    WATER,
    WITHDRAWN,
    asks,
    told,
)
from tests.spec import spec

given = spec(partial(rules.decide, catalogue=CATALOGUE))

OPENED = (RECEIVED, CLASSIFIED)
WITH_UNIT = (*OPENED, DISPATCHED)
ELSEWHERE = replace(
    DISPATCHED,
    unit=OTHER_STREET,
    rule="test-1: return",
    assignment=2,
    dispatched_at=RETURN_APPROVED.approved_at,
    sign_due_at=RETURN_APPROVED.approved_at + 8 * HOUR,
)
"""The order after the return that the examples ask for and approve."""
RETURNED = (*WITH_UNIT, RETURN_REQUESTED, RETURN_APPROVED, ELSEWHERE)
UNSOLVED = (
    *WITH_UNIT,
    SIGNED,
    ANSWERED,
    VISIT_SCHEDULED,
    replace(VISIT_MADE, solved=False, satisfied=False),
    REOPENED,
)
SECOND_ROUND = replace(
    DISPATCHED,
    rule="test-1: same unit again",
    assignment=2,
    round=2,
    dispatched_at=REOPENED.reopened_at,
    sign_due_at=REOPENED.reopened_at + 8 * HOUR,
    unit_due_at=datetime(2021, 10, 2, 15, 59, 59, 999999, tzinfo=UTC),
)


# --- hearing the log


def test_a_classified_complaint_is_sent_to_a_unit() -> None:
    assert rules.react(CLASSIFIED, CALLED_AT) == DISPATCH


def test_a_question_answered_directly_is_sent_to_nobody() -> None:
    """B2."""
    assert rules.react(replace(CLASSIFIED, to_dispatch=False), CALLED_AT) is None


def test_a_reopened_complaint_is_sent_again() -> None:
    assert rules.react(REOPENED, CALLED_AT) == DISPATCH


def test_nothing_else_that_happens_is_a_reason_to_send() -> None:
    others = [fact for fact in FACTS if not isinstance(fact, ComplaintClassified | ComplaintReopened)]
    assert [rules.react(fact, CALLED_AT) for fact in others] == [None] * len(others)
    assert set(rules.REACTS) == {ComplaintClassified, ComplaintReopened, RequestCorrected}


@pytest.mark.parametrize("field", ["subject", "district", "street"])
def test_a_corrected_subject_or_place_is_followed(field: str) -> None:
    """Q1, D1: of title, content and address the unit is told, and that is all (`CORRECTED_RECORD` above)."""
    corrected = replace(CORRECTED_STREET, corrections=(Correction(field=field, old="a", new="b"),))
    assert rules.react(corrected, FOLLOW.at) == FOLLOW


# --- received: which unit, by when


def test_clear_responsibility_goes_straight_to_the_street() -> None:
    """D1, R12."""
    given(*OPENED).when(DISPATCH).then(DISPATCHED)


def test_what_one_utility_answers_for_goes_to_it_wherever_it_happened() -> None:
    """D1."""
    given(RECEIVED, replace(CLASSIFIED, subject="供水")).when(DISPATCH).then(
        replace(DISPATCHED, unit=WATER, level=Level.MUNICIPAL, rule="test-1: 供水→unit", subject="供水")
    )


@pytest.mark.parametrize(
    ("subject", "district", "street", "unit", "rule"),
    [
        ("停车", "海淀区", "花园路街道", STREET, "停车→street"),
        ("停车", "海淀区", None, DISTRICT, "停车→district"),
        ("停车", "海淀区", "不存在街道", DISTRICT, "停车→district"),
        ("学校", "海淀区", "花园路街道", DISTRICT, "学校→district"),
        ("没有先例的事", "海淀区", "花园路街道", DISTRICT, "没有先例的事→district"),
        ("停车", "不知何处", "花园路街道", CENTRE, "停车→centre"),
        ("供水", "不知何处", None, WATER, "供水→unit"),
    ],
)
def test_what_is_not_clear_goes_to_the_district_government_and_never_to_nobody(
    subject: str, district: str, street: str | None, unit: UnitId, rule: str
) -> None:
    """D1: 对于无法直接派单至具体承办单位的诉求,派单至诉求所属行政区域的区人民政府."""
    to = routed(CATALOGUE, subject, district, street)
    assert (to.unit, to.level, to.rule) == (unit, CATALOGUE.level_of(unit), f"test-1: {rule}")


@pytest.mark.parametrize(
    ("urgency", "sign", "due_at"),
    [
        (Urgency.CRITICAL_2H, 15 * MINUTE, CALLED_AT + 2 * HOUR),
        (Urgency.TIMELY_24H, HOUR, CALLED_AT + DAY),
        (Urgency.GENERAL_7D, 8 * HOUR, DUE_AT),
        (Urgency.COMPLEX_15D, 8 * HOUR, DUE_AT + 8 * DAY),
    ],
)
def test_each_urgency_has_its_own_limits(urgency: Urgency, sign: timedelta, due_at: datetime) -> None:
    """C2: 2 h, 24 h, 7 d, 15 d; hours are exact, days end at 24:00 in Beijing (C3)."""
    given(RECEIVED, replace(CLASSIFIED, urgency=urgency)).when(DISPATCH).then(
        replace(
            DISPATCHED,
            urgency=urgency,
            sign_due_at=CALLED_AT + sign,
            citizen_due_at=due_at,
            unit_due_at=due_at,
        )
    )


def test_one_second_before_midnight_costs_a_day() -> None:
    """T15: 23:59:59 in Beijing and 00:00:00 are a second apart and a day apart in what they grant."""
    late_evening = datetime(2021, 9, 24, 15, 59, 59, tzinfo=UTC)
    due = []
    for at in (late_evening, late_evening + timedelta(seconds=1)):
        (order,) = given(*OPENED).when(type(DISPATCH)(complaint_id=ID, at=at)).facts
        assert isinstance(order, ComplaintDispatched)
        due.append(order.citizen_due_at)
    assert due == [DUE_AT, DUE_AT + DAY]


def test_the_clock_starts_at_dispatch_not_at_the_call() -> None:
    """C1, C3: the dispatch limit runs from the call; the unit's limits from the order."""
    next_day = type(DISPATCH)(complaint_id=ID, at=CALLED_AT + DAY)
    (order,) = given(*OPENED).when(next_day).facts
    assert isinstance(order, ComplaintDispatched)
    assert order.citizen_due_at == DUE_AT + DAY


def test_a_limit_that_came_with_the_request_is_the_citizens_where_the_rule_set_says_so() -> None:
    """Boston: each case brings its own target, there is no sign limit."""
    given_due_at = CALLED_AT + 3 * DAY
    received = replace(RECEIVED, ruleset="boston-311-2011", given_due_at=given_due_at)
    given(received, CLASSIFIED).when(DISPATCH).then(
        replace(DISPATCHED, sign_due_at=None, citizen_due_at=given_due_at, unit_due_at=given_due_at)
    )


def test_a_limit_that_came_with_the_request_is_ignored_in_beijing() -> None:
    received = replace(RECEIVED, given_due_at=CALLED_AT + HOUR)
    given(received, CLASSIFIED).when(DISPATCH).then(DISPATCHED)


def test_a_complaint_that_is_with_a_unit_is_not_sent_again() -> None:
    given(*WITH_UNIT).when(DISPATCH).then_nothing()


@pytest.mark.parametrize("end", [WITHDRAWN, ANSWERED_DIRECTLY, CLOSED])
def test_what_has_ended_is_not_sent(end: Fact) -> None:
    given(*OPENED, end).when(DISPATCH).then_nothing()


def test_a_complaint_nobody_knows_is_neither_sent_nor_answered() -> None:
    for command in (DISPATCH, SIGN, ANSWER, RETURN, REVIEW):
        given().cannot_be_told(command)


def test_a_unit_cannot_reply_before_anything_was_sent() -> None:
    for asked, command in (("sign", SIGN), ("answer", ANSWER), ("return", RETURN)):
        given(*OPENED).when(command).then_refused(asked, because="the complaint is not dispatched")


def test_nothing_can_be_reviewed_before_anything_was_sent() -> None:
    given(*OPENED).when(REVIEW).then_refused("approve the return", because="assignment 1 is over")


# --- with a unit


def test_a_unit_signs_its_order() -> None:
    given(*WITH_UNIT).when(SIGN).then(SIGNED)


def test_a_unit_answers_its_order_signed_or_not() -> None:
    given(*WITH_UNIT).when(ANSWER).then(ANSWERED)
    given(*WITH_UNIT, SIGNED).when(ANSWER).then(ANSWERED)


def test_the_units_claim_is_on_record_as_a_claim_only() -> None:
    """T18: whether it is solved is for the citizen to say."""
    honest = asks(
        AnswerOrder,
        complaint_id=ID,
        unit=STREET,
        assignment=1,
        result="无法解决",
        claims_solved=False,
        at=ANSWER.at,
    )
    given(*WITH_UNIT).when(honest).then(replace(ANSWERED, result="无法解决", claims_solved=False))


def test_an_order_signed_twice_is_signed_once() -> None:
    given(*WITH_UNIT).when(SIGN).then(SIGNED).when(SIGN).then_refused(
        "sign", because="the order was signed at"
    )


def test_a_second_answer_is_refused_and_the_first_one_stands() -> None:
    given(*WITH_UNIT).when(ANSWER).then(ANSWERED).when(ANSWER).then_refused(
        "answer", because="the order is answered"
    )


@pytest.mark.parametrize("past", [WITH_UNIT, (*WITH_UNIT, SIGNED), (*WITH_UNIT, RETURN_REQUESTED)])
def test_only_the_unit_the_order_lies_with_may_speak(past: tuple[Fact, ...]) -> None:
    for command in (
        asks(SignOrder, complaint_id=ID, unit=WATER, assignment=1, at=SIGN.at),
        asks(
            AnswerOrder,
            complaint_id=ID,
            unit=WATER,
            assignment=1,
            result="",
            claims_solved=True,
            at=ANSWER.at,
        ),
    ):
        asked = "sign" if isinstance(command.command, SignOrder) else "answer"
        said = given(*past).when(command)
        said.then_refused(asked, because="the order lies with street-huayuanlu now")
        assert msgspec.structs.asdict(said.facts[0])["unit"] == WATER


def test_a_unit_that_answers_an_assignment_still_to_come_is_refused() -> None:
    early = asks(SignOrder, complaint_id=ID, unit=STREET, assignment=2, at=SIGN.at)
    given(*WITH_UNIT).when(early).then_refused("sign", because="assignment 2 is over, the present one is 1")


# --- returned (D3)


def test_a_unit_that_shows_why_the_order_is_not_its_own_has_it_reviewed() -> None:
    """D3: reason and evidence go to the reviewers."""
    given(*WITH_UNIT).when(RETURN).then(RETURN_REQUESTED)


def test_a_return_asked_for_twice_is_reviewed_once() -> None:
    given(*WITH_UNIT).when(RETURN).then(RETURN_REQUESTED).when(RETURN).then_refused(
        "return", because="a return of this order is under review"
    )


def test_sign_first_then_return_and_the_return_is_refused() -> None:
    """T4: one wins, the other is refused and recorded."""
    given(*WITH_UNIT).when(SIGN).then(SIGNED).when(RETURN).then_refused(
        "return", because="the order is signed"
    )


def test_return_first_then_sign_and_the_signature_is_refused() -> None:
    """T4, the other way round."""
    given(*WITH_UNIT).when(RETURN).then(RETURN_REQUESTED).when(SIGN).then_refused(
        "sign", because="a return of this order is under review"
    )


def test_an_order_under_review_cannot_be_answered() -> None:
    given(*WITH_UNIT, RETURN_REQUESTED).when(ANSWER).then_refused(
        "answer", because="a return of this order is under review"
    )


def test_an_approved_return_goes_to_the_unit_that_was_suggested() -> None:
    """D3: reviewed and sent on in one decision, so it never lies nowhere."""
    given(*WITH_UNIT, RETURN_REQUESTED).when(REVIEW).then(RETURN_APPROVED, ELSEWHERE)


def test_the_reviewers_choice_comes_before_the_units() -> None:
    chosen = asks(
        ReviewReturn,
        complaint_id=ID,
        assignment=1,
        approved=True,
        reviewer="reviewer-3",
        reason="",
        to_unit=WATER,
        at=REVIEW.at,
    )
    given(*WITH_UNIT, RETURN_REQUESTED).when(chosen).then(
        RETURN_APPROVED, replace(ELSEWHERE, unit=WATER, level=Level.MUNICIPAL)
    )


@pytest.mark.parametrize(
    ("wished", "present", "unit"),
    [
        ((OTHER_STREET, STREET), STREET, OTHER_STREET),
        ((None, OTHER_STREET), STREET, OTHER_STREET),
        ((None, None), STREET, DISTRICT),
        ((None, UnitId("street-nowhere")), STREET, DISTRICT),
        ((None, STREET), STREET, DISTRICT),
        ((None, None), DISTRICT, CENTRE),
        ((None, None), CENTRE, DISTRICT),
    ],
)
def test_a_returned_order_goes_to_a_known_unit_and_never_back_where_it_came_from(
    wished: tuple[UnitId | None, UnitId | None], present: UnitId, unit: UnitId
) -> None:
    assert after_return(CATALOGUE, wished, "海淀区", present).unit == unit


def test_a_return_and_re_dispatch_never_resets_the_citizens_limit() -> None:
    """T10: two clocks; the new unit has its own sign limit, the citizen waits no longer for it."""
    late_review = asks(
        ReviewReturn,
        complaint_id=ID,
        assignment=1,
        approved=True,
        reviewer="reviewer-3",
        reason="",
        to_unit=None,
        at=CALLED_AT + 3 * DAY,
    )
    _, order = given(*WITH_UNIT, RETURN_REQUESTED).when(late_review).facts
    assert isinstance(order, ComplaintDispatched)
    assert order.citizen_due_at == DUE_AT
    assert order.unit_due_at == DUE_AT + 3 * DAY
    assert order.sign_due_at == CALLED_AT + 3 * DAY + 8 * HOUR
    assert (order.assignment, order.round) == (2, 1)


def test_a_rejected_return_leaves_the_order_where_it_is() -> None:
    rejected = asks(
        ReviewReturn,
        complaint_id=ID,
        assignment=1,
        approved=False,
        reviewer="reviewer-3",
        reason="属本街道",
        to_unit=None,
        at=REVIEW.at,
    )
    given(*WITH_UNIT, RETURN_REQUESTED).when(rejected).then(RETURN_REJECTED).when(SIGN).then_says(
        type(SIGNED)
    )


def test_a_return_is_decided_once() -> None:
    given(*WITH_UNIT, RETURN_REQUESTED).when(REVIEW).then(RETURN_APPROVED, ELSEWHERE).when(
        REVIEW
    ).then_refused("approve the return", because="assignment 1 is over")
    given(*WITH_UNIT, RETURN_REQUESTED, RETURN_REJECTED).when(REVIEW).then_refused(
        "approve the return", because="no return of this order is under review"
    )


def test_a_return_cannot_be_sent_to_a_unit_nobody_knows() -> None:
    nowhere = asks(
        ReviewReturn,
        complaint_id=ID,
        assignment=1,
        approved=True,
        reviewer="reviewer-3",
        reason="",
        to_unit=UnitId("nowhere"),
        at=REVIEW.at,
    )
    given(*WITH_UNIT, RETURN_REQUESTED).when(nowhere).then_refused(
        "approve the return", because="to_unit: “nowhere” is not in catalogue test-1"
    )


def test_no_unit_returns_an_order_to_itself_by_its_own_wish_or_by_the_reviewers() -> None:
    """A link to itself: the reason names the field, and the return that was asked for before goes on."""
    given(*WITH_UNIT).when(told(RETURN, suggested_unit=STREET)).then_refused(
        "return", because=f"suggested_unit: {STREET} is who returns it"
    )
    given(*WITH_UNIT, RETURN_REQUESTED).when(told(REVIEW, to_unit=STREET)).then_refused(
        "approve the return", because=f"to_unit: {STREET} is who returns it"
    )
    rejected = told(REVIEW, to_unit=STREET, approved=False)
    given(*WITH_UNIT, RETURN_REQUESTED).when(rejected).then_says(type(RETURN_REJECTED))


def test_after_the_last_return_the_present_unit_leads() -> None:
    """R12: 不得推诿; the rule set allows two returns."""
    past: tuple[Fact, ...] = WITH_UNIT
    units = [STREET, OTHER_STREET, DISTRICT]
    for number, unit in enumerate(units, start=1):
        asking = asks(
            RequestReturn,
            complaint_id=ID,
            unit=unit,
            assignment=number,
            reason="r",
            evidence="e",
            suggested_unit=units[number] if number < len(units) else None,
            at=CALLED_AT + number * HOUR,
        )
        said = given(*past).when(asking)
        if number == len(units):
            said.then_refused("return", because="a return was asked for 2 times already, at most 2")
            return
        approves = asks(
            ReviewReturn,
            complaint_id=ID,
            assignment=number,
            approved=True,
            reviewer="r",
            reason="",
            to_unit=None,
            at=asking.at,
        )
        past = (
            said.then_says(type(RETURN_REQUESTED))
            .when(approves)
            .then_says(ReturnApproved, ComplaintDispatched)
            .facts
        )


@pytest.mark.parametrize(("asked", "command"), [("sign", SIGN), ("answer", ANSWER), ("return", RETURN)])
def test_the_former_units_reply_after_re_dispatch_is_refused(
    asked: str, command: SignOrder | AnswerOrder | RequestReturn
) -> None:
    """T2: by unit."""
    given(*RETURNED).when(command).then_refused(asked, because="the order lies with street-xiaoguan now")


def test_the_former_assignments_reply_is_refused_even_from_the_same_unit() -> None:
    """T2: by assignment; the order came back to it by another return."""
    back = replace(ELSEWHERE, unit=STREET, assignment=3)
    second = replace(RETURN_REQUESTED, unit=OTHER_STREET, assignment=2)
    approved = replace(RETURN_APPROVED, unit=OTHER_STREET, assignment=2)
    given(*RETURNED, second, approved, back).when(ANSWER).then_refused(
        "answer", because="assignment 1 is over, the present one is 3"
    )


def test_the_new_unit_is_heard() -> None:
    theirs = asks(SignOrder, complaint_id=ID, unit=OTHER_STREET, assignment=2, at=CALLED_AT + 4 * HOUR)
    given(*RETURNED).when(theirs).then(
        replace(SIGNED, unit=OTHER_STREET, assignment=2, signed_at=CALLED_AT + 4 * HOUR)
    )


# --- answered


def test_an_answered_order_can_be_neither_signed_nor_returned() -> None:
    for asked, command in (("sign", SIGN), ("return", RETURN)):
        given(*WITH_UNIT, ANSWERED).when(command).then_refused(asked, because="the order is answered")


# --- reopened


def test_what_the_citizen_calls_unsolved_goes_to_the_same_unit_again_with_a_limit_of_its_own() -> None:
    again = type(DISPATCH)(complaint_id=ID, at=REOPENED.reopened_at)
    given(*UNSOLVED).when(again).then(SECOND_ROUND).when(again).then_nothing()


def test_an_answer_to_the_former_round_is_refused_even_before_the_new_order_is_written() -> None:
    """T3: it must not matter whether dispatch heard of the reopening before it heard of the answer."""
    for past in (UNSOLVED, (*UNSOLVED, SECOND_ROUND)):
        given(*past).when(ANSWER).then_refused("answer", because="assignment 1 is over, the present one is 2")


def test_a_review_of_the_former_round_is_refused_as_well() -> None:
    """The visit at expiry said no while the return lay with the reviewers."""
    unanswered = (
        *WITH_UNIT,
        RETURN_REQUESTED,
        VISIT_SCHEDULED,
        replace(VISIT_MADE, solved=False, satisfied=False),
        REOPENED,
    )
    for past in (unanswered, (*unanswered, SECOND_ROUND)):
        given(*past).when(REVIEW).then_refused("approve the return", because="assignment 1 is over")


def test_a_return_in_a_later_round_moves_no_limit() -> None:
    """T10, in the second round too."""
    returned = replace(RETURN_REQUESTED, assignment=2, requested_at=CALLED_AT + 2 * DAY)
    review = asks(
        ReviewReturn,
        complaint_id=ID,
        assignment=2,
        approved=True,
        reviewer="r",
        reason="",
        to_unit=None,
        at=CALLED_AT + 3 * DAY,
    )
    _, order = given(*UNSOLVED, SECOND_ROUND, returned).when(review).facts
    assert isinstance(order, ComplaintDispatched)
    assert (order.unit, order.assignment, order.round) == (OTHER_STREET, 3, 2)
    assert (order.citizen_due_at, order.unit_due_at) == (DUE_AT, SECOND_ROUND.unit_due_at)


def test_a_given_limit_gives_the_next_round_as_much_time_again() -> None:
    """Boston has no limits of its own: a reopened case has as long as the first time."""
    boston = [
        replace(RECEIVED, ruleset="boston-311-2011", given_due_at=CALLED_AT + 3 * DAY),
        CLASSIFIED,
        replace(
            DISPATCHED,
            sign_due_at=None,
            citizen_due_at=CALLED_AT + 3 * DAY,
            unit_due_at=CALLED_AT + 3 * DAY,
        ),
        ANSWERED,
        VISIT_SCHEDULED,
        replace(VISIT_MADE, solved=False, satisfied=False),
        REOPENED,
    ]
    again = type(DISPATCH)(complaint_id=ID, at=REOPENED.reopened_at)
    (order,) = given(*boston).when(again).facts
    assert isinstance(order, ComplaintDispatched)
    assert order.unit_due_at == REOPENED.reopened_at + 3 * DAY


# --- ended


@pytest.mark.parametrize("end", [WITHDRAWN, CLOSED])
def test_after_the_end_every_reply_is_refused_by_a_fact(end: Fact) -> None:
    for asked, command in (
        ("sign", SIGN),
        ("answer", ANSWER),
        ("return", RETURN),
        ("approve the return", REVIEW),
    ):
        given(*WITH_UNIT, end).when(command).then_refused(
            asked, because=f"the life ended with {type(end).__name__}"
        )


def test_a_refusal_changes_nothing_so_an_order_refused_once_can_still_be_answered() -> None:
    stranger = asks(SignOrder, complaint_id=ID, unit=WATER, assignment=1, at=SIGN.at)
    before = given(*WITH_UNIT).case
    after = given(*WITH_UNIT).when(stranger).then_refused("sign", because="street-huayuanlu")
    assert after.case == before
    after.when(ANSWER).then(ANSWERED)


def test_an_act_at_the_very_limit_is_an_act_like_any_other() -> None:
    """Whether it was in time is escalation's to say, from the same facts."""
    for at in (DUE_AT, DUE_AT + INSTANT):
        answer = asks(
            AnswerOrder,
            complaint_id=ID,
            unit=STREET,
            assignment=1,
            result="已清理并划线",
            claims_solved=True,
            at=at,
        )
        given(*WITH_UNIT).when(answer).then(replace(ANSWERED, answered_at=at))


def test_an_order_that_is_not_written_yet_cannot_be_signed_or_answered() -> None:
    """Between the citizen's no and the next order there is nothing to reply to."""
    for asked, command in (
        ("sign", asks(SignOrder, complaint_id=ID, unit=STREET, assignment=2, at=SIGN.at)),
        (
            "answer",
            asks(
                AnswerOrder,
                complaint_id=ID,
                unit=STREET,
                assignment=2,
                result="",
                claims_solved=True,
                at=ANSWER.at,
            ),
        ),
    ):
        given(*UNSOLVED).when(command).then_refused(asked, because="assignment 2 is not written yet")
