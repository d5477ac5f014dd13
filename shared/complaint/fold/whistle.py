"""Applies the facts of a whistle, but a call that was not followed (`escalation`). Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from shared.complaint.state import Called, Complaint, Whistle
from shared.events import (
    Fact,
    UnitCalled,
    WhistleAcknowledged,
    WhistleArrived,
    WhistleBlown,
    WhistleMeasureRecorded,
    WhistleRated,
    WhistleReleased,
)
from shared.ids import UnitId


def _apply_whistle_blown(case: Complaint, fact: WhistleBlown) -> Complaint:
    return replace(
        case, whistles=(*case.whistles, Whistle(number=fact.whistle, unit=fact.unit, kind=fact.kind))
    )


def _apply_unit_called(case: Complaint, fact: UnitCalled) -> Complaint:
    called = Called(unit=fact.called, due_at=fact.arrive_by)
    return replace(
        case,
        whistles=tuple(
            replace(w, called=(*w.called, called)) if w.number == fact.whistle else w for w in case.whistles
        ),
    )


def with_called(case: Complaint, whistle: int, unit: UnitId, change: Callable[[Called], Called]) -> Complaint:
    """The complaint with what became of one unit at one whistle."""
    return replace(
        case,
        whistles=tuple(
            replace(w, called=tuple(change(c) if c.unit == unit else c for c in w.called))
            if w.number == whistle
            else w
            for w in case.whistles
        ),
    )


def _done(called: Called, at: datetime) -> datetime | None:
    """The rest of its limit once it came or was let go: none, where that was in time."""
    return called.due_at if called.due_at is not None and at > called.due_at else None


def _apply_whistle_acknowledged(case: Complaint, fact: WhistleAcknowledged) -> Complaint:
    return with_called(
        case, fact.whistle, fact.called, lambda c: replace(c, acknowledged_at=fact.acknowledged_at)
    )


def _apply_whistle_arrived(case: Complaint, fact: WhistleArrived) -> Complaint:
    return with_called(
        case,
        fact.whistle,
        fact.called,
        lambda c: replace(
            c,
            acknowledged_at=c.acknowledged_at or fact.arrived_at,
            arrived_at=fact.arrived_at,
            due_at=_done(c, fact.arrived_at),
        ),
    )


def _apply_whistle_measure_recorded(case: Complaint, fact: WhistleMeasureRecorded) -> Complaint:
    return with_called(case, fact.whistle, fact.called, lambda c: replace(c, measure=fact.measure))


def _apply_whistle_released(case: Complaint, fact: WhistleReleased) -> Complaint:
    return with_called(case, fact.whistle, fact.called, lambda c: let_go(c, fact.released_at))


def let_go(called: Called, at: datetime) -> Called:
    """The unit as one nobody waits for any more, from then on."""
    if called.released_at is not None:
        return called
    return replace(
        called, released_at=at, due_at=called.due_at if called.arrived_at is not None else _done(called, at)
    )


def _apply_whistle_rated(case: Complaint, fact: WhistleRated) -> Complaint:
    by_street = any(w.number == fact.whistle and w.unit == fact.rated_by for w in case.whistles)
    if by_street:
        return with_called(case, fact.whistle, fact.rated, lambda c: replace(c, rated=True))
    return with_called(case, fact.whistle, fact.rated_by, lambda c: replace(c, has_rated=True))


STEPS: Final[dict[type[Fact], Callable[[Complaint, Any], Complaint]]] = {
    WhistleBlown: _apply_whistle_blown,
    UnitCalled: _apply_unit_called,
    WhistleAcknowledged: _apply_whistle_acknowledged,
    WhistleArrived: _apply_whistle_arrived,
    WhistleMeasureRecorded: _apply_whistle_measure_recorded,
    WhistleReleased: _apply_whistle_released,
    WhistleRated: _apply_whistle_rated,
}
