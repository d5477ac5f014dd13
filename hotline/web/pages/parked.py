"""The page of parked messages: by desk, with reason and age; one opened, released or dropped (decision 0077)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import FormData

from hotline.web.pages.acting import ACT, form_of, new_act
from hotline.web.pages.asking import PageAsk, PageMoved, PageView
from hotline.web.pages.catalogues import N_
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.pages.reason_given import GivenReason, reason_given
from hotline.web.pages.staff import names_of
from hotline.web.parked_messages import RELEASED_MAX, VALUE_BYTES_MAX, ListedMessage, OpenedMessage
from hotline.web.reading import lent
from shared.runtime.errors import UserError

BASE: Final = "/parked"
ROWS: Final = 100
"""Rows of a page: some three screens."""
NUMBER_DIGITS_MAX: Final = 18
"""Of a message's number: it is a bigint."""
NONE_CHOSEN: Final = N_("No message is chosen.")


async def parked_list(ask: PageAsk) -> PageView:
    """The messages that wait for a person, by desk; and the outcome of the act that the address names."""
    return await _list(ask)


async def parked_message(ask: PageAsk) -> PageView:
    """One message without its content, and what can be done with it."""
    return await _message(ask, await _named(ask))


async def open_parked(ask: PageAsk) -> PageView:
    """The same with its content; that this person looked is written down first."""
    one = await _named(ask)
    opened = await ask.rooms.parked.opened(one.parked_id, ask.staff.staff_id)
    if opened is None:  # it was handled meanwhile
        raise PageRefusal(PageFault.NOT_FOUND)
    return await _message(ask, one, opened=opened)


async def release_parked(ask: PageAsk) -> PageView | PageMoved:
    """Release what was chosen, and go on to the list, which says what came of it."""
    form = await form_of(ask)
    chosen = [number for one in form.getlist("parked") if (number := _number(str(one)))][:RELEASED_MAX]
    given, act = reason_given(form), _act_of(form)
    if not chosen:
        given = given._replace(wrong=NONE_CHOSEN)
    if not given.wrong:
        try:
            await ask.rooms.parked.release(chosen, ask.staff.staff_id, given.text, act)
        except UserError as error:
            given = given._replace(wrong=str(error))
        else:
            return _moved(act)
    return await _list(ask, refused=given, chosen=chosen)


async def drop_parked(ask: PageAsk) -> PageView | PageMoved:
    """Give one up, and go on to the list."""
    form = await form_of(ask)
    given, act, number = reason_given(form), _act_of(form), _number(ask.path("message"))
    if not given.wrong:
        try:
            await ask.rooms.parked.drop(number, ask.staff.staff_id, given.text, act)
        except UserError as error:
            given = given._replace(wrong=str(error))
        else:
            return _moved(act)
    return await _message(ask, await _named(ask), refused=given)


def _act_of(form: FormData) -> str:
    """The id of the act; `PageRefusal` where the form has none, as no form of ours."""
    act = str(form.get(ACT, ""))
    if not act or "\0" in act:
        raise PageRefusal(PageFault.BAD_REQUEST)
    return act


def _moved(act: str) -> PageMoved:
    return PageMoved(f"{BASE}?{urlencode({'act': act})}")


async def _named(ask: PageAsk) -> ListedMessage:
    """The message of the address; `PageRefusal` where none is parked under it."""
    one = await ask.rooms.parked.one(_number(ask.path("message")))
    if one is None:
        raise PageRefusal(PageFault.NOT_FOUND)
    return one


async def _list(
    ask: PageAsk, refused: GivenReason | None = None, chosen: list[int] | None = None
) -> PageView:
    parked, act = ask.rooms.parked, ask.query("act")[:100]
    counts = await parked.counts()
    desk = ask.query("desk") if ask.query("desk") in counts else ""
    rows = await parked.listed(desk, _number(ask.query("after")), ROWS + 1)
    came = await parked.came_of(act) if act and refused is None else []
    more = {"desk": desk, "after": rows[ROWS - 1].parked_id} if len(rows) > ROWS else {}
    values: dict[str, Any] = {
        "counts": counts,
        "desk": desk,
        "rows": rows[:ROWS],
        "more": urlencode({name: value for name, value in more.items() if value}),
        "came": came,
        "nothing": bool(act) and refused is None and not came,
        "refused": _told(ask, refused),
        "chosen": chosen or [],
        "act": new_act(),
        "ruleset": ask.rooms.ruleset,
        "now": ask.now,
    }
    return PageView("parked.html", values, HTTPStatus.OK if refused is None else HTTPStatus.CONFLICT)


async def _message(
    ask: PageAsk,
    one: ListedMessage,
    *,
    opened: OpenedMessage | None = None,
    refused: GivenReason | None = None,
) -> PageView:
    acts = await ask.rooms.parked.acts(one.parked_id)
    async with lent(ask.rooms.pool) as connection:
        names = await names_of(connection, sorted({act.actorid for act in acts if act.actorid}))
    values: dict[str, Any] = {
        "one": one,
        "opened": opened,
        "beside": await ask.rooms.parked.beside(one),
        "acts": acts,
        "names": names,
        "refused": _told(ask, refused),
        "act": new_act(),
        "bytes_max": VALUE_BYTES_MAX,
        "ruleset": ask.rooms.ruleset,
        "now": ask.now,
    }
    return PageView("parked-message.html", values, HTTPStatus.OK if refused is None else HTTPStatus.CONFLICT)


def _told(ask: PageAsk, refused: GivenReason | None) -> GivenReason | None:
    return None if refused is None else refused._replace(wrong=ask.text(refused.wrong))


def _number(text: str) -> int:
    """The number of a message; 0, under which none is parked, where the text is none."""
    plain = text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS_MAX
    return int(text) if plain else 0
