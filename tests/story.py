"""A small hotline in memory for stories: the four real desks and their doors on a `Memory`, a clock moved by hand.

What a story tells comes in as a message at a door; what the desks say is handed on in commit order, as the
relay would; timers fire when the clock has passed them, and never before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Final, TypeVar, overload
from uuid import UUID

from msgspec.structs import replace

from hotline.audit.legality.life import illegal
from services.dispatch import rules as dispatch
from services.dispatch.inbound import replies, reviews
from services.dispatch.settings import Settings as DispatchSettings
from services.escalation import due as escalation_due
from services.escalation import rules as escalation
from services.escalation.settings import Settings as EscalationSettings
from services.escalation.ticker import Ticker
from services.feedback import rules as feedback
from services.feedback.inbound import answers, exceptions
from services.intake import rules as intake
from services.intake.inbound import calls, requests
from services.intake.knowledge.rule import NO_BASE, Articles
from services.intake.settings import Settings as IntakeSettings
from shared import inputs
from shared.cloudevents import fact_headers, header
from shared.complaint import UNOPENED, Case, Complaint, evolve, head_of, head_text
from shared.desk import Decide, Desk, Obeyed
from shared.doors.parking import one_by_one
from shared.doors.process import HeardTypes, React, from_log
from shared.doors.unread_records import Handle
from shared.events import SPEAKERS, ComplaintDispatched, Fact, VisitScheduled
from shared.ids import ComplaintId, UnitId, complaint_id
from shared.inputs import Input
from shared.log import TIMER_SHARDS, Incoming, timers_of
from shared.log.chain import GENESIS, Stored, chained
from shared.log.codec import ce_type_of, decoded
from shared.log.memory import Memory, MemoryLog
from shared.outward import OUTWARD
from shared.policy.catalogue import Catalogue
from shared.runtime.clock import ClockAt
from shared.runtime.telemetry import Telemetry
from shared.topics import (
    COMPLAINTS_LOG,
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_EXCEPTIONS,
    FEEDBACK_VISIT_RESULTS,
    INTAKE_REQUESTS,
    TELEPHONY_CALLS,
    Topic,
)
from shared.work import Batch
from tests import examples
from tests.doors import message

ADDRESSES: Final[dict[str, Any]] = {"kafka": "in memory", "postgres": "in memory"}

_Fact = TypeVar("_Fact", bound=Fact)


class Story:
    """One hotline from its first call on."""

    def __init__(
        self,
        *,
        ruleset: str = "beijing-draft-2021",
        at: datetime = examples.CALLED_AT,
        catalogue: Catalogue = examples.CATALOGUE,
        calendar: str = "cn-1",
        articles: Articles = NO_BASE,
    ) -> None:
        """Nobody has called yet; `articles`: what the knowledge base holds."""
        self.clock = ClockAt(at)
        self.memory = Memory(self.clock.now)
        self.id = examples.ID
        self._numbers = count(1)
        self._heard = {"dispatch": 0, "feedback": 0}
        by_catalogue = {"catalogue": catalogue}
        self.desks = {
            "intake": self._desk("intake", partial(intake.decide, known=articles)),
            "dispatch": self._desk("dispatch", partial(dispatch.decide, **by_catalogue)),
            "escalation": self._desk("escalation", partial(escalation.decide, **by_catalogue)),
            "feedback": self._desk("feedback", partial(feedback.decide, **by_catalogue)),
        }
        self._doors: dict[str, tuple[str, Handle]] = {
            TELEPHONY_CALLS.name: ("intake", calls(self.clock)),
            INTAKE_REQUESTS.name: (
                "intake",
                requests(IntakeSettings(ruleset=ruleset, calendar=calendar, **ADDRESSES), self.clock),
            ),
            DISPATCH_REPLIES.name: ("dispatch", replies(DispatchSettings(**ADDRESSES), self.clock)),
            DISPATCH_REVIEWS.name: ("dispatch", reviews(self.clock)),
            FEEDBACK_VISIT_RESULTS.name: ("feedback", answers(self.clock)),
            FEEDBACK_EXCEPTIONS.name: ("feedback", exceptions(self.clock)),
        }
        self._hearers = {
            "dispatch": self._hearer(dispatch.REACTS, dispatch.react),
            "feedback": self._hearer(feedback.REACTS, feedback.react),
        }
        ticker = Ticker(EscalationSettings(**ADDRESSES), self.desks["escalation"])
        ticker._owned = list(range(TIMER_SHARDS))
        self.ticker = ticker

    # --- what people do

    async def tells(
        self, line: Topic, data: Input, *, unit: str = "", event_id: str = "", heard: bool = True
    ) -> Obeyed:
        """Somebody puts a message on a topic now; the desk that hears it obeys, then the others hear the desk."""
        number = next(self._numbers)
        topic = line.of(unit) if line.per_unit else line.name
        incoming = message(
            data, topic, at=self.clock.now(), event_id=event_id or f"event-{number}", offset=number
        )
        return await self.comes(line, incoming, heard=heard)

    async def comes(self, line: Topic, *incoming: Incoming, heard: bool = True) -> Obeyed:
        """Messages as they are, together in one batch."""
        desk, handle = self._doors[line.name]
        batch = Batch()
        handle(incoming, batch)
        said = await self.desks[desk].obey(batch)
        if heard:
            await self.hears()
        return said

    async def records(self, **changes: Any) -> ComplaintId:
        """An agent puts the example request on record, with these changes; another request comes in another call."""
        if "request_id" in changes:
            changes.setdefault("call_id", f"call of {changes['request_id']}")
        request = replace(examples.REQUEST, **changes)
        await self.tells(INTAKE_REQUESTS, request)
        self.id = complaint_id(request.request_id)
        return self.id

    async def withdraws(self) -> Obeyed:
        """The citizen takes it back."""
        request_id = self.case().request_id
        return await self.tells(INTAKE_REQUESTS, inputs.WithdrawRequest(request_id=request_id))

    async def signs(self, unit: UnitId | None = None, assignment: int | None = None) -> Obeyed:
        """The unit that holds the order takes it on, or another tries to."""
        order = self.order()
        data = inputs.SignOrder(complaint_id=self.id, assignment=assignment or order.assignment)
        return await self.tells(DISPATCH_REPLIES, data, unit=unit or order.unit)

    async def answers(
        self, unit: UnitId | None = None, assignment: int | None = None, *, claims_solved: bool = True
    ) -> Obeyed:
        """The unit says what it did."""
        order = self.order()
        data = inputs.AnswerOrder(
            complaint_id=self.id,
            assignment=assignment or order.assignment,
            result="已处理",
            claims_solved=claims_solved,
        )
        return await self.tells(DISPATCH_REPLIES, data, unit=unit or order.unit)

    async def gives_back(self, to: UnitId | None = None) -> Obeyed:
        """The unit says it is not its own, and whose."""
        order = self.order()
        data = inputs.RequestReturn(
            complaint_id=self.id,
            assignment=order.assignment,
            reason="不属本单位",
            evidence="辖区图",
            suggested_unit=to,
        )
        return await self.tells(DISPATCH_REPLIES, data, unit=order.unit)

    async def review(self, *, approves: bool) -> Obeyed:
        """The reviewers decide."""
        data = inputs.ReviewReturn(
            complaint_id=self.id,
            assignment=self.order().assignment,
            approved=approves,
            reviewer="reviewer-3",
        )
        return await self.tells(DISPATCH_REVIEWS, data)

    async def citizen_says(self, *, solved: bool, satisfied: bool | None = None) -> Obeyed:
        """The dialler reaches the citizen."""
        visit = self.visit()
        data = inputs.RecordVisit(
            complaint_id=self.id,
            visit=visit.visit,
            attempt=visit.attempt,
            solved=solved,
            satisfied=solved if satisfied is None else satisfied,
        )
        return await self.tells(FEEDBACK_VISIT_RESULTS, data)

    async def nobody_answers(self) -> Obeyed:
        """The dialler tries in vain."""
        visit = self.visit()
        data = inputs.RecordUnreached(complaint_id=self.id, visit=visit.visit, attempt=visit.attempt)
        return await self.tells(FEEDBACK_VISIT_RESULTS, data)

    async def supervisor_lets_it_close(self) -> Obeyed:
        """An exception is approved."""
        return await self.tells(FEEDBACK_EXCEPTIONS, replace(examples.EXCEPTION, complaint_id=self.id))

    # --- what time does

    async def passes(self, until: datetime | timedelta) -> None:
        """Time goes on to an instant, or for a while; each timer fires as soon as its limit has passed."""
        end = until if isinstance(until, datetime) else self.clock.now() + until
        while due := self.memory.due(end):
            self.clock.move_to(min(due.values()) + examples.INSTANT)
            await self.ticks()
        self.clock.move_to(end)

    async def ticks(self) -> int:
        """Escalation looks at the clock, and the others hear what it says."""
        fired = await self.ticker.tick(_MemoryTimers(self))  # type: ignore[arg-type]  # what it asks of a connection
        await self.hears()
        return fired

    # --- what the desks hear

    async def hears(self) -> None:
        """The relay hands on what is new until nobody has anything to say any more."""
        while any(position < len(self.memory.facts) for position in self._heard.values()):
            for desk, position in self._heard.items():
                self._heard[desk] = len(self.memory.facts)
                await self.relayed(desk, self.memory.facts[position:])

    async def relayed(self, desk: str, facts: Sequence[Stored]) -> Obeyed:
        """These facts reach a desk as one batch from `complaints.log`."""
        batch = Batch()
        self._hearers[desk]([_from_relay(stored) for stored in facts], batch)
        return await self.desks[desk].obey(batch)

    # --- what there is to see

    @overload
    def facts(self) -> list[Fact]: ...

    @overload
    def facts(self, *kinds: type[_Fact]) -> list[_Fact]: ...

    def facts(self, *kinds: type[Any]) -> list[Any]:
        """Everything that happened to the complaint, or only what is of these kinds."""
        told = [
            decoded(stored.type, stored.schema_version, stored.body)
            for stored in self.memory.facts
            if stored.complaint_id == self.id
        ]
        return [fact for fact in told if isinstance(fact, kinds)] if kinds else told

    def told(self) -> list[str]:
        """The names of what happened, in order."""
        return [type(fact).__name__ for fact in self.facts()]

    def case(self) -> Complaint:
        """The complaint as it stands."""
        return head_of(self.memory.heads[self.id][2])

    def order(self) -> ComplaintDispatched:
        """The order a unit last found on its topic."""
        *_, last = self.facts(ComplaintDispatched)
        assert isinstance(last, ComplaintDispatched)
        return last

    def visit(self) -> VisitScheduled:
        """What the dialler was last asked for."""
        *_, last = self.facts(VisitScheduled)
        assert isinstance(last, VisitScheduled)
        return last

    def sent(self, line: Topic, unit: str | None = None) -> list[Fact]:
        """What left on an outward topic, for a unit's topic of that unit."""
        return [
            fact
            for fact in self.facts()
            for topic, field in OUTWARD.get(type(fact).__name__, ())
            if topic is line and (field is None or getattr(fact, field) == unit)
        ]

    # --- what must hold at every moment

    def holds(self) -> None:
        """Versions dense, hashes chained, every life legal, heads and timers what the facts say."""
        cases: dict[str, Case] = {}
        ends: dict[str, tuple[int, bytes]] = {}
        before: dict[str, Fact] = {}
        for stored in self.memory.facts:
            stream = stored.complaint_id
            version, head_hash = ends.get(stream, (0, GENESIS))
            fact = decoded(stored.type, stored.schema_version, stored.body)
            case = cases.get(stream, UNOPENED)
            assert stored.version == version + 1
            assert stored.actor == SPEAKERS[type(fact)]
            assert stored.occurred_at == getattr(fact, fact.TIME)
            assert illegal(case, fact, before.get(stream)) is None
            ends[stream] = stored.version, _chained(head_hash, stored)
            assert ends[stream][1] == stored.hash
            cases[stream], before[stream] = evolve(case, fact), fact
        assert {stream: (*end, head_text_of(cases[stream])) for stream, end in ends.items()} == (
            self.memory.heads
        )
        assert self.memory.timers == {
            (stream, kind): due_at
            for stream, case in cases.items()
            for kind, due_at in timers_of(case).items()
        }

    def _desk(self, name: str, decide: Decide) -> Desk:
        return Desk(name, decide, MemoryLog(self.memory, name), Telemetry(name))

    def _hearer(self, reacts: Sequence[type[Fact]], react: React) -> Handle:
        """A desk's ear for the log; like its door it passes over what it does not react to."""
        wanted, fill = HeardTypes(reacts), one_by_one(from_log(react, self.clock))
        return lambda messages, batch: fill(
            [m for m in messages if header(m.headers, "ce_type") in wanted], batch
        )


