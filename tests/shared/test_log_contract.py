"""One promise, two logs: what `EventLog` says holds in memory and in PostgreSQL alike.

So a story told in memory may be believed. The appends are those of real desks with real rules, held back
where a race needs two of them to have read the same head.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, Protocol

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from services.dispatch import rules as dispatch
from services.dispatch.decisions.dispatching import DispatchComplaint
from services.escalation import rules as escalation
from services.escalation.rules import FireDeadlines
from services.intake import rules as intake
from services.intake.decisions.recording import AskedToRecord
from shared.complaint import STATE_SCHEMA, Complaint
from shared.desk import Desk
from shared.events.base import Limit
from shared.ids import ComplaintId, complaint_id, derived, message_id
from shared.inputs import SignOrder, WithdrawRequest
from shared.log import (
    TIMER_KINDS,
    Append,
    EventLog,
    Fenced,
    HeadMoved,
    Incoming,
    Known,
    Moved,
    Parked,
    Place,
    timers_of,
)
from shared.log.chain import GENESIS, chained
from shared.log.codec import not_known
from shared.log.memory import Memory, MemoryLog
from shared.log.postgres import PostgresLog
from shared.log.through import Through
from shared.open_batch import OTHER_CONTENT
from shared.runtime.telemetry import Telemetry
from shared.work import Batch, Claim, Work
from tests.examples import CALLED_AT, CATALOGUE, DUE_AT, HOUR, INSTANT, REQUEST, SIGN_DUE_AT, STREET, asks
from tests.present import present_is

OFFSETS = "commands"
REQUEST_ID = "contract-1"
ID = complaint_id(REQUEST_ID)


class Row(NamedTuple):
    """A fact as it lies in the log."""

    version: int
    type: str
    schema_version: int
    fact_id: str
    occurred_at: datetime
    caused_by: str
    actor: str
    body: bytes
    hash: bytes


class Shelf(NamedTuple):
    """A parked message as it lies in the log."""

    parked_id: int
    consumer: str
    complaint_id: str | None
    reason: str


class Heard(NamedTuple):
    """A message a speaker is to hear: of a refused input (`reason` is empty) or of a parking."""

    consumer: str
    topic: str
    offset: int
    reason: str


class Keeper(Protocol):
    """A kind of log, and eyes that look past its functions."""

    def log(self, consumer: str) -> EventLog:
        """A log for a consumer, with a connection of its own."""
        ...

    async def rows(self, stream: str = ID) -> list[Row]:
        """The facts of a complaint by version."""
        ...

    async def timers(self) -> dict[tuple[str, int], datetime]:
        """What is watched, by complaint and kind."""
        ...

    async def due(self, until: datetime) -> list[str]:
        """The complaints whose timers ran out before `until`, the earliest first."""
        ...

    async def shelves(self) -> list[Shelf]:
        """What is parked."""
        ...

    async def notices(self) -> list[Heard]:
        """The parkings that speakers are told of, in order."""
        ...

    async def refused(self) -> dict[str, str]:
        """The topics of inputs that were refused, by their identity."""
        ...

    async def release(self, parked_id: int) -> None:
        """Let a parked message go back."""
        ...

    async def write_newer(self, stream: str, state_schema: int) -> None:
        """A newer system writes this head."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...


class InMemory:
    """See `Keeper`."""

    def __init__(self) -> None:
        self.memory = Memory(lambda: CALLED_AT)

    def log(self, consumer: str) -> EventLog:
        return MemoryLog(self.memory, consumer)

    async def rows(self, stream: str = ID) -> list[Row]:
        return [
            Row(
                fact.version,
                fact.type,
                fact.schema_version,
                fact.fact_id,
                fact.occurred_at,
                fact.caused_by,
                fact.actor,
                fact.body,
                fact.hash,
            )
            for fact in self.memory.facts
            if fact.complaint_id == stream
        ]

    async def timers(self) -> dict[tuple[str, int], datetime]:
        return dict(self.memory.timers)

    async def due(self, until: datetime) -> list[str]:
        return list(self.memory.due(until))

    async def shelves(self) -> list[Shelf]:
        return [
            Shelf(parked_id, kept.consumer, kept.parked.complaint_id, kept.parked.reason)
            for parked_id, kept in sorted(self.memory.parked.items())
        ]

    async def notices(self) -> list[Heard]:
        return [
            Heard(consumer, parked.message.topic, parked.message.offset, parked.reason)
            for consumer, parked in self.memory.notices
        ]

    async def refused(self) -> dict[str, str]:
        return {identity: message.topic for identity, message in self.memory.refused.items()}

    async def release(self, parked_id: int) -> None:
        self.memory.release(parked_id)

    async def write_newer(self, stream: str, state_schema: int) -> None:
        self.memory.state_schemas[stream] = state_schema

    async def close(self) -> None:
        return None


