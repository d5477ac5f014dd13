"""What escalation decides, by state: in time, late, too late, climbing, at the top, ended, corrected."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from services.escalation import rules
from services.escalation.decisions.ladder import LADDER, TOP, next_level, told_at
from services.escalation.rules import FireDeadlines
from shared.complaint import HOTLINE, Case, Complaint, due_deadlines
from shared.events import (
    AnswerLimitMissed,
    ComplaintDispatched,
    ComplaintEscalated,
    EscalationFact,
    Fact,
    Level,
    LimitMissCorrected,
    SignLimitMissed,
    SupervisionClosed,
    SupervisionMissed,
    SupervisionOpened,
    Urgency,
    WarningGiven,
)
from shared.events.base import Limit
from shared.ids import UnitId
from tests import examples as eg
from tests.examples import (
    ANSWERED,
    ANSWERED_DIRECTLY,
    CALLED_AT,
    CATALOGUE,
    CENTRE,
    CLASSIFIED,
    CLOSED,
    CORRECTED,
    DAY,
    DISPATCH_DUE_AT,
    DISPATCH_MISSED,
    DISPATCHED,
    DISTRICT,
    DUE_AT,
    ESCALATED,
    FEEDBACK_MISSED,
    FIRE,
    HOUR,
    ID,
    INSTANT,
    MINUTE,
    NOT_TO_DISPATCH,
    OTHER_STREET,
    RECEIVED,
    REOPENED,
    RETURN_APPROVED,
    RETURN_REQUESTED,
    SIGN_DUE_AT,
    SIGN_MISSED,
    SIGNED,
    STREET,
    SUPERVISION,
    UNTIMED,
    VISIT_MADE,
    VISIT_SCHEDULED,
    WATER,
    WITHDRAWN,
)
from tests.spec import Given, spec


def misses(command: FireDeadlines, case: Case) -> list[EscalationFact]:
    """Misses and the ladder; what is said of warnings and of supervision stands in test_pushing_up.py."""
    beside = (WarningGiven, SupervisionOpened, SupervisionMissed, SupervisionClosed)
    return [fact for fact in rules.decide(command, case, CATALOGUE) if not isinstance(fact, beside)]


given = spec(misses)

WITH_UNIT = (RECEIVED, CLASSIFIED, DISPATCHED)
IN_HAND = (*WITH_UNIT, SIGNED)
LATE_SIGN = (*WITH_UNIT, SIGN_MISSED, ESCALATED)
TO_THE_TOP = replace(
    ESCALATED,
    to_level=Level.MUNICIPAL,
    told=SUPERVISION,
    next_at=None,
    escalated_at=SIGN_DUE_AT + DAY,
    noticed_at=SIGN_DUE_AT + DAY + INSTANT,
)
LATE_ANSWER = replace(
    ESCALATED,
    because=Limit.ANSWER,
    next_at=DUE_AT + DAY,
    escalated_at=DUE_AT,
    noticed_at=DUE_AT + INSTANT,
)


def until(at: datetime) -> FireDeadlines:
    """A look at the clock."""
    return FireDeadlines(complaint_id=ID, until=at)


def watched(state: Given) -> dict[Limit, datetime]:
    """What the clock watches afterwards."""
    return due_deadlines(state.case)


# --- in time


def test_before_its_limit_nothing_is_missed() -> None:
    given(*WITH_UNIT).when(until(SIGN_DUE_AT - INSTANT)).then_nothing()


def test_a_timer_never_fires_early_not_even_on_the_last_instant() -> None:
    """The limit is the last instant in time; it has passed only afterwards."""
    given(*WITH_UNIT).when(until(SIGN_DUE_AT)).then_nothing()


def test_an_act_exactly_at_the_limit_is_in_time() -> None:
    given(*WITH_UNIT, replace(SIGNED, signed_at=SIGN_DUE_AT)).when(FIRE).then_nothing()
    given(*IN_HAND, replace(ANSWERED, answered_at=DUE_AT)).when(until(DUE_AT + DAY)).then_nothing()


@pytest.mark.parametrize("sign_of_life", [SIGNED, ANSWERED, RETURN_REQUESTED])
def test_signing_answering_and_asking_to_return_all_meet_the_sign_limit(sign_of_life: Fact) -> None:
    given(*WITH_UNIT, replace(sign_of_life, **{sign_of_life.TIME: SIGN_DUE_AT})).when(FIRE).then_nothing()


def test_a_timer_that_fires_after_the_answer_says_nothing() -> None:
    """T5."""
    given(*IN_HAND, ANSWERED).when(until(DUE_AT + 30 * DAY)).then_nothing()


def test_a_complaint_nobody_was_asked_to_act_on_is_never_late() -> None:
    given(RECEIVED, UNTIMED).when(until(DUE_AT + DAY)).then_nothing()
    given(RECEIVED, NOT_TO_DISPATCH, ANSWERED_DIRECTLY).when(until(DUE_AT + DAY)).then_nothing()


def test_nothing_is_late_that_nobody_knows() -> None:
    given().cannot_be_told(FIRE)


# --- missed


def test_an_order_nobody_signed_in_time_is_missed_and_told_to_the_district() -> None:
    """提级: one level up, with a notice."""
    given(*WITH_UNIT).when(FIRE).then(SIGN_MISSED, ESCALATED).when(FIRE).then_nothing()


def test_an_order_nobody_answered_in_time_is_missed_and_told_to_the_district() -> None:
    fire = until(DUE_AT + INSTANT)
    given(*IN_HAND).when(fire).then(FEEDBACK_MISSED, LATE_ANSWER).when(fire).then_nothing()


def test_a_miss_happened_at_its_limit_whenever_it_was_noticed() -> None:
    noticed_at = SIGN_DUE_AT + 7 * HOUR
    given(*WITH_UNIT).when(until(noticed_at)).then(
        replace(SIGN_MISSED, noticed_at=noticed_at), replace(ESCALATED, noticed_at=noticed_at)
    )


def test_a_limit_that_lay_in_the_past_already_is_missed_at_the_dispatch_not_before() -> None:
    """A given target may have passed before the order was written (Boston)."""
    overdue = replace(
        DISPATCHED, sign_due_at=None, citizen_due_at=CALLED_AT - DAY, unit_due_at=CALLED_AT - DAY
    )
    missed, escalated = given(RECEIVED, CLASSIFIED, overdue).when(until(CALLED_AT + INSTANT)).facts
    assert isinstance(missed, AnswerLimitMissed)
    assert isinstance(escalated, ComplaintEscalated)
    assert (missed.due_at, missed.missed_at) == (CALLED_AT - DAY, CALLED_AT)
    assert (escalated.escalated_at, escalated.next_at) == (CALLED_AT, CALLED_AT + DAY)


def test_a_review_under_way_stops_no_clock() -> None:
    """T10: while the return is looked at, the citizen waits."""
    given(*WITH_UNIT, RETURN_REQUESTED).when(until(DUE_AT + INSTANT)).then(FEEDBACK_MISSED, LATE_ANSWER)


def test_after_a_re_dispatch_the_new_unit_is_late_by_the_citizens_limit() -> None:
    """T10."""
    there = replace(DISPATCHED, unit=OTHER_STREET, assignment=2, sign_due_at=None, unit_due_at=DUE_AT + DAY)
    given(*WITH_UNIT, RETURN_REQUESTED, RETURN_APPROVED, there).when(until(DUE_AT + INSTANT)).then(
        replace(FEEDBACK_MISSED, unit=OTHER_STREET), replace(LATE_ANSWER, unit=OTHER_STREET)
    )


def test_what_had_passed_before_the_re_dispatch_is_the_former_units_miss() -> None:
    late_review = replace(RETURN_APPROVED, approved_at=DUE_AT + DAY)
    there = replace(DISPATCHED, unit=OTHER_STREET, assignment=2, dispatched_at=DUE_AT + DAY, sign_due_at=None)
    given(*WITH_UNIT, RETURN_REQUESTED, late_review, there).when(until(DUE_AT + DAY)).then(
        replace(FEEDBACK_MISSED, noticed_at=DUE_AT + DAY), replace(LATE_ANSWER, noticed_at=DUE_AT + DAY)
    )


def test_a_new_round_forgets_the_sign_limit_of_the_order_it_replaces() -> None:
    """Nobody can sign an order that is no more."""
    signed_late = replace(DISPATCHED, unit=OTHER_STREET, assignment=2, dispatched_at=DUE_AT - HOUR)
    signed_late = replace(signed_late, sign_due_at=DUE_AT + 7 * HOUR)
    again = replace(
        DISPATCHED,
        unit=OTHER_STREET,
        assignment=3,
        round=2,
        dispatched_at=DUE_AT + HOUR,
        sign_due_at=DUE_AT + 9 * HOUR,
        unit_due_at=DUE_AT + 7 * DAY,
    )
    state = given(
        *WITH_UNIT,
        RETURN_REQUESTED,
        RETURN_APPROVED,
        signed_late,
        FEEDBACK_MISSED,
        VISIT_SCHEDULED,
        replace(VISIT_MADE, solved=False, satisfied=False),
        REOPENED,
        again,
    )
    assert watched(state)[Limit.SIGN] == DUE_AT + 9 * HOUR
    (missed, *_) = state.when(until(DUE_AT + 10 * HOUR)).facts
    assert isinstance(missed, SignLimitMissed)
    assert missed.assignment == 3


# --- complete in time: it does not matter who noticed first


def test_a_late_act_does_not_undo_a_miss_nobody_had_stated_yet() -> None:
    late = replace(SIGNED, signed_at=SIGN_DUE_AT + HOUR)
    noticed_at = SIGN_DUE_AT + 2 * HOUR
    given(*WITH_UNIT, late).when(until(noticed_at)).then(
        replace(SIGN_MISSED, noticed_at=noticed_at), replace(ESCALATED, noticed_at=noticed_at)
    )


def test_an_act_that_came_before_the_next_rung_stops_the_climb_whoever_noticed_first() -> None:
    late = replace(SIGNED, signed_at=SIGN_DUE_AT + HOUR)
    on_the_instant = given(*LATE_SIGN, late)
    noticed_late = given(*WITH_UNIT, late, SIGN_MISSED, ESCALATED)
    for state in (on_the_instant, noticed_late):
        assert Limit.LADDER not in watched(state)
        state.when(until(SIGN_DUE_AT + 3 * DAY)).then_nothing()


def test_an_act_that_came_after_the_next_rung_was_due_does_not_stop_that_rung() -> None:
    """All rungs passed on the way are owed, each at its own time."""
    late = replace(SIGNED, signed_at=SIGN_DUE_AT + 2 * DAY)
    noticed_at = SIGN_DUE_AT + 3 * DAY
    given(*WITH_UNIT, late).when(until(noticed_at)).then(
        replace(SIGN_MISSED, noticed_at=noticed_at),
        replace(ESCALATED, noticed_at=noticed_at),
        replace(TO_THE_TOP, noticed_at=noticed_at),
    )


def test_a_re_dispatch_does_not_hide_that_the_former_unit_reacted() -> None:
    """The rung waits for the act of the order that was late, not for the new unit's."""
    asked = replace(RETURN_REQUESTED, requested_at=SIGN_DUE_AT + HOUR)
    approved = replace(RETURN_APPROVED, approved_at=SIGN_DUE_AT + 2 * HOUR)
    there = replace(
        DISPATCHED,
        unit=OTHER_STREET,
        assignment=2,
        dispatched_at=SIGN_DUE_AT + 2 * HOUR,
        sign_due_at=SIGN_DUE_AT + 10 * HOUR,
    )
    state = (
        given(*WITH_UNIT, asked, approved, there)
        .when(until(SIGN_DUE_AT + 3 * HOUR))
        .then_says(SignLimitMissed, ComplaintEscalated)
    )
    assert Limit.LADDER not in watched(state)


