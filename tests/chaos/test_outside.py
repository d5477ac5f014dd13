"""Those outside who do not behave do what is said of them, and the run sees where a desk does not bear it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, Final

import pytest
from aiokafka.errors import KafkaTimeoutError

from hotline.lab.acknowledged import lost
from hotline.lab.chaos import batches
from hotline.lab.chaos.faults import faults
from hotline.lab.chaos.judgement import DOUBLED
from hotline.lab.chaos.letters import LEFT, unstated, written
from hotline.lab.chaos.monkey import ONE_IN, drawn
from hotline.lab.chaos.nonsense import PARKED, ParkedCount, Piece, amiss
from hotline.lab.chaos.outside import NONSENSE_THERE_MAX, SILENT_LINE, Outside
from hotline.lab.chaos.run import Closing
from hotline.lab.chaos.times import CANNOT_BE, Timed, inputs_with
from hotline.lab.simulation.conductor import Conductor
from hotline.lab.simulation.planned_input import OutwardMessage, PlannedInput, Reaction
from hotline.lab.simulation.population import Beijing
from shared.cloudevents import event_of
from shared.events import AnswerLimitMissed, ComplaintClosed, ComplaintDispatched, SignLimitMissed
from shared.inputs import INPUTS, Input
from shared.log import Incoming
from shared.plausible import TIME_FIELDS, timely
from shared.policy.catalogue import catalogue
from shared.runtime.errors import BadInput
from shared.topics import DISPATCH_ORDERS, TOPICS
from tests import examples as eg
from tests.city import City, until
from tests.desks import small_catalogue
from tests.doors import clock

PRESENT: Final = datetime(2025, 3, 3, tzinfo=UTC)
KINDS: Final = sorted(INPUTS.values(), key=lambda kind: kind.TYPE)


def incoming(timed: Timed) -> Incoming:
    value, headers = timed.message("/chaos", "1")
    return Incoming("topic", 0, 0, int(eg.CALLED_AT.timestamp() * 1000), b"key", tuple(headers), value)


# -- what is drawn


@pytest.mark.parametrize("seed", range(20))
def test_a_short_run_has_had_everything_that_no_run_goes_without(seed: int) -> None:
    known = faults(disk=False)
    needed = {fault.name for fault in known if fault.in_every_run}
    assert {"a backlog of letters", "times that cannot be, on every door", "nonsense on every door"} <= needed
    first = list(islice(drawn(known, Random(seed)), ONE_IN * len(needed)))
    assert needed <= {fault.name for fault in first}
    assert first == list(islice(drawn(known, Random(seed)), ONE_IN * len(needed)))
    later = Counter(fault.name for fault in islice(drawn(known, Random(seed)), 5000))
    assert set(later) == {fault.name for fault in known}


# -- times that cannot be


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.TYPE)
def test_of_each_input_there_is_a_sample_that_is_good_but_for_its_time(kind: type[Input]) -> None:
    near = eg.CALLED_AT.isoformat()
    for structured in (False, True):
        good = incoming(Timed(kind=kind, time=near, field="", near=eg.CALLED_AT, structured=structured))
        event = event_of(good, (kind,))
        assert timely(event, good, clock()) == eg.CALLED_AT
        for time in CANNOT_BE:
            timed = Timed(kind=kind, time=time, field="", near=eg.CALLED_AT, structured=structured)
            with pytest.raises(BadInput, match=f"^{timed.named}") as told:
                timely(event_of(incoming(timed), (kind,)), incoming(timed), clock())
            assert time[:4] in str(told.value)


def test_each_time_of_the_data_has_its_turn_at_every_throw() -> None:
    (kinds,) = (line.carries for line in TOPICS if line.name == "intake.requests")
    found = {timed.field for timed in inputs_with(CANNOT_BE[0], kinds, Random(1), near=PRESENT)}  # type: ignore[arg-type]
    assert found == {"", *(".".join(steps) for kind in kinds for steps, _ in TIME_FIELDS[kind])}  # type: ignore[index]
    assert {"sent_at", "given_due_at"} <= found


def test_a_door_at_which_nobody_else_speaks_is_not_made_to_stop() -> None:
    """A topic that brings nothing but nonsense stops, and rightly: then it would not be parked."""
    outside = Outside("nowhere", "", small_catalogue(), PRESENT)
    for _ in range(NONSENSE_THERE_MAX):
        assert SILENT_LINE.name in outside._patient()
        outside._note(SILENT_LINE, b"poison", Piece(1))
    assert SILENT_LINE.name not in outside._patient()
    assert len(outside._patient()) > 1


# -- how nonsense must have been parked


def test_nonsense_is_parked_once_by_each_who_heard_it() -> None:
    told = {b"poison-0": Piece(1), b"poison-1": Piece(2)}
    assert amiss(told, {b"poison-0": ParkedCount(1, "x"), b"poison-1": ParkedCount(2, "y")}) == []
    assert amiss(told, {b"poison-0": ParkedCount(2, "x"), b"poison-1": ParkedCount(1, "y")}) == [
        "poison-0: parked 2 times, not 1",
        "poison-1: parked 1 times, not 2",
    ]
    assert amiss({b"poison-0": Piece(1)}, {}) == ["poison-0: parked 0 times, not 1"]


def test_nonsense_sent_again_may_be_there_twice_and_by_each_desk_as_often() -> None:
    told = {b"poison-0": Piece(2, again=1)}
    found = {times: amiss(told, {b"poison-0": ParkedCount(times, "x")}) for times in range(7)}
    assert [times for times, wrong in found.items() if not wrong] == [2, 4]


def test_what_is_parked_for_another_reason_than_its_field_and_what_is_no_nonsense_are_named() -> None:
    told = {b"poison-0": Piece(1, "header ce_time: ")}
    assert amiss(told, {b"poison-0": ParkedCount(1, "header ce_time: 0001-…")}) == []
    assert len(amiss(told, {b"poison-0": ParkedCount(1, "value: not JSON")})) == 1
    good = {
        b"poison-0": ParkedCount(1, "header ce_time: 0001-…"),
        b"a request": ParkedCount(1, "x"),
        None: ParkedCount(1, "y"),
    }
    assert amiss(told, good) == ["b'a request': x", "None: y"]


# -- letters


def test_every_letter_came_long_before_and_most_have_a_limit_that_is_over() -> None:
    letters = list(written(small_catalogue(), Random(1), iter(range(300)), PRESENT))
    assert len({letter.complaint for letter in letters}) == 300
    ages = [PRESENT - letter.received_at for letter in letters]
    assert timedelta(days=1) <= min(ages) < timedelta(days=7)
    assert timedelta(days=30) < max(ages) <= timedelta(days=60)


def test_nobody_acts_on_a_letter_before_he_can_have_read_it() -> None:
    lives = Closing(Beijing(small_catalogue(), seed=1, scale=0, day=PRESENT), PRESENT)
    now = PRESENT + timedelta(hours=2)
    lives.first_inputs(now)
    lives.first_inputs(now + timedelta(minutes=10))
    order = eg.DISPATCHED
    then = OutwardMessage(DISPATCH_ORDERS, order.unit, order)
    assert order.dispatched_at < PRESENT
    planned_inputs = lives.react(then).planned_inputs
    assert planned_inputs
    assert {planned_input.at for planned_input in planned_inputs} == {now}


# -- in a city


async def _rehearsed(city: Callable[..., Awaitable[City]]) -> tuple[City, Outside]:
    town = await city(lived=True, at=PRESENT)
    known = catalogue(str(town.folder / "catalogue.json"))
    return town, Outside(town.endpoints.kafka, town.endpoints.prefix, known, PRESENT - timedelta(days=1))


@pytest.mark.connected
async def test_letters_are_recorded_and_what_is_over_is_stated_at_the_next_tick(
    city: Callable[..., Awaitable[City]],
) -> None:
    town, outside = await _rehearsed(city)
    await town.start("intake", "dispatch", "relay")
    try:
        streams = await outside.backlog(Random(1), 300, PRESENT)
        sent = "SELECT count(*) FROM es.event WHERE type = 'ComplaintDispatched'"
        await until(lambda: _is(town, sent, 300), within=60, what="every letter sent on")
        reader = town.endpoints.logins["reader"]
        # As long as nobody looks at the clock the run would say so, of every letter.
        assert await town.value(LEFT, streams, PRESENT) == 300
        found = await unstated(reader, outside.letters)
        assert {line.partition(":")[0] for line in found} == set(streams)
        await town.start("escalation", "feedback")
        await until(lambda: _none_left(town, streams), within=60, what="every limit that is over stated")
        assert await unstated(reader, outside.letters) == []
        assert await lost(reader, town.endpoints.prefix, outside.acknowledged) == []
        assert len(outside.acknowledged) == 300
        await town.settled(within=60)
        counted = await town.verify()
    finally:
        await outside.close()
    assert counted[SignLimitMissed.__name__] == 300
    assert 0 < counted[AnswerLimitMissed.__name__] <= 300
    assert await town.parked() == []
    assert town.said == [], "nobody is started again for it"


@pytest.mark.connected
async def test_a_doubled_effect_is_seen_and_a_limit_stated_and_later_corrected_is_none(
    city: Callable[..., Awaitable[City]],
) -> None:
    """A miss and its correction are of the same instant; whatever else one cause leads to is one transaction's."""
    town, outside = await _rehearsed(city)
    await town.start()
    try:
        streams = await outside.backlog(Random(1), 20, PRESENT)
        await until(lambda: _none_left(town, streams), within=60, what="every limit that is over stated")
    finally:
        await outside.close()
    await town.settled()
    assert await town.sql(DOUBLED) == []

    async def planted(version: int, of: str, kind: str) -> None:
        """Once more by the same cause, in a transaction of its own."""
        await town.sql(
            "INSERT INTO es.event (stream_id, version, event_id, type, schema_version, occurred_at, caused_by, actor,"
            " body, hash) SELECT stream_id, $1, gen_random_uuid(), $3, schema_version, occurred_at, caused_by, actor,"
            " body, hash FROM es.event WHERE type = $2 ORDER BY position LIMIT 1",
            version,
            of,
            kind,
        )

    await planted(1000, "SignLimitMissed", "ArrivalMissed")
    assert [row["facts"] for row in await town.sql(DOUBLED)] == []
    await planted(1001, "SignLimitMissed", "SignLimitMissed")
    (row,) = await town.sql(DOUBLED)
    assert row["facts"].endswith("1001 SignLimitMissed")
    await planted(1002, "ComplaintDispatched", "ComplaintClosed")
    assert len(await town.sql(DOUBLED)) == 2


