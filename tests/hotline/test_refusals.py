"""A refusal names the desk that refused and whoever asked, never one for the other."""

from __future__ import annotations

from functools import reduce
from typing import Final

import pytest

from hotline.casefile import refusals
from services.dispatch.decision_table import asked_for
from services.dispatch.guards import Refusal, refused
from shared.asked import Asked
from shared.complaint import UNOPENED, Complaint, evolve
from shared.deciding import DECIDERS
from shared.events import IntakeRefused, ReplyRefused, VisitAnswerRefused
from shared.ids import UnitId
from shared.inputs import (
    AddCoUnit,
    AmendCalendar,
    DecideCouncil,
    Input,
    ReclassifyComplaint,
    ReviewExclusion,
    ReviewExtension,
    ReviewPause,
    ReviewReturn,
    ReviewTermination,
    SendBackAnswer,
    SignOrder,
)
from shared.topics import DISPATCH_REVIEWS
from tests import examples as eg
from tests.examples import asks, told

_CASE = reduce(evolve, [eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED], UNOPENED)
assert isinstance(_CASE, Complaint)
CASE: Final = _CASE

DECISIONS: Final = DISPATCH_REVIEWS.inputs


@pytest.mark.parametrize("kind", DECISIONS, ids=lambda kind: kind.__name__)
def test_what_a_reviewer_asked_for_is_refused_to_the_reviewer(kind: type[Input]) -> None:
    (field,) = set(kind.__struct_fields__) & set(DECIDERS)
    names = ("Li Wei", "Zhao Min") if field == "participants" else "Li Wei"
    (example,) = (one for one in eg.COMMANDS if isinstance(one, Asked) and type(one.command) is kind)
    asked = told(example, **{field: names})
    fact = refused(asked, asked_for(asked.command), Refusal("assignment 1 is over"), CASE)
    assert fact.asked_by == ("Li Wei, Zhao Min" if field == "participants" else "Li Wei")
    desk, text = refusals.worded(fact)
    assert desk == "dispatch"
    assert text == f"did not let {fact.asked_by} {WORDS[kind]}: assignment 1 is over"
    assert eg.STREET not in text


WORDS: Final[dict[type[Input], str]] = {
    ReviewReturn: "approve the return",
    ReviewExtension: "approve the extension",
    ReviewPause: "approve the pause",
    ReviewTermination: "approve the termination",
    ReviewExclusion: "approve the exclusion",
    DecideCouncil: "decide as a council",
    AddCoUnit: "add a co-unit",
    ReclassifyComplaint: "reclassify",
    AmendCalendar: "amend the calendar",
    SendBackAnswer: "send the answer back",
}


def test_what_a_unit_asked_for_is_refused_to_the_unit_by_the_desk() -> None:
    command = asks(
        SignOrder, complaint_id=eg.ID, unit=UnitId("municipal-water"), assignment=1, at=eg.CALLED_AT
    )
    fact = refused(command, asked_for(command.command), Refusal(f"the order lies with {eg.STREET}"), CASE)
    assert refusals.worded(fact) == (
        "dispatch",
        f"did not let municipal-water sign: the order lies with {eg.STREET}",
    )


def test_the_other_desks_refuse_in_their_own_name() -> None:
    intake = IntakeRefused(complaint_id=eg.ID, asked="withdraw", reason="it ended", refused_at=eg.CALLED_AT)
    assert refusals.worded(intake) == ("intake", "refused to withdraw: it ended")
    visit = VisitAnswerRefused(
        complaint_id=eg.ID, asked="record a visit", reason="no visit is under way", refused_at=eg.CALLED_AT
    )
    assert refusals.worded(visit) == ("feedback", "refused to record a visit: no visit is under way")
    closing = VisitAnswerRefused(
        complaint_id=eg.ID,
        asked="close by exception",
        asked_by="Li Wei",
        reason="the life ended",
        refused_at=eg.CALLED_AT,
    )
    assert refusals.worded(closing) == ("feedback", "did not let Li Wei close by exception: the life ended")


def test_the_person_who_asked_hears_the_reason_as_a_sentence() -> None:
    fact = ReplyRefused(
        complaint_id=eg.ID, unit=eg.STREET, asked="sign", reason="it ended", refused_at=eg.CALLED_AT
    )
    assert refusals.answer(fact) == "Refused: it ended."