def test_whoever_looks_after_a_week_states_everything_in_order_of_time() -> None:
    at = DUE_AT + 2 * DAY
    given(*WITH_UNIT).when(until(at)).then(
        replace(SIGN_MISSED, noticed_at=at),
        replace(ESCALATED, noticed_at=at),
        replace(TO_THE_TOP, noticed_at=at),
        replace(FEEDBACK_MISSED, noticed_at=at),
    )


# --- climbing


def test_the_ladder_is_climbed_one_rung_at_a_time() -> None:
    given(*LATE_SIGN).when(until(SIGN_DUE_AT + DAY)).then_nothing()
    given(*LATE_SIGN).when(until(SIGN_DUE_AT + DAY + INSTANT)).then(TO_THE_TOP)


def test_above_the_municipality_there_is_nobody() -> None:
    """A second limit missed at the top is a miss without a new notice."""
    state = given(*LATE_SIGN, TO_THE_TOP)
    assert Limit.LADDER not in watched(state)
    state.when(until(DUE_AT + INSTANT)).then(FEEDBACK_MISSED).when(until(DUE_AT + 30 * DAY)).then_nothing()


def test_a_second_miss_climbs_from_where_the_first_one_had_got() -> None:
    signed = replace(SIGNED, signed_at=SIGN_DUE_AT + HOUR)
    state = given(*LATE_SIGN, signed).when(until(DUE_AT + INSTANT))
    state.then(
        FEEDBACK_MISSED, replace(LATE_ANSWER, to_level=Level.MUNICIPAL, told=SUPERVISION, next_at=None)
    )


