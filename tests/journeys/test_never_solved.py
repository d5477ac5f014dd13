"""Metro noise that does not go away: three rounds, three times no, and the record says so."""

from shared.events import ComplaintClosed, ComplaintDispatched, Outcome, VisitMade
from tests.examples import DAY, HOUR
from tests.story import Story


async def test_unsolved_in_every_round_is_closed_as_unsolved(story: Story) -> None:
    await story.records(title="地铁噪声")
    for _ in range(3):
        await story.passes(HOUR)
        await story.signs()
        await story.passes(DAY)
        await story.answers(claims_solved=True)
        await story.passes(HOUR)
        await story.citizen_says(solved=False)
    orders = [fact for fact in story.facts(ComplaintDispatched) if isinstance(fact, ComplaintDispatched)]
    assert [(order.round, order.assignment) for order in orders] == [(1, 1), (2, 2), (3, 3)]
    assert len({order.unit for order in orders}) == 1, "always the same unit (重办)"
    (closed,) = story.facts(ComplaintClosed)
    assert isinstance(closed, ComplaintClosed)
    assert (closed.outcome, closed.visit) == (Outcome.UNSOLVED, 3)


async def test_the_units_claims_and_the_citizens_words_both_stand(story: Story) -> None:
    """T18: three claims of solved, three times no; neither is derived from the other."""
    await story.records()
    for _ in range(3):
        await story.answers(claims_solved=True)
        await story.citizen_says(solved=False)
    assert [fact.solved for fact in story.facts(VisitMade) if isinstance(fact, VisitMade)] == [False] * 3
    assert story.told().count("OrderAnswered") == 3


async def test_helped_at_the_third_attempt_is_helped(story: Story) -> None:
    await story.records()
    for solved in (False, False, True):
        await story.answers()
        await story.citizen_says(solved=solved)
    (closed,) = story.facts(ComplaintClosed)
    assert isinstance(closed, ComplaintClosed)
    assert closed.outcome is Outcome.SOLVED
