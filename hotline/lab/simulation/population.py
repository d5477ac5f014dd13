"""Everybody outside the hotline, as the conductor sees them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from hotline.lab.simulation.dialler import dial
from hotline.lab.simulation.planned_input import NOTHING, OutwardMessage, PlannedInput, Reaction
from hotline.lab.simulation.telephony import Telephony
from hotline.lab.simulation.units import Units, review
from shared.events import ComplaintEscalated, ReturnRequested, VisitScheduled
from shared.ids import ComplaintId
from shared.policy.catalogue import Catalogue


class Population(Protocol):
    """The people and units of a rehearsal: those of a made-up city, or those of a real file.

    Their behaviour may depend on the complaint and on the messages they heard about it, in that order. It
    must not depend on the time at which they were asked, or on other complaints.
    """

    def next_at(self) -> datetime | None:
        """When something next comes in by itself; None when nothing will."""
        ...

    def first_inputs(self, until: datetime) -> Iterable[PlannedInput]:
        """Inputs up to `until` that come by themselves and were not given before, with those that surely follow."""
        ...

    def react(self, heard: OutwardMessage) -> Reaction:
        """The plans that change because of a message."""
        ...

    def forget(self, complaint: ComplaintId) -> None:
        """Its life is over: what was kept about it may go."""
        ...


class Beijing:
    """See `Population`: one made-up day, followed until its last complaint ends."""

    def __init__(self, catalogue: Catalogue, *, seed: int, scale: float, day: datetime) -> None:
        """The same seed, scale, day and catalogue give the same day."""
        self._seed = seed
        self._telephony = Telephony(catalogue, seed=seed, scale=scale, day=day)
        self._units = Units(catalogue, seed=seed)

    def next_at(self) -> datetime | None:
        """See `Population.next_at`."""
        return self._telephony.next_at()

    def first_inputs(self, until: datetime) -> Iterable[PlannedInput]:
        """See `Population.first_inputs`."""
        return self._telephony.until(until)

    def react(self, heard: OutwardMessage) -> Reaction:
        """See `Population.react`."""
        fact = heard.fact
        if heard.unit is not None:
            return self._units.see(heard.unit, fact)
        if isinstance(fact, VisitScheduled):
            return Reaction((dial(self._seed, fact),))
        if isinstance(fact, ReturnRequested):
            return Reaction(review(self._seed, fact))
        if isinstance(fact, ComplaintEscalated):
            return self._units.on_escalation(fact)
        return NOTHING

    def keeps(self, complaint: ComplaintId) -> None:
        """The unit that holds this complaint returns it no more."""
        self._units.keeps(complaint)

    def forget(self, complaint: ComplaintId) -> None:
        """See `Population.forget`."""
        self._units.forget(complaint)