def test_a_level_once_told_watches_to_the_end() -> None:
    signed = replace(SIGNED, signed_at=SIGN_DUE_AT + HOUR)
    case = given(*LATE_SIGN, signed, ANSWERED).case
    assert isinstance(case, Complaint)
    assert case.level is Level.DISTRICT


@pytest.mark.parametrize(
    ("watching", "acting", "told"),
    [
        (Level.UNIT, Level.UNIT, Level.DISTRICT),
        (Level.UNIT, Level.DISTRICT, Level.MUNICIPAL),
        (Level.UNIT, Level.MUNICIPAL, Level.MUNICIPAL),
        (Level.DISTRICT, Level.UNIT, Level.MUNICIPAL),
        (Level.DISTRICT, Level.DISTRICT, Level.MUNICIPAL),
        (Level.MUNICIPAL, Level.UNIT, None),
        (Level.MUNICIPAL, Level.MUNICIPAL, None),
    ],
)
def test_who_is_told_stands_above_whoever_watches_and_above_whoever_is_late(
    watching: Level, acting: Level, told: Level | None
) -> None:
    assert next_level(watching, acting) is told


def test_the_ladder_ends_at_the_municipality() -> None:
    assert (LADDER[0], LADDER[-1]) == (Level.UNIT, TOP)
    assert told_at(TOP, CATALOGUE, "海淀区") == SUPERVISION
    assert told_at(Level.DISTRICT, CATALOGUE, "海淀区") == DISTRICT
    assert told_at(Level.DISTRICT, CATALOGUE, "不知何处") == CENTRE


