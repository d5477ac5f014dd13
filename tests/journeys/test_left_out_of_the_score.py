"""Nobody finds the fire lane the call was about: the street wants it out of its score, and others decide (F3)."""

from zoneinfo import ZoneInfo

from hotline.scoring.life import counted
from shared import inputs
from shared.events import (
    ExclusionApproved,
    ExclusionGround,
    ExclusionRejected,
    ExclusionRequested,
    ReplyRefused,
)
from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES, DISPATCH_REVIEW_REQUESTS, DISPATCH_REVIEWS
from tests.examples import DAY, STREET
from tests.story import Story


async def lived(story: Story) -> None:
    await story.records()
    await story.signs()
    await story.passes(DAY)
    await story.answers()
    await story.citizen_says(solved=False)
    await story.passes(DAY)
    await story.answers()
    await story.citizen_says(solved=True, satisfied=False)


async def asks(story: Story) -> None:
    data = inputs.RequestExclusion(
        complaint_id=story.id, ground=ExclusionGround.INVALID, evidence="现场照片,无消防通道"
    )
    await story.tells(DISPATCH_REPLIES, data, unit=STREET)


async def decides(story: Story, reviewer: str, *, approves: bool) -> None:
    data = inputs.ReviewExclusion(
        complaint_id=story.id, approved=approves, reviewer=reviewer, reason="" if approves else "照片不是该处"
    )
    await story.tells(DISPATCH_REVIEWS, data)


def left_out(story: Story) -> str | None:
    one = counted(story.facts(), ZoneInfo("Asia/Shanghai"))
    assert one is not None
    assert one.unit == STREET
    return one.left_out


async def test_a_review_leaves_it_out_and_the_street_is_told(story: Story) -> None:
    await lived(story)
    await asks(story)
    assert left_out(story) is None, "asking changes nothing"
    assert [type(fact) for fact in story.sent(DISPATCH_REVIEW_REQUESTS)] == [ExclusionRequested]
    await decides(story, "reviewer-3", approves=True)
    assert left_out(story) == "invalid"
    assert isinstance(story.sent(DISPATCH_ORDERS, STREET)[-1], ExclusionApproved)
    story.holds()


async def test_t22_the_street_cannot_decide_on_it_and_what_others_reject_counts(story: Story) -> None:
    """T22: a refusal is on record, with who tried."""
    await lived(story)
    await asks(story)
    await decides(story, STREET, approves=True)
    (refused,) = story.facts(ReplyRefused)
    assert isinstance(refused, ReplyRefused)
    assert refused.unit == STREET
    assert "T22" in refused.reason
    assert left_out(story) is None
    await decides(story, "reviewer-3", approves=False)
    assert left_out(story) is None
    assert isinstance(story.sent(DISPATCH_ORDERS, STREET)[-1], ExclusionRejected)
    await asks(story)
    assert "a review has rejected" in story.facts(ReplyRefused)[-1].reason
    story.holds()
