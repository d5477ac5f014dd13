"""The caller will not say where it is: after three calls the street asks to end it, and a review agrees (D5, E3)."""

from shared import inputs
from shared.events import (
    ComplaintClosed,
    ComplaintDispatched,
    Outcome,
    TerminationApproved,
    TerminationGround,
)
from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES, DISPATCH_REVIEWS
from tests.examples import DAY, DUE_AT, INSTANT, STREET
from tests.story import Story


async def asks(story: Story) -> None:
    data = inputs.RequestTermination(
        complaint_id=story.id,
        assignment=story.order().assignment,
        ground=TerminationGround.INFORMATION_REFUSED,
        evidence="三次联系记录",
    )
    await story.tells(DISPATCH_REPLIES, data, unit=STREET)


async def decides(story: Story, *, approves: bool) -> None:
    data = inputs.ReviewTermination(
        complaint_id=story.id,
        assignment=story.order().assignment,
        approved=approves,
        reviewer="reviewer-3",
        reason="已核实" if approves else "仍可核实",
    )
    await story.tells(DISPATCH_REVIEWS, data)


async def test_a_review_ends_it_and_the_record_says_who_and_on_which_ground(story: Story) -> None:
    await story.records()
    await story.signs()
    await story.passes(2 * DAY)
    await asks(story)
    await decides(story, approves=True)
    (closed,) = story.facts(ComplaintClosed)
    assert isinstance(closed, ComplaintClosed)
    assert (closed.outcome, closed.visit) == (Outcome.EXCEPTION, 0)
    assert (closed.approved_by, closed.reason) == ("reviewer-3", "INFORMATION_REFUSED: 已核实")
    told = [type(fact) for fact in story.sent(DISPATCH_ORDERS, STREET)]
    assert told == [ComplaintDispatched, TerminationApproved]
    await story.passes(DUE_AT + DAY)
    assert story.told()[-1] == "ComplaintClosed", "nothing is overdue, nobody is asked"


async def test_what_was_late_before_is_still_late_after_it(story: Story) -> None:
    """T6: the end takes back no miss; the visit at expiry that was under way is over."""
    await story.records()
    await story.signs()
    await asks(story)
    await story.passes(DUE_AT + INSTANT)
    await decides(story, approves=True)
    assert story.told()[-5:] == [
        "AnswerLimitMissed",
        "ComplaintEscalated",
        "VisitScheduled",
        "TerminationApproved",
        "ComplaintClosed",
    ]
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "VisitAnswerRefused"


async def test_the_unit_answers_before_the_review_and_the_review_finds_nothing_to_end(story: Story) -> None:
    await story.records()
    await story.signs()
    await asks(story)
    await story.answers()
    await decides(story, approves=True)
    assert story.told()[-2:] == ["VisitScheduled", "ReplyRefused"]
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"
