"""The telephone rings in an empty flat: three attempts, four hours apart, and no reply is no judgement (T19)."""

from shared.events import ComplaintClosed, Outcome, VisitScheduled
from shared.topics import FEEDBACK_VISITS
from tests.examples import CALLED_AT, DAY, HOUR
from tests.story import Story


async def test_answered_and_never_reached_is_closed_as_unreached(story: Story) -> None:
    await story.records()
    await story.passes(DAY)
    await story.answers()
    for _ in range(3):
        await story.nobody_answers()
        await story.passes(4 * HOUR)
    attempts = [fact for fact in story.sent(FEEDBACK_VISITS) if isinstance(fact, VisitScheduled)]
    assert [(visit.visit, visit.attempt, visit.visit_at - CALLED_AT) for visit in attempts] == [
        (1, 1, DAY),
        (1, 2, DAY + 4 * HOUR),
        (1, 3, DAY + 8 * HOUR),
    ]
    (closed,) = story.facts(ComplaintClosed)
    assert isinstance(closed, ComplaintClosed)
    assert closed.outcome is Outcome.UNREACHED, "neither solved nor satisfied"
    assert "VisitMade" not in story.told()


async def test_reached_at_the_last_attempt_the_citizens_word_counts(story: Story) -> None:
    await story.records()
    await story.answers()
    for _ in range(2):
        await story.nobody_answers()
        await story.passes(4 * HOUR)
    await story.citizen_says(solved=False)
    assert story.told()[-3:] == ["VisitMade", "ComplaintReopened", "ComplaintDispatched"]


async def test_an_answer_to_an_attempt_that_is_over_is_refused(story: Story) -> None:
    """The dialler's second try comes in before its first one, which was slow."""
    await story.records()
    await story.answers()
    first = story.visit()
    await story.nobody_answers()
    await story.passes(4 * HOUR)
    await story.nobody_answers()
    story_before = story.told()
    assert first.attempt == 1
    await story.passes(4 * HOUR)
    await story.nobody_answers()
    assert story.told()[-2:] == ["VisitUnreached", "ComplaintClosed"]
    await story.nobody_answers()
    assert story.told()[-1] == "VisitAnswerRefused"
    assert story_before.count("VisitUnreached") == 2
