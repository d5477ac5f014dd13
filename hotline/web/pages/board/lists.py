"""The lists behind the board's figures: orders of all units, what waits for whom, what is parked."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import asyncpg

from hotline.readside.board import DUE_SOON
from hotline.readside.leads import leads_page
from hotline.readside.lists import Filter, Listed, page_of
from hotline.readside.rows import CORRECTIONS, DESKS, REVIEWS, SUPERVISION, VISITS
from hotline.readside.standing import AsOf, as_of
from hotline.web.pages.asking import PageAsk, PageMoved, PageView
from hotline.web.pages.catalogues import N_
from hotline.web.pages.naming import unit_name
from hotline.web.pages.parked import BASE as PARKED
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.pages.telling_time import Text
from hotline.web.reading import lent
from shared import roles
from shared.complaint import Stage
from shared.runtime.errors import UserError

ROWS: Final = 100
"""Rows of a page: some three screens."""
PARKED_MAX: Final = 200
"""Parked messages that are shown, the newest; `hotline parked list` has all."""
OVERDUE, SOON = DUES = ("overdue", "soon")
TITLES: Final = {
    REVIEWS: N_("Decisions on units' requests"),
    CORRECTIONS: N_("Records to correct"),
    SUPERVISION: N_("Escalated and supervised"),
    VISITS: N_("Visits"),
    DESKS: N_("With our own desks"),
}
"""The lists of `read.waiting` that have no party."""
_PARKED: Final = """
SELECT consumer, topic, part, kafka_offset, parked_at, reason FROM es.parked ORDER BY parked_id DESC LIMIT $1
"""


class ParkedMessage(NamedTuple):
    """A message that could not be handled, as the board tells of it: nothing of its content."""

    desk: str
    topic: str
    partition: int
    offset: int
    parked_at: datetime
    reason: str


class Page(NamedTuple):
    """Rows of a list, as of when, and the query of the page behind them."""

    rows: list[Listed]
    as_of: AsOf
    now: datetime
    more: str


async def open_orders(ask: PageAsk) -> PageView:
    """Orders that lie with units: all, by their limit, a district's, a unit's, or in one stage."""
    only = {name: ask.query(name) for name in ("due", "district", "unit", "stage")}
    if only["due"] not in ("", *DUES) or only["stage"] not in ("", Stage.AT_UNIT, Stage.SIGNED):
        raise PageRefusal(PageFault.BAD_REQUEST)
    now = ask.now
    first = now if only["due"] == SOON else None
    last = {OVERDUE: now, SOON: now + DUE_SOON}.get(only["due"])
    async with lent(ask.rooms.pool) as connection:
        standing = await as_of(connection)
        rows = await _rows(
            leads_page(
                connection,
                district=only["district"],
                unit=only["unit"],
                stage=only["stage"],
                due_from=first,
                due_before=last,
                after=ask.query("after"),
                most=ROWS + 1,
            )
        )
    page = _page(rows, standing, now, only)
    return PageView(
        "board-list.html",
        {
            **page._asdict(),
            "heading": _heading(ask, only),
            "title": N_("Orders"),
            "unit_of": partial(unit_name, ask.rooms.catalogue),
        },
    )


async def waiting(ask: PageAsk) -> PageView:
    """One of the lists of what waits for the centre, for supervision or for a desk."""
    which, role = ask.path("which"), ask.query("role")
    if which not in TITLES:
        raise PageRefusal(PageFault.NOT_FOUND)
    async with lent(ask.rooms.pool) as connection:
        standing = await as_of(connection)
        rows = await _rows(
            page_of(connection, which, only=Filter(role=role), after=ask.query("after"), most=ROWS + 1)
        )
    page = _page(rows, standing, ask.now, {"role": role})
    heading = ask.text(TITLES[which]) + (
        f": {ask.name('stage' if which == DESKS else 'watched', role)}" if role else ""
    )
    return PageView(
        "board-list.html",
        {
            **page._asdict(),
            "heading": heading,
            "title": TITLES[which],
            "unit_of": partial(unit_name, ask.rooms.catalogue),
        },
    )


async def parked(ask: PageAsk) -> PageView | PageMoved:
    """The messages that wait for a person, each with its reason; supervision has a page to act on them."""
    if ask.staff.role == roles.SUPERVISION:
        return PageMoved(PARKED)
    async with lent(ask.rooms.pool) as connection:
        rows = [ParkedMessage(*row) for row in await connection.fetch(_PARKED, PARKED_MAX)]
    return PageView("board-parked.html", {"rows": rows})


async def _rows(reading: Any) -> list[Listed]:
    try:
        found: list[Listed] = await reading
    except (UserError, asyncpg.DataError):  # a place in the list that is none
        raise PageRefusal(PageFault.BAD_REQUEST) from None
    return found


def _page(rows: list[Listed], standing: AsOf, now: datetime, only: dict[str, str]) -> Page:
    asked = {name: value for name, value in only.items() if value}
    more = urlencode({**asked, "after": rows[ROWS - 1].cursor}) if len(rows) > ROWS else ""
    return Page(rows[:ROWS], standing, now, more)


def _heading(ask: PageAsk, only: dict[str, str]) -> str:
    text: Text = ask.text
    words = {
        OVERDUE: text(N_("Overdue orders")),
        SOON: text(N_("Orders that are due soon")),
        "": text(N_("Orders with units")),
    }
    names = [
        only["district"],
        unit_name(ask.rooms.catalogue, only["unit"]) if only["unit"] else "",
        ask.name("stage", only["stage"]) if only["stage"] else "",
    ]
    return " · ".join([words[only["due"]], *(name for name in names if name)])
