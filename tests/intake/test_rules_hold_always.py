"""What holds for intake whatever happened before."""

from hypothesis import given, settings

from shared.events import SPEAKERS, ComplaintReceived, ComplaintWithdrawn, Desk
from tests.lives import Life, Step, decided, lives, steps
from tests.spec import REFUSALS, case_of

TOLD = steps(("record", "other record", "withdraw"), size_max=4)


@settings(max_examples=60)
@given(lives, TOLD)
def test_told_twice_says_once(life: Life, told: list[Step]) -> None:
    for step in told:
        command = life.meant_by(step)
        life.told(command)
        assert all(isinstance(fact, REFUSALS) for fact in decided(command, life.case))


@settings(max_examples=60)
@given(lives, TOLD)
def test_it_states_only_facts_of_its_own_and_the_same_ones_for_the_same_past(
    life: Life, told: list[Step]
) -> None:
    for step in told:
        command = life.meant_by(step)
        said = life.told(command)
        assert all(SPEAKERS[type(fact)] is Desk.INTAKE for fact in said)
        assert decided(command, case_of(life.facts[: len(life.facts) - len(said)])) == said


@settings(max_examples=60)
@given(lives)
def test_a_life_begins_once_and_is_withdrawn_at_most_once(life: Life) -> None:
    kinds = [type(fact) for fact in life.facts]
    assert kinds[0] is ComplaintReceived
    assert kinds.count(ComplaintReceived) == 1
    assert kinds.count(ComplaintWithdrawn) <= 1
