"""Candidates for programmes: the subjects of a period by how many complaints they have, and the complaints behind."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Final, NamedTuple
from urllib.parse import urlencode

from hotline.governance.candidates import Candidate, candidates, counted, period_before
from hotline.governance.log import Programmes
from hotline.readside.behind import behind
from hotline.readside.search import place_of
from hotline.readside.standing import caught_up
from hotline.web.limits import CAUGHT_UP_SECONDS_MAX
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.catalogues import N_
from hotline.web.pages.naming import unit_name
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.reading import lent
from shared.runtime.errors import UserError
from shared.times import in_zone, zone_of
from shared.unreadable import UnreadableRows

PERIODS: Final = (30, 90, 365)
"""Days that can be looked at; where nobody chooses the last, as `hotline programme candidates` does."""
SUBJECTS_MAX: Final = 50
"""Subjects that are shown; the command has all."""
DISTRICTS_MAX: Final = 4
"""Districts that are named of each."""
ROWS: Final = 100
"""Complaints of a page: some three screens."""


class Period(NamedTuple):
    """Whole days up to today, both ends included."""

    days: int
    first: date
    last: date

    @property
    def until(self) -> date:
        """The day after its last."""
        return self.last + timedelta(days=1)


class CandidateRow(NamedTuple):
    """A subject in the table."""

    candidate: Candidate
    behind: str
    """The query of its complaints."""
    districts: list[tuple[str, int, str]]
    """Those with the most complaints: name, number, and the query of these complaints."""
    more: int
    """Districts that are not named here."""


async def programme_candidates(ask: PageAsk) -> PageView:
    """The subjects with the most complaints, what they grew by, and which programmes name them already."""
    period = _period(ask)
    people = ask.rooms.inhabitants.at(period.last)
    residents = {} if people is None else {name: of.people for name, of in people.districts.items()}
    unread = UnreadableRows()
    async with lent(ask.rooms.pool) as connection:
        standing = await caught_up(connection, CAUGHT_UP_SECONDS_MAX)
        counts = await counted(connection, period.first, period.until)
        before = await counted(connection, *period_before(period.first, period.last))
        every = await Programmes(connection).all(unread)
    found = candidates(counts, every, before=before, residents=residents)
    values = {
        "period": period,
        "periods": PERIODS,
        "rows": [_row(one, period) for one in found[:SUBJECTS_MAX]],
        "left_out": max(len(found) - SUBJECTS_MAX, 0),
        "example": ask.rooms.inhabitants.example and bool(residents),
        "unread": unread.line(),
        "as_of": standing,
        "now": ask.now,
    }
    return PageView("programme-candidates.html", values)


async def complaints_behind(ask: PageAsk) -> PageView:
    """The complaints of a subject in a period, in one district or in all, the newest first."""
    subject, district = ask.query("subject"), ask.query("district")
    if not subject:
        raise PageRefusal(PageFault.BAD_REQUEST)
    period = _period(ask)
    async with lent(ask.rooms.pool) as connection:
        standing = await caught_up(connection, CAUGHT_UP_SECONDS_MAX)
        try:
            rows = await behind(
                connection,
                subject,
                district,
                (period.first, period.until),
                before=ask.query("after"),
                most=ROWS + 1,
            )
        except UserError:
            raise PageRefusal(PageFault.BAD_REQUEST) from None
    more = ""
    if len(rows) > ROWS:
        more = f"{_query(period, subject, district)}&{urlencode({'after': place_of(rows[ROWS - 1])})}"
    values = {
        "rows": rows[:ROWS],
        "more": more,
        "heading": " · ".join(filter(None, (subject, district, f"{period.first} – {period.last}"))),
        "title": N_("Complaints of a subject"),
        "crumb": (f"/programmes/candidates?days={period.days}", ask.text(N_("Candidates"))),
        "unit_of": partial(unit_name, ask.rooms.catalogue),
        "as_of": standing,
        "now": ask.now,
    }
    return PageView("board-list.html", values)


def _period(ask: PageAsk) -> Period:
    days = ask.query("days") or str(PERIODS[-1])
    if days not in {str(one) for one in PERIODS}:
        raise PageRefusal(PageFault.BAD_REQUEST)
    last = in_zone(ask.now, zone_of(ask.rooms.board.rules)).date()
    return period_of(int(days), last)


def period_of(days: int, last: date) -> Period:
    """So many days, of which this one is the last."""
    return Period(days, last - timedelta(days=days - 1), last)


def _row(one: Candidate, period: Period) -> CandidateRow:
    named = [
        (name, number, _query(period, one.subject, name))
        for name, number in list(one.districts.items())[:DISTRICTS_MAX]
    ]
    return CandidateRow(one, _query(period, one.subject), named, max(len(one.districts) - DISTRICTS_MAX, 0))


def _query(period: Period, subject: str, district: str = "") -> str:
    told = {"subject": subject, "district": district, "days": period.days}
    return urlencode({name: value for name, value in told.items() if value})
