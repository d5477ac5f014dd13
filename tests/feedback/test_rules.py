"""What feedback decides, by state: before the limit, asking, not reached, reopened, last round, ended."""

from functools import partial

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from services.feedback import rules
from services.feedback.decisions.visits import ScheduleVisit
from shared.asked import Asked
from shared.complaint import Complaint
from shared.events import (
    AnswerLimitMissed,
    ComplaintClosed,
    Fact,
    OrderAnswered,
    Outcome,
    SupervisionDecided,
    TerminationApproved,
    VisitAnswerRefused,
    VisitMade,
    VisitReason,
    VisitScheduled,
    VisitUnreached,
)
from shared.inputs import CloseByException, DecideSupervision, RecordUnreached, RecordVisit
from shared.times import stated
from tests.examples import (
    ANSWERED,
    CALLED_AT,
    CATALOGUE,
    CLASSIFIED,
    CLOSE,
    CLOSED,
    DAY,
    DECIDE,
    DISPATCHED,
    DUE_AT,
    ESCALATED,
    FACTS,
    FEEDBACK_MISSED,
    HOUR,
    ID,
    INSTANT,
    OTHER_STREET,
    RECEIVED,
    RECORD_UNREACHED,
    RECORD_VISIT,
    REOPENED,
    RETURN_APPROVED,
    RETURN_REQUESTED,
    SCHEDULE,
    SIGN_MISSED,
    SIGNED,
    STREET,
    SUPERVISION_DECIDED,
    VISIT_MADE,
    VISIT_SCHEDULED,
    VISIT_UNREACHED,
    WITHDRAWN,
    asks,
    told,
)
from tests.spec import case_of, spec

given = spec(partial(rules.decide, catalogue=CATALOGUE))

WITH_UNIT = (RECEIVED, CLASSIFIED, DISPATCHED)
ANSWERED_LIFE = (*WITH_UNIT, ANSWERED)
ASKING = (*ANSWERED_LIFE, VISIT_SCHEDULED)
EXPIRED = (*WITH_UNIT, FEEDBACK_MISSED)
AT_EXPIRY = replace(VISIT_SCHEDULED, reason=VisitReason.EXPIRED, visit_at=DUE_AT, scheduled_at=DUE_AT)
ASKING_UNANSWERED = (*EXPIRED, AT_EXPIRY)
SCHEDULE_AT_EXPIRY = ScheduleVisit(
    complaint_id=ID, round=1, because=VisitReason.EXPIRED, unit=STREET, at=DUE_AT
)
NO = asks(
    RecordVisit,
    complaint_id=ID,
    visit=1,
    attempt=1,
    solved=False,
    satisfied=False,
    reason="仍被占用",
    channel="phone",
    at=RECORD_VISIT.at,
)
SAID_NO = replace(VISIT_MADE, solved=False, satisfied=False, reason="仍被占用")


def unreached(attempt: int, at_hour: int) -> Asked:
    return asks(
        RecordUnreached,
        complaint_id=ID,
        visit=1,
        attempt=attempt,
        cause="no_answer",
        channel="phone",
        at=CALLED_AT + at_hour * HOUR,
    )


# --- hearing the log


def test_an_answer_is_a_reason_to_ask_and_so_is_an_expired_limit() -> None:
    """R8: 诉求办理时限期满…应当…进行回访, or earlier, on feedback."""
    assert rules.react(ANSWERED, ANSWERED.answered_at) == SCHEDULE
    assert rules.react(FEEDBACK_MISSED, DUE_AT) == SCHEDULE_AT_EXPIRY


def test_nothing_else_that_happens_is_a_reason_to_ask() -> None:
    others = [fact for fact in FACTS if not isinstance(fact, rules.REACTS)]
    assert [rules.react(fact, CALLED_AT) for fact in others] == [None] * len(others)
    assert set(rules.REACTS) == {OrderAnswered, AnswerLimitMissed, TerminationApproved}


# --- when to ask (R8)


def test_the_citizen_is_asked_as_soon_as_the_unit_has_answered() -> None:
    """R8, E1: or earlier, on feedback."""
    given(*ANSWERED_LIFE).when(SCHEDULE).then(VISIT_SCHEDULED).when(SCHEDULE).then_nothing()


def test_the_citizen_is_asked_at_expiry_although_the_unit_never_answered() -> None:
    """R8, T32: expiry of the limit is enough."""
    given(*EXPIRED).when(SCHEDULE_AT_EXPIRY).then(AT_EXPIRY).when(SCHEDULE_AT_EXPIRY).then_nothing()


