"""What became of an order is its type, and only an order that its unit holds has something asked about it."""

from __future__ import annotations

from msgspec.structs import replace

from hotline.audit.legality.life import illegal
from shared.complaint import (
    Answered,
    Complaint,
    ExtensionAsked,
    Held,
    PauseAsked,
    Recalled,
    ReturnAsked,
    Terminated,
    TerminationAsked,
    head_of,
    head_text,
    open_questions,
)
from shared.events import Fact
from tests import examples as eg
from tests.spec import case_of

SIGNED = (eg.RECEIVED, eg.CLASSIFIED, eg.DISPATCHED, eg.SIGNED)
ASKED = (
    *SIGNED,
    eg.EXTENSION_REQUESTED,
    eg.TERMINATION_REQUESTED,
    eg.CORRECTED_STREET,
    eg.AMENDED_ORDER,
    eg.RETURN_REQUESTED,
)
"""The unit asked for more days and for an end, and once the record was corrected for a return."""


def after(*facts: Fact) -> Complaint:
    case = case_of(facts)
    assert isinstance(case, Complaint)
    assert head_of(head_text(case)) == case
    return case


def kinds(case: Complaint) -> list[type[object]]:
    assert isinstance(case.order, Held)
    return [type(one) for one in case.order.asked]


def test_a_return_more_days_and_an_end_wait_side_by_side_and_what_holds_the_order_up_goes_first() -> None:
    case = after(*ASKED)
    assert kinds(case) == [ExtensionAsked, TerminationAsked, ReturnAsked]
    assert open_questions(case) == ["return", "extension", "termination"]


def test_each_is_decided_by_itself() -> None:
    assert kinds(after(*ASKED, eg.RETURN_REJECTED)) == [ExtensionAsked, TerminationAsked]
    assert kinds(after(*ASKED, eg.TERMINATION_REJECTED)) == [ExtensionAsked, ReturnAsked]
    assert kinds(after(*ASKED, eg.EXTENSION_APPROVED)) == [TerminationAsked, ReturnAsked]


def test_of_each_kind_the_last_counts() -> None:
    longer = replace(eg.PAUSE_REQUESTED, days=eg.PAUSE_REQUESTED.days + 1)
    case = after(*SIGNED, eg.PAUSE_REQUESTED, longer)
    assert isinstance(case.order, Held)
    assert case.order.asked == (PauseAsked(days=longer.days, ground=longer.ground),)


def test_an_answer_ends_what_was_asked_and_sent_back_the_order_is_held_again() -> None:
    answered = after(*SIGNED, eg.EXTENSION_REQUESTED, eg.ANSWERED)
    assert isinstance(answered.order, Answered)
    assert open_questions(answered) == []
    again = after(*SIGNED, eg.EXTENSION_REQUESTED, eg.ANSWERED, eg.SENT_BACK)
    assert kinds(again) == []


def test_what_an_order_keeps_it_keeps_whatever_becomes_of_it() -> None:
    held = after(*SIGNED).order
    for fact, kind in (
        (eg.ANSWERED, Answered),
        (eg.TERMINATION_APPROVED, Terminated),
        (eg.MOVED, Recalled),
    ):
        order = after(*SIGNED, fact).order
        assert type(order) is kind
        kept = [name for name in held.__struct_fields__ if name != "asked"]
        assert [getattr(order, name) for name in kept] == [getattr(held, name) for name in kept]


def test_no_return_is_approved_of_an_order_that_a_review_ended() -> None:
    ended = after(*ASKED, eg.TERMINATION_APPROVED)
    assert isinstance(ended.order, Terminated)
    assert open_questions(ended) == []
    assert illegal(ended, eg.RETURN_APPROVED, eg.TERMINATION_APPROVED) == "no return is under review"
