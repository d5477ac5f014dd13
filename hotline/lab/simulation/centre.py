"""The centre's people: reviewers and councils, who decide on what units ask for, and supervisors.

Each hears of a complaint on the topic of its desk, and decides from the complaint alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, TypeAlias

from hotline.lab.simulation.behaviour import Behaviour
from hotline.lab.simulation.hands import by_reviewers, by_supervision, hours
from hotline.lab.simulation.planned_input import PlannedInput
from hotline.lab.simulation.seeded_random import SeededRandom
from shared import inputs
from shared.events import (
    ComplaintDispatched,
    DisputeRaised,
    ExclusionRequested,
    ExtensionRequested,
    Fact,
    PauseRequested,
    SupervisionMissed,
    SupervisionOpened,
    TerminationRequested,
    Urgency,
    VisitReason,
    VisitScheduled,
)
from shared.ids import ComplaintId, UnitId
from shared.policy.catalogue import Catalogue

AMENDED: Final = "cn-2020-01-26"
"""The version of the calendar that an open complaint is made to go by."""
LONGER: Final = 0.6
"""Of general complaints that get another class: those found to be complex, not urgent."""

_Asked: TypeAlias = ExtensionRequested | PauseRequested | TerminationRequested
_REVIEWS: Final[
    dict[type[_Asked], type[inputs.ReviewExtension | inputs.ReviewPause | inputs.ReviewTermination]]
] = {
    ExtensionRequested: inputs.ReviewExtension,
    PauseRequested: inputs.ReviewPause,
    TerminationRequested: inputs.ReviewTermination,
}
_REASONS: Final = {True: "理由充分,同意", False: "理由不充分,不予同意"}


class Centre:
    """Reviewers, councils and supervisors."""

    def __init__(self, catalogue: Catalogue, rates: Behaviour, *, seed: int) -> None:
        """Nothing waits for them."""
        self._rates = rates
        self._seed = seed
        self._departments = departments(catalogue)
        self._assignments: dict[ComplaintId, int] = {}
        """The present assignment of each complaint, as the list of answers shows it."""

    def forget(self, complaint: ComplaintId) -> None:
        """The complaint's life is over."""
        self._assignments.pop(complaint, None)

    def hears(self, fact: Fact) -> Iterator[PlannedInput]:
        """Gives their acts about a fact on a topic of the centre."""
        match fact:
            case ExtensionRequested() | PauseRequested() | TerminationRequested():
                yield self._reviewed(fact)
            case ExclusionRequested():
                yield self._excluded(fact)
            case DisputeRaised():
                yield self._council(fact)
            case VisitScheduled(attempt=1, reason=VisitReason.ANSWERED):
                yield from self._answer_read(fact)
            case SupervisionOpened():
                yield from self._supervised(fact)
            case SupervisionMissed():
                yield from self._excepted(fact)
            case _:
                return

    def sees_order(self, order: ComplaintDispatched) -> Iterator[PlannedInput]:
        """Gives the reviewers' unasked acts about a new order: a helper, another class, another calendar."""
        complaint, at = order.complaint_id, order.dispatched_at
        self._assignments[complaint] = order.assignment
        if order.assignment > 1:
            return
        rng = self._rng(complaint, "helper")
        helper = rng.pick(self._departments)
        if rng.chance(self._rates.rate(inputs.AddCoUnit)) and helper != order.unit:
            added = inputs.AddCoUnit(
                complaint_id=complaint, co_unit=helper, reason="需协同处置", added_by=_reviewer(rng)
            )
            yield by_reviewers(complaint, at + hours(rng.between(1, 24)), "helper-added", added)
        rng = self._rng(complaint, "class")
        if rng.chance(self._rates.rate(inputs.ReclassifyComplaint)):
            reclassified = inputs.ReclassifyComplaint(
                complaint_id=complaint,
                urgency=_another(order.urgency, rng),
                reason="核实后调整紧急程度",
                reclassified_by=_reviewer(rng),
            )
            yield by_reviewers(complaint, at + hours(rng.between(0.2, 12)), "reclassified", reclassified)
        rng = self._rng(complaint, "calendar")
        if rng.chance(self._rates.rate(inputs.AmendCalendar)):
            amended = inputs.AmendCalendar(
                complaint_id=complaint,
                calendar=AMENDED,
                reason="放假安排调整",
                amended_by=_reviewer(rng),
            )
            yield by_reviewers(complaint, at + hours(rng.between(1, 30)), "calendar-amended", amended)

    def _reviewed(self, asked: _Asked) -> PlannedInput:
        review = _REVIEWS[type(asked)]
        what = type(asked).__name__.removesuffix("Requested").lower()
        rng = self._rng(asked.complaint_id, what, str(asked.assignment), _stamp(asked.requested_at))
        granted = rng.chance(self._rates.granted(review))
        decided = review(
            complaint_id=asked.complaint_id,
            assignment=asked.assignment,
            approved=granted,
            reviewer=_reviewer(rng),
            reason=_REASONS[granted],
        )
        name = f"{asked.assignment}/{what}-reviewed-{_stamp(asked.requested_at)}"
        return by_reviewers(
            asked.complaint_id, asked.requested_at + hours(rng.between(0.5, 6)), name, decided
        )

    def _excluded(self, asked: ExclusionRequested) -> PlannedInput:
        rng = self._rng(asked.complaint_id, "exclusion", asked.unit)
        granted = rng.chance(self._rates.granted(inputs.ReviewExclusion))
        decided = inputs.ReviewExclusion(
            complaint_id=asked.complaint_id,
            approved=granted,
            reviewer=_reviewer(rng),
            reason=_REASONS[granted],
        )
        at = asked.requested_at + hours(rng.between(4, 72))
        return by_reviewers(
            asked.complaint_id, at, f"exclusion-reviewed-{_stamp(asked.requested_at)}", decided
        )

    def _council(self, raised: DisputeRaised) -> PlannedInput:
        rng = self._rng(raised.complaint_id, "council", str(raised.assignment))
        elsewhere = rng.pick(self._departments)
        moved = rng.chance(self._rates.granted(inputs.DecideCouncil))
        decided = inputs.DecideCouncil(
            complaint_id=raised.complaint_id,
            assignment=raised.assignment,
            to_unit=elsewhere if moved else raised.unit,
            participants=("会商主持人", _reviewer(rng)),
            reason="依据职责清单会商确定",
        )
        at = raised.raised_at + hours(rng.between(4, 72))
        return by_reviewers(raised.complaint_id, at, f"{raised.assignment}/council-decided", decided)

    def _answer_read(self, visit: VisitScheduled) -> Iterator[PlannedInput]:
        rng = self._rng(visit.complaint_id, "answer", str(visit.visit))
        assignment = self._assignments.get(
            visit.complaint_id
        )  # None where its order went out before anybody heard
        if assignment is not None and rng.chance(self._rates.rate(inputs.SendBackAnswer)):
            yield by_reviewers(
                visit.complaint_id,
                visit.scheduled_at + hours(rng.between(0.05, 0.6)),
                f"answer-sent-back-{visit.visit}",
                inputs.SendBackAnswer(
                    complaint_id=visit.complaint_id,
                    assignment=assignment,
                    reviewer=_reviewer(rng),
                    reason="办理结果未说明",
                ),
            )

    def _supervised(self, opened: SupervisionOpened) -> Iterator[PlannedInput]:
        rng = self._rng(opened.complaint_id, "supervision")
        if rng.chance(self._rates.rate(inputs.DecideSupervision)):
            decided = inputs.DecideSupervision(
                complaint_id=opened.complaint_id,
                decided_by=f"supervisor-{rng.whole(1, 5)}",
                decision="责令限期办结并书面说明逾期原因",
            )
            at = opened.opened_at + hours(rng.between(0.2, 12))
            yield by_supervision(opened.complaint_id, at, "supervision-decided", decided)

    def _excepted(self, missed: SupervisionMissed) -> Iterator[PlannedInput]:
        rng = self._rng(missed.complaint_id, "exception")
        if rng.chance(self._rates.rate(inputs.CloseByException)):
            closed = inputs.CloseByException(
                complaint_id=missed.complaint_id,
                approved_by=f"supervisor-{rng.whole(1, 5)}",
                reason="客观上无法办理,经批准结案",
            )
            at = missed.missed_at + hours(rng.between(0.1, 2))
            yield by_supervision(missed.complaint_id, at, "exception", closed)

    def _rng(self, complaint: ComplaintId, *name: str) -> SeededRandom:
        return SeededRandom(self._seed, complaint, "full", *name)


def departments(catalogue: Catalogue) -> tuple[UnitId, ...]:
    """The units that are no district's government, no street, and not the centre's own desks."""
    territorial = {one.unit for one in catalogue.districts.values()}
    territorial |= {street for one in catalogue.districts.values() for street in one.streets.values()}
    own = {catalogue.centre, catalogue.supervision}
    return tuple(unit for unit in catalogue.units if unit not in territorial | own)


def _another(urgency: Urgency, rng: SeededRandom) -> Urgency:
    if urgency is not Urgency.GENERAL_7D:
        return Urgency.GENERAL_7D
    return Urgency.COMPLEX_15D if rng.chance(LONGER) else Urgency.TIMELY_24H


def _reviewer(rng: SeededRandom) -> str:
    return f"reviewer-{rng.whole(1, 12)}"


def _stamp(at: datetime) -> str:
    return str(round(at.timestamp() * 1000))
