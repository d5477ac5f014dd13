"""The units and the reviewers: they act on an order they have seen, at a time of their own.

Each plan depends on the complaint's id and the assignment, never on the order of arrival. A unit that does
nothing by itself acts when the municipality asks. No unit is silent in a second assignment. So every life
ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hotline.lab.simulation.planned_input import NOTHING, PlannedInput, Reaction
from hotline.lab.simulation.seeded_random import SeededRandom
from shared import inputs
from shared.events import (
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintEscalated,
    ComplaintWithdrawn,
    Fact,
    Level,
    OrderMoved,
    ReturnApproved,
    ReturnRejected,
    ReturnRequested,
)
from shared.events.base import Limit
from shared.ids import ComplaintId, UnitId
from shared.inputs import Input
from shared.policy.catalogue import Catalogue
from shared.topics import DISPATCH_REPLIES, DISPATCH_REVIEWS

SILENT: Final = 0.01
"""First orders that nobody takes on until somebody above asks."""
LATE_SIGN: Final = 0.04
NEVER_ANSWERED: Final = 0.01
LATE_ANSWER: Final = 0.04
RETURNED: Final = 0.02
RETURNS_LATE: Final = 0.05
SUGGESTS: Final = 0.5
RETURNED_FROM_MAX: Final = 2
"""From its third assignment on nobody tries to return an order."""
APPROVED: Final = 0.6
CLAIMS_SOLVED: Final = 0.93
CONTACTS: Final = 0.1
"""Orders about which the unit writes down when it first spoke to the citizen."""
CONTACT_FAILS: Final = 0.3
TELLS: Final = 0.05
"""Orders of which it tells the citizen how far it is."""
HEEDLESS: Final = 0.03
"""Units that go on with an order although it was taken back: the hotline has to refuse them."""
DISTRICT_HELPS: Final = 0.6
"""Silent units that at least sign when the district asks."""

_DRAWN_AS: Final = {Limit.ANSWER: "FEEDBACK"}
"""The name of a limit in the names of random numbers, if it differs from the limit's own. A new name would
give another day."""
ANSWERS: Final = (
    "已联系诉求人并到场核实,问题已处理完毕。",
    "已协调产权单位完成整改,并向诉求人反馈。",
    "已约谈责任方,限期整改到位。",
    "经核实已纳入年度计划,已向诉求人解释说明。",
)
_PROGRESS: Final = ("已联系诉求人,现场核实中。", "已制定整改方案,正在施工。", "已会同产权单位现场勘查。")
_GROUNDS: Final = ("不属于本单位职责", "不在本单位辖区", "权属另有单位")


def claims_solved(seed: int, complaint: ComplaintId, number: int) -> bool:
    """Whether the unit, when it answers in this round, says that the matter is solved."""
    return SeededRandom(seed, complaint, "claim", str(number)).chance(CLAIMS_SOLVED)


class _Held(NamedTuple):
    """An order as its unit sees it."""

    unit: UnitId
    assignment: int
    round: int
    returning: bool
    silent: bool


class Units:
    """All units of the catalogue."""

    def __init__(self, catalogue: Catalogue, *, seed: int) -> None:
        """No unit holds an order."""
        self._seed = seed
        self._all = tuple(catalogue.units)
        self._held: dict[ComplaintId, _Held] = {}

    def see(self, unit: UnitId, fact: Fact) -> Reaction:
        """A unit reads its own topic."""
        if isinstance(fact, ComplaintDispatched):
            return self._plan(fact)
        held = self._held.get(fact.complaint_id)
        if held is None or held.unit != unit:
            return NOTHING
        if isinstance(fact, OrderMoved | ReturnApproved | ComplaintWithdrawn | ComplaintClosed):
            if isinstance(fact, OrderMoved | ReturnApproved) and fact.assignment != held.assignment:
                return NOTHING
            del self._held[fact.complaint_id]
            return Reaction(void=(_about(held),))
        if isinstance(fact, ReturnRejected) and fact.assignment == held.assignment:
            self._held[fact.complaint_id] = held._replace(returning=False)
            rng = self._rng(fact.complaint_id, held, "rejected")
            signed_at = fact.rejected_at + _minutes(rng.between(5, 120))
            answered_at = signed_at + _hours(rng.between(1, 60))
            return Reaction(
                (
                    self._sign(fact.complaint_id, held, signed_at, "after-review"),
                    self._answer(fact.complaint_id, held, answered_at, "after-review", rng),
                )
            )
        return NOTHING

    def on_escalation(self, fact: ComplaintEscalated) -> Reaction:
        """Supervision or a district asks the unit that is late; it answers the municipality within a day."""
        held = self._held.get(fact.complaint_id)
        if held is None or held.unit != fact.unit or held.returning:
            return NOTHING  # under review it cannot answer; the review decides what comes next
        missed = _DRAWN_AS.get(fact.because, fact.because)
        rng = self._rng(fact.complaint_id, held, f"told-{fact.to_level}-{missed}")
        if fact.to_level is Level.MUNICIPAL:
            at = fact.escalated_at + _hours(rng.between(0.5, 20))
            answer = self._answer(fact.complaint_id, held, at, "on-notice", rng)
            return Reaction((answer,), (_about(held),))
        if held.silent and rng.chance(DISTRICT_HELPS):
            at = fact.escalated_at + _hours(rng.between(0.2, 12))
            return Reaction((self._sign(fact.complaint_id, held, at, "on-notice"),))
        return NOTHING

    def keeps(self, complaint: ComplaintId) -> None:
        """The unit that holds it returns it no more."""
        self._held[complaint] = self._held[complaint]._replace(returning=False)

    def forget(self, complaint: ComplaintId) -> None:
        """The complaint's life is over."""
        self._held.pop(complaint, None)

    def _plan(self, order: ComplaintDispatched) -> Reaction:
        complaint = order.complaint_id
        former = self._held.get(complaint)
        void = () if former is None else (_about(former),)
        rng = SeededRandom(self._seed, complaint, "order", str(order.assignment))
        first = order.assignment == 1
        silent = first and rng.chance(SILENT)
        returning = (
            not silent and order.round == 1 and order.assignment <= RETURNED_FROM_MAX and rng.chance(RETURNED)
        )
        held = _Held(order.unit, order.assignment, order.round, returning, silent)
        self._held[complaint] = held
        if silent:
            return Reaction(void=void)
        at = order.dispatched_at
        sign_by = order.sign_due_at or at + _hours(8)
        sign_span = sign_by - at
        if returning:
            share = rng.between(1.1, 2) if rng.chance(RETURNS_LATE) else rng.between(0.05, 0.9)
            return Reaction((self._return(complaint, held, at + share * sign_span, rng),), void)
        late = rng.chance(LATE_SIGN)
        signed_at = at + sign_span * (rng.between(1.02, 3) if late else 0.02 + 0.9 * rng.share() ** 2)
        heedless = rng.chance(HEEDLESS)
        planned_inputs = [self._sign(complaint, held, signed_at, "")]
        if not (first and rng.chance(NEVER_ANSWERED)):
            answer_by = order.citizen_due_at if order.round == 1 else order.unit_due_at
            if rng.chance(LATE_ANSWER):
                answered_at = max(answer_by, signed_at) + (answer_by - at) * rng.between(0.02, 0.5)
            else:
                answered_at = signed_at + max(answer_by - signed_at, _minutes(20)) * rng.between(0.05, 0.95)
            planned_inputs += self._handling(complaint, held, signed_at, answered_at)
            planned_inputs.append(self._answer(complaint, held, answered_at, "", rng))
        if heedless:
            planned_inputs = [planned_input._replace(about="") for planned_input in planned_inputs]
        return Reaction(planned_inputs, void)

    def _sign(self, complaint: ComplaintId, held: _Held, at: datetime, why: str) -> PlannedInput:
        data = inputs.SignOrder(complaint_id=complaint, assignment=held.assignment)
        return self._reply(complaint, held, at, "signed", why, data)

    def _handling(
        self, complaint: ComplaintId, held: _Held, signed_at: datetime, answered_at: datetime
    ) -> list[PlannedInput]:
        """The first contact and a word of progress, between signing and answering."""
        rng = self._rng(complaint, held, "handling")
        span = answered_at - signed_at
        number = held.assignment
        planned_inputs: list[PlannedInput] = []
        if rng.chance(CONTACTS):
            if rng.chance(CONTACT_FAILS):
                vain = inputs.RecordContactFailed(
                    complaint_id=complaint, assignment=number, cause="no_answer"
                )
                planned_inputs.append(
                    self._reply(complaint, held, signed_at + 0.1 * span, "contact-failed", "", vain)
                )
            spoken = inputs.RecordContact(complaint_id=complaint, assignment=number)
            planned_inputs.append(
                self._reply(complaint, held, signed_at + 0.3 * span, "contacted", "", spoken)
            )
        if rng.chance(TELLS):
            told = inputs.ReportProgress(complaint_id=complaint, assignment=number, text=rng.pick(_PROGRESS))
            planned_inputs.append(self._reply(complaint, held, signed_at + 0.6 * span, "progress", "", told))
        return planned_inputs

    def _answer(
        self, complaint: ComplaintId, held: _Held, at: datetime, why: str, rng: SeededRandom
    ) -> PlannedInput:
        data = inputs.AnswerOrder(
            complaint_id=complaint,
            assignment=held.assignment,
            result=rng.pick(ANSWERS),
            claims_solved=claims_solved(self._seed, complaint, held.round),
        )
        return self._reply(complaint, held, at, "answered", why, data)

    def _return(self, complaint: ComplaintId, held: _Held, at: datetime, rng: SeededRandom) -> PlannedInput:
        suggested = rng.pick(self._all) if rng.chance(SUGGESTS) else None
        data = inputs.RequestReturn(
            complaint_id=complaint,
            assignment=held.assignment,
            reason=rng.pick(_GROUNDS),
            evidence="现场核实记录及权属证明材料编号见附件。",
            suggested_unit=None if suggested == held.unit else suggested,
        )
        return self._reply(complaint, held, at, "returned", "", data)

    def _reply(
        self, complaint: ComplaintId, held: _Held, at: datetime, what: str, why: str, data: Input
    ) -> PlannedInput:
        return PlannedInput(
            at=_in_milliseconds(at),
            line=DISPATCH_REPLIES,
            key=complaint,
            source=f"/city/units/{held.unit}",
            event_id="/".join(filter(None, (complaint, str(held.assignment), what, why))),
            data=data,
            complaint=complaint,
            unit=held.unit,
            about=_about(held),
        )

    def _rng(self, complaint: ComplaintId, held: _Held, why: str) -> SeededRandom:
        return SeededRandom(self._seed, complaint, "order", str(held.assignment), why)


def review(seed: int, asked: ReturnRequested) -> Sequence[PlannedInput]:
    """The reviewers decide on a return in one to six hours."""
    rng = SeededRandom(seed, asked.complaint_id, "review", str(asked.assignment))
    approved = rng.chance(APPROVED)
    return (
        PlannedInput(
            at=_in_milliseconds(asked.requested_at + _hours(rng.between(1, 6))),
            line=DISPATCH_REVIEWS,
            key=asked.complaint_id,
            source="/city/reviewers",
            event_id=f"{asked.complaint_id}/{asked.assignment}/reviewed",
            data=inputs.ReviewReturn(
                complaint_id=asked.complaint_id,
                assignment=asked.assignment,
                approved=approved,
                reviewer=f"reviewer-{rng.whole(1, 12)}",
                reason="证据充分" if approved else "职责清晰,应由本单位办理",
            ),
            complaint=asked.complaint_id,
        ),
    )


def _about(held: _Held) -> str:
    return about_order(held.assignment)


def about_order(assignment: int) -> str:
    """The plan for one assignment, by which it can be dropped."""
    return f"order {assignment}"


def _hours(hours: float) -> timedelta:
    return timedelta(hours=hours)


def _minutes(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


def _in_milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