@pytest.mark.connected
async def test_every_time_that_cannot_be_is_parked_once_by_the_name_of_its_field(
    city: Callable[..., Awaitable[City]],
) -> None:
    town, outside = await _rehearsed(city)
    await town.start()
    try:
        random = Random(1)
        said = sum([await outside.impossible_times(random) for _ in range(3)])
    finally:
        await outside.close()
    assert said == len(outside.poisoned)
    await until(lambda: _is(town, "SELECT count(*) FROM es.parked", said), within=60, what="all parked")
    await town.settled()
    assert await _amiss(town, outside) == []
    rows = await town.parked()
    lines = {line.name.partition(".{")[0] for line in TOPICS if line.speaker != "relay"}
    heard = {row["topic"].removeprefix(town.endpoints.prefix) for row in rows}
    assert {name for name in lines if any(topic.startswith(name) for topic in heard)} == lines
    fields = {row["reason"].partition(": ")[0] for row in rows}
    assert fields == {"header ce_time", "attribute time", "data"}
    assert await town.value("SELECT count(*) FROM es.event") == 0


@pytest.mark.connected
async def test_nonsense_of_every_kind_is_parked_once_and_what_kafka_has_is_not_sent_again(
    city: Callable[..., Awaitable[City]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one batch Kafka's answer is lost; so that one is sent again, and nothing that was sent beside it."""
    town, outside = await _rehearsed(city)
    await town.start()
    lost_answers = [1]

    async def hand_in(*arguments: Any) -> int:
        offset = await batches.hand_in(*arguments)
        if lost_answers:
            lost_answers.pop()
            raise KafkaTimeoutError
        return offset

    monkeypatch.setattr("hotline.lab.chaos.outside.hand_in", hand_in)
    try:
        for seed in range(6):  # each by another codec, once around
            await outside.poison(Random(seed), 20)
    finally:
        await outside.close()
    assert lost_answers == []
    wanted = sum(piece.desks for piece in outside.poisoned.values())
    again = [piece for piece in outside.poisoned.values() if piece.again]
    wanted += again[0].desks  # it was there, and is there twice
    assert 1 <= len(again) < 10
    await until(lambda: _is(town, "SELECT count(*) FROM es.parked", wanted), within=60, what="all parked")
    await town.settled()
    assert await _amiss(town, outside) == []


@pytest.mark.connected
async def test_nothing_is_sent_again_because_somebody_else_speaks_meanwhile(
    city: Callable[..., Awaitable[City]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All speak by one producer; who wants another one waits until it is not in use."""
    _, outside = await _rehearsed(city)
    others: list[asyncio.Future[Any]] = []

    async def hand_in(*arguments: Any) -> int:
        if not others:
            others.append(asyncio.ensure_future(outside.backlog(Random(1), 5, PRESENT)))
            await asyncio.wait(others, timeout=1)
        return await batches.hand_in(*arguments)

    monkeypatch.setattr("hotline.lab.chaos.outside.hand_in", hand_in)
    try:
        await outside.poison(Random(1), 40)
        await asyncio.gather(*others)
    finally:
        await outside.close()
    assert len(others) == 1
    assert len(outside.acknowledged) == 5
    assert [key for key, piece in outside.poisoned.items() if piece.again] == []


async def _amiss(town: City, outside: Outside) -> list[str]:
    return amiss(outside.poisoned, {row[0]: ParkedCount(row[1], row[2]) for row in await town.sql(PARKED)})


class _Alone:
    """One request that is taken back; nobody hears of anything else."""

    def __init__(self, planned_inputs: list[PlannedInput]) -> None:
        self._acts = planned_inputs

    def next_at(self) -> datetime | None:
        return min((planned_input.at for planned_input in self._acts), default=None)

    def first_inputs(self, until: datetime) -> list[PlannedInput]:
        given = [planned_input for planned_input in self._acts if planned_input.at <= until]
        self._acts = [planned_input for planned_input in self._acts if planned_input.at > until]
        return given

    def react(self, heard: OutwardMessage) -> Reaction:
        return Reaction()

    def forget(self, complaint: Any) -> None:
        pass


@pytest.mark.connected
async def test_city_time_does_not_end_before_the_limits_of_what_others_recorded(
    city: Callable[..., Awaitable[City]],
) -> None:
    """The conductor hands in nothing of it, and knows its timers only by asking for all there are."""
    town = await city(lived=True, at=PRESENT)
    await town.start()
    others: list[asyncio.Task[Any]] = []

    def told(_: Any) -> None:
        if not others:  # once it has begun, and has asked for all timers there were
            others.append(asyncio.ensure_future(town.record("another", at=PRESENT)))

    conductor = Conductor(
        _Alone(_calls()),
        kafka=town.endpoints.kafka,
        postgres=town.endpoints.owner_dsn,
        prefix=town.endpoints.prefix,
        units=town._units,
        start=PRESENT,
        step=timedelta(minutes=10),
    )
    await conductor.live(told)
    stream = await others[0]
    story = await town.story(stream)
    assert ComplaintDispatched.__name__ in story
    assert SignLimitMissed.__name__ in story
    assert AnswerLimitMissed.__name__ in story
    assert ComplaintClosed.__name__ not in story, "nobody asked the citizen"
    assert await town.value("SELECT count(*) FROM es.timer") == 0


def _calls() -> list[PlannedInput]:
    """Calls of an hour: so long city time has a reason to go on by itself."""
    from shared.inputs import CallOffered
    from shared.topics import TELEPHONY_CALLS

    return [
        PlannedInput(
            at=PRESENT + timedelta(minutes=10 * number),
            line=TELEPHONY_CALLS,
            key=f"call-{number}",
            source="/test",
            event_id=f"call-{number}",
            data=CallOffered(call_id=f"call-{number}"),
        )
        for number in range(1, 7)
    ]


async def _is(town: City, statement: str, wanted: int) -> bool:
    return bool(await town.value(statement) == wanted)


async def _none_left(town: City, streams: list[Any]) -> bool:
    return bool(await town.value(LEFT, streams, PRESENT) == 0)
