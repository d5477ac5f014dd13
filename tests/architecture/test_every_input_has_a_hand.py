"""The table of inputs, walked: each input has a command that says it, a list it is found in, and a login that may."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import pytest
from confluent_kafka.admin import AclOperation
from typer.main import get_command

import services.intake.pbx.event as told_by_switches
from deploy.city.kafka_rights import COMMANDS, Login, command_of, granted, granted_to
from hotline.__main__ import app
from hotline.readside.rows import ORDERS, REVIEWS, SUPERVISION, VISITS, RowsOf, rows_of
from shared import inputs, roles
from shared.complaint import Complaint
from shared.events import REFUSALS, Fact
from shared.events.base import VisitReason
from shared.inputs import INPUTS, Input
from shared.topics import TELEPHONY_CALLS, TOPICS, Topic
from tests import examples as eg
from tests.architecture.test_completeness import TABLE
from tests.lives import decided
from tests.spec import case_of


class Hand(NamedTuple):
    """How a person says an input."""

    command: str
    found_in: str
    """The command of a list that shows a complaint about which it may be said."""
    life: tuple[Fact, ...] | None = None
    """Such a complaint, where it is another than the one of the table of commands."""


UNIT, REVIEW, FIND = "unit list", "review list", "find"
CLIMBED: Final = (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED, eg.SIGN_MISSED, eg.ESCALATED)

HANDS: Final[Mapping[type[Input], Hand]] = {
    inputs.CallOffered: Hand("calls take-in", "calls"),
    inputs.CallAnswered: Hand("calls take-in", "calls"),
    inputs.CallEnded: Hand("calls take-in", "calls"),
    inputs.RecordRequest: Hand("call", FIND),
    inputs.WithdrawRequest: Hand("request withdraw", FIND),
    inputs.CorrectRequest: Hand("request correct", FIND),
    inputs.SupplementRequest: Hand("request add", FIND),
    inputs.RepeatRequest: Hand("request again", FIND),
    inputs.GiveRating: Hand("request rate", FIND),
    inputs.SignOrder: Hand("unit sign", UNIT),
    inputs.AnswerOrder: Hand("unit answer", UNIT),
    inputs.RequestReturn: Hand("unit return", UNIT),
    inputs.AssignOrder: Hand("unit assign", UNIT),
    inputs.RequestExtension: Hand("unit extend", UNIT),
    inputs.RequestPause: Hand("unit pause", UNIT),
    inputs.EndPause: Hand("unit resume", UNIT),
    inputs.RequestTermination: Hand("unit terminate", UNIT),
    inputs.RaiseDispute: Hand("unit dispute", UNIT),
    inputs.ReportAsCoUnit: Hand("unit report", UNIT),
    inputs.BlowWhistle: Hand("unit whistle", UNIT),
    inputs.AcknowledgeWhistle: Hand("unit acknowledge", UNIT),
    inputs.ArriveAtWhistle: Hand("unit arrive", UNIT),
    inputs.RecordMeasure: Hand("unit measure", UNIT),
    inputs.ReleaseWhistle: Hand("unit release", UNIT),
    inputs.RateWhistle: Hand("unit rate", UNIT),
    inputs.RequestExclusion: Hand("unit exclude", FIND),  # also after the end
    inputs.RecordContact: Hand("unit contact", UNIT),
    inputs.RecordContactFailed: Hand("unit contact", UNIT),
    inputs.ReportProgress: Hand("unit progress", UNIT),
    inputs.ReviewReturn: Hand("review approve", REVIEW),
    inputs.ReviewExtension: Hand("review approve", REVIEW),
    inputs.ReviewPause: Hand("review approve", REVIEW),
    inputs.ReviewTermination: Hand("review approve", REVIEW),
    inputs.ReviewExclusion: Hand("review approve", REVIEW),
    inputs.DecideCouncil: Hand("review council", REVIEW),
    inputs.SendBackAnswer: Hand("review send-back", "review answers"),
    inputs.AddCoUnit: Hand("review helper", FIND),
    inputs.ReclassifyComplaint: Hand("review reclassify", FIND),
    inputs.AmendCalendar: Hand("review calendar", FIND),
    inputs.RecordVisit: Hand("visit answer", "visit list"),
    inputs.RecordUnreached: Hand("visit unreached", "visit list"),
    inputs.DecideSupervision: Hand("supervise decide", "supervise list"),
    inputs.CloseByException: Hand("supervise exception", "supervise list", CLIMBED),
}

SHOWS: Final[Mapping[str, Callable[[RowsOf], bool]]] = {
    UNIT: lambda rows: any(row.list == ORDERS and row.party for row in rows.waiting),
    REVIEW: lambda rows: any(row.list == REVIEWS for row in rows.waiting),
    "review answers": lambda rows: any(
        row.list == VISITS and row.role == VisitReason.ANSWERED for row in rows.waiting
    ),
    "visit list": lambda rows: any(row.list == VISITS for row in rows.waiting),
    "supervise list": lambda rows: any(row.list == SUPERVISION for row in rows.waiting),
    FIND: lambda rows: rows.wording is not None and rows.wording.words != "",
}
"""Whether a list shows a complaint, by its rows on the read side; `calls` shows no complaints."""

EVERY: Final = pytest.mark.parametrize("kind", INPUTS.values(), ids=lambda kind: kind.__name__)


def topic_of(kind: type[Input]) -> Topic:
    (line,) = (line for line in TOPICS if kind in line.carries)
    return line


def typed(path: str) -> Any:
    """The command of this name; `KeyError` where there is none."""
    found: Any = get_command(app)
    for name in path.split():
        found = found.commands[name]
    return found


def may_write(principal: str, topic: str) -> bool:
    return any(
        grant.may == AclOperation.WRITE
        and (topic.startswith(grant.name) if grant.prefixed else topic == grant.name)
        for grant in granted(principal, "")
    )


def test_every_input_is_in_the_table() -> None:
    assert set(HANDS) == set(INPUTS.values())


@EVERY
def test_an_input_has_a_command_that_makes_it(kind: type[Input]) -> None:
    callback = inspect.unwrap(typed(HANDS[kind].command).callback)
    made_in = told_by_switches if kind in TELEPHONY_CALLS.inputs else sys.modules[callback.__module__]
    assert re.search(rf"\b{kind.__name__}\(", inspect.getsource(made_in)), made_in.__name__


@EVERY
def test_an_input_is_said_by_the_login_of_one_role_and_of_no_other(kind: type[Input]) -> None:
    line = topic_of(kind)
    topic = line.of("street-x")
    assert [one for one in COMMANDS if may_write(one, topic)] == [command_of(line.speaker)]
    own = Login(line.speaker, "street-x" if line.speaker == roles.UNIT else "")
    written = [grant.name for grant in granted_to(own, "") if grant.may == AclOperation.WRITE]
    assert topic in written


@pytest.mark.parametrize(
    "kind",
    [kind for kind in HANDS if kind not in TELEPHONY_CALLS.inputs],
    ids=lambda kind: kind.__name__,
)
def test_a_complaint_about_which_an_input_is_taken_is_in_its_list(kind: type[Input]) -> None:
    hand, row = HANDS[kind], TABLE[kind]
    typed(hand.found_in)
    case = case_of(row.done if hand.life is None else hand.life)
    said = decided(row.command, case)
    assert said
    assert not any(isinstance(fact, REFUSALS) for fact in said)
    if not isinstance(case, Complaint):
        case = case_of(said)  # what puts it on record
    assert isinstance(case, Complaint)
    assert SHOWS[hand.found_in](rows_of(case, 9))


def test_calls_are_listed_where_they_are_taken_in() -> None:
    assert {HANDS[kind].found_in for kind in TELEPHONY_CALLS.inputs} == {"calls"}
    assert typed("calls").callback is not None
