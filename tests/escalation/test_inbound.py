"""Escalation's door, the tick: what is due is fired once, never early, and nothing that is stuck stops the rest."""

import pytest

from services.escalation.commands import FireDeadlines
from services.escalation.inbound import WATERMARK_SLACK
from shared.complaint import Case
from shared.desk import Desk
from shared.events import ComplaintEscalated, Fact, FeedbackLimitMissed, SignLimitMissed
from shared.log.memory import MemoryLog
from shared.telemetry import Telemetry
from tests.examples import DUE_AT, HOUR, INSTANT, MINUTE, SIGN_DUE_AT
from tests.story import Story


@pytest.fixture
async def story() -> Story:
    """One order nobody has signed."""
    begun = Story()
    await begun.records()
    return begun


async def test_a_tick_before_the_limit_and_on_its_last_instant_fires_nothing(story: Story) -> None:
    for at in (SIGN_DUE_AT - HOUR, SIGN_DUE_AT):
        story.clock.move_to(at)
        assert await story.ticks() == 0
    assert story.told()[-1] == "ComplaintDispatched"


async def test_the_first_tick_after_the_limit_fires_and_the_next_one_does_not(story: Story) -> None:
    story.clock.move_to(SIGN_DUE_AT + INSTANT)
    assert await story.ticks() == 1
    assert story.told()[-2:] == ["SignLimitMissed", "ComplaintEscalated"]
    assert await story.ticks() == 0


async def test_what_was_noticed_says_when_and_by_which_timer(story: Story) -> None:
    story.clock.move_to(SIGN_DUE_AT + HOUR)
    await story.ticks()
    (missed,) = story.facts(SignLimitMissed)
    assert isinstance(missed, SignLimitMissed)
    assert (missed.missed_at, missed.noticed_at) == (SIGN_DUE_AT, SIGN_DUE_AT + HOUR)
    assert story.memory.facts[-1].caused_by == f"clock/{SIGN_DUE_AT.isoformat()}"


async def test_many_overdue_complaints_are_one_transaction(story: Story) -> None:
    """A batch is the unit of I/O for the clock as well."""
    for number in range(30):
        await story.records(request_id=f"other-{number}")
    story.clock.move_to(SIGN_DUE_AT + INSTANT)
    assert await story.ticks() == 31
    assert len([stored for stored in story.memory.facts if stored.type == "SignLimitMissed"]) == 31


async def test_an_overdue_complaint_behind_many_that_are_not_is_found(story: Story) -> None:
    story.clock.move_to(SIGN_DUE_AT)
    for number in range(100):
        await story.records(request_id=f"newer-{number}")
    story.clock.move_to(SIGN_DUE_AT + INSTANT)
    assert await story.ticks() == 1


async def test_a_timer_set_late_into_the_past_is_found_below_the_watermark(story: Story) -> None:
    """The tick looks a little below where it was; what lies deeper is found by the full look."""
    story.clock.move_to(SIGN_DUE_AT - MINUTE)
    await story.ticks()
    stream = next(iter(story.memory.heads))
    story.memory.timers[stream, 1] = SIGN_DUE_AT - MINUTE - WATERMARK_SLACK - HOUR
    story.clock.move_to(SIGN_DUE_AT + INSTANT)
    assert await story.ticks() == 1
    assert "SignLimitMissed" in story.told()


async def test_a_timer_that_says_nothing_is_looked_at_once_and_hides_no_other(story: Story) -> None:
    """Rows and heads have parted, or the act came between two reads; the complaint's other limits still count."""
    await story.signs()
    stream = next(iter(story.memory.heads))
    story.memory.timers[stream, 1] = SIGN_DUE_AT
    story.clock.move_to(SIGN_DUE_AT + INSTANT)
    assert await story.ticks() == 1
    assert await story.ticks() == 0, "known to say nothing"
    del story.memory.timers[stream, 1]
    story.clock.move_to(DUE_AT + INSTANT)
    assert await story.ticks() == 1
    assert story.facts(FeedbackLimitMissed, ComplaintEscalated) != []


async def test_nothing_fires_in_shards_somebody_else_owns(story: Story) -> None:
    story.ticker._owned = []
    story.clock.move_to(DUE_AT + HOUR)
    assert await story.ticks() == 0


async def test_a_complaint_that_cannot_be_decided_is_an_error_the_operator_hears_of(story: Story) -> None:
    """The clock has no message to park: what fails here is a bug and must not be passed over."""

    def broken(command: FireDeadlines, case: Case) -> list[Fact]:
        raise ZeroDivisionError

    story.ticker._desk = Desk(
        "escalation", broken, MemoryLog(story.memory, "escalation"), Telemetry("escalation")
    )
    story.clock.move_to(SIGN_DUE_AT + INSTANT)
    with pytest.raises(ZeroDivisionError):
        await story.ticks()


async def test_what_lies_below_the_watermark_is_found_although_every_tick_finds_something_above_it(
    story: Story,
) -> None:
    """Where timers fire all the time no tick is ever idle; waiting for one would mean never to look."""
    await story.ticks()
    late = next(iter(story.memory.heads))
    story.clock.move_to(SIGN_DUE_AT + HOUR)
    story.ticker._low = story.clock.now() - WATERMARK_SLACK
    await story.records(request_id="other")
    (other,) = set(story.memory.heads) - {late}
    story.memory.timers[other, 1] = story.clock.now() - INSTANT
    assert await story.ticks() == 2
    assert [stored.complaint_id for stored in story.memory.facts if stored.type == "SignLimitMissed"] == [
        late
    ]
