"""Keeping and deleting a filter of the unit's list."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from hotline.web.pages.acting import form_of
from hotline.web.pages.asking import PageAsk, PageMoved, PageView
from hotline.web.pages.catalogues import N_
from hotline.web.pages.list_filters import (
    FILTERS_MAX,
    NAME_MAX,
    QUERY_MAX,
    UNIT_ORDERS,
    ListFilter,
    filter_in,
    tab_in,
)
from hotline.web.pages.reply_templates import NotKept, name_flaw, name_in, personal_flaw
from hotline.web.pages.unit_list import unit_page

_FULL: Final = NotKept(
    "name", N_("You keep %(most)s filters, which is the most. Delete one first."), {"most": FILTERS_MAX}
)


async def keep_filter(ask: PageAsk) -> PageView | PageMoved:
    """Keep the filter of the list under a name. Where it is refused the list says why."""
    form = await form_of(ask)
    tab, only, name = tab_in(form), filter_in(form), name_in(form)
    query = urlencode({"tab": tab, **only.parts})
    flaw = flaw_of(name, only, query)
    if flaw is None:
        answer = await ask.rooms.kept.keep_filter(
            ask.staff.staff_id, UNIT_ORDERS, name, query, most=FILTERS_MAX
        )
        flaw = _FULL if answer == "full" else None
    if flaw is None:
        return PageMoved(f"/work?{query}")
    view = await unit_page(ask, tab=tab, only=only, after="")
    told = {**view.values, "flaw": flaw.said(ask), "filter_name": name}
    return PageView(view.template, told, HTTPStatus.CONFLICT)


async def drop_filter(ask: PageAsk) -> PageMoved:
    """Delete a filter that this person keeps."""
    form = await form_of(ask)
    name = str(form.get("name", ""))
    if "\0" not in name:  # none is kept under such a name
        await ask.rooms.kept.drop_filter(ask.staff.staff_id, UNIT_ORDERS, name)
    return PageMoved(f"/work?{urlencode({'tab': tab_in(form), **filter_in(form).parts})}")


def flaw_of(name: str, only: ListFilter, query: str) -> NotKept | None:
    """The first flaw of a filter with this name and address; None where it has none."""
    wrong_name = name_flaw(name, NAME_MAX)
    if wrong_name is not None:
        return wrong_name
    if len(query) > QUERY_MAX:
        return NotKept("text", N_("The filter is too long to be kept. Look for fewer words."))
    return personal_flaw("name", name) or personal_flaw("text", only.text)
