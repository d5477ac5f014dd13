"""A unit's courses beside signing and answering an order: it asks for more time, an end, help, a council.

Each course is drawn from the complaint's id and the assignment. In the end the unit answers, or a review has ended
the order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from hotline.lab.simulation.behaviour import Behaviour
from hotline.lab.simulation.hands import by_unit, hours
from hotline.lab.simulation.planned_input import PlannedInput, Reaction
from hotline.lab.simulation.seeded_random import SeededRandom
from hotline.lab.simulation.units import ANSWERS, about_order, claims_solved
from hotline.lab.simulation.whistles import Whistles
from shared import inputs
from shared.events import (
    AnswerSentBack,
    ComplaintDispatched,
    CouncilDecided,
    CoUnitAdded,
    ExtensionApproved,
    PauseApproved,
    ReturnRejected,
)
from shared.events.base import ExclusionGround, PauseGround, TerminationGround
from shared.ids import ComplaintId, UnitId
from shared.policy.catalogue import Catalogue

EXTENSION_DAYS_ASKED_MAX: Final = 11
"""One more than the rule set grants: some ask for too much."""
PAUSE_DAYS_ASKED_MAX: Final = 30

_EVIDENCE: Final = "现场核实记录及情况说明见附件。"


class Planned(NamedTuple):
    """A unit's plan for an order that it means to sign and to answer."""

    order: ComplaintDispatched
    signed: PlannedInput
    answer: PlannedInput

    @property
    def hours_before_end(self) -> float:
        """From signing to the answer, or to the limit where that is sooner and not over."""
        order = self.order
        due = order.citizen_due_at if order.round == 1 else order.unit_due_at
        end = min(self.answer.at, due) if due > self.signed.at else self.answer.at
        return (end - self.signed.at).total_seconds() / 3600