@pytest.mark.parametrize(("unit", "level"), [(WATER, Level.MUNICIPAL), (DISTRICT, Level.DISTRICT)])
def test_a_late_utility_or_district_has_only_the_top_above_it(unit: UnitId, level: Level) -> None:
    state = given(RECEIVED, CLASSIFIED, replace(DISPATCHED, unit=unit, level=level))
    state.when(FIRE).then(
        replace(SIGN_MISSED, unit=unit),
        replace(ESCALATED, unit=unit, to_level=Level.MUNICIPAL, told=SUPERVISION, next_at=None),
    )


def test_a_unit_stands_where_it_stood_when_it_got_the_order() -> None:
    """T23: a catalogue of a later day moves nobody's rung; the life is judged by the order too."""
    state = given(RECEIVED, CLASSIFIED, replace(DISPATCHED, unit=WATER, level=Level.UNIT))
    state.when(FIRE).then(replace(SIGN_MISSED, unit=WATER), replace(ESCALATED, unit=WATER))


def test_a_former_unit_is_late_at_its_own_level_not_at_that_of_whoever_has_the_order_now() -> None:
    there = replace(
        DISPATCHED, unit=WATER, level=Level.MUNICIPAL, assignment=2, dispatched_at=SIGN_DUE_AT + 2 * HOUR
    )
    asked = replace(RETURN_REQUESTED, requested_at=SIGN_DUE_AT + HOUR)
    given(*WITH_UNIT, asked, RETURN_APPROVED, replace(there, sign_due_at=None)).when(FIRE).then(
        SIGN_MISSED, ESCALATED
    )


