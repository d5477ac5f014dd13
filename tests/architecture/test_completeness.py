"""Nothing the contract names is forgotten: every input has a door, every command an answer, every fact a speaker."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

import pytest
from msgspec.structs import replace

import hotline.audit.legality as legality_of
from hotline.audit.legality import life
from hotline.casefile.outcomes import OF_REPLIES
from hotline.casefile.sentences.operator import FOR_OPERATOR
from hotline.casefile.sentences.unit import FOR_UNIT
from hotline.contract.asyncapi import document
from services.dispatch.decisions.corrections import FollowCorrection
from services.dispatch.decisions.dispatching import DispatchComplaint
from services.dispatch.inbound import replies, reviews
from services.dispatch.settings import Settings as DispatchSettings
from services.escalation.rules import FireDeadlines
from services.feedback import decisions as feedback_decisions
from services.feedback.decisions.closing import CloseTerminated
from services.feedback.decisions.visits import ScheduleVisit
from services.feedback.inbound import answers, exceptions
from services.intake.inbound import calls, requests
from services.intake.settings import Settings as IntakeSettings
from shared import results
from shared.asked import Asked, kind_of
from shared.complaint.fold import dispatch, end, escalation, feedback, intake, limit_steps, whistle
from shared.complaint.fold.steps import STEPS, UNCHANGED
from shared.decision_table import DecisionTable
from shared.doors.unread_records import Handle
from shared.events import REFUSALS, SPEAKERS, ComplaintDispatched, DeskName, Fact, Level
from shared.inputs import (
    INPUTS,
    AcknowledgeWhistle,
    AddCoUnit,
    AmendCalendar,
    AnswerOrder,
    ArriveAtWhistle,
    AssignOrder,
    BlowWhistle,
    CloseByException,
    CorrectRequest,
    DecideCouncil,
    DecideSupervision,
    EndPause,
    GiveRating,
    Input,
    RaiseDispute,
    RateWhistle,
    ReclassifyComplaint,
    RecordContact,
    RecordContactFailed,
    RecordMeasure,
    RecordRequest,
    RecordUnreached,
    RecordVisit,
    ReleaseWhistle,
    RepeatRequest,
    ReportAsCoUnit,
    ReportProgress,
    RequestExclusion,
    RequestExtension,
    RequestPause,
    RequestReturn,
    RequestTermination,
    ReviewExclusion,
    ReviewExtension,
    ReviewPause,
    ReviewReturn,
    ReviewTermination,
    SendBackAnswer,
    SignOrder,
    SupplementRequest,
    WithdrawRequest,
)
from shared.log.anchors import CE_TYPE
from shared.log.codec import ce_type_of
from shared.outward import OUTWARD
from shared.programme_notice import CE_TYPE as PROGRAMME
from shared.results import CE_TYPE as PARKED
from shared.topics import (
    DISPATCH_ORDERS,
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_EXCEPTIONS,
    FEEDBACK_VISIT_RESULTS,
    INTAKE_REQUESTS,
    RESULTS,
    TELEPHONY_CALLS,
    TOPICS,
    Topic,
)
from tests import examples as eg
from tests.doors import clock, filled, message
from tests.lives import decided, desk_of
from tests.spec import case_of

# --- inputs

DISPATCH: Final = DispatchSettings(kafka="not asked", postgres="not asked")
INTAKE: Final = IntakeSettings(kafka="not asked", postgres="not asked")
DOORS: Final[dict[str, Handle]] = {
    TELEPHONY_CALLS.name: calls(clock()),
    INTAKE_REQUESTS.name: requests(INTAKE, clock()),
    DISPATCH_REPLIES.name: replies(DISPATCH, clock()),
    DISPATCH_REVIEWS.name: reviews(clock()),
    FEEDBACK_VISIT_RESULTS.name: answers(clock()),
    FEEDBACK_EXCEPTIONS.name: exceptions(clock()),
}
INBOUND: Final = tuple(topic for topic in TOPICS if topic.speaker != "relay")


def test_every_topic_somebody_outside_speaks_on_is_heard_by_one_desk_at_one_door() -> None:
    assert {topic.name for topic in INBOUND} == set(DOORS)
    assert all(len(topic.hearers) == 1 and topic.hearers[0] in set(DeskName) for topic in INBOUND)


def test_every_input_stands_in_the_table_of_inputs_on_one_topic_and_among_the_examples() -> None:
    carried = [kind for topic in INBOUND for kind in topic.carries]
    assert sorted(carried, key=repr) == sorted(INPUTS.values(), key=repr)
    assert set(carried) == {kind for kind in kinds_of(Input) if "TYPE" in vars(kind)}
    assert sorted((type(data) for data in eg.INPUTS), key=repr) == sorted(INPUTS.values(), key=repr)


@pytest.mark.parametrize("data", eg.INPUTS, ids=lambda data: type(data).__name__)
def test_an_input_is_taken_in_at_the_door_of_its_topic_and_set_aside_at_every_other(data: Input) -> None:
    taken = [topic for topic in INBOUND if not filled(DOORS[topic.name], _sent_to(topic, data)).parked]
    assert [topic.name for topic in taken] == [t.name for t in INBOUND if type(data) in t.carries]


def kinds_of(base: type[Any]) -> set[type[Any]]:
    """All that derive from it."""
    return {base} | {kind for below in base.__subclasses__() for kind in kinds_of(below)}


def _sent_to(topic: Topic, data: Input) -> Any:
    return message(data, topic.of(eg.STREET))


def test_every_input_and_every_fact_is_in_the_published_contract() -> None:
    described = {entry["name"] for entry in document()["components"]["messages"].values()}
    facts = {ce_type_of(kind.__name__, kind.SCHEMA).decode() for kind in SPEAKERS}
    assert described == set(INPUTS) | facts | {CE_TYPE, PARKED, PROGRAMME}


# --- commands


def commands_of(desk: DeskName) -> set[type[Any]]:
    """The commands that a desk decides: those its doors take in, and its own."""
    heard = {kind for topic in INBOUND if topic.hearers == (desk,) for kind in topic.inputs}
    return heard - set(TELEPHONY_CALLS.inputs) | defined_by(desk)


def defined_by(desk: DeskName) -> set[type[Any]]:
    """The commands that stand in the rooms of a desk: what it tells itself."""
    rooms = importlib.import_module(f"services.{desk}.decisions")
    names = [
        f"services.{desk}.rules",
        *(f"{rooms.__name__}.{one.name}" for one in pkgutil.iter_modules(rooms.__path__)),
    ]
    return {
        kind
        for name in names
        for _, kind in inspect.getmembers(importlib.import_module(name), inspect.isclass)
        if kind.__module__ == name
        and "complaint_id" in getattr(kind, "__dataclass_fields__", {})
        and not issubclass(kind, Asked)
    }


class Again(Enum):
    """What comes of a command that is given a second time.

    An input with an id of its own has an effect or a refusal that says why; its content and time never make it a
    repeat, for the inbox knows repeats by their id. A desk that tells itself a second time says nothing.
    """

    REFUSED = auto()
    EFFECT = auto()
    NOTHING = auto()


class Row(NamedTuple):
    """What has happened when a command is obeyed, and when it cannot be."""

    command: Any
    done: tuple[Fact, ...]
    cannot: tuple[Fact, ...]
    refuses: bool = True
    """Not what a desk tells itself: where that cannot be, nothing is said."""
    again: Again = Again.REFUSED
    """What comes of it told a second time, as an input of its own."""


OPENED: Final = (eg.RECEIVED, eg.CLASSIFIED)
AT_UNIT: Final = (*OPENED, eg.DISPATCHED)
ANSWERED: Final = (*AT_UNIT, eg.ANSWERED)
ASKING: Final = (*ANSWERED, eg.VISIT_SCHEDULED)
ENDED: Final = (*ASKING, eg.VISIT_MADE, eg.CLOSED)
AT_DISTRICT: Final = (*OPENED, replace(eg.DISPATCHED, unit=eg.DISTRICT, level=Level.DISTRICT))
SIGNED: Final = (*AT_UNIT, eg.SIGNED)
REJECTED: Final = (*AT_UNIT, eg.RETURN_REQUESTED, eg.RETURN_REJECTED)
TERMINATED: Final = (*SIGNED, eg.TERMINATION_REQUESTED, eg.TERMINATION_APPROVED)
WHISTLED: Final = (
    *AT_UNIT,
    eg.BLOWN,
    eg.CALLED,
    replace(eg.CALLED, called=eg.OTHER_STREET, leads=False),
)
OTHER_TEXT: Final = replace(eg.RECEIVED, content="别的事")

TABLE: Final[dict[type[Any], Row]] = {
    RecordRequest: Row(eg.RECORD, (), (OTHER_TEXT,), refuses=False, again=Again.NOTHING),
    WithdrawRequest: Row(eg.WITHDRAW, AT_UNIT, ENDED),
    CorrectRequest: Row(eg.CORRECT, AT_UNIT, ENDED),
    SupplementRequest: Row(eg.ADD, AT_UNIT, ENDED, again=Again.EFFECT),
    RepeatRequest: Row(eg.ASK_AGAIN, AT_UNIT, ENDED, again=Again.NOTHING),
    GiveRating: Row(
        eg.RATE, AT_UNIT, (*ENDED, replace(eg.RATED, rated_at=eg.RATE.at + eg.HOUR)), again=Again.EFFECT
    ),
    DispatchComplaint: Row(eg.DISPATCH, OPENED, ENDED, refuses=False, again=Again.NOTHING),
    FollowCorrection: Row(
        eg.FOLLOW, (*AT_UNIT, eg.CORRECTED_STREET), AT_UNIT, refuses=False, again=Again.NOTHING
    ),
    SignOrder: Row(eg.SIGN, AT_UNIT, ENDED),
    AnswerOrder: Row(eg.ANSWER, AT_UNIT, ENDED),
    RequestReturn: Row(eg.RETURN, AT_UNIT, ENDED),
    ReviewReturn: Row(eg.REVIEW, (*AT_UNIT, eg.RETURN_REQUESTED), AT_UNIT),
    AssignOrder: Row(eg.ASSIGN, AT_DISTRICT, AT_UNIT),
    RequestExtension: Row(eg.EXTEND, SIGNED, AT_UNIT),
    ReviewExtension: Row(eg.REVIEW_EXTENSION, (*SIGNED, eg.EXTENSION_REQUESTED), SIGNED),
    RequestPause: Row(eg.PAUSE, SIGNED, AT_UNIT),
    EndPause: Row(eg.END_PAUSE, (*SIGNED, eg.PAUSE_REQUESTED, eg.PAUSE_APPROVED), SIGNED),
    ReviewPause: Row(eg.REVIEW_PAUSE, (*SIGNED, eg.PAUSE_REQUESTED), SIGNED),
    RequestTermination: Row(eg.TERMINATE, SIGNED, AT_UNIT),
    ReviewTermination: Row(eg.REVIEW_TERMINATION, (*SIGNED, eg.TERMINATION_REQUESTED), SIGNED),
    RaiseDispute: Row(eg.DISPUTE, REJECTED, AT_UNIT),
    DecideCouncil: Row(eg.COUNCIL, (*REJECTED, eg.DISPUTED), AT_UNIT),
    AddCoUnit: Row(eg.ADD_CO_UNIT, AT_UNIT, ENDED),
    ReportAsCoUnit: Row(eg.REPORT, (*AT_UNIT, eg.CO_UNIT_ADDED), AT_UNIT),
    AmendCalendar: Row(eg.AMEND, AT_UNIT, ENDED),
    ReclassifyComplaint: Row(eg.RECLASSIFY, AT_UNIT, ANSWERED),
    BlowWhistle: Row(eg.BLOW, AT_UNIT, ENDED),
    AcknowledgeWhistle: Row(eg.ACKNOWLEDGE, WHISTLED, AT_UNIT),
    ArriveAtWhistle: Row(eg.ARRIVE, WHISTLED, AT_UNIT),
    RecordMeasure: Row(eg.MEASURE, WHISTLED, AT_UNIT, again=Again.EFFECT),
    ReleaseWhistle: Row(eg.RELEASE, WHISTLED, AT_UNIT),
    RateWhistle: Row(eg.RATE_UNIT, (*WHISTLED, eg.ARRIVED), AT_UNIT),
    RequestExclusion: Row(eg.EXCLUDE, ENDED, (*AT_UNIT, eg.WITHDRAWN)),
    ReviewExclusion: Row(eg.REVIEW_EXCLUSION, (*ENDED, eg.EXCLUSION_REQUESTED), ENDED),
    RecordContact: Row(eg.CONTACT, SIGNED, AT_UNIT),
    RecordContactFailed: Row(eg.CONTACT_IN_VAIN, SIGNED, AT_UNIT, again=Again.EFFECT),
    ReportProgress: Row(eg.PROGRESS, SIGNED, AT_UNIT, again=Again.EFFECT),
    SendBackAnswer: Row(eg.SEND_BACK, ASKING, SIGNED),
    FireDeadlines: Row(eg.FIRE, AT_UNIT, (*AT_UNIT, eg.SIGNED), refuses=False, again=Again.NOTHING),
    ScheduleVisit: Row(eg.SCHEDULE, ANSWERED, ENDED, refuses=False, again=Again.NOTHING),
    RecordVisit: Row(eg.RECORD_VISIT, ASKING, ANSWERED),
    RecordUnreached: Row(eg.RECORD_UNREACHED, ASKING, ANSWERED),
    DecideSupervision: Row(eg.DECIDE, (*AT_UNIT, eg.SIGN_MISSED, eg.ESCALATED), AT_UNIT, again=Again.EFFECT),
    CloseByException: Row(eg.CLOSE, AT_UNIT, ENDED),
    CloseTerminated: Row(eg.CLOSE_TERMINATED, TERMINATED, ENDED, refuses=False, again=Again.NOTHING),
}
"""Every command: obeyed, refused, and told again."""

ROWS: Final = pytest.mark.parametrize("row", TABLE.values(), ids=[kind.__name__ for kind in TABLE])


def test_every_command_of_every_desk_is_among_the_examples_and_in_this_table() -> None:
    for desk in DeskName:
        known = commands_of(desk)
        assert {kind_of(command) for command in eg.COMMANDS if desk_of(command) is desk} == known
        assert {kind for kind, row in TABLE.items() if desk_of(row.command) is desk} == known
    assert all(kind_of(row.command) is kind for kind, row in TABLE.items())


@pytest.mark.parametrize("desk", [DeskName.DISPATCH, DeskName.FEEDBACK])
def test_what_a_desk_tells_itself_is_what_its_rules_match(desk: DeskName) -> None:
    rules = importlib.import_module(f"services.{desk}.rules")
    assert defined_by(desk) == set(get_args(rules.OwnCommand))


def test_a_decision_table_that_is_not_whole_names_what_is_missing() -> None:
    empty = DecisionTable[Any, Any, Any]()
    with pytest.raises(TypeError, match="no decision on .'RecordVisit of feedback.visit-results'"):
        empty.read(feedback_decisions, FEEDBACK_VISIT_RESULTS)
    empty.decides(SignOrder, "sign")(lambda command, asked, case: [])
    with pytest.raises(TypeError, match="no topic carries .'SignOrder'"):
        empty.read(feedback_decisions)
    with pytest.raises(TypeError, match="SignOrder is decided already"):
        empty.decides(SignOrder, "sign")(lambda command, asked, case: [])


@ROWS
def test_done(row: Row) -> None:
    said = decided(row.command, case_of(row.done))
    assert said
    assert not any(isinstance(fact, REFUSALS) for fact in said)
    assert {SPEAKERS[type(fact)] for fact in said} == {desk_of(row.command)}


@ROWS
def test_refused(row: Row) -> None:
    said = decided(row.command, case_of(row.cannot))
    assert [isinstance(fact, REFUSALS) for fact in said] == [True] * row.refuses


@ROWS
def test_repeated(row: Row) -> None:
    past = (*row.done, *decided(row.command, case_of(row.done)))
    again = decided(row.command, case_of(past))
    assert [isinstance(fact, REFUSALS) for fact in again] == {
        Again.REFUSED: [True],
        Again.EFFECT: [False],
        Again.NOTHING: [],
    }[row.again]


# --- facts


FOLDED: Final = (intake, dispatch, limit_steps, whistle, escalation, feedback, end)
JUDGED: Final = (
    legality_of.intake,
    legality_of.dispatch,
    legality_of.limit_steps,
    legality_of.whistle,
    legality_of.escalation,
    legality_of.feedback,
)
GOLDEN: Final = Path(__file__).parents[1] / "golden"
FACTS: Final = pytest.mark.parametrize("kind", SPEAKERS, ids=lambda kind: kind.__name__)


def test_every_fact_stands_in_a_file_of_the_language_and_says_who_may_state_it() -> None:
    facts = {kind for kind in kinds_of(Fact) if kind.__module__ != Fact.__module__}
    told = {kind for kind in facts if kind.__module__ == results.__name__}
    assert facts - told == set(SPEAKERS)
    assert set(SPEAKERS.values()) == set(DeskName)


@FACTS
def test_a_fact_is_folded_in_one_place_or_named_among_those_that_change_nothing(kind: type[Fact]) -> None:
    places = [part.__name__ for part in FOLDED if kind in part.STEPS] + ["UNCHANGED"] * (kind in UNCHANGED)
    assert len(places) == 1


@FACTS
def test_a_fact_is_judged_in_one_place_of_the_audit(kind: type[Fact]) -> None:
    places = [part.__name__ for part in JUDGED if kind in part.RULES] + ["REFUSALS"] * (kind in REFUSALS)
    assert len(places) == 1


@FACTS
def test_a_fact_has_a_sentence_for_the_operator(kind: type[Fact]) -> None:
    assert kind in FOR_OPERATOR


def test_a_unit_reads_a_sentence_for_each_fact_on_its_topic_but_the_order_itself() -> None:
    assert set(FOR_UNIT) == set(DISPATCH_ORDERS.carries) - {ComplaintDispatched}


def test_a_unit_is_told_what_comes_of_each_thing_it_says() -> None:
    said = {
        type(decided(row.command, case_of(row.done))[0])
        for kind, row in TABLE.items()
        if kind in DISPATCH_REPLIES.inputs
    }
    assert said == set(OF_REPLIES)


@FACTS
def test_a_fact_is_told_to_the_units_that_its_fields_name(kind: type[Fact]) -> None:
    told = [field for line, field in OUTWARD.get(kind.__name__, ()) if line.per_unit]
    assert told == (list(kind.TELLS) if kind in DISPATCH_ORDERS.carries else [])
    assert set(told) <= set(kind.__struct_fields__)


@FACTS
def test_a_fact_has_an_example_and_a_golden_file(kind: type[Fact]) -> None:
    assert any(type(example) is kind for example in vars(eg).values())
    assert list(GOLDEN.glob(f"{kind.__name__}.v{kind.SCHEMA}.json"))


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: kind.__name__)
def test_a_refusal_is_told_to_whom_its_desk_hears(kind: type[Fact]) -> None:
    doors = [line for line in INBOUND if kind.SPEAKER in line.hearers and line is not TELEPHONY_CALLS]
    carrying = {line.name for line in TOPICS if kind in line.carries and line.name in RESULTS}
    assert carrying == {door.results for door in doors}


def test_no_table_names_a_fact_that_there_is_none_of() -> None:
    assert set(STEPS) == set(life.RULES) == set(FOR_OPERATOR) == set(SPEAKERS)
    assert OUTWARD.keys() <= {kind.__name__ for kind in SPEAKERS}
