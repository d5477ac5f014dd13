"""What holds for feedback whatever happened before."""

from collections import defaultdict

from hypothesis import given, settings

from shared.events import (
    AnswerSentBack,
    ComplaintClosed,
    ComplaintReopened,
    ComplaintWithdrawn,
    DeskName,
    Outcome,
    VisitMade,
    VisitScheduled,
    VisitUnreached,
)
from shared.policy.ruleset import ruleset
from tests.lives import VISIT_ACTS, Life, Step, lives, says_it_once, says_its_own_and_the_same_again, steps

RULES = ruleset("beijing-draft-2021")
TOLD = steps((*VISIT_ACTS, "exception"), size_max=6)


@settings(max_examples=60)
@given(lives, TOLD)
def test_told_twice_says_once(life: Life, told: list[Step]) -> None:
    says_it_once(life, told)


@settings(max_examples=60)
@given(lives)
def test_the_log_heard_twice_asks_nobody_twice(life: Life) -> None:
    assert list(life.hears_again()) == []


@settings(max_examples=60)
@given(lives, TOLD)
def test_it_states_only_facts_of_its_own_and_the_same_ones_for_the_same_past(
    life: Life, told: list[Step]
) -> None:
    says_its_own_and_the_same_again(DeskName.FEEDBACK, life, told)


@settings(max_examples=100)
@given(lives)
def test_a_complaint_closes_once_and_only_on_a_visits_outcome_or_an_approved_exception(life: Life) -> None:
    """E3, T21."""
    ends = [fact for fact in life.facts if isinstance(fact, ComplaintClosed | ComplaintWithdrawn)]
    assert len(ends) <= 1
    for place, fact in enumerate(life.facts):
        if not isinstance(fact, ComplaintClosed):
            continue
        before = life.facts[place - 1]
        match fact.outcome:
            case Outcome.SOLVED:
                assert isinstance(before, VisitMade)
                assert before.solved
            case Outcome.UNSOLVED:
                assert isinstance(before, VisitMade)
                assert not before.solved
                assert before.round == RULES.rounds_max
            case Outcome.UNREACHED:
                assert isinstance(before, VisitUnreached)
                assert before.attempt == RULES.visit_attempts_max
            case Outcome.EXCEPTION:
                assert fact.approved_by
                assert fact.reason


@settings(max_examples=100)
@given(lives)
def test_nobody_is_asked_twice_in_a_round_unless_not_reached_in_all_attempts(life: Life) -> None:
    """R8."""
    visits: dict[int, set[int]] = defaultdict(set)
    tried: dict[int, int] = defaultdict(int)
    for fact in life.facts:
        if isinstance(fact, VisitScheduled):
            if visits[fact.round] - {fact.visit}:
                assert tried[min(visits[fact.round])] == RULES.visit_attempts_max
            visits[fact.round].add(fact.visit)
        elif isinstance(fact, VisitUnreached):
            tried[fact.visit] += 1
        elif isinstance(fact, AnswerSentBack):
            visits[fact.round].clear()  # whatever was asked for is called off
    assert all(len(numbers) <= 2 for numbers in visits.values())


@settings(max_examples=100)
@given(lives)
def test_attempts_are_counted_and_keep_the_spacing(life: Life) -> None:
    last: VisitUnreached | None = None
    for fact in life.facts:
        if isinstance(fact, VisitScheduled) and fact.attempt > 1:
            assert last is not None
            assert (fact.visit, fact.attempt) == (last.visit, last.attempt + 1)
            assert fact.visit_at == last.attempted_at + RULES.visit_spacing
            assert fact.attempt <= RULES.visit_attempts_max
        elif isinstance(fact, VisitUnreached):
            last = fact


@settings(max_examples=100)
@given(lives)
def test_it_is_reopened_only_on_the_citizens_no_and_never_beyond_the_last_round(life: Life) -> None:
    for place, fact in enumerate(life.facts):
        if isinstance(fact, ComplaintReopened):
            said = life.facts[place - 1]
            assert isinstance(said, VisitMade)
            assert not said.solved
            assert fact.round == said.round + 1 <= RULES.rounds_max


@settings(max_examples=60)
@given(lives)
def test_visits_are_numbered_without_gaps(life: Life) -> None:
    first = [fact.visit for fact in life.facts if isinstance(fact, VisitScheduled) and fact.attempt == 1]
    assert first == list(range(1, len(first) + 1))