def test_a_limit_that_went_on_to_a_district_is_the_districts_to_miss() -> None:
    """T10: the citizen's limit runs on against the new unit, and the notice goes above that unit."""
    there = replace(DISPATCHED, unit=DISTRICT, level=Level.DISTRICT, assignment=2, sign_due_at=None)
    state = given(*WITH_UNIT, RETURN_REQUESTED, RETURN_APPROVED, there)
    state.when(until(DUE_AT + INSTANT)).then(
        replace(FEEDBACK_MISSED, unit=DISTRICT),
        replace(LATE_ANSWER, unit=DISTRICT, to_level=Level.MUNICIPAL, told=SUPERVISION, next_at=None),
    )


def test_a_unit_the_catalogue_no_longer_knows_is_late_all_the_same() -> None:
    gone = UnitId("street-merged-away")
    state = given(RECEIVED, CLASSIFIED, replace(DISPATCHED, unit=gone))
    state.when(FIRE).then(replace(SIGN_MISSED, unit=gone), replace(ESCALATED, unit=gone))


@pytest.mark.parametrize(
    ("urgency", "hours"),
    [
        (Urgency.CRITICAL_2H, 1),
        (Urgency.TIMELY_24H, 8),
        (Urgency.GENERAL_7D, 24),
        (Urgency.COMPLEX_15D, 24),
    ],
)
def test_the_more_urgent_the_sooner_the_next_level_is_told(urgency: Urgency, hours: int) -> None:
    state = given(RECEIVED, replace(CLASSIFIED, urgency=urgency), replace(DISPATCHED, urgency=urgency))
    state.when(FIRE).then(SIGN_MISSED, replace(ESCALATED, next_at=SIGN_DUE_AT + hours * HOUR))


# --- ended


@pytest.mark.parametrize("end", [WITHDRAWN, CLOSED])
def test_after_the_end_nothing_becomes_overdue_any_more(end: Fact) -> None:
    """T5."""
    given(*WITH_UNIT, replace(end, **{end.TIME: SIGN_DUE_AT})).when(until(DUE_AT + DAY)).then_nothing()


def test_what_was_missed_before_the_end_is_still_stated_after_it() -> None:
    withdrawn = replace(WITHDRAWN, withdrawn_at=SIGN_DUE_AT + HOUR)
    noticed_at = SIGN_DUE_AT + 2 * HOUR
    state = given(*WITH_UNIT, withdrawn).when(until(noticed_at))
    state.then(replace(SIGN_MISSED, noticed_at=noticed_at), replace(ESCALATED, noticed_at=noticed_at)).when(
        until(DUE_AT + 9 * DAY)
    ).then_nothing()


