"""The acts of the offices: visits, reviews and councils, supervision. See `verbs`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from hotline.web.pages.catalogues import N_
from hotline.web.pages.verbs import (
    CHOICE,
    DECISION,
    NAMED,
    TEXT,
    UNIT,
    UNITS,
    WORDS,
    FormField,
    Situation,
    VerbForm,
)
from shared import inputs
from shared.complaint import Answered, Held, open_questions
from shared.events import base as e

_APPROVED: Final = FormField("approved", DECISION)
_SAID: Final = FormField("reason", TEXT, demanded=False)
_WHY: Final = FormField("reason", TEXT)


def _waits(question: str) -> Callable[[Situation], bool]:
    return lambda at: question in open_questions(at.case)


def _assignment(at: Situation) -> Mapping[str, Any]:
    return {"assignment": at.case.order.assignment} if at.case.order is not None else {}


def _goes_on(at: Situation) -> bool:
    return at.case.ended is None and isinstance(at.case.order, Held)


def _visit(at: Situation) -> Mapping[str, Any]:
    visit = at.case.visit
    return {} if visit is None else {"visit": visit.visit, "attempt": visit.attempt}


def _is_visited(at: Situation) -> bool:
    return at.case.visit is not None


_CHANNEL: Final = FormField("channel", CHOICE, ("phone", "sms", "visit"), "channel", usual="phone")
_CAUSES: Final = ("no_answer", "busy", "refused", "wrong_number")

VISIT_VERBS: Final[Mapping[str, VerbForm]] = {
    "record": VerbForm(
        inputs.RecordVisit,
        N_("The citizen was reached"),
        _is_visited,
        (FormField("solved", DECISION), FormField("satisfied", DECISION), _SAID, _CHANNEL),
        _visit,
        "r",
        main=True,
    ),
    "unreached": VerbForm(
        inputs.RecordUnreached,
        N_("Not reached"),
        _is_visited,
        (FormField("cause", CHOICE, _CAUSES, "cause", usual="no_answer"), _CHANNEL),
        _visit,
        "n",
    ),
}
REVIEW_VERBS: Final[Mapping[str, VerbForm]] = {
    "return": VerbForm(
        inputs.ReviewReturn,
        N_("Decide on the return"),
        _waits("return"),
        (_APPROVED, _SAID, FormField("to_unit", UNIT, demanded=False)),
        _assignment,
        "r",
        main=True,
    ),
    "council": VerbForm(
        inputs.DecideCouncil,
        N_("Write down what the council decided"),
        _waits("dispute"),
        (
            FormField("to_unit", UNIT),
            FormField("participants", NAMED, most=2000),
            FormField("co_units", UNITS, demanded=False, most=2000),
            _WHY,
        ),
        _assignment,
        "d",
        main=True,
    ),
    "extension": VerbForm(
        inputs.ReviewExtension,
        N_("Decide on more days"),
        _waits("extension"),
        (_APPROVED, _SAID),
        _assignment,
        "e",
        main=True,
    ),
    "pause": VerbForm(
        inputs.ReviewPause,
        N_("Decide on the pause"),
        _waits("pause"),
        (_APPROVED, _SAID),
        _assignment,
        "u",
        main=True,
    ),
    "termination": VerbForm(
        inputs.ReviewTermination,
        N_("Decide on the end"),
        _waits("termination"),
        (_APPROVED, _SAID),
        _assignment,
        "t",
        main=True,
    ),
    "exclusion": VerbForm(
        inputs.ReviewExclusion,
        N_("Decide on the score"),
        _waits("exclusion"),
        (_APPROVED, _SAID),
        key="x",
        main=True,
    ),
    "co-unit": VerbForm(
        inputs.AddCoUnit, N_("Ask a unit to help"), _goes_on, (FormField("co_unit", UNIT), _WHY), key="h"
    ),
    "reclassify": VerbForm(
        inputs.ReclassifyComplaint,
        N_("Change the urgency"),
        _goes_on,
        (FormField("urgency", CHOICE, tuple(e.Urgency), "Urgency"), _WHY),
        key="c",
    ),
    "calendar": VerbForm(
        inputs.AmendCalendar, N_("Amend the calendar"), _goes_on, (FormField("calendar", WORDS), _WHY)
    ),
    "send-back": VerbForm(
        inputs.SendBackAnswer,
        N_("Send the answer back"),
        lambda at: at.case.ended is None and isinstance(at.case.order, Answered),
        (_WHY,),
        _assignment,
        "b",
    ),
}
SUPERVISION_VERBS: Final[Mapping[str, VerbForm]] = {
    "decide": VerbForm(
        inputs.DecideSupervision,
        N_("Decide what is to be done"),
        lambda at: at.case.ended is None,
        (FormField("decision", TEXT, most=4000),),
        key="d",
        main=True,
    ),
    "close": VerbForm(
        inputs.CloseByException,
        N_("Close it by exception"),
        lambda at: at.case.ended is None,
        (_WHY,),
        key="c",
    ),
}
