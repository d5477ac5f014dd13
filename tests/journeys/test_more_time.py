"""The drain must be dug up: the street asks for five days more, in time, and keeps to them (D4); or it must wait."""

from shared import inputs
from shared.complaint import due_deadlines
from shared.events import (
    AnswerLimitMissed,
    ExtensionApproved,
    ExtensionRequested,
    PauseApproved,
    PauseGround,
    PauseRequested,
    WarningGiven,
)
from shared.events.base import Limit
from shared.topics import (
    CITIZEN_NOTICES,
    DISPATCH_ORDERS,
    DISPATCH_REPLIES,
    DISPATCH_REVIEW_REQUESTS,
    DISPATCH_REVIEWS,
)
from tests.examples import DAY, DUE_AT, INSTANT, STREET
from tests.story import Story


async def asks(story: Story, days: int = 5) -> None:
    data = inputs.RequestExtension(
        complaint_id=story.id,
        assignment=story.order().assignment,
        days=days,
        reason="需开挖检修",
        citizen_told=True,
    )
    await story.tells(DISPATCH_REPLIES, data, unit=story.order().unit)


async def decides(story: Story, *, approves: bool) -> None:
    data = inputs.ReviewExtension(
        complaint_id=story.id,
        assignment=story.order().assignment,
        approved=approves,
        reviewer="reviewer-3",
        reason="" if approves else "可按期办结",
    )
    await story.tells(DISPATCH_REVIEWS, data)


async def test_answered_within_the_extended_limit_nothing_is_late(story: Story) -> None:
    await story.records()
    await story.signs()
    await story.passes(3 * DAY)
    await asks(story)
    assert [type(fact) for fact in story.sent(DISPATCH_REVIEW_REQUESTS)] == [ExtensionRequested]
    await decides(story, approves=True)
    assert type(story.sent(DISPATCH_ORDERS, STREET)[-1]) is ExtensionApproved
    await story.passes(DUE_AT + 2 * DAY)
    assert story.facts(AnswerLimitMissed) == []
    await story.answers()
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"


async def test_not_answered_within_the_extended_limit_it_is_late_by_that_limit(story: Story) -> None:
    await story.records()
    await story.signs()
    await asks(story)
    await decides(story, approves=True)
    await story.passes(DUE_AT + 5 * DAY + INSTANT)
    (missed,) = story.facts(AnswerLimitMissed)
    assert isinstance(missed, AnswerLimitMissed)
    assert missed.due_at == DUE_AT + 5 * DAY


async def test_decided_too_late_the_miss_stands_and_the_citizen_is_asked(story: Story) -> None:
    """T6, T32."""
    await story.records()
    await story.signs()
    await asks(story)
    await story.passes(DUE_AT + INSTANT)
    await decides(story, approves=True)
    assert story.told()[-6:] == [
        "WarningGiven",
        "WarningGiven",
        "AnswerLimitMissed",
        "ComplaintEscalated",
        "VisitScheduled",
        "ReplyRefused",
    ]


async def test_rejected_the_limit_stays_and_it_may_ask_again(story: Story) -> None:
    await story.records()
    await story.signs()
    await asks(story)
    await decides(story, approves=False)
    assert due_deadlines(story.case())[Limit.ANSWER] == DUE_AT
    await asks(story, days=2)
    await decides(story, approves=True)
    assert due_deadlines(story.case())[Limit.ANSWER] == DUE_AT + 2 * DAY


async def waits(story: Story) -> None:
    """The planning office must say first where a pole may stand; the review lets the clock stand still for ten days."""
    data = inputs.RequestPause(
        complaint_id=story.id,
        assignment=story.order().assignment,
        ground=PauseGround.AWAITS_AUTHORITY,
        days=10,
        evidence="已向规划部门请示",
    )
    await story.tells(DISPATCH_REPLIES, data, unit=story.order().unit)
    assert type(story.sent(DISPATCH_REVIEW_REQUESTS)[-1]) is PauseRequested
    decided = inputs.ReviewPause(
        complaint_id=story.id, assignment=story.order().assignment, approved=True, reviewer="reviewer-3"
    )
    await story.tells(DISPATCH_REVIEWS, decided)


async def test_the_clock_stands_still_while_it_waits_and_nobody_is_warned(story: Story) -> None:
    await story.records()
    await story.signs()
    await story.passes(3 * DAY)
    await waits(story)
    assert type(story.sent(DISPATCH_ORDERS, STREET)[-1]) is PauseApproved
    assert type(story.sent(CITIZEN_NOTICES)[-1]) is PauseApproved
    await story.passes(DUE_AT + 7 * DAY)
    assert story.facts(AnswerLimitMissed, WarningGiven) == []
    await story.passes(DUE_AT + 10 * DAY + INSTANT)
    (missed,) = story.facts(AnswerLimitMissed)
    assert isinstance(missed, AnswerLimitMissed)
    assert missed.due_at == DUE_AT + 10 * DAY


async def test_what_it_waited_for_came_sooner_and_the_days_not_begun_are_given_back(story: Story) -> None:
    await story.records()
    await story.signs()
    await story.passes(3 * DAY)
    await waits(story)
    await story.passes(DAY)
    ended = inputs.EndPause(complaint_id=story.id, assignment=story.order().assignment, reason="批复已到")
    await story.tells(DISPATCH_REPLIES, ended, unit=story.order().unit)
    assert story.told()[-1] == "PauseEnded"
    assert due_deadlines(story.case())[Limit.ANSWER] == DUE_AT + DAY
    await story.answers()
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"
