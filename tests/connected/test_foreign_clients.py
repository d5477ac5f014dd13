"""A hundred lives of systems outside that know Kafka by other clients than ours, while each desk is killed once.

A third of the lives by confluent-kafka, a third by kafka-python, a third by kafkajs in a process of Node's. Each client
plays a department, a telephony system, a web form and a dialler, each with a login of its own and the settings that
`hotline login add` prints. Each speaks on its own topics and hears on its own. Every other life is told in structured
mode. Half of all say something wrong on the way: what cannot be done is refused, what cannot be read is parked. Whoever
said it hears so, by the source and id it gave, and the department hears how the citizen judged.
"""

from __future__ import annotations

import asyncio
import json
import threading
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import msgspec
import pytest

from deploy.city.admission import Admission, admit, expel
from deploy.city.endpoints import DESKS
from deploy.city.kafka_rights import Login
from deploy.embedded.stack import Addresses
from shared import roles
from shared.cloudevents import input_headers
from shared.events import (
    ComplaintClosed,
    ComplaintDispatched,
    IntakeRefused,
    ReplyRefused,
    VisitAnswerRefused,
    VisitScheduled,
)
from shared.ids import complaint_id
from shared.inputs import (
    AnswerOrder,
    CallAnswered,
    CallEnded,
    CallOffered,
    Input,
    RecordVisit,
    SignOrder,
    WithdrawRequest,
)
from shared.log.codec import ce_type_of
from shared.results import CE_TYPE, InputParked, OrderClosed
from shared.topic_names import partition_of
from shared.topics import INTAKE_REQUESTS
from tests.city import STREETS, City, open_city, request, until
from tests.kafka_clients import CLIENTS, Heard, Said, Systems, door_of, here
from tests.sources import Databases
from tests.spoilers import bad_text, bad_time

pytestmark = pytest.mark.connected

LIVES: Final = 100
UNDER_WAY: Final = 6
"""Lives that each client has open at once, so that every desk has work for as long as it is killed."""
WITHIN: Final = 240.0
"""Patience with a machine that others use too; nothing is judged by it."""
NO_NODE: Final = "Node with npm is not on this machine, so kafkajs speaks for nobody"
SYSTEMS: Final = (roles.UNIT, roles.TELEPHONY, roles.AGENTS, roles.DIALLER)
PLAIN: Final = "confluent-kafka"
"""The client whose logins have no name, so they speak on the plain topics. Those of the others have their own."""
QUICK: Final = {f"{desk}_METADATA_MAX_AGE_MS": "500" for desk in ("INTAKE", "DISPATCH", "FEEDBACK")}

LIFE: Final = (
    "ComplaintReceived", "ComplaintClassified", "ComplaintDispatched", "OrderSigned",
    "OrderAnswered", "VisitScheduled", "VisitMade", "ComplaintClosed",
)  # fmt: skip
REFUSED, PARKED = "refused", "parked"
REFUSALS: Final = {
    roles.UNIT: ReplyRefused,
    roles.AGENTS: IntakeRefused,
    roles.DIALLER: VisitAnswerRefused,
}


def type_of(kind: type[Any]) -> str:
    return ce_type_of(kind.__name__, kind.SCHEMA).decode()


class Wrong(NamedTuple):
    """Something wrong that a system said, and what it must hear of it."""

    system: str
    outcome: str
    names: tuple[str, ...]
    """Words that the reason must hold."""


class Answer(NamedTuple):
    """A message that tells a system how something it said ended."""

    system: str
    outcome: str
    reason: str


class Identity(NamedTuple):
    """The event that is answered."""

    source: str
    id: str


