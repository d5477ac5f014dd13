"""No figure is negative, doubled, or dependent on the order of arrival (R14, T1, T7, T13).

Several lives are told at once. Each speaker's own words keep their order, as Kafka's keys keep it; whatever else lies
between them, in which batches it comes and how often it is delivered is chance.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hotline.lab.simulation.conductor import RehearsalProgress
from hotline.scoring.inhabitants import population
from hotline.scoring.life import Counted, counted
from hotline.scoring.month import Line, Tallies, published, tallied
from services.intake.response_times import Message, Response, responses
from shared import inputs
from shared.complaint import ENDS, head_of
from shared.events import ComplaintDispatched, ComplaintReceived, ComplaintTurnedAway, TurnedAway
from shared.ids import UnitId, complaint_id, derived
from shared.inputs import Input
from shared.policy.ruleset import ruleset
from shared.topics import DISPATCH_REPLIES, DISPATCH_REVIEWS, FEEDBACK_VISIT_RESULTS, INTAKE_REQUESTS, Topic
from tests import examples as eg
from tests.doors import message
from tests.examples import DAY, HOUR, MINUTE, OTHER_STREET, STREET, WATER
from tests.story import Story

AT: Final = eg.CALLED_AT
ZONE: Final = ZoneInfo("Asia/Shanghai")
SEPTEMBER: Final = date(2021, 9, 1)
RULES: Final = ruleset("beijing-draft-2021.2")


class Word(NamedTuple):
    """What somebody says, on which topic and when."""

    line: Topic
    data: Input
    at: datetime
    unit: UnitId | None = None


def records(name: str, **fields: Any) -> Word:
    request = replace(eg.REQUEST, request_id=name, **{"call_id": f"call of {name}", **fields})
    return Word(INTAKE_REQUESTS, request, AT)


def says(name: str, data: Any, after: timedelta, unit: UnitId | None = None) -> Word:
    line = DISPATCH_REPLIES if unit is not None else DISPATCH_REVIEWS
    return Word(line, replace(data, complaint_id=complaint_id(name)), AT + after, unit)


def visited(name: str, *, solved: bool, after: timedelta, visit: int = 1) -> Word:
    told = {"complaint_id": complaint_id(name), "visit": visit, "solved": solved, "satisfied": solved}
    data = replace(eg.VISIT_RESULT, **told)
    return Word(FEEDBACK_VISIT_RESULTS, data, AT + after)


def asked_again(name: str, repeat: str, after: timedelta) -> Word:
    return Word(INTAKE_REQUESTS, inputs.RepeatRequest(request_id=name, repeat_id=repeat), AT + after)


THREADS: Final[tuple[tuple[Word, ...], ...]] = (
    (
        records("solved", sent_at=AT - 2 * MINUTE, call_id=None, channel="wechat"),
        says("solved", eg.SIGN_REPLY, HOUR, STREET),
        says("solved", eg.CONTACT_REPLY, 2 * HOUR, STREET),
        says("solved", eg.ANSWER_REPLY, DAY, STREET),
        visited("solved", solved=True, after=2 * DAY),
    ),
    (
        records("whistled for", sent_at=AT - 5 * MINUTE, call_id=None, channel="wechat"),
        says("whistled for", eg.SIGN_REPLY, HOUR, STREET),
        says("whistled for", eg.WHISTLE, 2 * HOUR, STREET),
        says("whistled for", eg.WHISTLE_ARRIVED, 2 * HOUR + MINUTE, WATER),
        says("whistled for", replace(eg.WHISTLE_RELEASE, called=None), 3 * HOUR, STREET),
        says("whistled for", eg.WHISTLE_RATING, 4 * HOUR, STREET),
        says("whistled for", eg.ANSWER_REPLY, DAY, STREET),
        visited("whistled for", solved=False, after=2 * DAY),
        says("whistled for", replace(eg.ANSWER_REPLY, assignment=2), 3 * DAY, STREET),
        visited("whistled for", solved=True, visit=2, after=4 * DAY),
    ),
    (
        records("given on", street="小关街道"),
        says("given on", replace(eg.RETURN_REPLY, suggested_unit=STREET), HOUR, OTHER_STREET),
        says("given on", eg.REVIEW_RESULT, 2 * HOUR),
        says("given on", replace(eg.SIGN_REPLY, assignment=2), 3 * HOUR, STREET),
    ),
    (
        records("withdrawn"),
        Word(INTAKE_REQUESTS, inputs.WithdrawRequest(request_id="withdrawn"), AT + DAY),
    ),
    (records("late"), asked_again("late", "call-2", HOUR), asked_again("late", "call-2", 2 * HOUR)),
    (records("to the fire brigade", turned_away=TurnedAway.EMERGENCY, turned_away_to="119"),),
    (records("one operator", call_id="one call"),),
    (records("another operator", call_id="one call"),),
)
AGAIN: Final = (asked_again("solved", "call-3", HOUR), asked_again("solved", "call-4", 3 * HOUR))
"""Somebody else's words about a complaint of the first thread; they come between its record and its end."""


