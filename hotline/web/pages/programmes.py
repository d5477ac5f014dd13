"""The pages of monthly programmes (每月一题) and project lists: how far each is, its problems, its tasks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

from hotline.governance.log import Programmes
from hotline.governance.state import Item, Programme, Progress, Task, folded, progress
from hotline.governance.words import sentence
from hotline.ratio import two_decimals
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.catalogues import N_
from hotline.web.pages.naming import unit_name
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.pages.telling_time import Text
from hotline.web.reading import lent
from shared.runtime.errors import UserError
from shared.times import in_zone, shown, zone_of
from shared.unreadable import UnreadableRows

DONE, LATE, KEPT, UNDER_WAY = "good", "late", "kept", ""
STANDINGS: Final = {
    "PLANNED": N_("planned"),
    "IN_PROGRESS": N_("under way"),
    "LONG_TERM_ONGOING": N_("kept up for long"),
    "COMPLETE": N_("done, to be verified"),
    "VERIFIED": N_("done and verified"),
}


class ListedProgramme(NamedTuple):
    """A programme in the list."""

    programme: Programme
    when: str
    standing: str
    progress: Progress
    items: Decimal | None
    tasks: Decimal | None


class TaskRow(NamedTuple):
    """A task of a programme."""

    task: Task
    standing: str
    state: str


async def programmes(ask: PageAsk) -> PageView:
    """Every programme with its progress: monthly ones by month, then lists."""
    today = _today(ask)
    unread = UnreadableRows()
    async with lent(ask.rooms.pool) as connection:
        every = await Programmes(connection).all(unread)
    rows = [_row(one, today, ask.text) for one in every]
    values = {"monthly": [row for row in rows if row.programme.is_monthly]}
    values["lists"] = [row for row in rows if not row.programme.is_monthly]
    return PageView(
        "programmes.html",
        {**values, "whole": progress(every, today), "unread": unread.line(), "unit_of": _unit_of(ask)},
    )


async def programme(ask: PageAsk) -> PageView:
    """One programme: its problems or projects, their tasks, and all that was recorded."""
    unread = UnreadableRows()
    async with lent(ask.rooms.pool) as connection:
        log = Programmes(connection)
        try:
            facts = await log.readable_facts(await log.called(ask.path("programme")), unread)
        except UserError:
            raise PageRefusal(PageFault.NOT_FOUND) from None
    state = folded(facts)
    if state is None:
        raise PageRefusal(PageFault.NOT_FOUND)
    today = _today(ask)
    zone = zone_of(ask.rooms.board.rules)
    said = [(shown(fact.at, zone), sentence(fact)) for fact in facts]
    values = {
        "row": _row(state, today, ask.text),
        "items": [(item, _tasks(state, item, today, ask.text)) for item in state.items.values()],
        "said": said[::-1],
        "unread": unread.line(),
        "unit_of": _unit_of(ask),
    }
    return PageView("programme.html", values)


def _unit_of(ask: PageAsk) -> Callable[[str], str]:
    return partial(unit_name, ask.rooms.catalogue)


def _row(one: Programme, today: date, text: Text) -> ListedProgramme:
    found = progress([one], today)
    when = f"{one.year}-{one.month:02}" if one.month is not None else f"{one.year}"
    if one.closed is not None:
        standing = text(N_("closed"))
    else:
        standing = text(N_("adopted")) if one.adopted else text(N_("proposed"))
    return ListedProgramme(
        one, when, standing, found, two_decimals(found.item_rate), two_decimals(found.task_rate)
    )


def _tasks(one: Programme, item: Item, today: date, text: Text) -> list[TaskRow]:
    return [
        TaskRow(task, text(STANDINGS[task.standing]), _state(task, today))
        for task in one.tasks.values()
        if task.item == item.number
    ]


def _state(task: Task, today: date) -> str:
    if task.done:
        return DONE
    if task.overdue(today) or task.review_missed(today):
        return LATE
    return KEPT if task.kept_up else UNDER_WAY


def _today(ask: PageAsk) -> date:
    return in_zone(ask.now, zone_of(ask.rooms.board.rules)).date()
