"""Lists of what waits for somebody, and one complaint in them: for a program and for a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from deploy.city.registry import City
from hotline.client import present, short
from hotline.readside.lists import EVERYTHING, Filter, Listed, page_of, whole_list
from hotline.readside.rows import LEAD, ORDERS
from hotline.readside.standing import AsOf, caught_up, unread_complaints
from hotline.terminal import LISTED_MAX
from shared import times
from shared.log.postgres import SETTINGS
from shared.log.reading import reader
from shared.text import shown
from shared.unreadable import NAMED_MAX, UnreadableRows


class ListPage(NamedTuple):
    """A page of a list."""

    rows: list[Listed]
    now: datetime
    """The city's present."""
    as_of: AsOf
    unread: UnreadableRows
    """Complaints that are in no list, as they cannot be read."""
    more: str = ""
    """Behind which the next page begins; empty where there is none."""


async def look(
    city: City,
    which: str,
    party: str = "",
    *,
    only: Filter = EVERYTHING,
    overdue: bool = False,
    after: str = "",
    most: int | None = None,
) -> ListPage:
    """A page of one of `readside.rows.LISTS`, the earliest due first; the whole of it without `most`.

    It holds what was in the log when it was asked for. `overdue`: only what should have been done by the present.
    Raises `UserError` where `after` is no place in a list, or there are no lists yet.
    """
    connection = await reader(city.realm.logins["reader"], SETTINGS)
    try:
        as_of = await caught_up(connection)
        now = await present(connection)
        if overdue:
            only = only._replace(due_before=now)
        if most is None:
            rows = await whole_list(connection, which, party, only=only)
        else:
            rows = await page_of(connection, which, party, only=only, after=after, most=most + 1)
        unread = UnreadableRows()
        for complaint, why in await unread_complaints(connection, NAMED_MAX):
            unread.note(f"the head of complaint {complaint}", why)
    finally:
        await connection.close()
    if most is None or len(rows) <= most:
        return ListPage(rows, now, as_of, unread)
    return ListPage(rows[:most], now, as_of, unread, rows[most - 1].cursor)


async def open_orders(city: City, unit: str) -> ListPage:
    """All orders with which this unit has to do, the earliest due first."""
    return await look(city, ORDERS, unit)


def row(one: Listed, now: datetime) -> dict[str, Any]:
    """A listed complaint for a program, at the city's present."""
    return {
        "complaint_id": one.complaint_id,
        "role": one.role,
        "assignment": one.assignment,
        "round": one.round,
        "state": _state(one, now),
        "due_at": one.due_at.isoformat(),
        "overdue": one.overdue(now),
        "provisional": one.provisional,
        "paused_until": one.paused_until.isoformat() if one.paused_until is not None else None,
        "urgency": one.urgency,
        "subject": one.subject,
        "title": one.title,
        "content": one.content,
        "attachments": [msgspec.to_builtins(kept) for kept in one.attachments],
        "district": one.district,
        "street": one.street or None,
        "address": one.address,
        "unlisted": list(one.unlisted),
        "cursor": one.cursor,
    }


def line(one: Listed, now: datetime) -> str:
    """A listed complaint for a person, at the city's present."""
    due_at = times.shown(one.due_at, times.zone_of(one.ruleset))
    role = "" if one.role in {"", LEAD} else f" [{one.role}]"
    sent = f" [{len(one.attachments)} attached]" if one.attachments else ""
    again = f" (round {one.round})" if one.round > 1 else ""
    unknown = f" (not in the catalogue: {', '.join(one.unlisted)})" if one.unlisted else ""
    late = " OVERDUE" if one.overdue(now) else ""
    unsure = " (provisional)" if one.provisional else ""  # the limit may still move (T16)
    place = f" {one.street or one.district}{shown(one.address, LISTED_MAX)}"
    return (
        f"{short(one.complaint_id)}  {_state(one, now):9} due {due_at}{unsure}{late}{role}  "
        f"{one.subject}: {shown(one.title, LISTED_MAX)}{place}{again}{sent}{unknown}"
    )


def _state(one: Listed, now: datetime) -> str:
    if one.standing in {"disputed", "in review"} or one.paused_until is None or not one.stands_still(now):
        return one.standing or "new"
    return f"paused until {times.shown(one.paused_until, times.zone_of(one.ruleset))}"