def test_an_end_stops_the_climb() -> None:
    given(*LATE_SIGN, replace(WITHDRAWN, withdrawn_at=SIGN_DUE_AT + DAY)).when(
        until(DUE_AT + DAY)
    ).then_nothing()


# --- corrected: the timer was faster than the message


def test_a_signature_that_had_arrived_in_time_corrects_the_miss_and_erases_nothing() -> None:
    """T5, T6: the act reached the broker in time and us after the timer."""
    in_time = replace(SIGNED, signed_at=SIGN_DUE_AT - MINUTE)
    state = given(*LATE_SIGN, in_time)
    assert watched(state)[Limit.SIGN] == in_time.signed_at, "a correction is owed at once"
    state.when(until(SIGN_DUE_AT + MINUTE)).then(CORRECTED).when(until(SIGN_DUE_AT + 3 * DAY)).then_nothing()


def test_an_answer_that_had_arrived_in_time_corrects_the_miss_of_the_citizens_limit() -> None:
    in_time = replace(ANSWERED, answered_at=DUE_AT)
    given(*IN_HAND, FEEDBACK_MISSED, LATE_ANSWER, in_time).when(until(DUE_AT + MINUTE)).then(
        replace(CORRECTED, limit=Limit.ANSWER, due_at=DUE_AT, done_at=DUE_AT, corrected_at=DUE_AT + MINUTE)
    )


def test_a_late_act_corrects_nothing() -> None:
    late = replace(SIGNED, signed_at=SIGN_DUE_AT + INSTANT)
    given(*LATE_SIGN, late).when(until(SIGN_DUE_AT + HOUR)).then_nothing()


def test_a_withdrawal_in_time_corrects_a_miss_stated_too_soon() -> None:
    """T5: nothing was overdue while the complaint lived."""
    withdrawn = replace(WITHDRAWN, withdrawn_at=SIGN_DUE_AT)
    given(*LATE_SIGN, withdrawn).when(until(SIGN_DUE_AT + MINUTE)).then(
        replace(CORRECTED, done_at=SIGN_DUE_AT)
    ).when(until(DUE_AT + DAY)).then_nothing()


def test_one_act_may_correct_one_miss_and_leave_another() -> None:
    """It was signed in time and answered late; only the signature's miss is corrected."""
    state = given(
        *LATE_SIGN,
        replace(SIGNED, signed_at=SIGN_DUE_AT),
        replace(ANSWERED, answered_at=DUE_AT + HOUR),
    )
    state.when(until(DUE_AT + 2 * HOUR)).then_says(LimitMissCorrected, AnswerLimitMissed, ComplaintEscalated)


def test_the_same_miss_is_corrected_once() -> None:
    in_time = replace(SIGNED, signed_at=SIGN_DUE_AT - MINUTE)
    given(*LATE_SIGN, in_time, CORRECTED).when(until(DUE_AT)).then_nothing()


# --- what the clock watches


def test_the_clock_watches_exactly_what_the_facts_call_for() -> None:
    assert watched(given(RECEIVED, CLASSIFIED)) == {Limit.DISPATCH: DISPATCH_DUE_AT}
    assert watched(given(RECEIVED, NOT_TO_DISPATCH)) == {}
    answer = {Limit.WARNING: DUE_AT - 2 * DAY, Limit.ANSWER: DUE_AT}
    assert watched(given(*WITH_UNIT)) == {Limit.SIGN: SIGN_DUE_AT, **answer}
    assert watched(given(*IN_HAND)) == answer
    assert watched(given(*LATE_SIGN)) == {Limit.LADDER: SIGN_DUE_AT + DAY, **answer}
    assert watched(given(*IN_HAND, ANSWERED)) == {}
    assert watched(given(*WITH_UNIT, WITHDRAWN)) == {}


