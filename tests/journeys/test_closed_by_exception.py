"""The caller has moved away and left no number: a supervisor lets it close and signs for it (E3)."""

from shared.events import ComplaintClosed, ComplaintDispatched, Outcome
from shared.topics import DISPATCH_ORDERS
from tests.examples import DAY, DUE_AT, EXCEPTION, STREET
from tests.story import Story


async def test_closed_without_a_visit_and_the_record_says_who_let_it_and_why(story: Story) -> None:
    await story.records()
    await story.signs()
    await story.passes(2 * DAY)
    await story.supervisor_lets_it_close()
    (closed,) = story.facts(ComplaintClosed)
    assert isinstance(closed, ComplaintClosed)
    assert (closed.outcome, closed.visit) == (Outcome.EXCEPTION, 0)
    assert (closed.approved_by, closed.reason) == (EXCEPTION.approved_by, EXCEPTION.reason)
    assert [type(fact) for fact in story.sent(DISPATCH_ORDERS, STREET)] == [
        ComplaintDispatched,
        ComplaintClosed,
    ]
    await story.passes(DUE_AT + DAY)
    assert story.told()[-1] == "ComplaintClosed", "nothing is overdue, nobody is asked"


async def test_a_second_exception_finds_it_closed(story: Story) -> None:
    await story.records()
    await story.supervisor_lets_it_close()
    await story.supervisor_lets_it_close()
    assert story.told()[-2:] == ["ComplaintClosed", "VisitAnswerRefused"]


async def test_an_exception_ends_a_visit_that_is_under_way(story: Story) -> None:
    await story.records()
    await story.answers()
    await story.nobody_answers()
    await story.supervisor_lets_it_close()
    await story.citizen_says(solved=True)
    assert story.told()[-2:] == ["ComplaintClosed", "VisitAnswerRefused"]
