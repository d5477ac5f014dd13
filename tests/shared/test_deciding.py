"""Nobody decides what he asked for: every input that names who decided, every disguise, both doors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.dispatch import rules as dispatch
from services.dispatch.inbound import reviews
from services.feedback import rules as feedback
from services.feedback.inbound import exceptions
from shared import inputs
from shared.deciding import DECIDERS, alike, decider_field, may_decide, units_called
from shared.events import Fact, ReplyRefused, VisitAnswerRefused
from shared.policy.catalogue import catalogue
from shared.text import folded
from shared.topic_names import speaker_of
from shared.topics import DISPATCH_REPLIES, DISPATCH_REVIEWS, FEEDBACK_EXCEPTIONS, TOPICS, Topic
from tests import examples as eg
from tests.doors import asked, clock, message, refused
from tests.examples import told
from tests.spec import case_of

AT_UNIT: Final = (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED)
SIGNED: Final = (*AT_UNIT, eg.SIGNED)

CASES: Final[Mapping[type[inputs.Input], tuple[inputs.Input, tuple[Fact, ...]]]] = {
    inputs.ReviewReturn: (eg.REVIEW_RESULT, (*AT_UNIT, eg.RETURN_REQUESTED)),
    inputs.ReviewExtension: (eg.EXTENSION_REVIEW, (*SIGNED, eg.EXTENSION_REQUESTED)),
    inputs.ReviewPause: (eg.PAUSE_REVIEW, (*SIGNED, eg.PAUSE_REQUESTED)),
    inputs.ReviewTermination: (eg.TERMINATION_REVIEW, (*SIGNED, eg.TERMINATION_REQUESTED)),
    inputs.DecideCouncil: (
        eg.COUNCIL_RESULT,
        (*AT_UNIT, eg.RETURN_REQUESTED, eg.RETURN_REJECTED, eg.DISPUTED),
    ),
    inputs.AddCoUnit: (replace(eg.CO_UNIT, co_unit=eg.OTHER_STREET), AT_UNIT),
    inputs.ReclassifyComplaint: (eg.RECLASSIFICATION, AT_UNIT),
    inputs.AmendCalendar: (eg.AMENDMENT, AT_UNIT),
    inputs.ReviewExclusion: (eg.EXCLUSION_REVIEW, (*AT_UNIT, eg.EXCLUSION_REQUESTED)),
    inputs.SendBackAnswer: (eg.SENT_BACK_RESULT, (*SIGNED, eg.ANSWERED)),
    inputs.DecideSupervision: (eg.DIRECTION, (*AT_UNIT, eg.SIGN_MISSED, eg.ESCALATED)),
    inputs.CloseByException: (eg.EXCEPTION, AT_UNIT),
}
"""An honest decision of each kind, and the life it can be taken in."""

STREET_NAME: Final = eg.CATALOGUE.units[eg.STREET].name
WATER_NAME: Final = eg.CATALOGUE.units[eg.WATER].name


def wide(text: str) -> str:
    """In full width."""
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


DISGUISES: Final[Mapping[str, str]] = {
    "its id": eg.STREET,
    "its id in capitals": eg.STREET.upper(),
    "its id in full width": wide(eg.STREET),
    "its id in full-width capitals": wide(eg.STREET.upper()),
    "its id with blanks around it": f" \u3000{eg.STREET}\t\n",
    "its id with what nobody sees in it": f"\ufeff{eg.STREET[:3]}\u200b\u2060{eg.STREET[3:]}\u202e",
    "its id with another hyphen": eg.STREET.replace("-", "\u2010"),
    "its id with fillers and selectors": f"{eg.STREET[:3]}\u3164\ufe0f\u034f{eg.STREET[3:]}",
    "its name": STREET_NAME,
    "its name with blanks in it": " ".join(STREET_NAME),
    "its name with what nobody sees in it": "\u200d".join(STREET_NAME),
}
HELPERS: Final[Mapping[str, tuple[tuple[Fact, ...], str]]] = {
    "a helper's id": ((eg.CO_UNIT_ADDED,), eg.WATER),
    "a helper's name": ((eg.CO_UNIT_ADDED,), WATER_NAME),
    "a called unit's id": ((eg.BLOWN, eg.CALLED), eg.WATER),
    "a called unit's name": ((eg.BLOWN, eg.CALLED), wide(WATER_NAME)),
}
BLANKS: Final = (" ", "\u3000", "\u200b", "\n\t", "\u3164", "\ufe0f\u2800")


def decider(kind: type[inputs.Input]) -> str:
    """The field that names who decided."""
    (field,) = (field for field in kind.__struct_fields__ if field in DECIDERS)
    return field


def said_by(data: inputs.Input, who: str) -> inputs.Input:
    """The same decision by another; of a council he alone."""
    field = decider(type(data))
    return replace(data, **{field: (who,) if field == "participants" else who})


def line_of(kind: type[inputs.Input]) -> Topic:
    (line,) = (line for line in TOPICS if kind in line.carries)
    return line


def decided(data: inputs.Input, past: tuple[Fact, ...], *, login: str = "") -> list[Fact]:
    """What the desk that hears it says to it, through its door."""
    line = line_of(type(data))
    topic = f"{line.name}.{login}" if login else line.name
    late = message(data, topic, at=eg.CALLED_AT + 26 * eg.HOUR)
    if line is DISPATCH_REVIEWS:
        command = asked(reviews(clock(), ""), late).command
        return list(dispatch.decide(command, case_of(past), eg.CATALOGUE))
    assert line is FEEDBACK_EXCEPTIONS
    command = asked(exceptions(clock(), ""), late).command
    return list(feedback.decide(command, case_of(past), eg.CATALOGUE))


def why(said: list[Fact]) -> str:
    """Why it was refused."""
    (fact,) = said
    assert isinstance(fact, ReplyRefused | VisitAnswerRefused), fact
    return fact.reason


def test_every_input_that_names_who_decided_is_tried_here() -> None:
    naming = {kind for kind in inputs.INPUTS.values() if set(DECIDERS) & set(kind.__struct_fields__)}
    assert naming == CASES.keys()
    assert {field for kind in naming for field in kind.__struct_fields__ if field in DECIDERS} == set(
        DECIDERS
    )


def test_every_command_that_names_who_decided_is_seen_by_the_guard() -> None:
    """The guard knows it by that field; no unit's command has one."""
    naming = {kind for kind in inputs.INPUTS.values() if decider_field(kind) is not None}
    assert naming == CASES.keys()
    assert not naming & set(DISPATCH_REPLIES.inputs)