class Courses:
    """All units, for what they do beside."""

    def __init__(self, catalogue: Catalogue, rates: Behaviour, whistles: Whistles, *, seed: int) -> None:
        """No course is taken."""
        self._catalogue = catalogue
        self._rates = rates
        self._whistles = whistles
        self._seed = seed

    def assigned(self, order: ComplaintDispatched) -> PlannedInput | None:
        """A district's government gives its first order to one of its streets, unsigned."""
        streets = sorted(self._catalogue.streets_under(order.unit))
        rng = self._rng(order.complaint_id, order.assignment, "assign")
        if not streets or order.assignment > 1 or not rng.chance(self._rates.rate(inputs.AssignOrder)):
            return None
        span = (order.sign_due_at or order.dispatched_at + hours(8)) - order.dispatched_at
        data = inputs.AssignOrder(
            complaint_id=order.complaint_id,
            assignment=order.assignment,
            to_unit=rng.pick(streets),
            reason="属地办理",
        )
        return self._reply(order, order.dispatched_at + rng.between(0.05, 0.8) * span, "assigned", data)

    def of(self, plan: Planned) -> Iterator[PlannedInput]:
        """Gives the acts beside the plan: one course at most, and an exclusion asked for after the answer."""
        order = plan.order
        rng = self._rng(order.complaint_id, order.assignment, "course")
        street = self._catalogue.is_street(order.unit)
        share, at = rng.share(), plan.hours_before_end * rng.between(0.1, 0.6)
        for kind in (
            inputs.RequestExtension,
            inputs.RequestPause,
            inputs.RequestTermination,
            inputs.BlowWhistle,
        ):
            if kind is inputs.BlowWhistle and not street:
                break
            share -= self._rates.rate(kind)
            if share < 0:
                yield self._taken(kind, plan, at, rng)
                break
        rng = self._rng(order.complaint_id, order.assignment, "exclusion")
        if rng.chance(self._rates.rate(inputs.RequestExclusion)):
            data = inputs.RequestExclusion(
                complaint_id=order.complaint_id, ground=rng.pick(tuple(ExclusionGround)), evidence=_EVIDENCE
            )
            asked_at = plan.answer.at + hours(rng.between(0.2, 48))
            asked = self._reply(order, asked_at, "exclusion-asked", data)
            yield asked._replace(about="")  # it asks whatever becomes of its plan

    def _taken(
        self, kind: type[inputs.Input], plan: Planned, after: float, rng: SeededRandom
    ) -> PlannedInput:
        order, at = plan.order, plan.signed.at + hours(after)
        about: dict[str, Any] = {"complaint_id": order.complaint_id, "assignment": order.assignment}
        if kind is inputs.BlowWhistle:
            return self._whistles.blown(plan.signed, order.assignment, after / 3)
        if kind is inputs.RequestExtension:
            extension = inputs.RequestExtension(
                **about,
                days=rng.whole(1, EXTENSION_DAYS_ASKED_MAX),
                reason="情况复杂,需延长办理",
                citizen_told=True,
            )
            return self._reply(order, at, "extension-asked", extension)
        if kind is inputs.RequestPause:
            pause = inputs.RequestPause(
                **about,
                ground=rng.pick(tuple(PauseGround)),
                days=rng.whole(3, PAUSE_DAYS_ASKED_MAX),
                evidence=_EVIDENCE,
            )
            return self._reply(order, at, "pause-asked", pause)
        termination = inputs.RequestTermination(
            **about, ground=rng.pick(tuple(TerminationGround)), evidence=_EVIDENCE
        )
        return self._reply(order, at, "termination-asked", termination)

    def disputed(self, fact: ReturnRejected) -> PlannedInput | None:
        """A unit whose return was rejected asks for a council, or does not."""
        rng = self._rng(fact.complaint_id, fact.assignment, "dispute")
        if not rng.chance(self._rates.rate(inputs.RaiseDispute)):
            return None
        data = inputs.RaiseDispute(
            complaint_id=fact.complaint_id,
            assignment=fact.assignment,
            reason="对派单有异议,申请会商",
            evidence=_EVIDENCE,
        )
        at = fact.rejected_at + hours(rng.between(0.2, 12))
        about = about_order(fact.assignment)
        return by_unit(fact.unit, fact.complaint_id, at, f"{fact.assignment}/disputed", data, about=about)

    def settled(self, fact: CouncilDecided) -> Sequence[PlannedInput]:
        """The council left it with the unit, which signs and answers."""
        return self._kept(fact.unit, fact.complaint_id, fact.assignment, 1, fact.decided_at, "after-council")

    def kept(self, order: ComplaintDispatched) -> Sequence[PlannedInput]:
        """A council named the unit: nobody returns it any more."""
        return self._kept(
            order.unit, order.complaint_id, order.assignment, order.round, order.dispatched_at, "settled"
        )

    def extended(self, fact: ExtensionApproved) -> Reaction:
        """With more time the unit answers later, still in time."""
        rng = self._rng(fact.complaint_id, fact.assignment, "extended")
        at = fact.approved_at + rng.between(0.3, 0.97) * (fact.new_due_at - fact.approved_at)
        answer = self._answer(fact.unit, fact.complaint_id, fact.assignment, fact.round, at, "extended")
        return Reaction((answer,), (about_order(fact.assignment),))

    def paused(self, fact: PauseApproved) -> Reaction:
        """The unit waits; half of the time what it waits for comes sooner. Then it has the time that was left."""
        rng = self._rng(fact.complaint_id, fact.assignment, "paused")
        left, share = fact.old_due_at - fact.approved_at, rng.between(0.1, 0.9)
        goes_on_at: datetime = fact.until
        planned: list[PlannedInput] = []
        if rng.chance(self._rates.rate(inputs.EndPause)):
            goes_on_at = fact.approved_at + rng.between(0.1, 0.9) * (fact.until - fact.approved_at)
            data = inputs.EndPause(
                complaint_id=fact.complaint_id, assignment=fact.assignment, reason="等待事项已具备"
            )
            name = f"{fact.assignment}/pause-ended"
            about = about_order(fact.assignment)
            planned.append(by_unit(fact.unit, fact.complaint_id, goes_on_at, name, data, about=about))
        at = goes_on_at + share * left
        planned.append(
            self._answer(fact.unit, fact.complaint_id, fact.assignment, fact.round, at, "after-pause")
        )
        return Reaction(planned, (about_order(fact.assignment),))

    def sent_back(self, fact: AnswerSentBack) -> PlannedInput:
        """The unit answers again within a day."""
        rng = self._rng(fact.complaint_id, fact.assignment, "sent-back")
        at = fact.sent_back_at + hours(rng.between(0.5, 24))
        return self._answer(fact.unit, fact.complaint_id, fact.assignment, fact.round, at, "sent-back")

    def helps(self, fact: CoUnitAdded) -> Iterator[PlannedInput]:
        """A helper says what it did, mostly."""
        rng = self._rng(fact.complaint_id, 0, f"helps-{fact.co_unit}")
        if not rng.chance(self._rates.rate(inputs.ReportAsCoUnit)):
            return
        data = inputs.ReportAsCoUnit(complaint_id=fact.complaint_id, result="已协助现场处置。")
        at = fact.added_at + hours(rng.between(2, 60))
        yield by_unit(fact.co_unit, fact.complaint_id, at, f"helped-{fact.co_unit}", data)

    def _kept(
        self, unit: UnitId, complaint: ComplaintId, assignment: int, number: int, at: datetime, why: str
    ) -> Sequence[PlannedInput]:
        rng = self._rng(complaint, assignment, why)
        signed_at = at + hours(rng.between(0.1, 4))
        data = inputs.SignOrder(complaint_id=complaint, assignment=assignment)
        name = f"{assignment}/signed/{why}"
        signed = by_unit(unit, complaint, signed_at, name, data, about=about_order(assignment))
        answered_at = signed_at + hours(rng.between(2, 60))
        return signed, self._answer(unit, complaint, assignment, number, answered_at, why)

    def _answer(
        self, unit: UnitId, complaint: ComplaintId, assignment: int, number: int, at: datetime, why: str
    ) -> PlannedInput:
        data = inputs.AnswerOrder(
            complaint_id=complaint,
            assignment=assignment,
            result=self._rng(complaint, assignment, f"answer-{why}").pick(ANSWERS),
            claims_solved=claims_solved(self._seed, complaint, number),
        )
        about = about_order(assignment)
        return by_unit(unit, complaint, at, f"{assignment}/answered/{why}", data, about=about)

    def _reply(self, order: ComplaintDispatched, at: datetime, what: str, data: inputs.Input) -> PlannedInput:
        about, name = about_order(order.assignment), f"{order.assignment}/{what}"
        return by_unit(order.unit, order.complaint_id, at, name, data, about=about)

    def _rng(self, complaint: ComplaintId, assignment: int, why: str) -> SeededRandom:
        return SeededRandom(self._seed, complaint, "full", "order", str(assignment), why)
