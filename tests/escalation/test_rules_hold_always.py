"""What holds for escalation whatever happened before, and above all: it does not matter who noticed first."""

from collections import Counter
from datetime import timedelta

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from services.escalation.decisions.ladder import LADDER, TOP
from shared.complaint import due_deadlines
from shared.events import (
    AnswerLimitMissed,
    AnswerSentBack,
    ComplaintEscalated,
    DeskName,
    Fact,
    LimitMissCorrected,
    OrderAnswered,
    OrderSigned,
    SignLimitMissed,
    Urgency,
    WarningGiven,
)
from shared.events.base import Limit
from tests.examples import INSTANT
from tests.lives import (
    ENDS,
    UNIT_ACTS,
    VISIT_ACTS,
    Life,
    Step,
    lives,
    says_its_own_and_the_same_again,
    steps,
    urgencies,
)
from tests.spec import case_of

LONG_AFTER = timedelta(days=400)
NOTICED = ("noticed_at", "corrected_at")
"""The fields that say when somebody looked; all others say what happened."""


ACTS = tuple(
    act for act in UNIT_ACTS if act not in {"extended", "paused", "resume", "reclassify", "send back"}
)
"""What a unit does. What moves a limit or lets it run again is refused once its miss is stated (T6, T24), however early
it was sent."""


def essence(facts: list[Fact], *, but: tuple[type[Fact], ...] = ()) -> Counter[bytes]:
    """What happened, whenever it was noticed and in whatever order it was written down."""
    return Counter(
        msgspec.json.encode(
            [
                type(fact).__name__,
                {
                    k: v
                    for k, v in msgspec.structs.asdict(fact).items()
                    if k not in NOTICED and v is not UNSET
                },
            ],
            order="sorted",
        )
        for fact in facts
        if not isinstance(
            fact, (*but, WarningGiven)
        )  # of what is done meanwhile nobody is warned any more (T5)
    )


def looked_at(urgency: Urgency, what: list[Step], looks: list[bool]) -> Life:
    """A life in which the clock is looked at before a step only where `looks` says so, and at the end.

    Nobody answers a visit that was not asked for, so before the dialler or a supervisor speaks the clock
    has been looked at in any case.
    """
    life = Life(urgency)
    for step, look in zip(what, looks, strict=True):
        if isinstance(step.wait, timedelta):
            life.waits(step.wait)
        if look or step.what in (*VISIT_ACTS, *ENDS):
            life.ticks()
            life.hears()
        life.lives(step._replace(wait=timedelta(0), heard=True))
    life.waits(LONG_AFTER)
    life.ticks()
    life.hears()
    return life


@settings(max_examples=150)
@given(urgencies, steps((*UNIT_ACTS, *VISIT_ACTS, *ENDS), size_max=10), st.data())
def test_late_act_first_or_timer_first_the_facts_are_the_same(
    urgency: Urgency, what: list[Step], data: st.DataObject
) -> None:
    """Complete in time: the timer that fires on the instant and the one that fires long after agree."""
    exact = Life(urgency)
    fixed = []  # the same instants for both lives
    for step in what:
        before = exact.now
        exact.waits(step.wait)
        fixed.append(step._replace(wait=exact.now - before))
        exact.ticks()
        exact.hears()
        exact.lives(fixed[-1]._replace(wait=timedelta(0), heard=True))
    on_the_instant = looked_at(urgency, fixed, [True] * len(fixed))
    looks = data.draw(st.lists(st.booleans(), min_size=len(fixed), max_size=len(fixed)))
    late = looked_at(urgency, fixed, looks)
    assert essence(late.facts) == essence(on_the_instant.facts)


