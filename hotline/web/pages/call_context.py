"""Beside the form of a request: the call, what its caller has open, what was recorded of it, articles that answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from starlette.responses import HTMLResponse, Response

from hotline.readside.lists import Listed, some
from hotline.web.caller_warnings import CallerWarning
from hotline.web.pages.acting import form_of
from hotline.web.pages.asking import PageAsk
from hotline.web.pages.gate import HEADERS
from hotline.web.pages.rendering import block
from hotline.web.reading import lent
from services.intake.knowledge.base import Found, search
from shared.text import folded

ARTICLES_MAX: Final = 3
"""Articles beside the form: as many as are read at a glance."""
ENDED_MAX: Final = 3
"""Complaints of a caller that have ended and are shown below those that are open."""
QUESTION_MAX: Final = 500
"""Characters that articles are looked for by."""
_TOOK: Final = "SELECT web.took_call($1, $2)"
_RECORDS: Final = "SELECT records_of_call::text FROM web.records_of_call($1)"
_NOTE: Final = "SELECT web.note_record($1, $2)"


class CallerMatters(NamedTuple):
    """The complaints that a caller brought up before."""

    open: list[Listed]
    """By their limit, the next one first."""
    ended: list[Listed]
    """The newest first."""


class CallContext(NamedTuple):
    """A call that this person took."""

    call_id: str
    matters: CallerMatters
    records: list[Listed]
    """The complaints that pages recorded of it already, by whomever it was taken (T7)."""
    mark: CallerWarning | None
    """The mark of the caller, which warns; or the proposal of one."""
    has_number: bool
    """Whether it is known who calls: else nobody can be marked."""


async def call_of_page(ask: PageAsk, call_id: str) -> str:
    """The call, where this person took it; else the empty text."""
    if not call_id:
        return ""
    return call_id if await ask.rooms.pool.fetchval(_TOOK, ask.staff.staff_id, call_id) else ""


async def context_of(ask: PageAsk, call_id: str) -> CallContext | None:
    """All that a page shows of a call; None without one, and where somebody else took it."""
    call_id = await call_of_page(ask, call_id)
    if not call_id:
        return None
    found = await ask.rooms.callers.of_call(call_id, ask.staff.staff_id)
    matters, records = await matters_of(ask, found), await records_of(ask, call_id)
    mark = await ask.rooms.marks.of_call(call_id, ask.staff.staff_id)
    has_number = await ask.rooms.marks.has_number(call_id, ask.staff.staff_id)
    return CallContext(call_id, matters, records, mark, has_number)


async def matters_of(ask: PageAsk, found: Sequence[str]) -> CallerMatters:
    """These complaints, what is open first."""
    async with lent(ask.rooms.pool) as connection:
        rows = await some(connection, list(found))
    waits = sorted((one for one in rows if not one.ended), key=lambda one: one.due_at)
    ended = sorted((one for one in rows if one.ended), key=lambda one: one.received_at, reverse=True)
    return CallerMatters(waits, ended[:ENDED_MAX])


async def records_of(ask: PageAsk, call_id: str) -> list[Listed]:
    """The complaints that pages recorded of this call."""
    async with lent(ask.rooms.pool) as connection:
        return await some(connection, [row[0] for row in await connection.fetch(_RECORDS, call_id)])


async def note_record(ask: PageAsk, call_id: str, complaint: str) -> None:
    """A later record of this call is shown this one before it is made."""
    await ask.rooms.pool.execute(_NOTE, call_id, complaint)


def recorded_twice(records: Sequence[Listed], draft: Mapping[str, str]) -> list[Listed]:
    """Those of the same subject and place: a record that asks for nothing more ends where they go on (T7)."""
    place = tuple(folded(draft.get(name, "")) for name in ("subject", "district", "street"))
    return [one for one in records if (one.subject, one.district, one.street or "") == place]


async def articles_of(ask: PageAsk, draft: Mapping[str, str]) -> list[Found]:
    """The articles that answer what is written down so far."""
    words = " ".join(draft.get(name, "").strip() for name in ("subject", "title", "content"))
    question = words.strip()[:QUESTION_MAX]
    if not question:
        return []
    async with lent(ask.rooms.pool) as connection:
        return await search(connection, question, ask.now, most=ARTICLES_MAX)


async def articles_part(ask: PageAsk) -> Response:
    """The articles beside the form; asked for as one types. The words stand in no address."""
    draft = {key: str(value) for key, value in (await form_of(ask)).items()}
    values = {"articles": await articles_of(ask, draft), "chosen": draft.get("article", "")}
    return HTMLResponse(block(ask.look, "record.html", "articles", **values), headers=HEADERS)


async def caller_part(ask: PageAsk) -> Response:
    """The open complaints of a number that was typed. The number stands in no address."""
    form = await form_of(ask)
    phone = str(form.get("phone", "")).strip()
    found = await ask.rooms.callers.of_number(phone, ask.staff.staff_id)
    values = {
        "matters": await matters_of(ask, found),
        "mark": await ask.rooms.marks.of_number(phone),
        "call_id": await call_of_page(ask, str(form.get("call_id", ""))),
        "ruleset": ask.rooms.ruleset,
        "now": ask.now,
        "asked": True,
    }
    return HTMLResponse(block(ask.look, "record.html", "caller", **values), headers=HEADERS)
