"""Moves city time in a rehearsal, so that a day gives the same facts at any speed.

In a step city time may reach an instant T. Every complaint goes on with its next events up to T, its earliest
input or its earliest timer. The conductor waits until everything is taken in, hears the outcome and plans the
reactions to it. It repeats this until nothing is left up to T; then T is settled. No complaint waits for
another, so a step takes as many waves as its longest life, however many complaints live. The size of a step
changes only the speed.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from aiokafka import TopicPartition

from hotline.lab.acknowledged import Acknowledged
from hotline.lab.simulation.agenda import Agenda, Timer, Watch
from hotline.lab.simulation.asked_for import AskedFor, asked_for
from hotline.lab.simulation.input_sender import InputSender
from hotline.lab.simulation.ledger import Ledger
from hotline.lab.simulation.population import Population
from hotline.lab.simulation.rehearsal_database import READERS, Look, RehearsalDatabase
from hotline.lab.simulation.topic_reader import TopicReader
from shared.complaint import ENDS
from shared.ids import ComplaintId
from shared.inputs import CallOffered
from shared.runtime.errors import UserError
from shared.topics import COMPLAINTS_LOG

LATER: Final = timedelta(days=40)
"""How far city time may move at once when nobody calls any more: what is left takes one step, as good as always."""
POLL_SECONDS: Final = 0.004
"""How often the system is looked at while something is under way."""
POLL_SECONDS_MAX: Final = 0.05
SHOW_SECONDS: Final = 0.1
"""How often progress is told."""
PATIENCE: Final = timedelta(minutes=5)
"""Without the least movement for this long, a process or a server is gone for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalProgress:
    """Where the rehearsal stands; counts are of facts in the log since it began."""

    city_at: datetime
    """How far city time has come: before it nothing is left to happen."""
    elapsed_seconds: float
    inputs: Mapping[str, int]
    """Acknowledged inputs by CloudEvents type."""
    facts: Mapping[str, int]
    """By type."""
    planned: int
    """Known inputs still to come."""
    lag: int
    """Messages that somebody has not taken in yet: our inputs, and the log by its readers."""
    waiting_for: str = ""
    """The condition the conductor waits for; empty between steps."""
    rounds: int = 0
    """Waves of inputs or timers so far."""

    def _sum(self, *names: str) -> int:
        return sum(self.facts.get(name, 0) for name in names)

    @property
    def calls(self) -> int:
        """Calls offered."""
        return self.inputs.get(CallOffered.TYPE, 0)

    @property
    def requests(self) -> int:
        """Complaints on record."""
        return self._sum("ComplaintReceived")

    @property
    def ended(self) -> int:
        """Lives that are over."""
        return self._sum(*(kind.__name__ for kind in ENDS))

    @property
    def open(self) -> int:
        """Lives that go on."""
        return self.requests - self.ended

    @property
    def answered_directly(self) -> int:
        """Answered from the knowledge base."""
        return self._sum("ComplaintAnsweredDirectly")

    @property
    def dispatched(self) -> int:
        """Work orders sent, those of later rounds and after returns included."""
        return self._sum("ComplaintDispatched")

    @property
    def overdue(self) -> int:
        """Limits missed, to sign or to answer."""
        return self._sum("SignLimitMissed", "AnswerLimitMissed")

    @property
    def escalated(self) -> int:
        """Notices to the next level."""
        return self._sum("ComplaintEscalated")

    @property
    def visited(self) -> int:
        """Visits that citizens answered; a complaint that was reopened is asked about again."""
        return self._sum("VisitMade")

    @property
    def reopened(self) -> int:
        """Complaints that citizens said were not solved."""
        return self._sum("ComplaintReopened")

    @property
    def closed(self) -> int:
        """Complaints closed."""
        return self._sum("ComplaintClosed")

    @property
    def withdrawn(self) -> int:
        """Requests taken back."""
        return self._sum("ComplaintWithdrawn")

    @property
    def refused(self) -> int:
        """Wishes that could not be met, each with its reason."""
        return self._sum("IntakeRefused", "ReplyRefused", "VisitAnswerRefused")

    @property
    def asked_for(self) -> Mapping[str, AskedFor]:
        """The wishes by name: how many were asked for, granted and refused."""
        return asked_for(self.inputs, self.facts)

    @property
    def lives_per_second(self) -> float:
        """Ended lives for each second of real time, direct answers included."""
        return self.ended / self.elapsed_seconds if self.elapsed_seconds > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary(RehearsalProgress):
    """The result of a rehearsal."""

    acknowledged_requests: frozenset[ComplaintId] = field(repr=False)
    """Every complaint whose request Kafka acknowledged."""
    acknowledged_inputs: frozenset[Acknowledged] = field(repr=False)
    """Every input Kafka acknowledged, by name."""