def test_a_late_answer_during_the_visit_at_expiry_asks_nobody_twice() -> None:
    """R8, T3: whichever is first, and once a round."""
    late = replace(ANSWERED, answered_at=DUE_AT + HOUR)
    given(*ASKING_UNANSWERED, late).when(SCHEDULE).then_nothing()


def test_a_late_answer_before_the_visit_at_expiry_leaves_it_to_that_visit() -> None:
    """R8: the limit had passed when the answer came, whether or not anybody had noticed."""
    late = replace(ANSWERED, answered_at=DUE_AT + HOUR)
    given(*WITH_UNIT, late).when(SCHEDULE).then_nothing().when(SCHEDULE_AT_EXPIRY).then(AT_EXPIRY)


def test_an_answer_in_time_is_asked_about_though_the_clock_was_faster_and_only_once() -> None:
    """The miss will be corrected; the visit it led to stands."""
    in_time = replace(ANSWERED, answered_at=DUE_AT)
    given(*EXPIRED, in_time).when(SCHEDULE_AT_EXPIRY).then(AT_EXPIRY).when(SCHEDULE).then_nothing()


def test_a_visit_at_expiry_is_about_the_unit_whose_limit_expired() -> None:
    """The order may have gone to another before anybody noticed."""
    there = replace(DISPATCHED, unit=OTHER_STREET, assignment=2, dispatched_at=DUE_AT + HOUR)
    given(*WITH_UNIT, RETURN_REQUESTED, RETURN_APPROVED, there, FEEDBACK_MISSED).when(
        SCHEDULE_AT_EXPIRY
    ).then(AT_EXPIRY)


def test_a_review_under_way_does_not_put_off_the_visit_at_expiry() -> None:
    given(*WITH_UNIT, RETURN_REQUESTED, FEEDBACK_MISSED).when(SCHEDULE_AT_EXPIRY).then(AT_EXPIRY)


def test_nobody_is_asked_about_a_round_that_is_over() -> None:
    given(*ASKING, SAID_NO, REOPENED).when(SCHEDULE).then_nothing()
    again = replace(DISPATCHED, assignment=2, round=2)
    given(*ASKING, SAID_NO, REOPENED, again).when(SCHEDULE).then_nothing()


def test_nobody_is_asked_about_an_order_that_was_never_sent_or_a_complaint_nobody_knows() -> None:
    given(RECEIVED, CLASSIFIED).when(SCHEDULE).then_nothing()
    for command in (SCHEDULE, RECORD_VISIT, RECORD_UNREACHED, CLOSE):
        given().cannot_be_told(command)


# --- asking


def test_solved_says_the_citizen_and_the_life_ends() -> None:
    """E2, E3."""
    given(*ASKING).when(RECORD_VISIT).then(VISIT_MADE, CLOSED)


def test_solved_but_not_satisfied_is_still_solved() -> None:
    """Two questions, two answers; only the first one decides."""
    grumbling = asks(
        RecordVisit,
        complaint_id=ID,
        visit=1,
        attempt=1,
        solved=True,
        satisfied=False,
        reason="太慢",
        channel="sms",
        at=RECORD_VISIT.at,
    )
    given(*ASKING).when(grumbling).then(
        replace(VISIT_MADE, satisfied=False, reason="太慢", channel="sms"), CLOSED
    )


def test_the_unit_claims_solved_and_the_citizen_says_not_so_it_is_not() -> None:
    """T18, E2: the claim stays on record, the citizen's word counts; the same unit goes again."""
    claimed = replace(ANSWERED, claims_solved=True)
    given(*WITH_UNIT, claimed, VISIT_SCHEDULED).when(NO).then(SAID_NO, REOPENED)


def test_a_visit_told_twice_is_made_once() -> None:
    given(*ASKING).when(RECORD_VISIT).then(VISIT_MADE, CLOSED).when(RECORD_VISIT).then_refused(
        "record a visit", because="the life ended with ComplaintClosed"
    )
    given(*ASKING).when(NO).then(SAID_NO, REOPENED).when(NO).then_refused(
        "record a visit", because="no visit is under way"
    )


def test_an_answer_nobody_asked_for_is_refused() -> None:
    given(*ANSWERED_LIFE).when(RECORD_VISIT).then_refused("record a visit", because="no visit is under way")
    given(*WITH_UNIT).when(RECORD_UNREACHED).then_refused(
        "record an attempt", because="no visit is under way"
    )