@settings(max_examples=100)
@given(urgencies, steps(ACTS, slips=False, size_max=4), st.data())
def test_a_timer_faster_than_the_message_leads_to_the_same_misses_in_the_end(
    urgency: Urgency, what: list[Step], data: st.DataObject
) -> None:
    """A miss of an act that had arrived in time is corrected, so what remains is what really was missed."""
    exact, hasty = Life(urgency), Life(urgency)
    for step in what:
        exact.waits(step.wait)
        hasty.now = exact.now
        command = exact.meant_by(step)
        exact.ticks()
        exact.told(command)
        if step.what in ("sign", "answer"):
            # The clock is ahead of the message by up to a day: what was due meanwhile is stated first.
            hasty.now += data.draw(st.sampled_from((timedelta(0), INSTANT, timedelta(days=1))))
        hasty.ticks()
        hasty.told(command)
    for life in (exact, hasty):
        life.waits(LONG_AFTER)
        life.ticks()
    assert uncorrected(hasty.facts) == uncorrected(exact.facts)


def uncorrected(facts: list[Fact]) -> set[tuple[Limit, str]]:
    """The misses that stand."""
    stated = {
        (Limit.SIGN if isinstance(fact, SignLimitMissed) else Limit.ANSWER, fact.due_at.isoformat())
        for fact in facts
        if isinstance(fact, SignLimitMissed | AnswerLimitMissed)
    }
    corrected = {
        (fact.limit, fact.due_at.isoformat()) for fact in facts if isinstance(fact, LimitMissCorrected)
    }
    assert corrected <= stated
    return stated - corrected


@settings(max_examples=60)
@given(lives)
def test_told_twice_says_once_and_nothing_is_left_that_is_due(life: Life) -> None:
    life.ticks()
    assert list(life.ticks()) == []
    assert all(due_at >= life.now for due_at in due_deadlines(life.case).values())


@settings(max_examples=60)
@given(lives)
def test_it_states_only_facts_of_its_own_and_the_same_ones_for_the_same_past(life: Life) -> None:
    says_its_own_and_the_same_again(DeskName.ESCALATION, life, [Step(timedelta(0), "tick")])


@settings(max_examples=80)
@given(lives)
def test_a_timer_never_fires_early_and_a_miss_has_the_time_of_its_limit(life: Life) -> None:
    for fact in life.facts:
        if isinstance(fact, SignLimitMissed | AnswerLimitMissed):
            assert fact.due_at <= fact.missed_at < fact.noticed_at
        elif isinstance(fact, ComplaintEscalated):
            assert fact.escalated_at < fact.noticed_at


@settings(max_examples=80)
@given(lives)
def test_the_ladder_is_climbed_upward_each_level_once_to_the_municipality_at_most(life: Life) -> None:
    told = [fact.to_level for fact in life.facts if isinstance(fact, ComplaintEscalated)]
    assert told == sorted(set(told), key=LADDER.index)
    assert all(
        (fact.next_at is None) == (fact.to_level is TOP)
        for fact in life.facts
        if isinstance(fact, ComplaintEscalated)
    )


@settings(max_examples=80)
@given(lives)
def test_no_limit_is_missed_twice_nor_one_that_was_met(life: Life) -> None:
    life.waits(LONG_AFTER)
    life.ticks()
    missed = [
        fact.assignment if isinstance(fact, SignLimitMissed) else -fact.round
        for fact in life.facts
        if isinstance(fact, SignLimitMissed | AnswerLimitMissed)
    ]
    assert len(missed) == len(set(missed))
    assume(missed)
    met = {fact.assignment: fact.signed_at for fact in life.facts if isinstance(fact, OrderSigned)}
    for fact in life.facts:
        if isinstance(fact, OrderAnswered):
            met[-fact.round] = fact.answered_at
        elif isinstance(fact, AnswerSentBack):
            met.pop(-fact.round, None)  # as if it had not been given: the limit runs again
    for fact in life.facts:
        if isinstance(fact, SignLimitMissed) and fact.assignment in met:
            assert met[fact.assignment] > fact.due_at
        elif isinstance(fact, AnswerLimitMissed) and -fact.round in met:
            assert met[-fact.round] > fact.due_at


@settings(max_examples=60)
@given(lives)
def test_what_the_clock_watches_is_a_function_of_the_facts(life: Life) -> None:
    """Timers are rows beside the log; they can be rebuilt from it."""
    assert due_deadlines(case_of(life.facts)) == due_deadlines(life.case)
