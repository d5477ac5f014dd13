"""Escalation's door, the tick: what is due is fired once, never early, and nothing that is stuck stops the rest."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from services.escalation import due
from services.escalation.due import PASSED_OVER_SECONDS, TimersByTheLog
from services.escalation.rules import FireDeadlines, decide
from shared.complaint import Case
from shared.desk import Desk, Obeyed
from shared.events import AnswerLimitMissed, ComplaintEscalated, Fact, LimitMissCorrected, SignLimitMissed
from shared.ids import complaint_id
from shared.inputs import SignOrder
from shared.log.memory import MemoryLog
from shared.topics import DISPATCH_REPLIES, INTAKE_REQUESTS
from shared.work import Batch, Work
from tests.doors import message
from tests.examples import (
    CATALOGUE,
    DAY,
    DUE_AT,
    HOUR,
    ID,
    INSTANT,
    MINUTE,
    OTHER_STREET,
    REQUEST,
    SIGN_DUE_AT,
    STREET,
)
from tests.story import Story, _MemoryTimers


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


async def test_a_limit_that_is_over_when_it_becomes_known_is_stated_at_the_next_tick(story: Story) -> None:
    """The tick looks from a little below where it was on; a letter of three days ago lies far below that."""
    story.clock.move_to(SIGN_DUE_AT - MINUTE)
    received = story.clock.now() - 3 * DAY
    await story.ticks()
    assert isinstance(story.ticker._due, TimersByTheLog)
    assert story.ticker._due._watermark.low > received + HOUR
    letter = message(
        replace(REQUEST, request_id="letter", channel="letter", call_id=None),
        INTAKE_REQUESTS.name,
        at=received,
        offset=99,
    )
    await story.comes(INTAKE_REQUESTS, letter)
    story.id = complaint_id("letter")
    assert await story.ticks() == 1
    assert "SignLimitMissed" in story.told()


async def test_a_timer_that_says_nothing_is_looked_at_once_and_hides_no_other(story: Story) -> None:
    """Rows and heads have parted, or the act came between two reads; the complaint's other limits still count."""
    await story.signs()
    stream = next(iter(story.memory.heads))
    story.memory.timers[stream, 1] = SIGN_DUE_AT
    story.clock.move_to(SIGN_DUE_AT + INSTANT)
    assert await story.ticks() == 1
    assert await story.ticks() == 0, "it is due again, so it said nothing"
    assert await story.ticks() == 0
    del story.memory.timers[stream, 1]
    story.clock.move_to(DUE_AT + INSTANT)
    assert await story.ticks() == 1
    assert story.facts(AnswerLimitMissed, ComplaintEscalated) != []


async def test_nothing_fires_in_shards_somebody_else_owns(story: Story) -> None:
    story.ticker._owned = []
    story.clock.move_to(DUE_AT + HOUR)
    assert await story.ticks() == 0


STATED = (SignLimitMissed, AnswerLimitMissed, ComplaintEscalated, LimitMissCorrected)


def ids(story: Story) -> list[tuple[str, datetime, str]]:
    """What escalation stated: the facts' types, times and ids, whatever the order in the log."""
    names = {kind.__name__ for kind in STATED}
    return sorted((s.type, s.occurred_at, s.fact_id) for s in story.memory.facts if s.type in names)


async def led(*looks: timedelta, cause: str | None = None) -> Story:
    """Nobody signs and nobody answers; the clock is looked at so long after the limit for the answer."""
    story = Story()
    await story.records()
    for look in looks:
        story.clock.move_to(DUE_AT + look)
        if cause is None:
            await story.ticks()
        else:
            fire = FireDeadlines(complaint_id=ID, until=story.clock.now())
            await story.desks["escalation"].obey(Batch(work=[Work(fire, ID, cause)]))
    return story


async def test_the_same_miss_has_the_same_id_whoever_looked_and_when() -> None:
    """On the instants, once and late, several times, or led there by something else than a timer."""
    on_time = Story()
    await on_time.records()
    await on_time.passes(DUE_AT + HOUR)
    stated = ids(on_time)
    assert [name for name, _, _ in stated] == [
        "AnswerLimitMissed",
        "ComplaintEscalated",
        "ComplaintEscalated",
        "SignLimitMissed",
    ]
    assert len({fact_id for _, _, fact_id in stated}) == 4
    others = [
        await led(HOUR),
        await led(-DAY, HOUR),
        await led(-DAY, -HOUR, INSTANT),
        await led(HOUR, cause="somebody else who looked"),
    ]
    for other in others:
        assert ids(other) == stated
        other.holds()


async def test_a_miss_stated_after_the_late_act_has_the_id_it_would_have_had_before() -> None:
    told, late = Story(), Story()
    for story in (told, late):
        await story.records()
    await told.passes(SIGN_DUE_AT + HOUR)
    late.clock.move_to(SIGN_DUE_AT + HOUR)
    for story in (told, late):
        await story.signs()
        await story.ticks()
    assert told.told() != late.told()
    assert ids(told) == ids(late)


async def test_limits_of_other_assignments_rounds_and_complaints_have_other_ids() -> None:
    story = Story()
    for number in range(3):
        await story.records(request_id=f"r-{number}")
    await story.passes(SIGN_DUE_AT + HOUR)
    await story.gives_back(to=OTHER_STREET)
    await story.review(approves=True)
    await story.passes(DUE_AT + HOUR)
    await story.citizen_says(solved=False)
    await story.passes(30 * DAY)
    stated = ids(story)
    assert len({fact_id for _, _, fact_id in stated}) == len(stated)
    names = [name for name, _, _ in stated]
    assert (names.count("SignLimitMissed"), names.count("AnswerLimitMissed")) == (5, 4)


