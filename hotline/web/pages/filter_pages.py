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
    UNIT_ORDERS,
    ListFilter,
    filter_in,
    tab_in,
)
from hotline.web.pages.reply_templates import NotKept, personal_flaw
from hotline.web.pages.unit_list import unit_page

_FULL: Final = NotKept(
    "name", N_("You keep %(most)s filters, which is the most. Delete one first."), {"most": FILTERS_MAX}
)


async def keep_filter(ask: PageAsk) -> PageView | PageMoved:
    """Keep the filter of the list under a name. Where it is refused the list says why."""
    form = await form_of(ask)
    tab, only, name = tab_in(form), filter_in(form), str(form.get("name", "")).strip()
    query = urlencode({"tab": tab, **only.parts})
    flaw = _flaw_of(name, only)
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
    await ask.rooms.kept.drop_filter(ask.staff.staff_id, UNIT_ORDERS, str(form.get("name", "")))
    return PageMoved(f"/work?{urlencode({'tab': tab_in(form), **filter_in(form).parts})}")


def _flaw_of(name: str, only: ListFilter) -> NotKept | None:
    if not name or len(name) > NAME_MAX:
        return NotKept("name", N_("Give it a name of at most %(most)s characters."), {"most": NAME_MAX})
    return personal_flaw("name", name) or personal_flaw("text", only.text)
