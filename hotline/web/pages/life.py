"""The life of one complaint, in three depths: milestones, all facts, one fact as the log holds it."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec

from hotline.readside.lists import Listed
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.life_drawing import drawing_of
from hotline.web.pages.lives import ReadLife, life_of, told_facts
from hotline.web.pages.naming import unit_name
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.pages.staff import names_of
from hotline.web.reading import complaint_of, is_told, lent
from shared.complaint import Stage, stage_of, waits_for
from shared.trace_ids import trace_hex_of


async def life_page(ask: PageAsk) -> PageView:
    """The life; `all` shows every fact and not the milestones alone."""
    one, life, names = await _read(ask)
    every = ask.query("all") == "yes"
    told = told_facts(ask, life.facts, one.ruleset)
    waiting = waits_for(life.case) if life.case is not None else None
    return PageView(
        "life.html",
        {
            "one": one,
            "case": life.case,
            "every": every,
            "recorded": ask.query("recorded") == "yes",
            "draft_of": draft_name(ask.query("call")),
            "told": told if every else [fact for fact in told if fact.milestone],
            "facts_total": len(told),
            "right": life.right,
            "names": names,
            "drawing": drawing_of(life.facts, life.case, ask.now),
            "stage": stage_of(life.case) if life.case is not None else Stage.UNOPENED,
            "waiting": waiting,
            "waited_for": "" if waiting is None else unit_name(ask.rooms.catalogue, waiting.name),
            "lead": unit_name(ask.rooms.catalogue, one.lead),
            "trace": ask.rooms.traces.address_of(one.complaint_id),
        },
    )


def draft_name(call_id: str) -> str:
    """By what a browser keeps the draft of a request: one for each call."""
    return f"/record?{urlencode({'call': call_id})}" if call_id else "/record"


async def fact_page(ask: PageAsk) -> PageView:
    """One fact as the log holds it, with its hash and its trace."""
    one, life, names = await _read(ask)
    version = ask.path("version")
    found = [fact for fact in life.facts if str(fact.version) == version]
    if not found:
        raise PageRefusal(PageFault.NOT_FOUND)
    fact = found[0]
    (told,) = told_facts(ask, [fact], one.ruleset)
    before = next((other for other in life.facts if other.version == fact.version - 1), None)
    return PageView(
        "fact.html",
        {
            "one": one,
            "fact": fact,
            "told": told,
            "names": names,
            "before": before,
            "last": len(life.facts),
            "body": _shown(fact.body),
            "trace_id": trace_hex_of(one.complaint_id),
        },
    )


async def _read(ask: PageAsk) -> tuple[Listed, ReadLife, dict[str, str]]:
    """The complaint, its life as far as this person may see it, and the names of those who acted."""
    async with lent(ask.rooms.pool) as connection:
        one = await complaint_of(connection, ask.staff.key, ask.path("complaint"))
        if one is None:
            raise PageRefusal(PageFault.NOT_FOUND)
        life = await life_of(connection, one.complaint_id)
        unit = ask.staff.unit
        if unit:
            told = [fact for fact in life.facts if is_told(fact.name, fact.schema, fact.body, unit)]
            life = life._replace(facts=told)
        names = await names_of(connection, sorted({fact.actor_id for fact in life.facts if fact.actor_id}))
    return one, life, dict(names)


def _shown(body: bytes) -> str:
    """The body for a reader: the same JSON, a field a line."""
    try:
        return msgspec.json.format(body, indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return body.decode(errors="replace")