@dataclass(frozen=True)
class Figures:
    """All that is counted."""

    lives: dict[str, Counted | None]
    month: Tallies
    lines: list[Line]
    responses: list[Response]
    heat: dict[str, int]
    open: int
    progress: tuple[int, ...]
    subjects: Counter[str]


def figures(story: Story, name_of: dict[str, str]) -> Figures:
    """What a log comes to; the two records of one call stand under one name."""
    lives: dict[str, Counted | None] = {}
    messages: list[Message] = []
    heat: dict[str, int] = {}
    going_on: list[str] = []
    subjects: Counter[str] = Counter()
    for stream, (_, _, text) in sorted(story.memory.heads.items()):
        story.id = stream  # type: ignore[assignment]
        facts = story.facts()
        case = head_of(text)
        one = counted(facts, ZONE)
        assert one is not None
        received = facts[0]
        assert isinstance(received, ComplaintReceived)
        if isinstance(received.sent_at, datetime):
            messages.append(Message(received.channel, received.sent_at, received.received_at))
        name = name_of[received.request_id]
        if case.ended is None or not case.ended.twice:
            assert name not in lives, "one call, one complaint"
            lives[name] = one
            heat[name] = case.heat
            subjects[case.subject] += 1
        assert (case.ended is not None) == (sum(isinstance(fact, ENDS) for fact in facts) == 1)
        if case.ended is None:
            going_on.append(name)
    every = [one for one in (counted(_of(story, stream), ZONE) for stream in story.memory.heads) if one]
    month = tallied([(one, 1) for one in every], SEPTEMBER)
    lines = published(
        month, None, month=SEPTEMBER, rules=RULES.score, catalogue=eg.CATALOGUE, population=population()
    )
    progress = RehearsalProgress(
        city_at=AT,
        elapsed_seconds=0.0,
        inputs={},
        facts=Counter(fact.type for fact in story.memory.facts),
        planned=0,
        lag=0,
    )
    assert progress.open == len(going_on)
    told = (progress.open, progress.ended, progress.dispatched, progress.overdue, progress.escalated)
    answered = responses(messages, RULES.messages)
    return Figures(
        lives,
        month,
        lines,
        answered,
        heat,
        len(going_on),
        (*told, progress.visited, progress.closed),
        subjects,
    )


def _of(story: Story, stream: str) -> Any:
    story.id = stream  # type: ignore[assignment]
    return story.facts()


def sane(found: Figures) -> None:
    """Nothing below zero, nothing above the whole it is a part of, and each request counted once."""
    for tally in found.month.units.values():
        assert 0 <= tally.satisfied <= tally.visited <= tally.countable
        assert 0 <= tally.solved <= tally.visited
        assert 0 <= tally.responded <= tally.countable
        assert 0 <= tally.arrived <= tally.called
        assert 0 <= tally.whistled <= tally.countable
        assert min([tally.stars, tally.ratings, *tally.left_out.values()], default=0) >= 0
    assert sum(number for *_, number in found.month.requests) == len(found.lives)
    for line in found.lines:
        rates = (line.response_rate, line.resolution_rate, line.satisfaction_rate, line.score)
        assert all(rate is None or 0 <= rate <= 100 for rate in rates)
    for one in found.responses:
        assert 0 <= one.in_time <= one.messages
        assert one.average_seconds is None or one.average_seconds >= 0
    assert min(found.progress) >= 0
    assert found.open <= len(found.lives)


