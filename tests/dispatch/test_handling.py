"""What a unit does with its order (contact, progress), and the review of its answer before the citizen is asked."""

from __future__ import annotations

from functools import partial

import pytest
from msgspec.structs import replace

from hotline.audit.legality.life import illegal
from services.dispatch import rules
from services.feedback import rules as feedback
from shared.asked import name_of
from shared.complaint import Stage, due_deadlines, stage_of, waits_for
from shared.events import Fact, OrderAnswered, VisitReason, VisitScheduled
from shared.events.base import Limit
from shared.outward import OUTWARD
from shared.topics import CITIZEN_NOTICES, DISPATCH_ORDERS, FEEDBACK_VISITS
from tests import examples as eg
from tests.examples import DAY, DUE_AT, HOUR, INSTANT, STREET, WATER, told
from tests.spec import case_of, spec

given = spec(partial(rules.decide, catalogue=eg.CATALOGUE))
asked = spec(partial(feedback.decide, catalogue=eg.CATALOGUE))

AT_UNIT = (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED)
SIGNED = (*AT_UNIT, eg.SIGNED)
ANSWERED = (*SIGNED, eg.ANSWERED)
ASKING = (*ANSWERED, eg.VISIT_SCHEDULED)
SENT_BACK = (*ASKING, eg.SENT_BACK)
BETTER = told(eg.ANSWER, result="已清理，附照片", at=eg.SEND_BACK.at + HOUR)
ANSWERED_AGAIN = replace(eg.ANSWERED, result="已清理，附照片", answered_at=BETTER.at)
ANONYMOUS = (
    eg.RECEIVED,
    replace(eg.PROTECTED, anonymous=True, confidential=False),
    eg.CLASSIFIED,
    eg.DISPATCHED,
    eg.SIGNED,
)


# -- the first contact


def test_the_unit_that_signed_speaks_to_the_citizen_once_for_the_first_time() -> None:
    """Q3: R7, §4.4 首次联系: in vain as often as it takes, then once."""
    given(*SIGNED).when(eg.CONTACT_IN_VAIN).then(eg.CONTACT_FAILED).when(eg.CONTACT).then(eg.CONTACTED).when(
        told(eg.CONTACT, at=eg.CONTACT.at + DAY)
    ).then_refused("record a contact", "the citizen was spoken to at")


def test_an_attempt_in_vain_leaves_the_contact_still_to_be_made() -> None:
    again = told(eg.CONTACT_IN_VAIN, at=eg.CONTACT_IN_VAIN.at + HOUR)
    after = (
        given(*SIGNED)
        .when(eg.CONTACT_IN_VAIN)
        .then(eg.CONTACT_FAILED)
        .when(again)
        .then(replace(eg.CONTACT_FAILED, tried_at=again.at))
    )
    assert after.case.order.contacted_at is None  # type: ignore[union-attr]


@pytest.mark.parametrize("command", [eg.CONTACT, eg.CONTACT_IN_VAIN, eg.PROGRESS], ids=name_of)
@pytest.mark.parametrize(
    ("past", "change", "because"),
    [
        (AT_UNIT, {}, "the order is not signed"),
        (SIGNED, {"unit": WATER}, "the order lies with street-huayuanlu now"),
        (SIGNED, {"assignment": 2}, "assignment 2 is over"),
        (ANSWERED, {}, "the order is answered"),
        ((*ASKING, eg.VISIT_MADE, eg.CLOSED), {}, "the life ended with ComplaintClosed"),
    ],
    ids=["not signed", "another unit", "another assignment", "answered", "ended"],
)
def test_nobody_else_speaks_to_the_citizen_about_it_and_only_while_it_is_handled(
    command: object, past: tuple[Fact, ...], change: dict[str, object], because: str
) -> None:
    """T2, R9: a bad or stale word is refused by a fact."""
    asked_for = {"RecordContact": "record a contact", "ReportProgress": "report progress"}
    named = asked_for.get(name_of(command), "record a contact that failed")
    given(*past).when(told(command, **change)).then_refused(named, because)  # type: ignore[type-var]


