"""The whistle (吹哨报到): a street calls others to its order; they report to it; it alone lets them go. Pure."""

from __future__ import annotations

from typing import NamedTuple

from services.dispatch.decision_table import decides, decides_knowing
from services.dispatch.guards import Refusal, Said, theirs
from shared.asked import Asked
from shared.complaint import Called, Complaint, Whistle
from shared.events import (
    UnitCalled,
    WhistleAcknowledged,
    WhistleArrived,
    WhistleBlown,
    WhistleMeasureRecorded,
    WhistleRated,
    WhistleReleased,
)
from shared.ids import UnitId
from shared.inputs import (
    AcknowledgeWhistle,
    ArriveAtWhistle,
    BlowWhistle,
    RateWhistle,
    RecordMeasure,
    ReleaseWhistle,
)
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import ruleset
from shared.text import quoted
from shared.times import stated


@decides_knowing(BlowWhistle, "whistle")
def blow(command: BlowWhistle, asked: Asked, case: Complaint, catalogue: Catalogue) -> Said:
    """G1: a street or town that has the order calls one or several units; the first of them leads."""
    order = theirs(case, asked.unit, command.assignment)
    if isinstance(order, Refusal):
        return order
    why = _not_blown(command, asked, case, catalogue)
    if why is not None:
        return Refusal(why)
    limits = ruleset(case.ruleset).whistle[command.kind]
    arrival = limits.arrival_in.get(case.district, limits.arrival)
    called = [
        UnitCalled(
            complaint_id=case.complaint_id,
            whistle=command.whistle,
            called=UnitId(unit),
            unit=asked.unit,
            kind=command.kind,
            leads=unit == command.called[0],
            scene=command.scene,
            reason=command.reason,
            subject=case.subject,
            title=case.title,
            district=case.district,
            arrive_by=None if arrival is None else asked.at + arrival,
            called_at=asked.at,
        )
        for unit in command.called
    ]
    blown = WhistleBlown(
        complaint_id=case.complaint_id,
        whistle=command.whistle,
        unit=asked.unit,
        kind=command.kind,
        lead=UnitId(command.called[0]),
        scene=command.scene,
        reason=command.reason,
        blown_at=asked.at,
    )
    return [blown, *called]


def _not_blown(command: BlowWhistle, asked: Asked, case: Complaint, catalogue: Catalogue) -> str | None:
    rules = ruleset(case.ruleset)
    unknown = [unit for unit in command.called if unit not in catalogue.units]
    why: str | None = None
    if _whistle(case, command.whistle) is not None:
        why = f"whistle {command.whistle} was blown already, the next is {len(case.whistles) + 1}"
    elif not catalogue.is_street(asked.unit):
        why = "only a street or town whistles (G1)"
    elif command.whistle != len(case.whistles) + 1:
        why = f"whistle {command.whistle}: the next is {len(case.whistles) + 1}"
    elif len(case.whistles) >= rules.whistles_max:
        why = f"{len(case.whistles)} whistles already, at most {rules.whistles_max}"
    elif unknown:
        why = f"called: {quoted(unknown[0])} is not in catalogue {catalogue.version}"
    elif asked.unit in command.called or len(set(command.called)) < len(command.called):
        why = "called: each unit once, and not the street itself"
    elif len(command.called) > rules.called_max:
        why = f"called: {len(command.called)} units, at most {rules.called_max}"
    return why


@decides(AcknowledgeWhistle, "acknowledge")
def acknowledge(command: AcknowledgeWhistle, asked: Asked, case: Complaint) -> Said:
    """A called unit knows of it."""
    part = _part(case, command.whistle, asked.unit)
    if isinstance(part, Refusal):
        return part
    whistle, called = part
    if called.acknowledged_at is not None:
        return Refusal(f"{called.unit} acknowledged it at {stated(called.acknowledged_at, case.ruleset)}")
    return [
        WhistleAcknowledged(
            complaint_id=case.complaint_id,
            whistle=whistle.number,
            called=called.unit,
            unit=whistle.unit,
            acknowledged_at=asked.at,
        )
    ]


