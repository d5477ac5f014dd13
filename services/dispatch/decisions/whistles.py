"""The whistle (吹哨报到): a street calls others to its order; they report to it; it alone lets them go. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.dispatch.commands import (
    AcknowledgeWhistle,
    ArriveAtWhistle,
    BlowWhistle,
    RateWhistle,
    RecordMeasure,
    ReleaseWhistle,
)
from services.dispatch.orders import not_theirs, refused
from shared.complaint import Called, Complaint, Whistle
from shared.events import (
    ReplyRefused,
    UnitCalled,
    WhistleAcknowledged,
    WhistleArrived,
    WhistleBlown,
    WhistleFact,
    WhistleMeasureRecorded,
    WhistleRated,
    WhistleReleased,
)
from shared.ids import UnitId
from shared.policy.catalogue import Catalogue
from shared.policy.ruleset import ruleset
from shared.text import quoted
from shared.times import stated

Said = WhistleFact | ReplyRefused


def blow(command: BlowWhistle, case: Complaint, catalogue: Catalogue) -> Sequence[Said]:
    """G1: a street or town that has the order calls one or several units; the first of them leads."""
    rules = ruleset(case.ruleset)
    why = not_theirs(case, command.unit, command.assignment)
    before = _whistle(case, command.whistle)
    if why is None and before is not None:
        why = f"whistle {command.whistle} was blown already, the next is {len(case.whistles) + 1}"
    if why is None:
        why = _not_blown(command, case, catalogue)
    if why is not None:
        return [refused(command.unit, "whistle", why, case, command)]
    limits = rules.whistle[command.kind]
    arrival = limits.arrival_in.get(case.district, limits.arrival)
    called = [
        UnitCalled(
            complaint_id=case.complaint_id,
            whistle=command.whistle,
            called=unit,
            unit=command.unit,
            kind=command.kind,
            leads=unit == command.called[0],
            scene=command.scene,
            reason=command.reason,
            subject=case.subject,
            title=case.title,
            district=case.district,
            arrive_by=None if arrival is None else command.at + arrival,
            called_at=command.at,
        )
        for unit in command.called
    ]
    blown = WhistleBlown(
        complaint_id=case.complaint_id,
        whistle=command.whistle,
        unit=command.unit,
        kind=command.kind,
        lead=command.called[0],
        scene=command.scene,
        reason=command.reason,
        blown_at=command.at,
    )
    return [blown, *called]


def _not_blown(command: BlowWhistle, case: Complaint, catalogue: Catalogue) -> str | None:
    rules = ruleset(case.ruleset)
    unknown = [unit for unit in command.called if unit not in catalogue.units]
    why: str | None = None
    if not catalogue.is_street(command.unit):
        why = "only a street or town whistles (G1)"
    elif command.whistle != len(case.whistles) + 1:
        why = f"whistle {command.whistle}: the next is {len(case.whistles) + 1}"
    elif len(case.whistles) >= rules.whistles_max:
        why = f"{len(case.whistles)} whistles already, at most {rules.whistles_max}"
    elif unknown:
        why = f"called: {quoted(unknown[0])} is not in catalogue {catalogue.version}"
    elif command.unit in command.called or len(set(command.called)) < len(command.called):
        why = "called: each unit once, and not the street itself"
    elif len(command.called) > rules.called_max:
        why = f"called: {len(command.called)} units, at most {rules.called_max}"
    return why


def acknowledge(command: AcknowledgeWhistle, case: Complaint) -> Sequence[Said]:
    """A called unit knows of it."""
    whistle, called, why = _mine(case, command.whistle, command.unit)
    if why is None and called is not None and called.acknowledged_at is not None:
        why = f"{called.unit} acknowledged it at {stated(called.acknowledged_at, case.ruleset)}"
    if why is not None or whistle is None or called is None:
        return [refused(command.unit, "acknowledge", why or "", case, command)]
    return [
        WhistleAcknowledged(
            complaint_id=case.complaint_id,
            whistle=whistle.number,
            called=called.unit,
            unit=whistle.unit,
            acknowledged_at=command.at,
        )
    ]


def arrive(command: ArriveAtWhistle, case: Complaint) -> Sequence[Said]:
    """A called unit is there, in time or late (G2)."""
    whistle, called, why = _mine(case, command.whistle, command.unit)
    if why is None and called is not None and called.arrived_at is not None:
        why = f"{called.unit} arrived at {stated(called.arrived_at, case.ruleset)}"
    if why is not None or whistle is None or called is None:
        return [refused(command.unit, "arrive", why or "", case, command)]
    return [
        WhistleArrived(
            complaint_id=case.complaint_id,
            whistle=whistle.number,
            called=called.unit,
            unit=whistle.unit,
            persons=command.persons,
            arrived_at=command.at,
        )
    ]


def record_measure(command: RecordMeasure, case: Complaint) -> Sequence[Said]:
    """What a called unit does about it."""
    whistle, called, why = _mine(case, command.whistle, command.unit)
    if why is not None or whistle is None or called is None:
        return [refused(command.unit, "record a measure", why or "", case, command)]
    return [
        WhistleMeasureRecorded(
            complaint_id=case.complaint_id,
            whistle=whistle.number,
            called=called.unit,
            unit=whistle.unit,
            measure=command.measure,
            recorded_at=command.at,
        )
    ]


def release(command: ReleaseWhistle, case: Complaint) -> Sequence[Said]:
    """T25: 事不完,人不走: the street that whistled lets them go, one or all; nobody releases himself."""
    whistle = _whistle(case, command.whistle)
    why: str | None = None
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}, and everybody was let go"
    elif whistle is None:
        why = f"whistle {command.whistle} was not blown"
    elif whistle.unit != command.unit:
        why = f"only {whistle.unit}, which whistled, releases (T25)"
    elif command.called is not None and _called(whistle, command.called) is None:
        why = f"called: {command.called} was not called by whistle {whistle.number}"
    held = [] if whistle is None else [c for c in whistle.called if c.released_at is None]
    going = [called for called in held if command.called in {None, called.unit}]
    if why is None and not going:
        why = "called: everybody it names was let go already"
    if why is not None or whistle is None:
        return [refused(command.unit, "release", why or "", case, command)]
    return [
        WhistleReleased(
            complaint_id=case.complaint_id,
            whistle=whistle.number,
            called=called.unit,
            unit=whistle.unit,
            reason=command.reason,
            released_at=command.at,
        )
        for called in going
    ]


def rate(command: RateWhistle, case: Complaint) -> Sequence[Said]:
    """R16, G3: both are rated, each by the other, once, when there is something to rate."""
    whistle = _whistle(case, command.whistle)
    street = whistle is not None and whistle.unit == command.unit
    called = None if whistle is None else _called(whistle, command.rated if street else command.unit)
    why: str | None = None
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}"
    elif whistle is None or called is None:
        why = f"whistle {command.whistle} is not between {command.unit} and {command.rated}"
    elif not street and command.rated != whistle.unit:
        why = f"rated: who was called rates {whistle.unit}, which whistled"
    elif called.done_at is None:
        why = f"{called.unit} has neither come nor been let go"
    elif called.rated if street else called.has_rated:
        why = f"{command.unit} has rated {command.rated} for whistle {whistle.number} already"
    if why is not None or whistle is None or called is None:
        return [refused(command.unit, "rate", why or "", case, command)]
    return [
        WhistleRated(
            complaint_id=case.complaint_id,
            whistle=whistle.number,
            rated_by=command.unit,
            rated=command.rated,
            stars=command.stars,
            comment=command.comment,
            rated_at=command.at,
        )
    ]


def _mine(case: Complaint, number: int, unit: UnitId) -> tuple[Whistle | None, Called | None, str | None]:
    """The whistle and this unit's part in it, or why it has none any more."""
    whistle = _whistle(case, number)
    called = None if whistle is None else _called(whistle, unit)
    why: str | None = None
    if case.ended is not None:
        why = f"the life ended with {case.ended.how}"
    elif whistle is None:
        why = f"whistle {number} was not blown"
    elif called is None:
        why = f"whistle {number} did not call {unit}"
    elif called.released_at is not None:
        why = f"{whistle.unit} has let it go"
    return whistle, called, why


def _whistle(case: Complaint, number: int) -> Whistle | None:
    return next((whistle for whistle in case.whistles if whistle.number == number), None)


def _called(whistle: Whistle, unit: UnitId) -> Called | None:
    return next((called for called in whistle.called if called.unit == unit), None)