def test_what_comes_after_something_later_is_refused_and_so_is_failing_after_it_succeeded() -> None:
    given(*SIGNED, eg.CONTACT_FAILED).when(
        told(eg.CONTACT, at=eg.CONTACT_FAILED.tried_at - INSTANT)
    ).then_refused("record a contact", "something later is on record")
    given(*SIGNED, eg.CONTACTED).when(told(eg.CONTACT_IN_VAIN, at=eg.CONTACT.at + HOUR)).then_refused(
        "record a contact that failed", "the citizen was spoken to at"
    )
    given(*SIGNED, eg.PROGRESSED).when(told(eg.PROGRESS, at=eg.PROGRESS.at - INSTANT)).then_refused(
        "report progress", "something later is on record"
    )


def test_nobody_can_speak_to_an_anonymous_citizen_but_progress_is_on_record() -> None:
    """A5."""
    given(*ANONYMOUS).when(eg.CONTACT).then_refused("record a contact", "nobody knows who it was")
    given(*ANONYMOUS).when(eg.PROGRESS).then(eg.PROGRESSED)


# -- progress


def test_progress_is_told_to_the_citizen_and_meets_no_limit() -> None:
    """R7: 有权了解诉求办理情况; what the citizen is told goes out on a topic of its own, and to nobody else."""
    before = due_deadlines(case_of(SIGNED))
    after = given(*SIGNED).when(eg.PROGRESS).then(eg.PROGRESSED)
    assert due_deadlines(after.case) == before
    assert OUTWARD["ProgressReported"] == ((CITIZEN_NOTICES, None),)
    assert (CITIZEN_NOTICES, None) in OUTWARD["ExtensionApproved"]
    after.when(eg.PROGRESS).then(eg.PROGRESSED)  # one batch of a sender has one stamp: each report counts
    after.when(told(eg.PROGRESS, text="已清理一半", at=eg.PROGRESS.at + HOUR)).then(
        replace(eg.PROGRESSED, text="已清理一半", reported_at=eg.PROGRESS.at + HOUR)
    )


# -- the review of the answer


def test_an_answer_sent_back_is_as_if_not_given_but_stays_on_record_and_the_limit_runs_on() -> None:
    """§4.4 审核退回, T10: the same limit, the same unit; nobody is asked about what was not let through."""
    after = given(*ASKING).when(eg.SEND_BACK).then(eg.SENT_BACK)
    assert due_deadlines(after.case)[Limit.ANSWER] == DUE_AT
    assert stage_of(after.case) is Stage.SIGNED
    assert waits_for(after.case).name == STREET  # type: ignore[union-attr]
    assert [fact.claims_solved for fact in after.facts if isinstance(fact, OrderAnswered)] == [True]
    assert OUTWARD["AnswerSentBack"] == ((DISPATCH_ORDERS, "unit"), (FEEDBACK_VISITS, None))


def test_the_second_answer_leads_to_a_visit_of_its_own_and_the_dialler_who_asked_about_the_first_is_refused() -> (
    None
):
    """T3, R8."""
    given(*SENT_BACK).when(BETTER).then(ANSWERED_AGAIN)
    visit = replace(eg.VISIT_SCHEDULED, visit=2, visit_at=BETTER.at, scheduled_at=BETTER.at)
    after = asked(*SENT_BACK, ANSWERED_AGAIN).when(told(eg.SCHEDULE, at=BETTER.at)).then(visit)
    after.when(told(eg.RECORD_VISIT, at=BETTER.at + HOUR)).then_refused(
        "record a visit", "visit 1 attempt 1 is over"
    )
    asked(*SENT_BACK).when(told(eg.RECORD_VISIT, at=BETTER.at)).then_refused(
        "record a visit", "no visit is under way"
    )


