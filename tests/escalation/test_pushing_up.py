"""Warnings before a limit, supervision at the top of the ladder, and who did not come when a street whistled."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import pytest
from msgspec.structs import replace

from services.escalation import rules
from services.escalation.rules import FireDeadlines
from shared.complaint import due_deadlines
from shared.events import (
    AnswerLimitMissed,
    ArrivalMissed,
    Colour,
    ComplaintEscalated,
    EscalationFact,
    Fact,
    Level,
    SignLimitMissed,
    SupervisionClosed,
    SupervisionMissed,
    SupervisionOpened,
    Urgency,
    WarningGiven,
)
from shared.policy.ruleset import ruleset
from tests import examples as eg
from tests.examples import CALLED_AT, CATALOGUE, DAY, DUE_AT, HOUR, INSTANT, MINUTE, SIGN_DUE_AT, told
from tests.spec import case_of, spec

given = spec(partial(rules.decide, catalogue=CATALOGUE))

AT_UNIT = (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED)
SIGNED = (*AT_UNIT, eg.SIGNED)
RED = replace(eg.WARNED, colour=Colour.RED, warned_at=DUE_AT - DAY, noticed_at=DUE_AT - DAY + INSTANT)
WHISTLED = (
    *AT_UNIT,
    eg.BLOWN,
    eg.CALLED,
    replace(eg.CALLED, called=eg.OTHER_STREET, leads=False),
)
ARRIVE_BY = eg.NOT_THERE.due_at


def until(at: datetime) -> FireDeadlines:
    return told(eg.FIRE, until=at)


def said(past: tuple[Fact, ...], at: datetime) -> list[EscalationFact]:
    return list(rules.decide(until(at), case_of(past), CATALOGUE))


def of(kind: type[Fact], facts: list[EscalationFact]) -> list[EscalationFact]:
    return [fact for fact in facts if isinstance(fact, kind)]


# -- warnings


def test_before_the_limit_the_unit_is_warned_twice() -> None:
    """§4.3: warning.yellow, warning.red; how long before is configuration (T31)."""
    given(*SIGNED).when(until(eg.WARNED.noticed_at)).then(eg.WARNED)
    given(*SIGNED, eg.WARNED).when(until(RED.noticed_at)).then(RED)
    given(*SIGNED, eg.WARNED, RED).when(until(DUE_AT)).then_nothing()


def test_a_warning_comes_at_its_instant_and_not_before() -> None:
    given(*SIGNED).when(until(eg.WARNED.warned_at)).then_nothing()


def test_what_is_answered_is_not_warned_of() -> None:
    """T5: no warning and no miss after completion."""
    given(*SIGNED, eg.ANSWERED).when(until(DUE_AT + DAY)).then_nothing()


def test_noticed_late_both_warnings_stand_before_the_miss_in_order_of_time() -> None:
    names = [type(fact).__name__ for fact in said(SIGNED, DUE_AT + INSTANT)]
    assert names == ["WarningGiven", "WarningGiven", "AnswerLimitMissed", "ComplaintEscalated"]


def test_an_extended_limit_is_warned_of_anew() -> None:
    """D4."""
    past = (*SIGNED, eg.EXTENSION_REQUESTED, eg.EXTENSION_APPROVED)
    (yellow, red) = of(WarningGiven, said(past, DUE_AT + 5 * DAY))
    assert isinstance(yellow, WarningGiven)
    assert isinstance(red, WarningGiven)
    assert (yellow.warned_at, red.warned_at) == (DUE_AT + 3 * DAY, DUE_AT + 4 * DAY)


@pytest.mark.parametrize("urgency", Urgency)
def test_every_class_has_warnings_of_its_own(urgency: Urgency) -> None:
    limits = ruleset("beijing-draft-2021").classes[urgency]
    assert len(limits.warnings) == 2
    assert ruleset("boston-311-2011").classes[urgency].warnings == ()


def test_a_warning_from_before_the_order_is_passed_over() -> None:
    """An order sent on when little time is left is not warned of in the past."""
    late = replace(eg.DISPATCHED, dispatched_at=DUE_AT - 30 * HOUR, sign_due_at=None)
    past = (eg.RECEIVED, eg.CLASSIFIED, late)
    (only,) = of(WarningGiven, said(past, DUE_AT))
    assert isinstance(only, WarningGiven)
    assert only.colour is Colour.RED


# -- supervision


def nobody_signs(at: datetime) -> list[EscalationFact]:
    return said((eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED), at)


def test_the_top_of_the_ladder_opens_supervision_with_a_leader_and_a_time_of_its_own() -> None:
    """R18, §4.3: 督办 with level, leader, limit."""
    facts = nobody_signs(SIGN_DUE_AT + DAY + INSTANT)
    assert [type(fact) for fact in facts] == [
        SignLimitMissed,
        ComplaintEscalated,
        ComplaintEscalated,
        SupervisionOpened,
    ]
    assert facts[-1] == replace(eg.SUPERVISED, leader="市督查室")
    catalogue = replace(CATALOGUE, leaders={eg.SUPERVISION: "李督办"})
    *_, opened = rules.decide(until(SIGN_DUE_AT + DAY + INSTANT), case_of(AT_UNIT), catalogue)
    assert isinstance(opened, SupervisionOpened)
    assert opened.leader == "李督办"


SUPERVISED = (*AT_UNIT, eg.SIGN_MISSED, eg.ESCALATED, eg.SUPERVISED)


def test_supervision_that_does_not_bring_it_to_an_end_in_time_is_itself_late() -> None:
    """§4.3: its own limit."""
    missed = of(SupervisionMissed, said(SUPERVISED, eg.SUPERVISION_MISSED.noticed_at))
    assert missed == [eg.SUPERVISION_MISSED]
    assert of(SupervisionMissed, said(SUPERVISED, eg.SUPERVISED.due_at)) == []


def test_supervision_closes_only_with_the_outcome_of_the_complaint() -> None:
    """E3: whatever was done meanwhile."""
    busy = (*SUPERVISED, replace(eg.SIGNED, signed_at=CALLED_AT + 2 * DAY))
    answered = (*busy, replace(eg.ANSWERED, answered_at=CALLED_AT + 2 * DAY))
    for past in (SUPERVISED, busy, answered):
        assert of(SupervisionClosed, said(past, CALLED_AT + 30 * DAY)) == []
    closed = replace(eg.CLOSED, closed_at=eg.SUPERVISION_CLOSED.closed_at)
    asked = (*answered, eg.VISIT_SCHEDULED, eg.VISIT_MADE, closed)
    assert of(SupervisionClosed, said(asked, eg.SUPERVISION_CLOSED.noticed_at)) == [eg.SUPERVISION_CLOSED]


def test_closed_after_its_time_both_are_said_and_the_life_is_over() -> None:
    at = eg.SUPERVISED.due_at + DAY
    past = (*SUPERVISED, replace(eg.WITHDRAWN, withdrawn_at=at))
    facts = said(past, at + HOUR)
    last = [type(fact) for fact in facts][-2:]
    assert last == [SupervisionMissed, SupervisionClosed]
    assert due_deadlines(case_of((*past, *facts))) == {}


# -- the whistle's own limit


def test_who_does_not_come_is_told_of_to_the_district_and_then_to_the_municipality() -> None:
    """G2, R18: 分级协调."""
    first = of(ArrivalMissed, said(WHISTLED, eg.NOT_THERE.noticed_at))
    assert first == [eg.NOT_THERE, replace(eg.NOT_THERE, called=eg.OTHER_STREET)]
    later = of(ArrivalMissed, said(WHISTLED, CALLED_AT + 4 * HOUR))
    assert [(fact.called, fact.to_level, fact.told) for fact in later if isinstance(fact, ArrivalMissed)] == [
        (eg.WATER, Level.DISTRICT, eg.DISTRICT),
        (eg.OTHER_STREET, Level.DISTRICT, eg.DISTRICT),
        (eg.WATER, Level.MUNICIPAL, eg.SUPERVISION),
        (eg.OTHER_STREET, Level.MUNICIPAL, eg.SUPERVISION),
    ]


@pytest.mark.parametrize("late", [False, True])
def test_thirty_minutes_are_thirty_minutes(late: bool) -> None:
    """G2: there at the last instant is in time."""
    at = ARRIVE_BY + (INSTANT if late else 0 * INSTANT)
    past = (*WHISTLED, replace(eg.ARRIVED, arrived_at=at))
    late_ones = of(ArrivalMissed, said(past, ARRIVE_BY + MINUTE))
    expected = {eg.WATER, eg.OTHER_STREET} if late else {eg.OTHER_STREET}
    assert {fact.called for fact in late_ones if isinstance(fact, ArrivalMissed)} == expected


def test_who_came_late_is_told_of_no_further() -> None:
    past = (*WHISTLED, eg.NOT_THERE, replace(eg.ARRIVED, arrived_at=ARRIVE_BY + 10 * MINUTE))
    missed = of(ArrivalMissed, said(past, CALLED_AT + DAY))
    assert {fact.called for fact in missed if isinstance(fact, ArrivalMissed)} == {eg.OTHER_STREET}


def test_whom_the_street_let_go_nobody_waits_for() -> None:
    """T25: let go before the time, it is not late."""
    let_go = replace(eg.RELEASED, called=eg.OTHER_STREET, released_at=ARRIVE_BY)
    missed = of(ArrivalMissed, said((*WHISTLED, let_go), CALLED_AT + DAY))
    assert {fact.called for fact in missed if isinstance(fact, ArrivalMissed)} == {eg.WATER}


def test_after_the_end_nobody_is_awaited_but_who_was_late_before_was_late() -> None:
    """T5."""
    ended = replace(eg.WITHDRAWN, withdrawn_at=ARRIVE_BY)
    assert of(ArrivalMissed, said((*WHISTLED, ended), CALLED_AT + DAY)) == []
    ended = replace(eg.WITHDRAWN, withdrawn_at=ARRIVE_BY + MINUTE)
    assert len(of(ArrivalMissed, said((*WHISTLED, ended), CALLED_AT + DAY))) == 2


def test_a_miss_of_the_answer_and_a_whistle_do_not_disturb_each_other() -> None:
    facts = said(WHISTLED, DUE_AT + INSTANT)
    assert len(of(AnswerLimitMissed, facts)) == 1
    assert len(of(ArrivalMissed, facts)) == 4
    times = [getattr(fact, fact.TIME) for fact in facts]
    assert times == sorted(times), "said in order of time"
