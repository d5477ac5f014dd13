"""One order on the unit's page: its words and limits, what can be done, and its life as far as the unit hears it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from hotline.readside.lists import Listed
from hotline.web.pages.acting import ACT, DoneAct, acted, data_of, form_of, new_act
from hotline.web.pages.asking import PageAsk, PageMoved, PageView
from hotline.web.pages.fact_words import FACT_WORDS
from hotline.web.pages.lives import ReadLife, life_of, told_facts
from hotline.web.pages.naming import unit_name
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.pages.unit_list import list_values
from hotline.web.pages.verbs import UNIT_VERBS, Situation, VerbForm, offered
from hotline.web.reading import complaint_of, is_told, lent
from shared.inputs import SignOrder

BULK_MAX: Final = 200
"""Orders that are signed at once: two pages of the list."""
BULK_AT_ONCE: Final = 20
"""So many of them wait for their outcome side by side."""
TITLES: Final[Mapping[str, str]] = {kind.__name__: words.title for kind, words in FACT_WORDS.items()}


async def order_page(ask: PageAsk) -> PageView:
    """The order, and the form of the act that was chosen."""
    one, life = await read_order(ask)
    verb = ask.query("do")
    done = [ask.text(TITLES[name]) for name in ask.query("done").split(",") if name in TITLES]
    return _shown(ask, one, life, verb=verb, done=done, sent=ask.query("done") == "sent")


async def act_on_order(ask: PageAsk) -> PageView | PageMoved:
    """Do it. Where it is refused the page says why, and the draft stays."""
    name = ask.path("verb")
    verb = UNIT_VERBS.get(name)
    if verb is None:
        raise PageRefusal(PageFault.NOT_FOUND)
    form = await form_of(ask)
    one, life = await read_order(ask)
    if life.case is None:
        raise PageRefusal(PageFault.NOT_FOUND)
    at = Situation(life.case, ask.staff.unit, ask.now, ask.rooms.catalogue)
    filled = {**verb.filled(at), "complaint_id": one.complaint_id}
    data = data_of(form, verb, filled, ask.rooms.catalogue)
    done = await acted(ask, verb.kind, data, str(form.get(ACT, "")))
    if done.done:
        return PageMoved(f"/work/{one.complaint_number}?{urlencode({'done': said(done)})}")
    draft = {key: str(value) for key, value in form.items()}
    return _shown(ask, one, life, verb=name, refused=done, draft=draft)


def said(done: DoneAct) -> str:
    """The outcome of an act, for the address of the page that tells it."""
    return "sent" if done.undecided else ",".join(done.facts) or "nothing"


async def sign_many(ask: PageAsk) -> PageView:
    """Sign all orders that were chosen in the list; each that is refused is named with its reason."""
    form = await form_of(ask)
    chosen = [str(one) for one in form.getlist("order")][:BULK_MAX]
    at_once = asyncio.Semaphore(BULK_AT_ONCE)

    async def sign(one: str) -> tuple[str, DoneAct]:
        complaint, _, assignment = one.partition("/")
        data = {"complaint_id": complaint, "assignment": int(assignment) if assignment.isdecimal() else 0}
        async with at_once:
            return complaint, await acted(ask, SignOrder, data, f"{form.get(ACT, '')}-{complaint}")

    outcomes = await asyncio.gather(*(sign(one) for one in chosen))
    values = await list_values(ask, tab=str(form.get("tab", "")), after="")
    numbers = {one.complaint_id: one.complaint_number for one in values["rows"]}
    refused = [(numbers.get(one, one), done.why) for one, done in outcomes if not done.done]
    signed = sum(done.done for _, done in outcomes)
    return PageView("unit-list.html", {**values, "signed": signed, "refused": refused})


async def read_order(ask: PageAsk) -> tuple[Listed, ReadLife]:
    """The complaint, where it lies with the person's unit, and its whole life."""
    async with lent(ask.rooms.pool) as connection:
        one = await complaint_of(connection, ask.staff.key, ask.path("complaint"))
        if one is None:
            raise PageRefusal(PageFault.NOT_FOUND)
        return one, await life_of(connection, one.complaint_id)


def _shown(
    ask: PageAsk,
    one: Listed,
    life: ReadLife,
    *,
    verb: str = "",
    done: list[str] | None = None,
    sent: bool = False,
    refused: DoneAct | None = None,
    draft: Mapping[str, str] | None = None,
) -> PageView:
    verbs: dict[str, VerbForm] = {}
    if life.case is not None:
        verbs = offered(UNIT_VERBS, Situation(life.case, ask.staff.unit, ask.now, ask.rooms.catalogue))
    chosen = UNIT_VERBS.get(verb) if verb in verbs or refused is not None else None
    unit = ask.staff.unit
    told = [fact for fact in life.facts if is_told(fact.name, fact.schema, fact.body, unit)]
    values: dict[str, Any] = {
        "one": one,
        "case": life.case,
        "told": told_facts(ask, told, one.ruleset),
        "verbs": verbs,
        "verb": verb if chosen is not None else "",
        "chosen": chosen,
        "act": new_act(),
        "draft": draft or {},
        "refused": refused,
        "done": done or [],
        "sent": sent,
        "lead": unit_name(ask.rooms.catalogue, one.lead),
        "units": ask.rooms.catalogue.units,
    }
    status = HTTPStatus.OK if refused is None else HTTPStatus.CONFLICT
    return PageView("order.html", values, status)
