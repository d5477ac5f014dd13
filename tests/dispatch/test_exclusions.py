"""What is left out of a unit's score: asked for by the unit, with evidence, and decided by somebody else (F3, T22)."""

from __future__ import annotations

from functools import partial

import pytest
from msgspec.structs import replace

from services.dispatch import rules
from shared.complaint import Complaint, head_text
from shared.events import ExclusionGround, Fact, Outcome
from tests import examples as eg
from tests.examples import DAY, OTHER_STREET, STREET, WATER, told
from tests.spec import case_of, spec

given = spec(partial(rules.decide, catalogue=eg.CATALOGUE))

OPENED = (eg.RECEIVED, eg.CLASSIFIED)
AT_UNIT = (*OPENED, eg.DISPATCHED)
ENDED = (*AT_UNIT, eg.ANSWERED, eg.VISIT_SCHEDULED, eg.VISIT_MADE, eg.CLOSED)
ASKED = (*ENDED, eg.EXCLUSION_REQUESTED)
EXCEPTED = replace(eg.CLOSED, outcome=Outcome.EXCEPTION, visit=0, approved_by="supervisor-1")


@pytest.mark.parametrize("past", [AT_UNIT, ENDED])
def test_f3_a_unit_asks_with_evidence_and_a_review_decides_also_after_the_end(past: tuple[Fact, ...]) -> None:
    """Q4: F3: a month is scored when it is over."""
    asked = given(*past).when(eg.EXCLUDE).then(eg.EXCLUSION_REQUESTED)
    asked.when(eg.REVIEW_EXCLUSION).then(eg.EXCLUSION_APPROVED)
    asked.when(told(eg.REVIEW_EXCLUSION, approved=False, reason="车道有标线")).then(eg.EXCLUSION_REJECTED)


@pytest.mark.parametrize(
    "reviewer", [STREET, f" {STREET.upper()} ", eg.CATALOGUE.units[STREET].name, WATER, "自来水集团"]
)
@pytest.mark.parametrize("approved", [True, False])
def test_t22_a_unit_that_leaves_out_its_own_order_is_refused_by_a_fact(reviewer: str, approved: bool) -> None:
    """T22: by its id or its name, and so is a unit that helps with the order; what it asked for stays open."""
    helped = (*AT_UNIT, eg.CO_UNIT_ADDED, eg.EXCLUSION_REQUESTED)
    command = told(eg.REVIEW_EXCLUSION, reviewer=reviewer, approved=approved)
    after = (
        given(*helped)
        .when(command)
        .then_refused(
            "approve the exclusion" if approved else "reject the exclusion",
            "nobody decides what he asked for (T22)",
        )
    )
    after.when(eg.REVIEW_EXCLUSION).then(eg.EXCLUSION_APPROVED)


def test_t22_nobody_leaves_out_what_no_unit_asked_for() -> None:
    """T22, F3: request, evidence, review: none of the three alone."""
    for past in (OPENED, AT_UNIT, ENDED, (*ASKED, eg.EXCLUSION_APPROVED), (*ASKED, eg.EXCLUSION_REJECTED)):
        given(*past).when(eg.REVIEW_EXCLUSION).then_refused(
            "approve the exclusion", "no exclusion is under review"
        )


@pytest.mark.parametrize(
    ("past", "command", "because"),
    [
        (OPENED, eg.EXCLUDE, "not dispatched"),
        (ENDED, told(eg.EXCLUDE, unit=OTHER_STREET), "the order lies with street-huayuanlu now"),
        ((*AT_UNIT, eg.WITHDRAWN), eg.EXCLUDE, "counts in no score: the life ended with ComplaintWithdrawn"),
        ((*AT_UNIT, EXCEPTED), eg.EXCLUDE, "counts in no score"),
        (
            ASKED,
            told(eg.EXCLUDE, ground=ExclusionGround.DUPLICATE),
            "an exclusion for INVALID is under review",
        ),
        ((*ASKED, eg.EXCLUSION_REJECTED), eg.EXCLUDE, "a review has rejected an exclusion for INVALID"),
        (
            (*ASKED, eg.EXCLUSION_APPROVED),
            told(eg.EXCLUDE, ground=ExclusionGround.DUPLICATE),
            "a review has approved an exclusion for INVALID",
        ),
    ],
)
def test_f3_what_cannot_be_left_out_is_refused(past: tuple[Fact, ...], command: object, because: str) -> None:
    """F3: what is not the unit's, counts nowhere anyway, or is decided."""
    given(*past).when(command).then_refused("leave out", because)


def test_f3_asked_for_twice_it_is_asked_for_once() -> None:
    """F3: asked again it is refused, and that says why."""
    again = told(eg.EXCLUDE, at=eg.EXCLUDE.at + DAY)
    given(*ASKED).when(again).then_refused("leave out", "is under review")
    given(*ASKED, eg.EXCLUSION_APPROVED).when(again).then_refused("leave out", "a review has approved")


def test_f3_the_next_unit_may_ask_for_itself() -> None:
    """F3: what one unit was refused says nothing of the one the order went to."""
    moved = replace(eg.DISPATCHED, unit=OTHER_STREET, assignment=2)
    past = (
        *AT_UNIT,
        eg.EXCLUSION_REQUESTED,
        eg.EXCLUSION_REJECTED,
        eg.RETURN_REQUESTED,
        eg.RETURN_APPROVED,
        moved,
    )
    given(*past).when(told(eg.EXCLUDE, unit=OTHER_STREET)).then(
        replace(eg.EXCLUSION_REQUESTED, unit=OTHER_STREET)
    )


def test_a_life_of_which_nobody_asks_this_has_no_larger_head() -> None:
    """Every fact writes the head anew."""
    case = case_of(ENDED)
    assert isinstance(case, Complaint)
    assert "exclusion" not in head_text(case)