@pytest.mark.parametrize(("visit", "attempt"), [(2, 1), (1, 2)])
def test_an_answer_to_another_visit_or_attempt_is_refused(visit: int, attempt: int) -> None:
    stale = asks(
        RecordVisit,
        complaint_id=ID,
        visit=visit,
        attempt=attempt,
        solved=True,
        satisfied=True,
        reason="",
        channel="phone",
        at=RECORD_VISIT.at,
    )
    given(*ASKING).when(stale).then_refused(
        "record a visit",
        because=f"visit {visit} attempt {attempt} is over, the present one is 1 attempt 1",
    )


@pytest.mark.parametrize("command", [RECORD_VISIT, RECORD_UNREACHED])
def test_an_answer_from_before_the_visit_was_asked_for_is_refused_and_one_on_the_instant_is_not(
    command: RecordVisit | RecordUnreached,
) -> None:
    """E3: what was said before anybody was to ask is no answer to that question."""
    asked = "record a visit" if isinstance(command.command, RecordVisit) else "record an attempt"
    due_at = VISIT_SCHEDULED.visit_at
    early = told(command, at=due_at - INSTANT)
    why = f"visit 1 attempt 1 was not to be made before {stated(due_at, RECEIVED.ruleset)}"
    on_time = given(*ASKING).when(early).then_refused(asked, because=why)
    assert VisitAnswerRefused not in map(type, on_time.when(told(command, at=due_at)).facts)


def test_a_further_attempt_before_its_time_is_refused_though_it_was_asked_for() -> None:
    """T19: the spacing between attempts is the dialler's to keep, and ours to see kept."""
    tried = given(*ASKING).when(RECORD_UNREACHED).then_says(VisitUnreached, VisitScheduled)
    tried.when(unreached(2, 28)).then_refused("record an attempt", because="was not to be made before")
    tried.when(unreached(2, 29)).then_says(VisitUnreached, VisitScheduled)


def test_yes_at_expiry_closes_and_recalls_the_order_the_unit_never_answered() -> None:
    """T3: the visit's result wins; dispatch will refuse the answer that comes after it."""
    given(*ASKING_UNANSWERED).when(told(RECORD_VISIT, at=DUE_AT)).then(
        replace(VISIT_MADE, visited_at=DUE_AT), replace(CLOSED, recalled_unit=STREET, closed_at=DUE_AT)
    )


def test_no_at_expiry_sends_it_round_again() -> None:
    given(*ASKING_UNANSWERED).when(told(NO, at=DUE_AT)).then(
        replace(SAID_NO, visited_at=DUE_AT), replace(REOPENED, reopened_at=DUE_AT)
    )


# --- not reached (T19)


def test_who_is_not_reached_is_tried_again_after_the_spacing() -> None:
    """T19: no reply is no judgement; three attempts, four hours apart at least (§13.8)."""
    again = replace(
        VISIT_SCHEDULED,
        attempt=2,
        visit_at=RECORD_UNREACHED.at + 4 * HOUR,
        scheduled_at=RECORD_UNREACHED.at,
    )
    given(*ASKING).when(RECORD_UNREACHED).then(VISIT_UNREACHED, again)


def test_all_attempts_of_one_visit_share_its_number_and_its_reason() -> None:
    said = given(*ASKING_UNANSWERED).when(unreached(1, 200)).facts
    assert isinstance(said[1], VisitScheduled)
    assert (said[1].visit, said[1].attempt, said[1].reason) == (1, 2, VisitReason.EXPIRED)


def test_an_attempt_told_twice_counts_once() -> None:
    given(*ASKING).when(RECORD_UNREACHED).then_says(VisitUnreached, VisitScheduled).when(
        RECORD_UNREACHED
    ).then_refused("record an attempt", because="visit 1 attempt 1 is over, the present one is 1 attempt 2")


def test_an_attempt_goes_by_the_channel_the_rule_set_names_for_it() -> None:
    """E1, R8: telephone twice, then a text message (configuration); no reply to that says nothing (T19)."""
    first = given(*ASKING).when(unreached(1, 25)).then_says(VisitUnreached, VisitScheduled)
    second = first.when(unreached(2, 29))
    channels = [f.channel for f in (*first.facts, *second.facts) if isinstance(f, VisitScheduled)]
    assert channels == [UNSET, UNSET, "sms"]
    last = second.then_says(VisitUnreached, VisitScheduled).when(
        told(unreached(3, 33), channel="sms", cause="no_reply")
    )
    (_, closed) = last.facts
    assert isinstance(closed, ComplaintClosed)
    assert closed.outcome is Outcome.UNREACHED