async def test_a_correction_follows_from_the_limit_it_corrects() -> None:
    """The act had arrived in time; whoever finds that out says it under the same id."""
    corrected = []
    for after in (MINUTE, DAY):
        story = Story()
        await story.records()
        in_time = message(
            SignOrder(complaint_id=ID, assignment=1), DISPATCH_REPLIES.of(STREET), at=SIGN_DUE_AT, offset=99
        )
        await story.passes(SIGN_DUE_AT + HOUR)
        await story.comes(DISPATCH_REPLIES, in_time)
        await story.passes(after)
        corrected += [one for one in ids(story) if one[0] == "LimitMissCorrected"]
    assert len(corrected) == 2
    assert corrected[0][2] == corrected[1][2]


def _cannot_decide(story: Story, *streams: str) -> None:
    """A rule that fails on these complaints."""

    def broken(command: FireDeadlines, case: Case) -> Sequence[Fact]:
        if command.complaint_id in streams:
            raise ZeroDivisionError
        return decide(command, case, CATALOGUE)

    log = MemoryLog(story.memory, "escalation")
    story.ticker._desk = Desk("escalation", broken, log, story.ticker._telemetry)


def _passed_over(story: Story) -> float:
    registry = story.ticker._telemetry.registry
    return registry.get_sample_value("hotline_timer_passed_over_total") or 0.0


async def test_a_complaint_that_cannot_be_decided_stops_no_other_and_is_told_of(story: Story) -> None:
    """The clock has no message to park: it passes over the complaint, and counts that for the operator."""
    others = [await story.records(request_id=f"other-{number}") for number in range(7)]
    _cannot_decide(story, others[3])
    story.clock.move_to(SIGN_DUE_AT + INSTANT)
    await story.ticks()
    missed = {stored.complaint_id for stored in story.memory.facts if stored.type == "SignLimitMissed"}
    assert missed == set(story.memory.heads) - {others[3]}
    assert _passed_over(story) == 1
    assert await story.ticks() == 0, "left alone for a while"


async def test_a_complaint_passed_over_is_tried_again_later(story: Story) -> None:
    _cannot_decide(story, story.id)
    story.clock.move_to(SIGN_DUE_AT + INSTANT)
    await story.ticks()
    assert "SignLimitMissed" not in story.told()
    _cannot_decide(story)
    story.clock.move_to(SIGN_DUE_AT + timedelta(seconds=PASSED_OVER_SECONDS))
    assert await story.ticks() == 0
    story.clock.move_to(SIGN_DUE_AT + timedelta(seconds=PASSED_OVER_SECONDS) + 2 * INSTANT)
    assert await story.ticks() == 1
    assert "SignLimitMissed" in story.told()


async def test_a_broken_head_stops_no_other_complaint(story: Story) -> None:
    broken = await story.records(request_id="broken")
    version, head_hash, _ = story.memory.heads[broken]
    story.memory.heads[broken] = (version, head_hash, "{")
    story.clock.move_to(SIGN_DUE_AT + INSTANT)
    await story.ticker.tick(_MemoryTimers(story))  # type: ignore[arg-type]  # what it asks of a connection
    missed = {stored.complaint_id for stored in story.memory.facts if stored.type == "SignLimitMissed"}
    assert missed == set(story.memory.heads) - {broken}
    assert _passed_over(story) == 1


async def test_a_page_full_of_undecidable_ones_hides_nothing_behind_it(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All due at the same instant and before the one that can be decided."""
    monkeypatch.setattr(due, "DUE_MAX", 3)
    stuck = [await story.records(request_id=f"stuck-{number}") for number in range(10)]
    for stream in stuck:
        story.memory.timers[stream, 1] = SIGN_DUE_AT - HOUR
    _cannot_decide(story, *stuck)
    story.clock.move_to(SIGN_DUE_AT + INSTANT)
    while await story.ticks():
        pass
    missed = {stored.complaint_id for stored in story.memory.facts if stored.type == "SignLimitMissed"}
    assert missed == set(story.memory.heads) - set(stuck)
    assert _passed_over(story) == len(stuck)


async def test_what_says_nothing_among_many_that_do_is_passed_over(story: Story) -> None:
    """Its silence is its own: a batch in which others spoke does not hide it."""
    await story.signs()
    (silent,) = story.memory.heads
    for number in range(3):
        await story.records(request_id=f"other-{number}")
    story.memory.timers[silent, 1] = SIGN_DUE_AT
    story.clock.move_to(SIGN_DUE_AT + INSTANT)
    assert await story.ticks() == 4
    assert await story.ticks() == 0
    assert (silent, 1) in story.memory.looks


async def test_what_a_failing_database_kept_from_firing_is_not_taken_for_silent(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.clock.move_to(SIGN_DUE_AT + INSTANT)
    desk = story.ticker._desk

    class _Away:
        telemetry = desk.telemetry

        async def obey(self, batch: Batch) -> Obeyed:
            raise ConnectionError

    monkeypatch.setattr(story.ticker, "_desk", _Away())
    with pytest.raises(ConnectionError):
        await story.ticks()
    monkeypatch.setattr(story.ticker, "_desk", desk)
    assert await story.ticks() == 1
    assert "SignLimitMissed" in story.told()
