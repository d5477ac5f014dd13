"""A refusal names the desk that refused and whoever asked, never one for the other."""

from __future__ import annotations

from dataclasses import fields
from functools import reduce
from typing import Any, Final, get_args

import pytest

from hotline.casefile import refusals
from services.dispatch.decisions.signing import SignOrder
from services.dispatch.guards import Refusal, Review, refused
from services.dispatch.rules import ReviewerCommand
from shared.complaint import UNOPENED, Complaint, evolve
from shared.deciding import DECIDERS, decider
from shared.events import IntakeRefused, ReplyRefused, VisitAnswerRefused
from shared.ids import UnitId
from tests import examples as eg

_CASE = reduce(evolve, [eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED], UNOPENED)
assert isinstance(_CASE, Complaint)
CASE: Final = _CASE

DECISIONS: Final = get_args(ReviewerCommand)


def _decision(kind: type[ReviewerCommand], **said: Any) -> ReviewerCommand:
    given: dict[str, Any] = {one.name: 1 for one in fields(kind)}
    given |= {"complaint_id": eg.ID, "at": eg.CALLED_AT, "login": ""}
    made: ReviewerCommand = kind(**{**given, **said})
    return made


@pytest.mark.parametrize("kind", DECISIONS, ids=lambda kind: kind.__name__)
def test_what_a_reviewer_asked_for_is_refused_to_the_reviewer(kind: type[ReviewerCommand]) -> None:
    (field,) = {one.name for one in fields(kind)} & set(DECIDERS)
    names = ("Li Wei", "Zhao Min") if field == "participants" else "Li Wei"
    command = _decision(kind, **{field: names})
    fact = refused(command, Refusal("assignment 1 is over"), CASE)
    assert decider(command) == ("Li Wei, Zhao Min" if field == "participants" else "Li Wei")
    assert fact.asked_by == decider(command)
    desk, text = refusals.worded(fact)
    assert desk == "dispatch"
    asked = f"approve the {kind.OF}" if issubclass(kind, Review) else kind.ASKED
    assert text == f"did not let {fact.asked_by} {asked}: assignment 1 is over"
    assert eg.STREET not in text


def test_what_a_unit_asked_for_is_refused_to_the_unit_by_the_desk() -> None:
    command = SignOrder(complaint_id=eg.ID, unit=UnitId("municipal-water"), assignment=1, at=eg.CALLED_AT)
    fact = refused(command, Refusal(f"the order lies with {eg.STREET}"), CASE)
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
