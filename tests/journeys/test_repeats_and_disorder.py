"""Messages that come twice, late or in the wrong order change nothing, or wait where a person can see them."""

from itertools import permutations

import pytest
from msgspec.structs import replace

from shared.events import ComplaintWithdrawn, ReplyRefused
from shared.inputs import AnswerOrder, Input, RecordVisit, SignOrder
from shared.topics import DISPATCH_REPLIES, FEEDBACK_VISIT_RESULTS, INTAKE_REQUESTS
from tests.doors import message
from tests.examples import CALLED_AT, DAY, DUE_AT, HOUR, ID, REQUEST, SIGN_DUE_AT, STREET, WITHDRAWAL
from tests.story import Story

SIGNS = SignOrder(complaint_id=ID, assignment=1)
ANSWERS = AnswerOrder(complaint_id=ID, assignment=1, result="fixed", claims_solved=True)
JUDGES = RecordVisit(complaint_id=ID, visit=1, attempt=1, solved=True, satisfied=True)


async def test_a_life_told_twice_word_for_word_is_one_life(story: Story) -> None:
    """Every event comes again with its own id: not a fact, not even a refusal, is added."""
    lines = [
        (INTAKE_REQUESTS, REQUEST, ""),
        (DISPATCH_REPLIES, SIGNS, STREET),
        (DISPATCH_REPLIES, ANSWERS, STREET),
        (FEEDBACK_VISIT_RESULTS, JUDGES, ""),
    ]
    for number, (line, data, unit) in enumerate(lines):
        await story.tells(line, data, unit=unit, event_id=f"e{number}")
        said = await story.tells(line, data, unit=unit, event_id=f"e{number}")
        assert (said.facts, said.repeats) == (0, 1)
    for number, (line, data, unit) in enumerate(lines):
        said = await story.tells(line, data, unit=unit, event_id=f"e{number}")
        assert (said.facts, said.repeats) == (0, 1)
    assert len(story.told()) == 8
    assert story.memory.parked == {}


async def test_the_same_request_under_another_event_id_is_the_same_complaint(story: Story) -> None:
    """T1, T7: the agent's desk sent it again after a crash and no longer knew the first event's id."""
    for number in range(3):
        await story.tells(INTAKE_REQUESTS, REQUEST, event_id=f"try-{number}")
    assert story.told() == ["ComplaintReceived", "ComplaintClassified", "ComplaintDispatched"]


async def test_the_same_request_twice_in_one_batch_is_one_complaint(story: Story) -> None:
    twice = [
        message(REQUEST, "intake.requests", at=CALLED_AT, event_id=event_id, offset=offset)
        for offset, event_id in enumerate(("a", "a", "b"))
    ]
    said = await story.comes(INTAKE_REQUESTS, *twice)
    assert (said.facts, said.repeats) == (2, 1)
    assert story.told() == ["ComplaintReceived", "ComplaintClassified", "ComplaintDispatched"]


async def test_the_relay_says_everything_twice_and_nobody_acts_twice(story: Story) -> None:
    """At least once: what a desk has heard may reach it again after a crash, from the very beginning."""
    await story.records()
    await story.signs()
    await story.passes(DUE_AT + HOUR)
    await story.citizen_says(solved=False)
    before = story.told()
    for desk in ("dispatch", "feedback"):
        for _ in range(2):
            await story.relayed(desk, story.memory.facts)
    assert story.told() == before


async def test_a_desk_that_was_away_catches_up_with_all_of_it_at_once(story: Story) -> None:
    """Dispatch was down: twenty requests and a withdrawal lie in the log when it hears them in one batch."""
    for number in range(20):
        await story.tells(
            INTAKE_REQUESTS, replace(REQUEST, request_id=f"r-{number}", call_id=f"c-{number}"), heard=False
        )
    await story.tells(INTAKE_REQUESTS, replace(WITHDRAWAL, request_id="r-7"), heard=False)
    await story.hears()
    dispatched = [stored for stored in story.memory.facts if stored.type == "ComplaintDispatched"]
    assert len(dispatched) == 19, "nobody is sent out for what was taken back"


async def test_a_withdrawal_that_comes_before_its_request_waits_for_a_person(story: Story) -> None:
    """It is parked with its reason, stops nothing, and takes effect once it is released."""
    said = await story.tells(INTAKE_REQUESTS, WITHDRAWAL)
    assert (said.facts, said.parked) == (0, 1)
    ((parked_id, kept),) = story.memory.parked.items()
    assert kept.parked.reason.endswith(f"complaint {ID} is not on record")

    await story.records()
    assert story.told()[-1] == "ComplaintDispatched"

    story.memory.release(parked_id)
    (again,) = await story.desks["intake"].log.released()
    await story.comes(INTAKE_REQUESTS, again)
    assert story.told()[-1] == "ComplaintWithdrawn"


