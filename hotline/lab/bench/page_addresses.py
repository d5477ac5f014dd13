"""Every page of the tables of routes, and the addresses by which the part `pages` asks for it.

A page is asked for in all its shapes: each tab of a list, a later page, a filter, another complaint each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

import asyncpg

from hotline.governance.log import Programmes
from hotline.lab.bench.open_lives import TITLES
from hotline.readside.lists import EVERYTHING, page_of
from hotline.readside.rows import CORRECTIONS, DESKS, ORDERS, REVIEWS, SUPERVISION, VISITS
from hotline.readside.unit_list import TABS
from hotline.web.pages.citizen.routes import CITIZEN_PAGES, DOOR_PAGES
from hotline.web.pages.routes import OPEN_PAGES, PAGES
from services.intake.knowledge.file import Articles
from shared import roles
from shared.complaint_number import number_of
from shared.ids import ComplaintId

GET: Final = "GET"
ANYBODY: Final = ""
"""The role of somebody who has not signed in."""
CITIZEN: Final = "citizen"
STREAMED: Final = ("/work/live", "/board/events", "/operations/events", "/record/calls")
"""Streams: they are measured as live regions. That of calls is of one person, and has nothing to render for others."""
LEFT_OUT: Final[Mapping[str, str]] = {
    "/": "it only goes on to another page",
    "/sign-in/provider": "it goes on to an identity provider",
    "/sign-in/provider/back": "it asks an identity provider",
    "/sign-in/provider/out": "it goes on to an identity provider",
}
"""Pages that are not asked for, and why."""
LED_ON: Final = {"/board/parked": roles.SUPERVISION}
"""By page the role that it leads on to a page of its own: others are asked for."""
KNOWN_MAX: Final = 200
"""Complaints of each list that pages are asked for."""
_BUSIEST: Final = (
    "SELECT party FROM read.waiting WHERE list = 'orders' AND role = 'lead' GROUP BY 1 ORDER BY count(*) DESC"
)
_DISPATCHED: Final = "SELECT min(version) FROM es.event WHERE stream_id = $1 AND type = 'ComplaintDispatched'"
_SOME: Final = """
SELECT stream_id::text, received_at, ruleset FROM read.complaint WHERE ended = '' ORDER BY stream_id LIMIT $1
"""


class PageOfTable(NamedTuple):
    """A page as the tables of routes name it."""

    path: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCity:
    """The complaints, units and articles of the city that pages are asked about."""

    unit: str
    """The unit with the most open orders."""
    numbers: Mapping[str, Sequence[str]]
    """By list the numbers of complaints in it; of the orders those of the unit."""
    cursors: Sequence[str]
    """Behind which later pages of the unit's list begin."""
    districts: Sequence[str]
    units: Sequence[str]
    dispatched: int
    """The version of the fact by which an order of the unit was made: a unit is told of it."""
    subjects: Sequence[str]
    months: Sequence[str]
    """Written as 2025-10."""
    programmes: Sequence[str]
    articles: Sequence[str]
    messages: Sequence[str]
    """Numbers of parked messages."""
    marks: Sequence[str]
    """Numbers of marks of callers."""
    questions: Sequence[str]


def pages_asked() -> list[PageOfTable]:
    """Every page that is asked for: those of the tables, without streams and what only goes on elsewhere."""
    every = [
        PageOfTable(one.path, tuple(role for role in one.roles if role != LED_ON.get(one.path)))
        for one in PAGES
        if one.method == GET
    ]
    every += [PageOfTable(one.path, (ANYBODY,)) for one in OPEN_PAGES if one.method == GET]
    every += [
        PageOfTable(path, (CITIZEN,)) for method, path, _ in (*DOOR_PAGES, *CITIZEN_PAGES) if method == GET
    ]
    return [one for one in every if one.path not in STREAMED and one.path not in LEFT_OUT]


