"""Inputs as each speaker of the rehearsed city sends them, at a time of milliseconds and under a name of their own."""

from __future__ import annotations

from datetime import datetime, timedelta

from hotline.lab.simulation.planned_input import PlannedInput
from shared.ids import ComplaintId, UnitId
from shared.inputs import Input
from shared.topics import DISPATCH_REPLIES, DISPATCH_REVIEWS, FEEDBACK_EXCEPTIONS


def in_milliseconds(at: datetime) -> datetime:
    """City time counts in milliseconds."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def hours(number: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=number)


def by_unit(
    unit: UnitId, complaint: ComplaintId, at: datetime, what: str, data: Input, *, about: str = ""
) -> PlannedInput:
    """A unit's reply; `what` is its name within the complaint, `about` the plan with which it is dropped."""
    return PlannedInput(
        at=in_milliseconds(at),
        line=DISPATCH_REPLIES,
        key=complaint,
        source=f"/city/units/{unit}",
        event_id=f"{complaint}/{what}",
        data=data,
        complaint=complaint,
        unit=unit,
        about=about,
    )


def by_reviewers(complaint: ComplaintId, at: datetime, what: str, data: Input) -> PlannedInput:
    """The word of a reviewer or a council."""
    return PlannedInput(
        at=in_milliseconds(at),
        line=DISPATCH_REVIEWS,
        key=complaint,
        source="/city/reviewers",
        event_id=f"{complaint}/{what}",
        data=data,
        complaint=complaint,
    )


def by_supervision(complaint: ComplaintId, at: datetime, what: str, data: Input) -> PlannedInput:
    """The word of a supervisor."""
    return PlannedInput(
        at=in_milliseconds(at),
        line=FEEDBACK_EXCEPTIONS,
        key=complaint,
        source="/city/supervision",
        event_id=f"{complaint}/{what}",
        data=data,
        complaint=complaint,
    )