@decides(ArriveAtWhistle, "arrive")
def arrive(command: ArriveAtWhistle, asked: Asked, case: Complaint) -> Said:
    """A called unit is there, in time or late (G2)."""
    part = _part(case, command.whistle, asked.unit)
    if isinstance(part, Refusal):
        return part
    whistle, called = part
    if called.arrived_at is not None:
        return Refusal(f"{called.unit} arrived at {stated(called.arrived_at, case.ruleset)}")
    return [
        WhistleArrived(
            complaint_id=case.complaint_id,
            whistle=whistle.number,
            called=called.unit,
            unit=whistle.unit,
            persons=command.persons,
            arrived_at=asked.at,
        )
    ]


@decides(RecordMeasure, "record a measure")
def record_measure(command: RecordMeasure, asked: Asked, case: Complaint) -> Said:
    """Record a measure that a called unit takes."""
    part = _part(case, command.whistle, asked.unit)
    if isinstance(part, Refusal):
        return part
    whistle, called = part
    return [
        WhistleMeasureRecorded(
            complaint_id=case.complaint_id,
            whistle=whistle.number,
            called=called.unit,
            unit=whistle.unit,
            measure=command.measure,
            recorded_at=asked.at,
        )
    ]


@decides(ReleaseWhistle, "release")
def release(command: ReleaseWhistle, asked: Asked, case: Complaint) -> Said:
    """T25: 事不完,人不走: the street that whistled lets them go, one or all; nobody releases himself."""
    if case.ended is not None:
        return Refusal(f"the life ended with {case.ended.how}, and everybody was let go")
    whistle = _whistle(case, command.whistle)
    if whistle is None:
        return Refusal(f"whistle {command.whistle} was not blown")
    if whistle.unit != asked.unit:
        return Refusal(f"only {whistle.unit}, which whistled, releases (T25)")
    if command.called is not None and _called(whistle, command.called) is None:
        return Refusal(f"called: {command.called} was not called by whistle {whistle.number}")
    held = [called for called in whistle.called if called.released_at is None]
    going = [called for called in held if command.called in {None, called.unit}]
    if not going:
        return Refusal("called: everybody it names was let go already")
    return [
        WhistleReleased(
            complaint_id=case.complaint_id,
            whistle=whistle.number,
            called=called.unit,
            unit=whistle.unit,
            reason=command.reason,
            released_at=asked.at,
        )
        for called in going
    ]


@decides(RateWhistle, "rate")
def rate(command: RateWhistle, asked: Asked, case: Complaint) -> Said:
    """R16, G3: both are rated, each by the other, once, when there is something to rate."""
    if case.ended is not None:
        return Refusal(f"the life ended with {case.ended.how}")
    whistle = _whistle(case, command.whistle)
    street = whistle is not None and whistle.unit == asked.unit
    called = None if whistle is None else _called(whistle, command.rated if street else asked.unit)
    if whistle is None or called is None:
        return Refusal(f"whistle {command.whistle} is not between {asked.unit} and {command.rated}")
    if not street and command.rated != whistle.unit:
        return Refusal(f"rated: who was called rates {whistle.unit}, which whistled")
    if called.done_at is None:
        return Refusal(f"{called.unit} has neither come nor been let go")
    if called.rated if street else called.has_rated:
        return Refusal(f"{asked.unit} has rated {command.rated} for whistle {whistle.number} already")
    return [
        WhistleRated(
            complaint_id=case.complaint_id,
            whistle=whistle.number,
            rated_by=asked.unit,
            rated=UnitId(command.rated),
            stars=command.stars,
            comment=command.comment,
            rated_at=asked.at,
        )
    ]


class _Part(NamedTuple):
    """A whistle, and the part a called unit has in it."""

    whistle: Whistle
    called: Called


def _part(case: Complaint, number: int, unit: UnitId) -> _Part | Refusal:
    """This unit's part in the whistle, as long as it is not let go."""
    if case.ended is not None:
        return Refusal(f"the life ended with {case.ended.how}")
    whistle = _whistle(case, number)
    if whistle is None:
        return Refusal(f"whistle {number} was not blown")
    called = _called(whistle, unit)
    if called is None:
        return Refusal(f"whistle {number} did not call {unit}")
    if called.released_at is not None:
        return Refusal(f"{whistle.unit} has let it go")
    return _Part(whistle, called)


def _whistle(case: Complaint, number: int) -> Whistle | None:
    return next((whistle for whistle in case.whistles if whistle.number == number), None)


def _called(whistle: Whistle, unit: str) -> Called | None:
    return next((called for called in whistle.called if called.unit == unit), None)
