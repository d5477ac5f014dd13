"""The city whose people say every input there is, round the people of the mix `plain`.

The plain people act as ever, and these acts come beside theirs. The same rule holds: each depends on the complaint
and on what was heard about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from hotline.lab.mix import Mix
from hotline.lab.simulation.behaviour import behaviour
from hotline.lab.simulation.centre import Centre, departments
from hotline.lab.simulation.citizens_again import said_again
from hotline.lab.simulation.order_courses import Courses, Planned
from hotline.lab.simulation.planned_input import OutwardMessage, PlannedInput, Reaction
from hotline.lab.simulation.population import Beijing, Population
from hotline.lab.simulation.units import about_order
from hotline.lab.simulation.whistles import Whistles
from shared.events import (
    AnswerSentBack,
    ArrivalMissed,
    ComplaintDispatched,
    CouncilDecided,
    CoUnitAdded,
    ExtensionApproved,
    Fact,
    PauseApproved,
    ReturnRejected,
    TerminationApproved,
    UnitCalled,
    VisitScheduled,
    WhistleArrived,
)
from shared.ids import ComplaintId
from shared.inputs import AnswerOrder, RequestReturn, SignOrder
from shared.policy.catalogue import Catalogue

VISIT: Final = "visit"
"""The plan of the dialler, which a sent-back answer ends."""


def people_of(mix: Mix, people: Beijing, catalogue: Catalogue, *, seed: int) -> Population:
    """These people in this mix."""
    return people if mix is Mix.PLAIN else FullMix(people, catalogue, seed=seed)


class FullMix:
    """See `Population`: every input is said by somebody."""

    def __init__(self, people: Beijing, catalogue: Catalogue, *, seed: int) -> None:
        """The same seed, people and catalogue give the same city."""
        self._people = people
        self._seed = seed
        self._rates = behaviour()
        self._centre = Centre(catalogue, self._rates, seed=seed)
        self._whistles = Whistles(departments(catalogue), self._rates, seed=seed)
        self._courses = Courses(catalogue, self._rates, self._whistles, seed=seed)
        self._settled: set[ComplaintId] = set()
        """Those whose unit a council has named."""
        courses, whistles = self._courses, self._whistles
        self._hears: dict[type[Fact], Callable[[Any, Reaction], Reaction]] = {
            ComplaintDispatched: self._ordered,
            ReturnRejected: self._returned,
            CouncilDecided: self._decided,
            ExtensionApproved: lambda fact, _: courses.extended(fact),
            PauseApproved: lambda fact, _: courses.paused(fact),
            TerminationApproved: lambda fact, _: Reaction(void=(about_order(fact.assignment),)),
            AnswerSentBack: lambda fact, reaction: _more(reaction, (courses.sent_back(fact),)),
            UnitCalled: lambda fact, reaction: _more(reaction, whistles.called(fact)),
            ArrivalMissed: lambda fact, _: whistles.missed(fact),
            WhistleArrived: lambda fact, reaction: _more(reaction, whistles.arrived(fact)),
        }
        """The acts of a unit about a fact on its topic, beside those of the plain unit."""

    def next_at(self) -> datetime | None:
        """See `Population.next_at`."""
        return self._people.next_at()

    def first_inputs(self, until: datetime) -> Iterator[PlannedInput]:
        """See `Population.first_inputs`."""
        for planned_input in self._people.first_inputs(until):
            yield planned_input
            yield from said_again(self._seed, self._rates, planned_input)

    def react(self, heard: OutwardMessage) -> Reaction:
        """See `Population.react`."""
        reaction = self._people.react(heard)
        if isinstance(heard.fact, CoUnitAdded) and heard.unit == heard.fact.co_unit:
            return _more(reaction, self._courses.helps(heard.fact))
        if heard.unit is not None:
            hears = self._hears.get(type(heard.fact))
            return reaction if hears is None else hears(heard.fact, reaction)
        if isinstance(heard.fact, AnswerSentBack):
            return Reaction(void=(VISIT,))
        planned = reaction.planned_inputs
        if isinstance(heard.fact, VisitScheduled):
            planned = [one._replace(about=VISIT) for one in planned]
        return reaction._replace(planned_inputs=(*planned, *self._centre.hears(heard.fact)))

    def forget(self, complaint: ComplaintId) -> None:
        """See `Population.forget`."""
        self._people.forget(complaint)
        self._centre.forget(complaint)
        self._whistles.forget(complaint)
        self._settled.discard(complaint)

    def _returned(self, fact: ReturnRejected, reaction: Reaction) -> Reaction:
        if not reaction.planned_inputs:
            return reaction
        disputed = self._courses.disputed(fact)
        return reaction if disputed is None else reaction._replace(planned_inputs=(disputed,))

    def _decided(self, fact: CouncilDecided, reaction: Reaction) -> Reaction:
        self._settled.add(fact.complaint_id)
        return _more(reaction, self._courses.settled(fact) if fact.to_unit == fact.unit else ())

    def _ordered(self, order: ComplaintDispatched, reaction: Reaction) -> Reaction:
        reaction = self._planned(order, reaction)
        return _more(reaction, self._centre.sees_order(order))

    def _planned(self, order: ComplaintDispatched, reaction: Reaction) -> Reaction:
        planned = reaction.planned_inputs
        assigned = self._courses.assigned(order)
        if assigned is not None:
            return reaction._replace(planned_inputs=(assigned,))
        if order.complaint_id in self._settled and any(isinstance(p.data, RequestReturn) for p in planned):
            self._people.keeps(order.complaint_id)
            return reaction._replace(planned_inputs=self._courses.kept(order))
        answer = next((one for one in planned if isinstance(one.data, AnswerOrder)), None)
        signed = next((one for one in planned if isinstance(one.data, SignOrder)), None)
        if answer is None or signed is None or not answer.about:
            return reaction  # silent, forgetful, or it goes on whatever it hears
        return _more(reaction, self._courses.of(Planned(order, signed, answer)))


def _more(reaction: Reaction, planned: Iterable[PlannedInput]) -> Reaction:
    return reaction._replace(planned_inputs=(*reaction.planned_inputs, *planned))
