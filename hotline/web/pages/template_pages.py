"""The page of a unit's reply templates, and the form of an act that comes back with one of them filled in."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from hotline.web.pages.acting import form_of
from hotline.web.pages.asking import PageAsk, PageMoved, PageView
from hotline.web.pages.look import Language
from hotline.web.pages.matters import read_matter, shown_matter
from hotline.web.pages.naming import unit_name
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.pages.reply_templates import (
    NAME_MAX,
    PLACES,
    TEMPLATED,
    TEMPLATES_MAX,
    FormTemplates,
    NotKept,
    filled,
    flaw_of,
    id_of,
    is_one_line,
    joined,
    keep,
    name_in,
    templates_of,
    values_of,
)
from hotline.web.pages.telling_time import instant
from hotline.web.pages.unit_work import UNIT_PLACE
from hotline.web.pages.verbs import UNIT_VERBS
from hotline.web.reading import lent

TEMPLATES: Final = "/templates"
TEXT_MAX: Final = 4000
"""Characters of the longest text that an act takes."""
KEPT, DROPPED = "kept", "dropped"


async def templates(ask: PageAsk) -> PageView:
    """All templates of the unit, and a form for a new one or for the one that is to change."""
    return await _shown(ask, id_of(ask.query("edit")), done=ask.query("done"))


async def keep_template(ask: PageAsk) -> PageView | PageMoved:
    """Keep what was written. Where it is refused the page says why, and the draft stays."""
    form = {name: str(value) for name, value in (await form_of(ask)).items()}
    template = id_of(form.get("template", ""))
    verb, name = form.get("verb", ""), name_in(form)
    text = form.get("text", "").replace("\r\n", "\n").strip()
    flaw = flaw_of(verb, name, text, unit_name(ask.rooms.catalogue, ask.staff.unit))
    if flaw is None:
        flaw = await keep(ask.rooms.kept, ask.staff.staff_id, template, verb, name, text)
    if flaw is None:
        return PageMoved(f"{TEMPLATES}?{urlencode({'done': KEPT})}")
    return await _shown(ask, template, flaw=flaw, draft=form)


async def drop_template(ask: PageAsk) -> PageMoved:
    """Delete one; one that is none of this unit's stays."""
    template = id_of(ask.path("template"))
    if template is not None:
        await ask.rooms.kept.drop_template(ask.staff.staff_id, template)
    return PageMoved(f"{TEMPLATES}?{urlencode({'done': DROPPED})}")


async def _shown(
    ask: PageAsk,
    edited: int | None,
    *,
    flaw: NotKept | None = None,
    draft: Mapping[str, str] | None = None,
    done: str = "",
) -> PageView:
    async with lent(ask.rooms.pool) as connection:
        every = await templates_of(connection, ask.staff.unit)
    one = next((row for row in every if row.template_id == edited), None)
    usual = {"verb": one.verb, "name": one.name, "text": one.text} if one is not None else {}
    values: dict[str, Any] = {
        "rows": every,
        "verbs": {name: UNIT_VERBS[name].title for name in TEMPLATED},
        "one": one,
        "draft": draft or {"verb": TEMPLATED[0], "name": "", "text": "", **usual},
        "flaw": flaw,
        "why": "" if flaw is None else flaw.said(ask),
        "done": done if flaw is None else "",
        "places": [
            f"{{{word}}}" for word in PLACES if word.isascii() == (ask.look.language is Language.ENGLISH)
        ],
        "name_max": NAME_MAX,
        "text_max": TEXT_MAX,
        "templates_max": TEMPLATES_MAX,
        "ruleset": ask.rooms.ruleset,
        "now": ask.now,
    }
    return PageView("templates.html", values, HTTPStatus.OK if flaw is None else HTTPStatus.CONFLICT)


async def fill_in(ask: PageAsk) -> PageView:
    """The form of an act as it was sent, with a template of the unit in its text; nothing is done yet."""
    name = ask.path("verb")
    verb = UNIT_VERBS.get(name)
    form = await form_of(ask)
    one, life, names = await read_matter(ask, UNIT_PLACE)
    if verb is None or not verb.templated:
        raise PageRefusal(PageFault.NOT_FOUND)
    async with lent(ask.rooms.pool) as connection:
        of_verb = await templates_of(connection, ask.staff.unit, name)
    chosen = next((row for row in of_verb if row.template_id == id_of(str(form.get("template", "")))), None)
    draft = {key: str(value) for key, value in form.items()}
    if chosen is not None:
        unit = unit_name(ask.rooms.catalogue, ask.staff.unit)
        values = values_of(one.complaint_number, unit, instant(one.due_at, one.ruleset, ask.now))
        before = draft.get(verb.templated, "").replace("\r\n", "\n")
        text = filled(chosen.text, values)
        draft[verb.templated] = joined(before, text, one_line=is_one_line(name))
    told = FormTemplates(of_verb, None if chosen is None else chosen.name)
    return shown_matter(ask, UNIT_PLACE, one, life, names, verb=name, draft=draft, templates=told)