async def lived(chance: Random) -> tuple[Story, Figures]:
    """All threads, interleaved by chance, in batches by chance; delivered and heard again by chance."""
    story = Story(ruleset="beijing-draft-2021.2")
    story.clock.move_to(AT + 5 * DAY)
    waiting = [list(thread) for thread in THREADS]
    again = list(AGAIN)
    told: list[Any] = []
    offset = 0
    while any(waiting) or again:
        batch = []
        ready = [
            thread
            for thread in waiting
            if thread and not (again and thread is waiting[0] and len(thread) == 1)
        ]
        for thread in chance.sample(ready, chance.randint(1, len(ready))) if ready else []:
            batch.append(thread.pop(0))
        if again and len(waiting[0]) < len(THREADS[0]) and (chance.random() < 0.3 or not ready):
            batch.append(again.pop(chance.randrange(len(again))))
        for line in {word.line: None for word in batch}:
            messages = []
            for word in batch:
                if word.line is not line:
                    continue
                offset += 1
                topic = line.of(word.unit or STREET) if line.per_unit else line.name
                one = message(word.data, topic, at=word.at, event_id=derived(repr(word)), offset=offset)
                messages += [one] * chance.choice((1, 1, 2))
                told.append((line, one))
            await story.comes(line, *messages)
        if chance.random() < 0.3:
            await story.comes(*chance.choice(told))
            heard = chance.choice(story.memory.facts)
            for desk in ("dispatch", "feedback"):
                await story.relayed(desk, [heard])
            await story.hears()
    await story.passes(AT + 10 * DAY)
    names = {word.data.request_id: word.data.request_id for thread in THREADS for word in thread[:1]}  # type: ignore[attr-defined]
    names["another operator"] = "one operator"
    assert story.memory.parked == {}
    story.holds()
    return story, figures(story, names)


def expected() -> Figures:
    _, found = asyncio.run(lived(Random(0)))
    sane(found)
    return found


EXPECTED: Final = expected()


def test_the_figures_are_those_of_what_happened() -> None:
    """R11, R14, T7: by hand, so that what is compared below is not nothing."""
    assert EXPECTED.heat == {**dict.fromkeys(EXPECTED.lives, 1), "late": 2, "solved": 3}
    assert set(EXPECTED.month.units) == {STREET, OTHER_STREET, WATER}
    street = EXPECTED.month.units[STREET]
    assert (street.countable, street.responded, street.visited, street.solved) == (2, 2, 2, 2)
    assert (street.left_out, street.whistled) == ({"withdrawn": 1}, 1)
    water = EXPECTED.month.units[WATER]
    assert (water.called, water.arrived, water.stars, water.ratings) == (1, 1, 5, 1)
    assert sum(number for *_, number in EXPECTED.month.requests) == 7
    assert [(one.channel, one.messages, one.in_time) for one in EXPECTED.responses if one.messages] == [
        ("wechat", 2, 1)
    ]


@given(st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_told_in_another_order_in_other_batches_and_more_than_once_every_figure_is_the_same(
    seed: int,
) -> None:
    """R14, T13: of the two records of a call either is the first."""
    story, found = asyncio.run(lived(Random(seed)))
    sane(found)
    assert found == EXPECTED
    twice = [fact for stream in story.memory.heads for fact in _of(story, stream) if _is_twice(fact)]
    orders = [fact for stream in story.memory.heads for fact in _of(story, stream)]
    assert len(twice) == 1
    assert sum(isinstance(fact, ComplaintDispatched) and fact.round == 1 for fact in orders) == 7


def _is_twice(fact: object) -> bool:
    return isinstance(fact, ComplaintTurnedAway) and fact.how is TurnedAway.RECORDED_TWICE