def test_a_later_round_is_watched_by_the_units_own_limit() -> None:
    again = replace(
        DISPATCHED,
        assignment=2,
        round=2,
        dispatched_at=REOPENED.reopened_at,
        sign_due_at=None,
        unit_due_at=DUE_AT + DAY,
    )
    reopened = (*IN_HAND, ANSWERED, VISIT_SCHEDULED, replace(VISIT_MADE, solved=False), REOPENED, again)
    assert watched(given(*reopened)) == {Limit.WARNING: DUE_AT - DAY, Limit.ANSWER: DUE_AT + DAY}
    (missed, _) = given(*reopened).when(until(DUE_AT + 2 * DAY)).facts
    assert isinstance(missed, AnswerLimitMissed)
    assert (missed.round, missed.due_at, missed.unit) == (2, DUE_AT + DAY, STREET)


def test_the_examples_tell_of_the_same_order() -> None:
    assert isinstance(DISPATCHED, ComplaintDispatched)
    assert (DISPATCHED.sign_due_at, DISPATCHED.citizen_due_at) == (SIGN_DUE_AT, DUE_AT)


# --- the hotline's own limit


def dispatched(at: datetime) -> ComplaintDispatched:
    """The first order, written then."""
    return replace(DISPATCHED, dispatched_at=at, sign_due_at=at + 8 * HOUR)


def test_what_is_not_dispatched_in_time_is_the_hotlines_miss_and_nobody_climbs() -> None:
    """C1: supervision is told, no unit is late; it is said once."""
    state = given(RECEIVED, CLASSIFIED)
    assert watched(state) == {Limit.DISPATCH: DISPATCH_DUE_AT}
    state.when(until(DISPATCH_DUE_AT)).then_nothing()
    after = state.when(until(DISPATCH_DUE_AT + INSTANT)).then(DISPATCH_MISSED)
    assert watched(after) == {}
    after.when(until(DISPATCH_DUE_AT + DAY)).then_nothing()


def test_dispatched_on_the_last_instant_is_in_time() -> None:
    """C1."""
    assert Limit.DISPATCH not in watched(given(RECEIVED, CLASSIFIED, dispatched(DISPATCH_DUE_AT)))


def test_an_order_written_too_late_does_not_undo_the_miss_nobody_had_stated_yet() -> None:
    """C1: the miss is stated at its own time, and the unit that gets the order is not late by it."""
    late = dispatched(DISPATCH_DUE_AT + HOUR)
    noticed = late.dispatched_at + MINUTE
    missed = replace(DISPATCH_MISSED, noticed_at=noticed)
    after = given(RECEIVED, CLASSIFIED, late).when(until(noticed)).then(missed)
    assert set(watched(after)) == {Limit.SIGN, Limit.ANSWER, Limit.WARNING}
    assert isinstance(after.case, Complaint)
    assert (after.case.level, after.case.missed) == (Level.UNIT, ())


def test_an_order_that_was_written_in_time_corrects_the_miss() -> None:
    """C1: escalation heard of the order after its timer had fired."""
    in_time = dispatched(DISPATCH_DUE_AT - MINUTE)
    given(RECEIVED, CLASSIFIED, DISPATCH_MISSED, in_time).when(until(DISPATCH_DUE_AT + MINUTE)).then(
        LimitMissCorrected(
            complaint_id=ID,
            limit=Limit.DISPATCH,
            unit=HOTLINE,
            due_at=DISPATCH_DUE_AT,
            done_at=in_time.dispatched_at,
            corrected_at=DISPATCH_DUE_AT + MINUTE,
        )
    )


@pytest.mark.parametrize(("withdrawn_at", "said"), [(DISPATCH_DUE_AT, 0), (DISPATCH_DUE_AT + INSTANT, 1)])
def test_a_request_taken_back_before_its_order_was_late_or_not(withdrawn_at: datetime, said: int) -> None:
    """C1."""
    end = replace(WITHDRAWN, recalled_unit=None, withdrawn_at=withdrawn_at)
    facts = rules.decide(until(DISPATCH_DUE_AT + HOUR), given(RECEIVED, CLASSIFIED, end).case, CATALOGUE)
    assert [type(fact).__name__ for fact in facts] == ["DispatchLimitMissed"] * said