class _MemoryTimers:
    """What the ticker asks of PostgreSQL, answered from memory."""

    def __init__(self, story: Story) -> None:
        self._story = story

    async def fetch(
        self, query: str, shards: Sequence[int], low: datetime, until: datetime, limit: int, behind: UUID
    ) -> list[_Row]:
        assert query == escalation_due.DUE
        assert list(shards) == list(range(TIMER_SHARDS))
        rows = [(at, UUID(stream), due_at) for at, stream, due_at in self._story.memory.looked_at(until)]
        return [_Row((stream, due_at, at)) for at, stream, due_at in rows if (at, stream) > (low, behind)][
            :limit
        ]

    async def fetchval(self, query: str) -> Any:
        if query == escalation_due._WRITERS:
            return []
        assert query == escalation_due.PRESENT
        return self._story.clock.now()

    async def execute(self, query: str, *timer: Any) -> None:
        assert query == escalation_due._LEAVE_ALONE
        self._story.memory.pass_over(*timer)


class _Row(tuple[UUID, datetime, datetime]):
    """A row by place and by name, as asyncpg's."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__({"stream_id": 0, "due_at": 1, "look_at": 2}.get(key, key))


def head_text_of(case: Case) -> str:
    """The head as stored; only a complaint has one."""
    assert isinstance(case, Complaint)
    return head_text(case)


def _from_relay(stored: Stored) -> Incoming:
    headers = fact_headers(
        ce_type_of(stored.type, stored.schema_version),
        stored.fact_id,
        stored.actor,
        stored.version,
        stored.caused_by,
        b"1.%d" % stored.position,
        stored.occurred_at,
    )
    key = stored.complaint_id.encode()
    return Incoming(COMPLAINTS_LOG.name, 0, stored.position, 0, key, tuple(headers), stored.body)


def _chained(previous: bytes, stored: Stored) -> bytes:
    return chained(
        previous,
        stored.complaint_id,
        stored.version,
        stored.fact_id,
        stored.type,
        stored.schema_version,
        stored.occurred_at,
        stored.caused_by,
        stored.actor,
        stored.body,
    )
