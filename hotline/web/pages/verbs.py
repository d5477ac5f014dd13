"""The acts that pages offer: for each the form, its key, and when it is worth offering. Pure.

An offer is a help and no rule: the desk decides, and says why where it refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from hotline.web.pages.catalogues import N_
from shared import inputs
from shared.complaint import Complaint, Held, question, standing_still, whose_asked
from shared.complaint.order import ExtensionAsked, PauseAsked, TerminationAsked
from shared.complaint.state import Called, Whistle
from shared.events import base as e
from shared.inputs import Input
from shared.policy.catalogue import Catalogue

WORDS, TEXT, NUMBER, CHECK, CHOICE, UNIT, UNITS, DECISION, NAMED = (
    "words",
    "text",
    "number",
    "check",
    "choice",
    "unit",
    "units",
    "decision",
    "named",
)


class FormField(NamedTuple):
    """A field of a form: the field of the input it fills."""

    name: str
    widget: str = TEXT
    """words (a line), text, number, check, choice, unit, units, decision (yes or no) or named (several)."""
    choices: tuple[str, ...] = ()
    kind: str = ""
    """Of choices the kind of their words in `naming.NAMES`."""
    demanded: bool = True
    usual: str = ""
    most: int = 400


class Situation(NamedTuple):
    """A complaint as somebody is about to act on it."""

    case: Complaint
    unit: str
    """The unit whose person asks; empty of an office."""
    now: datetime
    catalogue: Catalogue

    @property
    def held(self) -> Held | None:
        """The open order of this unit."""
        order = self.case.order
        mine = isinstance(order, Held) and order.unit == self.unit and self.case.ended is None
        return order if mine else None  # type: ignore[return-value]  # `mine` says so

    @property
    def free(self) -> bool:
        """Whether the unit has the order, and nobody decides whose it is."""
        return self.held is not None and whose_asked(self.held) is None

    def called(self) -> tuple[Whistle, Called] | None:
        """The whistle that calls this unit, and its part in it."""
        for whistle in self.case.whistles:
            for called in whistle.called:
                if called.unit == self.unit and called.released_at is None:
                    return whistle, called
        return None

    def whistled(self) -> Whistle | None:
        """The last whistle of this unit with somebody who is not let go."""
        mine = [one for one in self.case.whistles if one.unit == self.unit]
        waiting = [one for one in mine if any(called.released_at is None for called in one.called)]
        return waiting[-1] if waiting else None


class VerbForm(NamedTuple):
    """An act as a page offers it."""

    kind: type[Input]
    title: str
    offered: Callable[[Situation], bool]
    fields: tuple[FormField, ...] = ()
    filled: Callable[[Situation], Mapping[str, Any]] = lambda _: {}
    """The fields of the input that nobody types."""
    key: str = ""
    main: bool = False
    """Whether it is what is usually done next."""
    templated: str = ""
    """The field that a reply template of the unit fills; empty where none does."""

    @property
    def filled_field(self) -> FormField | None:
        """The field of `templated`."""
        return next((field for field in self.fields if field.name == self.templated), None)


def _assignment(at: Situation) -> Mapping[str, Any]:
    return {"assignment": at.case.order.assignment} if at.case.order is not None else {}


def _new_whistle(at: Situation) -> Mapping[str, Any]:
    return {**_assignment(at), "whistle": len(at.case.whistles) + 1}


def _whistle_of_called(at: Situation) -> Mapping[str, Any]:
    found = at.called()
    return {} if found is None else {"whistle": found[0].number}


def _own_whistle(at: Situation) -> Mapping[str, Any]:
    found = at.whistled()
    return {} if found is None else {"whistle": found.number}


def _is_street(at: Situation) -> bool:
    return any(at.unit in one.streets.values() for one in at.catalogue.districts.values())


def _is_district(at: Situation) -> bool:
    return any(at.unit == one.unit for one in at.catalogue.districts.values())


def _helps(at: Situation) -> bool:
    return any(one.unit == at.unit and one.reported_at is None for one in at.case.co_units)


def _called_and(test: Callable[[Called], bool]) -> Callable[[Situation], bool]:
    def offered(at: Situation) -> bool:
        found = at.called()
        return found is not None and test(found[1])

    return offered


_REASON: Final = FormField("reason", WORDS)
_WHY: Final = FormField("reason", TEXT)
_EVIDENCE: Final = FormField("evidence", TEXT, most=4000)
_DAYS: Final = FormField("days", NUMBER, most=366)
_CHANNEL: Final = FormField("channel", CHOICE, ("phone", "sms", "visit"), "channel", usual="phone")


def _is_signed(at: Situation) -> bool:
    return at.free and at.held is not None and at.held.signed_at is not None


UNIT_VERBS: Final[Mapping[str, VerbForm]] = {
    "sign": VerbForm(
        inputs.SignOrder,
        N_("Sign"),
        lambda at: at.free and at.held is not None and at.held.signed_at is None,
        filled=_assignment,
        key="s",
        main=True,
    ),
    "answer": VerbForm(
        inputs.AnswerOrder,
        N_("Answer"),
        lambda at: at.free,
        (FormField("result", TEXT, most=4000), FormField("claims_solved", CHECK, demanded=False)),
        _assignment,
        "a",
        main=True,
        templated="result",
    ),
    "contact": VerbForm(
        inputs.RecordContact,
        N_("Citizen contacted"),
        lambda at: _is_signed(at) and at.held is not None and at.held.contacted_at is None,
        (_CHANNEL,),
        _assignment,
        "c",
    ),
    "contact-failed": VerbForm(
        inputs.RecordContactFailed,
        N_("Citizen not reached"),
        lambda at: _is_signed(at) and at.held is not None and at.held.contacted_at is None,
        (FormField("cause", WORDS, most=200), _CHANNEL),
        _assignment,
        "n",
    ),
    "progress": VerbForm(
        inputs.ReportProgress,
        N_("Tell progress"),
        _is_signed,
        (FormField("text", TEXT, most=4000), FormField("stage_feedback", CHECK, demanded=False)),
        _assignment,
        "p",
        templated="text",
    ),
    "return": VerbForm(
        inputs.RequestReturn,
        N_("Return it"),
        lambda at: at.free,
        (
            FormField("reason", WORDS, most=200),
            _EVIDENCE,
            FormField("suggested_unit", UNIT, demanded=False, most=200),
        ),
        _assignment,
        "r",
        templated="reason",
    ),
    "dispute": VerbForm(
        inputs.RaiseDispute,
        N_("Dispute it"),
        lambda at: at.free,
        (_WHY, _EVIDENCE),
        _assignment,
        "d",
        templated="reason",
    ),
    "assign": VerbForm(
        inputs.AssignOrder,
        N_("Give it to a street"),
        lambda at: at.free and _is_district(at),
        (FormField("to_unit", UNIT, most=200), _WHY),
        _assignment,
        "g",
    ),
    "extend": VerbForm(
        inputs.RequestExtension,
        N_("Ask for more days"),
        lambda at: at.free and at.held is not None and question(at.held, ExtensionAsked) is None,
        (_DAYS, _WHY, FormField("citizen_told", CHECK, demanded=False)),
        _assignment,
        "e",
        templated="reason",
    ),
    "pause": VerbForm(
        inputs.RequestPause,
        N_("Ask for a pause"),
        lambda at: (
            at.free
            and at.held is not None
            and standing_still(at.held, at.now) is None
            and question(at.held, PauseAsked) is None
        ),
        (FormField("ground", CHOICE, tuple(e.PauseGround), "PauseGround"), _DAYS, _EVIDENCE),
        _assignment,
        "u",
        templated="evidence",
    ),
    "resume": VerbForm(
        inputs.EndPause,
        N_("End the pause"),
        lambda at: at.held is not None and standing_still(at.held, at.now) is not None,
        (_WHY,),
        _assignment,
        "u",
    ),
    "terminate": VerbForm(
        inputs.RequestTermination,
        N_("End it unanswered"),
        lambda at: at.free and at.held is not None and question(at.held, TerminationAsked) is None,
        (FormField("ground", CHOICE, tuple(e.TerminationGround), "TerminationGround"), _EVIDENCE),
        _assignment,
        "t",
        templated="evidence",
    ),
    "whistle": VerbForm(
        inputs.BlowWhistle,
        N_("Whistle"),
        lambda at: at.free and _is_street(at),
        (
            FormField("kind", CHOICE, tuple(e.WhistleKind), "WhistleKind"),
            FormField("called", UNITS, most=2000),
            FormField("scene", WORDS),
            _WHY,
        ),
        _new_whistle,
        "w",
        templated="reason",
    ),
    "release": VerbForm(
        inputs.ReleaseWhistle,
        N_("Let the called units go"),
        lambda at: at.whistled() is not None,
        (FormField("called", UNIT, demanded=False), FormField("reason", TEXT, demanded=False)),
        _own_whistle,
        "l",
    ),
    "report": VerbForm(
        inputs.ReportAsCoUnit,
        N_("Report as helper"),
        _helps,
        (FormField("result", TEXT, most=4000),),
        key="h",
        templated="result",
    ),
    "acknowledge": VerbForm(
        inputs.AcknowledgeWhistle,
        N_("We come"),
        _called_and(lambda one: one.acknowledged_at is None and one.arrived_at is None),
        filled=_whistle_of_called,
        key="k",
        main=True,
    ),
    "arrive": VerbForm(
        inputs.ArriveAtWhistle,
        N_("We are there"),
        _called_and(lambda one: one.arrived_at is None),
        (FormField("persons", NUMBER, usual="1", most=10_000),),
        _whistle_of_called,
        "v",
        main=True,
    ),
    "measure": VerbForm(
        inputs.RecordMeasure,
        N_("Record a measure"),
        _called_and(lambda one: one.arrived_at is not None),
        (FormField("measure", TEXT, most=4000),),
        _whistle_of_called,
        "m",
        main=True,
        templated="measure",
    ),
    "rate": VerbForm(
        inputs.RateWhistle,
        N_("Rate"),
        lambda at: any(one.unit == at.unit for one in at.case.whistles) or at.called() is not None,
        (
            FormField("rated", UNIT),
            FormField("stars", NUMBER, most=5),
            FormField("comment", TEXT, demanded=False),
        ),
        lambda at: {"whistle": at.case.whistles[-1].number},
    ),
    "exclude": VerbForm(
        inputs.RequestExclusion,
        N_("Leave it out of the score"),
        lambda at: at.case.order is not None and at.case.order.unit == at.unit and at.case.exclusion is None,
        (FormField("ground", CHOICE, tuple(e.ExclusionGround), "ExclusionGround"), _EVIDENCE),
        key="x",
        templated="evidence",
    ),
}
"""By the name in the address."""


def offered(verbs: Mapping[str, VerbForm], at: Situation) -> dict[str, VerbForm]:
    """The acts that are worth offering now."""
    return {name: one for name, one in verbs.items() if one.offered(at)}
