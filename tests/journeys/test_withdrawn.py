"""The neighbour moved the car himself: a citizen may take a request back at any moment."""

from datetime import datetime

import pytest

from shared.events import ComplaintDispatched, ComplaintWithdrawn, SignLimitMissed
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


@pytest.mark.parametrize(("arrived_at", "missed"), [(SIGN_DUE_AT, False), (SIGN_DUE_AT + INSTANT, True)])
async def test_what_had_passed_before_the_withdrawal_arrived_is_stated_though_nobody_had_looked(
    story: Story, arrived_at: datetime, missed: bool
) -> None:
    """The withdrawal was faster than the clock: what it came too late for counts, what it was in time for not."""
    await story.records()
    story.clock.move_to(arrived_at)
    await story.withdraws()
    await story.passes(DUE_AT + 30 * DAY)
    after = ["SignLimitMissed", "ComplaintEscalated"] if missed else []
    assert story.told()[3:] == ["ComplaintWithdrawn", *after]
    assert [fact.missed_at for fact in story.facts(SignLimitMissed) if isinstance(fact, SignLimitMissed)] == (
        [SIGN_DUE_AT] if missed else []
    )


@pytest.mark.parametrize("late", [False, True])
async def test_withdrawn_twice_or_before_it_is_known(story: Story, late: bool) -> None:
    await story.records()
    if late:
        await story.passes(SIGN_DUE_AT + INSTANT)
    await story.withdraws()
    before = story.told()
    await story.withdraws()
    assert story.told() == [*before, "IntakeRefused"]