@dataclass
class InPostgres:
    """See `Keeper`."""

    dsn: str
    eyes: asyncpg.Connection[Any]
    logs: list[PostgresLog] = field(default_factory=list)

    def log(self, consumer: str) -> EventLog:
        self.logs.append(PostgresLog(self.dsn, consumer, f"contract.{consumer}"))
        return self.logs[-1]

    async def rows(self, stream: str = ID) -> list[Row]:
        found = await self.eyes.fetch(
            "SELECT version, type, schema_version, event_id::text, occurred_at, caused_by, actor, body, hash"
            " FROM es.event WHERE stream_id = $1 ORDER BY version",
            stream,
        )
        return [Row(*row) for row in found]

    async def timers(self) -> dict[tuple[str, int], datetime]:
        found = await self.eyes.fetch("SELECT stream_id::text, kind, due_at FROM es.timer")
        return {(row[0], row[1]): row[2] for row in found}

    async def due(self, until: datetime) -> list[str]:
        found = await self.eyes.fetch(
            "SELECT stream_id::text FROM es.due('{0,1,2,3}', '-infinity', $1, 1000)", until
        )
        return list(dict.fromkeys(row[0] for row in found))

    async def shelves(self) -> list[Shelf]:
        found = await self.eyes.fetch(
            "SELECT parked_id, consumer, complaint_id::text, reason FROM es.parked ORDER BY parked_id"
        )
        return [Shelf(*row) for row in found]

    async def notices(self) -> list[Heard]:
        found = await self.eyes.fetch(
            "SELECT consumer, topic, kafka_offset, reason FROM es.parking_notice ORDER BY notice_id"
        )
        return [Heard(*row) for row in found]

    async def refused(self) -> dict[str, str]:
        found = await self.eyes.fetch("SELECT message_id, topic FROM es.refused_input")
        return {row[0]: row[1] for row in found}

    async def release(self, parked_id: int) -> None:
        await self.eyes.execute("UPDATE es.parked SET released_at = now() WHERE parked_id = $1", parked_id)

    async def write_newer(self, stream: str, state_schema: int) -> None:
        statement = "UPDATE es.stream SET state_schema = $2 WHERE stream_id = $1"
        await self.eyes.execute(statement, stream, state_schema)

    async def close(self) -> None:
        for log in self.logs:
            await log.close()
        await self.eyes.close()


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.connected)])
def dsn(request: pytest.FixtureRequest) -> str | None:
    """Where PostgreSQL is, asked for only by the runs that need it; None for memory."""
    return request.getfixturevalue("database") if request.param == "postgres" else None


@pytest.fixture
async def keeper(dsn: str | None) -> AsyncIterator[Keeper]:
    opened: Keeper = InMemory()
    if dsn is not None:
        eyes = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
        await eyes.execute(present_is(CALLED_AT))
        opened = InPostgres(dsn, eyes)
    yield opened
    await opened.close()


DECIDE = {
    "intake": intake.decide,
    "dispatch": partial(dispatch.decide, catalogue=CATALOGUE),
    "escalation": partial(escalation.decide, catalogue=CATALOGUE),
}


def desk(name: str, log: EventLog) -> Desk:
    return Desk(name, DECIDE[name], log, Telemetry(name))


