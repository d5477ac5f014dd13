"""Whether the facts of a whistle may follow, but a call that was not followed (`escalation`). Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from shared.complaint import Called, Complaint, Whistle, order_open
from shared.events import (
    Fact,
    Level,
    UnitCalled,
    WhistleAcknowledged,
    WhistleArrived,
    WhistleBlown,
    WhistleMeasureRecorded,
    WhistleRated,
    WhistleReleased,
)
from shared.ids import UnitId
from shared.policy.ruleset import ruleset


def at_whistle(case: Complaint, number: int, unit: UnitId) -> tuple[Whistle | None, Called | None]:
    """The whistle of this number, and this unit at it; None for what is not there."""
    for whistle in case.whistles:
        if whistle.number == number:
            return whistle, next((called for called in whistle.called if called.unit == unit), None)
    return None, None


def _judge_whistle_blown(case: Complaint, fact: WhistleBlown, _: Fact) -> str | None:
    order = case.order
    if order is None or not order_open(case) or case.reopened or fact.unit != order.unit:
        return "only who has the order whistles"
    if order.level is not Level.UNIT:
        return "only a street or town whistles (G1)"
    if fact.whistle != len(case.whistles) + 1:
        return f"whistle {len(case.whistles) + 1} comes next"
    most = ruleset(case.ruleset).whistles_max
    return None if fact.whistle <= most else f"{most} whistles are all there are"


def _judge_unit_called(case: Complaint, fact: UnitCalled, before: Fact) -> str | None:
    if not isinstance(before, WhistleBlown | UnitCalled) or before.whistle != fact.whistle:
        return "units are called as the whistle is blown"
    whistle, known = at_whistle(case, fact.whistle, fact.called)
    if whistle is None or known is not None or (fact.unit, fact.kind) != (whistle.unit, whistle.kind):
        return "it does not say whose whistle it is" if known is None else f"{fact.called} is called already"
    if fact.leads != (not whistle.called) or fact.called == whistle.unit:
        return "the first one called leads, and the street is not called"
    limits = ruleset(case.ruleset).whistle[fact.kind]
    arrival = limits.arrival_in.get(case.district, limits.arrival)
    expected = None if arrival is None else fact.called_at + arrival
    if fact.arrive_by != expected:
        return f"it must be there by {expected}"
    return None if len(whistle.called) < ruleset(case.ruleset).called_max else "so many are not called"


def _judge_report(
    case: Complaint, fact: WhistleAcknowledged | WhistleArrived | WhistleMeasureRecorded, _: Fact
) -> str | None:
    whistle, called = at_whistle(case, fact.whistle, fact.called)
    if whistle is None or called is None or whistle.unit != fact.unit:
        return f"{fact.called} was not called by whistle {fact.whistle} of {fact.unit}"
    if called.released_at is not None:
        return f"{whistle.unit} has let it go"
    if isinstance(fact, WhistleAcknowledged) and called.acknowledged_at is not None:
        return "it is acknowledged already"
    return "it is there already" if isinstance(fact, WhistleArrived) and called.arrived_at else None


def _judge_whistle_released(case: Complaint, fact: WhistleReleased, _: Fact) -> str | None:
    whistle, called = at_whistle(case, fact.whistle, fact.called)
    if whistle is None or called is None:
        return f"{fact.called} was not called by whistle {fact.whistle}"
    if fact.unit != whistle.unit:
        return f"only {whistle.unit} releases (T25)"
    return "it is let go already" if called.released_at is not None else None


def _judge_whistle_rated(case: Complaint, fact: WhistleRated, _: Fact) -> str | None:
    for by_street, unit in ((True, fact.rated), (False, fact.rated_by)):
        whistle, called = at_whistle(case, fact.whistle, unit)
        street = fact.rated_by if by_street else fact.rated
        if whistle is None or called is None or whistle.unit != street:
            continue
        if called.done_at is None or (called.rated if by_street else called.has_rated):
            return "it has neither come nor been let go" if called.done_at is None else "it is rated already"
        return None if fact.stars in range(1, 6) else "one to five stars"
    return "street and called unit rate each other, nobody else"


RULES: Final[dict[type[Fact], Callable[[Complaint, Any, Any], str | None]]] = {
    WhistleBlown: _judge_whistle_blown,
    UnitCalled: _judge_unit_called,
    WhistleAcknowledged: _judge_report,
    WhistleArrived: _judge_report,
    WhistleMeasureRecorded: _judge_report,
    WhistleReleased: _judge_whistle_released,
    WhistleRated: _judge_whistle_rated,
}
