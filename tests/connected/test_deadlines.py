"""Limits in the running city: stated once, on time and never early, by whom nobody reminded."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import pytest

from deploy.embedded.stack import Addresses
from shared.events import (
    AnswerLimitMissed,
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintEscalated,
    Level,
    LimitMissCorrected,
    SignLimitMissed,
    Urgency,
    VisitReason,
    VisitScheduled,
)
from shared.events.base import Limit
from shared.topics import ESCALATION_NOTICES, FEEDBACK_VISITS
from tests.city import DISTRICT_UNIT, SUPERVISION, UNIT, City, open_city, until
from tests.sources import Databases

pytestmark = pytest.mark.connected


@pytest.fixture(scope="module")
async def hasty(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[City]:
    """A city in real time where each request brings its own limit, so that it can be seconds away."""
    async with open_city(
        stack, databases, tmp_path_factory.mktemp("hasty"), ruleset="boston-311-2011"
    ) as made:
        await made.start()
        yield made


def _soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def test_one_overdue_complaint_behind_a_hundred_newer_ones_escalates_once_and_never_early(
    hasty: City, measured: Callable[[str], None]
) -> None:
    began, later = datetime.now(UTC), _soon(3600)
    for stream in [await hasty.record(f"warm-{number}", given_due_at=later) for number in range(5)]:
        await hasty.until_fact(stream, ComplaintDispatched)
    # All below is recorded before the limit, however slow the machine is.
    due_at = datetime.now(UTC) + max(timedelta(seconds=3), 20 * (datetime.now(UTC) - began))
    overdue = await hasty.record("overdue", given_due_at=due_at)
    newer = await asyncio.gather(
        *(hasty.record(f"newer-{number}", given_due_at=later) for number in range(95))
    )
    for stream in (overdue, *newer):
        await hasty.until_fact(stream, ComplaintDispatched)
    wait_seconds = (due_at - datetime.now(UTC)).total_seconds() + 60
    escalated = await hasty.until_fact(overdue, ComplaintEscalated, within=wait_seconds)
    missed = next(told for told in await hasty.facts(overdue) if told.type == AnswerLimitMissed.__name__)
    assert missed.fact.due_at == missed.fact.missed_at == escalated.fact.escalated_at == due_at
    assert missed.recorded_at > due_at  # how soon after it is measured, below
    assert missed.fact.noticed_at > due_at
    assert (escalated.fact.to_level, escalated.fact.told, escalated.fact.unit) == (
        Level.DISTRICT,
        DISTRICT_UNIT,
        UNIT,
    )
    measured(
        f"deadlines: stated {(missed.recorded_at - due_at).total_seconds() * 1000:.0f} ms after the limit"
    )

    visit = await hasty.until_fact(overdue, VisitScheduled)
    assert visit.fact.reason is VisitReason.EXPIRED  # R8: the citizen is asked at expiry, answer or not
    await asyncio.sleep(0.6)  # three ticks more
    by_type = Counter(told.type for told in await hasty.facts())
    assert (by_type["AnswerLimitMissed"], by_type["ComplaintEscalated"], by_type["VisitScheduled"]) == (
        1,
        1,
        1,
    )
    assert await hasty.value("SELECT count(*) FROM es.timer WHERE kind = 2") == 100

    notices = await hasty.messages(hasty.topic(ESCALATION_NOTICES), count=1)
    assert [notice.key.decode() for notice in notices] == [overdue]
    assert msgspec.json.decode(notices[0].value)["told"] == DISTRICT_UNIT
    visits = await hasty.messages(hasty.topic(FEEDBACK_VISITS), count=1)
    assert [asked.key.decode() for asked in visits] == [overdue]

    await hasty.visit(overdue)
    closed = await hasty.until_fact(overdue, ComplaintClosed)
    assert closed.fact.recalled_unit == UNIT


async def test_a_hundred_limits_in_one_instant_are_each_stated_once(hasty: City) -> None:
    due_at = _soon(3)
    streams = await asyncio.gather(*(hasty.record(f"at once-{n}", given_due_at=due_at) for n in range(100)))
    missed = [await hasty.until_fact(stream, AnswerLimitMissed) for stream in streams]
    assert all(told.recorded_at > due_at for told in missed)
    for stream in streams:
        await hasty.until_fact(stream, VisitScheduled)
        story = Counter(await hasty.story(stream))
        assert (story["AnswerLimitMissed"], story["ComplaintEscalated"], story["VisitScheduled"]) == (
            1,
            1,
            1,
        )


async def test_an_answer_that_reached_the_broker_in_time_is_in_time_though_the_miss_was_stated_first(
    hasty: City,
) -> None:
    """Dispatch is held up over the limit; its answer lies in Kafka with the broker's time on it."""
    due_at = _soon(3)
    stream = await hasty.record("in time", given_due_at=due_at)
    await hasty.until_fact(stream, ComplaintDispatched)
    hasty.signal("dispatch", signal.SIGSTOP)
    try:
        await hasty.answer(stream)
        assert datetime.now(UTC) < due_at
        missed = await hasty.until_fact(stream, AnswerLimitMissed)
        assert (
            await hasty.value(
                "SELECT count(*) FROM es.event WHERE type = 'OrderAnswered' AND stream_id = $1", stream
            )
            == 0
        )
    finally:
        hasty.signal("dispatch", signal.SIGCONT)
    corrected = await hasty.until_fact(stream, LimitMissCorrected)
    assert corrected.fact.limit is Limit.ANSWER
    assert corrected.fact.due_at == due_at
    assert corrected.fact.done_at < due_at < corrected.fact.corrected_at
    assert missed.version < corrected.version  # nothing is erased


