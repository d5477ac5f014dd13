"""The whistle: a street calls departments to its order, they come or do not, and each rates the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hotline.lab.simulation.behaviour import Behaviour
from hotline.lab.simulation.hands import by_unit, hours
from hotline.lab.simulation.planned_input import PlannedInput, Reaction
from hotline.lab.simulation.seeded_random import SeededRandom, Weighted
from shared import inputs
from shared.events import ArrivalMissed, UnitCalled, WhistleArrived, WhistleKind
from shared.events.base import Level
from shared.ids import ComplaintId, UnitId

KINDS: Final = Weighted({WhistleKind.KEY_WORK: 5, WhistleKind.JOINT_ENFORCEMENT: 3, WhistleKind.EMERGENCY: 2})
"""The three cases (G1) with their weights, an assumption."""
CALLED_MAX: Final = 3
LATE: Final = 0.1
"""Of those who come where there is a limit: later than it."""
COMES_WHEN_TOLD: Final = 0.7
"""Of those who did not come in time: at last, when the district is told."""

_REASONS: Final = ("需执法部门到场", "需专业单位共同处置", "多次反映,街道无权处置")
_MEASURES: Final = ("已到场勘查并制定方案。", "已责令停止并限期整改。", "已完成抢修。")


class Whistles:
    """Streets that whistle, and units that are called."""

    def __init__(self, departments: tuple[UnitId, ...], rates: Behaviour, *, seed: int) -> None:
        """Nobody was called."""
        self._departments = departments
        self._rates = rates
        self._seed = seed
        self._blown: dict[ComplaintId, int] = {}

    def forget(self, complaint: ComplaintId) -> None:
        """The complaint's life is over."""
        self._blown.pop(complaint, None)

    def blown(self, signed: PlannedInput, assignment: int, after: float) -> PlannedInput:
        """The street whistles so many hours after it has signed; the next whistle of this complaint."""
        assert signed.complaint is not None and signed.unit is not None  # noqa: S101, PT018 -- it is a reply
        number = self._blown.get(signed.complaint, 0) + 1
        rng = self._rng(signed.complaint, number, "blown")
        called: list[UnitId] = []
        for _ in range(rng.whole(1, CALLED_MAX)):
            one = rng.pick(self._departments)
            if one not in called and one != signed.unit:
                called.append(one)
        data = inputs.BlowWhistle(
            complaint_id=signed.complaint,
            assignment=assignment,
            whistle=number,
            kind=rng.of(KINDS),
            called=tuple(called),
            scene="社区现场",
            reason=rng.pick(_REASONS),
        )
        at = signed.at + hours(after)
        return by_unit(
            signed.unit, signed.complaint, at, f"{assignment}/whistle-{number}", data, about=signed.about
        )

    def called(self, fact: UnitCalled) -> Iterator[PlannedInput]:
        """A called unit reads of it: it says so, comes, writes down what it does and rates the street."""
        if fact.leads:
            self._blown[fact.complaint_id] = fact.whistle
        rng = self._rng(fact.complaint_id, fact.whistle, fact.called)
        if rng.chance(self._rates.rate(inputs.AcknowledgeWhistle)):
            known = inputs.AcknowledgeWhistle(complaint_id=fact.complaint_id, whistle=fact.whistle)
            yield self._by_called(fact, rng.between(0.02, 0.14), "acknowledged", known)
        if not rng.chance(self._rates.rate(inputs.ArriveAtWhistle)):
            return
        late, share = rng.chance(LATE), rng.share()
        if fact.arrive_by is None:
            after = 1 + 19 * share
        else:
            span = (fact.arrive_by - fact.called_at).total_seconds() / 3600
            after = span * (1.1 + share if late else 0.3 + 0.65 * share)
        there = inputs.ArriveAtWhistle(
            complaint_id=fact.complaint_id, whistle=fact.whistle, persons=rng.whole(1, 6)
        )
        yield self._by_called(fact, after, "arrived", there)
        if rng.chance(self._rates.rate(inputs.RecordMeasure)):
            measure = inputs.RecordMeasure(
                complaint_id=fact.complaint_id, whistle=fact.whistle, measure=rng.pick(_MEASURES)
            )
            yield self._by_called(fact, after + rng.between(0.3, 2), "measure", measure)
        if rng.chance(self._rates.rate(inputs.RateWhistle)):
            rated = inputs.RateWhistle(
                complaint_id=fact.complaint_id, whistle=fact.whistle, rated=fact.unit, stars=rng.whole(3, 5)
            )
            yield self._by_called(fact, after + rng.between(2, 4), "street-rated", rated)

    def missed(self, fact: ArrivalMissed) -> Reaction:
        """The district is told that it did not come: it drops its own plan and comes, or does not."""
        rng = self._rng(fact.complaint_id, fact.whistle, fact.called, "told")
        if fact.to_level is not Level.DISTRICT or not rng.chance(COMES_WHEN_TOLD):
            return Reaction()
        there = inputs.ArriveAtWhistle(complaint_id=fact.complaint_id, whistle=fact.whistle)
        at = fact.missed_at + hours(rng.between(0.1, 1))
        what = f"whistle-{fact.whistle}/{fact.called}/arrived-when-told"
        about = _about(fact.whistle, fact.called)
        return Reaction((by_unit(fact.called, fact.complaint_id, at, what, there, about=about),), (about,))

    def arrived(self, fact: WhistleArrived) -> Iterator[PlannedInput]:
        """The street sees one come: it lets it go some hours later, and rates it."""
        rng = self._rng(fact.complaint_id, fact.whistle, fact.called, "there")
        name = f"whistle-{fact.whistle}/{fact.called}"
        after = rng.between(2, 30)
        if rng.chance(self._rates.rate(inputs.ReleaseWhistle)):
            released = inputs.ReleaseWhistle(
                complaint_id=fact.complaint_id,
                whistle=fact.whistle,
                called=fact.called,
                reason="现场处置完毕",
            )
            at = fact.arrived_at + hours(after)
            yield by_unit(fact.unit, fact.complaint_id, at, f"{name}/released", released)
        if rng.chance(self._rates.rate(inputs.RateWhistle)):
            rated = inputs.RateWhistle(
                complaint_id=fact.complaint_id, whistle=fact.whistle, rated=fact.called, stars=rng.whole(2, 5)
            )
            at = fact.arrived_at + hours(after + 0.5)
            yield by_unit(fact.unit, fact.complaint_id, at, f"{name}/rated", rated)

    def _by_called(self, fact: UnitCalled, after: float, what: str, data: inputs.Input) -> PlannedInput:
        return by_unit(
            fact.called,
            fact.complaint_id,
            fact.called_at + hours(after),
            f"whistle-{fact.whistle}/{fact.called}/{what}",
            data,
            about=_about(fact.whistle, fact.called),
        )

    def _rng(self, complaint: ComplaintId, whistle: int, *name: str) -> SeededRandom:
        return SeededRandom(self._seed, complaint, "full", "whistle", str(whistle), *name)


def _about(whistle: int, called: UnitId) -> str:
    return f"whistle {whistle} {called}"
