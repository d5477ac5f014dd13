"""An order nobody takes on climbs from the street to the district to the municipality, and is still answered."""

from shared.events import ComplaintEscalated, Level, Urgency
from shared.inputs import SignOrder
from shared.topics import DISPATCH_REPLIES, ESCALATION_NOTICES
from tests.doors import message
from tests.examples import CALLED_AT, DAY, DISTRICT, DUE_AT, HOUR, ID, MINUTE, SIGN_DUE_AT, SUPERVISION
from tests.story import Story


def told_to(story: Story) -> list[tuple[str, str]]:
    """Whom supervision and districts find on their topic, and at which level."""
    return [
        (fact.told, fact.to_level)
        for fact in story.sent(ESCALATION_NOTICES)
        if isinstance(fact, ComplaintEscalated)
    ]


async def test_nobody_signs_nobody_answers_and_the_municipality_has_it_solved(story: Story) -> None:
    await story.records()
    await story.passes(SIGN_DUE_AT)
    assert story.sent(ESCALATION_NOTICES) == [], "on the last instant it is still in time"

    await story.passes(HOUR)
    assert told_to(story) == [(DISTRICT, Level.DISTRICT)]
    await story.passes(DAY)
    assert told_to(story) == [(DISTRICT, Level.DISTRICT), (SUPERVISION, Level.MUNICIPAL)]

    await story.passes(DUE_AT + HOUR)
    assert len(told_to(story)) == 2, "above the municipality there is nobody"
    assert story.told()[-2:] == ["AnswerLimitMissed", "VisitScheduled"], "and the citizen is asked (R8)"

    for _ in range(3):
        await story.nobody_answers()
        await story.passes(4 * HOUR)
    assert story.told()[-1] == "VisitUnreached", "unreached and unanswered: it stays open"

    await story.answers()
    assert story.visit().visit == 2, "the answer comes, so the citizen is asked again"
    await story.citizen_says(solved=True)
    assert story.told()[-1] == "ComplaintClosed"
    assert story.case().level is Level.MUNICIPAL


async def test_the_facts_do_not_depend_on_how_often_the_clock_was_looked_at(story: Story) -> None:
    """Complete in time: one look after ten days states what a look every minute would have stated."""
    await story.records()
    story.clock.move_to(CALLED_AT + 10 * DAY)
    await story.ticks()
    patient = Story()
    await patient.records()
    for day in range(1, 11):
        await patient.passes(CALLED_AT + day * DAY)
    assert [stored.occurred_at for stored in story.memory.facts] == [
        stored.occurred_at for stored in patient.memory.facts
    ]
    assert story.told() == patient.told()
    patient.holds()


async def test_a_signature_stops_the_climb_and_the_next_miss_goes_on_from_there(story: Story) -> None:
    await story.records()
    await story.passes(SIGN_DUE_AT + HOUR)
    await story.signs()
    await story.passes(5 * DAY)
    assert told_to(story) == [(DISTRICT, Level.DISTRICT)]
    await story.passes(DUE_AT + HOUR)
    assert told_to(story) == [(DISTRICT, Level.DISTRICT), (SUPERVISION, Level.MUNICIPAL)]


async def test_what_may_cost_lives_climbs_within_the_hour(story: Story) -> None:
    """The steps of the ladder are the rule set's, by urgency."""
    await story.records(urgency=Urgency.CRITICAL_2H)
    await story.passes(CALLED_AT + 16 * MINUTE)
    assert told_to(story) == [(DISTRICT, Level.DISTRICT)]
    await story.passes(CALLED_AT + 76 * MINUTE)
    assert told_to(story) == [(DISTRICT, Level.DISTRICT), (SUPERVISION, Level.MUNICIPAL)]


async def test_a_late_waterworks_has_only_the_municipality_above_it(story: Story) -> None:
    await story.records(subject="供水")
    await story.passes(SIGN_DUE_AT + HOUR)
    assert told_to(story) == [(SUPERVISION, Level.MUNICIPAL)]


async def test_a_signature_that_lay_in_the_broker_in_time_is_put_right(story: Story) -> None:
    """T5, T6: the timer was faster than the message; the miss stays on record and does not count."""
    await story.records()
    order = story.order()
    await story.passes(SIGN_DUE_AT + MINUTE)
    # The message's own time: it had arrived then.
    in_time = message(
        SignOrder(complaint_id=ID, assignment=1), DISPATCH_REPLIES.of(order.unit), at=SIGN_DUE_AT, offset=99
    )
    await story.comes(DISPATCH_REPLIES, in_time)
    await story.passes(MINUTE)
    assert story.told()[3:] == ["SignLimitMissed", "ComplaintEscalated", "OrderSigned", "LimitMissCorrected"]
    await story.passes(2 * DAY)
    assert story.told()[-1] == "LimitMissCorrected", "and the ladder has ended"