def test_answered_and_unreached_in_all_attempts_is_closed_as_just_that() -> None:
    """T19: neither solved nor satisfied, and said so."""
    (
        given(*ASKING)
        .when(unreached(1, 25))
        .then_says(VisitUnreached, VisitScheduled)
        .when(unreached(2, 29))
        .then_says(VisitUnreached, VisitScheduled)
        .when(unreached(3, 33))
        .then(
            replace(VISIT_UNREACHED, attempt=3, attempted_at=CALLED_AT + 33 * HOUR),
            replace(CLOSED, outcome=Outcome.UNREACHED, closed_at=CALLED_AT + 33 * HOUR),
        )
    )


def test_reached_at_the_last_attempt_is_reached() -> None:
    third = asks(
        RecordVisit,
        complaint_id=ID,
        visit=1,
        attempt=3,
        solved=True,
        satisfied=True,
        reason="",
        channel="phone",
        at=CALLED_AT + 33 * HOUR,
    )
    tried = given(*ASKING)
    for attempt, hour in ((1, 25), (2, 29)):
        tried = tried.when(unreached(attempt, hour)).then_says(VisitUnreached, VisitScheduled)
    tried.when(third).then_says(VisitMade, ComplaintClosed)


UNREACHED_UNANSWERED: tuple[Fact, ...] = (
    *ASKING_UNANSWERED,
    *(
        fact
        for attempt in (2, 3)
        for fact in (replace(VISIT_UNREACHED, attempt=attempt - 1), replace(AT_EXPIRY, attempt=attempt))
    ),
    replace(VISIT_UNREACHED, attempt=3),
)


def test_unreached_and_unanswered_stays_open() -> None:
    """E3: nothing was done and nobody has judged; the unit still owes its answer."""
    tried = given(*UNREACHED_UNANSWERED[:-1])
    last = unreached(3, 200)
    state = tried.when(last).then(replace(VISIT_UNREACHED, attempt=3, attempted_at=CALLED_AT + 200 * HOUR))
    assert isinstance(state.case, Complaint)
    assert state.case.ended is None


def test_unreached_and_unanswered_is_asked_again_when_the_answer_comes() -> None:
    """The only way to be asked twice in one round: the first time there was nothing to judge."""
    late = replace(ANSWERED, answered_at=DUE_AT + 2 * DAY)
    asking = ScheduleVisit(
        complaint_id=ID, round=1, because=VisitReason.ANSWERED, unit=STREET, at=DUE_AT + 2 * DAY
    )
    second = replace(VISIT_SCHEDULED, visit=2, visit_at=DUE_AT + 2 * DAY, scheduled_at=DUE_AT + 2 * DAY)
    given(*UNREACHED_UNANSWERED).when(SCHEDULE_AT_EXPIRY).then_nothing()
    given(*UNREACHED_UNANSWERED, late).when(asking).then(second).when(asking).then_nothing()


# --- rounds


def test_unsolved_in_the_last_round_is_closed_as_unsolved() -> None:
    """The rule set allows three rounds; the outcome says what the citizen said."""
    third = (
        RECEIVED,
        CLASSIFIED,
        replace(DISPATCHED, assignment=3, round=3),
        replace(ANSWERED, assignment=3, round=3),
        replace(VISIT_SCHEDULED, visit=3, round=3),
    )
    no = asks(
        RecordVisit,
        complaint_id=ID,
        visit=3,
        attempt=1,
        solved=False,
        satisfied=False,
        reason="仍被占用",
        channel="phone",
        at=RECORD_VISIT.at,
    )
    given(*third).when(no).then(
        replace(SAID_NO, visit=3, round=3), replace(CLOSED, outcome=Outcome.UNSOLVED, visit=3)
    )


@pytest.mark.parametrize("number", [1, 2])
def test_unsolved_in_an_earlier_round_is_never_the_end(number: int) -> None:
    life = (
        RECEIVED,
        CLASSIFIED,
        replace(DISPATCHED, assignment=number, round=number),
        replace(ANSWERED, assignment=number, round=number),
        replace(VISIT_SCHEDULED, round=number),
    )
    given(*life).when(NO).then(replace(SAID_NO, round=number), replace(REOPENED, round=number + 1))