async def known_of(owner: asyncpg.Connection[Any], told: Articles, questions: Sequence[str]) -> KnownCity:
    """Look around in the city."""
    unit = await owner.fetchval(_BUSIEST)
    numbers: dict[str, list[str]] = {}
    cursors: list[str] = []
    rows_of_unit = await page_of(owner, ORDERS, unit, most=1)
    for which in (ORDERS, REVIEWS, CORRECTIONS, SUPERVISION, VISITS, DESKS):
        party = unit if which == ORDERS else ""
        rows = await page_of(owner, which, party, only=EVERYTHING, most=KNOWN_MAX)
        numbers[which] = [one.complaint_number for one in rows]
        cursors += [one.cursor for one in rows] if which == ORDERS else []

    async def names(column: str) -> list[str]:
        found = await owner.fetch(
            f"SELECT DISTINCT {column} FROM read.count WHERE {column} <> '' ORDER BY 1"  # noqa: S608 -- our own names
        )
        return [row[0] for row in found]

    async def numbers_of(statement: str) -> list[str]:
        return [str(row[0]) for row in await owner.fetch(statement, KNOWN_MAX)]

    months = await owner.fetch(
        "SELECT DISTINCT to_char(month, 'YYYY-MM') FROM es.score_life WHERE month IS NOT NULL"
    )
    return KnownCity(
        unit=unit,
        numbers=numbers,
        cursors=cursors,
        districts=await names("district"),
        units=await names("unit"),
        dispatched=await owner.fetchval(_DISPATCHED, rows_of_unit[0].complaint_id),
        subjects=await names("subject"),
        months=sorted(row[0] for row in months),
        programmes=[one.programme_id for one in await Programmes(owner).all()],
        articles=sorted({one.id for one in told.articles}),
        messages=await numbers_of("SELECT parked_id FROM es.parked ORDER BY 1 LIMIT $1"),
        marks=await numbers_of("SELECT mark_id FROM vault.caller_mark ORDER BY 1 LIMIT $1"),
        questions=questions,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAddresses:
    """Makes addresses, another one each time."""

    known: KnownCity
    random: Random

    def of(self, path: str, number: str = "") -> str:
        """An address of this page; `number`: of the complaint that a citizen's session opens."""
        made = path.replace("{complaint}", "{number}")
        told: dict[str, str] = {}
        if "{number}" in made:
            told["number"] = number or self._number(path)
        known = self.known
        lists = {
            "programme": known.programmes,
            "article": known.articles,
            "message": known.messages,
            "mark": known.marks,
        }
        for name, values in lists.items():
            if f"{{{name}}}" in made:
                told[name] = quote(self._one(values), safe="")
        if "{which}" in made:
            told["which"] = self._one((REVIEWS, CORRECTIONS, SUPERVISION, VISITS, DESKS))
        if "{version}" in made:
            told["version"] = str(self.known.dispatched)
        query = QUERIES.get(path)
        asked = query(self) if query is not None else {}
        return made.format(**told) + (f"?{urlencode(asked)}" if asked else "")

    def _number(self, path: str) -> str:
        """The number of a complaint that this page can show; a unit's own where it is asked as a unit."""
        which = {"/visits": VISITS, "/decisions": REVIEWS, "/supervision": SUPERVISION}.get(
            path.rpartition("/")[0]
        )
        return self._one(self.known.numbers[which or ORDERS] or self.known.numbers[ORDERS])

    def _one(self, values: Sequence[str]) -> str:
        return self.random.choice(values)

    def unit_list(self) -> dict[str, str]:
        """A tab, the first page or a later one."""
        later = {"after": self._one(self.known.cursors)} if self.random.random() < 1 / 4 else {}
        return {"tab": self._one(list(TABS)), **later}

    def place(self) -> dict[str, str]:
        """Where a request that is being written down would go."""
        return {"subject": self._one(self.known.subjects), "district": self._one(self.known.districts)}

    def board_orders(self) -> dict[str, str]:
        """The orders behind a figure of the board."""
        what: tuple[dict[str, str], ...] = (
            {},
            {"due": "overdue"},
            {"due": "soon"},
            {"district": self._one(self.known.districts), "due": "overdue"},
            {"unit": self._one(self.known.units)},
            {"stage": "SIGNED"},
        )
        return dict(self.random.choice(what))

    def words(self) -> dict[str, str]:
        """The beginning of a number, words of titles, or words that no title has."""
        title = self._one(TITLES)
        number = self._one(self.known.numbers[ORDERS])
        return {"q": self._one((number, title, title[-4:], "火星移民"))}


QUERIES: Final[Mapping[str, Callable[[PageAddresses], dict[str, str]]]] = {
    "/work": PageAddresses.unit_list,
    "/record/foreseen": PageAddresses.place,
    "/visits": lambda ask: {"later": ask.random.choice(("yes", ""))},
    "/board": lambda ask: {"shading": ask.random.choice(("overdue", "load"))},
    "/board/orders": PageAddresses.board_orders,
    "/life/{complaint}": lambda ask: {"all": ask.random.choice(("yes", ""))},
    "/programmes/candidates": lambda ask: {"days": ask.random.choice(("30", "90", "365"))},
    "/programmes/complaints": PageAddresses.place,
    "/ranking": lambda ask: {"month": ask.random.choice(ask.known.months)},
    "/knowledge": lambda ask: {"q": ask.random.choice(ask.known.questions)},
    "/find": PageAddresses.words,
}
"""By page what its query says; the others have none."""


async def some_complaints(owner: asyncpg.Connection[Any], most: int) -> list[tuple[ComplaintId, str]]:
    """Open complaints from all of the log, each with its number."""
    rows = await owner.fetch(_SOME, most)
    return [(ComplaintId(row[0]), number_of(ComplaintId(row[0]), row[1], row[2])) for row in rows]