class Slip(Through):
    """Reads the log and keeps the append instead of writing it: a desk that has decided and not written yet."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(log)
        self.append_of: Append | None = None

    async def append(self, append: Append) -> None:
        self.append_of = append


async def decided(name: str, log: EventLog, *work: Work, batch: Batch | None = None) -> Append:
    """What a desk would write now."""
    slip = Slip(log)
    whole = batch or Batch()
    whole.work += work
    await desk(name, slip).obey(whole)
    assert slip.append_of is not None
    return slip.append_of


def records(request_id: str = REQUEST_ID, *, event: str = "record", at: datetime = CALLED_AT) -> Work:
    request = msgspec.structs.replace(REQUEST, request_id=request_id)
    command = AskedToRecord(
        complaint_id=complaint_id(request_id),
        command=request,
        ruleset="beijing-draft-2021",
        calendar="cn-1",
        at=at,
    )
    identity = message_id("door", "/contract", event + request_id)
    return Work(command, command.complaint_id, identity, None, identity)


def withdraws(event: str = "withdraw") -> Work:
    command = asks(WithdrawRequest, complaint_id=ID, reason="", at=CALLED_AT + HOUR)
    identity = message_id("door", "/contract", event)
    return Work(command, ID, identity, None, identity)


def sends(stream: ComplaintId = ID, at: datetime = CALLED_AT) -> Work:
    return Work(DispatchComplaint(complaint_id=stream, at=at), stream, derived("classified", stream))


def signs(event: str = "sign") -> Work:
    command = asks(SignOrder, complaint_id=ID, unit=STREET, assignment=1, at=CALLED_AT + HOUR)
    identity = message_id("door", "/contract", event)
    return Work(command, ID, identity, None, identity)


def fires(until: datetime) -> Work:
    return Work(FireDeadlines(complaint_id=ID, until=until), ID, f"clock/{until.isoformat()}")


def incoming(offset: int = 0, *, value: bytes | None = b"{}") -> Incoming:
    headers = (("ce_id", b"1"), ("ce_type", None), ("other", b"\xff\x00"))
    return Incoming("door", 2, offset, 17, b"key", headers, value)


async def opened(keeper: Keeper) -> None:
    """A complaint with a unit."""
    await desk("intake", keeper.log("intake")).obey(Batch(work=[records()]))
    await desk("dispatch", keeper.log("dispatch")).obey(Batch(work=[sends()]))


# --- done


async def test_what_was_appended_is_there_in_order_dense_and_chained(keeper: Keeper) -> None:
    await opened(keeper)
    await desk("dispatch", keeper.log("dispatch")).obey(Batch(work=[signs()]))
    rows = await keeper.rows()
    assert [(row.version, row.type, row.actor) for row in rows] == [
        (1, "ComplaintReceived", "intake"),
        (2, "ComplaintClassified", "intake"),
        (3, "ComplaintDispatched", "dispatch"),
        (4, "OrderSigned", "dispatch"),
    ]
    previous = GENESIS
    for row in rows:
        previous = chained(
            previous,
            ID,
            row.version,
            row.fact_id,
            row.type,
            row.schema_version,
            row.occurred_at,
            row.caused_by,
            row.actor,
            row.body,
        )
        assert previous == row.hash


async def test_the_head_is_what_the_facts_add_up_to(keeper: Keeper) -> None:
    await opened(keeper)
    known = await keeper.log("feedback").heads([ID, complaint_id("unknown")], [])
    assert set(known.heads) == {ID}
    head = known.heads[ID]
    assert (head.version, head.hash) == (3, (await keeper.rows())[-1].hash)
    assert head.case.order is not None
    assert head.case.order.unit == STREET


async def test_a_head_of_a_newer_system_is_told_apart_and_stops_no_other(keeper: Keeper) -> None:
    await opened(keeper)
    await desk("intake", keeper.log("intake")).obey(Batch(work=[records("beside")]))
    beside = complaint_id("beside")
    await keeper.write_newer(ID, STATE_SCHEMA + 1)
    known = await keeper.log("dispatch").heads([ID, beside], [])
    assert set(known.heads) == {beside}
    assert set(known.unreadable) == {ID}
    rows = await keeper.rows()
    work = [replace(signs(), message=incoming(1)), sends(beside)]
    said = await desk("dispatch", keeper.log("dispatch")).obey(Batch(work=work))
    assert (said.facts, said.parked) == (1, 1)
    assert await keeper.rows() == rows
    assert [shelf.complaint_id for shelf in await keeper.shelves()] == [ID]


async def test_many_complaints_are_written_at_once(keeper: Keeper) -> None:
    work = [records(f"many-{number}") for number in range(50)]
    said = await desk("intake", keeper.log("intake")).obey(Batch(work=work))
    assert said.facts == 100
    known = await keeper.log("intake").heads([each.complaint_id for each in work], [])
    assert {head.version for head in known.heads.values()} == {2}


async def test_several_commands_about_one_complaint_in_one_batch_see_each_other(keeper: Keeper) -> None:
    said = await desk("intake", keeper.log("intake")).obey(Batch(work=[records(), withdraws()]))
    assert said.facts == 3
    assert [row.version for row in await keeper.rows()] == [1, 2, 3]


# --- refused


async def test_a_refusal_is_a_fact_like_any_other(keeper: Keeper) -> None:
    await opened(keeper)
    await desk("intake", keeper.log("intake")).obey(Batch(work=[withdraws()]))
    said = await desk("dispatch", keeper.log("dispatch")).obey(Batch(work=[signs()]))
    assert said.facts == 1
    assert (await keeper.rows())[-1].type == "ReplyRefused"


async def test_a_command_about_nobody_leaves_its_message_on_the_shelf_and_no_fact(keeper: Keeper) -> None:
    lost = replace(withdraws(), message=incoming())
    said = await desk("intake", keeper.log("intake")).obey(Batch(work=[lost]))
    assert (said.facts, said.parked) == (0, 1)
    assert await keeper.rows() == []
    (shelf,) = await keeper.shelves()
    assert (shelf.consumer, shelf.complaint_id) == ("intake", None)
    assert shelf.reason.endswith(f"complaint {ID} is not on record")


# --- repeated


async def test_a_message_that_had_its_effect_is_known_and_only_at_its_own_desk(keeper: Keeper) -> None:
    work = records()
    await desk("intake", keeper.log("intake")).obey(Batch(work=[work]))
    assert work.message_id is not None
    assert (await keeper.log("intake").heads([], [work.message_id])).done == {work.message_id}
    assert (await keeper.log("dispatch").heads([], [work.message_id])).done == frozenset()
    said = await desk("intake", keeper.log("intake")).obey(Batch(work=[work]))
    assert (said.facts, said.repeats) == (0, 1)


async def test_a_message_written_meanwhile_by_another_process_is_refused_whole(keeper: Keeper) -> None:
    """A message that said nothing moves no head; the inbox alone tells that it is done."""
    await opened(keeper)
    one, two = keeper.log("intake"), keeper.log("intake")
    again = records(event="again")
    first, second = await decided("intake", one, again), await decided("intake", two, again)
    assert first.inbox == second.inbox != []
    assert first.fact_stream == []
    await one.append(first)
    with pytest.raises(HeadMoved):
        await two.append(second)


async def test_the_same_message_twice_in_one_append_is_refused(keeper: Keeper) -> None:
    append = await decided("intake", keeper.log("intake"), records())
    append.inbox *= 2
    with pytest.raises(HeadMoved):
        await keeper.log("intake").append(append)
    assert await keeper.rows() == []


async def test_what_a_message_said_is_given_back_with_its_id_where_it_was_kept(keeper: Keeper) -> None:
    """A row of before says nothing of it."""
    before, kept = derived("before"), derived("kept")
    said = derived("content").replace("-", "")
    await keeper.log("intake").append(Append(inbox=[kept, before], content=[said]))
    known = await keeper.log("intake").heads([], [before, kept, derived("never")])
    assert (known.done, dict(known.content)) == ({before, kept}, {kept: said})
    assert not (await keeper.log("dispatch").heads([], [kept])).content, "each desk its own"


@pytest.mark.parametrize("together", [True, False])
async def test_a_known_id_with_other_content_is_shelved_by_itself_and_nothing_waits_behind_it(
    keeper: Keeper, together: bool
) -> None:
    """In one batch or in two, the second by a desk that has begun anew."""
    first = replace(records(), content=derived("one").replace("-", ""))
    second = replace(
        records("beside"),
        message_id=first.message_id,
        content=derived("two").replace("-", ""),
        message=incoming(1),
    )
    if together:
        said = await desk("intake", keeper.log("intake")).obey(Batch(work=[first, second]))
        assert (said.facts, said.repeats, said.parked) == (2, 0, 1)
    else:
        await desk("intake", keeper.log("intake")).obey(Batch(work=[first]))
        said = await desk("intake", keeper.log("intake")).obey(Batch(work=[second]))
        assert (said.facts, said.repeats, said.parked) == (0, 0, 1)
    assert await keeper.rows(complaint_id("beside")) == []
    (shelf,) = await keeper.shelves()
    assert (shelf.complaint_id, shelf.reason) == (None, OTHER_CONTENT)
    said = await desk("intake", keeper.log("intake")).obey(
        Batch(work=[replace(withdraws(), message=incoming(2))])
    )
    assert (said.facts, said.parked) == (1, 0)
    said = await desk("intake", keeper.log("intake")).obey(Batch(work=[first]))
    assert (said.repeats, said.parked) == (1, 0)


async def test_two_processes_meet_one_id_with_two_contents_and_one_of_them_sets_it_aside(
    keeper: Keeper,
) -> None:
    """Both have read that it is not known; the log lets one in, and the other decides again."""
    works = [
        replace(
            records(f"race-{number}"),
            message_id=derived("the same"),
            content=derived(str(number)).replace("-", ""),
            message=incoming(number),
        )
        for number in (1, 2)
    ]
    late = await decided("intake", keeper.log("intake"), works[1])
    await desk("intake", keeper.log("intake")).obey(Batch(work=[works[0]]))
    with pytest.raises(HeadMoved):
        await keeper.log("intake").append(late)
    said = await desk("intake", keeper.log("intake")).obey(Batch(work=[works[1]]))
    assert (said.facts, said.parked) == (0, 1)


async def test_which_complaint_was_on_record_before_which_is_told_by_the_log(keeper: Keeper) -> None:
    """By where each began, whatever was said of it later; nothing of one that never did."""
    for name in ("first", "second"):
        await desk("intake", keeper.log("intake")).obey(Batch(work=[records(name)]))
    await desk("dispatch", keeper.log("dispatch")).obey(Batch(work=[sends(complaint_id("first"))]))
    first, second, never = (complaint_id(name) for name in ("first", "second", "never"))
    begun = await keeper.log("intake").begun([second, never, first])
    assert set(begun) == {first, second}
    assert begun[first] < begun[second]
    assert await keeper.log("intake").begun([]) == {}


# --- raced


async def test_on_a_moved_head_nothing_at_all_is_written(keeper: Keeper) -> None:
    await opened(keeper)
    log = keeper.log("dispatch")
    await log.places([("door", 2)])
    batch = Batch(moved=[Moved("door", 2, 0, Place(9))], parked=[Parked(incoming(), None, "r")])
    late = await decided("dispatch", log, signs(), batch=batch)
    await desk("intake", keeper.log("intake")).obey(Batch(work=[withdraws()]))
    rows, timers = await keeper.rows(), await keeper.timers()
    with pytest.raises(HeadMoved):
        await log.append(late)
    assert (await keeper.rows(), await keeper.timers(), await keeper.shelves()) == (rows, timers, [])
    assert (await log.places([("door", 2)]))["door", 2] == Place(0)
    assert (await log.heads([], late.inbox)).done == frozenset()


async def test_one_moved_head_stops_the_whole_batch(keeper: Keeper) -> None:
    """All of it or nothing: the complaint beside it is not written either."""
    await opened(keeper)
    log = keeper.log("intake")
    both = await decided("intake", log, records("beside"), withdraws())
    await desk("dispatch", keeper.log("dispatch")).obey(Batch(work=[signs()]))
    with pytest.raises(HeadMoved):
        await log.append(both)
    assert await keeper.rows(complaint_id("beside")) == []


async def test_two_desks_racing_on_one_head_one_wins_and_one_decides_again(keeper: Keeper) -> None:
    await opened(keeper)
    one, two = keeper.log("dispatch"), keeper.log("intake")
    appends = await decided("dispatch", one, signs()), await decided("intake", two, withdraws())
    outcomes = await asyncio.gather(one.append(appends[0]), two.append(appends[1]), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["HeadMoved", "NoneType"]
    assert len(await keeper.rows()) == 4
    loser = signs() if isinstance(outcomes[0], HeadMoved) else withdraws()
    name = "dispatch" if isinstance(outcomes[0], HeadMoved) else "intake"
    await desk(name, keeper.log(name)).obey(Batch(work=[loser]))
    assert [row.version for row in await keeper.rows()] == [1, 2, 3, 4, 5]


async def test_two_new_heads_of_one_complaint_racing_become_one(keeper: Keeper) -> None:
    """The same request by two events at two processes: there is no row yet to compare with."""
    one, two = keeper.log("intake"), keeper.log("intake")
    appends = [
        await decided("intake", one, records(event="a")),
        await decided("intake", two, records(event="b")),
    ]
    outcomes = await asyncio.gather(one.append(appends[0]), two.append(appends[1]), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["HeadMoved", "NoneType"]
    assert [row.version for row in await keeper.rows()] == [1, 2]
    again = records(event="a" if isinstance(outcomes[0], HeadMoved) else "b")
    said = await desk("intake", keeper.log("intake")).obey(Batch(work=[again]))
    assert said.facts == 0, "it is on record"


def of_one_call(request_id: str) -> Work:
    work = records(request_id)
    claim = Claim(derived("claimed", "by all of one call"), work.command, places=3)
    return msgspec.structs.replace(work, claim=claim)


async def test_who_holds_a_claim_is_known_to_the_next_and_holds_its_head_still(keeper: Keeper) -> None:
    """T7: the second finds the first by the claim; where the first ends meanwhile, the second decides again."""
    log = keeper.log("intake")
    await desk("intake", log).obey(Batch(work=[of_one_call(REQUEST_ID)]))
    left = await decided("intake", log, of_one_call("second"))
    assert left.fact_type[-1] == "ComplaintTurnedAway"
    assert (left.head_old[-1], left.head_new[-1]) == (2, 2), "the first is written as it is"
    rows = await keeper.rows()
    await log.append(left)
    assert await keeper.rows() == rows
    late = await decided("intake", log, of_one_call("third"))
    await desk("intake", keeper.log("intake")).obey(Batch(work=[withdraws()]))
    with pytest.raises(HeadMoved):
        await log.append(late)
    await desk("intake", keeper.log("intake")).obey(Batch(work=[of_one_call("third")]))
    told = [row.type for row in await keeper.rows(complaint_id("third"))]
    assert told == ["ComplaintReceived", "MatterLinked", "ComplaintClassified"]
    beyond = await decided("intake", log, of_one_call("fourth"))
    assert len(beyond.inbox) == 1, "every place is held: it holds none"
    assert beyond.fact_type[-1] == "ComplaintTurnedAway", "and still knows who goes on"


async def test_who_holds_a_complaint_decides_on_a_head_nobody_moves(keeper: Keeper) -> None:
    await opened(keeper)
    async with keeper.log("dispatch").holding([ID]) as held:
        await desk("dispatch", held).obey(Batch(work=[signs()]))
    assert [row.type for row in await keeper.rows()][-1] == "OrderSigned"


# --- offsets


async def test_a_consumer_begins_at_the_beginning_and_goes_on_where_it_was(keeper: Keeper) -> None:
    log = keeper.log("dispatch")
    assert await log.places([("log", 0), ("log", 1)]) == {("log", 0): Place(0), ("log", 1): Place(0)}
    await log.append(Append(moved=[Moved("log", 1, 0, Place(7, 3, 21))]))
    again = keeper.log("dispatch")
    assert await again.places([("log", 0), ("log", 1)]) == {
        ("log", 0): Place(0),
        ("log", 1): Place(7, 3, 21),
    }
    assert await keeper.log("feedback").places([("log", 1)]) == {("log", 1): Place(0)}, "each its own"


async def test_who_lost_its_partition_is_fenced_and_writes_nothing(keeper: Keeper) -> None:
    """A zombie after a rebalance."""
    zombie, owner = keeper.log("intake"), keeper.log("intake")
    await zombie.places([(OFFSETS, 0)])
    moved = Batch(moved=[Moved(OFFSETS, 0, 0, Place(5))])
    late = await decided("intake", zombie, records(), batch=moved)
    await owner.append(Append(moved=[Moved(OFFSETS, 0, 0, Place(5))]))
    with pytest.raises(Fenced):
        await zombie.append(late)
    assert (await keeper.rows(), await keeper.timers()) == ([], {})
    assert (await owner.heads([ID], late.inbox)) == Known({}, frozenset(), frozenset(), {})


async def test_one_lost_partition_among_many_fences_all_of_it(keeper: Keeper) -> None:
    log = keeper.log("intake")
    await log.places([(OFFSETS, 0), (OFFSETS, 1)])
    with pytest.raises(Fenced):
        await log.append(Append(moved=[Moved(OFFSETS, 0, 0, Place(5)), Moved(OFFSETS, 1, 4, Place(5))]))
    assert await log.places([(OFFSETS, 0)]) == {(OFFSETS, 0): Place(0)}


async def test_a_partition_nobody_ever_asked_about_is_nobodys_to_move(keeper: Keeper) -> None:
    with pytest.raises(Fenced):
        await keeper.log("intake").append(Append(moved=[Moved("never", 0, 0, Place(1))]))


async def test_fenced_comes_before_a_moved_head(keeper: Keeper) -> None:
    """Who no longer owns its partitions must not decide again and again."""
    await opened(keeper)
    log = keeper.log("dispatch")
    await log.places([(OFFSETS, 0)])
    late = await decided("dispatch", log, signs(), batch=Batch(moved=[Moved(OFFSETS, 0, 3, Place(5))]))
    await desk("intake", keeper.log("intake")).obey(Batch(work=[withdraws()]))
    with pytest.raises(Fenced):
        await log.append(late)


# --- timers


WARNED_AT = DUE_AT - 48 * HOUR
"""A general request is warned of then first; the warning stands in the row of the limit."""


async def watched(keeper: Keeper) -> dict[int, datetime]:
    """The timers of the complaint; they are always what its head says must be watched."""
    head = (await keeper.log("escalation").heads([ID], [])).heads[ID]
    timers = {kind: due_at for (stream, kind), due_at in (await keeper.timers()).items() if stream == ID}
    assert isinstance(head.case, Complaint)
    assert timers == timers_of(head.case)
    return timers


async def test_timers_are_set_moved_and_cancelled_with_the_facts_that_cause_it(keeper: Keeper) -> None:
    await opened(keeper)
    sign, feedback, ladder = (TIMER_KINDS[limit] for limit in (Limit.SIGN, Limit.ANSWER, Limit.LADDER))
    assert await watched(keeper) == {sign: SIGN_DUE_AT, feedback: WARNED_AT}
    clock = desk("escalation", keeper.log("escalation"))
    await clock.obey(Batch(work=[fires(SIGN_DUE_AT + INSTANT)]))
    assert set(await watched(keeper)) == {feedback, ladder}
    await desk("dispatch", keeper.log("dispatch")).obey(Batch(work=[signs()]))
    assert set(await watched(keeper)) == {sign, feedback}, "signed in time after all: a correction is owed"
    await clock.obey(Batch(work=[fires(SIGN_DUE_AT + HOUR)]))
    assert await watched(keeper) == {feedback: WARNED_AT}
    await desk("intake", keeper.log("intake")).obey(Batch(work=[withdraws()]))
    assert await watched(keeper) == {}


async def test_what_is_due_is_what_ran_out_before_now_the_earliest_first(keeper: Keeper) -> None:
    for number in (2, 1, 3):
        at = CALLED_AT + number * HOUR
        stream = complaint_id(f"due-{number}")
        await desk("intake", keeper.log("intake")).obey(Batch(work=[records(f"due-{number}", at=at)]))
        await desk("dispatch", keeper.log("dispatch")).obey(Batch(work=[sends(stream, at)]))
    second = SIGN_DUE_AT + 2 * HOUR
    assert await keeper.due(second) == [complaint_id("due-1")], "never on the last instant in time"
    assert await keeper.due(second + INSTANT) == [complaint_id("due-1"), complaint_id("due-2")]
    assert await keeper.due(SIGN_DUE_AT) == []


# --- parking


async def test_a_parked_message_comes_back_whole_once_it_is_released(keeper: Keeper) -> None:
    """With its null header, its header that is no text, and its place."""
    log = keeper.log("intake")
    await log.append(Append(parked=[Parked(incoming(4, value=None), None, "value: null")]))
    assert await log.released() == []
    (shelf,) = await keeper.shelves()
    await keeper.release(shelf.parked_id)
    assert await log.released() == [replace(incoming(4, value=None), parked_id=shelf.parked_id)]
    assert await keeper.log("dispatch").released() == [], "it belongs to the desk that parked it"


async def test_what_was_released_and_handled_is_gone(keeper: Keeper) -> None:
    log = keeper.log("intake")
    await log.append(Append(parked=[Parked(incoming(1), None, "r"), Parked(incoming(2), None, "r")]))
    first, second = await keeper.shelves()
    await keeper.release(first.parked_id)
    await log.append(Append(unpark=[first.parked_id]))
    assert await keeper.shelves() == [second]
    assert await log.released() == []


async def test_what_fails_again_keeps_its_number_and_waits_again(keeper: Keeper) -> None:
    log = keeper.log("intake")
    await log.append(Append(parked=[Parked(incoming(1), None, "first")]))
    (shelf,) = await keeper.shelves()
    await keeper.release(shelf.parked_id)
    await log.append(Append(parked=[Parked(incoming(1), None, "again")]))
    assert await keeper.shelves() == [shelf._replace(reason="again")]
    assert await log.released() == []


async def test_what_is_known_now_comes_back_with_what_waits_behind_it_and_nothing_else(
    keeper: Keeper,
) -> None:
    """A release before did not know a fact: 20 (upgrade, 4)."""
    log = keeper.log("intake")
    unknown, behind = not_known("OrderSigned", 2), "waits behind an earlier one"
    one, other = complaint_id("one"), complaint_id("other")
    parked = [
        (1, one, unknown), (2, one, behind), (3, other, "could not be handled"), (4, None, unknown),
        (5, None, not_known("OrderSigned", 3)),
    ]  # fmt: skip
    await log.append(Append(parked=[Parked(incoming(number), life, why) for number, life, why in parked]))
    assert await keeper.log("dispatch").release_for([unknown]) == 0, "it belongs to the desk that parked it"
    assert await log.release_for([]) == 0
    assert await log.release_for([unknown]) == 3
    assert [message.offset for message in await log.released()] == [1, 2, 4]
    assert await log.release_for([unknown]) == 0, "it is on its way already"


async def test_the_oldest_released_message_comes_first(keeper: Keeper) -> None:
    log = keeper.log("intake")
    await log.append(Append(parked=[Parked(incoming(number), None, "r") for number in (5, 3, 4)]))
    for shelf in reversed(await keeper.shelves()):
        await keeper.release(shelf.parked_id)
    assert [message.offset for message in await log.released()] == [5, 3, 4]


async def _three_parked(log: EventLog, keeper: Keeper, *elsewhere: int) -> list[int]:
    """Three messages of one complaint on the shelf; those of these offsets came by another partition."""
    messages = [replace(incoming(n), partition=7 if n in elsewhere else 2) for n in (1, 2, 3)]
    for message in messages:
        await log.append(Append(parked=[Parked(message, ID, "r")]))
    return [shelf.parked_id for shelf in await keeper.shelves()]


async def test_nothing_released_comes_before_an_earlier_one_of_its_complaint_that_is_parked(
    keeper: Keeper,
) -> None:
    log = keeper.log("dispatch")
    first, second, third = await _three_parked(log, keeper)
    await keeper.release(third)
    assert await log.released() == []
    await keeper.release(first)
    assert [message.offset for message in await log.released()] == [1]
    await keeper.release(second)
    assert [(m.offset, m.parked_for) for m in await log.released()] == [(1, ID), (2, ID), (3, ID)]


async def test_what_came_by_another_partition_is_given_out_once_those_before_it_are_gone(
    keeper: Keeper,
) -> None:
    """Each door of a desk takes up what was its own; which comes first is nobody's choice."""
    log = keeper.log("dispatch")
    first, second, third = await _three_parked(log, keeper, 2)
    for number in (first, second, third):
        await keeper.release(number)
    for number, offset in ((first, 1), (second, 2), (third, 3)):
        assert [message.offset for message in await log.released()] == [offset]
        await log.append(Append(unpark=[number]))
    assert await keeper.shelves() == []