def test_a_new_round_is_asked_about_anew() -> None:
    second = (
        *ASKING,
        SAID_NO,
        REOPENED,
        replace(DISPATCHED, assignment=2, round=2),
        replace(ANSWERED, assignment=2, round=2),
    )
    asking = ScheduleVisit(
        complaint_id=ID, round=2, because=VisitReason.ANSWERED, unit=STREET, at=SCHEDULE.at
    )
    given(*second).when(asking).then(replace(VISIT_SCHEDULED, visit=2, round=2))


# --- closing without a visit (E3)

STAGES: dict[str, tuple[Fact, ...]] = {
    "with a unit": WITH_UNIT,
    "signed": (*WITH_UNIT, SIGNED),
    "under review": (*WITH_UNIT, RETURN_REQUESTED),
    "asking at expiry": ASKING_UNANSWERED,
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_supervisors_exception_closes_at_any_stage_and_recalls_what_is_open(stage: str) -> None:
    """E3: approved, by whom and why."""
    given(*STAGES[stage]).when(CLOSE).then(
        ComplaintClosed(
            complaint_id=ID,
            outcome=Outcome.EXCEPTION,
            visit=0,
            approved_by="supervisor-1",
            reason="诉求人已搬离",
            recalled_unit=STREET,
            closed_at=CLOSE.at,
        )
    )


@pytest.mark.parametrize("life", [(RECEIVED, CLASSIFIED), ANSWERED_LIFE, ASKING])
def test_an_exception_recalls_nobody_where_no_order_is_open(life: tuple[Fact, ...]) -> None:
    (closed,) = given(*life).when(CLOSE).facts
    assert isinstance(closed, ComplaintClosed)
    assert (closed.outcome, closed.recalled_unit) == (Outcome.EXCEPTION, None)


def test_an_exception_approved_twice_closes_once() -> None:
    given(*WITH_UNIT).when(CLOSE).then_says(ComplaintClosed).when(CLOSE).then_refused(
        "close by exception", because="the life ended with ComplaintClosed"
    )


# --- supervision

CLIMBED = (*WITH_UNIT, SIGN_MISSED, ESCALATED)


def test_a_supervisor_decides_what_has_climbed_and_its_unit_hears_of_it() -> None:
    given(*CLIMBED).when(DECIDE).then(SUPERVISION_DECIDED)


def test_what_has_not_climbed_no_supervisor_decides() -> None:
    given(*WITH_UNIT).when(DECIDE).then_refused("decide", because="it has not climbed")
    given(RECEIVED, CLASSIFIED).when(DECIDE).then_refused("decide", because="it has not climbed")


def test_a_decision_may_be_followed_by_another_and_moves_no_limit() -> None:
    before = case_of(CLIMBED)
    again = asks(DecideSupervision, complaint_id=ID, decided_by="s", decision="d", at=CALLED_AT + 2 * DAY)
    given(*CLIMBED).when(DECIDE).then(SUPERVISION_DECIDED).when(again).then_says(SupervisionDecided)
    assert case_of((*CLIMBED, SUPERVISION_DECIDED)) == before


# --- ended


@pytest.mark.parametrize("end", [CLOSED, WITHDRAWN])
def test_after_the_end_nobody_is_asked_and_every_answer_is_refused_by_a_fact(end: Fact) -> None:
    """T21, T3."""
    ended = given(*ASKING, end)
    for command in (SCHEDULE, SCHEDULE_AT_EXPIRY):
        ended.when(command).then_nothing()
    for asked, command in (
        ("record a visit", RECORD_VISIT),
        ("record an attempt", RECORD_UNREACHED),
        (
            "close by exception",
            asks(CloseByException, complaint_id=ID, approved_by="s", reason="r", at=CALLED_AT + 9 * DAY),
        ),
    ):
        ended.when(command).then_refused(asked, because=f"the life ended with {type(end).__name__}")


def test_a_refused_answer_changes_nothing_so_the_right_one_is_still_taken() -> None:
    """E3: closing needs the outcome of the visit that was asked for."""
    stale = unreached(2, 25)
    given(*ASKING).when(stale).then_refused("record an attempt", because="attempt 2 is over").when(
        RECORD_VISIT
    ).then(VISIT_MADE, CLOSED)