@pytest.mark.parametrize("noticed", [False, True])
async def test_a_withdrawal_released_late_counts_when_it_arrived_and_nothing_missed_since_counts(
    story: Story, noticed: bool
) -> None:
    """Decision 0013: the citizen had taken it back in time, so no limit after that was ever owed."""
    await story.tells(INTAKE_REQUESTS, WITHDRAWAL)
    await story.records()
    if noticed:
        await story.passes(SIGN_DUE_AT + HOUR)
    else:
        story.clock.move_to(SIGN_DUE_AT + HOUR)
    (parked_id,) = story.memory.parked
    story.memory.release(parked_id)
    await story.comes(INTAKE_REQUESTS, *await story.desks["intake"].log.released())
    await story.passes(DUE_AT + DAY)
    stated = ["SignLimitMissed", "ComplaintEscalated"] if noticed else []
    corrected = ["LimitMissCorrected"] if noticed else []
    assert story.told()[3:] == [*stated, "ComplaintWithdrawn", *corrected]
    (withdrawn,) = story.facts(ComplaintWithdrawn)
    assert isinstance(withdrawn, ComplaintWithdrawn)
    assert withdrawn.withdrawn_at == CALLED_AT


@pytest.mark.parametrize("data", [SIGNS, ANSWERS])
async def test_a_reply_before_the_order_is_refused_by_a_fact_and_the_unit_may_say_it_again(
    story: Story, data: Input
) -> None:
    """Dispatch has not heard of the complaint yet: there is no order, so nothing was replied to."""
    await story.tells(INTAKE_REQUESTS, REQUEST, heard=False)
    said = await story.tells(DISPATCH_REPLIES, data, unit=STREET, heard=False)
    assert (said.facts, said.parked) == (1, 0)
    (refused,) = story.facts(ReplyRefused)
    assert isinstance(refused, ReplyRefused)
    assert (refused.unit, refused.reason) == (STREET, "the complaint is not dispatched")

    await story.hears()
    assert story.told()[-1] == "ComplaintDispatched"
    await story.tells(DISPATCH_REPLIES, data, unit=STREET)
    assert {"OrderSigned", "OrderAnswered"} & set(story.told())


async def test_a_reply_the_desk_hears_before_it_was_told_of_its_own_order_is_taken(story: Story) -> None:
    """Dispatch decides on the head, not on what it has heard: what it has written it knows."""
    await story.tells(INTAKE_REQUESTS, REQUEST, heard=False)
    await story.relayed("dispatch", story.memory.facts)
    await story.tells(DISPATCH_REPLIES, SIGNS, unit=STREET, heard=False)
    assert story.told()[-1] == "OrderSigned"


async def test_a_reply_about_a_complaint_nobody_knows_is_parked_and_takes_effect_when_released(
    story: Story,
) -> None:
    said = await story.tells(DISPATCH_REPLIES, SIGNS, unit=STREET)
    assert (said.facts, said.parked) == (0, 1)
    ((parked_id, kept),) = story.memory.parked.items()
    assert kept.parked.reason.endswith(f"complaint {ID} is not on record")
    await story.records()
    story.memory.release(parked_id)
    await story.comes(DISPATCH_REPLIES, *await story.desks["dispatch"].log.released())
    assert story.told()[-1] == "OrderSigned"


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_in_whatever_order_a_signature_an_answer_and_a_judgement_come_the_life_stays_legal(
    story: Story, order: tuple[int, ...]
) -> None:
    """What comes too early is refused by a fact, never lost without a trace; in the right order it closes."""
    words = [
        (DISPATCH_REPLIES, SIGNS, STREET),
        (DISPATCH_REPLIES, ANSWERS, STREET),
        (FEEDBACK_VISIT_RESULTS, JUDGES, ""),
    ]
    await story.records()
    for place in order:
        line, data, unit = words[place]
        said = await story.tells(line, data, unit=unit)
        assert said.facts > 0
    ends_well = order.index(1) < order.index(2)
    assert ("ComplaintClosed" in story.told()) is ends_well


async def test_a_message_nobody_can_read_is_set_aside_and_the_next_one_handled(story: Story) -> None:
    broken = replace(message(REQUEST, "intake.requests", at=CALLED_AT, offset=1), value=b"{")
    sound = message(REQUEST, "intake.requests", at=CALLED_AT, offset=2)
    said = await story.comes(INTAKE_REQUESTS, broken, sound)
    assert (said.facts, said.parked) == (2, 1)
    assert story.told()[-1] == "ComplaintDispatched"
