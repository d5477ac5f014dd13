"""What holds for dispatch whatever happened before."""

from collections import Counter
from datetime import datetime

from hypothesis import given, settings

from services.dispatch.routing import routed
from shared.complaint import Answered, Complaint, Held
from shared.events import (
    REFUSALS,
    SPEAKERS,
    AnswerSentBack,
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintReclassified,
    ComplaintReopened,
    ComplaintWithdrawn,
    DeskName,
    DisputeRaised,
    ExclusionApproved,
    ExclusionRejected,
    ExclusionRequested,
    ExtensionApproved,
    Fact,
    OrderAmended,
    OrderAnswered,
    OrderMoved,
    OrderSigned,
    PauseApproved,
    PauseEnded,
    ReturnApproved,
    ReturnRejected,
    ReturnRequested,
    Urgency,
)
from shared.policy.ruleset import ruleset
from tests.examples import CATALOGUE
from tests.lives import (
    UNIT_ACTS,
    Life,
    Step,
    led,
    lives,
    says_it_once,
    says_its_own_and_the_same_again,
    steps,
)

SCORED = (ExclusionRequested, ExclusionApproved, ExclusionRejected)
TOLD = steps(UNIT_ACTS, size_max=6)


@settings(max_examples=60)
@given(lives, TOLD)
def test_told_twice_says_once(life: Life, told: list[Step]) -> None:
    says_it_once(life, told)


@settings(max_examples=60)
@given(lives)
def test_the_log_heard_twice_sends_nothing_twice(life: Life) -> None:
    assert list(life.hears_again()) == []


@settings(max_examples=60)
@given(lives, TOLD)
def test_it_states_only_facts_of_its_own_and_the_same_ones_for_the_same_past(
    life: Life, told: list[Step]
) -> None:
    says_its_own_and_the_same_again(DeskName.DISPATCH, life, told)


@settings(max_examples=80)
@given(lives)
def test_the_citizens_limit_is_set_once_and_only_another_class_moves_it(life: Life) -> None:
    """T10, T24."""
    limit: datetime | None = None
    for fact in life.facts:
        if isinstance(fact, ComplaintDispatched):
            assert limit is None or fact.citizen_due_at == limit
            limit = fact.citizen_due_at
        elif isinstance(fact, ComplaintReclassified):
            assert fact.reclassified_at <= fact.old_due_at == limit
            limit = fact.citizen_due_at


@settings(max_examples=80)
@given(lives)
def test_no_extension_moves_a_limit_that_has_passed(life: Life) -> None:
    """T6, D4: and there are no more of them than the rule set allows."""
    assert isinstance(life.case, Complaint)
    longer = [fact for fact in life.facts if isinstance(fact, ExtensionApproved)]
    assert all(fact.approved_at <= fact.old_due_at < fact.new_due_at for fact in longer)
    assert len(longer) <= ruleset(life.case.ruleset).extensions_max


@settings(max_examples=80)
@given(lives)
def test_no_pause_moves_a_limit_that_has_passed(life: Life) -> None:
    """T6: there are no more of them than the rule set allows, and ended they leave the limit no earlier than now."""
    assert isinstance(life.case, Complaint)
    paused = [fact for fact in life.facts if isinstance(fact, PauseApproved)]
    assert all(fact.approved_at <= fact.old_due_at < fact.new_due_at for fact in paused)
    assert all(fact.approved_at < fact.until <= fact.new_due_at for fact in paused)
    assert len(paused) <= ruleset(life.case.ruleset).pauses_max
    ended = [fact for fact in life.facts if isinstance(fact, PauseEnded)]
    assert all(fact.ended_at <= fact.new_due_at <= fact.old_due_at for fact in ended)


@settings(max_examples=80)
@given(lives)
def test_assignments_are_counted_without_gaps_and_rounds_never_fall(life: Life) -> None:
    orders = [fact for fact in life.facts if isinstance(fact, ComplaintDispatched)]
    assert [order.assignment for order in orders] == list(range(1, len(orders) + 1))
    rounds = [order.round for order in orders]
    assert rounds == sorted(rounds)
    assert set(rounds) == set(range(1, rounds[-1] + 1))