async def test_what_was_released_behind_one_that_failed_again_is_parked_again_with_it(keeper: Keeper) -> None:
    log = keeper.log("dispatch")
    first, second, third = await _three_parked(log, keeper, 2)
    other = ComplaintId(complaint_id("other"))
    await log.append(Append(parked=[Parked(incoming(9), other, "r")]))
    for shelf in await keeper.shelves():
        await keeper.release(shelf.parked_id)
    await log.append(Append(parked=[Parked(incoming(1), None, "again")]))
    assert [message.offset for message in await log.released()] == [9]
    await keeper.release(first)
    await log.append(Append(unpark=[first]))
    assert [message.offset for message in await log.released()] == [9], "the two behind wait to be released"
    assert [shelf.parked_id for shelf in await keeper.shelves()][:2] == [second, third]


async def test_a_released_message_that_another_took_up_has_no_second_effect(keeper: Keeper) -> None:
    """Two processes of a desk in the middle of a rebalance."""
    await opened(keeper)
    log = keeper.log("dispatch")
    await log.append(Append(parked=[Parked(incoming(1), ID, "r")]))
    (shelf,) = await keeper.shelves()
    await keeper.release(shelf.parked_id)
    (message,) = await log.released()
    batch = Batch(unpark=[shelf.parked_id])
    late = await decided("dispatch", log, replace(signs(), message=message), batch=batch)
    await keeper.log("dispatch").append(Append(unpark=[shelf.parked_id]))
    rows = await keeper.rows()
    with pytest.raises(Fenced):
        await log.append(late)
    assert await keeper.rows() == rows