class Outside:
    """Everybody outside of some lives, all in one street; blocking, for a thread of its own."""

    def __init__(self, name: str, street: str, number: int, admitted: Mapping[str, Admission]) -> None:
        self.name = name
        self.street, self.admitted = street, admitted
        self.requests = [f"{name}-{n}" for n in range(number)]
        self._number = {str(complaint_id(one, self.login)): n for n, one in enumerate(self.requests)}
        self._stop = threading.Event()
        self.wrong: dict[Identity, Wrong] = {}
        self.answered: dict[Identity, Answer] = {}
        self.closed: dict[str, OrderClosed] = {}
        """How each complaint ended, as its department heard it."""

    @property
    def login(self) -> str:
        """The name of its logins that are no unit's."""
        return "" if self.name == PLAIN else self.name

    @property
    def complaints(self) -> list[str]:
        return list(self._number)

    def stop(self) -> None:
        self._stop.set()

    def live(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # their own business
            systems: Systems = CLIENTS[self.name](self.admitted, folder)
            try:
                self._live(systems)
            finally:
                systems.close()

    def left(self) -> str:
        """The answers it still waits for."""
        unheard = [(one, self.wrong[one]) for one in self.wrong if one not in self.answered]
        return f"{self.name}: {len(self.closed)} of {len(self.requests)} closed, unheard: {unheard}"

    def _live(self, systems: Systems) -> None:
        begun = 0
        while not self._stop.is_set():
            while begun < len(self.requests) and begun - len(self.closed) < UNDER_WAY:
                self._call_and_ask(systems, begun)
                begun += 1
            for heard in systems.hear():
                self._react(systems, heard)
            if len(self.closed) == len(self.requests) and self.wrong.keys() <= self.answered.keys():
                return

    def _call_and_ask(self, systems: Systems, n: int) -> None:
        request_id = self.requests[n]
        call_id = f"call-{request_id}"
        calls = (
            CallOffered(call_id=call_id),
            CallAnswered(call_id=call_id, agent="话务员"),
            CallEnded(call_id=call_id, cause="hangup"),
        )
        if n % 5 == 0:
            self._say_nonsense(systems, roles.TELEPHONY, call_id, calls[0], n)
        self._say(systems, roles.TELEPHONY, call_id, calls, n)
        asked = request(request_id, call_id=call_id, street=self.street)
        if n % 5 == 2:
            self._say_nonsense(systems, roles.AGENTS, request_id, asked, n)
        self._say(systems, roles.AGENTS, request_id, [asked], n)

    def _react(self, systems: Systems, heard: Heard) -> None:
        told = json.loads(heard.value)
        if heard.type == CE_TYPE:
            parked = msgspec.json.decode(heard.value, type=InputParked)
            assert isinstance(parked.source, str)
            assert isinstance(parked.id, str)
            identity = Identity(parked.source, parked.id)
            self.answered[identity] = Answer(heard.system, PARKED, parked.reason)
        elif "input" in told:
            identity = Identity(**told["input"])
            assert heard.type == type_of(REFUSALS[heard.system])
            self.answered[identity] = Answer(heard.system, REFUSED, told["reason"])
        elif (n := self._number.get(told["complaint_id"])) is not None:  # all diallers hear of all visits
            self._act(systems, heard, told, n)

    def _act(self, systems: Systems, heard: Heard, told: dict[str, Any], n: int) -> None:
        complaint = told["complaint_id"]
        if heard.type == type_of(ComplaintDispatched):
            about: dict[str, Any] = {"complaint_id": complaint, "assignment": told["assignment"]}
            sign = SignOrder(**about)
            if n % 4 == 0:
                other = SignOrder(complaint_id=complaint, assignment=told["assignment"] + 6)
                self._say_wrong(systems, roles.UNIT, complaint, other, n, "is over, the present one is 1")
            elif n % 4 == 1:
                self._say_nonsense(systems, roles.UNIT, complaint, sign, n)
            answer = AnswerOrder(**about, result="修好了", claims_solved=True)
            self._say(systems, roles.UNIT, complaint, [sign, answer], n)
        elif heard.type == type_of(VisitScheduled):
            made = RecordVisit(
                complaint_id=complaint,
                visit=told["visit"],
                attempt=told["attempt"],
                solved=True,
                satisfied=n % 2 == 0,
            )
            if n % 4 == 2:
                other_visit = msgspec.structs.replace(made, visit=told["visit"] + 8)
                self._say_wrong(
                    systems, roles.DIALLER, complaint, other_visit, n, "is over, the present one is"
                )
            elif n % 4 == 3:
                self._say_nonsense(systems, roles.DIALLER, complaint, made, n)
            self._say(systems, roles.DIALLER, complaint, [made], n)
        elif heard.type == type_of(ComplaintClosed) and complaint not in self.closed:
            self.closed[complaint] = msgspec.json.decode(heard.value, type=OrderClosed)
            if n % 5 == 1:
                late = WithdrawRequest(complaint_id=complaint, reason="不用了")
                self._say_wrong(systems, roles.AGENTS, complaint, late, n, "the life ended")

    def _say(self, systems: Systems, system: str, key: str, data: Sequence[Input], n: int) -> None:
        systems.say(
            system,
            [_said(key, one, self._identity(system, key, one), structured=n % 2 == 1) for one in data],
        )

    def _say_wrong(self, systems: Systems, system: str, key: str, data: Input, n: int, because: str) -> None:
        """Messages that can be read, and are refused."""
        identity = self._identity(system, key, data, "wrong/")
        self.wrong[identity] = Wrong(system, REFUSED, (because,))
        systems.say(system, [_said(key, data, identity, structured=n % 2 == 1)])

    def _say_nonsense(self, systems: Systems, system: str, key: str, data: Input, n: int) -> None:
        """Messages that are parked, though each names its speaker."""
        identity = self._identity(system, key, data, "nonsense/")
        random = Random(f"{self.name}/{system}/{n}")
        good = input_headers(type(data), *identity, datetime.now(UTC))
        bad = random.choice([bad_text, bad_time])(random, good, data)
        assert bad.value is not None
        headers = {name: (value or b"").decode() for name, value in bad.headers}
        self.wrong[identity] = Wrong(system, PARKED, bad.names)
        systems.say(system, [Said(key, bad.value, headers)])

    def _identity(self, system: str, key: str, data: Input, what: str = "") -> Identity:
        return Identity(f"/{self.name}/{system}", f"{what}{key}/{data.TYPE}")


def _said(key: str, data: Input, identity: Identity, *, structured: bool) -> Said:
    now = datetime.now(UTC)
    if not structured:
        headers = {name: value.decode() for name, value in input_headers(type(data), *identity, now)}
        return Said(key, msgspec.json.encode(data), headers)
    event = {
        "specversion": "1.0",
        "type": data.TYPE,
        "source": identity.source,
        "id": identity.id,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": msgspec.to_builtins(data),
    }
    return Said(key, json.dumps(event).encode(), {"content-type": "application/cloudevents+json"})


# -- the hundred lives


class Lived(NamedTuple):
    """What it came to."""

    town: City
    outside: dict[str, Outside]
    counted: Counter[str]
    before: dict[str, int]
    after: dict[str, int]


@pytest.fixture(scope="module")
async def lived(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Lived]:
    names = list(here())
    async with (
        open_city(stack, databases, tmp_path_factory.mktemp("foreign")) as town,
        AsyncExitStack() as expelled,
    ):
        shares = [LIVES // len(names) + (n < LIVES % len(names)) for n in range(len(names))]
        outside = {
            name: Outside(name, street, share, await _admitted(town, name, STREETS[street], expelled))
            for name, street, share in zip(names, STREETS, shares, strict=False)
        }
        await town.start(extra=QUICK)
        before = town.pids()
        for one in outside.values():
            for topic in map(door_of, one.admitted.values()):
                await until(lambda topic=topic: town.hears(topic), within=WITHIN, what=f"{topic} heard")
        with ExitStack() as ended:
            for one in outside.values():
                ended.callback(one.stop)
            living = asyncio.gather(
                *(asyncio.to_thread(one.live, tmp_path_factory.mktemp(one.name)) for one in outside.values())
            )
            killing = asyncio.ensure_future(_each_desk_killed(town, living))
            both: list[asyncio.Future[Any]] = [living, killing]
            done, _ = await asyncio.wait(both, timeout=WITHIN, return_when="FIRST_EXCEPTION")
            for task in done:
                task.result()
            left = "\n".join(one.left() for one in outside.values())
            assert len(done) == 2, f"{left}\n{town.logs()}"
        await until(lambda: _back(town, before), within=WITHIN, what="every desk back", every=0.1)
        after = town.pids()
        await town.settled(within=WITHIN)
        yield Lived(town, outside, await town.verify(), before, after)


async def _admitted(town: City, name: str, unit: str, expelled: AsyncExitStack) -> dict[str, Admission]:
    """A login for each system of this client, gone at the end."""
    named = "" if name == PLAIN else name
    found = {}
    for role in SYSTEMS:
        login = Login(role, unit if role == roles.UNIT else named)
        found[role] = await admit(town.endpoints, login)
        expelled.push_async_callback(expel, town.endpoints, login)
        town.more.extend([*found[role].writes, *found[role].reads])
    return found


async def _each_desk_killed(town: City, living: asyncio.Future[Any]) -> None:
    """One after the other, as the lives go on: not by seconds, so that on a slow machine it is the same."""
    facts = len(LIFE) * LIVES
    for number, desk in enumerate(DESKS, start=1):
        at = facts * number // (len(DESKS) + 2)
        await until(lambda at=at: _has(town, at), within=WITHIN, what=f"{at} facts")
        assert not living.done(), f"{desk} was not killed: everybody had gone home"
        town.signal(desk)


async def _has(town: City, facts: int) -> bool:
    return bool(await town.value("SELECT count(*) FROM es.event") >= facts)


async def _back(town: City, before: dict[str, int]) -> bool:
    now = town.pids()
    return all(desk in now and now[desk] != before[desk] for desk in DESKS)


async def test_a_hundred_lives_end_though_each_desk_was_killed_and_no_fact_is_doubled(lived: Lived) -> None:
    wrong = Counter(
        REFUSALS[one.system].__name__
        for outside in lived.outside.values()
        for one in outside.wrong.values()
        if one.outcome == REFUSED
    )
    assert set(wrong) == {kind.__name__ for kind in REFUSALS.values()}
    assert lived.counted == dict.fromkeys(LIFE, LIVES) | wrong
    assert {desk for desk in DESKS if lived.after[desk] != lived.before[desk]} == set(DESKS)
    assert lived.town.kills == len(DESKS)
    assert len(lived.town.said) == len(DESKS), "nobody else had to be started again"
    complete = (
        "SELECT count(*) FROM intake.call WHERE offered_at IS NOT NULL AND answered_at IS NOT NULL"
        " AND ended_at IS NOT NULL"
    )
    assert await lived.town.value(complete) == LIVES


def outside_of(lived: Lived, name: str) -> Outside:
    if name not in lived.outside:
        pytest.skip(NO_NODE)
    return lived.outside[name]


EACH = pytest.mark.parametrize("name", list(CLIENTS))


@EACH
async def test_every_life_of_a_client_is_whole_in_both_modes(lived: Lived, name: str) -> None:
    outside = outside_of(lived, name)
    assert len(outside.requests) >= LIVES // len(CLIENTS)
    asked = await lived.town.messages(door_of(outside.admitted[roles.AGENTS]), count=len(outside.requests))
    placed = {record.key.decode(): record.partition for record in asked}
    ours = {one: partition_of(one.encode(), INTAKE_REQUESTS.partitions) for one in outside.requests}
    theirs = {one: placed[one] for one in outside.requests}
    assert len(set(theirs.values())) > 1
    # By the printed settings a key lies where our own commands look for it, else by murmur2: no door may rely on it.
    assert (ours == theirs) is (name != "kafka-python")
    for complaint in outside.complaints:
        story = [fact for fact in await lived.town.story(complaint) if fact in LIFE]
        assert story == list(LIFE)


@EACH
async def test_every_refusal_and_parking_is_heard_by_its_speaker_by_source_and_id(
    lived: Lived, name: str
) -> None:
    outside = outside_of(lived, name)
    assert outside.answered.keys() == outside.wrong.keys(), "and nobody hears of anything else"
    for identity, wrong in outside.wrong.items():
        answer = outside.answered[identity]
        assert (answer.system, answer.outcome) == (wrong.system, wrong.outcome), identity
        assert all(word in answer.reason for word in wrong.names), (wrong.names, answer.reason)
    said = {(one.system, one.outcome) for one in outside.wrong.values()}
    assert said == {(system, PARKED) for system in SYSTEMS} | {(system, REFUSED) for system in REFUSALS}


@EACH
async def test_a_department_hears_how_each_of_its_citizens_judged(lived: Lived, name: str) -> None:
    outside = outside_of(lived, name)
    for n, complaint in enumerate(outside.complaints):
        closed = outside.closed[complaint]
        assert closed.outcome == "SOLVED"
        assert isinstance(closed.judgement, msgspec.Struct)
        assert (closed.judgement.complaint_id, closed.judgement.solved) == (complaint, True)
        assert closed.judgement.satisfied is (n % 2 == 0)


async def test_what_nobody_could_read_lies_parked_and_nothing_else_does(lived: Lived) -> None:
    wanted = {
        (door_of(outside.admitted[wrong.system]), identity.id)
        for outside in lived.outside.values()
        for identity, wrong in outside.wrong.items()
        if wrong.outcome == PARKED
    }
    rows = await lived.town.sql("SELECT topic, event_id FROM es.parking_notice")
    assert {tuple(row) for row in rows} == wanted
    assert len(await lived.town.parked()) == len(wanted)
