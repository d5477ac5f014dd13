"""The limit runs out in silence: the citizen is asked all the same, says no, and the second round helps (R8)."""

from shared.events import ComplaintDispatched, ReplyRefused, VisitReason, VisitScheduled
from shared.topics import FEEDBACK_VISITS
from tests.examples import DAY, DUE_AT, HOUR, STREET
from tests.story import Story


async def test_asked_at_expiry_says_no_goes_round_again_and_is_solved(story: Story) -> None:
    await story.records()
    await story.signs()
    await story.passes(DUE_AT + HOUR)
    assert story.told()[-3:] == ["AnswerLimitMissed", "ComplaintEscalated", "VisitScheduled"]
    assert (story.visit().reason, story.visit().visit_at) == (VisitReason.EXPIRED, DUE_AT)

    await story.citizen_says(solved=False)
    assert story.told()[-3:] == ["VisitMade", "ComplaintReopened", "ComplaintDispatched"]
    again = story.order()
    assert (again.unit, again.assignment, again.round) == (STREET, 2, 2)
    assert again.citizen_due_at == DUE_AT
    assert again.unit_due_at == DUE_AT + 8 * DAY, "seven days from the day of the new order"

    await story.passes(HOUR)
    await story.answers(assignment=1)
    assert isinstance(story.facts()[-1], ReplyRefused), "an answer to the former round (T3)"
    await story.answers()
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"


async def test_a_late_answer_while_the_citizen_is_being_asked_brings_no_second_visit(story: Story) -> None:
    """T3, R8: whichever is first, once."""
    await story.records()
    await story.signs()
    await story.passes(DUE_AT + HOUR)
    await story.answers()
    assert len(story.sent(FEEDBACK_VISITS)) == 1
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"


async def test_a_citizen_who_is_content_at_expiry_ends_it_and_the_unit_is_called_off(story: Story) -> None:
    await story.records()
    await story.passes(DUE_AT + HOUR)
    await story.citizen_says(solved=True)
    await story.answers()
    assert story.told()[-2:] == ["ComplaintClosed", "ReplyRefused"]


async def test_the_second_round_has_a_limit_of_its_own_that_can_be_missed_too(story: Story) -> None:
    await story.records()
    await story.signs()
    await story.passes(DAY)
    await story.answers()
    await story.citizen_says(solved=False)
    second = story.order()
    assert isinstance(second, ComplaintDispatched)
    assert second.unit_due_at > second.citizen_due_at
    await story.signs()
    await story.passes(second.unit_due_at + HOUR)
    visits = story.sent(FEEDBACK_VISITS)
    assert [visit.round for visit in visits if isinstance(visit, VisitScheduled)] == [1, 2]
    assert story.told().count("AnswerLimitMissed") == 1