async def test_what_follows_a_message_the_door_set_aside_waits_and_what_came_before_does_not(
    keeper: Keeper,
) -> None:
    """They get their numbers in the order they came, whoever set them aside."""
    await opened(keeper)
    log = keeper.log("dispatch")
    work = [replace(signs(f"sign-{n}"), message=incoming(n)) for n in (1, 3)]
    said = await desk("dispatch", log).obey(
        Batch(work=work, parked=[Parked(incoming(4), None, "bad"), Parked(incoming(2), ID, "not known here")])
    )
    assert (said.facts, said.parked) == (1, 3)
    assert [(shelf.complaint_id, shelf.reason) for shelf in await keeper.shelves()] == [
        (ID, "not known here"),
        (ID, "waits behind a parked message of this complaint"),
        (None, "bad"),
    ]


async def test_later_messages_of_a_parked_complaint_wait_behind_it_at_that_desk_only(keeper: Keeper) -> None:
    """Poison parks the complaint, not the partition."""
    await opened(keeper)
    await keeper.log("dispatch").append(Append(parked=[Parked(incoming(1), ID, "could not be decided")]))
    assert (await keeper.log("dispatch").heads([ID], [])).parked == {ID}
    assert (await keeper.log("intake").heads([ID], [])).parked == frozenset()
    waiting = replace(signs(), message=incoming(2))
    said = await desk("dispatch", keeper.log("dispatch")).obey(Batch(work=[waiting]))
    assert (said.facts, said.parked) == (0, 1)
    assert [shelf.reason for shelf in await keeper.shelves()] == [
        "could not be decided",
        "waits behind a parked message of this complaint",
    ]