async def test_every_life_here_is_legal(hasty: City) -> None:
    await hasty.settled()
    await hasty.verify()


T0: Final = datetime(2021, 9, 24, 2, 0, tzinfo=UTC)  # ten in the morning in Beijing


async def _said(city: City, stream: str) -> list[tuple[str, Any]]:
    return [(told.type, told.fact) for told in await city.facts(stream) if told.actor == "escalation"]


async def test_a_complaint_nobody_signed_climbs_the_ladder_and_its_citizen_is_asked(
    city: Callable[..., Any],
) -> None:
    """In city time, moved by hand: a water pipe burst (two hours), and the unit never says a word."""
    rehearsal = await city(lived=True, at=T0)
    await rehearsal.start()
    burst = await rehearsal.record("burst", at=T0, urgency=Urgency.CRITICAL_2H)
    calm = [await rehearsal.record(f"calm-{n}", at=T0) for n in range(20)]
    for stream in (burst, *calm):
        await rehearsal.until_fact(stream, ComplaintDispatched)

    await rehearsal.clock_to(T0 + timedelta(minutes=15))  # the last instant in time
    await rehearsal.settled()
    assert await _said(rehearsal, burst) == []

    await rehearsal.clock_to(T0 + timedelta(minutes=15, microseconds=1))
    await rehearsal.until_fact(burst, ComplaintEscalated)
    (_, missed), (_, district) = await _said(rehearsal, burst)
    assert (missed.missed_at, missed.unit, missed.assignment) == (T0 + timedelta(minutes=15), UNIT, 1)
    assert (district.to_level, district.told, district.because) == (Level.DISTRICT, DISTRICT_UNIT, Limit.SIGN)

    await rehearsal.clock_to(T0 + timedelta(hours=1, minutes=16))
    municipal = (await rehearsal.until_fact(burst, ComplaintEscalated, count=2)).fact
    assert (municipal.to_level, municipal.told) == (Level.MUNICIPAL, SUPERVISION)
    assert municipal.escalated_at == T0 + timedelta(hours=1, minutes=15)
    assert municipal.next_at is None

    await rehearsal.clock_to(T0 + timedelta(hours=2, minutes=1))
    await rehearsal.until_fact(burst, VisitScheduled)
    assert [kind for kind, _ in await _said(rehearsal, burst)] == [
        "SignLimitMissed",
        "ComplaintEscalated",
        "WarningGiven",
        "ComplaintEscalated",
        "SupervisionOpened",
        "WarningGiven",
        "AnswerLimitMissed",
    ]
    assert [await _said(rehearsal, stream) for stream in calm] == [[]] * len(calm)

    await rehearsal.clock_to(T0 + timedelta(days=9))  # over every limit of the calm ones in one step
    for stream in calm:
        await rehearsal.until_fact(stream, AnswerLimitMissed)
        facts = await _said(rehearsal, stream)
        assert [kind for kind, _ in facts] == [
            "SignLimitMissed",
            "ComplaintEscalated",
            "ComplaintEscalated",
            "SupervisionOpened",
            "SupervisionMissed",
            "WarningGiven",
            "WarningGiven",
            "AnswerLimitMissed",
        ]
        assert facts[0][1].missed_at == T0 + timedelta(hours=8)
        assert facts[2][1].escalated_at == T0 + timedelta(hours=32)  # each on its instant, not when noticed

    async def asked() -> bool:
        return bool(
            await rehearsal.value("SELECT count(*) FROM es.event WHERE type = 'VisitScheduled'")
            == 1 + len(calm)
        )

    await until(asked, what="a visit for each")
    await rehearsal.settled()
    by_type = await rehearsal.verify()
    assert by_type[SignLimitMissed.__name__] == 1 + len(calm)