class Conductor:
    """One rehearsal of one population."""

    def __init__(
        self,
        population: Population,
        *,
        kafka: str,
        postgres: str,
        prefix: str,
        units: Sequence[str],
        start: datetime,
        step: timedelta,
        later: timedelta = LATER,
        ends_at: datetime | None = None,
        patience: timedelta = PATIENCE,
        ledger: Ledger | None = None,
    ) -> None:
        """`postgres` may read the log and write lab.city_clock; `units` are all that can get orders.

        `later`: how far city time moves at once when nobody calls any more.
        The rehearsal ends when nothing is planned and no timer set, or when city time reaches `ends_at`.
        With a ledger what Kafka acknowledged goes there, and the summary does not have it.
        """
        self._population = population
        self._database = RehearsalDatabase(postgres, prefix)
        self._sender = InputSender(kafka, prefix, ledger)
        self._reader = TopicReader(kafka, prefix, units)
        self._agenda = Agenda()
        self._watch = Watch()
        self._log = prefix + COMPLAINTS_LOG.name
        self._now = start
        self._reached = start
        self._step = step
        self._later = later
        self._ends_at = ends_at
        self._patience = patience.total_seconds()
        self._confirmed: dict[TopicPartition, int] = {}
        self._rounds = 0
        self._lag = 0
        self._began_at = 0.0
        self._shown_at = 0.0
        self._show: Callable[[RehearsalProgress], None] = lambda _: None

    @property
    def acknowledged(self) -> Counter[str]:
        """Inputs Kafka has acknowledged so far, by CloudEvents type."""
        return self._sender.acknowledged

    @property
    def acknowledged_requests(self) -> set[ComplaintId]:
        """The complaints whose request Kafka has acknowledged so far."""
        return self._sender.requests

    async def live(self, on_progress: Callable[[RehearsalProgress], None] = lambda _: None) -> Summary:
        """Conduct to the end. Kafka, PostgreSQL and every service may be killed and come back meanwhile.

        Raises `UserError` where nothing has moved for longer than the patience allows.
        """
        self._show = on_progress
        self._began_at = time.monotonic()
        try:
            await self._database.begin(self._now)
            await self._reader.start()
            await self._settled()
            self._note(await self._database.timers())
            while (until := self._next() or await self._next_of_others()) is not None:
                await self._live_until(until)
            self._tell("", at_once=True)
        finally:
            await self._sender.close()
            await self._reader.close()
            await self._database.close()
        progress = self._progress("")
        return Summary(
            **{name: getattr(progress, name) for name in RehearsalProgress.__dataclass_fields__},
            acknowledged_requests=frozenset(self._sender.requests),
            acknowledged_inputs=frozenset(self._sender.inputs),
        )

    def _next(self) -> datetime | None:
        """Where city time goes next: a step on, or over an empty stretch; None at the end."""
        next_at = self._next_at()
        if next_at is None or (self._ends_at is not None and self._now >= self._ends_at):
            return None
        steps = 1 if self._population.next_at() is not None else max(self._later // self._step, 1)
        # A timer due at T fires only when the clock is past T: the step must end later than what is next.
        until = self._now + max((next_at - self._now) // self._step + 1, steps) * self._step
        return until if self._ends_at is None else min(until, self._ends_at)

    async def _next_of_others(self) -> datetime | None:
        """The same where nothing is left that this conductor knows of: others may have recorded what still runs."""
        if self._ends_at is not None and self._now >= self._ends_at:
            return None
        await self._settled()
        await self._plan()
        self._note(await self._database.timers())
        return self._next()

    def _next_at(self) -> datetime | None:
        coming = (self._agenda.next_at(), self._population.next_at(), self._watch.next_at())
        return min((at for at in coming if at is not None), default=None)

    async def _live_until(self, until: datetime) -> None:
        await self._database.reach(until)
        self._now = until
        for planned_input in self._population.first_inputs(until):
            self._agenda.put(planned_input)
        fired = False
        while True:
            planned_inputs = self._agenda.take(until, self._watch.due)
            touched = {
                planned_input.complaint
                for planned_input in planned_inputs
                if planned_input.complaint is not None
            }
            firing = self._watch.fire(until, self._agenda, touched)
            if not planned_inputs and not firing:
                break
            self._rounds += 1
            if firing or fired:
                await self._database.fire(firing)
                fired = bool(firing)
            await self._sender.send(planned_inputs)
            await self._settled()
            await self._plan()
            touched |= firing.keys()
            for complaint in touched:
                self._watch.put(complaint, [])
            self._note(await self._database.timers(touched))
            if (next_at := self._next_at()) is not None:
                self._reached = max(self._reached, min(next_at, until))
        if fired:
            await self._database.fire({})
        await self._database.settle(until)
        self._tell("")

    def _note(self, timers: Iterable[Timer]) -> None:
        """These are all timers of their complaints."""
        found: defaultdict[ComplaintId, list[Timer]] = defaultdict(list)
        for timer in timers:
            found[timer.complaint].append(timer)
        for complaint, all_of_it in found.items():
            self._watch.put(complaint, all_of_it)

    async def _plan(self) -> None:
        """Hear what came out, and plan what those outside will do about it."""
        for heard in await self._reader.hear():
            reaction = self._population.react(heard)
            for about in reaction.void:
                self._agenda.void(heard.fact.complaint_id, about)
            for planned_input in reaction.planned_inputs:
                self._agenda.put(planned_input)
        for complaint in self._reader.ended:
            self._population.forget(complaint)
        self._reader.ended.clear()

    async def _settled(self) -> None:
        """Wait until every input handed in had its effect, and every effect its own effects.

        The order of the questions makes the answer safe. First, at one instant, the relay has published
        everything and every desk is where it must be. Only then Kafka is asked where the log ends. If a desk
        had said anything in between, the log would end further on than the desks were.
        """
        wanted = self._sender.wanted(self._confirmed)
        ends = dict(self._sender.ends)
        began_at = moved_at = time.monotonic()
        before: object = None
        while True:
            look = await self._database.look(wanted)
            if look.drained and not look.overdue and look.behind == 0 and self._known_read(look):
                log_ends = await self._reader.log_ends()
                if all(read == log_ends for read in look.read) and self._reader.at(log_ends):
                    break
            now = time.monotonic()
            if before != (before := (look, tuple(self._reader.read))):
                moved_at = now
            elif now - moved_at > self._patience:
                raise UserError(
                    f"nothing has moved for {now - moved_at:.0f} seconds; waiting for {self._reason(look)}. "
                    "Look at that process's log."
                )
            self._lag = look.behind + sum(
                max(end - place, 0)
                for read in look.read
                for end, place in zip(self._reader.read, read, strict=True)
            )
            self._tell(self._reason(look))
            # Often while it may end any moment, rarely while much is under way.
            await asyncio.sleep(min(max(POLL_SECONDS, (now - began_at) / 10), POLL_SECONDS_MAX))
        self._confirmed = ends
        self._lag = 0

    def _known_read(self, look: Look) -> bool:
        """Whether the desks are at least where this reader of the log is; else there is no need to ask Kafka."""
        return all(
            place >= mine for read in look.read for place, mine in zip(read, self._reader.read, strict=True)
        )

    def _reason(self, look: Look) -> str:
        if look.behind:
            return f"the desks to take in {look.behind} inputs"
        if look.overdue:
            return "escalation to state what has become due"
        if not look.drained:
            return "the relay to publish the log"
        for name, read in zip(READERS, look.read, strict=True):
            if any(place < mine for place, mine in zip(read, self._reader.read, strict=True)):
                return f"{name} to read the log"
        return "Kafka to say where the log ends"

    def _tell(self, waiting_for: str, *, at_once: bool = False) -> None:
        now = time.monotonic()
        if at_once or now - self._shown_at >= SHOW_SECONDS:
            self._shown_at = now
            self._show(self._progress(waiting_for))

    def _progress(self, waiting_for: str) -> RehearsalProgress:
        return RehearsalProgress(
            city_at=self._reached.astimezone(self._now.tzinfo),
            elapsed_seconds=time.monotonic() - self._began_at,
            inputs=dict(self._sender.acknowledged),
            facts=dict(self._reader.facts),
            planned=len(self._agenda),
            lag=self._lag,
            waiting_for=waiting_for,
            rounds=self._rounds,
        )