async def test_a_topic_that_is_stopped_is_stopped_for_its_own_door_and_keeps_its_first_reason(
    keeper: Keeper,
) -> None:
    intake, dispatch = keeper.log("intake"), keeper.log("dispatch")
    assert await intake.door_stopped("requests") == {}
    await intake.stop_door("requests", "intake.requests.web", "most of it is nonsense")
    await intake.stop_door("requests", "intake.requests.web", "another process found the same")
    await intake.stop_door("requests", "intake.requests.app", "another format")
    assert await intake.door_stopped("requests") == {
        "intake.requests.web": "most of it is nonsense",
        "intake.requests.app": "another format",
    }
    assert await intake.door_stopped("calls") == {}
    assert await dispatch.door_stopped("requests") == {}


async def test_an_empty_append_is_nothing_to_write() -> None:
    assert not Append()
    assert Append(moved=[Moved("log", 0, 0, Place(1))])


async def test_a_parking_is_told_with_it_once_a_reason(keeper: Keeper) -> None:
    log = keeper.log("dispatch")
    await log.append(Append(parked=[Parked(incoming(n), None, "first") for n in (1, 2)]))
    await log.append(Append(parked=[Parked(incoming(1), None, "first")]))
    await log.append(Append(parked=[Parked(incoming(1), None, "again")]))
    told = [(heard.consumer, heard.offset, heard.reason) for heard in await keeper.notices()]
    assert told == [("dispatch", 1, "first"), ("dispatch", 2, "first"), ("dispatch", 1, "again")]


async def test_which_input_a_refusal_answers_is_kept_with_the_refusal_and_of_no_other(keeper: Keeper) -> None:
    await opened(keeper)
    message = msgspec.structs.replace(incoming(9), headers=(("ce_source", b"/desk"), ("ce_id", b"7")))
    first, second = replace(withdraws(), message=message), replace(withdraws("again"), message=message)
    await desk("intake", keeper.log("intake")).obey(Batch(work=[first]))
    assert await keeper.refused() == {}
    await desk("intake", keeper.log("intake")).obey(Batch(work=[second]))
    assert [row.type for row in (await keeper.rows())[-2:]] == ["ComplaintWithdrawn", "IntakeRefused"]
    assert await keeper.refused() == {second.message_id: "door"}
    assert (await keeper.rows())[-1].caused_by == second.caused_by
