"""The lane lies across the boundary: the street returns the order with evidence, the review sends it on (D3)."""

from shared.events import ComplaintDispatched, FeedbackLimitMissed, ReplyRefused, ReturnRequested
from shared.topics import DISPATCH_ORDERS, DISPATCH_RETURNS
from tests.examples import DAY, DISTRICT, DUE_AT, HOUR, INSTANT, OTHER_STREET, STREET
from tests.story import Story


async def test_returned_reviewed_sent_on_and_solved_by_the_other_street(story: Story) -> None:
    await story.records()
    await story.passes(2 * HOUR)
    await story.gives_back(to=OTHER_STREET)
    assert [type(fact) for fact in story.sent(DISPATCH_RETURNS)] == [ReturnRequested]

    await story.passes(DAY)
    await story.review(approves=True)
    first, second = story.facts(ComplaintDispatched)
    assert isinstance(first, ComplaintDispatched)
    assert isinstance(second, ComplaintDispatched)
    assert (second.unit, second.assignment, second.round) == (OTHER_STREET, 2, 1)
    assert second.citizen_due_at == first.citizen_due_at == DUE_AT, "the citizen's limit never moves (T10)"
    assert [type(fact).__name__ for fact in story.sent(DISPATCH_ORDERS, STREET)] == [
        "ComplaintDispatched",
        "ReturnApproved",
    ]

    await story.signs()
    await story.passes(HOUR)
    await story.answers()
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"


async def test_the_former_streets_reply_comes_too_late_and_is_refused(story: Story) -> None:
    """T2: by unit and by assignment."""
    await story.records()
    await story.gives_back(to=OTHER_STREET)
    await story.review(approves=True)
    await story.answers(unit=STREET, assignment=1)
    await story.answers(unit=STREET, assignment=2)
    await story.answers(unit=OTHER_STREET, assignment=1)
    refused = story.facts(ReplyRefused)
    assert len(refused) == 3
    assert "OrderAnswered" not in story.told()
    await story.answers()
    assert story.told()[-2:] == ["OrderAnswered", "VisitScheduled"]


async def test_the_review_says_no_and_the_street_does_it_after_all(story: Story) -> None:
    await story.records()
    await story.gives_back(to=OTHER_STREET)
    await story.signs()
    assert story.told()[-1] == "ReplyRefused", "under review nothing is signed (T4)"
    await story.review(approves=False)
    await story.signs()
    await story.gives_back(to=OTHER_STREET)
    assert story.told()[-1] == "ReplyRefused", "and what is signed is not returned"
    await story.answers()
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"


async def test_an_order_nobody_wants_stays_where_it_is_after_two_returns(story: Story) -> None:
    """R12: 首接负责, 不得推诿."""
    await story.records()
    await story.gives_back(to=OTHER_STREET)
    await story.review(approves=True)
    await story.gives_back()
    await story.review(approves=True)
    assert story.order().unit == DISTRICT
    await story.gives_back(to=STREET)
    assert story.told()[-1] == "ReplyRefused"
    await story.signs()
    assert story.told()[-1] == "OrderSigned"


async def test_while_they_argue_the_citizen_waits_no_longer_than_promised(story: Story) -> None:
    """T10, T32: the review takes until the limit; the miss is stated, the citizen asked."""
    await story.records()
    await story.gives_back(to=OTHER_STREET)
    await story.passes(DUE_AT + INSTANT)
    await story.review(approves=True)
    (missed,) = story.facts(FeedbackLimitMissed)
    assert isinstance(missed, FeedbackLimitMissed)
    assert missed.unit == STREET
    assert story.visit().unit == STREET
    assert story.order().unit == OTHER_STREET
    await story.citizen_says(solved=False)
    assert (story.order().unit, story.order().round) == (OTHER_STREET, 2)
