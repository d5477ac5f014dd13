"""Open orders: which lie with a unit, and one in a list: for a program and for a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from deploy.city.registry import City
from hotline.client import at_present, short
from hotline.terminal import LISTED_MAX
from services.dispatch import views
from shared import times
from shared.complaint import (
    Complaint,
    DisputeAsked,
    Order,
    ReturnAsked,
    standing_still,
    unanswered_beyond,
    whole_content,
    whose_asked,
)
from shared.text import shown
from shared.unreadable import UnreadableRows


async def open_orders(city: City, unit: str, unread: UnreadableRows) -> tuple[list[Complaint], datetime]:
    """The complaints whose open order lies with this unit, the earliest due first, and the city's present."""
    return await at_present(city, lambda connection: views.open_orders(connection, unit, unread))


def row(case: Complaint, now: datetime) -> dict[str, Any]:
    """An open order for a program, at the city's present."""
    order = case.order
    if order is None:
        raise LookupError(case.complaint_id)
    return {
        "complaint_id": case.complaint_id,
        "assignment": order.assignment,
        "round": order.round,
        "state": _state(case, now),
        "due_at": order.feedback_due_at.isoformat(),
        "overdue": unanswered_beyond(order, now),
        "provisional": order.provisional,
        "paused_until": order.pause.until.isoformat() if order.pause is not None else None,
        "urgency": case.urgency,
        "subject": case.subject,
        "title": case.title,
        "content": whole_content(case),
        "attachments": [msgspec.to_builtins(one) for one in case.attachments],
        "district": case.district,
        "street": case.street,
        "address": case.address,
        "unlisted": list(order.unlisted),
    }


def line(case: Complaint, now: datetime) -> str:
    """An open order for a person, at the city's present."""
    order = case.order
    if order is None:
        raise LookupError(case.complaint_id)
    due_at = times.shown(order.feedback_due_at, times.zone_of(case.ruleset))
    sent = f" [{len(case.attachments)} attached]" if case.attachments else ""
    again = f" (round {order.round})" if order.round > 1 else ""
    unknown = f" (not in the catalogue: {', '.join(order.unlisted)})" if order.unlisted else ""
    late = " OVERDUE" if unanswered_beyond(order, now) else ""
    place = f" {case.street or case.district}{shown(case.address, LISTED_MAX)}"
    return (
        f"{short(case.complaint_id)}  {_state(case, now):9} due {due_at}{_unsure(order)}{late}  "
        f"{case.subject}: {shown(case.title, LISTED_MAX)}{place}{again}{sent}{unknown}"
    )


def _state(case: Complaint, now: datetime) -> str:
    order = case.order
    if order is None:
        return "new"
    match whose_asked(order):
        case DisputeAsked():
            return "disputed"
        case ReturnAsked():
            return "in review"
        case None:
            pass
    pause = standing_still(order, now)
    if pause is not None:
        return f"paused until {times.shown(pause.until, times.zone_of(case.ruleset))}"
    return "signed" if order.signed_at is not None else "new"


def _unsure(order: Order) -> str:
    """Said of a limit that may still move (T16)."""
    return " (provisional)" if order.provisional else ""
