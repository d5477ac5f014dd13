"""Marks of malicious callers on pages: an agent proposes, supervision decides, a caller objects (decision 0077)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from hotline.caller_marks import DECISIONS_AT, CallerMark, MarkDecision, MarkStanding
from hotline.web.pages.acting import form_of
from hotline.web.pages.asking import PageAsk, PageMoved, PageView
from hotline.web.pages.call_context import call_of_page
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.pages.reason_given import GivenReason, reason_given
from hotline.web.pages.recording import record_view
from hotline.web.pages.staff import names_of
from hotline.web.reading import lent
from shared.policy.ruleset import ruleset
from shared.runtime.errors import UserError

BASE: Final = "/callers"
NUMBER_DIGITS_MAX: Final = 18
"""Of a mark's number: it is a bigint."""


async def propose_mark(ask: PageAsk) -> PageView | PageMoved:
    """Propose to mark the caller of a call that this person took."""
    form = await form_of(ask)
    call_id, given = await call_of_page(ask, str(form.get("call_id", ""))), reason_given(form)
    days = ruleset(ask.rooms.ruleset).caller_mark_days
    if not given.wrong:
        try:
            await ask.rooms.marks.propose(call_id, ask.staff.staff_id, given.text, days)
        except UserError as error:
            given = given._replace(wrong=str(error))
        else:
            return _back(call_id, "PROPOSED")
    return await record_view(ask, call_id, given._replace(wrong=ask.text(given.wrong)))


async def object_to_mark(ask: PageAsk) -> PageView | PageMoved:
    """Write down that the caller of a call that this person took objects to the mark."""
    form = await form_of(ask)
    call_id, given = await call_of_page(ask, str(form.get("call_id", ""))), reason_given(form)
    if not given.wrong:
        try:
            await ask.rooms.marks.object_to(call_id, ask.staff.staff_id, given.text)
        except UserError as error:
            given = given._replace(wrong=str(error))
        else:
            return _back(call_id, "OBJECTED")
    return await record_view(ask, call_id, given._replace(wrong=ask.text(given.wrong)))


def _back(call_id: str, marked: str) -> PageMoved:
    return PageMoved(f"/record?{urlencode({'call': call_id, 'marked': marked})}")


async def marks(ask: PageAsk) -> PageView:
    """The marks, what waits for a decision first."""
    rows = await ask.rooms.marks.listed()
    people = {one.proposed_by for one in rows} | {one.approved_by for one in rows if one.approved_by}
    done = ask.query("done")
    values: dict[str, Any] = {
        "rows": rows,
        "names": await _names(ask, people),
        "done": done if done in set(MarkDecision) else "",
        "of": _number(ask.query("of")),
        "ruleset": ask.rooms.ruleset,
        "now": ask.now,
    }
    return PageView("caller-marks.html", values)


async def mark(ask: PageAsk) -> PageView:
    """One mark with its acts, and what this person may decide."""
    return await _mark(ask, await _named(ask))


async def decide_mark(ask: PageAsk) -> PageView | PageMoved:
    """Decide about a mark, and go on to the list."""
    form, one = await form_of(ask), await _named(ask)
    given, decision = reason_given(form), str(form.get("decision", ""))
    if decision not in set(MarkDecision):
        raise PageRefusal(PageFault.BAD_REQUEST)
    if not given.wrong:
        try:
            await ask.rooms.marks.decide(one.mark_id, MarkDecision(decision), ask.staff.staff_id, given.text)
        except UserError as error:
            given = given._replace(wrong=str(error))
        else:
            return PageMoved(f"{BASE}?{urlencode({'done': decision, 'of': one.mark_id})}")
    return await _mark(ask, await _named(ask), given._replace(wrong=ask.text(given.wrong)))


async def _named(ask: PageAsk) -> CallerMark:
    """The mark of the address; `PageRefusal` where there is none."""
    found = await ask.rooms.marks.one(_number(ask.path("mark")))
    if found is None:
        raise PageRefusal(PageFault.NOT_FOUND)
    return found


async def _mark(ask: PageAsk, one: CallerMark, refused: GivenReason | None = None) -> PageView:
    acts = await ask.rooms.marks.acts_of(one.mark_id)
    here = ask.staff.staff_id
    own = here == one.proposed_by or (one.standing == MarkStanding.OBJECTED and here == one.approved_by)
    values: dict[str, Any] = {
        "one": one,
        "acts": acts,
        "names": await _names(ask, {act.actorid for act in acts}),
        "decisions": () if own else DECISIONS_AT.get(MarkStanding(one.standing), ()),
        "own": own,
        "refused": refused,
        "ruleset": ask.rooms.ruleset,
        "now": ask.now,
    }
    return PageView("caller-mark.html", values, HTTPStatus.OK if refused is None else HTTPStatus.CONFLICT)


async def _names(ask: PageAsk, people: set[str]) -> dict[str, str]:
    async with lent(ask.rooms.pool) as connection:
        return dict(await names_of(connection, sorted(people)))


def _number(text: str) -> int:
    """The number of a mark; 0, which none has, where the text is none."""
    plain = text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS_MAX
    return int(text) if plain else 0