def test_where_no_limit_for_dispatch_was_set_none_is_missed() -> None:
    """C1: a rule set may have none, and a complaint classified before there was one keeps what it had."""
    given(RECEIVED, UNTIMED).when(until(DISPATCH_DUE_AT + DAY)).then_nothing()


# --- the hotline's own: until the citizen must have been asked


WITH_VISIT_LIMIT = replace(RECEIVED, ruleset="beijing-draft-2021.2")
ASKING = (
    WITH_VISIT_LIMIT,
    CLASSIFIED,
    DISPATCHED,
    eg.SIGNED,
    eg.ANSWERED,
    replace(eg.VISIT_SCHEDULED, visit_by=eg.VISIT_DUE_AT),
)


def test_a_visit_that_nobody_makes_is_the_hotlines_miss_and_nobody_climbs() -> None:
    """Invariant 4: an answered complaint does not wait for ever; supervision is told, once."""
    state = given(*ASKING)
    assert watched(state) == {Limit.VISIT: eg.VISIT_DUE_AT}
    state.when(until(eg.VISIT_DUE_AT)).then_nothing()
    after = state.when(until(eg.VISIT_DUE_AT + INSTANT)).then(eg.VISIT_MISSED)
    assert watched(after) == {}
    assert isinstance(after.case, Complaint)
    assert after.case.level is Level.UNIT
    after.when(until(eg.VISIT_DUE_AT + 30 * DAY)).then_nothing()


@pytest.mark.parametrize("late", [False, True])
def test_a_visit_made_late_leaves_the_miss_and_one_made_in_time_corrects_it(late: bool) -> None:
    """The answer reached the broker before the limit, and was heard of after the timer had fired."""
    at = eg.VISIT_DUE_AT + (HOUR if late else -HOUR)
    made = replace(eg.VISIT_MADE, visited_at=at)
    closed = replace(eg.CLOSED, closed_at=at)
    said = given(*ASKING, eg.VISIT_MISSED, made, closed).when(until(eg.VISIT_DUE_AT + DAY))
    if late:
        said.then_nothing()
        return
    said.then(
        LimitMissCorrected(
            complaint_id=ID,
            limit=Limit.VISIT,
            unit=HOTLINE,
            due_at=eg.VISIT_DUE_AT,
            done_at=at,
            corrected_at=eg.VISIT_DUE_AT + DAY,
        )
    )


def test_a_further_attempt_has_a_limit_of_its_own() -> None:
    """E1: from the moment it may be made."""
    unreached = replace(eg.VISIT_UNREACHED, attempted_at=eg.VISIT_DUE_AT - HOUR)
    again_at = unreached.attempted_at + 4 * HOUR
    again = replace(
        eg.VISIT_SCHEDULED,
        attempt=2,
        visit_at=again_at,
        visit_by=again_at + 3 * DAY,
        scheduled_at=unreached.attempted_at,
    )
    assert watched(given(*ASKING, unreached, again)) == {Limit.VISIT: again_at + 3 * DAY}


def test_a_visit_that_is_not_to_be_made_any_more_is_not_missed() -> None:
    """The life has ended before the limit: there is nobody to ask."""
    assert watched(given(*ASKING, replace(WITHDRAWN, recalled_unit=None))) == {}


def test_an_answer_that_was_sent_back_is_not_asked_about() -> None:
    """§4.4: the visit is called off, and its limit with it."""
    assert Limit.VISIT not in watched(given(*ASKING, eg.SENT_BACK))


def test_under_a_rule_set_without_that_limit_none_is_missed() -> None:
    """Complaints keep the rule set they were born under (T23)."""
    past = (RECEIVED, CLASSIFIED, DISPATCHED, eg.SIGNED, eg.ANSWERED, eg.VISIT_SCHEDULED)
    assert watched(given(*past)) == {}