def test_feedback_that_hears_of_an_answer_only_after_it_was_sent_back_asks_nobody() -> None:
    """T3: the review overtook the visit."""
    asked(*ANSWERED, eg.SENT_BACK).when(eg.SCHEDULE).then_nothing()


def test_sent_back_and_never_answered_again_the_citizen_is_asked_at_expiry() -> None:
    """T32, E1: a visit was scheduled in this round and called off; that one does not count."""
    visit = told(eg.SCHEDULE, because=VisitReason.EXPIRED, at=DUE_AT)
    asked(*SENT_BACK, replace(eg.FEEDBACK_MISSED, noticed_at=DUE_AT + INSTANT)).when(visit).then_says(
        VisitScheduled
    )


@pytest.mark.parametrize(
    ("past", "change", "because"),
    [
        (AT_UNIT, {}, "there is no answer"),
        (SENT_BACK, {}, "there is no answer"),
        ((*SENT_BACK, ANSWERED_AGAIN), {"at": BETTER.at + HOUR}, "sent back 1 times already, at most 1"),
        (ASKING, {"assignment": 2}, "assignment 2 is over"),
        (ASKING, {"at": eg.ANSWER.at - INSTANT}, "it was answered only at"),
        (ASKING, {"at": DUE_AT + INSTANT}, "the limit passed at"),
        (
            (*ASKING, eg.VISIT_UNREACHED, replace(eg.VISIT_SCHEDULED, attempt=2)),
            {"at": eg.SEND_BACK.at + HOUR},
            "the citizen is being asked",
        ),
        ((*ASKING, eg.VISIT_MADE, eg.CLOSED), {}, "the life ended with ComplaintClosed"),
        ((*ASKING, replace(eg.VISIT_MADE, solved=False), eg.REOPENED), {}, "assignment 1 is over"),
    ],
    ids=["none", "twice", "too often", "stale", "before it", "after the limit", "called", "ended", "judged"],
)
def test_an_answer_that_cannot_be_sent_back(
    past: tuple[Fact, ...], change: dict[str, object], because: str
) -> None:
    """T3, R8: after the limit, or once somebody has tried to ask, the citizen judges and no reviewer."""
    given(*past).when(told(eg.SEND_BACK, **change)).then_refused("send the answer back", because)  # type: ignore[arg-type]


def test_of_a_visits_answer_and_a_review_that_race_one_wins_and_both_orders_are_legal() -> None:
    """T3: whoever is second is refused by a fact."""
    at = eg.SEND_BACK.at
    said = asked(*ASKING).when(told(eg.RECORD_VISIT, solved=False, at=at)).facts
    given(*ASKING, *said).when(eg.SEND_BACK).then_refused("send the answer back", "assignment 1 is over")
    assert illegal(case_of(ASKING), eg.SENT_BACK, eg.VISIT_SCHEDULED) is None
    asked(*SENT_BACK).when(told(eg.RECORD_VISIT, at=at)).then_refused(
        "record a visit", "no visit is under way"
    )


def test_an_answer_by_a_unit_that_had_not_signed_is_not_returned_after_it_was_sent_back() -> None:
    """T4: who has answered has taken it on."""
    given(*AT_UNIT, eg.ANSWERED, eg.SENT_BACK).when(told(eg.RETURN, at=eg.SEND_BACK.at + HOUR)).then_refused(
        "return", "the order is signed"
    )


def test_an_answer_whose_miss_was_stated_and_corrected_is_not_sent_back() -> None:
    """R8, T10: its limit would be missed a second time, and a miss is stated once."""
    corrected = replace(eg.CORRECTED, limit=Limit.ANSWER, due_at=DUE_AT, done_at=eg.ANSWERED.answered_at)
    past = (*AT_UNIT, eg.SIGNED, eg.FEEDBACK_MISSED, eg.ANSWERED, corrected)
    given(*past).when(eg.SEND_BACK).then_refused("send the answer back", "the limit passed at")
