"""The places of the offices: what waits for a visit, a decision or supervision, and each matter of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from hotline.casefile.orders import last_facts
from hotline.casefile.questions import QUESTIONS
from hotline.readside.lists import EVERYTHING, Listed, page_of
from hotline.readside.rows import REVIEWS, SUPERVISION, VISITS
from hotline.readside.standing import as_of, caught_up
from hotline.web.limits import CAUGHT_UP_SECONDS_MAX
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.catalogues import N_
from hotline.web.pages.fact_words import FACT_WORDS, LABELS
from hotline.web.pages.lives import ToldField, shown_value
from hotline.web.pages.matters import WorkPlace, done_of
from hotline.web.pages.naming import unit_name
from hotline.web.pages.office_verbs import REVIEW_VERBS, SUPERVISION_VERBS, VISIT_VERBS
from hotline.web.pages.unit_list import ROWS
from hotline.web.reading import Connection, complaint_of, lent, waiting_complaint
from hotline.web.roles import KeyScope
from shared.events import Fact, OrderAnswered, VisitScheduled

_TOLD: Final[Mapping[str, tuple[type[Fact], ...]]] = {
    VISITS: (VisitScheduled, OrderAnswered),
    REVIEWS: tuple(QUESTIONS.values()),
    SUPERVISION: (),
}
"""By list the facts whose fields stand beside each row."""


class Office(NamedTuple):
    """An office: its list, and how a row of it is named."""

    place: WorkPlace
    which: str
    rows_as: str
    """The kind (`naming.NAMES`) of what a row is there for."""


class OfficeRow(NamedTuple):
    """A row of an office's list."""

    one: Listed
    unit: str
    fields: list[ToldField]


def _found_in(which: str) -> Callable[[PageAsk, Connection], Awaitable[Listed | None]]:
    async def find(ask: PageAsk, connection: Connection) -> Listed | None:
        found = await waiting_complaint(connection, ask.path("complaint"), which)
        if found is not None or not ask.staff.key.may(KeyScope.READ_ALL):
            return found
        return await complaint_of(connection, ask.staff.key, ask.path("complaint"))

    return find


def _all(ask: PageAsk, fact: object) -> bool:
    """An office is told of every fact."""
    del ask, fact
    return True


VISIT_OFFICE: Final = Office(
    WorkPlace(
        "/visits", N_("Visits"), VISIT_VERBS, _found_in(VISITS), _all, reads_contacts=True, to_list=True
    ),
    VISITS,
    "VisitReason",
)
REVIEW_OFFICE: Final = Office(
    WorkPlace("/decisions", N_("Decisions"), REVIEW_VERBS, _found_in(REVIEWS), _all), REVIEWS, "question"
)
SUPERVISION_OFFICE: Final = Office(
    WorkPlace("/supervision", N_("Supervision"), SUPERVISION_VERBS, _found_in(SUPERVISION), _all),
    SUPERVISION,
    "watched",
)


def office_list(office: Office) -> Callable[[PageAsk], Awaitable[PageView]]:
    """The page of the list; of visits those that may be made now, `later` all."""

    async def page(ask: PageAsk) -> PageView:
        later = ask.query("later") == "yes"
        async with lent(ask.rooms.pool) as connection:
            await caught_up(connection, CAUGHT_UP_SECONDS_MAX)
            now = ask.now
            only = EVERYTHING
            if office.which == VISITS and not later:
                only = only._replace(due_before=now)
            rows = await page_of(connection, office.which, only=only, after=ask.query("after"), most=ROWS + 1)
            said = await last_facts(
                connection, [one.complaint_id for one in rows[:ROWS]], _TOLD[office.which]
            )
            standing = await as_of(connection)
        more = (
            {"after": rows[ROWS - 1].cursor, **({"later": "yes"} if later else {})}
            if len(rows) > ROWS
            else {}
        )
        values: dict[str, Any] = {
            "office": office,
            "later": later,
            "done": done_of(ask),
            "of": ask.query("of"),
            "rows": [_row(ask, office, one, said.get(one.complaint_id, [])) for one in rows[:ROWS]],
            "more": urlencode(more),
            "as_of": standing,
            "now": now,
        }
        return PageView("office-list.html", values)

    return page


def _row(ask: PageAsk, office: Office, one: Listed, said: Sequence[Fact]) -> OfficeRow:
    shown = [fact for fact in said if _belongs(office, one, fact)]
    fields = [
        ToldField(name, ask.text(LABELS[name]), text)
        for fact in shown
        for name in FACT_WORDS[type(fact)].fields
        if name not in _LEFT_OUT and (text := shown_value(ask, name, getattr(fact, name), one.ruleset))
    ]
    return OfficeRow(one, unit_name(ask.rooms.catalogue, one.lead), fields)


_LEFT_OUT: Final = ("channel", "visit_at", "claims_solved")
"""Of a row: the list says it already, or the matter's own page does."""


def _belongs(office: Office, one: Listed, fact: Fact) -> bool:
    return office.which != REVIEWS or type(fact) is QUESTIONS.get(one.role)
