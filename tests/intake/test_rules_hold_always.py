"""What holds for intake whatever happened before."""

from hypothesis import given, settings

from shared.events import ComplaintReceived, ComplaintWithdrawn, DeskName
from tests.lives import Life, Step, lives, says_it_once, says_its_own_and_the_same_again, steps

TOLD = steps(("record", "other record", "withdraw"), size_max=4)


@settings(max_examples=60)
@given(lives, TOLD)
def test_told_twice_says_once(life: Life, told: list[Step]) -> None:
    says_it_once(life, told)


@settings(max_examples=60)
@given(lives, TOLD)
def test_it_states_only_facts_of_its_own_and_the_same_ones_for_the_same_past(
    life: Life, told: list[Step]
) -> None:
    says_its_own_and_the_same_again(DeskName.INTAKE, life, told)


@settings(max_examples=60)
@given(lives)
def test_a_life_begins_once_and_is_withdrawn_at_most_once(life: Life) -> None:
    kinds = [type(fact) for fact in life.facts]
    assert kinds[0] is ComplaintReceived
    assert kinds.count(ComplaintReceived) == 1
    assert kinds.count(ComplaintWithdrawn) <= 1