@pytest.mark.parametrize("kind", CASES)
def test_an_honest_decision_counts(kind: type[inputs.Input]) -> None:
    """Q4, E3."""
    data, past = CASES[kind]
    said = decided(data, past)
    assert said
    assert not any(isinstance(fact, ReplyRefused | VisitAnswerRefused) for fact in said), said


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("kind", CASES)
def test_t22_the_unit_that_asked_decides_nothing_however_it_is_written(
    kind: type[inputs.Input], disguise: str
) -> None:
    """T22."""
    data, past = CASES[kind]
    assert why(decided(said_by(data, DISGUISES[disguise]), past)).startswith(f"{decider(kind)}: {eg.STREET} ")


@pytest.mark.parametrize("helper", HELPERS)
@pytest.mark.parametrize("kind", CASES)
def test_t22_nor_does_a_unit_that_helps_with_it_or_was_called_to_it(
    kind: type[inputs.Input], helper: str
) -> None:
    """T22."""
    data, past = CASES[kind]
    more, who = HELPERS[helper]
    assert why(decided(said_by(data, who), (*past, *more))).startswith(f"{decider(kind)}: {eg.WATER} ")


@pytest.mark.parametrize("kind", CASES)
def test_t22_nor_does_a_unit_that_is_accused(kind: type[inputs.Input]) -> None:
    """T22, R9: supervision has the order, and the accused unit decides nothing about it."""
    data, past = CASES[kind]
    accused = (past[0], eg.RETALIATION, *past[1:])
    case = case_of(accused)
    assert getattr(case, "accused", None) is not None
    who = getattr(case, "accused", "")
    assert why(decided(said_by(data, who), accused)).startswith(f"{decider(kind)}: {who} ")


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("kind", CASES)
def test_a_blank_decides_nothing(kind: type[inputs.Input], blank: str) -> None:
    """A door takes no blank in; where one came all the same, the guard refuses it."""
    data, past = CASES[kind]
    line = line_of(kind)
    blank_one = message(said_by(data, blank), line.name)
    door = reviews(clock()) if line is DISPATCH_REVIEWS else exceptions(clock())
    assert decider(kind) in refused(door, blank_one)
    whole = message(data, line.name, at=eg.CALLED_AT + 26 * eg.HOUR)
    command = asked(door, whole).command
    field = decider(kind)
    blanked = told(command, **{field: (blank,) if field == "participants" else blank})
    if line is DISPATCH_REVIEWS:
        said = list(dispatch.decide(blanked, case_of(past), eg.CATALOGUE))
    else:
        said = list(feedback.decide(blanked, case_of(past), eg.CATALOGUE))
    assert why(said).startswith(f"{field}: blank")


