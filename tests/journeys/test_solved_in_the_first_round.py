"""Parking in Haidian: the street signs, clears the lane, and the citizen says it is solved."""

from datetime import timedelta

from shared.events import (
    ComplaintClosed,
    ComplaintDispatched,
    OrderAnswered,
    Outcome,
    Urgency,
    VisitScheduled,
)
from shared.inputs import CallAnswered, CallEnded, CallOffered
from shared.topics import DISPATCH_ORDERS, FEEDBACK_VISITS, TELEPHONY_CALLS
from tests.examples import CALL_ENDED, CALL_OFFERED, CALL_TAKEN, CALLED_AT, DUE_AT, HOUR, MINUTE, STREET
from tests.story import Story

SECOND = timedelta(seconds=1)


async def test_a_blocked_fire_lane_is_cleared_and_the_citizen_says_so(story: Story) -> None:
    await story.records()
    assert [type(fact) for fact in story.sent(DISPATCH_ORDERS, STREET)] == [ComplaintDispatched]
    assert story.order().citizen_due_at == DUE_AT

    await story.passes(HOUR)
    await story.signs()
    await story.passes(20 * HOUR)
    await story.answers()
    assert [type(fact) for fact in story.sent(FEEDBACK_VISITS)] == [VisitScheduled]

    await story.passes(2 * HOUR)
    await story.citizen_says(solved=True)

    assert story.told() == [
        "ComplaintReceived",
        "ComplaintClassified",
        "ComplaintDispatched",
        "OrderSigned",
        "OrderAnswered",
        "VisitScheduled",
        "VisitMade",
        "ComplaintClosed",
    ]
    (closed,) = story.facts(ComplaintClosed)
    assert isinstance(closed, ComplaintClosed)
    assert (closed.outcome, closed.visit, closed.closed_at) == (Outcome.SOLVED, 1, CALLED_AT + 23 * HOUR)
    await story.passes(30 * 24 * HOUR)
    assert story.told()[-1] == "ComplaintClosed", "no clock runs on"


async def test_the_duties_can_be_read_off_a_life_and_every_fact_says_whose_it_is(story: Story) -> None:
    """R3, R17: taken up and sent on at once, handled, the citizen asked; and who stated what. The fourth duty, to act
    before being asked, is topics' and project lists'.
    """
    await story.records()
    await story.signs()
    await story.answers()
    await story.citizen_says(solved=True)
    stated = {stored.type: stored.actor for stored in story.memory.facts}
    assert stated == {
        "ComplaintReceived": "intake",
        "ComplaintClassified": "intake",
        "ComplaintDispatched": "dispatch",
        "OrderSigned": "dispatch",
        "OrderAnswered": "dispatch",
        "VisitScheduled": "feedback",
        "VisitMade": "feedback",
        "ComplaintClosed": "feedback",
    }
    assert story.order().dispatched_at == CALLED_AT
    assert all(stored.caused_by for stored in story.memory.facts)


async def test_the_call_it_came_with_is_in_the_register(story: Story) -> None:
    """The telephone's story and the complaint's meet in the call's id."""
    await story.tells(TELEPHONY_CALLS, CALL_OFFERED)
    story.clock.move_to(CALLED_AT + 15 * SECOND)
    await story.tells(TELEPHONY_CALLS, CALL_TAKEN)
    await story.records()
    story.clock.move_to(CALLED_AT + 4 * MINUTE)
    await story.tells(TELEPHONY_CALLS, CALL_ENDED)
    assert len(story.memory.effects) == len((CallOffered, CallAnswered, CallEnded))
    assert {columns[0][0] for _, columns in story.memory.effects} == {story.case().call_id}  # type: ignore[index]  # lists


async def test_a_burst_pipe_is_answered_within_two_hours(story: Story) -> None:
    """C2: 2 h for what may cost life or property; at the very limit is in time."""
    await story.records(urgency=Urgency.CRITICAL_2H, title="水管爆裂", subject="供水")
    await story.passes(10 * MINUTE)
    await story.signs()
    await story.passes(CALLED_AT + 2 * HOUR)
    await story.answers()
    await story.passes(MINUTE)
    await story.citizen_says(solved=True)
    assert "AnswerLimitMissed" not in story.told()
    (answered,) = story.facts(OrderAnswered)
    assert isinstance(answered, OrderAnswered)
    assert answered.answered_at == story.order().citizen_due_at
    assert story.told()[-1] == "ComplaintClosed"


async def test_the_unit_says_unsolved_and_the_citizen_says_solved(story: Story) -> None:
    """T18, the other way round: only the requester judges (E2)."""
    await story.records()
    await story.passes(HOUR)
    await story.answers(claims_solved=False)
    await story.passes(HOUR)
    await story.citizen_says(solved=True, satisfied=False)
    (closed,) = story.facts(ComplaintClosed)
    assert isinstance(closed, ComplaintClosed)
    assert closed.outcome is Outcome.SOLVED
