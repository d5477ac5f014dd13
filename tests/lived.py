"""A day of the city, led by the real doors and rules in memory, conducted as the conductor does."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final

from msgspec.structs import replace as changed

from hotline.lab.desks.clock import RehearsalClock
from hotline.lab.mix import Mix
from hotline.lab.simulation.agenda import Agenda, Timer, Watch
from hotline.lab.simulation.city import DAY
from hotline.lab.simulation.full_mix import people_of
from hotline.lab.simulation.input_sender import InputSender
from hotline.lab.simulation.planned_input import OutwardMessage, PlannedInput
from hotline.lab.simulation.population import Beijing
from services.dispatch import inbound as dispatch_doors
from services.dispatch import rules as dispatch
from services.dispatch.settings import Settings as DispatchSettings
from services.escalation import rules as escalation
from services.escalation.rules import FireDeadlines
from services.feedback import inbound as feedback_doors
from services.feedback import rules as feedback
from services.intake import inbound as intake_doors
from services.intake import rules as intake
from services.intake.settings import Settings as IntakeSettings
from shared.complaint import ENDS, UNOPENED, Case, Complaint, due_deadlines, evolve
from shared.events import Fact, Urgency
from shared.events.base import Limit
from shared.ids import ComplaintId
from shared.inputs import Input
from shared.log import Incoming
from shared.outward import OUTWARD
from shared.policy.catalogue import catalogue
from shared.topics import (
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_EXCEPTIONS,
    FEEDBACK_VISIT_RESULTS,
    INTAKE_REQUESTS,
)
from shared.work import Batch

CATALOGUE: Final = catalogue()
CLOCK: Final = RehearsalClock()
ADDRESS: Final = {"kafka": "none", "postgres": "none"}


class Hotline:
    """The four desks' doors and rules, and nothing else."""

    def __init__(self) -> None:
        self.cases: dict[ComplaintId, Case] = {}
        self.facts: defaultdict[ComplaintId, list[Fact]] = defaultdict(list)
        self.said: Counter[type[Input]] = Counter()
        self._sender = InputSender("none", "")
        self._doors = {
            INTAKE_REQUESTS: intake_doors.requests(IntakeSettings(**ADDRESS), CLOCK),
            DISPATCH_REPLIES: dispatch_doors.replies(DispatchSettings(**ADDRESS), CLOCK),
            DISPATCH_REVIEWS: dispatch_doors.reviews(CLOCK),
            FEEDBACK_VISIT_RESULTS: feedback_doors.answers(CLOCK),
            FEEDBACK_EXCEPTIONS: feedback_doors.exceptions(CLOCK),
        }

    def hear(self, planned_input: PlannedInput) -> list[Fact]:
        """Take an act in by its door, and everything that follows from it."""
        self.said[type(planned_input.data)] += 1
        if planned_input.line not in self._doors:
            return []  # the telephone leads no life
        ((tp, messages),) = self._sender._written([planned_input._replace(times=1)]).items()
        batch = Batch()
        self._doors[planned_input.line](
            [Incoming(tp.topic, tp.partition, 0, 0, m.key, tuple(m.headers), m.value) for m in messages],
            batch,
        )
        assert not batch.parked
        (work,) = batch.work
        case = self.cases.get(work.complaint_id, UNOPENED)
        if planned_input.line is INTAKE_REQUESTS:
            return self._said(work.complaint_id, intake.decide(work.command, case))
        if planned_input.line in {FEEDBACK_VISIT_RESULTS, FEEDBACK_EXCEPTIONS}:
            return self._said(work.complaint_id, feedback.decide(work.command, case, CATALOGUE))
        return self._said(work.complaint_id, dispatch.decide(work.command, case, CATALOGUE))

    def fire(self, complaint: ComplaintId, until: datetime) -> list[Fact]:
        """Let what is due before `until` fire, and everything that follows."""
        command = FireDeadlines(complaint_id=complaint, until=until)
        return self._said(complaint, escalation.decide(command, self.cases[complaint], CATALOGUE))

    def timers(self, until: datetime) -> list[Timer]:
        """Every timer before `until`."""
        return [
            Timer(complaint, due_at, case.ruleset, case.urgency or Urgency.GENERAL_7D, limit is Limit.ARRIVAL)
            for complaint, case in self.cases.items()
            if isinstance(case, Complaint)
            for limit, due_at in due_deadlines(case).items()
            if due_at < until
        ]

    def _said(self, complaint: ComplaintId, facts: Iterable[Fact]) -> list[Fact]:
        said: list[Fact] = []
        queue: deque[Fact] = deque(facts)
        while queue:
            fact = queue.popleft()
            said.append(fact)
            self.facts[complaint].append(fact)
            self.cases[complaint] = evolve(self.cases.get(complaint, UNOPENED), fact)
            at = getattr(fact, fact.TIME)
            case = self.cases[complaint]
            if (order := dispatch.react(fact, at)) is not None:
                queue.extend(dispatch.decide(order, case, CATALOGUE))
            if (visit := feedback.react(fact, at)) is not None:
                queue.extend(feedback.decide(visit, case, CATALOGUE))
        return said


def lived(step: timedelta, mix: Mix = Mix.PLAIN, *, seed: int = 1, scale: float) -> Hotline:
    """Conduct a day to its end, as `Conductor` does."""
    plain = Beijing(CATALOGUE, seed=seed, scale=scale, day=DAY)
    people, hotline, agenda = people_of(mix, plain, CATALOGUE, seed=seed), Hotline(), Agenda()
    now = DAY

    def react(said: list[Fact]) -> None:
        for fact in said:
            for line, field in OUTWARD.get(type(fact).__name__, ()):
                unit = None if field is None else getattr(fact, field)
                if field is not None and unit is None:
                    continue
                reaction = people.react(OutwardMessage(line, unit, fact))
                for about in reaction.void:
                    agenda.void(fact.complaint_id, about)
                for planned_input in reaction.planned_inputs:
                    agenda.put(planned_input)
        for fact in said:
            if isinstance(fact, ENDS):
                people.forget(fact.complaint_id)

    while True:
        now += step
        for planned_input in people.first_inputs(now):
            agenda.put(planned_input)
        while True:
            watch = Watch()
            for complaint, timers in groupby(sorted(hotline.timers(now)), key=attrgetter("complaint")):
                watch.put(complaint, list(timers))
            planned_inputs = agenda.take(now, watch.due)
            firing = watch.fire(now, agenda, {planned_input.complaint for planned_input in planned_inputs})
            for planned_input in planned_inputs:
                react(hotline.hear(planned_input))
            for complaint, until in firing.items():
                react(hotline.fire(complaint, until))
            if not planned_inputs and not firing:
                break
        if not len(agenda) and people.next_at() is None and not hotline.timers(DAY + timedelta(days=999)):
            return hotline


def noticed_apart(fact: Fact) -> Fact:
    """The fact without the time at which somebody noticed it, which depends on how the clock jumps."""
    fields = {name: DAY for name in ("noticed_at", "corrected_at") if hasattr(fact, name)}
    return changed(fact, **fields) if fields else fact