@pytest.mark.parametrize("kind", CASES)
def test_where_the_speaker_has_a_login_it_decides_and_the_name_is_only_shown(
    kind: type[inputs.Input],
) -> None:
    """T22: the unit that asked cannot hide behind a reviewer's name, and a namesake's login may decide."""
    data, past = CASES[kind]
    assert why(decided(data, past, login=eg.STREET)).startswith(f"{decider(kind)}: {eg.STREET} ")
    if decider(kind) != "participants":  # of those who met it is asked who they are, whoever tells of it
        said = decided(said_by(data, STREET_NAME), past, login="reviews-office")
        assert not isinstance(said[0], ReplyRefused | VisitAnswerRefused)


def test_q2_a_unit_sits_in_the_council_about_its_order_but_not_alone() -> None:
    """Q2: those concerned meet; the hotline or somebody else is among them."""
    data, past = CASES[inputs.DecideCouncil]
    assert isinstance(data, inputs.DecideCouncil)
    helped = (*past, eg.CO_UNIT_ADDED)
    for own in ((eg.STREET,), (eg.STREET, eg.WATER), (STREET_NAME, wide(eg.WATER))):
        assert "expected somebody else among them" in why(decided(replace(data, participants=own), helped))
    with_another = replace(data, participants=(eg.STREET, "市城管委"))
    assert not isinstance(decided(with_another, helped)[0], ReplyRefused)


def test_a_unit_does_not_add_itself_as_a_helper() -> None:
    """T22: whoever helps may read what an order says."""
    data, past = CASES[inputs.AddCoUnit]
    reason = why(decided(replace(data, added_by=eg.CATALOGUE.units[eg.OTHER_STREET].name), past))
    assert reason.startswith(f"added_by: {eg.OTHER_STREET} would help")


def test_the_exclusion_of_one_unit_is_not_decided_by_it_when_another_has_the_order() -> None:
    """T22, F3."""
    data, past = CASES[inputs.ReviewExclusion]
    moved = (
        *past,
        eg.RETURN_REQUESTED,
        eg.RETURN_APPROVED,
        replace(eg.DISPATCHED, unit=eg.OTHER_STREET, assignment=2),
    )
    for unit in (eg.STREET, eg.OTHER_STREET):
        assert why(decided(said_by(data, unit), moved)).startswith(f"reviewer: {unit} ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A", "ａ"),
        ("ß", "ss"),
        ("⼤兴区", "大兴区"),
        ("海淀区 ", "海淀区"),
        ("１２３４５", "12345"),
        ("\u200b", ""),
    ],
)
def test_names_that_look_alike_are_compared_as_one(one: str, other: str) -> None:
    assert alike(one) == alike(other)


@given(st.text(max_size=30), st.text(max_size=30))
def test_names_that_are_folded_to_one_are_alike(one: str, other: str) -> None:
    assert alike(folded(one)) == alike(one)
    if folded(one) == folded(other):
        assert alike(one) == alike(other)


@pytest.mark.parametrize("odd", ["\u303f", "\U0001d159", "\u200b", "\ufe0f", "\u3000"])
def test_nothing_unseen_makes_another_of_a_name(odd: str) -> None:
    assert alike(f"花园路{odd}街道{odd}") == alike("花园路街道")
    assert alike("\u2ec4城区") == alike("西城区"), "a radical that stands for the character"


def test_t22_whoever_a_command_takes_for_a_unit_is_refused_as_that_unit() -> None:
    """Guard and commands know the same names: id, name, street, district, and who answers for it."""
    known = catalogue()
    for unit in known.units:
        of_unit = {alike(name) for name in known.names_of(unit)}
        assert len(of_unit) >= 2
        for name in known.names_of(unit):
            if units_called(name, known) == [unit]:
                assert (
                    may_decide("reviewer", name, dict.fromkeys(of_unit, f"{unit} has the order")) is not None
                )
    assert units_called("花园路街道", known) == ["street-haidian-huayuanlu"]
    assert units_called("海淀区", known) == [known.districts["海淀区"].unit]
    assert units_called("no such unit", known) == []


def test_names_that_differ_stay_apart() -> None:
    names = ("reviewer-1", "reviewer-11", "审核员", "审核员二", eg.STREET, eg.OTHER_STREET)
    assert len({alike(name) for name in names}) == len(names)


def test_a_topic_says_whose_it_is() -> None:
    assert speaker_of("city.dispatch.reviews", "city.", DISPATCH_REVIEWS) == ""
    assert speaker_of("city.dispatch.reviews.office-3", "city.", DISPATCH_REVIEWS) == "office-3"
    with pytest.raises(ValueError, match="is none of"):
        speaker_of("city.feedback.exceptions", "city.", DISPATCH_REVIEWS)
