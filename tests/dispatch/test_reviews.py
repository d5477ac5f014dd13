"""What a unit cannot settle alone: more time, an end without an answer, whose the order is, who helps, how urgent."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import msgspec
import pytest
from msgspec.structs import replace

from services.dispatch import rules
from services.feedback import rules as feedback
from shared.complaint import due_deadlines
from shared.events import ComplaintReclassified, Fact, Level, Outcome, TerminationGround, Urgency
from shared.events.base import Limit
from shared.policy.catalogue import CatalogueInvalid, Subject, To, parsed
from tests import examples as eg
from tests.examples import CALLED_AT, DAY, DUE_AT, HOUR, INSTANT, OTHER_STREET, STREET, WATER, told
from tests.spec import case_of, spec

given = spec(partial(rules.decide, catalogue=eg.CATALOGUE))

OPENED = (eg.RECEIVED, eg.CLASSIFIED)
AT_UNIT = (*OPENED, eg.DISPATCHED)
SIGNED = (*AT_UNIT, eg.SIGNED)
AT_DISTRICT = (*OPENED, replace(eg.DISPATCHED, unit=eg.DISTRICT, level=Level.DISTRICT))
REJECTED = (*AT_UNIT, eg.RETURN_REQUESTED, eg.RETURN_REJECTED)
EXTENSION_ASKED = (*SIGNED, eg.EXTENSION_REQUESTED)
TERMINATION_ASKED = (*SIGNED, eg.TERMINATION_REQUESTED)


def beijing(year: int, month: int, day: int) -> datetime:
    """The last instant of a day in Beijing."""
    return datetime(year, month, day, 15, 59, 59, 999999, tzinfo=UTC)


# -- the district assigns


def test_what_was_unclear_the_district_gives_to_its_street_and_the_citizens_limit_stays() -> None:
    """D1, T10: 其他…区人民政府, which assigns."""
    given(*AT_DISTRICT).when(eg.ASSIGN).then(
        eg.ASSIGNED,
        replace(
            eg.DISPATCHED,
            rule="test-1: assigned by the district",
            assignment=2,
            dispatched_at=eg.ASSIGN.at,
            sign_due_at=eg.ASSIGN.at + 8 * HOUR,
        ),
    )


@pytest.mark.parametrize(
    ("past", "command", "because"),
    [
        (AT_DISTRICT, told(eg.ASSIGN, to_unit=WATER), "“water-group” is no street of district-haidian"),
        (AT_UNIT, told(eg.ASSIGN, unit=STREET, to_unit=OTHER_STREET), "is no street of street-huayuanlu"),
        (AT_UNIT, eg.ASSIGN, "the order lies with street-huayuanlu now"),
        ((*AT_DISTRICT, replace(eg.SIGNED, unit=eg.DISTRICT)), eg.ASSIGN, "the order is signed"),
    ],
)
def test_nobody_else_assigns_and_to_nowhere_else(
    past: tuple[Fact, ...], command: object, because: str
) -> None:
    """D1."""
    given(*past).when(command).then_refused("assign", because)


def test_an_assigned_order_can_be_returned_like_any_other() -> None:
    """D3, R12."""
    past = given(*AT_DISTRICT).when(eg.ASSIGN).facts
    back = told(eg.RETURN, assignment=2)
    given(*AT_DISTRICT, *past).when(back).then(replace(eg.RETURN_REQUESTED, assignment=2))


# -- more time


def test_an_approved_extension_moves_the_limit_by_its_days() -> None:
    """D4."""
    after = given(*EXTENSION_ASKED).when(eg.REVIEW_EXTENSION).then(eg.EXTENSION_APPROVED)
    assert due_deadlines(after.case)[Limit.ANSWER] == DUE_AT + 5 * DAY == beijing(2021, 10, 6)


def test_the_order_keeps_the_limit_the_citizen_was_promised_beside_the_extended_one() -> None:
    """T10: an extension is said beside it, never instead."""
    case = case_of((*EXTENSION_ASKED, eg.EXTENSION_APPROVED))
    assert case.order.citizen_due_at == DUE_AT  # type: ignore[union-attr]
    assert case.order.feedback_due_at == DUE_AT + 5 * DAY  # type: ignore[union-attr]


def test_a_rejected_extension_leaves_the_limit_where_it_was() -> None:
    """D4."""
    command = told(eg.REVIEW_EXTENSION, approved=False, reason="可按期办结")
    after = given(*EXTENSION_ASKED).when(command).then(eg.EXTENSION_REJECTED)
    assert due_deadlines(after.case)[Limit.ANSWER] == DUE_AT


def test_an_extension_approved_after_the_limit_does_not_undo_the_miss() -> None:
    """T6: whether its miss is stated yet or not."""
    late = told(eg.REVIEW_EXTENSION, at=DUE_AT + INSTANT)
    given(*EXTENSION_ASKED).when(late).then_refused("approve the extension", "passed at 2021-10-01")
    given(*EXTENSION_ASKED, eg.FEEDBACK_MISSED).when(late).then_refused("approve the extension", "T6")
    given(*EXTENSION_ASKED, eg.FEEDBACK_MISSED).when(eg.REVIEW_EXTENSION).then_refused(
        "approve the extension", "T6"
    )
    given(*EXTENSION_ASKED).when(told(eg.REVIEW_EXTENSION, at=DUE_AT)).then(
        replace(eg.EXTENSION_APPROVED, approved_at=DUE_AT)
    )


@pytest.mark.parametrize(
    ("past", "command", "because"),
    [
        (AT_UNIT, eg.EXTEND, "only a signed order is extended"),
        (EXTENSION_ASKED, told(eg.EXTEND, days=3), "an extension of this order is under review"),
        ((*EXTENSION_ASKED, eg.EXTENSION_APPROVED), eg.EXTEND, "extended 1 times already, at most 1"),
        (SIGNED, told(eg.EXTEND, days=11), "days: 11 asked for, at most 10"),
        (SIGNED, told(eg.EXTEND, at=DUE_AT + INSTANT), "T6"),
        (SIGNED, told(eg.EXTEND, unit=WATER), "the order lies with street-huayuanlu now"),
        (SIGNED, told(eg.EXTEND, assignment=2), "assignment 2 is over"),
        ((*SIGNED, eg.ANSWERED), eg.EXTEND, "the order is answered"),
    ],
)
def test_an_extension_that_cannot_be_asked_for(past: tuple[Fact, ...], command: object, because: str) -> None:
    """D4, T2, T6."""
    given(*past).when(command).then_refused("extend", because)


def test_a_limit_in_hours_is_not_extended() -> None:
    """D4: days have no meaning for a burst pipe."""
    urgent = (
        eg.RECEIVED,
        replace(eg.CLASSIFIED, urgency=Urgency.TIMELY_24H),
        replace(eg.DISPATCHED, urgency=Urgency.TIMELY_24H, citizen_due_at=CALLED_AT + DAY),
        eg.SIGNED,
    )
    given(*urgent).when(told(eg.EXTEND, at=CALLED_AT + 2 * HOUR)).then_refused(
        "extend", "only a limit in days"
    )


def test_the_answer_settles_what_was_asked_for() -> None:
    given(*EXTENSION_ASKED, eg.ANSWERED).when(eg.REVIEW_EXTENSION).then_refused(
        "approve the extension", "no extension of this order is under review"
    )
    given(*TERMINATION_ASKED, eg.ANSWERED).when(eg.REVIEW_TERMINATION).then_refused(
        "approve the termination", "no termination of this order is under review"
    )


# -- an end without an answer


def test_a_termination_on_a_ground_is_reviewed_and_the_complaint_closed_as_an_exception() -> None:
    """D5, E3: nobody asks a citizen who was told why it cannot be done; a reviewer answers for it."""
    after = given(*SIGNED).when(eg.TERMINATE).then(eg.TERMINATION_REQUESTED)
    ended = after.when(eg.REVIEW_TERMINATION).then(eg.TERMINATION_APPROVED)
    command = feedback.react(eg.TERMINATION_APPROVED, eg.TERMINATION_APPROVED.approved_at)
    assert command == eg.CLOSE_TERMINATED
    closed = feedback.decide(eg.CLOSE_TERMINATED, ended.case, eg.CATALOGUE)
    assert closed == [
        replace(
            eg.CLOSED,
            outcome=Outcome.EXCEPTION,
            visit=0,
            approved_by="reviewer-3",
            reason="INFORMATION_REFUSED",
            closed_at=CALLED_AT + 3 * DAY,
        )
    ]
    assert due_deadlines(ended.case) == {}


def test_a_termination_after_the_limit_leaves_the_miss() -> None:
    """D5, T6: what passed stays missed."""
    late = told(eg.REVIEW_TERMINATION, at=DUE_AT + INSTANT)
    after = (
        given(*TERMINATION_ASKED)
        .when(late)
        .then(replace(eg.TERMINATION_APPROVED, approved_at=DUE_AT + INSTANT))
    )
    assert due_deadlines(after.case) == {Limit.ANSWER: DUE_AT}


def test_a_rejected_termination_leaves_the_order_with_its_unit() -> None:
    """D5."""
    command = told(eg.REVIEW_TERMINATION, approved=False, reason="仍可核实")
    given(*TERMINATION_ASKED).when(command).then(eg.TERMINATION_REJECTED).when(eg.ANSWER).then(eg.ANSWERED)


@pytest.mark.parametrize(
    ("past", "command", "because"),
    [
        (AT_UNIT, eg.TERMINATE, "only a signed order is terminated"),
        (
            TERMINATION_ASKED,
            told(eg.TERMINATE, ground=TerminationGround.UNLAWFUL_OR_IMPOSSIBLE),
            "a termination for INFORMATION_REFUSED is under review",
        ),
        ((*TERMINATION_ASKED, eg.TERMINATION_APPROVED), eg.TERMINATE, "the order is terminated"),
        (SIGNED, told(eg.TERMINATE, unit=WATER), "the order lies with street-huayuanlu now"),
    ],
)
def test_a_termination_that_cannot_be_asked_for(
    past: tuple[Fact, ...], command: object, because: str
) -> None:
    """D5, T2."""
    given(*past).when(command).then_refused("terminate", because)


# -- whose it is


def test_a_unit_whose_return_was_rejected_may_ask_for_a_council() -> None:
    """Q2: 会商 for unclear cases; the limit runs on meanwhile (R12)."""
    after = given(*REJECTED).when(eg.DISPUTE).then(eg.DISPUTED)
    assert due_deadlines(after.case)[Limit.ANSWER] == DUE_AT
    after.when(eg.DISPUTE).then_refused("dispute", "a dispute about this order is under review")


def test_a_council_names_another_unit_and_who_helps_it() -> None:
    """Q2, R12, T10."""
    sent = replace(
        eg.DISPATCHED,
        unit=WATER,
        level=Level.MUNICIPAL,
        rule="test-1: named by a council",
        assignment=2,
        dispatched_at=eg.COUNCIL.at,
        sign_due_at=eg.COUNCIL.at + 8 * HOUR,
        unit_due_at=DUE_AT + DAY,
    )
    helps = replace(
        eg.CO_UNIT_ADDED,
        co_unit=OTHER_STREET,
        unit=WATER,
        added_by="council",
        reason="管线权属",
        added_at=eg.COUNCIL.at,
    )
    after = given(*REJECTED, eg.DISPUTED).when(eg.COUNCIL).then(eg.COUNCIL_DECIDED, sent, helps)
    back = told(eg.RETURN, unit=WATER, assignment=2, at=CALLED_AT + 2 * DAY)
    after.when(back).then_refused("return", "a council has named the unit")


def test_a_council_may_leave_it_where_it_is_and_then_it_stays() -> None:
    """Q2, R12."""
    command = told(eg.COUNCIL, to_unit=STREET, co_units=())
    decided = given(*REJECTED, eg.DISPUTED).when(command)
    after = decided.then(replace(eg.COUNCIL_DECIDED, to_unit=STREET))
    after.when(told(eg.DISPUTE, at=CALLED_AT + 2 * DAY)).then_refused(
        "dispute", "a council has named the unit"
    )
    after.when(told(eg.SIGN, at=CALLED_AT + 2 * DAY)).then(replace(eg.SIGNED, signed_at=CALLED_AT + 2 * DAY))


def test_a_council_may_take_up_a_return_before_a_reviewer_does() -> None:
    """Q2."""
    past = (*AT_UNIT, eg.RETURN_REQUESTED)
    given(*past).when(told(eg.COUNCIL, to_unit=STREET, co_units=())).then(
        replace(eg.COUNCIL_DECIDED, to_unit=STREET)
    )


@pytest.mark.parametrize(
    ("past", "command", "because"),
    [
        (AT_UNIT, eg.DISPUTE, "it can be returned"),
        ((*REJECTED, eg.SIGNED), eg.DISPUTE, "the order is signed"),
        (REJECTED, told(eg.DISPUTE, unit=WATER), "the order lies with street-huayuanlu now"),
    ],
)
def test_a_dispute_that_cannot_be_raised(past: tuple[Fact, ...], command: object, because: str) -> None:
    """Q2, R12, T2."""
    given(*past).when(command).then_refused("dispute", because)


@pytest.mark.parametrize(
    ("past", "command", "because"),
    [
        (AT_UNIT, eg.COUNCIL, "nothing about whose order it is is under review"),
        ((*REJECTED, eg.DISPUTED), told(eg.COUNCIL, assignment=2), "assignment 2 is over"),
        ((*REJECTED, eg.DISPUTED), told(eg.COUNCIL, to_unit="nobody"), "to_unit: “nobody” is not in"),
        ((*REJECTED, eg.DISPUTED), told(eg.COUNCIL, co_units=("nobody",)), "co_units: “nobody” is not in"),
        (
            (*REJECTED, eg.DISPUTED),
            told(eg.COUNCIL, co_units=(eg.COUNCIL_RESULT.to_unit,)),
            "co_units: each unit once, and not",
        ),
    ],
)
def test_a_council_that_cannot_decide(past: tuple[Fact, ...], command: object, because: str) -> None:
    """Q2."""
    given(*past).when(command).then_refused("decide as a council", because)


def test_a_reviewer_does_not_decide_what_is_disputed() -> None:
    """Q2: 派单异议审核."""
    given(*REJECTED, eg.DISPUTED).when(eg.REVIEW).then_refused("approve the return", "a council decides")
    given(*REJECTED, eg.DISPUTED).when(eg.ANSWER).then_refused("answer", "a dispute about this order")


# -- who helps


def test_the_first_receiver_leads_and_the_catalogues_other_units_help() -> None:
    """R12, D2: 首接单位应当牵头协调办理,其他有关单位应当配合."""
    line = Subject(to=To.STREET, co_units=(WATER, STREET))
    catalogue = replace(eg.CATALOGUE, subjects={**eg.CATALOGUE.subjects, "停车": line})
    said = rules.decide(eg.DISPATCH, case_of(OPENED), catalogue)
    assert said == [
        eg.DISPATCHED,
        replace(
            eg.CO_UNIT_ADDED,
            added_by="test-1",
            reason="the catalogue's line for 停车",
            added_at=CALLED_AT,
        ),
    ]


def test_a_catalogue_whose_helper_is_nobody_is_refused_by_name() -> None:
    """Q2."""
    fields = msgspec.to_builtins(eg.CATALOGUE)
    fields["subjects"]["停车"]["co_units"] = ["nobody"]
    with pytest.raises(CatalogueInvalid, match=r"subjects\.停车\.co_units\.0: unit 'nobody'"):
        parsed(msgspec.json.encode(fields))


def test_a_helper_is_told_what_it_is_about_reports_once_and_ends_nothing() -> None:
    """R12, D2: the one that leads answers for all."""
    after = given(*AT_UNIT).when(eg.ADD_CO_UNIT).then(eg.CO_UNIT_ADDED)
    after.when(eg.ADD_CO_UNIT).then_refused("add a co-unit", "helps already")
    after = after.when(eg.REPORT).then(eg.CO_UNIT_REPORTED)
    after.when(eg.REPORT).then_refused("report", "it reported at 2021-09-25")
    after.when(eg.ANSWER).then(eg.ANSWERED)


@pytest.mark.parametrize(
    ("past", "command", "asked", "because"),
    [
        (OPENED, eg.ADD_CO_UNIT, "add a co-unit", "not dispatched"),
        (AT_UNIT, told(eg.ADD_CO_UNIT, co_unit=STREET), "add a co-unit", "street-huayuanlu leads"),
        (AT_UNIT, told(eg.ADD_CO_UNIT, co_unit="nobody"), "add a co-unit", "co_unit: “nobody” is not in"),
        (AT_UNIT, eg.REPORT, "report", "water-group was not asked to help"),
        (
            (*AT_UNIT, eg.CO_UNIT_ADDED),
            told(eg.ANSWER, unit=WATER),
            "answer",
            "the order lies with street-huayuanlu now",
        ),
    ],
)
def test_who_does_not_help(past: tuple[Fact, ...], command: object, asked: str, because: str) -> None:
    """R12, D2, T2."""
    given(*past).when(command).then_refused(asked, because)


def test_no_more_units_help_than_the_rule_set_allows() -> None:
    """R12: a limit of ours, not of any norm."""
    helpers = tuple(replace(eg.CO_UNIT_ADDED, co_unit=f"unit-{n}") for n in range(10))
    given(*AT_UNIT, *helpers).when(eg.ADD_CO_UNIT).then_refused("add a co-unit", "10 units help already")


# -- how urgent it is


def test_a_complex_matter_has_fifteen_days_in_all_from_its_first_dispatch() -> None:
    """T24: 15, not 7 + 15; wherever the order lies meanwhile."""
    after = given(*AT_UNIT).when(eg.RECLASSIFY).then(eg.RECLASSIFIED)
    assert due_deadlines(after.case)[Limit.ANSWER] == beijing(2021, 10, 9)
    elsewhere = replace(
        eg.DISPATCHED,
        unit=OTHER_STREET,
        assignment=2,
        dispatched_at=CALLED_AT + DAY,
        sign_due_at=CALLED_AT + DAY + 8 * HOUR,
        unit_due_at=DUE_AT + DAY,
    )
    (fact,) = rules.decide(
        eg.RECLASSIFY, case_of((*AT_UNIT, eg.RETURN_REQUESTED, eg.RETURN_APPROVED, elsewhere)), eg.CATALOGUE
    )
    assert isinstance(fact, ComplaintReclassified)
    assert fact.citizen_due_at == beijing(2021, 10, 9)
    assert fact.unit_due_at == beijing(2021, 10, 10)


def test_a_matter_that_turns_out_urgent_has_its_hours_from_now() -> None:
    """B3, §5.1: two hours from the moment it is known, and never later than before."""
    command = told(eg.RECLASSIFY, urgency=Urgency.CRITICAL_2H)
    (fact,) = rules.decide(command, case_of(SIGNED), eg.CATALOGUE)
    assert isinstance(fact, ComplaintReclassified)
    assert fact.citizen_due_at == command.at + 2 * HOUR
    late = told(command, at=DUE_AT - HOUR)
    (fact,) = rules.decide(late, case_of(SIGNED), eg.CATALOGUE)
    assert isinstance(fact, ComplaintReclassified)
    assert fact.citizen_due_at == DUE_AT


def test_a_late_reclassification_is_refused() -> None:
    """T24, T6: the limit has passed, stated or not."""
    late = told(eg.RECLASSIFY, at=DUE_AT + INSTANT)
    given(*SIGNED).when(late).then_refused("reclassify", "passed at 2021-10-01")
    given(*SIGNED, eg.FEEDBACK_MISSED).when(eg.RECLASSIFY).then_refused("reclassify", "T6")


@pytest.mark.parametrize(
    ("past", "because"),
    [
        (OPENED, "not dispatched"),
        ((*SIGNED, eg.ANSWERED), "the order is answered"),
        ((*TERMINATION_ASKED, eg.TERMINATION_APPROVED), "the order is terminated"),
        (
            (
                *SIGNED,
                eg.ANSWERED,
                eg.VISIT_SCHEDULED,
                replace(eg.VISIT_MADE, solved=False),
                eg.REOPENED,
            ),
            "the order of the next round is not written yet",
        ),
        ((replace(eg.RECEIVED, ruleset="boston-311-2011", given_due_at=DUE_AT), *AT_UNIT[1:]), "came with"),
    ],
)
def test_a_class_that_cannot_be_changed(past: tuple[Fact, ...], because: str) -> None:
    """T24."""
    given(*past).when(eg.RECLASSIFY).then_refused("reclassify", because)