@settings(max_examples=80)
@given(lives)
def test_only_the_unit_that_holds_the_order_is_ever_heard(life: Life) -> None:
    """T2."""
    holder: tuple[str, int] | None = None
    for fact in life.facts:
        if isinstance(fact, ComplaintDispatched):
            holder = (fact.unit, fact.assignment)
        elif isinstance(fact, OrderSigned | OrderAnswered | ReturnRequested):
            assert (fact.unit, fact.assignment) == holder


@settings(max_examples=60)
@given(lives)
def test_an_order_is_answered_once_unless_sent_back_and_returned_as_the_rule_set_allows(
    life: Life,
) -> None:
    answered = Counter(fact.assignment for fact in life.facts if isinstance(fact, OrderAnswered))
    sent_back = Counter(fact.assignment for fact in life.facts if isinstance(fact, AnswerSentBack))
    assert all(times <= 1 + sent_back[assignment] for assignment, times in answered.items())
    assert isinstance(life.case, Complaint)
    returned = [fact for fact in life.facts if isinstance(fact, ReturnApproved)]
    assert len(returned) <= ruleset(life.case.ruleset).returns_max


@settings(max_examples=60)
@given(lives)
def test_nothing_is_sent_after_the_end(life: Life) -> None:
    ends = [
        place
        for place, fact in enumerate(life.facts)
        if isinstance(fact, ComplaintClosed | ComplaintWithdrawn)
    ]
    for fact in life.facts[ends[0] + 1 :] if ends else ():
        # What is left out of a score is decided when the month is over (F3).
        assert SPEAKERS[type(fact)] is not DeskName.DISPATCH or isinstance(fact, (*REFUSALS, *SCORED))


def _kept(facts: list[Fact]) -> set[int]:
    """Assignments that were signed, answered, or under review, and no decision let go."""
    kept: set[int] = set()
    for fact in facts:
        if isinstance(fact, OrderSigned | OrderAnswered | ReturnRequested | DisputeRaised):
            kept.add(fact.assignment)
        elif isinstance(fact, OrderMoved):
            assert fact.assignment not in kept
        elif isinstance(fact, ReturnRejected):
            kept.discard(fact.assignment)
        elif isinstance(fact, ComplaintReopened):
            kept.clear()
    return kept


@settings(max_examples=150)
@given(lives)
def test_every_order_says_what_the_record_says_and_none_moves_once_it_is_signed(life: Life) -> None:
    """Q1, D1, T4: corrections in any order with signatures, returns, visits and ends."""
    _kept(life.facts)
    case = life.case
    assert isinstance(case, Complaint)
    order = case.order
    if case.ended is None and isinstance(order, Held | Answered) and not case.reopened:
        assert order.written_for is None
        told = [fact for fact in life.facts if isinstance(fact, ComplaintDispatched | OrderAmended)][-1]
        assert (told.subject, told.district, told.street) == (case.subject, case.district, case.street)
        listed = CATALOGUE.unlisted(case.subject, case.district, case.street)
        assert order.unlisted == (told.unlisted or ()) == listed


@settings(max_examples=80)
@given(steps(("correct",), size_max=6))
def test_an_order_that_nobody_touches_lies_with_whom_the_catalogue_names(told: list[Step]) -> None:
    """D1: however often the record is corrected, and however late that is heard."""
    life = led(Urgency.GENERAL_7D, told)
    case = life.case
    assert isinstance(case, Complaint)
    assert case.order is not None
    assert case.order.unit == routed(CATALOGUE, case.subject, case.district, case.street).unit


@settings(max_examples=150)
@given(steps(("correct", "sign", "answer", "unsolved"), size_max=12))
def test_in_every_round_an_unsigned_order_lies_with_whom_the_record_names_and_a_signed_one_says_so(
    told: list[Step],
) -> None:
    """D1, Q1: where nobody but the catalogue and the unit has a word."""
    case = led(Urgency.GENERAL_7D, told).case
    assert isinstance(case, Complaint)
    assert case.order is not None
    named = routed(CATALOGUE, case.subject, case.district, case.street).unit
    taken = case.order.signed_at is not None or isinstance(case.order, Answered)
    assert named == case.order.unit or (taken and named == case.order.names)
