"""The neighbour moved the car himself: a citizen may take a request back at any moment."""

import pytest

from shared.events import ComplaintDispatched, ComplaintWithdrawn
from shared.topics import DISPATCH_ORDERS, FEEDBACK_VISITS
from tests.examples import DAY, DUE_AT, HOUR, INSTANT, OTHER_STREET, SIGN_DUE_AT, STREET
from tests.story import Story


async def test_withdrawn_while_the_unit_works_the_unit_is_told_and_its_answer_refused(story: Story) -> None:
    await story.records()
    await story.passes(HOUR)
    await story.signs()
    await story.passes(DAY)
    await story.withdraws()
    assert [type(fact) for fact in story.sent(DISPATCH_ORDERS, STREET)] == [
        ComplaintDispatched,
        ComplaintWithdrawn,
    ]

    await story.passes(HOUR)
    await story.answers()
    assert story.told()[-2:] == ["ComplaintWithdrawn", "ReplyRefused"]
    assert story.sent(FEEDBACK_VISITS) == [], "nobody is asked about it"
    await story.passes(DUE_AT + DAY)
    assert story.told()[-1] == "ReplyRefused", "nothing becomes overdue"


async def test_withdrawn_while_a_return_is_under_review_nobody_gets_the_order(story: Story) -> None:
    await story.records()
    await story.gives_back(to=OTHER_STREET)
    await story.withdraws()
    await story.review(approves=True)
    assert story.told()[-2:] == ["ComplaintWithdrawn", "ReplyRefused"]
    assert story.sent(DISPATCH_ORDERS, OTHER_STREET) == []


async def test_withdrawn_during_the_visit_the_citizens_later_judgement_is_refused(story: Story) -> None:
    await story.records()
    await story.answers()
    await story.withdraws()
    await story.citizen_says(solved=False)
    assert story.told()[-2:] == ["ComplaintWithdrawn", "VisitAnswerRefused"]
    assert "ComplaintReopened" not in story.told()


async def test_withdrawn_after_a_missed_limit_the_miss_stays_and_the_climb_ends(story: Story) -> None:
    await story.records()
    await story.passes(SIGN_DUE_AT + HOUR)
    await story.withdraws()
    await story.passes(30 * DAY)
    assert story.told()[3:] == ["SignLimitMissed", "ComplaintEscalated", "ComplaintWithdrawn"]


@pytest.mark.parametrize("late", [False, True])
async def test_withdrawn_twice_or_before_it_is_known(story: Story, late: bool) -> None:
    await story.records()
    if late:
        await story.passes(SIGN_DUE_AT + INSTANT)
    await story.withdraws()
    before = story.told()
    await story.withdraws()
    assert story.told() == before
