"""The record and what is added to it: who may know, one matter of many, turned away, corrected, added to, repeated."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from services.dispatch import rules as dispatch
from services.feedback import rules as feedback
from services.intake import rules
from services.intake.decisions.supplement import CONTENT_MAX
from services.intake.inbound import requests
from services.intake.settings import Settings
from shared import inputs
from shared.complaint import REPEATS_KEPT, Awaited, Complaint, evolve, waits_for
from shared.events import RequestType, TurnedAway
from shared.ids import complaint_id
from tests import examples as eg
from tests.doors import asked, clock, message, refused
from tests.examples import CALLED_AT, DAY, HOUR, told
from tests.spec import case_of, spec

given = spec(rules.decide)
given_dispatch = spec(partial(dispatch.decide, catalogue=eg.CATALOGUE))

REQUESTS = requests(Settings(kafka="not asked", postgres="not asked", ruleset="beijing-draft-2021"), clock())
AT_UNIT = (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED)
CONFIDENTIAL = (eg.RECEIVED, eg.PROTECTED, eg.CLASSIFIED)
ENDED = (*AT_UNIT, eg.ANSWERED, eg.VISIT_SCHEDULED, eg.VISIT_MADE, eg.CLOSED)


def record(**said: Any) -> Any:
    return told(eg.RECORD, command=replace(eg.REQUEST, **said))


# -- who may know


def test_a_confidential_complaint_is_marked_before_anybody_can_be_told_of_it() -> None:
    """A5, R9."""
    given().when(record(confidential=True)).then(eg.RECEIVED, eg.PROTECTED, eg.CLASSIFIED)


def test_the_unit_is_told_to_keep_it_confidential_with_every_order_it_gets() -> None:
    """A5: must be handled confidentially."""
    given_dispatch(*CONFIDENTIAL).when(eg.DISPATCH).then(eg.DISPATCHED, eg.CONFIDENTIAL)
    past = (*CONFIDENTIAL, eg.DISPATCHED, eg.CONFIDENTIAL, eg.RETURN_REQUESTED)
    said = dispatch.decide(eg.REVIEW, case_of(past), eg.CATALOGUE)
    assert [type(fact).__name__ for fact in said] == [
        "ReturnApproved",
        "ComplaintDispatched",
        "ConfidentialityRequired",
    ]


def test_who_helps_with_a_confidential_order_is_not_told_where_and_what_exactly() -> None:
    """R9, I1: only who leads must know to act; the helper asks it."""
    (helper,) = dispatch.decide(
        eg.ADD_CO_UNIT, case_of((*CONFIDENTIAL, eg.DISPATCHED, eg.CONFIDENTIAL)), eg.CATALOGUE
    )
    assert helper == replace(eg.CO_UNIT_ADDED, address="", content="")


def test_of_an_anonymous_citizen_nobody_is_asked_and_a_supervisor_must_let_it_close() -> None:
    """A5, E3, R8: no visit is possible, so an exception must be approved; it rests with a person until then."""
    anonymous = replace(eg.PROTECTED, anonymous=True, confidential=False)
    given().when(record(anonymous=True)).then(eg.RECEIVED, anonymous, eg.CLASSIFIED)
    case = case_of((eg.RECEIVED, anonymous, eg.CLASSIFIED, eg.DISPATCHED, eg.SIGNED, eg.ANSWERED))
    assert feedback.decide(eg.SCHEDULE, case, eg.CATALOGUE) == []
    waiting = waits_for(case)
    assert waiting is not None
    assert (waiting.kind, waiting.name) == (Awaited.SUPERVISOR, "supervisors")
    assert [type(fact).__name__ for fact in feedback.decide(eg.CLOSE, case, eg.CATALOGUE)] == [
        "ComplaintClosed"
    ]


# -- turned away


@pytest.mark.parametrize(
    ("how", "to", "reason"),
    [
        (TurnedAway.EMERGENCY, "119", "火情"),
        (TurnedAway.REDIRECTED, "人民法院", "已进入诉讼程序"),
        (TurnedAway.REJECTED, "", "违反公序良俗"),
    ],
)
def test_what_is_not_the_hotlines_ends_with_a_reason_and_is_dispatched_to_nobody(
    how: TurnedAway, to: str, reason: str
) -> None:
    """R4, B3, R5, R10."""
    command = record(turned_away=how, turned_away_to=to, turned_away_reason=reason)
    classified = eg.NOT_TO_DISPATCH
    turned = replace(eg.TURNED_AWAY, how=how, to=to, reason=reason)
    after = given().when(command).then(eg.RECEIVED, classified, turned)
    after.when(command).then_nothing()
    assert dispatch.react(classified, CALLED_AT) is None
    after.when(eg.WITHDRAW).then_refused("withdraw", "the life ended with ComplaintTurnedAway")


def test_the_same_request_turned_away_by_one_and_taken_by_another_is_set_aside() -> None:
    """T7: two operators, one caller."""
    turned = record(turned_away=TurnedAway.REJECTED, turned_away_reason="不在受理范围")
    given(*AT_UNIT).sets_aside(turned, "(turned_away)")


# -- at the door


@pytest.mark.parametrize(
    ("said", "because"),
    [
        (
            {"title": " ", "subject": "\t"},
            "data: subject: expected words that can be read, got 1 character that shows nothing; title: expected",
        ),
        (
            {"turned_away": TurnedAway.EMERGENCY, "turned_away_to": "911"},
            "data: turned_away_to: expected one of 110, 119, 120, 122 (R4)",
        ),
        ({"turned_away": TurnedAway.REJECTED}, "data: turned_away_reason: missing"),
    ],
)
def test_a_record_that_lacks_something_is_set_aside_and_all_that_is_missing_named(
    said: dict[str, Any], because: str
) -> None:
    """Q1, R4, R10."""
    assert refused(REQUESTS, message(replace(eg.REQUEST, **said), "intake.requests")).startswith(because)


@pytest.mark.parametrize("kind", RequestType)
def test_every_kind_of_request_is_taken(kind: RequestType) -> None:
    """R2, B1, R1: by whom it comes makes no difference."""
    work = asked(REQUESTS, message(replace(eg.REQUEST, request_type=kind), "intake.requests"))
    assert work.command == record(request_type=kind)


@pytest.mark.parametrize(
    ("data", "command"),
    [
        (eg.CORRECTION, told(eg.CORRECT, at=CALLED_AT)),
        (eg.SUPPLEMENT, told(eg.ADD, at=CALLED_AT)),
        (eg.REPEAT, told(eg.ASK_AGAIN, begun={}, at=CALLED_AT)),
        (
            replace(eg.REPEAT, another_citizen=False),
            told(eg.ASK_AGAIN, begun={}, another_citizen=False, at=CALLED_AT),
        ),
    ],
)
def test_what_is_said_about_one_on_record_counts_from_its_arrival(
    data: inputs.Input, command: object
) -> None:
    assert asked(REQUESTS, message(data, "intake.requests")).command == command


# -- corrected


def test_a_correction_keeps_what_was_said_before_and_tells_the_unit() -> None:
    """Q1: 全面、准确."""
    after = given(*AT_UNIT).when(eg.CORRECT).then(eg.CORRECTED_RECORD)
    assert isinstance(after.case, Complaint)
    assert after.case.address == "小关街6号楼"
    after.when(eg.CORRECT).then_refused("correct", "the record says that already")


def test_the_next_order_says_what_was_corrected_and_added() -> None:
    """Q1: whoever gets it after a return must not act on the old record."""
    past = (*AT_UNIT, eg.CORRECTED_RECORD, eg.SUPPLEMENTED, eg.RETURN_REQUESTED)
    _, order, *_ = dispatch.decide(eg.REVIEW, case_of(past), eg.CATALOGUE)
    assert getattr(order, "address", None) == "小关街6号楼"
    assert getattr(order, "content", None) == "夜间无法进出\n消防车昨晚也进不来"


def test_a_correction_of_several_fields_names_each() -> None:
    command = told(eg.CORRECT, title="消防通道被占", content="昼夜无法进出", address=None)
    (fact,) = rules.decide(command, case_of(AT_UNIT))
    assert [(c.field, c.old) for c in fact.corrections] == [  # type: ignore[attr-defined]
        ("title", "楼下消防通道被占"),
        ("content", "夜间无法进出"),
    ]


# -- added to


def test_what_the_citizen_adds_stands_in_the_record_and_the_unit_is_told() -> None:
    after = given(*AT_UNIT).when(eg.ADD).then(eg.SUPPLEMENTED)
    after.when(eg.ADD).then(eg.SUPPLEMENTED)
    given(eg.RECEIVED, eg.CLASSIFIED).when(eg.ADD).then(replace(eg.SUPPLEMENTED, unit=None))


def test_a_record_does_not_grow_without_end() -> None:
    full = (replace(eg.RECEIVED, content="字" * (CONTENT_MAX - 3)), eg.CLASSIFIED)
    given(*full).when(eg.ADD).then_refused("supplement", "text: with what is on record more than 20000")


# -- brought up again


def test_asked_again_it_is_linked_hotter_and_the_unit_knows_and_nobody_is_blocked() -> None:
    """R11, I2: link, never auto-block."""
    after = given(*AT_UNIT).when(eg.ASK_AGAIN).then(eg.REPEATED)
    after.when(eg.ASK_AGAIN).then_nothing()
    again = told(eg.ASK_AGAIN, repeat_id="call-77", another_citizen=False)
    after.when(again).then(replace(eg.REPEATED, repeat_id="call-77", by=None, heat=3))


def test_so_many_repeats_are_known_by_name_and_all_are_counted() -> None:
    """R11."""
    case = case_of(AT_UNIT)
    for number in range(REPEATS_KEPT + 20):
        command = told(eg.ASK_AGAIN, repeat_id=f"again-{number}", another_citizen=False)
        (fact,) = rules.decide(command, case)
        case = evolve(case, fact)
    assert isinstance(case, Complaint)
    assert (case.heat, len(case.repeats)) == (REPEATS_KEPT + 21, REPEATS_KEPT)


def test_another_households_complaint_is_its_own_and_names_the_first_of_the_matter() -> None:
    """R11: 群体诉求: linked, not merged, so that each household is asked for itself (T9: nothing is merged)."""
    first = "20210923-0042"
    command = told(record(matter_of=first), begun={complaint_id(first): 1})
    after = given().when(command).then(eg.RECEIVED, eg.LINKED, eg.CLASSIFIED)
    after.when(command).then_nothing()
    after.sets_aside(record(matter_of=None), "(matter_of)")
    assert isinstance(after.case, Complaint)
    assert after.case.matter_of == complaint_id(first)


@pytest.mark.parametrize(
    ("command", "asked_for"), [(eg.CORRECT, "correct"), (eg.ADD, "supplement"), (eg.ASK_AGAIN, "repeat")]
)
def test_after_the_end_it_is_a_new_request(command: Any, asked_for: str) -> None:
    """R11, E3: what has ended is not quietly opened again."""
    given(*ENDED).when(command).then_refused(asked_for, "the life ended with ComplaintClosed")
    given().cannot_be_told(command)


@pytest.mark.parametrize(("command", "asked_for"), [(eg.ADD, "supplement"), (eg.ASK_AGAIN, "repeat")])
def test_where_a_review_ended_the_order_it_is_a_new_request(command: Any, asked_for: str) -> None:
    """R11, D5: nobody would act on what is said to a complaint that only is to be closed."""
    terminated = (*AT_UNIT, eg.SIGNED, eg.TERMINATION_REQUESTED, eg.TERMINATION_APPROVED)
    given(*terminated).when(command).then_refused(asked_for, "nobody acts on the complaint any more")


def test_a_citizen_may_add_while_being_asked() -> None:
    """T9: in a visit, too; no unit holds an open order then."""
    asking = (*AT_UNIT, eg.ANSWERED, eg.VISIT_SCHEDULED)
    given(*asking).when(eg.ADD).then(replace(eg.SUPPLEMENTED, unit=None))
    later = told(eg.ASK_AGAIN, at=CALLED_AT + DAY + HOUR)
    given(*asking).when(later).then(replace(eg.REPEATED, unit=None, repeated_at=CALLED_AT + DAY + HOUR))
