"""The lane lies across the boundary: the street returns the order with evidence, the review sends it on (D3)."""

from datetime import datetime

from shared.complaint import Awaited, due_deadlines, waits_for
from shared.events import (
    AnswerLimitMissed,
    ComplaintDispatched,
    Level,
    ReplyRefused,
    ReturnRequested,
    SignLimitMissed,
)
from shared.events.base import Limit
from shared.topics import DISPATCH_ORDERS, DISPATCH_REVIEW_REQUESTS
from tests.examples import DAY, DISTRICT, DUE_AT, HOUR, INSTANT, OTHER_STREET, STREET
from tests.story import Story


async def test_returned_reviewed_sent_on_and_solved_by_the_other_street(story: Story) -> None:
    await story.records()
    await story.passes(2 * HOUR)
    await story.gives_back(to=OTHER_STREET)
    assert [type(fact) for fact in story.sent(DISPATCH_REVIEW_REQUESTS)] == [ReturnRequested]

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
    (missed,) = story.facts(AnswerLimitMissed)
    assert isinstance(missed, AnswerLimitMissed)
    assert missed.unit == STREET
    assert story.visit().unit == STREET
    assert story.order().unit == OTHER_STREET
    await story.citizen_says(solved=False)
    assert (story.order().unit, story.order().round) == (OTHER_STREET, 2)


async def test_a_unit_that_gets_the_order_behind_the_limit_is_watched_from_above_and_never_forgotten(
    story: Story,
) -> None:
    """T10, decision 0012: no new limit for the answer; the one for signing, the ladder and the visit watch it."""
    await story.records()
    await story.gives_back(to=OTHER_STREET)
    await story.passes(DUE_AT + INSTANT)
    await story.review(approves=True)
    order, case = story.order(), story.case()
    assert (order.unit, order.citizen_due_at) == (OTHER_STREET, DUE_AT)
    assert due_deadlines(case) == {Limit.SIGN: order.sign_due_at, Limit.LADDER: DUE_AT + DAY}
    assert awaited(story) == (Awaited.DIALLER, "dialler", order.sign_due_at)

    assert order.sign_due_at is not None
    await story.passes(order.sign_due_at + INSTANT)
    (missed,) = story.facts(SignLimitMissed)
    assert isinstance(missed, SignLimitMissed)
    assert missed.unit == OTHER_STREET
    assert story.case().level is Level.MUNICIPAL

    for _ in range(3):
        await story.nobody_answers()
        await story.passes(4 * HOUR)
    supervised = order.sign_due_at + 3 * DAY
    assert awaited(story) == (Awaited.UNIT, OTHER_STREET, supervised)
    await story.signs()
    assert awaited(story) == (Awaited.UNIT, OTHER_STREET, supervised)
    before = story.told()
    await story.passes(60 * DAY)
    assert story.told() == [*before, "SupervisionMissed"], (
        "a limit is missed once, and the top watches already"
    )

    await story.answers()
    assert (story.told()[-1], story.visit().visit) == ("VisitScheduled", 2)
    await story.citizen_says(solved=False)
    again = story.order()
    assert (again.unit, again.round) == (OTHER_STREET, 2)
    assert due_deadlines(story.case())[Limit.ANSWER] == again.unit_due_at, (
        "a new round has the unit's own limit"
    )


async def test_where_nobody_has_to_sign_the_ladder_alone_climbs_to_the_top() -> None:
    """A rule set without a limit for signing: what was missed before still climbs, whoever has the order now."""
    boston = Story(ruleset="boston-311-2011")
    await boston.records(given_due_at=DUE_AT)
    await boston.gives_back(to=OTHER_STREET)
    await boston.passes(DUE_AT + INSTANT)
    await boston.review(approves=True)
    (due_at,) = due_deadlines(boston.case()).values()
    assert awaited(boston) == (Awaited.DIALLER, "dialler", due_at)
    await boston.passes(due_at + INSTANT)
    assert (boston.case().level, due_deadlines(boston.case())) == (Level.MUNICIPAL, {})
    assert awaited(boston) == (Awaited.DIALLER, "dialler", None)
    boston.holds()


def awaited(story: Story) -> tuple[Awaited, str, datetime | None]:
    """Whom the complaint waits for, and its next deadline."""
    waiting = waits_for(story.case())
    assert waiting is not None
    return waiting.kind, waiting.name, waiting.by
